//! Snapshots.

use super::{Difference, MergeError, Part, all_alike, put_together, within};
use crate::org::Shard;
use crate::state::Snapshot;

/// Puts the snapshots of all shards together. One that is whole stays as it is.
///
/// # Errors
/// When they are not those of all shards of one organization, the same in all of them.
pub fn merge_snapshots(parts: Vec<Part<Snapshot>>) -> Result<Snapshot, MergeError> {
    put_together(parts, |snapshot| snapshot.shard, whole)
}

fn whole(parts: Vec<(Shard, Part<Snapshot>)>) -> Result<Snapshot, MergeError> {
    all_alike(&parts, Difference::Organization, |_, snapshot| {
        &snapshot.organization
    })?;
    all_alike(&parts, Difference::Spec, |_, snapshot| {
        &snapshot.managed_path
    })?;
    let mut all: Option<Snapshot> = None;
    for (shard, part) in parts {
        let Part { file, mut report } = part;
        within(shard, &file, report.accounts.keys())?;
        report.shard = None;
        match &mut all {
            None => all = Some(report),
            Some(all) => {
                all.created_at = all.created_at.min(report.created_at);
                all.accounts.append(&mut report.accounts);
                all.guardrails = all.guardrails.take().or(report.guardrails);
            }
        }
    }
    all.ok_or(MergeError::Missing(Vec::new()))
}
