//! Which circumstances turn a decision around.

use super::*;
use crate::policy::evaluate::{Context, ContextValue, Layers, Request, flips};

fn found(statements: Value, context: &[(&str, &str)]) -> Value {
    let mut given = Context::new();
    for (key, value) in context {
        given.set(key, ContextValue::one(*value));
    }
    let request = Request {
        principal: ALICE.parse().unwrap(),
        action: "s3:GetObject".to_owned(),
        resource: "arn:aws:s3:::bucket/key".to_owned(),
        resource_account: None,
        context: given,
        management_account: None,
    };
    let document = crate::policy::parse(&policy(statements).to_string()).unwrap();
    let layers = Layers {
        identity_policies: vec![document.into()],
        ..Layers::default()
    };
    let found = flips(&request, &layers);
    assert_eq!(found, flips(&request, &layers));
    serde_json::to_value(found).unwrap()
}

fn allow_if(condition: Value) -> Value {
    json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition })
}

fn flip(changes: Value, decision: &str) -> Value {
    json!({ "changes": changes, "decision": decision })
}

#[test]
fn one_key() {
    let mfa = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    assert_eq!(
        found(json!([allow_if(mfa.clone())]), &[]),
        json!([flip(
            json!([{ "key": "aws:MultiFactorAuthPresent", "value": "true" }]),
            "allowed"
        )])
    );
    assert_eq!(
        found(
            json!([allow_if(mfa)]),
            &[("aws:MultiFactorAuthPresent", "true")]
        ),
        json!([flip(
            json!([{ "key": "aws:MultiFactorAuthPresent", "value": [] }]),
            "implicit_deny"
        )])
    );
}

#[test]
fn two_keys_when_one_is_not_enough() {
    let condition = json!({
        "Bool": { "aws:MultiFactorAuthPresent": "true" },
        "StringEquals": { "aws:RequestedRegion": "eu-west-1" },
    });
    assert_eq!(
        found(json!([allow_if(condition.clone())]), &[]),
        json!([flip(
            json!([
                { "key": "aws:MultiFactorAuthPresent", "value": "true" },
                { "key": "aws:RequestedRegion", "value": "eu-west-1" },
            ]),
            "allowed"
        )])
    );
    // From what is allowed one key is enough, and no pair with it is listed.
    let both = [
        ("aws:MultiFactorAuthPresent", "true"),
        ("aws:RequestedRegion", "eu-west-1"),
    ];
    let away = found(json!([allow_if(condition)]), &both);
    let changes: Vec<usize> = away
        .as_array()
        .unwrap()
        .iter()
        .map(|flip| flip["changes"].as_array().unwrap().len())
        .collect();
    assert_eq!(changes, [1, 1], "{away}");
}

#[test]
fn both_ways_of_denial_are_told_apart() {
    let statements = json!([
        allow_if(json!({ "Null": { "aws:SourceIp": "false" } })),
        {
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } },
        },
    ]);
    let away = found(statements, &[("aws:SourceIp", "192.0.2.1")]);
    assert_eq!(
        away,
        json!([
            flip(
                json!([{ "key": "aws:SourceIp", "value": [] }]),
                "implicit_deny"
            ),
            flip(
                json!([{ "key": "aws:SourceIp", "value": "10.0.0.0" }]),
                "explicit_deny"
            ),
        ])
    );
}

#[test]
fn neither_the_caller_nor_other_actions_are_changed() {
    let statements = json!([
        allow_if(json!({ "StringEquals": { "aws:username": "carol" } })),
        {
            "Effect": "Allow", "Action": "iam:*", "Resource": "*",
            "Condition": { "Bool": { "k": "true" } },
        },
    ]);
    assert_eq!(found(statements, &[]), json!([]));
}
