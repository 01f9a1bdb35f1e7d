//! Taking a snapshot: the same reads as a plan, kept.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::{CollectError, Progress};
use crate::cloud::{Cloud, SNAPSHOT_FORMAT};
use crate::resolve::{needs_tags, read_scope};
use crate::spec::Spec;
use crate::state::{Reading, Snapshot};

/// Reads every active account, and keeps what was read.
///
/// # Errors
/// When the organization itself can't be read. An account that can't be read is in the snapshot, as unreadable.
pub async fn take_snapshot(
    cloud: &dyn Cloud,
    spec: &Spec,
    concurrency: usize,
    now: Timestamp,
    progress: &Progress<'_>,
) -> Result<Snapshot, CollectError> {
    let organization = cloud
        .organization(Some(&spec.organization.id), needs_tags(spec))
        .await?;
    let scope = read_scope(spec);
    let ids: Vec<_> = organization.active_accounts().map(|(id, _)| id).collect();
    let all = ids.len();
    let mut readings = stream::iter(ids)
        .map(async |id| (id, cloud.account(id, &scope).await))
        .buffer_unordered(concurrency);
    let mut accounts = BTreeMap::new();
    while let Some((id, reading)) = readings.next().await {
        let reading = match reading {
            Ok(inventory) => Reading::Complete(inventory),
            Err(error) => Reading::Unreadable {
                error: error.to_string(),
            },
        };
        accounts.insert(id.clone(), reading);
        progress(accounts.len(), all);
    }
    drop(readings);
    Ok(Snapshot {
        format_version: SNAPSHOT_FORMAT.to_owned(),
        kind: "snapshot".to_owned(),
        created_at: now,
        managed_path: scope.managed_path.clone(),
        organization,
        accounts,
    })
}
