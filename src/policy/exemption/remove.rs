//! Taking exemptions back.

use std::collections::BTreeSet;

use super::choice::Chosen;
use super::tests_on_caller::{ADDED, spares_callers};
use crate::policy::canonical::{Value, value};
use crate::policy::document::{Condition, ConditionValue, Document, Effect, Version};

/// Takes exactly these principals out of the tests on `aws:PrincipalArn` of the chosen Deny statements.
///
/// Only values that say the same are taken out: a wider one that covers a principal stays, and so does a narrower one. A
/// test that has no value left is removed if it is one that [`exempt`](super::exempt) adds, an `ArnNotLike` without set
/// operator; any other test that would be left without a value stays as it is, since an empty list may mean something
/// else: [`exempted`](super::exempted) still lists it, and a person has to decide. Chosen statements that do not exist, or
/// allow, are passed over: there is nothing to take out.
#[must_use]
pub fn unexempt(document: &Document, chosen: &Chosen, principals: &BTreeSet<String>) -> Document {
    let version = document.effective_version();
    let chosen = chosen.present(document);
    let mut edited = document.clone();
    for (index, statement) in edited.statements.iter_mut().enumerate() {
        if statement.effect == Effect::Deny && chosen.contains(&index) {
            statement
                .conditions
                .retain_mut(|condition| keep(condition, version, principals));
        }
    }
    edited
}

/// Takes the principals out of a test, and tells whether it stays.
fn keep(condition: &mut Condition, version: Version, principals: &BTreeSet<String>) -> bool {
    if !spares_callers(condition) {
        return true;
    }
    let kind = condition.operator.kind;
    let reading = |written: &ConditionValue| value(kind, written, version);
    let named = principals
        .iter()
        .map(|principal| ConditionValue::String(principal.clone()));
    let named: BTreeSet<Value> = named.map(|principal| reading(&principal)).collect();
    let is_named = |written: &ConditionValue| named.contains(&reading(written));
    // An empty list is none of ours, whatever it means.
    if condition.values.is_empty() {
        return true;
    }
    if condition.values.iter().all(is_named) {
        return condition.operator != ADDED;
    }
    condition.values.retain(|written| !is_named(written));
    true
}
