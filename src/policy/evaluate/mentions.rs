//! What a document asks for: context keys, points in time, resources by variables.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::glob::Step;
use super::request::Request;
use super::text::{Comparison, Expansion, expand, variables};
use crate::policy::condition::{Family, OperatorKind};
use crate::policy::document::{Document, Version};
use crate::policy::pattern::{Pattern, Token};
use crate::policy::value::Instant;

/// Lists the context keys that a document tests or puts in for a variable, in lower case.
#[must_use]
pub fn mentioned_keys(document: &Document) -> BTreeSet<String> {
    let mut keys = resource_variables(document);
    for statement in &document.statements {
        for condition in &statement.conditions {
            keys.insert(condition.key.to_ascii_lowercase());
            let values = condition.values.iter().map(|value| value.as_str());
            keys.extend(values.flat_map(variables).map(str::to_ascii_lowercase));
        }
    }
    keys
}

/// Lists the context keys that the resources of a document have in variables, in lower case.
#[must_use]
pub fn resource_variables(document: &Document) -> BTreeSet<String> {
    let statements = document.statements.iter();
    let resources = statements.flat_map(|statement| &statement.resources);
    let texts = resources.flat_map(|resources| resources.list());
    texts
        .flat_map(|text| variables(text))
        .map(str::to_ascii_lowercase)
        .collect()
}

/// Tells whether a document compares a key with points in time before a moment and with nothing else, so that it takes
/// every later time alike. The moment is in ISO 8601 or epoch seconds.
#[must_use]
pub fn compares_with_earlier(document: &Document, key: &str, moment: &str) -> bool {
    let Some(moment) = Instant::parse(moment) else {
        return false;
    };
    document.statements.iter().all(|statement| {
        let resources = statement.resources.iter();
        let resources = resources.flat_map(|resources| resources.list());
        let mut in_variables = resources.flat_map(|text| variables(text));
        let mut conditions = statement.conditions.iter();
        !in_variables.any(|variable| variable.eq_ignore_ascii_case(key))
            && conditions.all(|condition| {
                let mut values = condition.values.iter().map(|value| value.as_str());
                if !condition.key.eq_ignore_ascii_case(key) {
                    let mut in_variables = values.flat_map(variables);
                    return !in_variables.any(|variable| variable.eq_ignore_ascii_case(key));
                }
                let kind = condition.operator.kind;
                kind == OperatorKind::Null
                    || (kind.family() == Family::Date
                        && values
                            .all(|value| Instant::parse(value).is_some_and(|limit| limit < moment)))
            })
    })
}

/// The pattern that a resource of a policy is for a request: without its variables; `None` when it names nothing.
///
/// A variable whose key is not known stands as `*`: what even that excludes is not named.
pub(in crate::policy) fn resource_pattern(
    written: &str,
    version: Version,
    request: &Request,
) -> Option<Pattern> {
    match expand(written, Comparison::Like, version, &Facts::new(request)) {
        Expansion::Unresolved => None,
        Expansion::Known(expanded) | Expansion::Unknown(expanded) => {
            let steps = expanded.steps().map(|step| match step {
                Step::Any => Token::Any,
                Step::One => Token::One,
                Step::Literal(literal) => Token::Literal(literal),
            });
            Some(Pattern::of(steps))
        }
    }
}
