//! How the layers of one request combine.

use super::*;

/// Checks rows of identity policies, boundary, session policy (`-`: absent), decision and blockers.
fn check_identity_side(caller: &str, table: &str) {
    for [identity, boundary, session, expected, blocked] in rows(table) {
        let mut request = request(json!({ "principal": caller }));
        for (field, cell) in [
            ("identity_policies", identity),
            ("permission_boundary", boundary),
            ("session_policy", session),
        ] {
            if cell != "-" {
                let policies: Vec<Value> = cell.split(' ').map(named).collect();
                request[field] = json!(policies);
            }
        }
        let found = evaluate(&request);
        let row = format!("{identity} {boundary} {session}: {found:?}");
        assert_eq!(found.decision.as_str(), expected, "{row}");
        assert_eq!(
            found.blocked_by.join(" "),
            blocked.trim_matches('.'),
            "{row}"
        );
    }
}

#[test]
fn identity_side() {
    check_identity_side(
        ALICE,
        r"
        - | - | - | implicit_deny | identity_policies
        + | - | - | allowed | .
        0 | - | - | implicit_deny | identity_policies
        0 + | - | - | allowed | .
        + ! | - | - | explicit_deny | identity_policies
        ! | - | - | explicit_deny | identity_policies
        + | + | - | allowed | .
        + | 0 | - | implicit_deny | permission_boundary
        - | + | - | implicit_deny | identity_policies
        0 | 0 | - | implicit_deny | identity_policies permission_boundary
        + | ! | - | explicit_deny | permission_boundary
        + | - | + | allowed | .
        + | - | 0 | implicit_deny | session_policy
        + | - | 0 + | allowed | .
        + | - | ! | explicit_deny | session_policy
        + | + | 0 | implicit_deny | session_policy
        + | 0 | 0 | implicit_deny | permission_boundary session_policy
        - | - | + | implicit_deny | identity_policies
        + ? | - | - | unknown | identity_policies
        ? | - | - | unknown | identity_policies
        0 ? | - | - | unknown | identity_policies
        ! ? | - | - | explicit_deny | identity_policies
        + | ? | - | unknown | permission_boundary
        + | - | ? | unknown | session_policy
        0 | ? | - | unknown | identity_policies permission_boundary
        + | + + | - | allowed | .
        + | 0 0 | - | implicit_deny | permission_boundary
        + | + 0 | - | unknown | permission_boundary
        ",
    );
}

#[test]
fn the_root_user_needs_no_policies() {
    check_identity_side(
        ROOT,
        r"
        - | - | - | allowed | .
        0 | - | - | allowed | .
        ! | - | - | explicit_deny | identity_policies
        - | - | 0 | implicit_deny | session_policy
        ",
    );
    let found = evaluate(&request(json!({ "principal": ROOT })));
    assert_eq!(
        found.reasons,
        ["the root user of the account may do everything"]
    );
}

#[test]
fn the_deciding_statements_are_named() {
    let found = evaluate(&request(json!({
        "identity_policies": [allow_other(), policy(json!([
            { "Sid": "No", "Effect": "Deny", "Action": "iam:*", "Resource": "*" },
            { "Sid": "Yes", "Effect": "Allow", "Action": "s3:*", "Resource": "*" },
        ]))],
        "service_control_policies": [[allow_all()], [allow_other(), allow_all()]],
    })));
    assert_eq!(
        serde_json::to_value(&found.statements).unwrap(),
        json!([
            { "layer": "identity_policies", "policy": 2, "statement": 2, "sid": "Yes", "effect": "Allow" },
            { "layer": "service_control_policies", "level": 1, "policy": 1, "statement": 1, "effect": "Allow" },
            { "layer": "service_control_policies", "level": 2, "policy": 2, "statement": 1, "effect": "Allow" },
        ])
    );
    assert_eq!(
        found.reasons[0],
        "identity_policies policy 2 statement 2 (Yes) allows it"
    );
}
