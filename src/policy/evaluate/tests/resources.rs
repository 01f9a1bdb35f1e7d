//! Resource policies: in one account, across accounts, and for callers without one.

use super::*;

/// In one account: who is named decides which of identity policies, boundary and session policy still matter.
///
/// Source: IAM User Guide, "Policy evaluation logic", the table of principals under "Resource-based policies".
#[test]
fn resource_policies_in_one_account() {
    for [
        caller,
        principal,
        identity,
        boundary,
        session,
        expected,
        blocked,
    ] in rows(
        r#"
        USER | {"AWS": "USER"} | - | - | - | allowed | .
        USER | {"AWS": "USER"} | 0 | 0 | - | allowed | .
        USER | {"AWS": "USER"} | 0 | 0 | 0 | allowed | .
        USER | {"AWS": "USER"} | 0 | ! | - | explicit_deny | permission_boundary
        USER | {"AWS": "USER"} | ! | - | - | explicit_deny | identity_policies
        USER | "*" | 0 | 0 | - | allowed | .
        USER | {"AWS": "*"} | - | 0 | - | allowed | .
        USER | {"AWS": "ROOT"} | - | - | - | implicit_deny | identity_policies
        USER | {"AWS": "111111111111"} | + | - | - | allowed | .
        USER | {"AWS": "ROOT"} | + | 0 | - | implicit_deny | permission_boundary
        USER | {"AWS": "ROLE"} | + | - | - | allowed | .
        USER | {"AWS": "ROLE"} | 0 | - | - | implicit_deny | identity_policies
        SESSION | {"AWS": "ROLE"} | - | - | - | allowed | .
        SESSION | {"AWS": "ROLE"} | 0 | + | + | allowed | .
        SESSION | {"AWS": "ROLE"} | + | 0 | - | implicit_deny | permission_boundary
        SESSION | {"AWS": "ROLE"} | - | - | 0 | implicit_deny | session_policy
        SESSION | {"AWS": "ROLE"} | - | 0 | 0 | implicit_deny | permission_boundary session_policy
        SESSION | {"AWS": "ROLE"} | - | ? | - | unknown | permission_boundary
        SESSION | {"AWS": "SESSION"} | - | 0 | 0 | allowed | .
        SESSION | {"AWS": "SESSION"} | 0 | - | - | allowed | .
        SESSION | "*" | - | - | - | allowed | .
        SESSION | "*" | - | 0 | - | allowed | .
        SESSION | {"AWS": "*"} | - | - | 0 | allowed | .
        SESSION | {"AWS": "ROOT"} | - | - | - | implicit_deny | identity_policies
        SESSION | {"AWS": "ROOT"} | + | - | + | allowed | .
        ROLE | {"AWS": "ROLE"} | - | - | - | allowed | .
        ROLE | {"AWS": "ROLE"} | - | 0 | - | implicit_deny | permission_boundary
        FEDERATED | {"AWS": "FEDERATED"} | - | - | 0 | allowed | .
        FEDERATED | {"AWS": "USER"} | - | - | - | implicit_deny | identity_policies
        FEDERATED | "*" | - | - | + | allowed | .
        FEDERATED | "*" | - | - | 0 | allowed | .
        ROOT | {"AWS": "ROOT"} | - | - | - | allowed | .
        ROOT | {"AWS": "USER"} | - | - | - | allowed | .
        "#,
    ) {
        let replace = |text: &str| {
            text.replace("USER", ALICE)
                .replace("SESSION", SESSION)
                .replace("ROLE", ROLE)
                .replace("FEDERATED", FEDERATED_USER)
                .replace("ROOT", ROOT)
        };
        let mut request = request(json!({
            "principal": replace(caller),
            "resource_policy": allow_principal(json(&replace(principal))),
        }));
        for (field, cell) in [
            ("identity_policies", identity),
            ("permission_boundary", boundary),
            ("session_policy", session),
        ] {
            if cell != "-" {
                request[field] = json!([named(cell)]);
            }
        }
        let found = evaluate(&request);
        let row = format!("{caller} {principal} {identity} {boundary} {session}: {found:?}");
        assert_eq!(found.decision.as_str(), expected, "{row}");
        assert_eq!(
            found.blocked_by.join(" "),
            blocked.trim_matches('.'),
            "{row}"
        );
    }
}

