//! Keys with many values and none, prefixes, and several tests at once.

use super::conditions::{check, outcome};
use super::*;

#[test]
fn many_values_without_a_prefix() {
    check(
        r#"
        StringEquals | "a" | ["a", "b"] | yes
        StringEquals | "c" | ["a", "b"] | no
        StringNotEquals | "a" | ["a", "b"] | no
        StringNotEquals | "c" | ["a", "b"] | yes
        StringLike | ["x*", "b*"] | ["a", "b"] | yes
        NumericLessThan | "5" | [9, 4] | yes
        Bool | "true" | [false, true] | yes
        StringEquals | "a" | [] | no
        StringNotEquals | "a" | [] | yes
        "#,
    );
}

#[test]
fn for_all_values() {
    check(
        r#"
        ForAllValues:StringEquals | ["a", "b"] | ["a", "b"] | yes
        ForAllValues:StringEquals | ["a", "b"] | ["a"] | yes
        ForAllValues:StringEquals | ["a", "b"] | "a" | yes
        ForAllValues:StringEquals | ["a", "b"] | ["a", "c"] | no
        ForAllValues:StringEquals | ["a", "b"] | - | yes
        ForAllValues:StringEquals | ["a", "b"] | [] | yes
        ForAllValues:StringEquals | [] | "a" | no
        ForAllValues:StringEquals | [] | - | yes
        ForAllValues:StringEqualsIfExists | "a" | - | yes
        ForAllValues:StringEqualsIfExists | "a" | ["a", "b"] | no
        ForAllValues:StringNotEquals | "a" | ["b", "c"] | yes
        ForAllValues:StringNotEquals | "a" | ["a", "c"] | no
        ForAllValues:StringNotEquals | "a" | - | yes
        ForAllValues:StringLike | "a*" | ["ab", "ac"] | yes
        ForAllValues:StringLike | "a*" | ["ab", "b"] | no
        ForAllValues:NumericLessThan | "5" | [1, 4] | yes
        ForAllValues:NumericLessThan | "5" | [1, 6] | no
        ForAllValues:NumericLessThan | "5" | [1, "x"] | no
        ForAllValues:IpAddress | "10.0.0.0/8" | ["10.1.1.1", "11.1.1.1"] | no
        ForAllValues:NotIpAddress | "10.0.0.0/8" | ["12.1.1.1", "11.1.1.1"] | yes
        ForAllValues:Bool | "true" | - | yes
        ForAllValues:ArnLike | "arn:aws:iam::*:role/*" | - | yes
        ForAllValues:DateLessThan | "2020-01-01" | ["2019-01-01", "2021-01-01"] | no
        "#,
    );
}

#[test]
fn for_any_value() {
    check(
        r#"
        ForAnyValue:StringEquals | ["a", "b"] | ["c", "b"] | yes
        ForAnyValue:StringEquals | ["a", "b"] | ["c", "d"] | no
        ForAnyValue:StringEquals | ["a", "b"] | - | no
        ForAnyValue:StringEquals | ["a", "b"] | [] | no
        ForAnyValue:StringEqualsIfExists | "a" | - | yes
        ForAnyValue:StringEqualsIfExists | "a" | ["b"] | no
        ForAnyValue:StringNotEquals | "a" | ["a", "b"] | yes
        ForAnyValue:StringNotEquals | "a" | ["a"] | no
        ForAnyValue:StringNotEquals | "a" | - | no
        ForAnyValue:StringNotEqualsIfExists | "a" | - | yes
        ForAnyValue:StringLike | "a*" | ["b", "ab"] | yes
        ForAnyValue:StringNotLike | "a*" | ["ab", "ac"] | no
        ForAnyValue:NumericGreaterThan | "5" | [1, 6] | yes
        ForAnyValue:NumericGreaterThan | "5" | [1, 2] | no
        ForAnyValue:Bool | "true" | [false, true] | yes
        ForAnyValue:NotIpAddress | "10.0.0.0/8" | - | no
        ForAnyValue:ArnLike | "arn:aws:iam::*:role/*" | ["x", "arn:aws:iam::1:role/a"] | yes
        "#,
    );
}

/// An absent key, for each operator without and with `IfExists` and prefixes.
#[test]
fn absent_keys_by_operator() {
    use crate::policy::condition::{Operator, OperatorKind};
    for operator in Operator::all() {
        if operator.kind == OperatorKind::Null {
            continue;
        }
        let name = operator.to_string();
        let expected = match name.split_once(':') {
            Some(("ForAllValues", _)) => true,
            Some(_) => name.ends_with("IfExists"),
            None => name.contains("Not") || name.ends_with("IfExists"),
        };
        let expected = if expected { "yes" } else { "no" };
        assert_eq!(outcome(&name, r#""1""#, "-"), expected, "{name}");
    }
}

/// Text that is of no type but its own: positive operators of other types fail on it, negated ones pass.
#[test]
fn wrong_types_by_operator() {
    use crate::policy::condition::{Family, OperatorKind};
    for kind in OperatorKind::ALL {
        if kind == OperatorKind::Null || matches!(kind.family(), Family::String | Family::Binary) {
            continue;
        }
        let expected = if kind.is_negated() { "yes" } else { "no" };
        for prefix in ["", "ForAllValues:", "ForAnyValue:"] {
            let name = format!("{prefix}{}", kind.name());
            assert_eq!(outcome(&name, r#""??""#, r#""??""#), expected, "{name}");
        }
    }
}

#[test]
fn all_keys_and_operators_must_pass() {
    let allowed = |context: Value| {
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {
                "StringEquals": { "k:a": "1", "k:b": ["2", "3"] },
                "StringNotEquals": { "k:c": "4" },
            },
        });
        decision(&request(json!({
            "context": context,
            "identity_policies": [policy(statement)],
        }))) == "allowed"
    };
    assert!(allowed(json!({ "k:a": "1", "k:b": "3" })));
    assert!(allowed(json!({ "k:a": "1", "k:b": "2", "k:c": "5" })));
    assert!(!allowed(json!({ "k:a": "1", "k:b": "2", "k:c": "4" })));
    assert!(!allowed(json!({ "k:a": "1" })));
    assert!(!allowed(json!({ "k:b": "2" })));
}
