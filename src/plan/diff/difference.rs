//! Differences: what the comparison of one resource finds, field by field, and what mends it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::steps::{Effects, Stage};
use crate::plan::{Field, Risk};
use crate::policy::{self, Access, CanonicalContext, Document, Verdict, Witness};
use crate::state::{OWNERSHIP_TAG, Operation, PolicyText, Tags};

/// Says how documents are compared.
#[derive(Debug)]
pub(in crate::plan) struct Rules {
    /// What is known of the place where they apply.
    pub(in crate::plan) canonical: CanonicalContext,
    /// Whether names without effect count too.
    pub(in crate::plan) strict: bool,
}

/// Collects what differs between a live resource and the spec's.
#[derive(Debug, Default)]
pub(in crate::plan) struct Difference {
    pub(in crate::plan) fields: Vec<Field>,
    /// The fields that differ only in what has no effect.
    pub(in crate::plan) cosmetic: Vec<String>,
    /// What a person should know of it.
    pub(super) notes: Vec<String>,
    pub(super) operations: Vec<(Stage, Operation)>,
    pub(in crate::plan) access: Access,
    pub(in crate::plan) risk: Option<Risk>,
}

impl Difference {
    /// Notes a field that differs.
    pub(in crate::plan) fn field(
        &mut self,
        path: impl Into<String>,
        live: Value,
        spec: Value,
    ) -> &mut Self {
        self.fields.push(Field {
            path: path.into(),
            live,
            spec,
            access: Access::None,
            witness: None,
        });
        self
    }

    /// Notes the tags that differ; gives the keys that go, and the tags that are to be set.
    pub(in crate::plan) fn tags(&mut self, live: &Tags, spec: &Tags) -> (BTreeSet<String>, Tags) {
        let keys: BTreeSet<&String> = live.keys().chain(spec.keys()).collect();
        for key in keys {
            let (live, spec) = (live.get(key), spec.get(key));
            if live != spec {
                let risk = if key == OWNERSHIP_TAG {
                    Risk::Medium
                } else {
                    Risk::Low
                };
                self.field(format!("tags.{key}"), json!(live), json!(spec))
                    .weigh(risk, Access::None);
            }
        }
        let gone = live.keys().filter(|key| !spec.contains_key(*key));
        let set = spec
            .iter()
            .filter(|(key, value)| live.get(*key) != Some(value));
        (
            gone.cloned().collect(),
            set.map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }

    /// Notes how grave the last difference is, and which way access goes with it.
    pub(in crate::plan) fn weigh(&mut self, risk: Risk, access: Access) -> &mut Self {
        self.risk = self.risk.max(Some(risk));
        self.access = combine(self.access, access);
        if let Some(field) = self.fields.last_mut() {
            field.access = combine(field.access, access);
        }
        self
    }

    /// Gives the last field a witness, beside those it has.
    pub(in crate::plan) fn witness(&mut self, witness: Option<String>) -> &mut Self {
        if let (Some(field), Some(witness)) = (self.fields.last_mut(), witness) {
            let known = field.witness.take();
            field.witness = Some(match known {
                Some(known) => format!("{known}; {witness}"),
                None => witness,
            });
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

/// Says how two documents differ.
#[derive(Debug)]
pub(in crate::plan) enum Documents {
    /// Not at all, or only in the way in which the same is said.
    Same,
    /// In names that have no effect.
    Cosmetic,
    /// In what they mean, or in something that counts all the same.
    Different {
        access: Access,
        witness: Option<String>,
    },
}

/// Compares two documents by what they mean.
pub(in crate::plan) fn compare_documents(
    live: &PolicyText,
    spec: &PolicyText,
    rules: &Rules,
) -> Documents {
    let (Ok(live), Ok(spec)) = (live.parse(), spec.parse()) else {
        // What can't be read is never equal to anything.
        return Documents::Different {
            access: Access::Both,
            witness: None,
        };
    };
    match policy::compare(&live, &spec, &rules.canonical) {
        Verdict::Equal => Documents::Same,
        Verdict::Cosmetic if !rules.strict => Documents::Cosmetic,
        verdict @ (Verdict::Cosmetic | Verdict::Different { .. } | Verdict::Unproven { .. }) => {
            let (access, witness) = effect(verdict);
            Documents::Different { access, witness }
        }
    }
}

/// Tells what it does that a document comes where none was, and shows it by a request.
pub(in crate::plan) fn arrival(document: &PolicyText, rules: &Rules) -> (Access, Option<String>) {
    match document.parse() {
        Ok(document) => effect(policy::compare(
            &Document::empty(),
            &document,
            &rules.canonical,
        )),
        Err(_) => (Access::Both, None),
    }
}

/// Tells what it does that a document goes, and shows it by a request.
pub(in crate::plan) fn departure(document: &PolicyText, rules: &Rules) -> (Access, Option<String>) {
    match document.parse() {
        Ok(document) => effect(policy::compare(
            &document,
            &Document::empty(),
            &rules.canonical,
        )),
        Err(_) => (Access::Both, None),
    }
}

fn effect(verdict: Verdict) -> (Access, Option<String>) {
    let access = verdict.access();
    let witness = match verdict {
        Verdict::Equal | Verdict::Cosmetic => None,
        // What live allows beyond the spec comes first: it is so already.
        Verdict::Different { witnesses, .. } => {
            let lines = witnesses.iter().rev().map(|witness| {
                let Witness { old, new, .. } = witness;
                format!("{}: {old} live, {new} by the spec", witness.request())
            });
            let lines: Vec<String> = lines.collect();
            (!lines.is_empty()).then(|| lines.join("; "))
        }
        Verdict::Unproven { reason, .. } => Some(format!("not proven equal: {reason}")),
    };
    (access, witness)
}

/// How grave a difference of a document is that gives permissions.
pub(in crate::plan) fn document_risk(access: Access) -> Risk {
    match access {
        Access::None => Risk::Low,
        Access::Broader | Access::Narrower | Access::Both => Risk::High,
    }
}

/// Tells when a document is written over another, by the way access goes with it.
pub(in crate::plan) fn replacement_stage(access: Access, spec: Effects) -> Stage {
    match access {
        Access::Narrower | Access::None => Stage::Narrow,
        Access::Broader if !spec.allows => Stage::Release,
        Access::Broader | Access::Both => spec.arrival(),
    }
}

/// A document as a value for people and reports: the JSON it is, or its text when it is none.
pub(in crate::plan) fn document_value(text: &PolicyText) -> Value {
    serde_json::from_str(text.as_str()).unwrap_or_else(|_| Value::String(text.as_str().to_owned()))
}
