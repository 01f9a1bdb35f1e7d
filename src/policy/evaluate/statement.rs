//! One statement against a request.

use super::condition;
use super::facts::Facts;
use super::principal::{self, Reach};
use super::text::{self, Comparison};
use super::truth::Truth;
use crate::policy::document::{Resources, Selection, Statement, Version};

/// Tells whether, and how, a statement applies to a request: all of its elements must match.
///
/// A statement without `Principal` is about whoever its policy is attached to. Actions match in either case, resources in
/// the case as written; in both `*` matches any characters. A statement without `Resource` is about what its policy is
/// attached to.
pub(super) fn applies(statement: &Statement, version: Version, facts: &Facts<'_>) -> Reach {
    let reach = applies_leaving_out_conditions(statement, version, facts);
    if reach == Reach::NONE {
        return reach;
    }
    let conditions = statement.conditions.iter();
    reach.and(Truth::all(
        conditions.map(|condition| condition::passes(condition, version, facts)),
    ))
}

/// Tells whether a statement would apply to a request if it had no conditions.
pub(super) fn applies_leaving_out_conditions(
    statement: &Statement,
    version: Version,
    facts: &Facts<'_>,
) -> Reach {
    let actions = statement.actions.list().iter();
    let named = actions
        .into_iter()
        .any(|action| text::matches_action(action, &facts.request.action));
    if named == statement.actions.is_negated() {
        return Reach::NONE;
    }
    let on_resource = match &statement.resources {
        None => Truth::True,
        Some(resources) => matches_resource(resources, version, facts),
    };
    if on_resource == Truth::False {
        return Reach::NONE;
    }
    let reach = match &statement.principals {
        None => Reach::direct(Truth::True),
        Some(principals) => principal::reach(principals, statement.effect, facts),
    };
    reach.and(on_resource)
}

/// Tells whether `Resource` or `NotResource` selects the resource of the request.
///
/// An entry with a variable that has no value names nothing, so in a `NotResource` it excludes nothing.
fn matches_resource(resources: &Resources, version: Version, facts: &Facts<'_>) -> Truth {
    let resource = &facts.request.resource;
    let named = Truth::any(
        resources
            .list()
            .iter()
            .map(|written| text::matches(written, resource, Comparison::Like, version, facts)),
    );
    match resources {
        Selection::Only(_) => named,
        Selection::Except(_) => named.negated(),
    }
}
