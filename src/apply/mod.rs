//! Carrying out a plan: wave by wave, accounts side by side, each change checked just before it is written.
//!
//! Apply decides nothing: what is written, and in which order, stands in the plan. Live state is the only journal. A
//! change that is found at its target counts as done, and one that an earlier apply left half done goes on from there,
//! because every operation of a plan carries the fingerprint of the state that it leads to.

mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use crate::cloud::{Cloud, CloudError};
use crate::ids::{AccountId, Partition};
use crate::plan::{Action, Change, Plan, Wave, rank};
use crate::policy::CanonicalContext;
use crate::state::{Fingerprint, ResourceKey, ResourceType};

pub use report::{ApplyOutcome, ApplyReport, ApplySummary, ChangeResult, ChangeStatus};

/// Says how a plan is carried out.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// How many accounts are written to at once.
    pub concurrency: usize,
    /// The most failed changes after which nothing new is begun; `None` for no such bound.
    pub max_failures: Option<usize>,
    /// Whether every change is checked before the first is written, as a plan from a file should be.
    pub check_all_first: bool,
}

/// Carries out a plan and reports what became of each change.
///
/// `stop` asks it to end after the operations that are under way. `progress` hears of each change as it ends.
pub async fn apply(
    plan: &Plan,
    partition: &Partition,
    cloud: &dyn Cloud,
    options: &ApplyOptions,
    stop: &AtomicBool,
    progress: &(dyn Fn(&ChangeResult) + Sync),
    now: impl Fn() -> Timestamp,
) -> ApplyReport {
    let run = Run {
        cloud,
        options,
        stop,
        progress,
        context: CanonicalContext {
            partition: Some(partition.clone()),
        },
        stale: AtomicBool::new(false),
        failures: AtomicUsize::new(0),
        failed_accounts: Mutex::default(),
    };
    let mut results: Vec<ChangeResult> = plan
        .changes
        .iter()
        .filter_map(|change| run.without_operations(change))
        .collect();
    if options.check_all_first {
        results.extend(run.check_all(&plan.changes).await);
    }
    for wave in Wave::ALL {
        results.extend(run.wave(wave, &plan.changes).await);
    }
    results.sort_by(|a, b| (&a.address, a.status).cmp(&(&b.address, b.status)));
    results.dedup_by(|later, earlier| later.address == earlier.address);
    let summary = ApplySummary::count(&results);
    let outcome = if summary.stale > 0 {
        ApplyOutcome::Stale
    } else if summary.failed > 0 {
        ApplyOutcome::Partial
    } else if summary.skipped > 0 {
        ApplyOutcome::Interrupted
    } else if !plan.unreadable.is_empty() {
        ApplyOutcome::Incomplete
    } else if summary.blocked > 0 {
        ApplyOutcome::Blocked
    } else {
        ApplyOutcome::Done
    };
    ApplyReport {
        format_version: crate::plan::FORMAT_VERSION.to_owned(),
        kind: "apply".to_owned(),
        organization_id: plan.organization_id.clone(),
        plan_digest: plan.digest.clone(),
        created_at: now(),
        outcome,
        summary,
        results,
        unreadable: plan.unreadable.clone(),
    }
}

struct Run<'a> {
    cloud: &'a dyn Cloud,
    options: &'a ApplyOptions,
    stop: &'a AtomicBool,
    progress: &'a (dyn Fn(&ChangeResult) + Sync),
    context: CanonicalContext,
    /// Set when a change was found stale: someone else is at work, so nothing more is written.
    stale: AtomicBool,
    failures: AtomicUsize,
    failed_accounts: Mutex<BTreeSet<AccountId>>,
}

/// Where a resource stands on the way that its change plans.
enum Position {
    /// So many operations are done already.
    At(usize),
    /// On no step of the way.
    Elsewhere,
}

