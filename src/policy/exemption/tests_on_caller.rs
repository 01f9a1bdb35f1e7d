//! What a statement tests of `aws:PrincipalArn`, and whom it thereby lets through.

use std::collections::BTreeSet;

use crate::policy::canonical::{Atom, Value, atom, value};
use crate::policy::cells::{Budget, Cells, KeyCells, OverBudget};
use crate::policy::condition::{Family, Operator, OperatorKind};
use crate::policy::document::{Condition, ConditionValue, Statement, Version};
use crate::policy::pattern::Pattern;

/// The condition key that names the caller: a user's ARN, and of a session that of its role, path included.
pub(super) const KEY: &str = "aws:PrincipalArn";

/// The test that is added where there is none to extend.
pub(super) const ADDED: Operator = Operator {
    qualifier: None,
    kind: OperatorKind::ArnNotLike,
    if_exists: false,
};

/// Bounds the work of telling who is let through; beyond it values are compared one by one.
const MAX_STEPS: usize = 400_000;

/// Tells whether a condition tests who calls.
pub(super) fn is_on_caller(condition: &Condition) -> bool {
    condition.key.eq_ignore_ascii_case(KEY)
}

/// Tells whether a condition lets the callers through that its values name.
pub(super) fn spares_callers(condition: &Condition) -> bool {
    let kind = condition.operator.kind;
    is_on_caller(condition)
        && kind.is_negated()
        && matches!(kind.family(), Family::Arn | Family::String)
}

/// Reads a text as ARN operators do: segment by segment, with wildcards.
pub(super) fn arn_pattern(text: &str, version: Version) -> Option<Pattern> {
    let written = ConditionValue::String(text.to_owned());
    match value(OperatorKind::ArnLike, &written, version) {
        Value::Text(pattern) => Some(pattern),
        Value::Number(_) | Value::Date(_) | Value::Network(_) | Value::Bool(_) => None,
    }
}

/// Finds which principals a statement lets through in whole by what it tests of the caller.
///
/// A pattern may also be let through by several values together, or by a positive test that is about others.
pub(super) fn let_through<'p>(
    statement: &Statement,
    version: Version,
    principals: &BTreeSet<&'p str>,
) -> BTreeSet<&'p str> {
    let tests: Vec<&Condition> = statement.conditions.iter().collect();
    let tests: Vec<&Condition> = tests.into_iter().filter(|c| is_on_caller(c)).collect();
    if tests.is_empty() {
        return BTreeSet::new();
    }
    by_cells(&tests, version, principals)
        .unwrap_or_else(|OverBudget| by_single_values(&tests, version, principals))
}

/// Looks at every kind of caller that the tests and the principals tell apart.
fn by_cells<'p>(
    tests: &[&Condition],
    version: Version,
    principals: &BTreeSet<&'p str>,
) -> Result<BTreeSet<&'p str>, OverBudget> {
    let tests: Vec<Atom> = tests.iter().map(|test| atom(test, version)).collect();
    let named = principals
        .iter()
        .map(|principal| (*principal, names(principal, version)));
    let named: Vec<(&str, Atom)> = named.collect();
    let atoms = tests.iter().chain(named.iter().map(|(_, atom)| atom));
    let mut budget = Budget::new(MAX_STEPS);
    let cells = KeyCells::of(None, false, &atoms.collect(), &mut budget)?;
    let mut hit = Cells::of(cells.count(), |_| true);
    for test in &tests {
        hit.intersect(&cells.passing(test));
    }
    let spared = named
        .iter()
        .filter(|(_, atom)| !cells.passing(atom).intersects(&hit));
    Ok(spared.map(|(principal, _)| *principal).collect())
}

/// The test that passes for a principal and no other.
fn names(principal: &str, version: Version) -> Atom {
    let condition = Condition {
        operator: Operator {
            kind: OperatorKind::ArnLike,
            ..ADDED
        },
        key: KEY.to_owned(),
        values: vec![ConditionValue::String(principal.to_owned())],
    };
    atom(&condition, version)
}

/// Looks for one value that lets all of a principal through.
fn by_single_values<'p>(
    tests: &[&Condition],
    version: Version,
    principals: &BTreeSet<&'p str>,
) -> BTreeSet<&'p str> {
    let spared = |principal: &&&str| {
        let Some(inner) = arn_pattern(principal, version) else {
            return false;
        };
        let mut sparing = tests.iter().filter(|test| spares_callers(test));
        sparing.any(|test| {
            let kind = test.operator.kind;
            let mut values = test.values.iter();
            values.any(|written| match value(kind, written, version) {
                Value::Text(outer) if kind.family() == Family::Arn => outer.covers_arn(&inner),
                // Its letters are folded, which the principal's are not.
                Value::Text(_) if kind == OperatorKind::StringNotEqualsIgnoreCase => false,
                Value::Text(outer) => outer.covers(&inner),
                Value::Number(_) | Value::Date(_) | Value::Network(_) | Value::Bool(_) => false,
            })
        })
    };
    principals.iter().filter(spared).copied().collect()
}
