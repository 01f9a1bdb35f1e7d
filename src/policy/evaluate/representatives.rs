//! Values of a condition key that stand for all others: one of each class that the policies tell apart.

use std::collections::BTreeSet;

use super::condition::comparison;
use super::facts::{ARN_KEY, Facts, MANAGEMENT_KEY};
use super::glob::Step;
use super::request::ContextValue;
use super::text::{self, Comparison, Expansion};
use crate::policy::canonical::{Atom, Value, atom};
use crate::policy::cells::{Budget, KeyCells, State};
use crate::policy::condition::{Family, OperatorKind};
use crate::policy::document::{Condition, Statement, Version};
use crate::policy::keys::{key_type, may_hold_many};
use crate::policy::pattern::{Pattern, Token};

/// Is a statement whose conditions are to be told apart, with the version of its document.
pub(super) struct Tested<'a> {
    pub(super) statement: &'a Statement,
    pub(super) version: Version,
}

/// Bounds the work for one key, and the classes that it may have.
const MAX_STEPS: usize = 100_000;
const MAX_CLASSES: usize = 1_024;

/// Lists values of a key so that every value passes the same tests of the statements as one of them; absent comes first.
///
/// A key that can have many values gets sets of values too. `None` when the classes are not known exactly: the key occurs in a variable, it decides more than
/// conditions, a test on it can't be read, or there are too many classes.
pub(super) fn representatives(
    key: &str,
    tested: &[Tested<'_>],
    facts: &Facts<'_>,
) -> Option<Vec<ContextValue>> {
    let structural = [ARN_KEY, MANAGEMENT_KEY];
    if structural.iter().any(|name| name.eq_ignore_ascii_case(key))
        || tested.iter().any(|one| in_variable(key, one.statement))
    {
        return None;
    }
    let mut atoms = BTreeSet::new();
    for one in tested {
        for condition in &one.statement.conditions {
            let is_valued = condition.operator.kind != OperatorKind::Null;
            if is_valued && condition.key.eq_ignore_ascii_case(key) {
                atoms.extend(resolved(condition, one.version, facts)?);
            }
        }
    }
    let key = key.to_ascii_lowercase();
    let atoms: BTreeSet<&Atom> = atoms.iter().collect();
    let cells = KeyCells::of(
        key_type(&key),
        may_hold_many(&key),
        &atoms,
        &mut Budget::new(MAX_STEPS),
    )
    .ok()?;
    if !cells.are_exact() || cells.count() > MAX_CLASSES {
        return None;
    }
    let values = (0..cells.count()).map(|cell| match cells.example(cell) {
        State::Absent => ContextValue::ABSENT,
        State::Values(values) => ContextValue::Values(values),
    });
    Some(values.collect())
}

/// A test with the values of its variables put in, without the values that match nothing; no test at all when it thereby
/// says the same of every value. `None` when a variable is not known.
fn resolved(condition: &Condition, version: Version, facts: &Facts<'_>) -> Option<Option<Atom>> {
    let mut test = atom(condition, version);
    let kind = condition.operator.kind;
    if matches!(kind.family(), Family::String | Family::Arn) {
        test.values.clear();
        for written in &condition.values {
            match text::expand(written.as_str(), comparison(kind), version, facts) {
                Expansion::Unknown(_) => return None,
                Expansion::Unresolved => {}
                Expansion::Known(expanded) => {
                    let fold = comparison(kind) == Comparison::EqualIgnoringCase;
                    let steps = expanded.steps().map(|step| match step {
                        Step::Any => Token::Any,
                        Step::One => Token::One,
                        Step::Literal(literal) if fold => {
                            Token::Literal(literal.to_ascii_lowercase())
                        }
                        Step::Literal(literal) => Token::Literal(literal),
                    });
                    test.values.insert(Value::Text(Pattern::of(steps)));
                }
            }
        }
    }
    Some((!test.values.is_empty()).then_some(test))
}

fn in_variable(key: &str, statement: &Statement) -> bool {
    let resources = statement.resources.iter();
    let resources = resources.flat_map(|resources| resources.list().iter().map(String::as_str));
    let conditions = statement.conditions.iter();
    let values =
        conditions.flat_map(|condition| condition.values.iter().map(|value| value.as_str()));
    resources
        .chain(values)
        .flat_map(text::variables)
        .any(|variable| variable.eq_ignore_ascii_case(key))
}