#[test]
fn a_deny_of_the_resource_policy_wins() {
    let deny = policy(json!({ "Effect": "Deny", "Principal": "*", "Action": "*" }));
    let found = evaluate(&request(json!({
        "identity_policies": [allow_all()],
        "resource_policy": deny,
    })));
    assert_eq!(found.decision.as_str(), "explicit_deny");
    assert_eq!(found.blocked_by, ["resource_policy"]);
}

/// Trust policies and key policies must allow even in the same account.
#[test]
fn trust_and_key_policies_must_allow() {
    const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1";
    for [action, resource, principal, identity, expected, blocked] in rows(
        r#"
        sts:AssumeRole | ROLE | {"AWS": "USER"} | - | allowed | .
        sts:AssumeRole | ROLE | {"AWS": "USER"} | 0 | allowed | .
        sts:AssumeRole | ROLE | "*" | - | allowed | .
        sts:AssumeRole | ROLE | {"AWS": "*"} | - | allowed | .
        sts:AssumeRole | ROLE | {"AWS": "ROOT"} | - | implicit_deny | identity_policies
        sts:AssumeRole | ROLE | {"AWS": "ROOT"} | + | allowed | .
        sts:AssumeRole | ROLE | {"AWS": "111111111111"} | + | allowed | .
        sts:AssumeRole | ROLE | {"AWS": "222222222222"} | + | implicit_deny | resource_policy
        sts:AssumeRole | ROLE | {"Service": "ec2.amazonaws.com"} | + | implicit_deny | resource_policy
        sts:AssumeRole | ROLE | {"AWS": "222222222222"} | - | implicit_deny | resource_policy
        STS:assumerole | ROLE | {"AWS": "222222222222"} | + | implicit_deny | resource_policy
        sts:TagSession | ROLE | {"AWS": "222222222222"} | + | implicit_deny | resource_policy
        sts:SetSourceIdentity | ROLE | {"AWS": "222222222222"} | + | implicit_deny | resource_policy
        sts:AssumeRole | ROLE | null | + | unknown | resource_policy
        sts:AssumeRole | ROLE | - | + | allowed | .
        sts:AssumeRole | ROLE | - | - | implicit_deny | identity_policies
        kms:Decrypt | KEY | {"AWS": "ROOT"} | + | allowed | .
        kms:Decrypt | KEY | {"AWS": "ROOT"} | - | implicit_deny | identity_policies
        kms:Decrypt | KEY | {"AWS": "USER"} | - | allowed | .
        kms:Decrypt | KEY | {"AWS": "222222222222"} | + | implicit_deny | resource_policy
        kms:Decrypt | KEY | - | + | allowed | .
        # other actions and resources follow the general rule
        iam:GetRole | ROLE | {"AWS": "222222222222"} | + | allowed | .
        sts:AssumeRole | * | {"AWS": "222222222222"} | + | allowed | .
        kms:ListAliases | * | {"AWS": "222222222222"} | + | allowed | .
        "#,
    ) {
        let replace = |text: &str| {
            text.replace("USER", ALICE)
                .replace("ROLE", "arn:aws:iam::111111111111:role/path/Target")
                .replace("ROOT", ROOT)
                .replace("KEY", KEY)
        };
        let mut request = request(json!({ "action": action, "resource": replace(resource) }));
        match principal {
            "-" => {}
            "null" => request["resource_policy"] = Value::Null,
            _ => request["resource_policy"] = allow_principal(json(&replace(principal))),
        }
        if identity != "-" {
            request["identity_policies"] = json!([named(identity)]);
        }
        let found = evaluate(&request);
        let row = format!("{action} {resource} {principal} {identity}: {found:?}");
        assert_eq!(found.decision.as_str(), expected, "{row}");
        assert_eq!(
            found.blocked_by.join(" "),
            blocked.trim_matches('.'),
            "{row}"
        );
    }
}

