//! Service control policies and resource control policies.

use super::*;

/// Reads levels such as `+; + !; 0`; `.` is a level without policies.
fn levels(cell: &str) -> Value {
    let level = |level: &str| -> Value {
        let policies = level
            .split(' ')
            .filter(|policy| !matches!(*policy, "" | "."));
        policies.map(named).collect()
    };
    cell.split(';').map(level).collect()
}

#[test]
fn every_level_of_scps_must_allow() {
    for [cell, expected, blocked] in rows(
        r"
        + | allowed | .
        +; +; + | allowed | .
        +; 0; + | implicit_deny | service_control_policies
        0 +; + | allowed | .
        +; .; + | implicit_deny | service_control_policies
        . | implicit_deny | service_control_policies
        +; + !; + | explicit_deny | service_control_policies
        ! | explicit_deny | service_control_policies
        0; ! | explicit_deny | service_control_policies
        +; ? | unknown | service_control_policies
        0; ? | unknown | service_control_policies
        !; ? | explicit_deny | service_control_policies
        + ?; + | unknown | service_control_policies
        ",
    ) {
        let found = evaluate(&request(json!({
            "identity_policies": [allow_all()],
            "service_control_policies": levels(cell),
        })));
        assert_eq!(found.decision.as_str(), expected, "{cell}: {found:?}");
        assert_eq!(
            found.blocked_by.join(" "),
            blocked.trim_matches('.'),
            "{cell}"
        );
    }
    let found = evaluate(&request(json!({
        "identity_policies": [allow_all()],
        "service_control_policies": levels("+; 0; 0"),
    })));
    assert_eq!(
        found.reasons,
        [
            "no statement of service_control_policies level 2 allows it",
            "no statement of service_control_policies level 3 allows it",
        ]
    );
}

#[test]
fn scps_give_nothing_and_add_to_what_blocks() {
    for (identity, scps, expected) in [
        (json!([]), "+", "identity_policies"),
        (
            json!([allow_other()]),
            "0",
            "identity_policies service_control_policies",
        ),
    ] {
        let found = evaluate(&request(json!({
            "identity_policies": identity,
            "service_control_policies": levels(scps),
        })));
        assert_eq!(found.decision.as_str(), "implicit_deny");
        assert_eq!(found.blocked_by.join(" "), expected);
    }
}

#[test]
fn scps_limit_what_a_resource_policy_allows() {
    let found = evaluate(&request(json!({
        "resource_policy": allow_principal(json!({ "AWS": ALICE })),
        "service_control_policies": levels("0"),
    })));
    assert_eq!(found.decision.as_str(), "implicit_deny");
}

