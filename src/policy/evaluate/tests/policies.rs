//! Layers and policies of a request line: spellings, absence, faults.

use super::*;

#[test]
fn principals_and_policies_have_several_spellings() {
    let text = json!(allow_all().to_string());
    for (field, value) in [
        ("identity_policies", json!([allow_all()])),
        ("identity_policies", json!(allow_all())),
        ("identity_policies", json!([text])),
        ("identity_policies", text.clone()),
    ] {
        assert_eq!(
            decision(&request(json!({ field: value }))),
            "allowed",
            "{value}"
        );
    }
    for principal in [
        json!("Anonymous"),
        json!("*"),
        json!({ "type": "Anonymous" }),
    ] {
        let request = request(json!({
            "principal": principal,
            "resource_policy": allow_principal(json!("*")),
        }));
        assert_eq!(decision(&request), "allowed", "{principal}");
    }
}

#[test]
fn absent_empty_and_null_layers() {
    let layers = [
        "permission_boundary",
        "session_policy",
        "resource_policy",
        "service_control_policies",
        "resource_control_policies",
    ];
    for layer in layers {
        for (value, expected) in [(json!([]), "allowed"), (json!(null), "unknown")] {
            let found = evaluate(&request(json!({
                "identity_policies": [allow_all()],
                layer: value,
            })));
            assert_eq!(found.decision.as_str(), expected, "{layer} {value}");
            let blocked: &[&str] = if expected == "unknown" { &[layer] } else { &[] };
            assert_eq!(found.blocked_by, blocked);
            assert_eq!(found.error, None);
        }
    }
}

#[test]
fn policies_that_do_not_parse_are_unknown_and_named() {
    for (fields, layer, part) in [
        (
            json!({ "identity_policies": [allow_all(), { "Statement": [], "Statment": [] }] }),
            "identity_policies",
            "identity_policies policy 2: \"Statement\" is empty at line 1, column 14",
        ),
        (
            json!({ "identity_policies": [allow_all()], "permission_boundary": "{\n oops }" }),
            "permission_boundary",
            "permission_boundary policy 1: expected a key in quotes, found 'o' at line 2, column 2",
        ),
        (
            json!({
                "identity_policies": [allow_all()],
                "service_control_policies": [[allow_all()], [allow_all(), { "Version": "2012" }]],
            }),
            "service_control_policies",
            "service_control_policies level 2 policy 2: unknown Version",
        ),
        (
            json!({ "identity_policies": [allow_principal(json!("*"))] }),
            "identity_policies",
            "identity_policies policy 1: Principal is not allowed in identity_policies (statement 1)",
        ),
        (
            json!({ "identity_policies": [
                policy(json!({ "Effect": "Allow", "NotPrincipal": "*", "Action": "*", "Resource": "*" })),
            ] }),
            "identity_policies",
            "NotPrincipal is not allowed in identity_policies",
        ),
        (
            json!({ "identity_policies": [policy(json!({ "Effect": "Allow", "Action": "*" }))] }),
            "identity_policies",
            "Resource or NotResource is missing",
        ),
        (
            json!({ "identity_policies": [allow_all()], "resource_policy": deny_all() }),
            "resource_policy",
            "resource_policy policy 1: Principal is missing (statement 1)",
        ),
        (
            json!({
                "action": "sts:AssumeRole",
                "resource": "arn:aws:iam::111111111111:role/Target",
                "resource_policy": policy(json!({
                    "Effect": "Deny", "NotPrincipal": { "AWS": ALICE }, "Action": "*",
                })),
            }),
            "resource_policy",
            "NotPrincipal is not allowed in a trust policy",
        ),
    ] {
        let found = evaluate(&request(fields.clone()));
        assert_eq!(found.decision.as_str(), "unknown", "{fields}");
        assert!(
            found.blocked_by.contains(&layer.to_owned()),
            "{fields}: {found:?}"
        );
        let error = found.error.unwrap();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_broken_policy_does_not_hide_a_deny() {
    let found = evaluate(&request(json!({
        "identity_policies": ["{", deny_all()],
    })));
    assert_eq!(found.decision.as_str(), "explicit_deny");
    assert!(found.error.is_some());
}
