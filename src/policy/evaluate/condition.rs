//! One test of a `Condition` element against a request.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::facts::{Facts, Lookup, Values};
use super::text::{self, Comparison};
use super::truth::Truth;
use crate::policy::condition::{Family, OperatorKind, Qualifier};
use crate::policy::document::{Condition, ConditionValue, Version};
use crate::policy::value::{Decimal, Instant, Network, boolean};

/// Tells whether a request passes a test.
///
/// - The values of a positive operator are alternatives; a negated one passes when none of them matches.
/// - An absent key fails a positive operator and passes a negated one and `IfExists`. `ForAllValues` passes without the
///   key whatever the operator; `ForAnyValue` fails, except with `IfExists`.
/// - `ForAllValues` asks every value of the request, `ForAnyValue` one. Without them a key with many values passes a
///   positive operator when one of its values matches, and a negated one when none does.
/// - A value of the request that is not of the operator's type matches nothing. One of the policy may match whatever
///   AWS reads into it.
///
/// Sources: IAM User Guide, "Condition operators" and "Set operators for multivalued context keys".
pub(super) fn passes(condition: &Condition, version: Version, facts: &Facts<'_>) -> Truth {
    let operator = condition.operator;
    if operator.kind == OperatorKind::Null {
        return is_null(condition, facts);
    }
    let negated = operator.kind.is_negated();
    match facts.lookup(&condition.key) {
        Lookup::Unknown => Truth::Unknown,
        Lookup::Absent => Truth::from(match operator.qualifier {
            None => negated || operator.if_exists,
            Some(Qualifier::ForAllValues) => true,
            Some(Qualifier::ForAnyValue) => operator.if_exists,
        }),
        Lookup::Present(values) => {
            let path_is_open = facts.lacks_path(&condition.key);
            let matching = |value: &str| {
                let mut matched = matches(condition, value, version, facts);
                if path_is_open && matched == Truth::False {
                    matched = may_match_with_a_path(condition, value, version, facts);
                }
                if negated { matched.negated() } else { matched }
            };
            quantified(operator.qualifier, negated, values, matching)
        }
    }
}

fn quantified(
    qualifier: Option<Qualifier>,
    negated: bool,
    values: Values<'_>,
    passes: impl Fn(&str) -> Truth,
) -> Truth {
    let each = values.iter().map(passes);
    match qualifier {
        None if negated => Truth::all(each),
        None => Truth::any(each),
        Some(Qualifier::ForAllValues) => Truth::all(each),
        Some(Qualifier::ForAnyValue) => Truth::any(each),
    }
}

/// `Null` asks whether the key is absent. With a prefix the answer is the same for every request.
///
/// Source: IAM User Guide, "Access Analyzer policy check reference": `ForAllValues` with `Null` always passes,
/// `ForAnyValue` never does.
fn is_null(condition: &Condition, facts: &Facts<'_>) -> Truth {
    if let Some(qualifier) = condition.operator.qualifier {
        return Truth::from(qualifier == Qualifier::ForAllValues);
    }
    let wants = |absent: bool| {
        let mut values = condition.values.iter();
        values.any(|value| boolean(value.as_str()) == Some(absent))
    };
    Truth::from(match facts.lookup(&condition.key) {
        Lookup::Absent => wants(true),
        Lookup::Present(_) => wants(false),
        Lookup::Unknown if wants(true) == wants(false) => wants(true),
        Lookup::Unknown => return Truth::Unknown,
    })
}

/// Tells whether one of the policy's values matches a value of the request; negation is left to the caller.
fn matches(condition: &Condition, value: &str, version: Version, facts: &Facts<'_>) -> Truth {
    let kind = condition.operator.kind;
    let written = condition.values.iter().map(ConditionValue::as_str);
    // What is no value of the operator's type may be read in some way: that is not documented.
    let typed = |matched: Option<bool>| matched.map_or(Truth::Unknown, Truth::from);
    match kind.family() {
        Family::String | Family::Arn => {
            let how = comparison(kind);
            Truth::any(written.map(|written| text::matches(written, value, how, version, facts)))
        }
        Family::Numeric => match Decimal::parse(value) {
            None => Truth::False,
            Some(actual) => Truth::any(written.map(|written| {
                let limit = Decimal::parse(written);
                typed(limit.map(|limit| ordered(kind, actual.compare(&limit))))
            })),
        },
        Family::Date => match Instant::parse(value) {
            None => Truth::False,
            Some(actual) => Truth::any(written.map(|written| {
                let limit = Instant::parse(written);
                typed(limit.map(|limit| ordered(kind, actual.cmp(&limit))))
            })),
        },
        Family::Bool => match boolean(value) {
            None => Truth::False,
            Some(actual) => Truth::any(
                written.map(|written| typed(boolean(written).map(|wanted| wanted == actual))),
            ),
        },
        Family::Binary => Truth::any(written.map(|written| Truth::from(written == value))),
        Family::IpAddress => match value.parse::<IpAddr>() {
            Err(_) => Truth::False,
            Ok(address) => Truth::any(written.map(|written| {
                typed(Network::parse(written).map(|network| network.contains(address)))
            })),
        },
    }
}

/// Tells whether a test of a role's ARN that fails without a path may pass with one: it names a role of just this name
/// behind a path.
fn may_match_with_a_path(
    condition: &Condition,
    arn: &str,
    version: Version,
    facts: &Facts<'_>,
) -> Truth {
    let how = comparison(condition.operator.kind);
    let Some((account, role)) = arn.split_once(":role/") else {
        return Truth::False;
    };
    let with_path = |written: &str| {
        let (_, resource) = written.rsplit_once(":role/")?;
        let (path, name) = resource.rsplit_once('/')?;
        let path = path.replace(['*', '?'], "x");
        (name == role).then(|| format!("{account}:role/{path}/{role}"))
    };
    let mut written = condition.values.iter().map(ConditionValue::as_str);
    let may = written.any(|written| {
        with_path(written)
            .is_some_and(|arn| text::matches(written, &arn, how, version, facts) != Truth::False)
    });
    if may { Truth::Unknown } else { Truth::False }
}

/// How the values of a string or ARN operator are compared; `ArnEquals` does what `ArnLike` does.
pub(super) fn comparison(kind: OperatorKind) -> Comparison {
    use OperatorKind::{
        StringEqualsIgnoreCase, StringLike, StringNotEqualsIgnoreCase, StringNotLike,
    };
    match kind {
        StringLike | StringNotLike => Comparison::Like,
        StringEqualsIgnoreCase | StringNotEqualsIgnoreCase => Comparison::EqualIgnoringCase,
        _ if kind.family() == Family::Arn => Comparison::Arn,
        _ => Comparison::Equal,
    }
}

/// Tells whether a value so ordered to the policy's matches, for an operator on numbers or dates.
fn ordered(kind: OperatorKind, order: Ordering) -> bool {
    use OperatorKind::{
        DateGreaterThan, DateGreaterThanEquals, DateLessThan, DateLessThanEquals,
        NumericGreaterThan, NumericGreaterThanEquals, NumericLessThan, NumericLessThanEquals,
    };
    match kind {
        NumericLessThan | DateLessThan => order.is_lt(),
        NumericLessThanEquals | DateLessThanEquals => order.is_le(),
        NumericGreaterThan | DateGreaterThan => order.is_gt(),
        NumericGreaterThanEquals | DateGreaterThanEquals => order.is_ge(),
        _ => order.is_eq(),
    }
}
