//! Whom a principal element reaches, and what a caller implies.

use super::*;

const ACCOUNT: &str = "111111111111";
const OTHER: &str = "arn:aws:iam::222222222222:user/mallory";
const SERVICE: &str = "cloudtrail.amazonaws.com";
const SAML: &str = "arn:aws:iam::111111111111:saml-provider/idp";

/// Asks with nothing but a resource policy, for a resource of another account so that every way of naming counts, and an
/// identity side that allows.
fn reached(policy: Value, caller: &str, context: Value) -> &'static str {
    let account = if caller == OTHER {
        ACCOUNT
    } else {
        "222222222222"
    };
    decision(&request(json!({
        "principal": caller,
        "resource_account": account,
        "context": context,
        "identity_policies": [allow_all()],
        "resource_policy": policy,
    })))
}

#[test]
fn principals_by_caller() {
    let callers = [
        ALICE,
        ROLE,
        SESSION,
        FEDERATED_USER,
        ROOT,
        OTHER,
        SERVICE,
        SAML,
        "Anonymous",
    ];
    // The columns are the callers in the order above.
    for [principal, expected] in rows(
        r#"
        "*" | y y y y y y y y y
        {"AWS": "*"} | y y y y y y ? ? y
        {"AWS": "111111111111"} | y y y y y n n n n
        {"AWS": "arn:aws:iam::111111111111:root"} | y y y y y n n n n
        {"AWS": "arn:aws-cn:iam::111111111111:root"} | n n n n n n n n n
        {"AWS": "222222222222"} | n n n n n y n n n
        {"AWS": "arn:aws:iam::111111111111:user/ops/alice"} | y n n n n n n n n
        {"AWS": "arn:aws:iam::111111111111:user/alice"} | n n n n n n n n n
        {"AWS": "arn:aws:iam::111111111111:user/ops/*"} | n n n n n n n n n
        {"AWS": "arn:aws:iam::111111111111:role/Admin"} | n y y n n n n n n
        {"AWS": "arn:aws:iam::111111111111:role/path/Admin"} | n n y n n n n n n
        {"AWS": "arn:aws:iam::111111111111:role/admin"} | n n n n n n n n n
        {"AWS": "arn:aws:iam::222222222222:role/Admin"} | n n n n n n n n n
        {"AWS": "arn:aws:sts::111111111111:assumed-role/Admin/alice"} | n ? y n n n n n n
        {"AWS": "arn:aws:sts::111111111111:assumed-role/Admin/bob"} | n ? n n n n n n n
        {"AWS": "arn:aws:sts::111111111111:assumed-role/Other/alice"} | n n n n n n n n n
        {"AWS": "arn:aws:sts::111111111111:federated-user/bob"} | n n n y n n n n n
        {"AWS": "AIDACKCEVSQ6C2EXAMPLE"} | n n n n n n n n n
        {"AWS": ["AIDACKCEVSQ6C2EXAMPLE", "222222222222"]} | n n n n n y n n n
        {"Service": "cloudtrail.amazonaws.com"} | n n n n n n y n n
        {"Service": "CloudTrail.amazonaws.com"} | n n n n n n n n n
        {"Federated": "arn:aws:iam::111111111111:saml-provider/idp"} | n n n n n n n y n
        {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"} | n n n n n n n n n
        {"AWS": [], "Service": []} | n n n n n n n n n
        "#,
    ) {
        let policy = allow_principal(json(principal));
        let found: Vec<&str> = callers
            .iter()
            .map(|caller| match reached(policy.clone(), caller, json!({})) {
                "allowed" => "y",
                "implicit_deny" => "n",
                _ => "?",
            })
            .collect();
        assert_eq!(found.join(" "), expected, "{principal}");
    }
}

#[test]
fn the_full_arn_of_a_role_decides_when_given() {
    let policy = allow_principal(json!({ "AWS": "arn:aws:iam::111111111111:role/path/Admin" }));
    for (arn, expected) in [
        ("arn:aws:iam::111111111111:role/path/Admin", "allowed"),
        ("arn:aws:iam::111111111111:role/Admin", "implicit_deny"),
    ] {
        let context = json!({ "aws:principalarn": arn });
        assert_eq!(reached(policy.clone(), SESSION, context), expected);
    }
}

#[test]
fn not_principal_in_a_deny_exempts_only_who_is_listed_in_full() {
    for [list, caller, expected] in rows(
        r#"
        ["USER", "ROOT"] | USER | allowed
        ["USER", "111111111111"] | USER | allowed
        ["USER"] | USER | unknown
        ["ROOT"] | USER | unknown
        ["ROOT"] | ROOT | allowed
        ["USER"] | ROOT | explicit_deny
        ["USER", "ROOT"] | ROOT | allowed
        ["USER", "ROOT"] | SESSION | unknown
        ["USER"] | SESSION | explicit_deny
        ["ROLE", "SESSION", "ROOT"] | SESSION | allowed
        ["ROLE", "SESSION"] | SESSION | unknown
        ["ROLE", "ROOT"] | SESSION | unknown
        ["SESSION"] | SESSION | unknown
        ["222222222222"] | SESSION | explicit_deny
        ["ROLE", "ROOT"] | ROLE | unknown
        ["arn:aws:iam::222222222222:user/x"] | USER | explicit_deny
        ["*"] | USER | allowed
        ["USER", "ROOT"] | Anonymous | explicit_deny
        ["USER", "ROOT"] | cloudtrail.amazonaws.com | explicit_deny
        "#,
    ) {
        let named = |text: &str| {
            text.replace("USER", ALICE)
                .replace("SESSION", SESSION)
                .replace("ROLE", ROLE)
                .replace("ROOT", ROOT)
        };
        let statements = json!([
            { "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "NotPrincipal": { "AWS": json(&named(list)) }, "Action": "*" },
        ]);
        let found = reached(policy(statements), &named(caller), json!({}));
        assert_eq!(found, expected, "{list} {caller}");
    }
    let statements = json!([
        { "Effect": "Allow", "Principal": "*", "Action": "*" },
        { "Effect": "Deny", "NotPrincipal": { "Service": SERVICE }, "Action": "*" },
    ]);
    assert_eq!(reached(policy(statements), SERVICE, json!({})), "allowed");
}

#[test]
fn not_principal_in_an_allow_reaches_who_is_not_listed() {
    for (list, expected) in [
        (json!(ALICE), "implicit_deny"),
        (json!(ACCOUNT), "implicit_deny"),
        (json!("222222222222"), "allowed"),
        (json!("*"), "implicit_deny"),
    ] {
        let statement =
            json!({ "Effect": "Allow", "NotPrincipal": { "AWS": list }, "Action": "*" });
        assert_eq!(reached(policy(statement), ALICE, json!({})), expected);
    }
}

/// Lets a request through when a key has a value, or when it is absent.
fn implied(caller: &str, key: &str, value: &str) -> bool {
    let condition = match value {
        "-" => json!({ "Null": { key: "true" } }),
        _ => json!({ "StringEquals": { key: value } }),
    };
    let statement =
        json!({ "Effect": "Allow", "Principal": "*", "Action": "*", "Condition": condition });
    decision(&request(json!({
        "principal": caller,
        "resource_account": ACCOUNT,
        "resource_policy": policy(statement),
    }))) == "allowed"
}

#[test]
fn callers_imply_keys() {
    for [caller, key, value] in rows(
        r"
        arn:aws:iam::111111111111:user/ops/alice | aws:PrincipalArn | arn:aws:iam::111111111111:user/ops/alice
        arn:aws:iam::111111111111:user/ops/alice | AWS:principalACCOUNT | 111111111111
        arn:aws:iam::111111111111:user/ops/alice | aws:PrincipalType | User
        arn:aws:iam::111111111111:user/ops/alice | aws:username | alice
        arn:aws:iam::111111111111:user/ops/alice | aws:PrincipalIsAWSService | false
        arn:aws:iam::111111111111:user/ops/alice | aws:PrincipalServiceName | -
        arn:aws:iam::111111111111:user/ops/alice | aws:MultiFactorAuthPresent | -
        arn:aws:iam::111111111111:user/ops/alice | aws:SourceIp | -
        arn:aws:sts::111111111111:assumed-role/Admin/alice | aws:PrincipalArn | arn:aws:iam::111111111111:role/Admin
        arn:aws:sts::111111111111:assumed-role/Admin/alice | aws:PrincipalType | AssumedRole
        arn:aws:sts::111111111111:assumed-role/Admin/alice | aws:username | -
        arn:aws-us-gov:sts::111111111111:assumed-role/Admin/alice | aws:PrincipalArn | arn:aws-us-gov:iam::111111111111:role/Admin
        arn:aws:iam::111111111111:role/p/Admin | aws:PrincipalArn | arn:aws:iam::111111111111:role/p/Admin
        arn:aws:iam::111111111111:role/p/Admin | aws:PrincipalType | AssumedRole
        arn:aws:iam::111111111111:root | aws:PrincipalArn | arn:aws:iam::111111111111:root
        arn:aws:iam::111111111111:root | aws:PrincipalType | Account
        arn:aws:iam::111111111111:root | aws:userid | 111111111111
        Anonymous | aws:userid | anonymous
        arn:aws:sts::111111111111:federated-user/bob | aws:PrincipalArn | arn:aws:sts::111111111111:federated-user/bob
        arn:aws:sts::111111111111:federated-user/bob | aws:PrincipalType | FederatedUser
        arn:aws:sts::111111111111:federated-user/bob | aws:username | -
        cloudtrail.amazonaws.com | aws:PrincipalIsAWSService | true
        cloudtrail.amazonaws.com | aws:PrincipalServiceName | cloudtrail.amazonaws.com
        cloudtrail.amazonaws.com | aws:PrincipalArn | -
        cloudtrail.amazonaws.com | aws:PrincipalAccount | -
        Anonymous | aws:PrincipalType | Anonymous
        Anonymous | aws:PrincipalAccount | anonymous
        Anonymous | aws:PrincipalArn | -
        Anonymous | aws:PrincipalIsAWSService | -
        accounts.google.com | aws:PrincipalType | -
        ",
    ) {
        assert!(implied(caller, key, value), "{caller} {key} {value}");
    }
}

#[test]
fn what_is_given_counts_before_what_is_implied() {
    let statement = json!({
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": { "StringEquals": { "aws:username": "carol" } },
    });
    for (given, expected) in [
        (json!("carol"), "allowed"),
        (json!([]), "implicit_deny"),
        (json!(null), "unknown"),
    ] {
        let request = request(json!({
            "context": { "AWS:UserName": given },
            "identity_policies": [policy(statement.clone())],
        }));
        assert_eq!(decision(&request), expected);
    }
}

#[test]
fn callers_are_read() {
    use crate::policy::evaluate::{Caller, CallerKind};
    for (text, kind) in [
        (ALICE, CallerKind::User),
        (ROLE, CallerKind::Role),
        (SESSION, CallerKind::Session),
        (FEDERATED_USER, CallerKind::FederatedUser),
        (ROOT, CallerKind::Root),
        (SERVICE, CallerKind::Service),
        ("ec2.amazonaws.com.cn", CallerKind::Service),
        (SAML, CallerKind::Federated),
        (
            "arn:aws:iam::111111111111:oidc-provider/x.com/id/1",
            CallerKind::Federated,
        ),
        ("cognito-identity.amazonaws.com", CallerKind::Federated),
        ("accounts.google.com", CallerKind::Federated),
        ("Anonymous", CallerKind::Anonymous),
        ("*", CallerKind::Anonymous),
    ] {
        assert_eq!(text.parse::<Caller>().unwrap().kind(), kind, "{text}");
    }
    for text in [
        "",
        "111111111111",
        "arn:aws:iam::111111111111:group/x",
        "arn:aws:iam::1:user/x",
        "arn:aws:iam::111111111111:user/",
        "arn:aws:iam::111111111111:role",
        "arn:aws:sts::111111111111:assumed-role/Admin",
        "arn:aws:sts::111111111111:assumed-role//x",
        "arn:aws:s3:::bucket",
        "arn:aws:iam",
    ] {
        assert!(text.parse::<Caller>().is_err(), "{text}");
    }
}

/// Asks for the decision of a session under a Deny with this test of who it is.
fn session_under(operator: &str, arn: &str) -> &'static str {
    decision(&json!({
        "principal": SESSION,
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::b/k",
        "identity_policies": [policy(json!([
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Action": "*", "Resource": "*",
              "Condition": { operator: { "aws:PrincipalArn": arn } } },
        ]))],
    }))
}

