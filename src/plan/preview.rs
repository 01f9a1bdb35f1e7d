//! What changes lead to: their operations, applied to live state by the models of IAM and of Organizations.
//!
//! As in an apply, what is at its target already stays, and what is half way goes on from there.

use super::order::{Part, Wave, schedule};
use super::{Change, Staleness};
use crate::ids::AccountId;
use crate::policy::CanonicalContext;
use crate::state::{
    Fingerprint, GuardrailOperation, Guardrails, Inventory, Operation, ResourceKey,
};

/// Changes what was read of an account to what it is after these changes.
///
/// # Errors
/// When live state is no longer what they were planned from.
pub fn preview_account(
    changes: &[Change],
    account: &AccountId,
    live: &mut Inventory,
    context: &CanonicalContext,
) -> Result<(), Staleness> {
    // Whoever has not read the alerts does not ask what becomes of them.
    let with_alerts = live.known_alerts().is_some();
    let own = changes.iter().filter(|change| {
        let kind = change.resource_type;
        change.account == *account && !kind.is_guardrail() && (with_alerts || !kind.is_alert())
    });
    let state_of = |change: &Change| {
        let key = ResourceKey::new(change.resource_type, &change.name);
        Some(Fingerprint::of(live.get(&key).as_ref(), context))
    };
    for (change, operation) in outstanding(own, state_of)? {
        let applied = live.apply(operation);
        applied.map_err(|_| Staleness::Moved(change.address.clone()))?;
    }
    Ok(())
}

/// Changes the guardrails that were read to what they are after these changes.
///
/// # Errors
/// When live state is no longer what they were planned from.
pub fn preview_guardrails(
    changes: &[Change],
    live: &mut Guardrails,
    context: &CanonicalContext,
) -> Result<(), Staleness> {
    let own = changes
        .iter()
        .filter(|change| change.resource_type.is_guardrail());
    let state_of = |change: &Change| {
        let first = change.operations.first()?;
        Some(on_guardrails(&first.operation, live, context)?.0)
    };
    for (change, operation) in outstanding(own, state_of)? {
        let operations = on_guardrails(operation, live, context).map(|(_, operations)| operations);
        for operation in operations.into_iter().flatten() {
            let applied = live.apply(&operation);
            applied.map_err(|_| Staleness::Moved(change.address.clone()))?;
        }
    }
    Ok(())
}

/// Takes the fingerprint of what an operation changes among the guardrails, with what it comes to there; `None` for an
/// operation on an account.
fn on_guardrails(
    operation: &Operation,
    live: &Guardrails,
    context: &CanonicalContext,
) -> Option<(Fingerprint, Vec<GuardrailOperation>)> {
    if let Operation::SetExemptions(edit) = operation {
        let policy = live.policies.get(&edit.policy);
        let says_all = policy.is_none_or(|policy| edit.keeps_the_rest(policy, context));
        return says_all.then(|| (edit.fingerprint(policy, context), edit.operations()));
    }
    if let Operation::ChangeGuardrail(operation) = operation {
        let id = live.resolve(&operation.policy()).ok();
        let policy = id.and_then(|id| live.policies.get(&id));
        let now = Fingerprint::of_guardrail(policy, context);
        return Some((now, vec![operation.clone()]));
    }
    None
}

/// Lists the operations that are left to do, in the order of an apply; `state_of` tells the state a change is in.
fn outstanding<'a>(
    changes: impl Iterator<Item = &'a Change>,
    state_of: impl Fn(&Change) -> Option<Fingerprint>,
) -> Result<Vec<(&'a Change, &'a Operation)>, Staleness> {
    let mut parts: Vec<(Wave, u8, usize, &Change, Part)> = Vec::new();
    for change in changes.filter(|change| !change.operations.is_empty()) {
        let now = state_of(change);
        let mut states = change.operations.iter().map(|step| Some(&step.then));
        let done = match states.rposition(|then| then == now.as_ref()) {
            Some(index) => index + 1,
            None if now.as_ref() == Some(&change.fingerprint) => 0,
            None => return Err(Staleness::Moved(change.address.clone())),
        };
        for part in schedule(change) {
            parts.push((part.wave, part.turn, done, change, part));
        }
    }
    parts.sort_by_key(|(wave, turn, ..)| (*wave, *turn));
    let operations = parts.into_iter().flat_map(|(_, _, done, change, part)| {
        let steps = change.operations.iter().enumerate();
        steps
            .filter(move |(index, _)| part.steps.contains(index) && *index >= done)
            .map(move |(_, step)| (change, &step.operation))
    });
    Ok(operations.collect())
}
