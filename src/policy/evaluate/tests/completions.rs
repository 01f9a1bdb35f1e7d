//! Unknown context keys that come to one decision, and such that do not.

use super::*;

/// Checks rows of statements (each `EFFECT CONDITION`, separated by `;;`), the unknown keys, and the decision.
fn check(table: &str) {
    for [statements, keys, expected] in rows(table) {
        let list: Vec<Value> = statements
            .split(";;")
            .map(|statement| {
                let (effect, condition) = statement.trim().split_once(' ').unwrap();
                json!({
                    "Effect": effect, "Action": "*", "Resource": "*",
                    "Condition": json(condition),
                })
            })
            .collect();
        let mut context = json!({});
        for key in keys.split(' ') {
            context[key] = Value::Null;
        }
        let found = evaluate(&request(json!({
            "context": context,
            "identity_policies": [policy(json!(list))],
        })));
        let row = format!("{statements}: {found:?}");
        assert_eq!(found.decision.as_str(), expected, "{row}");
        let named = found
            .blocked_by
            .iter()
            .any(|b| b.starts_with("context key"));
        assert_eq!(named, expected == "unknown", "{row}");
    }
}

#[test]
fn what_holds_for_every_value_is_concluded() {
    check(
        r#"
        # booleans: true, false and absent are all there is
        Allow {"Bool": {"k": "true"}} | k | unknown
        Allow {"Bool": {"k": "true"}} ;; Allow {"Bool": {"k": "false"}} | k | unknown
        Allow {"Bool": {"k": "true"}} ;; Allow {"Bool": {"k": "false"}} ;; Allow {"Null": {"k": "true"}} | k | allowed
        Allow {"Bool": {"k": "true"}} ;; Allow {"BoolIfExists": {"k": "false"}} | k | allowed
        Deny {"BoolIfExists": {"k": "false"}} ;; Deny {"Bool": {"k": "true"}} | k | explicit_deny
        Allow {"Null": {"k": "true"}} ;; Allow {"Null": {"k": "false"}} | k | allowed
        # one key, contradicting tests: allowed by nobody
        Allow {"Bool": {"k": "true"}, "Null": {"k": "true"}} | k | implicit_deny
        Allow {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SecureTransport": "false"}} | aws:SecureTransport | implicit_deny
        # texts
        Allow {"StringEquals": {"aws:PrincipalOrgID": "o-1"}} ;; Allow {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}} | aws:PrincipalOrgID | allowed
        Allow {"StringEquals": {"aws:PrincipalOrgID": "o-1"}} ;; Allow {"StringNotEquals": {"aws:PrincipalOrgID": "o-2"}} | aws:PrincipalOrgID | unknown
        Allow {"StringLike": {"aws:PrincipalOrgID": "o-*"}} ;; Allow {"StringNotLike": {"aws:PrincipalOrgID": "o-1*"}} | aws:PrincipalOrgID | allowed
        Allow {"StringLike": {"aws:PrincipalOrgID": "o-1*"}} ;; Allow {"StringNotLike": {"aws:PrincipalOrgID": "o-*"}} | aws:PrincipalOrgID | unknown
        Allow {"StringLike": {"aws:PrincipalOrgID": "*"}} ;; Allow {"Null": {"aws:PrincipalOrgID": "true"}} | aws:PrincipalOrgID | allowed
        Allow {"StringLike": {"aws:PrincipalOrgID": "?*"}} ;; Allow {"Null": {"aws:PrincipalOrgID": "true"}} | aws:PrincipalOrgID | unknown
        Allow {"StringLike": {"aws:PrincipalOrgID": "?*"}} ;; Allow {"StringEqualsIfExists": {"aws:PrincipalOrgID": ""}} | aws:PrincipalOrgID | allowed
        Allow {"StringEquals": {"aws:PrincipalOrgID": "a"}, "StringLike": {"aws:PrincipalOrgID": "b*"}} | aws:PrincipalOrgID | implicit_deny
        Allow {"StringEqualsIgnoreCase": {"aws:PrincipalOrgID": "A"}} ;; Allow {"StringNotEquals": {"aws:PrincipalOrgID": ["a", "A"]}} | aws:PrincipalOrgID | allowed
        Allow {"StringEqualsIgnoreCase": {"aws:PrincipalOrgID": "A"}} ;; Allow {"StringNotEquals": {"aws:PrincipalOrgID": ["a", "A", "b"]}} | aws:PrincipalOrgID | unknown
        Allow {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}} ;; Allow {"StringNotLike": {"aws:SourceArn": "arn:aws:sns:*"}} | aws:SourceArn | unknown
        Allow {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}} ;; Allow {"StringNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}} | aws:SourceArn | allowed
        # numbers, dates, addresses
        Allow {"NumericLessThan": {"aws:MultiFactorAuthAge": "10"}} ;; Allow {"NumericGreaterThanEqualsIfExists": {"aws:MultiFactorAuthAge": "10"}} | aws:MultiFactorAuthAge | allowed
        Allow {"NumericLessThan": {"aws:MultiFactorAuthAge": "10"}} ;; Allow {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "10"}} | aws:MultiFactorAuthAge | unknown
        Allow {"NumericLessThan": {"aws:MultiFactorAuthAge": "10"}} ;; Allow {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "9.5"}} | aws:MultiFactorAuthAge | allowed
        Allow {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "-1"}} ;; Allow {"NumericLessThanEqualsIfExists": {"aws:MultiFactorAuthAge": "-0.5"}} | aws:MultiFactorAuthAge | allowed
        Allow {"NumericLessThan": {"aws:MultiFactorAuthAge": "5"}, "NumericGreaterThan": {"aws:MultiFactorAuthAge": "7"}} | aws:MultiFactorAuthAge | implicit_deny
        Allow {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "5"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "6"}} | aws:MultiFactorAuthAge | unknown
        Allow {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}} ;; Allow {"DateGreaterThanEqualsIfExists": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}} | aws:CurrentTime | allowed
        Allow {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}} ;; Allow {"DateGreaterThanIfExists": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}} | aws:CurrentTime | unknown
        Allow {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}, "DateGreaterThan": {"aws:CurrentTime": "2021-01-01"}} | aws:CurrentTime | implicit_deny
        Allow {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1", "::/0"]}} ;; Allow {"Null": {"aws:SourceIp": "true"}} | aws:SourceIp | allowed
        Allow {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/2", "::/0"]}} ;; Allow {"Null": {"aws:SourceIp": "true"}} | aws:SourceIp | unknown
        Allow {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/7"}} | aws:SourceIp | implicit_deny
        # keys with many values
        Allow {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}} ;; Allow {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", "b"]}} | aws:TagKeys | allowed
        Allow {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}} ;; Allow {"ForAnyValue:StringEquals": {"aws:TagKeys": "b"}} | aws:TagKeys | unknown
        Allow {"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}, "ForAllValues:StringNotEquals": {"aws:TagKeys": "a"}} | aws:TagKeys | implicit_deny
        Deny {"StringEquals": {"k": "a"}, "StringLike": {"k": "b"}} | k | unknown
        # two keys
        Allow {"Bool": {"k": "true"}} ;; Allow {"BoolIfExists": {"k": "false"}, "NumericLessThan": {"n": "1"}} ;; Allow {"NumericGreaterThanIfExists": {"n": "1"}} | k n | unknown
        Allow {"Bool": {"aws:SecureTransport": "true"}} ;; Allow {"BoolIfExists": {"aws:SecureTransport": "false"}, "DateLessThan": {"aws:CurrentTime": "2020-01-01"}} ;; Allow {"DateGreaterThanEqualsIfExists": {"aws:CurrentTime": "2020-01-01"}} | aws:SecureTransport aws:CurrentTime | allowed
        # not told apart exactly
        Allow {"StringEquals": {"aws:CurrentTime": "x"}} ;; Allow {"StringNotEquals": {"aws:CurrentTime": "x"}, "DateLessThan": {"aws:CurrentTime": "1"}} ;; Allow {"DateGreaterThanEqualsIfExists": {"aws:CurrentTime": "1"}} | aws:CurrentTime | unknown
        Allow {"StringEquals": {"aws:PrincipalTag/a": "${aws:PrincipalTag/a}"}} ;; Allow {"Null": {"aws:PrincipalTag/a": "true"}} | aws:PrincipalTag/a | unknown
        Allow {"ArnLike": {"aws:PrincipalArn": "*"}} ;; Allow {"ArnNotLike": {"aws:PrincipalArn": "*"}} | aws:PrincipalArn | unknown
        "#,
    );
}

#[test]
fn only_keys_that_matter_are_named() {
    let statements = json!([
        {
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } },
        },
        {
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {
                "Bool": { "aws:MultiFactorAuthPresent": "true" },
                "IpAddress": { "aws:SourceIp": "10.0.0.0/8" },
            },
        },
        {
            "Effect": "Deny", "Action": "iam:*", "Resource": "*",
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        },
    ]);
    let found = evaluate(&request(json!({
        "context": {
            "aws:MultiFactorAuthPresent": null, "aws:SourceIp": null, "aws:SecureTransport": null,
        },
        "identity_policies": [policy(statements)],
    })));
    assert_eq!(found.decision.as_str(), "unknown");
    assert_eq!(
        found.blocked_by,
        [
            "identity_policies",
            "context key aws:MultiFactorAuthPresent"
        ]
    );
}

