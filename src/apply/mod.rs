//! Carrying out a plan: wave by wave, accounts side by side, and in an account what has the same turn, which does not
//! depend on each other. Each change is checked just before it is written.
//!
//! Apply decides nothing: what is written, and in which order, stands in the plan. Live state is the only journal. A
//! change that is found at its target counts as done, and one that an earlier apply left half done goes on from there,
//! because every operation of a plan carries the fingerprint of the state that it leads to. What moves while it is at
//! work, and not by its own doing, is another apply's: it stops.

mod canary;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use crate::cloud::{Cloud, CloudError};
use crate::ids::{AccountId, Partition};
use crate::plan::{Action, Change, Plan, Wave, schedule};
use crate::policy::{Access, CanonicalContext};
use crate::state::{
    Address, DEFAULT_BUS, EVENTS_ROLE, ExemptionEdit, Fingerprint, Operation, PolicyReference,
    ResourceKey, ResourceType, protection, split_rule,
};

use canary::{First, Turns, stretches};

pub use canary::Canary;
pub use report::{
    ApplyOutcome, ApplyReport, ApplySummary, CanaryResult, ChangeResult, ChangeStatus,
};

/// How many changes of one account are written at once, at most.
const ABREAST: usize = 4;

/// Says how a plan is carried out.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// How many accounts are written to at once.
    pub concurrency: usize,
    /// The most failed changes after which nothing new is begun; `None` for no such bound.
    pub max_failures: Option<usize>,
    /// Whether an earlier apply may have begun this plan, as with one from a file. One made just now is whole.
    pub resumes: bool,
    /// How long what is to be written must keep still before the first write.
    pub settle: Duration,
    /// The accounts that come first; the others follow when all of it succeeded.
    pub canary: Option<Canary>,
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
        canary_failed: AtomicBool::new(false),
        memory: Mutex::default(),
    };
    let mut results: Vec<ChangeResult> = plan
        .changes
        .iter()
        .filter_map(|change| run.without_operations(change))
        .collect();
    results.extend(run.check_all(&plan.changes).await);
    let canary = options.canary.as_ref();
    let first = canary.map(|canary| First::new(canary, &plan.changes));
    let mut canary_ok = canary.is_none_or(|canary| {
        let left_alone = results
            .iter()
            .filter(|one| one.status == ChangeStatus::Blocked);
        let left_alone = left_alone.map(|one| &one.account);
        let unknown = plan.unreadable.iter().map(|one| &one.account);
        left_alone
            .chain(unknown)
            .all(|account| !canary.accounts.contains(account))
    });
    for (wave, turns) in stretches(canary) {
        let in_turn = |change: &Change| {
            let is_first = first
                .as_ref()
                .is_some_and(|first| first.takes(change, wave));
            match turns {
                Turns::Canary => is_first,
                Turns::Others => !is_first,
                Turns::All => true,
            }
        };
        if turns != Turns::Canary && !canary_ok {
            run.canary_failed.store(true, Ordering::Relaxed);
        }
        let written = run.wave(wave, &plan.changes, in_turn).await;
        canary_ok &= turns != Turns::Canary || written.iter().all(succeeded);
        results.extend(written);
    }
    results.sort_by(|a, b| (&a.address, a.status).cmp(&(&b.address, b.status)));
    results.dedup_by(|later, earlier| later.address == earlier.address);
    let summary = ApplySummary::count(&results);
    let outcome = if summary.stale > 0 {
        ApplyOutcome::Stale
    } else if summary.failed > 0 || (!canary_ok && summary.skipped > 0) {
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
        canary: canary.map(|canary| CanaryResult {
            units: canary.given.clone(),
            accounts: canary.accounts.len(),
            succeeded: canary_ok,
        }),
        tree: plan.tree.clone(),
    }
}

fn succeeded(result: &ChangeResult) -> bool {
    matches!(
        result.status,
        ChangeStatus::Done | ChangeStatus::AlreadyDone | ChangeStatus::Manual
    )
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
    /// Set when the accounts that come first did not all succeed: the others are not begun.
    canary_failed: AtomicBool,
    memory: Mutex<Memory>,
}

/// What one wave leaves for the next to know.
#[derive(Debug, Default)]
struct Memory {
    /// How many operations of a change were found done at first.
    found: BTreeMap<Address, usize>,
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
    /// Further than this apply found it or brought it.
    Moved,
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

    /// Checks every change, so that nothing is written when the plan is stale, or when another apply is at work: what that
    /// is writing moves from one look to the next. Of a plan made just now, the plan is the first look.
    async fn check_all(&self, changes: &[Change]) -> Vec<ChangeResult> {
        let settle = self.options.settle;
        if self.options.resumes {
            let stale = self.check(changes).await;
            if settle.is_zero() || !stale.is_empty() {
                return stale;
            }
        }
        if !settle.is_zero() {
            tokio::time::sleep(settle).await;
        }
        self.check(changes).await
    }

