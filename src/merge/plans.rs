//! Plans and reports of drift.

use super::{Difference, MergeError, Part, absorb, all_alike, put_together, within};
use crate::org::{Shard, Tree};
use std::collections::BTreeSet;

use crate::plan::{Notes, Plan, PlanBuilder, PlanHeader, SafetyRules, Scope};

/// Puts the plans, or reports of drift, of all shards together. One that is whole stays as it is.
///
/// It is the one that a single run would have made, of the earliest of their times: with the gates of the whole, and the
/// same digest.
///
/// # Errors
/// When they are not those of all shards of one run.
pub fn merge_plans(parts: Vec<Part<Plan>>) -> Result<Plan, MergeError> {
    put_together(parts, |plan| plan.scope.shard, whole)
}

fn whole(parts: Vec<(Shard, Part<Plan>)>) -> Result<Plan, MergeError> {
    all_alike(&parts, Difference::Kind, |_, plan| plan.kind)?;
    all_alike(&parts, Difference::Organization, |_, plan| {
        &plan.organization_id
    })?;
    all_alike(&parts, Difference::Spec, |_, plan| {
        let rules = plan.share.as_ref().map(|share| SafetyRules {
            // Each machine may be somebody else.
            callers: BTreeSet::new(),
            ..share.rules.clone()
        });
        (&plan.spec_digest, &plan.entry, rules)
    })?;
    all_alike(&parts, Difference::Options, |_, plan| {
        let strict = plan.share.as_ref().map(|share| share.strict);
        (&plan.scope.filters, &plan.base, strict)
    })?;
    let mut builder = PlanBuilder::default();
    let mut all = None;
    for (shard, part) in parts {
        let Part { file, mut report } = part;
        let changed = report.changes.iter().map(|change| &change.account);
        let unreadable = report.unreadable.iter().map(|one| &one.account);
        let skipped = report.skipped.iter().map(|one| &one.account);
        let ignored = report.ignored.iter().map(|change| &change.account);
        let shown = report.tree.iter().flat_map(Tree::accounts);
        let accounts = changed.chain(ignored).chain(unreadable).chain(skipped);
        within(shard, &file, accounts.chain(shown))?;
        let Some(share) = report.share.take() else {
            return Err(MergeError::Whole { file });
        };
        let (header, rules) = all.get_or_insert_with(|| {
            let header = PlanHeader {
                kind: report.kind,
                organization_id: report.organization_id.clone(),
                spec_digest: report.spec_digest.clone(),
                created_at: report.created_at,
                expires_at: report.expires_at,
                entry: report.entry.clone(),
                spec_file: report.spec_file.clone(),
                base: report.base.clone(),
                scope: Scope {
                    partial: !report.scope.filters.is_empty(),
                    filters: report.scope.filters.clone(),
                    shard: None,
                },
                strict: share.strict,
                notes: Notes::default(),
                skipped: Vec::new(),
                tree: None,
            };
            (header, share.rules.clone())
        });
        rules.callers.extend(share.rules.callers.iter().cloned());
        header.created_at = header.created_at.min(report.created_at);
        header.expires_at = header.expires_at.min(report.expires_at);
        header.skipped.append(&mut report.skipped);
        absorb(&mut header.tree, report.tree.take());
        builder.add_share(report, share);
    }
    let Some((mut header, rules)) = all else {
        return Err(MergeError::Missing(Vec::new()));
    };
    header.skipped.sort_by(|a, b| a.account.cmp(&b.account));
    Ok(builder.finish(header, &rules))
}
