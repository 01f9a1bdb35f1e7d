//! Properties over generated policies and requests.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::policy::evaluate::{
    Context, ContextValue, Decision, Layers, Request, evaluate as decide, flips,
};
use crate::policy::parse;

/// Keys of each type, the operators for them, values in policies, and values in requests.
type Key = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);
const KEYS: [Key; 6] = [
    ("aws:TagKeys", TEXT_OPERATORS, TEXTS, GIVEN),
    ("aws:SourceVpc", TEXT_OPERATORS, TEXTS, GIVEN),
    ("svc:key", TEXT_OPERATORS, TEXTS, GIVEN),
    (
        "aws:MultiFactorAuthAge",
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericGreaterThanEqualsIfExists",
            "Null",
        ],
        &["-1", "0", "0.5", "2", "10", "1e1", "true"],
        &[
            "-2", "-1", "-0.25", "0", "0.1", "0.5", "1", "2", "9", "10", "99",
        ],
    ),
    (
        "aws:SourceIp",
        &["IpAddress", "NotIpAddress", "IpAddressIfExists", "Null"],
        &[
            "10.0.0.0/8",
            "10.1.0.0/16",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/32",
            "true",
        ],
        &[
            "9.9.9.9",
            "10.0.0.1",
            "10.1.2.3",
            "255.255.255.255",
            "::1",
            "2001:db8::1",
        ],
    ),
    (
        "aws:SourceArn",
        &[
            "ArnLike",
            "ArnNotLike",
            "StringLike",
            "StringEquals",
            "Null",
        ],
        &[
            "arn:*:*:*:*:*",
            "arn:aws:s3:::b*",
            "arn:aws:*",
            "*",
            "arn:aws:s3:::bc",
            "true",
        ],
        &[
            "x",
            "arn:aws:s3:::bc",
            "arn:aws:s3:::b",
            "arn:aws:sns:r:1:t:u",
            "arn:aws:s3::b",
        ],
    ),
];
const TEXT_OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringLikeIfExists",
    "ForAllValues:StringLike",
    "ForAnyValue:StringNotLike",
    "Null",
    "Bool",
];
const TEXTS: &[&str] = &[
    "a",
    "A",
    "a*",
    "*b",
    "?",
    "true",
    "",
    "*",
    "${aws:username}",
];
const GIVEN: &[&str] = &["a", "A", "b", "ab", "true", "", "zz", "alice", "aa"];

fn condition() -> impl Strategy<Value = Value> {
    select(KEYS.to_vec()).prop_flat_map(|(key, operators, texts, _)| {
        let values = prop::collection::vec(select(texts), 0..3);
        (select(operators), values)
            .prop_map(move |(operator, values)| json!({ operator: { key: values } }))
    })
}

fn statement() -> impl Strategy<Value = Value> {
    let effect = select(vec!["Allow", "Allow", "Deny"]);
    let action = select(vec!["*", "s3:*", "s3:Get*", "iam:*"]);
    (effect, action, condition()).prop_map(|(effect, action, condition)| {
        json!({ "Effect": effect, "Action": action, "Resource": "*", "Condition": condition })
    })
}

fn layers() -> impl Strategy<Value = Layers> {
    let document = || {
        prop::collection::vec(statement(), 1..4)
            .prop_map(|list| parse(&policy(json!(list)).to_string()).unwrap().into())
    };
    (document(), document(), any::<bool>()).prop_map(|(identity, scp, limited)| {
        let all = parse(&allow_all().to_string()).unwrap().into();
        Layers {
            identity_policies: vec![identity],
            service_control_policies: if limited {
                vec![vec![all, scp]]
            } else {
                vec![]
            },
            ..Layers::default()
        }
    })
}

/// Known values for every key.
fn context() -> impl Strategy<Value = Vec<Vec<String>>> {
    let values = KEYS.map(|(key, _, _, given)| {
        let most = if matches!(key, "aws:TagKeys" | "svc:key") {
            4
        } else {
            2
        };
        prop::collection::vec(select(given).prop_map(str::to_owned), 0..most)
    });
    Vec::from(values)
}

/// Asks with these values, some of them unknown: one bit for each key.
fn asked(values: &[Vec<String>], unknown: u8) -> Request {
    let mut context = Context::new();
    for (index, ((key, ..), values)) in KEYS.iter().zip(values).enumerate() {
        let value = if unknown >> index & 1 == 1 {
            ContextValue::Unknown
        } else {
            ContextValue::Values(values.clone())
        };
        context.set(key, value);
    }
    Request {
        principal: ALICE.parse().unwrap(),
        action: "s3:GetObject".to_owned(),
        resource: "*".to_owned(),
        resource_account: None,
        context,
        management_account: None,
    }
}

proptest! {
    /// What is concluded although keys are unknown holds for whatever they turn out to be.
    #[test]
    fn conclusions_hold_for_every_value(
        layers in layers(),
        values in context(),
        unknown in any::<u8>(),
    ) {
        let open = decide(&asked(&values, unknown), &layers);
        let closed = decide(&asked(&values, 0), &layers);
        // A value in a policy that is not of its operator's type leaves even a request without unknown keys open.
        if open.decision != Decision::Unknown {
            prop_assert_eq!(open.decision, closed.decision);
        }
        if let Some(allowed) = open.allowed {
            prop_assert_eq!(Some(allowed), closed.allowed);
        }
        prop_assert_eq!(open.blocked_by.is_empty(), open.decision == Decision::Allowed);
    }

    /// A flip really comes to the decision that it names.
    #[test]
    fn flips_are_true(layers in layers(), values in context(), unknown in any::<u8>()) {
        let request = asked(&values, unknown & 1);
        let before = decide(&request, &layers);
        for flip in flips(&request, &layers) {
            let mut changed = request.clone();
            for change in &flip.changes {
                changed.context.set(&change.key, change.value.clone());
            }
            let after = decide(&changed, &layers);
            prop_assert_eq!(after.allowed, before.allowed.map(|allowed| !allowed));
            if flip.decision != Decision::Unknown {
                prop_assert_eq!(after.decision, flip.decision);
            }
        }
    }

    /// No line makes the reader fail otherwise than with an error.
    #[test]
    fn any_line_is_answered(line in ".{0,80}") {
        let _ = evaluate_json(&line);
    }
}
