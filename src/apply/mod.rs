//! Carrying out a plan: wave by wave, accounts side by side, each change checked just before it is written.
//!
//! Apply decides nothing: what is written, and in which order, stands in the plan. Live state is the only journal. A
//! change that is found at its target counts as done, and one that an earlier apply left half done goes on from there,
//! because every operation of a plan carries the fingerprint of the state that it leads to.

mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use crate::cloud::{Cloud, CloudError};
use crate::ids::{AccountId, Partition};
use crate::plan::{Action, Change, Plan, Wave, schedule};
use crate::policy::{Access, CanonicalContext};
use crate::state::{
    Address, ExemptionEdit, Fingerprint, Operation, PolicyReference, ResourceKey, ResourceType,
    protection,
};

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
        unreadable: !plan.unreadable.is_empty(),
        stale: AtomicBool::new(false),
        memory: Mutex::default(),
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
    } else if stop.load(Ordering::Relaxed) && summary.skipped > 0 {
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
    /// Whether some accounts could not be read, so that it isn't known what refers to a user there.
    unreadable: bool,
    /// Set when a change was found stale: someone else is at work, so nothing more is written.
    stale: AtomicBool,
    memory: Mutex<Memory>,
}

/// What one wave leaves for the next to know.
#[derive(Debug, Default)]
struct Memory {
    /// How many operations of a change were carried out in earlier waves.
    executed: BTreeMap<Address, usize>,
    /// The changes that are over before their last wave.
    ended: BTreeSet<Address>,
    /// The changes that failed.
    failed: BTreeSet<Address>,
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
                Ok(Position::Elsewhere) => Some(self.stale(change)),
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
        let mut accounts: BTreeMap<&AccountId, Vec<(u8, Turn<'_>)>> = BTreeMap::new();
        for change in changes {
            let parts = schedule(change);
            let last = parts.len();
            for (index, part) in parts.into_iter().enumerate() {
                if part.wave == wave {
                    let turn = Turn {
                        change,
                        wave,
                        end: part.steps.end,
                        last: index + 1 == last,
                    };
                    let account = accounts.entry(&change.account).or_default();
                    account.push((part.turn, turn));
                }
            }
        }
        stream::iter(accounts.into_values())
            .map(async |mut turns| {
                turns.sort_by_key(|(number, _)| *number);
                let mut results = Vec::with_capacity(turns.len());
                for (_, turn) in turns {
                    if let Some(result) = self.carry_out(&turn).await {
                        (self.progress)(&result);
                        results.push(result);
                    }
                }
                results
            })
            .buffer_unordered(self.options.concurrency)
            .collect::<Vec<_>>()
            .await
            .concat()
    }

    /// Carries out a part of a change; there is a result when it was the last part, or when no other will follow.
    async fn carry_out(&self, turn: &Turn<'_>) -> Option<ChangeResult> {
        let change = turn.change;
        if self.memory().ended.contains(&change.address) {
            return None;
        }
        if let Some(reason) = self.hold_back(turn) {
            return Some(self.end(change, ChangeStatus::Skipped, Some(reason)));
        }
        let done = match self.position(change).await {
            Ok(Position::At(done)) => done,
            Ok(Position::Elsewhere) => return Some(self.stale(change)),
            Err(error) => return Some(self.failed(change, &error)),
        };
        let steps = change.operations.get(done..turn.end).unwrap_or_default();
        for step in steps {
            if self.stop.load(Ordering::Relaxed) {
                let message = "stopped part way; run it again to finish".to_owned();
                return Some(self.end(change, ChangeStatus::Skipped, Some(message)));
            }
            let written = match &step.operation {
                Operation::SetExemptions(edit) => {
                    let mut written = Ok(());
                    for operation in edit.operations() {
                        if written.is_ok() {
                            written = self.cloud.change_guardrails(&operation).await;
                        }
                    }
                    written
                }
                Operation::ChangeGuardrail(operation) => {
                    self.cloud.change_guardrails(operation).await
                }
                operation => self.cloud.execute(&change.account, operation).await,
            };
            if let Err(error) = written {
                // The answer may have been lost while the write was not.
                let now = self.fingerprint(change).await;
                if now.as_ref() != Ok(&Some(step.then.clone())) {
                    return Some(self.failed(change, &error));
                }
            }
            let mut memory = self.memory();
            *memory.executed.entry(change.address.clone()).or_default() += 1;
        }
        turn.last.then(|| {
            let status = if self.executed(change) == 0 {
                ChangeStatus::AlreadyDone
            } else {
                ChangeStatus::Done
            };
            self.end(change, status, None)
        })
    }

