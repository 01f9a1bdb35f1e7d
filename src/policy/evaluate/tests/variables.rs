//! Policy variables.

use super::*;

#[test]
fn variables_in_resources() {
    for [resource_pattern, resource, expected] in rows(
        r#"
        "arn:aws:s3:::b/${aws:username}/*" | arn:aws:s3:::b/alice/x | yes
        "arn:aws:s3:::b/${AWS:UserName}/*" | arn:aws:s3:::b/alice/x | yes
        "arn:aws:s3:::b/${aws:username}/*" | arn:aws:s3:::b/bob/x | no
        "arn:aws:s3:::b/${aws:PrincipalTag/Team}" | arn:aws:s3:::b/red | yes
        "arn:aws:s3:::b/${aws:principaltag/TEAM}" | arn:aws:s3:::b/red | yes
        "arn:aws:s3:::b/${aws:PrincipalTag/none}" | arn:aws:s3:::b/ | no
        "arn:aws:s3:::b/${aws:PrincipalTag/none}*" | arn:aws:s3:::b/x | no
        "arn:aws:s3:::b/${aws:PrincipalTag/none, 'all'}" | arn:aws:s3:::b/all | yes
        "arn:aws:s3:::b/${aws:PrincipalTag/none,'all'}/*" | arn:aws:s3:::b/all/x | yes
        "arn:aws:s3:::b/${aws:PrincipalTag/Team, 'all'}" | arn:aws:s3:::b/red | yes
        "arn:aws:s3:::b/${aws:PrincipalTag/Team, 'all'}" | arn:aws:s3:::b/all | no
        "arn:aws:s3:::b/${k:many}" | arn:aws:s3:::b/one | no
        "arn:aws:s3:::b/${k:star}" | arn:aws:s3:::b/anything | no
        "arn:aws:s3:::b/${k:star}" | arn:aws:s3:::b/* | yes
        "arn:aws:s3:::b/${k:star}*" | arn:aws:s3:::b/*x | yes
        "arn:aws:s3:::b/${*}" | arn:aws:s3:::b/* | yes
        "arn:aws:s3:::b/${*}" | arn:aws:s3:::b/x | no
        "arn:aws:s3:::b/${?}x*" | arn:aws:s3:::b/?xy | yes
        "arn:aws:s3:::b/${$}{a}" | arn:aws:s3:::b/${a} | yes
        "arn:aws:s3:::b/${k:unknown}" | arn:aws:s3:::b/x | ?
        "arn:aws:s3:::b/${k:unknown}" | arn:aws:s3:::c/x | no
        "arn:aws:s3:::b/${open" | arn:aws:s3:::b/${open | yes
        "#,
    ) {
        let statement =
            json!({ "Effect": "Allow", "Action": "*", "Resource": json(resource_pattern) });
        let request = request(json!({
            "resource": resource,
            "context": {
                "aws:PrincipalTag/team": "red",
                "k:many": ["one", "two"],
                "k:star": "*",
                "k:unknown": null,
            },
            "identity_policies": [policy(statement)],
        }));
        let found = match decision(&request) {
            "allowed" => "yes",
            "implicit_deny" => "no",
            _ => "?",
        };
        assert_eq!(found, expected, "{resource_pattern} {resource}");
    }
}

#[test]
fn an_unresolved_entry_of_not_resource_excludes_nothing() {
    for [pattern, expected] in rows(
        r#"
        "arn:aws:s3:::b/${aws:PrincipalTag/none}" | explicit_deny
        "arn:aws:s3:::b/${aws:username}" | allowed
        ["arn:aws:s3:::b/*", "${aws:PrincipalTag/none}"] | allowed
        "arn:aws:s3:::b/${k:unknown}" | unknown
        "#,
    ) {
        let statements = json!([
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Action": "*", "NotResource": json(pattern) },
        ]);
        let request = request(json!({
            "resource": "arn:aws:s3:::b/alice",
            "context": { "k:unknown": null },
            "identity_policies": [policy(statements)],
        }));
        assert_eq!(decision(&request), expected, "{pattern}");
    }
}

#[test]
fn variables_in_conditions() {
    for [operator, values, given, expected] in rows(
        r#"
        StringEquals | "${aws:username}" | "alice" | yes
        StringEquals | "${aws:username}" | "Alice" | no
        StringEquals | "${aws:PrincipalTag/none}" | "" | no
        StringNotEquals | "${aws:PrincipalTag/none}" | "x" | yes
        StringNotEquals | "${aws:username}" | "alice" | no
        StringNotEquals | ["${aws:PrincipalTag/none}", "x"] | "x" | no
        StringEquals | ["${aws:PrincipalTag/none}", "x"] | "x" | yes
        StringEqualsIgnoreCase | "${aws:username}-X" | "ALICE-x" | yes
        StringLike | "${aws:username}-*" | "alice-1" | yes
        StringLike | "${k:star}" | "anything" | no
        StringLike | "${k:star}" | "*" | yes
        StringEquals | "a${*}" | "a*" | yes
        StringEquals | "${$}{aws:username}" | "${aws:username}" | yes
        StringEquals | "${aws:PrincipalTag/none, 'd'}" | "d" | yes
        StringEquals | "${aws:PrincipalTag/none, d}" | "d" | ?
        StringEquals | "${k:unknown}" | "x" | ?
        StringEquals | "x${k:unknown}" | "y" | no
        ArnLike | "arn:aws:iam::${aws:PrincipalAccount}:role/*" | "arn:aws:iam::111111111111:role/a" | yes
        ArnLike | "arn:aws:iam::${aws:PrincipalAccount}:role/*" | "arn:aws:iam::2:role/a" | no
        ArnLike | "${aws:PrincipalArn}" | "arn:aws:iam::111111111111:user/ops/alice" | yes
        ArnNotLike | "arn:aws:iam::${k:none}:role/*" | "arn:aws:iam::2:role/a" | yes
        ArnLike | "arn:aws:iam::${k:unknown}:role/*" | "arn:aws:iam::2:role/a" | ?
        ArnLike | "arn:aws:iam::${k:unknown}:role/*" | "arn:aws:iam::2:user/a" | no
        # other types have no variables
        NumericEquals | "${k:ten}" | "10" | ?
        Bool | "${k:yes}" | "true" | ?
        "#,
    ) {
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": { operator: { "k:key": json(values) } },
        });
        let request = request(json!({
            "context": {
                "k:key": json(given), "k:star": "*", "k:unknown": null, "k:ten": 10, "k:yes": true,
            },
            "identity_policies": [policy(statement)],
        }));
        let found = match decision(&request) {
            "allowed" => "yes",
            "implicit_deny" => "no",
            _ => "?",
        };
        assert_eq!(found, expected, "{operator} {values} {given}");
    }
}

#[test]
fn the_old_version_has_no_variables() {
    for version in [Some("2008-10-17"), None] {
        let mut document = json!({
            "Statement": { "Effect": "Allow", "Action": "*", "Resource": "b/${aws:username}" },
        });
        if let Some(version) = version {
            document["Version"] = json!(version);
        }
        for (resource, expected) in [
            ("b/alice", "implicit_deny"),
            ("b/${aws:username}", "allowed"),
        ] {
            let request = request(json!({
                "resource": resource,
                "identity_policies": [document],
            }));
            assert_eq!(decision(&request), expected, "{version:?} {resource}");
        }
    }
}
