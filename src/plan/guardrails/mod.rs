//! The comparison of guardrails: whom SCPs and RCPs let through with what the spec's exceptions say.
//!
//! `edit` is one difference in the making, `policy` compares one policy and plans what comes, `removal` what goes;
//! `wanted` says whom each statement shall let through and `principals` by which values, `owner` what another tool
//! keeps. `protection` compares the policy that protects the break-glass objects themselves.

mod edit;
mod owner;
mod policy;
mod principals;
mod protection;
mod removal;
mod wanted;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use self::edit::Edit;
pub(super) use self::edit::{exemptions, statement_name};
use self::policy::compare_policy;
use self::protection::compare_protection;
pub(super) use self::wanted::{MEMORY, memory_key};
use super::ignore::NEAR;
use super::{Action, Change, Cosmetic, Gate, GateFinding};
use crate::ids::IamPath;
use crate::org::Organization;
use crate::state::{Address, DesiredException, DesiredGuardrails, Guardrails, ResourceType};

/// Says what is known where guardrails are compared.
#[derive(Clone, Copy)]
pub struct GuardrailContext<'a> {
    /// The organization.
    pub organization: &'a Organization,
    /// The path of everything managed, `defaults.path`.
    pub managed_path: &'a IamPath,
    /// Whether names without effect count as differences.
    pub strict: bool,
    /// The day on which they are compared.
    pub today: Date,
    /// Tells whether something is looked at.
    pub covers: &'a dyn Fn(&Address) -> bool,
}

/// Holds what the comparison of the guardrails found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardrailDiff {
    /// The changes, by address.
    pub changes: Vec<Change>,
    /// What differs only in names without effect.
    pub cosmetic: Vec<Cosmetic>,
    /// What safety gates guard of them.
    pub findings: Vec<GateFinding>,
    /// What the reader should know beside the changes.
    pub notes: Vec<String>,
    /// How many exceptions, declared or not, the guardrails make now, and how many policies of this tool's own there are.
    pub managed: usize,
    /// The differences that ignore rules leave alone.
    pub ignored: Vec<Change>,
}

/// Compares guardrails with what the spec wants of them.
///
/// Ownership is that of the managed path: whoever under it is let through without an exception of the spec is a
/// difference. Whom else a policy lets through is its owner's business.
#[must_use]
pub fn diff_guardrails(
    context: &GuardrailContext<'_>,
    desired: &DesiredGuardrails,
    live: &Guardrails,
) -> GuardrailDiff {
    let mut found = Found::default();
    let mut of_policy: BTreeMap<&str, Vec<&DesiredException>> = BTreeMap::new();
    for exception in &desired.exceptions {
        match find(live, &exception.policy) {
            Ok(id) => of_policy.entry(id).or_default().push(exception),
            Err(_) if exception.ended(context.today).is_some() => {}
            Err(why) => {
                let edit = Edit::blocked(exception, why);
                found.record(context, edit.change(context, None, &BTreeSet::new()));
            }
        }
    }
    for (id, policy) in &live.policies {
        let exceptions = of_policy.remove(id.as_str()).unwrap_or_default();
        compare_policy(context, desired, live, (id, policy), exceptions, &mut found);
    }
    compare_protection(context, desired.protection.as_ref(), live, &mut found);
    let mut diff = found.diff;
    diff.changes.sort_by(|a, b| a.address.cmp(&b.address));
    diff.findings = found
        .guarded
        .into_iter()
        .map(|((gate, reason), addresses)| GateFinding {
            gate,
            reason,
            addresses: addresses.into_iter().collect(),
        })
        .collect();
    diff.notes.extend(notes(context, desired, &diff.changes));
    diff
}

/// Collects what is found policy by policy.
#[derive(Default)]
struct Found {
    diff: GuardrailDiff,
    guarded: BTreeMap<(Gate, String), BTreeSet<Address>>,
}

impl Found {
    fn record(&mut self, context: &GuardrailContext<'_>, change: Change) {
        if (context.covers)(&change.address) {
            self.diff.changes.push(change);
        }
    }

    fn guard(&mut self, gate: Gate, reason: impl Into<String>, address: &Address) {
        let addresses = self.guarded.entry((gate, reason.into())).or_default();
        addresses.insert(address.clone());
    }
}

/// Finds the policy that an exception names.
fn find<'a>(live: &'a Guardrails, policy: &str) -> Result<&'a str, String> {
    if let Some((id, _)) = live.policies.get_key_value(policy) {
        return Ok(id);
    }
    let named = live
        .policies
        .iter()
        .filter(|(_, found)| found.name == policy);
    match named.collect::<Vec<_>>().as_slice() {
        [(id, _)] => Ok(id),
        [] => {
            let own = live.policies.values().filter(|found| !found.aws_managed);
            let names: BTreeSet<&str> = own.map(|found| found.name.as_str()).collect();
            let names = if names.is_empty() {
                "there is none that can be changed".to_owned()
            } else {
                let names: Vec<&str> = names.into_iter().collect();
                format!("there are {}", names.join(", "))
            };
            Err(format!("no SCP or RCP is named {policy}: {names}"))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|(id, _)| id.as_str()).collect();
            Err(format!(
                "several policies are named {policy}: write one of the ids {}",
                ids.join(", ")
            ))
        }
    }
}

/// Names what an exception is called by, in a plan.
fn address(context: &GuardrailContext<'_>, name: &str) -> Address {
    let management = &context.organization.management_account;
    Address::new(management, ResourceType::GuardrailException, name)
}

/// Tells of exceptions whose last day is near, and of those that are over and done with.
fn notes(
    context: &GuardrailContext<'_>,
    desired: &DesiredGuardrails,
    changes: &[Change],
) -> Vec<String> {
    let mut notes = Vec::new();
    for exception in &desired.exceptions {
        let DesiredException { id, expires, .. } = exception;
        let address = address(context, id);
        if !(context.covers)(&address) {
            continue;
        }
        let left = context
            .today
            .until(*expires)
            .map_or(0, |left| left.get_days());
        let pending = changes
            .iter()
            .any(|change| change.address == address && change.action == Action::Delete);
        if let Some(ended) = exception.ended(context.today) {
            if !pending {
                notes.push(format!(
                    "exception {id}: {ended}, and nothing is left of it: take it out of the spec"
                ));
            }
        } else if left <= NEAR {
            // How long that is changes from day to day, and with it would the digest of a plan under review.
            notes.push(format!("exception {id} expires on {expires}"));
        }
    }
    notes
}