/// Whom an SCP that denies all, and an RCP that denies all, stop.
#[test]
fn who_is_bound() {
    let rcp = policy(json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" }));
    for [caller, fields, by_scp, by_rcp] in rows(
        r#"
        arn:aws:iam::111111111111:user/alice | {} | yes | yes
        arn:aws:iam::111111111111:role/Admin | {} | yes | yes
        arn:aws:sts::111111111111:assumed-role/Admin/x | {} | yes | yes
        arn:aws:iam::111111111111:root | {} | yes | yes
        arn:aws:sts::111111111111:federated-user/bob | {} | yes | yes
        ec2.amazonaws.com | {} | no | yes
        accounts.google.com | {} | no | yes
        Anonymous | {} | no | yes
        arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX | {} | no | no
        arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForX/s | {} | no | no
        arn:aws:sts::111111111111:assumed-role/X/s | {"context": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/X"}} | no | no
        arn:aws:iam::111111111111:user/alice | {"management_account": "111111111111"} | no | no
        arn:aws:iam::111111111111:user/alice | {"management_account": "222222222222"} | yes | yes
        arn:aws:iam::111111111111:user/alice | {"context": {"aws:PrincipalOrgMasterAccountId": "111111111111"}} | no | no
        arn:aws:iam::111111111111:user/alice | {"context": {"aws:PrincipalOrgMasterAccountId": "222222222222"}} | yes | yes
        arn:aws:iam::111111111111:user/alice | {"context": {"aws:PrincipalOrgMasterAccountId": null}} | ? | ?
        # SCPs follow the caller's account, RCPs that of the resource
        arn:aws:iam::111111111111:user/alice | {"management_account": "111111111111", "resource_account": "222222222222"} | no | yes
        arn:aws:iam::111111111111:user/alice | {"management_account": "222222222222", "resource_account": "222222222222"} | yes | no
        Anonymous | {"management_account": "222222222222", "resource_account": "222222222222"} | no | no
        "#,
    ) {
        let mut base = json(fields);
        base["principal"] = json!(caller);
        base["identity_policies"] = json!([allow_all()]);
        base["resource_policy"] = allow_principal(json!("*"));
        for (field, policy, expected) in [
            (
                "service_control_policies",
                json!([[allow_all(), deny_all()]]),
                by_scp,
            ),
            ("resource_control_policies", json!([[rcp]]), by_rcp),
        ] {
            let mut request = request(base.clone());
            request[field] = policy;
            let found = match decision(&request) {
                "explicit_deny" => "yes",
                "allowed" => "no",
                _ => "?",
            };
            assert_eq!(found, expected, "{field} {caller} {fields}");
        }
    }
}

#[test]
fn an_unknown_management_account_is_named() {
    let found = evaluate(&request(json!({
        "context": { "aws:PrincipalOrgMasterAccountId": null },
        "identity_policies": [allow_all()],
        "service_control_policies": levels("0"),
    })));
    assert_eq!(found.decision.as_str(), "unknown");
    assert_eq!(
        found.blocked_by,
        [
            "service_control_policies",
            "context key aws:PrincipalOrgMasterAccountId"
        ]
    );
}

#[test]
fn rcps_only_ever_deny() {
    let deny = |condition: Value| {
        policy(json!({
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
            "Condition": condition,
        }))
    };
    let full = policy(json!({
        "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
    }));
    let foreign = json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-1" } });
    for (levels, org, expected) in [
        (json!([[]]), "o-1", "allowed"),
        (json!([[full], []]), "o-1", "allowed"),
        (json!([[full, deny(foreign.clone())]]), "o-1", "allowed"),
        (
            json!([[full, deny(foreign.clone())]]),
            "o-2",
            "explicit_deny",
        ),
        (json!([[], [deny(foreign.clone())]]), "o-2", "explicit_deny"),
        (json!([[null]]), "o-1", "unknown"),
        (json!(null), "o-1", "unknown"),
    ] {
        let request = request(json!({
            "context": { "aws:PrincipalOrgID": org },
            "identity_policies": [allow_all()],
            "resource_control_policies": levels,
        }));
        assert_eq!(decision(&request), expected, "{levels} {org}");
    }
}

/// An RCP that exempts a role by `ArnNotLike` also hits services, unless it is guarded.
#[test]
fn an_unguarded_rcp_hits_services() {
    let rcp = |guard: bool| {
        let mut condition = json!({
            "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/Admin" },
        });
        if guard {
            condition["BoolIfExists"] = json!({ "aws:PrincipalIsAWSService": "false" });
        }
        policy(json!({
            "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": condition,
        }))
    };
    for (caller, guard, expected) in [
        ("cloudtrail.amazonaws.com", false, "explicit_deny"),
        ("cloudtrail.amazonaws.com", true, "allowed"),
        (SESSION, false, "allowed"),
        (SESSION, true, "allowed"),
        (ALICE, true, "explicit_deny"),
        ("Anonymous", true, "explicit_deny"),
    ] {
        let request = request(json!({
            "principal": caller,
            "resource_policy": allow_principal(json!("*")),
            "resource_control_policies": [[rcp(guard)]],
        }));
        assert_eq!(decision(&request), expected, "{caller} {guard}");
    }
}

/// The ways to exempt a role from an SCP: the role's ARN, never that of the session; and one Deny, not two.
#[test]
fn exemptions() {
    let deny = |values: Value| {
        policy(json!({
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": values } },
        }))
    };
    let role = "arn:aws:iam::111111111111:role/Admin";
    for (policies, expected) in [
        (json!([deny(json!(role))]), "allowed"),
        (json!([deny(json!("arn:aws:iam::*:role/Admin"))]), "allowed"),
        (json!([deny(json!(SESSION))]), "explicit_deny"),
        (
            json!([deny(json!([role, "arn:aws:iam::*:role/Other"]))]),
            "allowed",
        ),
        (
            json!([deny(json!(role)), deny(json!("arn:aws:iam::*:role/Other"))]),
            "explicit_deny",
        ),
    ] {
        let mut level = vec![allow_all()];
        level.extend(policies.as_array().unwrap().clone());
        let request = request(json!({
            "principal": SESSION,
            "identity_policies": [allow_all()],
            "service_control_policies": [level],
        }));
        assert_eq!(decision(&request), expected, "{policies}");
    }
}
