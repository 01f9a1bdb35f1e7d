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

/// Leaves principals out of one Deny statement, by its number counted from 1. A test of the kind that
/// [`exempt`](super::exempt) adds goes when it has no value left; another one stays, empty, so that none comes or goes
/// unseen: it may let more through than its values say. This is for comparing two documents apart from the principals, and
/// never for writing one.
#[must_use]
pub fn without(document: &Document, statement: usize, principals: &BTreeSet<String>) -> Document {
    let version = document.effective_version();
    let mut rest = document.clone();
    let index = statement.checked_sub(1);
    let statement = index.and_then(|index| rest.statements.get_mut(index));
    if let Some(statement) = statement.filter(|statement| statement.effect == Effect::Deny) {
        statement.conditions.retain_mut(|condition| {
            if !spares_callers(condition) || condition.values.is_empty() {
                return true;
            }
            let is_named = named(condition, version, principals);
            condition.values.retain(|written| !is_named(written));
            !condition.values.is_empty() || condition.operator != ADDED
        });
    }
    rest
}

/// Makes a test of whether a value says the same as one of the principals.
fn named(
    condition: &Condition,
    version: Version,
    principals: &BTreeSet<String>,
) -> impl Fn(&ConditionValue) -> bool + use<> {
    let kind = condition.operator.kind;
    let reading = move |written: &ConditionValue| value(kind, written, version);
    let named = principals
        .iter()
        .map(|principal| ConditionValue::String(principal.clone()));
    let named: BTreeSet<Value> = named.map(|principal| reading(&principal)).collect();
    move |written| named.contains(&reading(written))
}

/// Takes the principals out of a test, and tells whether it stays.
fn keep(condition: &mut Condition, version: Version, principals: &BTreeSet<String>) -> bool {
    if !spares_callers(condition) {
        return true;
    }
    let is_named = named(condition, version, principals);
    // An empty list is none of ours, whatever it means.
    if condition.values.is_empty() {
        return true;
    }
    if condition.values.iter().all(&is_named) {
        return condition.operator != ADDED;
    }
    condition.values.retain(|written| !is_named(written));
    true
}