#[test]
fn an_unknown_key_that_nothing_asks_for_does_not_matter() {
    let found = evaluate(&request(json!({
        "context": { "aws:MultiFactorAuthPresent": null },
        "identity_policies": [allow_all()],
    })));
    assert_eq!(found.decision.as_str(), "allowed");
    assert!(found.blocked_by.is_empty());
}

#[test]
fn an_allow_elsewhere_makes_an_unknown_one_not_matter() {
    let unsure = policy(json!({
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": { "StringEquals": { "k": "${k:other}" } },
    }));
    let context = json!({ "k": null, "k:other": null });
    for (policies, expected) in [
        (json!([unsure, allow_all()]), "allowed"),
        (json!([unsure]), "unknown"),
        (json!([unsure, deny_all()]), "explicit_deny"),
    ] {
        let request = request(json!({ "context": context, "identity_policies": policies }));
        assert_eq!(decision(&request), expected);
    }
}

#[test]
fn surely_not_allowed_though_it_is_not_known_how() {
    use crate::policy::evaluate::{Context, ContextValue, Layers, Request, evaluate};
    let mut context = Context::new();
    context.set("aws:SecureTransport", ContextValue::Unknown);
    let deny = policy(json!({
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }));
    let layers = Layers {
        identity_policies: vec![crate::policy::parse(&deny.to_string()).unwrap().into()],
        ..Layers::default()
    };
    let request = Request {
        principal: ALICE.parse().unwrap(),
        action: "s3:GetObject".to_owned(),
        resource: "*".to_owned(),
        resource_account: None,
        context,
        management_account: None,
    };
    let found = evaluate(&request, &layers);
    assert_eq!(found.decision.as_str(), "unknown");
    assert_eq!(found.allowed, Some(false));
    assert!(
        found
            .reasons
            .contains(&"it is not allowed in any case".to_owned())
    );
}

#[test]
fn many_unknown_keys_end_in_unknown_not_in_a_long_wait() {
    let mut context = json!({});
    let mut statements = Vec::new();
    for index in 0..40 {
        let key = format!("k:{index}");
        context[&key] = Value::Null;
        for operator in ["Bool", "BoolIfExists"] {
            statements.push(json!({
                "Effect": "Allow", "Action": "*", "Resource": "*",
                "Condition": { operator: { (&key): operator == "Bool" } },
            }));
        }
    }
    let found = evaluate(&request(json!({
        "context": context,
        "identity_policies": [policy(json!(statements))],
    })));
    // Each pair alone allows whatever its key is, so that one key is enough.
    assert_eq!(found.decision.as_str(), "allowed");
}