impl Run<'_> {
    /// Reports a change that has nothing to carry out.
    fn without_operations(&self, change: &Change) -> Option<ChangeResult> {
        let (status, message) = if change.action == Action::Manual {
            (ChangeStatus::Manual, change.reason.clone())
        } else if change.operations.is_empty() {
            (ChangeStatus::Blocked, change.blocked.clone())
        } else {
            return None;
        };
        Some(result(change, status, 0, message))
    }

    /// Checks every change, so that a stale plan is refused before anything is written.
    async fn check_all(&self, changes: &[Change]) -> Vec<ChangeResult> {
        let checks = changes
            .iter()
            .filter(|change| !change.operations.is_empty())
            .map(async |change| match self.position(change).await {
                Ok(Position::Elsewhere) => Some(self.stale(change, 0)),
                // What can't be read now is reported when its turn comes.
                Ok(Position::At(_)) | Err(_) => None,
            });
        stream::iter(checks)
            .buffer_unordered(self.options.concurrency)
            .filter_map(async |finding| finding)
            .collect()
            .await
    }

    async fn wave(&self, wave: Wave, changes: &[Change]) -> Vec<ChangeResult> {
        let mut accounts: BTreeMap<&AccountId, Vec<&Change>> = BTreeMap::new();
        for change in changes {
            if rank(change).0 == wave && !change.operations.is_empty() {
                accounts.entry(&change.account).or_default().push(change);
            }
        }
        stream::iter(accounts.into_values())
            .map(async |mut changes| {
                changes.sort_by_key(|change| rank(change));
                let mut results = Vec::with_capacity(changes.len());
                for change in changes {
                    let result = self.carry_out(change).await;
                    (self.progress)(&result);
                    results.push(result);
                }
                results
            })
            .buffer_unordered(self.options.concurrency)
            .collect::<Vec<_>>()
            .await
            .concat()
    }

    async fn carry_out(&self, change: &Change) -> ChangeResult {
        if let Some(reason) = self.hold_back(change) {
            return result(change, ChangeStatus::Skipped, 0, Some(reason));
        }
        let done = match self.position(change).await {
            Ok(Position::At(done)) if done == change.operations.len() => {
                return result(change, ChangeStatus::AlreadyDone, 0, None);
            }
            Ok(Position::At(done)) => done,
            Ok(Position::Elsewhere) => return self.stale(change, 0),
            Err(error) => return self.failed(change, 0, &error),
        };
        for (count, step) in change.operations.iter().skip(done).enumerate() {
            if self.stop.load(Ordering::Relaxed) {
                let message = "stopped part way; run it again to finish".to_owned();
                return result(change, ChangeStatus::Skipped, count, Some(message));
            }
            let written = self.cloud.execute(&change.account, &step.operation).await;
            if let Err(error) = written {
                // The answer may have been lost while the write was not.
                let now = self.fingerprint(change).await;
                if now.as_ref() != Ok(&step.then) {
                    return self.failed(change, count, &error);
                }
            }
        }
        result(
            change,
            ChangeStatus::Done,
            change.operations.len() - done,
            None,
        )
    }

    /// Says why a change is not begun.
    fn hold_back(&self, change: &Change) -> Option<String> {
        if self.stop.load(Ordering::Relaxed) {
            return Some("stopped before it was begun; run it again to finish".to_owned());
        }
        if self.stale.load(Ordering::Relaxed) {
            return Some("not begun: something else changed since the plan".to_owned());
        }
        let failures = self.failures.load(Ordering::Relaxed);
        if self
            .options
            .max_failures
            .is_some_and(|most| failures > most)
        {
            return Some(format!("not begun: {failures} changes failed before it"));
        }
        if rank(change).0 < Wave::RoleRemovals {
            return None;
        }
        // A removal waits for what was to replace it. Roles anywhere may still trust a user.
        let failed = self.failed_accounts();
        let waits = if change.resource_type == ResourceType::IamUser {
            !failed.is_empty()
        } else {
            failed.contains(&change.account)
        };
        waits.then(|| "not removed while other changes failed; run it again to finish".to_owned())
    }

    async fn position(&self, change: &Change) -> Result<Position, CloudError> {
        let now = self.fingerprint(change).await?;
        // Furthest first: a way that comes back to a state it has been in is further along there.
        let passed = change.operations.iter().rposition(|step| step.then == now);
        Ok(match passed {
            Some(index) => Position::At(index + 1),
            None if now == change.fingerprint => Position::At(0),
            None => Position::Elsewhere,
        })
    }

    async fn fingerprint(&self, change: &Change) -> Result<Fingerprint, CloudError> {
        let key = ResourceKey::new(change.resource_type, &change.name);
        let resource = self.cloud.resource(&change.account, &key).await?;
        Ok(Fingerprint::of(resource.as_ref(), &self.context))
    }

    fn stale(&self, change: &Change, done: usize) -> ChangeResult {
        self.stale.store(true, Ordering::Relaxed);
        let message = "changed since the plan was made; make a new plan".to_owned();
        result(change, ChangeStatus::Stale, done, Some(message))
    }

    fn failed(&self, change: &Change, done: usize, error: &CloudError) -> ChangeResult {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.failed_accounts().insert(change.account.clone());
        result(change, ChangeStatus::Failed, done, Some(error.to_string()))
    }

    fn failed_accounts(&self) -> std::sync::MutexGuard<'_, BTreeSet<AccountId>> {
        self.failed_accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn result(
    change: &Change,
    status: ChangeStatus,
    operations: usize,
    message: Option<String>,
) -> ChangeResult {
    ChangeResult {
        address: change.address.clone(),
        account_name: change.account_name.clone(),
        action: change.action,
        status,
        operations,
        message,
    }
}
