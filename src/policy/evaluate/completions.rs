//! Unknown context keys, settled by going through all that they could be.
//!
//! Statement by statement, what is not known stays unknown even where all ways lead to one end: with `Bool` `true` in one
//! Allow, `false` in another and `Null` in a third, a request is allowed whatever the key. So each unknown key takes one
//! value out of every class that the policies tell apart, and only what holds for all of them is concluded.

use super::assess::{Assessment, Match, assess};
use super::decision::{Decision, Evaluation};
use super::explain::{explain, unknown_keys};
use super::facts::Facts;
use super::layers::Layers;
use super::representatives::{Tested, representatives};
use super::request::{ContextValue, Request};
use super::truth::Truth;

/// Bounds the combinations that are gone through; keys beyond it stay unknown.
const MAX_COMBINATIONS: usize = 4_096;

/// Holds an unknown key and a value of each class.
struct Axis {
    key: String,
    values: Vec<ContextValue>,
}

/// Decides a request whose assessment leaves it open.
pub(super) fn settle(
    request: &Request,
    layers: &Layers,
    facts: &Facts<'_>,
    assessment: &Assessment<'_>,
) -> Evaluation {
    let axes = axes(assessment, facts);
    if axes.is_empty() {
        return explain(assessment, facts, |_| true);
    }
    let mut outcomes = Vec::new();
    let mut merged: Option<Evaluation> = None;
    let mut agree = true;
    let mut case = request.clone();
    let total: usize = axes.iter().map(|axis| axis.values.len()).product();
    for combination in 0..total {
        let mut rest = combination;
        for Axis { key, values } in &axes {
            if let Some(value) = values.get(rest % values.len()) {
                case.context.set(key, value.clone());
            }
            rest /= values.len();
        }
        let facts = Facts::new(&case);
        let assessment = assess(&facts, layers);
        let (decision, allowed) = assessment.decision(facts.regime);
        outcomes.push((decision, allowed));
        agree &= decision != Decision::Unknown
            && outcomes.first().is_none_or(|(first, _)| *first == decision);
        if agree {
            merge(&mut merged, explain(&assessment, &facts, |_| true));
        }
    }
    if let (true, Some(mut evaluation)) = (agree, merged) {
        let keys: Vec<&str> = axes.iter().map(|axis| axis.key.as_str()).collect();
        let keys = keys.join(" and ");
        evaluation
            .reasons
            .push(format!("whatever the value of context key {keys}"));
        return evaluation;
    }
    let matters = |key: &str| {
        let axis = axes.iter().position(|a| a.key.eq_ignore_ascii_case(key));
        axis.is_none_or(|axis| varies(&outcomes, &axes, axis))
    };
    let mut evaluation = explain(assessment, facts, matters);
    let mut answers = outcomes.iter().map(|(_, allowed)| *allowed);
    if evaluation.allowed.is_none() && answers.all(|allowed| allowed == Some(false)) {
        evaluation.allowed = Some(false);
        evaluation
            .reasons
            .push("it is not allowed in any case".to_owned());
    }
    evaluation
}

/// Finds the unknown keys whose classes are known, as many as the bound allows, those with few classes first.
fn axes(assessment: &Assessment<'_>, facts: &Facts<'_>) -> Vec<Axis> {
    let open = assessment.matches.iter();
    let open: Vec<&Match<'_>> = open.filter(|m| m.truth == Truth::Unknown).collect();
    let tested: Vec<Tested<'_>> = open
        .iter()
        .map(|found| Tested {
            statement: found.statement,
            version: found.version,
        })
        .collect();
    let keys = unknown_keys(&open, facts);
    let mut axes: Vec<Axis> = keys
        .into_iter()
        .filter_map(|key| {
            let values = representatives(&key, &tested, facts)?;
            Some(Axis { key, values })
        })
        .collect();
    axes.sort_by_key(|axis| axis.values.len());
    let mut total: usize = 1;
    axes.retain(|axis| {
        let product = total.saturating_mul(axis.values.len());
        let fits = product <= MAX_COMBINATIONS;
        if fits {
            total = product;
        }
        fits
    });
    axes
}

/// Adds what one more case rests on.
fn merge(merged: &mut Option<Evaluation>, case: Evaluation) {
    let Some(sum) = merged else {
        *merged = Some(case);
        return;
    };
    add(&mut sum.blocked_by, case.blocked_by);
    add(&mut sum.statements, case.statements);
    add(&mut sum.lacking_levels, case.lacking_levels);
    add(&mut sum.reasons, case.reasons);
}

fn add<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

/// Tells whether two cases that differ in one axis alone come out differently.
fn varies(outcomes: &[(Decision, Option<bool>)], axes: &[Axis], axis: usize) -> bool {
    let mut sizes = axes.iter().map(|axis| axis.values.len());
    let stride: usize = sizes.by_ref().take(axis).product();
    let size = sizes.next().unwrap_or(1);
    outcomes.iter().enumerate().any(|(index, outcome)| {
        let digit = index / stride.max(1) % size.max(1);
        let first = index - digit * stride;
        outcome.0 == Decision::Unknown || outcomes.get(first) != Some(outcome)
    })
}
