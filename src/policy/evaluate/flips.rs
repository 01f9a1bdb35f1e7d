//! The smallest changes of circumstances that turn a decision around.

use serde::Serialize;

use super::assess::assess;
use super::decision::Decision;
use super::facts::Facts;
use super::layers::{Layers, Policy};
use super::principal::Reach;
use super::representatives::{Tested, representatives};
use super::request::{ContextValue, Request};
use super::statement::applies_leaving_out_conditions;

/// Bounds the cases that are tried.
const MAX_CASES: usize = 4_096;

/// Holds a change of context keys that makes a request allowed, or no longer so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Flip {
    /// The keys to change, one or two, and what to change them to.
    pub changes: Vec<ContextChange>,
    /// The decision after it.
    pub decision: Decision,
}

/// Sets one context key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ContextChange {
    /// The key, as the policies first write it.
    pub key: String,
    /// Its new value; `[]` is absent.
    pub value: ContextValue,
}

/// Finds the smallest changes of the context that turn a decision to allowed, or an allowed one to something else.
///
/// First come changes of one key, then of two of which neither alone does it, in the order in which the policies first name
/// the keys; of several values of a key that come to one decision the first counts. What the principal implies stays as it
/// is, and so do keys whose values cannot be told apart exactly. Nothing is listed for a decision that may be either.
#[must_use]
pub fn flips(request: &Request, layers: &Layers) -> Vec<Flip> {
    let facts = Facts::new(request);
    let (_, Some(allowed)) = assess(&facts, layers).decision(facts.regime) else {
        return Vec::new();
    };
    let axes = axes(layers, &facts);
    let mut search = Search {
        request,
        layers,
        allowed,
        cases: 0,
        alone: Vec::new(),
        found: Vec::new(),
    };
    for (key, values) in &axes {
        for value in values {
            search.attempt(&[(key, value)]);
        }
    }
    for (index, (first, first_values)) in axes.iter().enumerate() {
        for (second, second_values) in axes.iter().skip(index + 1) {
            for one in first_values {
                for other in second_values {
                    search.attempt(&[(first, one), (second, other)]);
                }
            }
        }
    }
    search.found
}

struct Search<'a> {
    request: &'a Request,
    layers: &'a Layers,
    allowed: bool,
    cases: usize,
    /// The changes of one key that are enough.
    alone: Vec<(&'a String, &'a ContextValue)>,
    found: Vec<Flip>,
}

impl<'a> Search<'a> {
    fn attempt(&mut self, changes: &[(&'a String, &'a ContextValue)]) {
        let enough_alone = |(key, value): &(&'a String, &'a ContextValue)| {
            let mut alone = self.alone.iter();
            alone.any(|(known, enough)| known == key && enough == value)
        };
        if changes.iter().any(enough_alone) || self.cases >= MAX_CASES {
            return;
        }
        self.cases += 1;
        let mut case = self.request.clone();
        for (key, value) in changes {
            case.context.set(key, (*value).clone());
        }
        let facts = Facts::new(&case);
        let (decision, allowed) = assess(&facts, self.layers).decision(facts.regime);
        if allowed != Some(!self.allowed) {
            return;
        }
        if let [single] = changes {
            self.alone.push(*single);
        }
        let repeated = self.found.iter().any(|flip| {
            let keys = flip.changes.iter().map(|change| &change.key);
            flip.decision == decision && keys.eq(changes.iter().map(|(key, _)| *key))
        });
        if repeated {
            return;
        }
        let changes = changes.iter().map(|(key, value)| ContextChange {
            key: (*key).clone(),
            value: (*value).clone(),
        });
        self.found.push(Flip {
            changes: changes.collect(),
            decision,
        });
    }
}

/// Lists the keys that statements about this request test, each with a value of every class.
fn axes(layers: &Layers, facts: &Facts<'_>) -> Vec<(String, Vec<ContextValue>)> {
    let mut tested = Vec::new();
    for (_, policy) in layers.policies() {
        let Policy::Known(document) = policy else {
            continue;
        };
        let version = document.effective_version();
        let statements = document.statements.iter();
        let relevant = statements.filter(|statement| {
            applies_leaving_out_conditions(statement, version, facts) != Reach::NONE
        });
        tested.extend(relevant.map(|statement| Tested { statement, version }));
    }
    let mut keys: Vec<&str> = Vec::new();
    for condition in tested.iter().flat_map(|one| &one.statement.conditions) {
        let key = condition.key.as_str();
        let known = keys.iter().any(|known| known.eq_ignore_ascii_case(key));
        if !known && facts.implied(key).is_none() {
            keys.push(key);
        }
    }
    let axes = keys.into_iter().filter_map(|key| {
        let values = representatives(key, &tested, facts)?;
        Some((key.to_owned(), values))
    });
    axes.collect()
}
