//! Whom principals mean.

use super::*;

#[test]
fn principals_are_callers() {
    let trust = |effect: &str, element: &str, principals: &str| {
        format!(r#""Effect":"{effect}","{element}":{principals},"Action":"sts:AssumeRole""#)
    };
    let allow = |principals: &str| trust("Allow", "Principal", principals);
    let deny = |principals: &str| trust("Deny", "Principal", principals);
    let (root, user) = (
        r#""arn:aws:iam::111122223333:root""#,
        r#""arn:aws:iam::111122223333:user/x""#,
    );
    let aws = |names: &[&str]| format!(r#"{{"AWS":[{}]}}"#, names.join(","));
    same(
        &[&allow(&aws(&[root, "\"111122223333\""]))],
        &[&allow(&aws(&[root]))],
    );
    // A user that is named needs no policy of its own; one of a trusted account does.
    differs(
        Access::Broader,
        &[&allow(&aws(&[root]))],
        &[&allow(&aws(&[root, user]))],
    );
    same(&[&deny(&aws(&[root]))], &[&deny(&aws(&[root, user]))]);
    same(
        &[&allow("\"*\"")],
        &[&allow("\"*\""), &allow(&aws(&[root, user]))],
    );
    differs(
        Access::Broader,
        &[&allow(&aws(&[user]))],
        &[&allow(&aws(&["\"*\""]))],
    );
    // A session belongs to its role; named itself, it is not held to boundary and session policy.
    let (role, session) = (
        r#""arn:aws:iam::111122223333:role/p/r""#,
        r#""arn:aws:sts::111122223333:assumed-role/r/s""#,
    );
    differs(
        Access::Broader,
        &[&allow(&aws(&[role]))],
        &[&allow(&aws(&[role, session]))],
    );
    differs(
        Access::Broader,
        &[&allow(&aws(&[session]))],
        &[&allow(&aws(&[role, session]))],
    );
    same(&[&deny(&aws(&[role, session]))], &[&deny(&aws(&[role]))]);
    same(
        &[&allow(&aws(&[session])), &deny(&aws(&[role]))],
        &[&deny(&aws(&[role]))],
    );
    differs(
        Access::Narrower,
        &[&deny(&aws(&[session]))],
        &[&deny(&aws(&[role]))],
    );
    differs(
        Access::Both,
        &[&allow(&aws(&[role]))],
        &[&allow(r#"{"Service":"ec2.amazonaws.com"}"#)],
    );
    // What is attached to a principal is no resource policy.
    differs(
        Access::Both,
        &[r#""Effect":"Allow","Action":"s3:*","Resource":"*""#],
        &[r#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*""#],
    );
}

#[test]
fn what_is_not_documented_is_not_proven() {
    let trust = |effect: &str, element: &str, principals: &str| {
        format!(r#""Effect":"{effect}","{element}":{principals},"Action":"sts:AssumeRole""#)
    };
    for (old, new, access) in [
        (
            trust("Allow", "Principal", r#"{"AWS":"*"}"#),
            trust("Allow", "Principal", r#""*""#),
            Access::Broader,
        ),
        (
            trust(
                "Deny",
                "NotPrincipal",
                r#"{"AWS":"arn:aws:iam::111122223333:user/x"}"#,
            ),
            trust("Deny", "Principal", r#""*""#),
            Access::Narrower,
        ),
    ] {
        match verdict(&[&old], &[&new]) {
            Verdict::Unproven { access: found, .. } => assert_eq!(found, access, "{old} {new}"),
            other => panic!("{old} {new}: {other:?}"),
        }
    }
    // Where both readings agree there is a verdict.
    differs(
        Access::Broader,
        &[
            &trust("Deny", "NotPrincipal", r#"{"AWS":"*"}"#),
            &trust("Deny", "Principal", r#""*""#),
        ],
        &[&trust("Allow", "Principal", r#"{"AWS":"*"}"#)],
    );
}
