//! Taking a snapshot: the same reads as a plan, kept.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, future};
use jiff::Timestamp;

use super::discovery::{Accounts, active, discover};
use super::{CollectError, Progress};
use crate::cloud::{Cloud, ErrorKind, SNAPSHOT_FORMAT};
use crate::ids::AccountId;
use crate::org::{Organization, Shard};
use crate::resolve::{alert_scope, needs_tags, read_scope, root_scope};
use crate::spec::Spec;
use crate::state::{Guardrails, ReadScope, Reading, Snapshot};

/// Reads every active account and the guardrails, or a shard's share of them, and keeps what was read.
///
/// # Errors
/// When the organization itself can't be read. An account that can't be read is in the snapshot, as unreadable, and so
/// are guardrails that can't be read.
pub async fn take_snapshot(
    cloud: &dyn Cloud,
    spec: &Spec,
    shard: Option<Shard>,
    concurrency: usize,
    now: Timestamp,
    progress: &Progress<'_>,
) -> Result<Snapshot, CollectError> {
    let managed = read_scope(spec);
    let in_share = move |id: &AccountId| shard.is_none_or(|shard| shard.holds(id));
    let reading = async |tree: Organization, found: Accounts| {
        let scope = ReadScope {
            root: root_scope(spec, &tree),
            alerts: alert_scope(spec, &tree),
            ..managed.clone()
        };
        // Side by side: in a large organization what AWS attaches everywhere is a long list, of which pages come one by one.
        let share = found
            .filter(move |(id, _)| future::ready(in_share(id)))
            .boxed();
        let accounts = accounts(cloud, &scope, share, concurrency, progress);
        let guardrails = guardrails(cloud, in_share(&tree.management_account));
        future::join(accounts, guardrails).await
    };
    let expected = Some(spec.organization.id.as_str());
    let (organization, (accounts, guardrails)) =
        discover(cloud, expected, needs_tags(spec), reading).await?;
    Ok(Snapshot {
        format_version: SNAPSHOT_FORMAT.to_owned(),
        kind: "snapshot".to_owned(),
        created_at: now,
        shard,
        managed_path: managed.managed_path,
        organization,
        accounts,
        guardrails,
    })
}

async fn accounts(
    cloud: &dyn Cloud,
    scope: &ReadScope,
    found: Accounts,
    concurrency: usize,
    progress: &Progress<'_>,
) -> BTreeMap<AccountId, Reading> {
    let all = AtomicUsize::new(0);
    let mut readings = active(found, &all)
        .map(async |(id, _)| {
            let reading = cloud.account(&id, scope).await;
            (id, reading)
        })
        .buffer_unordered(concurrency);
    let mut accounts = BTreeMap::new();
    while let Some((id, reading)) = readings.next().await {
        let reading = match reading {
            Ok(inventory) => Reading::Complete(inventory),
            Err(error) => Reading::Unreadable {
                error: error.to_string(),
            },
        };
        accounts.insert(id, reading);
        progress(accounts.len(), all.load(Ordering::Relaxed));
    }
    accounts
}

/// Reads the guardrails, if they are in the share; a copy of a snapshot without them has none either.
async fn guardrails(cloud: &dyn Cloud, in_share: bool) -> Option<Reading<Guardrails>> {
    if !in_share {
        return None;
    }
    match cloud.guardrails().await {
        Ok(guardrails) => Some(Reading::Complete(guardrails)),
        Err(error) if error.kind == ErrorKind::NotHeld => None,
        Err(error) => Some(Reading::Unreadable {
            error: error.to_string(),
        }),
    }
}
