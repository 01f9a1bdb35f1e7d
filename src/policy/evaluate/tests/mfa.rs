//! The idioms that ask for MFA, and their holes.

use super::*;

#[test]
fn idioms() {
    // With MFA, with the key `false`, and without the key, as with long-term access keys: d is denied, a allowed.
    for [effect, condition, expected] in rows(
        r#"
        Allow | {"Bool": {"aws:MultiFactorAuthPresent": "true"}} | a d d
        Allow | {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}} | a d a
        Allow | {"Null": {"aws:MultiFactorAuthPresent": "false"}} | a a d
        Allow | {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}} | a d d
        Allow | {"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}} | a a a
        Allow | {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}} | d d d
        Deny | {"Bool": {"aws:MultiFactorAuthPresent": "false"}} | a d a
        Deny | {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}} | a d d
        Deny | {"Null": {"aws:MultiFactorAuthPresent": "true"}} | a a d
        Deny | {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "3600"}} | a a a
        Deny | {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}} | a d d
        Deny | {"StringNotEquals": {"aws:MultiFactorAuthPresent": "true"}} | a d d
        "#,
    ) {
        let trust = if effect == "Allow" {
            policy(json!({
                "Effect": "Allow", "Principal": { "AWS": ALICE }, "Action": "sts:AssumeRole",
                "Condition": json(condition),
            }))
        } else {
            policy(json!([
                { "Effect": "Allow", "Principal": { "AWS": ALICE }, "Action": "sts:AssumeRole" },
                {
                    "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
                    "Condition": json(condition),
                },
            ]))
        };
        let contexts = [
            json!({ "aws:MultiFactorAuthPresent": true, "aws:MultiFactorAuthAge": 600 }),
            json!({ "aws:MultiFactorAuthPresent": "false" }),
            json!({}),
        ];
        let found: Vec<&str> = contexts
            .iter()
            .map(|context| {
                let request = request(json!({
                    "action": "sts:AssumeRole",
                    "resource": "arn:aws:iam::111111111111:role/BreakGlass",
                    "context": context,
                    "resource_policy": trust,
                }));
                if decision(&request) == "allowed" {
                    "a"
                } else {
                    "d"
                }
            })
            .collect();
        assert_eq!(found.join(" "), expected, "{effect} {condition}");
    }
}

/// Sessions from AssumeRole carry no MFA context: an SCP that denies everything without MFA locks them out.
#[test]
fn a_deny_without_mfa_locks_sessions_out() {
    let scp = policy(json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        {
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } },
        },
    ]));
    let request = request(json!({
        "principal": SESSION,
        "identity_policies": [allow_all()],
        "service_control_policies": [[scp]],
    }));
    assert_eq!(decision(&request), "explicit_deny");
}

/// The break-glass chain: a user of one account assumes the role of another, and then acts.
#[test]
fn the_whole_chain() {
    let trust = policy(json!({
        "Effect": "Allow",
        "Principal": { "AWS": ["arn:aws:iam::222233334444:user/break-glass/bg-alice"] },
        "Action": "sts:AssumeRole",
        "Condition": {
            "Bool": { "aws:MultiFactorAuthPresent": "true" },
            "NumericLessThan": { "aws:MultiFactorAuthAge": "43200" },
        },
    }));
    let may_assume = policy(json!({
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Resource": "arn:aws:iam::*:role/break-glass/BreakGlassAdmin",
    }));
    let lock = policy(json!({
        "Effect": "Deny", "NotAction": "sts:*", "Resource": "*",
        "Condition": {
            "StringNotEquals": { "aws:RequestedRegion": "eu-west-1" },
            "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/break-glass/BreakGlassAdmin" },
        },
    }));
    let assume = |caller: &str, context: Value| {
        decision(&request(json!({
            "principal": caller,
            "action": "sts:AssumeRole",
            "resource": "arn:aws:iam::111122223333:role/break-glass/BreakGlassAdmin",
            "context": context,
            "identity_policies": [may_assume],
            "resource_policy": trust,
            "service_control_policies": [[allow_all()], [allow_all(), lock]],
        })))
    };
    let alice = "arn:aws:iam::222233334444:user/break-glass/bg-alice";
    let mfa = json!({ "aws:MultiFactorAuthPresent": true, "aws:MultiFactorAuthAge": 30 });
    assert_eq!(assume(alice, mfa.clone()), "allowed");
    assert_eq!(assume(alice, json!({})), "implicit_deny");
    assert_eq!(
        assume(alice, json!({ "aws:MultiFactorAuthPresent": false })),
        "implicit_deny"
    );
    for other in [
        "arn:aws:iam::222233334444:user/break-glass/bg-mallory",
        "arn:aws:iam::222233334444:root",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::999999999999:user/break-glass/bg-alice",
        "ec2.amazonaws.com",
        "accounts.google.com",
        "Anonymous",
    ] {
        assert_eq!(assume(other, mfa.clone()), "implicit_deny", "{other}");
    }

    let act = |context: Value| {
        decision(&request(json!({
            "principal": "arn:aws:sts::111122223333:assumed-role/BreakGlassAdmin/bg-alice",
            "action": "ec2:StopInstances",
            "resource": "arn:aws:ec2:us-east-1:111122223333:instance/i-1",
            "context": context,
            "identity_policies": [allow_all()],
            "service_control_policies": [[allow_all()], [allow_all(), lock]],
        })))
    };
    let arn = "arn:aws:iam::111122223333:role/break-glass/BreakGlassAdmin";
    let region = json!({ "aws:RequestedRegion": "us-east-1", "aws:PrincipalArn": arn });
    assert_eq!(act(region), "allowed");
    // The session ARN lacks the role's path, so that only the full ARN can tell.
    assert_eq!(
        act(json!({ "aws:RequestedRegion": "us-east-1" })),
        "unknown"
    );
    assert_eq!(
        act(json!({ "aws:RequestedRegion": "eu-west-1" })),
        "allowed"
    );
}
