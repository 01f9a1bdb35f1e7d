//! What is taken out of one policy, and what becomes of everything that is planned for it.

use std::collections::{BTreeMap, BTreeSet};

use super::edit::{Edit, exemptions, take_out};
use super::owner::foreign;
use super::policy::PolicyDiff;
use super::principals::{at_resource, covers, resource};
use super::wanted::{Declared, MEMORY, memory_key};
use super::{Found, address};
use crate::plan::{Action, Gate};
use crate::policy::exemption::{is_exempted, prove};
use crate::policy::{Access, Document};
use crate::state::{DesiredException, Exemption};

impl PolicyDiff<'_> {
    /// Takes exemptions out, and proves that nobody else loses or gains anything.
    pub(super) fn taken_out(
        &self,
        current: &Document,
        remove: &BTreeSet<Exemption>,
    ) -> Result<Document, String> {
        if remove.is_empty() {
            return Ok(current.clone());
        }
        if self.policy.aws_managed {
            return Err("the policy is AWS's own and can't be changed".to_owned());
        }
        let after = take_out(current, remove);
        if let Some(left) = (&exemptions(&after) & remove).first() {
            return Err(format!(
                "{} is all that a test on aws:PrincipalArn names, and without it the test may mean something else: edit the policy by hand",
                left.principal
            ));
        }
        let principals = remove.iter().map(|removed| removed.principal.clone());
        prove(&after, current, &principals.collect())
            .map(|_| after)
            .map_err(|breach| format!("taking it back does more than that: {breach}"))
    }

    /// Plans what goes of exceptions that are over: past their last day, or made for an incident that is closed.
    pub(super) fn ended(&self) -> Vec<Edit> {
        let gone = self
            .ended
            .iter()
            .filter(|declared| !declared.extra.is_empty());
        gone.map(|declared| {
            let DesiredException { id, origin, .. } = declared.exception;
            let why = declared.exception.ended(self.context.today);
            Edit {
                origin: Some(origin.clone()),
                remove: declared.extra.clone(),
                access: Access::Narrower,
                reason: why.map(|why| format!("{}: {why}", self.name())),
                forget: Some(memory_key(id))
                    .filter(|key| self.policy.tags.contains_key(key))
                    .into_iter()
                    .collect(),
                ..Edit::new(id, Action::Delete)
            }
        })
        .collect()
    }

    /// Plans what goes because no exception says so.
    pub(super) fn strangers(&self, strangers: BTreeSet<Exemption>) -> Vec<Edit> {
        let policies = self.guardrails.policies.values();
        let named_so = policies.filter(|policy| policy.name == self.policy.name);
        let policy = match named_so.count() {
            1 => &self.policy.name,
            _ => self.id,
        };
        // An exception that left the spec is new when it comes again.
        let left = |key: &&String| {
            let declared = self.active.iter().chain(&self.ended);
            let mut ids = declared.map(|declared| &declared.exception.id);
            key.starts_with(MEMORY) && !ids.any(|id| memory_key(id) == **key)
        };
        let forget: BTreeSet<String> = self.policy.tags.keys().filter(left).cloned().collect();
        let mut by_principal: BTreeMap<String, BTreeSet<Exemption>> = BTreeMap::new();
        for stranger in strangers {
            let principal = stranger.principal.clone();
            by_principal.entry(principal).or_default().insert(stranger);
        }
        by_principal
            .into_iter()
            .map(|(principal, remove)| Edit {
                remove,
                access: Access::Narrower,
                reason: Some(format!(
                    "{} lets it through, and no exception of the spec says so",
                    self.name()
                )),
                forget: forget.clone(),
                ..Edit::new(&format!("{policy}:{principal}"), Action::Delete)
            })
            .collect()
    }

    /// Plans a removal on top of what is planned already.
    pub(super) fn take_away(&mut self, mut edit: Edit, current: &mut Document) {
        if !(self.context.covers)(&address(self.context, &edit.name)) {
            return;
        }
        let after = self.taken_out(current, &edit.remove);
        match after.and_then(|after| self.unless_needed(current, after)) {
            Ok(after) => {
                current.clone_from(&after);
                edit.document = Some(after);
            }
            Err(why) => {
                edit.blocked = Some(why);
                edit.document = None;
            }
        }
        self.edits.push(edit);
    }

    /// Refuses a removal by which a declared exception would no longer hold.
    fn unless_needed(&self, before: &Document, after: Document) -> Result<Document, String> {
        for Declared {
            exception, wanted, ..
        } in &self.active
        {
            for (statement, values) in wanted {
                let lost = values.iter().find(|value| {
                    is_exempted(before, *statement, value)
                        && !is_exempted(&after, *statement, value)
                });
                if let Some(lost) = lost {
                    return Err(format!(
                        "exception {} holds by it: write {lost} into the policy by hand first",
                        exception.id
                    ));
                }
            }
        }
        Ok(after)
    }

    /// Makes the changes, now that it is known what all of them edit.
    pub(super) fn finish(self, last: &Document, found: &mut Found) {
        let carried_out = || self.edits.iter().filter(|edit| edit.blocked.is_none());
        let all: BTreeSet<Exemption> = carried_out()
            .flat_map(|edit| edit.add.iter().chain(&edit.remove))
            .cloned()
            .collect();
        let own = self.own_resources();
        for edit in &self.edits {
            let change = edit.change(self.context, Some((self.id, self.policy)), &all);
            if edit.blocked.is_none() {
                // What was let through before and is put back is no more than the spec said then.
                if edit.widens {
                    let reason =
                        "a guardrail would let more through, as a new exception of the spec says";
                    found.guard(Gate::Widen, reason, &change.address);
                }
                if let Some(reason) = foreign(self.policy) {
                    found.guard(Gate::Foreign, reason, &change.address);
                }
                if edit
                    .remove
                    .iter()
                    .any(|removed| is_last(removed, last, &own))
                {
                    let reason = "a break-glass role or user would no longer be let through by a statement at all";
                    found.guard(Gate::Lockout, reason, &change.address);
                }
            }
            found.record(self.context, change);
        }
    }
}

/// Tells whether nothing is left in a statement for a role or user of the spec that an exemption is taken from.
fn is_last(removed: &Exemption, last: &Document, own: &BTreeSet<String>) -> bool {
    let left = exemptions(last);
    own.iter().any(|own| {
        let Some(value) = at_resource(&removed.principal, own) else {
            return false;
        };
        let mut left = left
            .iter()
            .filter(|left| left.statement == removed.statement);
        covers(&removed.principal, &value)
            && !is_exempted(last, removed.statement, &value)
            && !left.any(|left| resource(&left.principal) == Some(own))
    })
}
