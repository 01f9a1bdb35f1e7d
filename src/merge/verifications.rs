//! Verifications.

use super::{Difference, MergeError, Part, absorb, all_alike, put_together, within};
use crate::org::{Shard, Tree};
use crate::plan::Scope;
use crate::verify::{Verification, VerificationBuilder, VerificationHeader};

/// Puts the verifications of all shards together. One that is whole stays as it is.
///
/// It is the one that a single run would have made, of the earliest of their times, but for the number of situations: what
/// two shards have proven each counts twice.
///
/// # Errors
/// When they are not those of all shards of one run.
pub fn merge_verifications(parts: Vec<Part<Verification>>) -> Result<Verification, MergeError> {
    put_together(parts, |verification| verification.scope.shard, whole)
}

fn whole(parts: Vec<(Shard, Part<Verification>)>) -> Result<Verification, MergeError> {
    all_alike(&parts, Difference::Organization, |_, one| {
        &one.organization_id
    })?;
    all_alike(&parts, Difference::Spec, |_, one| &one.spec_digest)?;
    all_alike(&parts, Difference::Plan, |_, one| &one.after_plan)?;
    all_alike(&parts, Difference::Options, |_, one| &one.scope.filters)?;
    let mut builder = VerificationBuilder::default();
    let mut all: Option<VerificationHeader> = None;
    for (shard, part) in parts {
        let Part { file, mut report } = part;
        let proven = report.results.iter().map(|one| &one.account);
        let uncovered = report.coverage.iter().map(|one| &one.account);
        let skipped = report.skipped.iter().map(|one| &one.account);
        let shown = report.tree.iter().flat_map(Tree::accounts);
        let accounts = proven.chain(uncovered).chain(skipped).chain(shown);
        within(shard, &file, accounts)?;
        let header = all.get_or_insert_with(|| VerificationHeader {
            organization_id: report.organization_id.clone(),
            spec_digest: report.spec_digest.clone(),
            after_plan: report.after_plan.clone(),
            spec_file: report.spec_file.clone(),
            created_at: report.created_at,
            scope: Scope {
                partial: !report.scope.filters.is_empty(),
                filters: report.scope.filters.clone(),
                shard: None,
            },
            notes: Vec::new(),
            skipped: Vec::new(),
            guardrails_unknown: None,
            situations: 0,
            tree: None,
        });
        header.created_at = header.created_at.min(report.created_at);
        for note in report.notes.drain(..) {
            if !header.notes.contains(&note) {
                header.notes.push(note);
            }
        }
        header.skipped.append(&mut report.skipped);
        absorb(&mut header.tree, report.tree.take());
        if header.guardrails_unknown.is_none() {
            header.guardrails_unknown = report.guardrails_unknown.take();
        }
        header.situations += report.summary.situations;
        builder.add_share(report);
    }
    let Some(mut header) = all else {
        return Err(MergeError::Missing(Vec::new()));
    };
    header.skipped.sort_by(|a, b| a.account.cmp(&b.account));
    Ok(builder.finish(header))
}