    /// Looks at changes before anything is written, and remembers how far each was found.
    async fn check(&self, changes: &[Change]) -> Vec<ChangeResult> {
        let changes = changes
            .iter()
            .filter(|change| !change.operations.is_empty());
        let checks = changes.map(async |change| match self.position(change).await {
            Ok(Position::Elsewhere) => Some(self.stale(change)),
            Ok(Position::Moved) => Some(self.moved(change)),
            Ok(Position::At(done)) => {
                let mut memory = self.memory();
                memory.found.insert(change.address.clone(), done);
                None
            }
            // What can't be read now is reported when its turn comes.
            Err(_) => None,
        });
        stream::iter(checks)
            .buffer_unordered(self.options.concurrency)
            .filter_map(async |finding| finding)
            .collect()
            .await
    }

    async fn wave(
        &self,
        wave: Wave,
        changes: &[Change],
        in_turn: impl Fn(&Change) -> bool,
    ) -> Vec<ChangeResult> {
        let mut accounts: BTreeMap<&AccountId, BTreeMap<u8, Vec<Turn<'_>>>> = BTreeMap::new();
        for change in changes.iter().filter(|change| in_turn(change)) {
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
                    account.entry(part.turn).or_default().push(turn);
                }
            }
        }
        let abreast = if wave.is_of_guardrails() {
            1
        } else {
            self.options.concurrency.min(ABREAST)
        };
        stream::iter(accounts.into_values())
            .map(async |turns| {
                let mut results = Vec::new();
                for turns in turns.into_values() {
                    let ended = stream::iter(turns)
                        .map(async |turn| self.carry_out(&turn).await)
                        .buffered(abreast)
                        .filter_map(async |result| result.inspect(self.progress));
                    results.extend(ended.collect::<Vec<_>>().await);
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
            Ok(Position::Moved) => return Some(self.moved(change)),
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
        if self.canary_failed.load(Ordering::Relaxed) {
            return Some("not begun: the accounts that come first did not all succeed".to_owned());
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
            // What alerts go through stands on nothing else.
            Wave::AlertPaths => return None,
            // Nobody gets a policy that is not what it shall be, and there is no new access that nobody would hear of.
            Wave::Foundations | Wave::Restrictions | Wave::Roles => {
                let makes_access = change.makes_access();
                let mut hub = memory.failed.iter().filter(|_| makes_access);
                let address = failed_here
                    .find(|address| refers_to(address) || (makes_access && is_of_alerts(address)))
                    .or_else(|| hub.find(|address| is_of_hub(address)))?;
                format!("{address} failed")
            }
            // Someone may still have the policy who shall lose it.
            // A guardrail's documents each hold what the changes before it did.
            // Whom an exception shall let through comes before what may stop them.
            // A rule that can't send is no rule, and one that watches what could not be taken away stays.
            Wave::Alerts
            | Wave::AlertRemovals
            | Wave::Guardrails
            | Wave::Policies
            | Wave::NewGuardrails
            | Wave::RoleRemovals => {
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
        let Some(done) = place(change, &now) else {
            return Ok(Position::Elsewhere);
        };
        let memory = self.memory();
        let found = match memory.found.get(&change.address) {
            Some(found) => *found,
            None if !self.options.resumes => 0,
            // It could not be read at first.
            None => return Ok(Position::At(done)),
        };
        let executed = memory.executed.get(&change.address);
        let known = found + executed.copied().unwrap_or_default();
        // The state that the last of these leads to may also be that of a later one.
        let last = change.operations.iter().take(known).next_back();
        let state = last.map_or(&change.fingerprint, |step| &step.then);
        Ok(match place(change, state) {
            Some(expected) if done > expected => Position::Moved,
            _ => Position::At(done),
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

    fn moved(&self, change: &Change) -> ChangeResult {
        self.stale.store(true, Ordering::Relaxed);
        let message = "something else is carrying this out now; wait for it, then make a new plan";
        self.end(change, ChangeStatus::Stale, Some(message.to_owned()))
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

/// Tells whether something is a part of the alerts, or the role that they are sent with.
fn is_of_alerts(address: &Address) -> bool {
    address.resource_type.is_alert()
        || (address.resource_type == ResourceType::IamRole && address.name == EVENTS_ROLE)
}

/// Tells whether something is what the alerts of every account go through.
fn is_of_hub(address: &Address) -> bool {
    match address.resource_type {
        ResourceType::AlertBus | ResourceType::AlertTopic => true,
        ResourceType::AlertRule => split_rule(&address.name).1 != DEFAULT_BUS,
        _ => false,
    }
}

/// Tells how many operations of a change lead to a state; `None` when it is on no step of the way.
fn place(change: &Change, state: &Fingerprint) -> Option<usize> {
    // Furthest first: a way that comes back to a state it has been in is further along there.
    let passed = change
        .operations
        .iter()
        .rposition(|step| step.then == *state);
    passed
        .map(|index| index + 1)
        .or_else(|| (*state == change.fingerprint).then_some(0))
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
