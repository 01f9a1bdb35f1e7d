//! Whom each statement comes to let through.

use super::*;

const ASSUME: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/break-glass/Admin"}]}"#;

/// A policy of Deny statements, each with its own action and condition, that is attached to the root.
fn denying(kind: GuardrailKind, statements: &[(&str, &str, serde_json::Value)]) -> GuardrailPolicy {
    let statements = statements.iter().map(|(sid, action, condition)| {
        let mut statement = json!({
            "Sid": sid, "Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition,
        });
        if kind == GuardrailKind::Rcp {
            statement["Principal"] = json!("*");
        }
        statement
    });
    let statements: Vec<_> = statements.collect();
    GuardrailPolicy {
        kind,
        targets: BTreeSet::from(["r-root".to_owned()]),
        ..scp(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
    }
}

/// What the exceptions make of a policy: `STATEMENT PRINCIPAL`, and the notes.
fn made(exception: DesiredException, policy: GuardrailPolicy) -> (Vec<String>, Vec<String>) {
    let (desired, before) = (desired(&[exception]), live(policy));
    let found = diff(&desired, &before);
    let after = applied(&found, &before);
    assert_eq!(diff(&desired, &after).changes, []);
    (exempt(&after), found.notes)
}

#[test]
fn statements_that_would_stop_nobody_are_left_as_they_are() {
    let none = json!({});
    let policy = denying(
        GuardrailKind::Scp,
        &[
            (
                "Root",
                "*",
                json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:root" } }),
            ),
            (
                "Strangers",
                "*",
                json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-exampleorg1" } }),
            ),
            (
                "Services",
                "*",
                json!({ "Bool": { "aws:PrincipalIsAWSService": "true" } }),
            ),
            ("Region", "ec2:*", none),
        ],
    );
    let (made, notes) = made(exception("a", &["3"]), policy);
    assert_eq!(made, [format!("Region {}", admin("3"))]);
    assert_eq!(notes, [""; 0]);
}

#[test]
fn a_user_is_let_through_only_where_it_makes_a_call_that_is_stopped() {
    let both = || {
        denying(
            GuardrailKind::Scp,
            &[("Region", "ec2:*", json!({})), ("Hops", "sts:*", json!({}))],
        )
    };
    let with_user = |policies| DesiredException {
        roles: Vec::new(),
        users: vec![excepted_user(policies)],
        ..exception("a", &[])
    };
    let (only, notes) = made(with_user(Some(&[ASSUME])), both());
    assert_eq!((only, notes), (vec![format!("Hops {}", alice())], vec![]));
    // What AWS's own policies allow is not known.
    let (all, _) = made(with_user(None), both());
    assert_eq!(
        all,
        [format!("Region {}", alice()), format!("Hops {}", alice())]
    );

    let region = denying(GuardrailKind::Scp, &[("Region", "ec2:*", json!({}))]);
    let (nothing, notes) = made(with_user(Some(&[ASSUME])), region);
    assert_eq!(nothing, [""; 0]);
    assert_eq!(
        notes,
        ["exception a lets nobody through: SCP deny stops none of its roles and users"]
    );
    // Where the SCP does not bind the emergency account, nothing is stopped.
    let elsewhere = GuardrailPolicy {
        targets: BTreeSet::from(["ou-root-work".to_owned()]),
        ..both()
    };
    assert_eq!(made(with_user(None), elsewhere).0, [""; 0]);
}

#[test]
fn whoever_assumes_the_role_is_let_through_where_just_that_is_stopped() {
    let statements = [
        ("Region", "ec2:*", json!({})),
        ("Hops", "sts:AssumeRole", json!({})),
    ];
    let scp = denying(GuardrailKind::Scp, &statements);
    let everyone = exception("a", &["2", "3", "4", "5"]);
    let (made_in_scp, _) = made(everyone.clone(), scp.clone());
    assert_eq!(
        made_in_scp,
        [
            format!("Region {ADMIN}"),
            format!("Hops {ADMIN}"),
            format!("Hops {}", alice()),
        ]
    );
    let found = diff(&desired(&[everyone]), &live(scp));
    let reason = found.changes[0].reason.clone().unwrap();
    assert!(
        reason.contains("whoever assumes a role is let through"),
        "{reason}"
    );

    let rcp = denying(GuardrailKind::Rcp, &statements);
    let (made_in_rcp, _) = made(exception("a", &["3"]), rcp);
    assert_eq!(
        made_in_rcp,
        [
            format!("Region {}", admin("3")),
            format!("Hops {}", alice()),
            format!("Hops {}", admin("3")),
        ]
    );
    let named = DesiredException {
        statements: Some(vec!["Region".to_owned()]),
        ..exception("a", &["3"])
    };
    let (made_in_one, _) = made(named, denying(GuardrailKind::Rcp, &statements));
    assert_eq!(made_in_one, [format!("Region {}", admin("3"))]);
}

#[test]
fn what_was_lost_comes_back_without_a_gate_and_what_is_new_does_not() {
    let desired = desired(&[exception("a", &["3", "4"])]);
    let before = live(scp(&document(&[], &[CI])));
    let found = diff(&desired, &before);
    assert_eq!(gates(&found), ["widen: a"]);
    let after = applied(&found, &before);
    let tags = &after.policies["p-deny"].tags;
    assert_eq!(tags.keys().collect::<Vec<_>>(), ["breakglass:exception/a"]);

    // Another tool sets the document back.
    let mut lost = after.clone();
    lost.policies.get_mut("p-deny").unwrap().document = before.policies["p-deny"].document.clone();
    let found = diff(&desired, &lost);
    assert_eq!(told(&found), ["Create org/guardrail_exception/a"]);
    assert_eq!(gates(&found), [""; 0]);
    assert_eq!(applied(&found, &lost), after);

    // The spec comes to ask for more.
    let more = super::desired(&[DesiredException {
        expires: "2028-06-30".parse().unwrap(),
        ..exception("a", &["3", "4"])
    }]);
    assert_eq!(diff(&more, &after).changes, []);
    assert_eq!(gates(&diff(&more, &lost)), ["widen: a"]);

    // Past its last day it goes with its tag.
    let over = super::desired(&[DesiredException {
        expires: "2026-06-30".parse().unwrap(),
        ..exception("a", &["3", "4"])
    }]);
    let gone = applied(&diff(&over, &after), &after);
    assert_eq!(gone, before);
}

#[test]
fn why_who_and_where_it_was_agreed_is_told() {
    let found = diff(
        &desired(&[exception("a", &["3", "4"])]),
        &live(scp(&document(&[], &[]))),
    );
    let reason = found.changes[0].reason.clone().unwrap();
    assert!(
        reason.ends_with("until 2027-06-30; A lock must not stop recovery (security, SEC-1)"),
        "{reason}"
    );
}

#[test]
fn for_whom_there_is_no_room_is_told() {
    let padding = "s3:".to_owned() + &"x".repeat(9_980);
    let mut text = json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "One", "Effect": "Deny", "Action": "ec2:*", "Resource": "*" },
    ] });
    text["Statement"][0]["Action"] = json!(["ec2:*", padding]);
    let policy = GuardrailPolicy {
        targets: BTreeSet::from(["r-root".to_owned()]),
        ..scp(&text.to_string())
    };
    let found = diff(&desired(&[exception("a", &["2", "3", "4"])]), &live(policy));
    let blocked = found.changes[0].blocked.clone().unwrap();
    assert!(
        blocked.contains("there is room for 2 of 3 values"),
        "{blocked}"
    );
    assert!(
        blocked.ends_with("not for those of 444444444444"),
        "{blocked}"
    );
}
