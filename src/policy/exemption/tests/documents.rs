//! Edits of whole guardrails.

use super::*;

#[test]
fn every_deny_that_blocks_is_edited_and_the_rest_stays_byte_for_byte() {
    let old = guardrails();
    let blocked = request(
        ADMIN,
        "cloudtrail:StopLogging",
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/org",
    );
    let mut blocked = blocked;
    blocked
        .context
        .set("aws:RequestedRegion", ContextValue::one("us-east-1"));
    let numbers = blocking_statements(&old, DocumentKind::Scp, &blocked);
    assert_eq!(numbers, [2, 4, 5]);
    let new = checked(
        &old,
        &Chosen::Numbers(numbers),
        &set([ANYWHERE]),
        DocumentKind::Scp,
    );
    assert_eq!(
        blocking_statements(&new, DocumentKind::Scp, &blocked),
        [0; 0]
    );
    let text = minified(&old);
    let text = text.replace(
        r#"["eu-west-1","eu-central-1"]}}"#,
        &format!(
            r#"["eu-west-1","eu-central-1"]}},"ArnNotLike":{{"aws:PrincipalArn":"{ANYWHERE}"}}}}"#
        ),
    );
    let text = text.replace(
        &format!(r#"IfExists":{{"aws:PrincipalArn":"{OTHER}""#),
        &format!(r#"IfExists":{{"aws:PrincipalArn":["{OTHER}","{ANYWHERE}"]"#),
    );
    let text = text.replace(
        &format!(r#","{OTHER}"]}}}}}}]"#),
        &format!(r#","{OTHER}","{ANYWHERE}"]}}}}}}]"#),
    );
    assert_eq!(minified(&new), text);
    let proof = prove(&old, &new, &set([ANYWHERE])).unwrap();
    assert_eq!(proof.statements(), ["DenyOutsideEU", "ProtectTrails", "5"]);
    assert_eq!(
        proof.to_string(),
        format!(
            "only {ANYWHERE} gains: statements DenyOutsideEU, ProtectTrails, 5 no longer deny it"
        )
    );
    // Where every Deny is meant, the one about root users is let through already.
    assert_eq!(
        exempt(&old, &Chosen::EachDeny, &set([ANYWHERE]), DocumentKind::Scp).unwrap(),
        new
    );
    assert_eq!(unexempt(&new, &Chosen::EachDeny, &set([ANYWHERE])), old);

    // A stranger, a root user and a caller of another path stay where they were.
    for stranger in [
        "arn:aws:iam::111122223333:role/Admin",
        "arn:aws:iam::111122223333:role/break-glass/sub/Admin",
        "arn:aws:iam::111122223333:user/break-glass/Admin",
        "arn:aws:iam::111122223333:root",
    ] {
        let mut request = request(stranger, &blocked.action, &blocked.resource);
        request
            .context
            .set("aws:RequestedRegion", ContextValue::one("us-east-1"));
        let before = blocking_statements(&old, DocumentKind::Scp, &request);
        assert!(before.len() >= 3, "{stranger}");
        assert_eq!(
            blocking_statements(&new, DocumentKind::Scp, &request),
            before,
            "{stranger}"
        );
    }
}

#[test]
fn an_rcp_keeps_its_guards() {
    let old = document(&json!([{
        "Sid": "OnlyOurOrganization", "Effect": "Deny", "Principal": "*", "Action": ["s3:*", "sts:AssumeRole"], "Resource": "*",
        "Condition": {
            "StringNotEqualsIfExists": { "aws:PrincipalOrgID": "o-exampleorg1" },
            "BoolIfExists": { "aws:PrincipalIsAWSService": "false" },
        },
    }]));
    let new = checked(
        &old,
        &sid("OnlyOurOrganization"),
        &set([ADMIN]),
        DocumentKind::Rcp,
    );
    let proof = prove(&old, &new, &set([ADMIN])).unwrap();
    assert_eq!(
        proof.to_string(),
        format!("only {ADMIN} gains: statement OnlyOurOrganization no longer denies it")
    );
    let text = minified(&new);
    assert!(
        text.contains(r#""BoolIfExists":{"aws:PrincipalIsAWSService":"false"}"#),
        "{text}"
    );
    let of = |principal: &str| {
        let request = request(principal, "s3:GetObject", "arn:aws:s3:::bucket/key");
        let blocking = |document| blocking_statements(document, DocumentKind::Rcp, &request).len();
        (blocking(&old), blocking(&new))
    };
    assert_eq!(of(ADMIN), (1, 0));
    assert_eq!(of(OTHER), (1, 1));
    assert_eq!(of("logging.s3.amazonaws.com"), (0, 0));
    assert_eq!(of("Anonymous"), (1, 1));
}

#[test]
fn a_guardrail_blocks_only_whom_it_binds() {
    let old = deny(&json!({ "Bool": { "k": "true" } }));
    let mut asked = request(ADMIN, "s3:ListBucket", "arn:aws:s3:::b");
    let blocking = |kind, asked: &Request| blocking_statements(&old, kind, asked);
    assert_eq!(blocking(DocumentKind::Scp, &asked), [0; 0]);
    asked.context.set("k", ContextValue::Unknown);
    assert_eq!(blocking(DocumentKind::Scp, &asked), [1]);
    asked.context.set("k", ContextValue::one("true"));
    for kind in [DocumentKind::Scp, DocumentKind::Rcp, DocumentKind::Identity] {
        assert_eq!(blocking(kind, &asked), [1]);
    }
    asked.management_account = Some("111122223333".parse().unwrap());
    assert_eq!(blocking(DocumentKind::Scp, &asked), [0; 0]);
    asked.resource_account = Some("999999999999".parse().unwrap());
    assert_eq!(blocking(DocumentKind::Rcp, &asked), [1]);
    let mut linked = request(
        "arn:aws:iam::111122223333:role/aws-service-role/x/AWSServiceRoleForX",
        "s3:Get",
        "*",
    );
    linked.context.set("k", ContextValue::one("true"));
    assert_eq!(blocking(DocumentKind::Scp, &linked), [0; 0]);
}