    /// Says why a part of a change is not begun.
    fn hold_back(&self, turn: &Turn<'_>) -> Option<String> {
        if self.stop.load(Ordering::Relaxed) {
            return Some("stopped before it was begun; run it again to finish".to_owned());
        }
        if self.stale.load(Ordering::Relaxed) {
            return Some("not begun: something else changed since the plan".to_owned());
        }
        let memory = self.memory();
        let failures = memory.failed.len();
        if self
            .options
            .max_failures
            .is_some_and(|most| failures > most)
        {
            return Some(format!("not begun: {failures} changes failed before it"));
        }
        let change = turn.change;
        let mut failed_here = memory
            .failed
            .iter()
            .filter(|address| address.account == change.address.account);
        let refers_to = |address: &Address| {
            address.resource_type == ResourceType::IamPolicy
                && change.operations.iter().any(|step| {
                    step.operation
                        .policy()
                        .is_some_and(|arn| arn.name() == address.name)
                })
        };
        let why = match turn.wave {
            // Nobody gets a policy that is not what it shall be.
            Wave::Foundations | Wave::Restrictions | Wave::Roles => {
                let policy = failed_here.find(|address| refers_to(address))?;
                format!("{policy} failed")
            }
            // Someone may still have the policy who shall lose it.
            // A guardrail's documents each hold what the changes before it did.
            // Whom an exception shall let through comes before what may stop them.
            Wave::Guardrails | Wave::Policies | Wave::NewGuardrails | Wave::RoleRemovals => {
                let address = failed_here.next()?;
                format!("{address} failed")
            }
            // Another role would be out of reach before the one in its place is there.
            Wave::Users if change.access == Access::Broader => {
                let policy = failed_here.find(|address| refers_to(address))?;
                format!("{policy} failed")
            }
            // Whoever repairs what failed may need to be let through.
            Wave::Users | Wave::GuardrailRemovals => format!("{} failed", memory.failed.first()?),
            // Roles anywhere may still trust a user.
            Wave::Removals if change.resource_type == ResourceType::IamUser => {
                match memory.failed.first() {
                    Some(address) => format!("{address} failed"),
                    None if self.unreadable => "accounts could not be read".to_owned(),
                    None => return None,
                }
            }
            Wave::Removals => format!("{} failed", failed_here.next()?),
        };
        Some(format!("not begun while {why}; run it again to finish"))
    }

    async fn position(&self, change: &Change) -> Result<Position, CloudError> {
        let Some(now) = self.fingerprint(change).await? else {
            return Ok(Position::Elsewhere);
        };
        // Furthest first: a way that comes back to a state it has been in is further along there.
        let passed = change.operations.iter().rposition(|step| step.then == now);
        Ok(match passed {
            Some(index) => Position::At(index + 1),
            None if now == change.fingerprint => Position::At(0),
            None => Position::Elsewhere,
        })
    }

    /// Takes the fingerprint of the resource as it is; `None` when the change would do more to it than it says.
    async fn fingerprint(&self, change: &Change) -> Result<Option<Fingerprint>, CloudError> {
        if let Some(edit) = exemption_edit(change) {
            let policy = PolicyReference::Id(edit.policy.clone());
            let policy = self.cloud.guardrail(&policy).await?;
            let policy = policy.as_ref();
            let says_all = policy.is_none_or(|policy| edit.keeps_the_rest(policy, &self.context));
            return Ok(says_all.then(|| edit.fingerprint(policy, &self.context)));
        }
        if change.resource_type == ResourceType::GuardrailPolicy {
            let policy = self.cloud.guardrail(&protection(&change.name)).await?;
            let fingerprint = Fingerprint::of_guardrail(policy.as_ref(), &self.context);
            return Ok(Some(fingerprint));
        }
        let key = ResourceKey::new(change.resource_type, &change.name);
        let resource = self.cloud.resource(&change.account, &key).await?;
        Ok(Some(Fingerprint::of(resource.as_ref(), &self.context)))
    }

    fn stale(&self, change: &Change) -> ChangeResult {
        self.stale.store(true, Ordering::Relaxed);
        let message = "changed since the plan was made; make a new plan".to_owned();
        self.end(change, ChangeStatus::Stale, Some(message))
    }

    fn failed(&self, change: &Change, error: &CloudError) -> ChangeResult {
        self.memory().failed.insert(change.address.clone());
        self.end(change, ChangeStatus::Failed, Some(error.to_string()))
    }

    fn end(&self, change: &Change, status: ChangeStatus, message: Option<String>) -> ChangeResult {
        self.memory().ended.insert(change.address.clone());
        result(change, status, self.executed(change), message)
    }

    fn executed(&self, change: &Change) -> usize {
        let memory = self.memory();
        memory
            .executed
            .get(&change.address)
            .copied()
            .unwrap_or_default()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // It is changed in single steps, so a panic elsewhere leaves it whole.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The edit of a guardrail that a change consists of.
fn exemption_edit(change: &Change) -> Option<&ExemptionEdit> {
    change
        .operations
        .iter()
        .find_map(|step| match &step.operation {
            Operation::SetExemptions(edit) => Some(edit),
            _ => None,
        })
}

/// A part of a change, in its turn.
struct Turn<'a> {
    change: &'a Change,
    wave: Wave,
    /// The operation before which this part ends.
    end: usize,
    /// Whether no other part follows.
    last: bool,
}

fn result(
    change: &Change,
    status: ChangeStatus,
    operations: usize,
    message: Option<String>,
) -> ChangeResult {
    ChangeResult {
        address: change.address.clone(),
        account: change.account.clone(),
        account_name: change.account_name.clone(),
        action: change.action,
        source: change.source.clone(),
        status,
        operations,
        message,
    }
}
