//! Whether a change of a guardrail says all that its operations do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::diff::document_value;
use super::guardrails::{MEMORY, exemptions, memory_key, statement_name};
use super::{Action, Change, Field};
use crate::policy::Document;
use crate::state::{Exemption, ExemptionEdit, GuardrailOperation, Operation, protection};

/// Tells whether the operations of a change do nothing to guardrails but what its fields, and those of the other changes
/// of its plan, say.
pub(super) fn is_told(change: &Change, plan: &[Change]) -> bool {
    change.operations.iter().all(|step| {
        if let Operation::SetExemptions(edit) = &step.operation {
            return is_edit_told(edit, change, plan);
        }
        if let Operation::ChangeGuardrail(operation) = &step.operation {
            // A policy of the other kind may have the same name.
            return operation.policy() == protection(&change.name)
                && is_operation_told(operation, change);
        }
        true
    })
}

fn is_edit_told(edit: &ExemptionEdit, change: &Change, plan: &[Change]) -> bool {
    let Ok(document) = edit.document.parse() else {
        return false;
    };
    let named = |exemptions: &BTreeSet<Exemption>| -> BTreeSet<(String, String)> {
        let named = exemptions.iter().map(|exemption| {
            let statement = statement_name(Some(&document), exemption.statement);
            (format!("exempted.{statement}"), exemption.principal.clone())
        });
        named.collect()
    };
    let told = |new: fn(&Field) -> &Value, old: fn(&Field) -> &Value| {
        let told = change.fields.iter().flat_map(|field| {
            let values = &list(new(field)) - &list(old(field));
            let path = &field.path;
            let named = values.into_iter().map(|value| (path.clone(), value));
            named.collect::<Vec<_>>()
        });
        told.collect::<BTreeSet<_>>()
    };
    let others = plan.iter().filter(|other| other.address != change.address);
    let others: Vec<(bool, &Change, &ExemptionEdit)> = others
        .flat_map(|other| {
            let edits = other.operations.iter();
            edits.filter_map(move |step| {
                let Operation::SetExemptions(edit) = &step.operation else {
                    return None;
                };
                Some((step.restricts, other, edit))
            })
        })
        .filter(|(_, _, other)| other.policy == edit.policy)
        .collect();
    let neighbours: BTreeSet<&Exemption> = others
        .iter()
        .flat_map(|(_, _, other)| other.add.iter().chain(&other.remove))
        .collect();
    let restricts = change.operations.iter().any(|step| step.restricts);
    let mut earlier = others.iter().filter(|(other_restricts, other, _)| {
        (*other_restricts, &other.address) < (restricts, &change.address)
    });
    told(|field| &field.spec, |field| &field.live) == named(&edit.add)
        && told(|field| &field.live, |field| &field.spec) == named(&edit.remove)
        && edit.neighbours.iter().all(|own| neighbours.contains(own))
        && holds(&document, edit)
        && earlier.all(|(_, _, earlier)| holds(&document, earlier))
        && edit
            .remember
            .keys()
            .all(|key| *key == memory_key(&change.name))
        && edit.forget.iter().all(|key| key.starts_with(MEMORY))
}

/// Tells whether a document has what an edit adds, and nothing of what it takes out.
fn holds(document: &Document, edit: &ExemptionEdit) -> bool {
    let made = exemptions(document);
    edit.add.is_subset(&made) && edit.remove.is_disjoint(&made)
}

fn is_operation_told(operation: &GuardrailOperation, change: &Change) -> bool {
    let field = |path: &str| change.fields.iter().find(|field| field.path == path);
    let is_spec = |path: &str, value: &Value| field(path).is_some_and(|field| field.spec == *value);
    let is_set = |(key, value): (&String, &String)| is_spec(&format!("tags.{key}"), &json!(value));
    let attached = |one: fn(&Field) -> &Value, other: fn(&Field) -> &Value, target: &String| {
        field("attached").is_some_and(|field| {
            list(one(field)).contains(target) && !list(other(field)).contains(target)
        })
    };
    match operation {
        GuardrailOperation::CreatePolicy {
            name: _,
            description: _,
            kind: _,
            document,
            tags,
        } => {
            change.action == Action::Create
                && is_spec("document", &document_value(document))
                && tags.iter().all(is_set)
        }
        GuardrailOperation::UpdatePolicy {
            policy: _,
            document,
        } => change.action == Action::Update && is_spec("document", &document_value(document)),
        GuardrailOperation::DeletePolicy { policy: _ } => change.action == Action::Delete,
        GuardrailOperation::Attach { policy: _, target } => {
            attached(|field| &field.spec, |field| &field.live, target)
        }
        GuardrailOperation::Detach { policy: _, target } => {
            attached(|field| &field.live, |field| &field.spec, target)
        }
        GuardrailOperation::Tag { policy: _, tags } => tags.iter().all(is_set),
        GuardrailOperation::Untag { policy: _, keys } => keys
            .iter()
            .all(|key| is_spec(&format!("tags.{key}"), &Value::Null)),
    }
}

/// The texts of a list; none of anything else.
fn list(value: &Value) -> BTreeSet<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}