#[test]
fn across_accounts_both_sides_must_allow() {
    for [caller, principal, identity, boundary, expected, blocked] in rows(
        r#"
        USER | {"AWS": "USER"} | + | - | allowed | .
        USER | {"AWS": "ROOT"} | + | - | allowed | .
        USER | {"AWS": "111111111111"} | + | - | allowed | .
        USER | "*" | + | - | allowed | .
        USER | {"AWS": "USER"} | - | - | implicit_deny | identity_policies
        USER | {"AWS": "USER"} | 0 | - | implicit_deny | identity_policies
        USER | {"AWS": "USER"} | + | 0 | implicit_deny | permission_boundary
        USER | {"AWS": "222222222222"} | + | - | implicit_deny | resource_policy
        USER | - | + | - | implicit_deny | resource_policy
        USER | - | - | - | implicit_deny | identity_policies resource_policy
        SESSION | {"AWS": "ROLE"} | + | - | allowed | .
        SESSION | {"AWS": "SESSION"} | + | 0 | implicit_deny | permission_boundary
        SESSION | {"AWS": "ROLE"} | - | - | implicit_deny | identity_policies
        ROOT | {"AWS": "ROOT"} | - | - | allowed | .
        ROOT | - | - | - | implicit_deny | resource_policy
        "#,
    ) {
        let replace = |text: &str| {
            text.replace("USER", ALICE)
                .replace("SESSION", SESSION)
                .replace("ROLE", ROLE)
                .replace("ROOT", ROOT)
        };
        for (field, value) in [
            ("resource_account", "222222222222"),
            ("resource", "arn:aws:iam::222222222222:role/Target"),
            ("resource", "arn:aws:sqs:eu-west-1:222222222222:queue"),
        ] {
            let mut request = request(json!({ "principal": replace(caller), field: value }));
            if field == "resource" {
                request["action"] = json!("sts:AssumeRole");
            }
            if principal != "-" {
                request["resource_policy"] = allow_principal(json(&replace(principal)));
            }
            if identity != "-" {
                request["identity_policies"] = json!([named(identity)]);
            }
            if boundary != "-" {
                request["permission_boundary"] = named(boundary);
            }
            let found = evaluate(&request);
            let row = format!("{caller} {principal} {identity} {boundary} {value}: {found:?}");
            assert_eq!(found.decision.as_str(), expected, "{row}");
            assert_eq!(
                found.blocked_by.join(" "),
                blocked.trim_matches('.'),
                "{row}"
            );
        }
    }
}

#[test]
fn the_account_of_the_resource() {
    for (resource, account, expected) in [
        ("arn:aws:s3:::bucket", None, "allowed"),
        ("*", None, "allowed"),
        (
            "arn:aws:iam::aws:policy/AdministratorAccess",
            None,
            "allowed",
        ),
        (
            "arn:aws:sns:eu-west-1:222222222222:t",
            None,
            "implicit_deny",
        ),
        ("arn:aws:sns:eu-west-1:111111111111:t", None, "allowed"),
        ("arn:aws:s3:::bucket", Some("222222222222"), "implicit_deny"),
        (
            "arn:aws:sns:eu-west-1:222222222222:t",
            Some("111111111111"),
            "allowed",
        ),
    ] {
        let mut request = request(json!({
            "resource": resource,
            "identity_policies": [allow_all()],
        }));
        if let Some(account) = account {
            request["resource_account"] = json!(account);
        }
        assert_eq!(decision(&request), expected, "{resource} {account:?}");
    }
}

#[test]
fn callers_without_an_account_need_the_resource_policy() {
    for (caller, principal) in [
        (
            "ec2.amazonaws.com",
            json!({ "Service": "ec2.amazonaws.com" }),
        ),
        (
            "accounts.google.com",
            json!({ "Federated": "accounts.google.com" }),
        ),
        (
            "arn:aws:iam::111111111111:saml-provider/idp",
            json!({ "Federated": "arn:aws:iam::111111111111:saml-provider/idp" }),
        ),
        ("Anonymous", json!("*")),
        ("*", json!({ "AWS": "*" })),
    ] {
        for (policy, expected) in [
            (allow_principal(principal.clone()), "allowed"),
            (
                allow_principal(json!({ "AWS": "111111111111" })),
                "implicit_deny",
            ),
            (json!([]), "implicit_deny"),
        ] {
            let found = evaluate(&request(json!({
                "principal": caller,
                "action": "sts:AssumeRole",
                "resource": "arn:aws:iam::111111111111:role/Target",
                // The identity side is not theirs.
                "identity_policies": [deny_all()],
                "permission_boundary": [deny_all()],
                "session_policy": deny_all(),
                "resource_policy": policy,
            })));
            assert_eq!(found.decision.as_str(), expected, "{caller} {policy}");
            let blocked: &[&str] = match expected {
                "allowed" => &[],
                _ => &["resource_policy"],
            };
            assert_eq!(found.blocked_by, blocked);
        }
    }
}
