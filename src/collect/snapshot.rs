//! Taking a snapshot: the same reads as a plan, kept.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, future, stream};
use jiff::Timestamp;

use super::{CollectError, Progress};
use crate::cloud::{Cloud, ErrorKind, SNAPSHOT_FORMAT};
use crate::ids::AccountId;
use crate::org::Organization;
use crate::resolve::{alert_scope, needs_tags, read_scope, root_scope};
use crate::spec::Spec;
use crate::state::{Guardrails, ReadScope, Reading, Snapshot};

/// Reads every active account and the guardrails, and keeps what was read.
///
/// # Errors
/// When the organization itself can't be read. An account that can't be read is in the snapshot, as unreadable, and so
/// are guardrails that can't be read.
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
    let scope = ReadScope {
        root: root_scope(spec, &organization),
        alerts: alert_scope(spec, &organization),
        ..read_scope(spec)
    };
    // Side by side: in a large organization what AWS attaches everywhere is a long list, of which pages come one by one.
    let (accounts, guardrails) = future::join(
        accounts(cloud, &organization, &scope, concurrency, progress),
        guardrails(cloud),
    )
    .await;
    Ok(Snapshot {
        format_version: SNAPSHOT_FORMAT.to_owned(),
        kind: "snapshot".to_owned(),
        created_at: now,
        managed_path: scope.managed_path.clone(),
        organization,
        accounts,
        guardrails,
    })
}

async fn accounts(
    cloud: &dyn Cloud,
    organization: &Organization,
    scope: &ReadScope,
    concurrency: usize,
    progress: &Progress<'_>,
) -> BTreeMap<AccountId, Reading> {
    let ids: Vec<_> = organization.active_accounts().map(|(id, _)| id).collect();
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

/// Reads the guardrails; a copy of a snapshot without them has none either.
async fn guardrails(cloud: &dyn Cloud) -> Option<Reading<Guardrails>> {
    match cloud.guardrails().await {
        Ok(guardrails) => Some(Reading::Complete(guardrails)),
        Err(error) if error.kind == ErrorKind::NotHeld => None,
        Err(error) => Some(Reading::Unreadable {
            error: error.to_string(),
        }),
    }
}
