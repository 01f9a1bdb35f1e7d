//! Nobody else gets in.

use super::*;

/// Adds a statement to the trust policy, and tells who else is found to get in, or why that is not known.
fn others(statement: Value) -> Vec<String> {
    let mut trust = trust();
    trust["Statement"].as_array_mut().unwrap().push(statement);
    let mut world = World::new("");
    world.accounts.insert(id("3"), role(trust));
    let result = world.prove();
    let proof = proof(&result, "closed_to_others");
    let callers = proof.findings.iter().flat_map(|finding| {
        let callers = finding.callers.iter();
        callers.map(|caller| format!("{:?} {} {}", finding.verdict, caller.statement, caller.what))
    });
    callers.collect()
}

#[test]
fn every_class_of_others_is_found() {
    let allow = |principal: Value| json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
    for (principal, expected) in [
        (json!({ "AWS": ALICE }), &[] as &[&str]),
        (
            json!({ "AWS": "arn:aws:iam::222222222222:user/break-glass/bob" }),
            &["Open 2 a user that is not trusted"],
        ),
        (
            json!({ "AWS": "222222222222" }),
            &[
                "Open 2 the root user of the account",
                "Open 2 anyone else in the account",
            ],
        ),
        (
            json!({ "AWS": "arn:aws:iam::999999999999:role/x" }),
            &["Open 2 a session of a role that is not trusted"],
        ),
        (
            json!({ "AWS": "AIDAEXAMPLEEXAMPLE123" }),
            &["Open 2 the unique id of a principal that was deleted"],
        ),
        (
            json!({ "Service": "ec2.amazonaws.com" }),
            &["Open 2 an AWS service"],
        ),
        (
            json!({ "Federated": "arn:aws:iam::333333333333:saml-provider/idp" }),
            &["Open 2 users of an identity provider"],
        ),
        (
            json!({ "Federated": "accounts.google.com" }),
            &["Open 2 users of an identity provider"],
        ),
    ] {
        let found = others(allow(principal.clone()));
        assert_eq!(found, expected, "{principal}");
    }
    let everyone = others(allow(json!("*")));
    for what in [
        "anyone in any other account",
        "anybody, without credentials",
        "an AWS service",
    ] {
        let line = format!("Open 2 {what}");
        assert!(everyone.contains(&line), "{what}: {everyone:?}");
    }
}

#[test]
fn what_lets_in_the_trusted_alone_is_closed() {
    let by_condition = json!({
        "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole",
        "Condition": { "ArnEquals": { "aws:PrincipalArn": ALICE } },
    });
    let tags = json!({ "Effect": "Allow", "Principal": { "AWS": "222222222222" }, "Action": "sts:TagSession" });
    let deny = json!({ "Effect": "Deny", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole",
        "Condition": { "ArnNotLike": { "aws:PrincipalArn": ALICE } } });
    for statement in [by_condition, tags, deny] {
        assert_eq!(others(statement.clone()), [""; 0], "{statement}");
    }
}

#[test]
fn a_condition_that_is_wider_than_the_trusted_is_no_excuse() {
    let wide = json!({
        "Effect": "Allow", "Principal": { "AWS": "222222222222" }, "Action": "sts:AssumeRole",
        "Condition": { "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::222222222222:user/break-glass/*" } },
    });
    assert!(!others(wide).is_empty());
}

#[test]
fn a_trust_policy_that_cannot_be_read_is_not_proven() {
    let mut world = World::new("");
    world
        .accounts
        .insert(id("3"), role(json!({ "Statement": [] , "Oops": 1 })));
    let result = world.prove();
    assert_eq!(
        proof(&result, "closed_to_others").verdict,
        Verdict::NotProven
    );
    assert_eq!(proof(&result, "assume").verdict, Verdict::NotProven);
}
