//! Differences: what the comparison of one resource finds, field by field, and what mends it.

use serde_json::Value;

use super::steps::{Effects, Stage};
use crate::plan::{Field, Risk};
use crate::policy::{self, Access, CanonicalContext, Verdict};
use crate::state::{Operation, PolicyText};

/// Collects what differs between a live resource and the spec's.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) fields: Vec<Field>,
    pub(super) operations: Vec<(Stage, Operation)>,
    pub(super) access: Access,
    pub(super) risk: Option<Risk>,
}

impl Default for Difference {
    fn default() -> Self {
        Self {
            fields: Vec::new(),
            operations: Vec::new(),
            access: Access::None,
            risk: None,
        }
    }
}

impl Difference {
    /// Notes a field that differs.
    pub(super) fn field(&mut self, path: impl Into<String>, live: Value, spec: Value) -> &mut Self {
        self.fields.push(Field {
            path: path.into(),
            live,
            spec,
            witness: None,
        });
        self
    }

    /// Notes how grave the last difference is, and which way access goes with it.
    pub(super) fn weigh(&mut self, risk: Risk, access: Access) -> &mut Self {
        self.risk = self.risk.max(Some(risk));
        self.access = combine(self.access, access);
        self
    }

    /// Gives the last field a witness.
    pub(super) fn witness(&mut self, witness: Option<String>) -> &mut Self {
        if let Some(field) = self.fields.last_mut() {
            field.witness = witness;
        }
        self
    }

    /// Notes an operation that mends it, at its place in the order.
    pub(super) fn step(&mut self, stage: Stage, operation: Operation) -> &mut Self {
        let place = self
            .operations
            .partition_point(|(other, _)| *other <= stage);
        self.operations.insert(place, (stage, operation));
        self
    }
}

/// Puts two ways in which access goes together.
fn combine(one: Access, other: Access) -> Access {
    match (one, other) {
        (Access::None, access) | (access, Access::None) => access,
        (one, other) if one == other => one,
        _ => Access::Both,
    }
}

/// Compares two documents; `None` when they are equal in form or differ in nothing that has an effect.
pub(super) fn compare_documents(
    live: &PolicyText,
    spec: &PolicyText,
    context: &CanonicalContext,
) -> Option<Access> {
    match (live.parse(), spec.parse()) {
        (Ok(live), Ok(spec)) => match policy::compare(&live, &spec, context) {
            Verdict::Equal | Verdict::Cosmetic => None,
            Verdict::Different(access) => Some(access),
        },
        // What can't be read is never equal to anything.
        _ => Some(Access::Both),
    }
}

/// Tells when a document is written over another, by the way access goes with it.
pub(super) fn replacement_stage(access: Access, spec: Effects) -> Stage {
    match access {
        Access::Narrower | Access::None => Stage::Narrow,
        Access::Broader if !spec.allows => Stage::Release,
        Access::Broader | Access::Both => spec.arrival(),
    }
}

/// A document as a value for people and reports: the JSON it is, or its text when it is none.
pub(super) fn document_value(text: &PolicyText) -> Value {
    serde_json::from_str(text.as_str()).unwrap_or_else(|_| Value::String(text.as_str().to_owned()))
}