#[test]
fn the_path_of_a_sessions_role_is_open_where_it_matters() {
    for [operator, arn, expected] in rows(
        r"
        ArnLike | arn:aws:iam::111111111111:role/Admin | explicit_deny
        ArnLike | arn:aws:iam::*:role/Adm* | explicit_deny
        ArnLike | arn:aws:iam::*:role/break-glass/Admin | unknown
        ArnLike | arn:aws:iam::*:role/*/Admin | unknown
        ArnLike | arn:aws:iam::*:role/break-glass/* | allowed
        ArnNotLike | arn:aws:iam::*:role/aws-service-role/* | explicit_deny
        StringEquals | arn:aws:iam::111111111111:role/p/Admin | unknown
        ArnNotLike | arn:aws:iam::*:role/break-glass/Admin | unknown
        ArnLike | arn:aws:iam::*:role/break-glass/Other | allowed
        ArnLike | arn:aws:iam::222222222222:role/break-glass/Admin | allowed
        ArnLike | arn:aws:sts::*:assumed-role/Admin/* | allowed
        ArnNotLike | arn:aws:sts::*:assumed-role/Admin/* | explicit_deny
        ",
    ) {
        assert_eq!(session_under(operator, arn), expected, "{operator} {arn}");
    }
}

#[test]
fn the_unique_id_of_a_caller_is_there_but_not_known() {
    for (caller, expected) in [
        (ALICE, "unknown"),
        (SESSION, "unknown"),
        (ROOT, "explicit_deny"),
    ] {
        let request = json!({
            "principal": caller,
            "action": "s3:GetObject",
            "resource": "arn:aws:s3:::b/k",
            "identity_policies": [allow_all()],
            "service_control_policies": [[policy(json!([
                { "Effect": "Allow", "Action": "*", "Resource": "*" },
                { "Effect": "Deny", "Action": "*", "Resource": "*",
                  "Condition": { "StringNotLike": { "aws:userid": "AROAX:*" } } },
            ]))]],
        });
        assert_eq!(decision(&request), expected, "{caller}");
    }
}
