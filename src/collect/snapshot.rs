//! Taking a snapshot: the same reads as a plan, kept.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, future, stream};
use jiff::Timestamp;

use super::{CollectError, Progress};
use crate::cloud::{Cloud, ErrorKind, SNAPSHOT_FORMAT};
use crate::ids::AccountId;
use crate::org::Shard;
use crate::resolve::{needs_tags, read_scope, root_scope};
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
    let organization = cloud
        .organization(Some(&spec.organization.id), needs_tags(spec))
        .await?;
    let scope = ReadScope {
        root: root_scope(spec, &organization),
        ..read_scope(spec)
    };
    let in_share = |id: &AccountId| shard.is_none_or(|shard| shard.holds(id));
    let ids = organization.active_accounts().map(|(id, _)| id);
    let ids = ids.filter(|id| in_share(id)).collect();
    // Side by side: in a large organization what AWS attaches everywhere is a long list, of which pages come one by one.
    let (accounts, guardrails) = future::join(
        accounts(cloud, ids, &scope, concurrency, progress),
        guardrails(cloud, in_share(&organization.management_account)),
    )
    .await;
    Ok(Snapshot {
        format_version: SNAPSHOT_FORMAT.to_owned(),
        kind: "snapshot".to_owned(),
        created_at: now,
        shard,
        managed_path: scope.managed_path.clone(),
        organization,
        accounts,
        guardrails,
    })
}

async fn accounts(
    cloud: &dyn Cloud,
    ids: Vec<&AccountId>,
    scope: &ReadScope,
    concurrency: usize,
    progress: &Progress<'_>,
) -> BTreeMap<AccountId, Reading> {
    let all = ids.len();
    let mut readings = stream::iter(ids)
        .map(async |id| (id, cloud.account(id, scope).await))
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
