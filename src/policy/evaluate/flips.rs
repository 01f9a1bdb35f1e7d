//! The smallest changes of circumstances that turn a decision around.

use std::collections::BTreeSet;

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
        axes: &axes,
        alone: BTreeSet::new(),
        found: Vec::new(),
    };
    let values = |axis: usize| {
        let count = axes.get(axis).map_or(0, |(_, values)| values.len());
        (0..count).map(move |value| (axis, value))
    };
    let singles = (0..axes.len()).flat_map(values).map(|one| vec![one]);
    let pairs = (0..axes.len()).flat_map(|first| {
        let seconds = (first + 1..axes.len()).flat_map(values);
        seconds.flat_map(move |other| values(first).map(move |one| vec![one, other]))
    });
    for changes in singles.chain(pairs).take(MAX_CASES) {
        search.attempt(&changes);
    }
    search.found
}

/// Names a value of an axis: the numbers of both.
type Choice = (usize, usize);

struct Search<'a> {
    request: &'a Request,
    layers: &'a Layers,
    allowed: bool,
    axes: &'a [(String, Vec<ContextValue>)],
    /// The changes of one key that are enough.
    alone: BTreeSet<Choice>,
    found: Vec<Flip>,
}

impl Search<'_> {
    fn attempt(&mut self, choices: &[Choice]) {
        if choices.iter().any(|choice| self.alone.contains(choice)) {
            return;
        }
        let mut case = self.request.clone();
        let mut changes = Vec::with_capacity(choices.len());
        for (axis, value) in choices {
            let Some((key, values)) = self.axes.get(*axis) else {
                return;
            };
            let Some(value) = values.get(*value) else {
                return;
            };
            case.context.set(key, value.clone());
            changes.push(ContextChange {
                key: key.clone(),
                value: value.clone(),
            });
        }
        let facts = Facts::new(&case);
        let (decision, allowed) = assess(&facts, self.layers).decision(facts.regime);
        if allowed != Some(!self.allowed) {
            return;
        }
        if let [single] = choices {
            self.alone.insert(*single);
        }
        let repeated = self.found.iter().any(|flip| {
            let keys = flip.changes.iter().map(|change| &change.key);
            flip.decision == decision && keys.eq(changes.iter().map(|change| &change.key))
        });
        if !repeated {
            self.found.push(Flip { changes, decision });
        }
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
