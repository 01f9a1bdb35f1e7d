//! What declared exceptions make of policies.

use super::*;

#[test]
fn a_missing_exception_is_made_and_then_nothing_is_left_to_do() {
    let desired = desired(&[exception("a", &["3", "4"])]);
    let before = live(scp(&document(&[], &[CI])));
    let found = diff(&desired, &before);
    assert_eq!(told(&found), ["Create org/guardrail_exception/a"]);
    assert_eq!(gates(&found), ["widen: a"]);
    let change = &found.changes[0];
    assert_eq!(change.access, crate::policy::Access::Broader);
    assert_eq!(change.account.as_str(), "111111111111");
    let fields: Vec<_> = change
        .fields
        .iter()
        .map(|field| (field.path.as_str(), &field.live, &field.spec))
        .collect();
    let (none, admins) = (json!(null), json!([ADMIN]));
    assert_eq!(
        fields,
        [
            ("exempted.One", &none, &admins),
            ("exempted.Two", &none, &admins)
        ]
    );
    let after = applied(&found, &before);
    assert_eq!(
        exempt(&after),
        [
            format!("One {ADMIN}"),
            format!("Two {CI}"),
            format!("Two {ADMIN}")
        ]
    );
    assert_eq!(diff(&desired, &after).changes, []);
}

#[test]
fn an_exception_that_is_there_in_part_is_completed() {
    let desired = desired(&[exception("a", &["3", "4"])]);
    let before = live(scp(&document(&[ADMIN], &[])));
    let found = diff(&desired, &before);
    assert_eq!(told(&found), ["Update org/guardrail_exception/a"]);
    assert_eq!(found.changes[0].fields.len(), 1);
    assert_eq!(found.changes[0].fields[0].path, "exempted.Two");
    assert_eq!(diff(&desired, &applied(&found, &before)).changes, []);
}

#[test]
fn accounts_are_pinned_unless_the_policy_binds_none_but_the_selected() {
    for (accounts, expected) in [
        (vec!["3", "4"], vec![ADMIN.to_owned()]),
        (vec!["1", "2", "3", "4", "5"], vec![ADMIN.to_owned()]),
        (vec!["3"], vec![admin("3")]),
        (vec!["3", "5"], vec![admin("3")]),
    ] {
        let found = diff(
            &desired(&[exception("a", &accounts)]),
            &live(scp(&document(&[], &[CI]))),
        );
        assert_eq!(found.changes[0].fields[0].spec, json!(expected));
    }
    // Attached to nothing, it binds nobody of whom this could be said.
    let unattached = GuardrailPolicy {
        targets: BTreeSet::new(),
        ..scp(&document(&[], &[]))
    };
    let found = diff(&desired(&[exception("a", &["3"])]), &live(unattached));
    assert_eq!(found.changes[0].fields[0].spec, json!([admin("3")]));
}

#[test]
fn a_resource_control_policy_pins_accounts_and_keeps_its_guard_for_services() {
    let text = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "One", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": { "BoolIfExists": { "aws:PrincipalIsAWSService": "false" } },
    }] });
    let rcp = GuardrailPolicy {
        kind: GuardrailKind::Rcp,
        ..scp(&text.to_string())
    };
    let mut wanted = exception("a", &["3", "4"]);
    wanted.users.push(excepted_user(None));
    let before = live(rcp);
    let found = diff(&desired(&[wanted]), &before);
    let alice = "arn:aws:iam::222222222222:user/break-glass/alice";
    assert_eq!(
        found.changes[0].fields[0].spec,
        json!([alice, admin("3"), admin("4")])
    );
    let after = applied(&found, &before);
    let written = after.policies["p-deny"].document.as_str();
    assert!(written.contains(r#""BoolIfExists":{"aws:PrincipalIsAWSService":"false"}"#));
}

#[test]
fn a_wider_value_gives_way_to_narrower_ones_in_one_write() {
    let desired = desired(&[exception("a", &["3"])]);
    for wide in [ADMIN, "arn:aws:iam::*:role/break-glass/*"] {
        let before = live(scp(&document(&[wide], &[wide, CI])));
        let found = diff(&desired, &before);
        assert_eq!(told(&found), ["Update org/guardrail_exception/a"], "{wide}");
        assert_eq!(found.changes[0].access, crate::policy::Access::Both);
        assert_eq!(gates(&found), [""; 0]);
        let after = applied(&found, &before);
        let own = admin("3");
        assert_eq!(
            exempt(&after),
            [
                format!("One {own}"),
                format!("Two {CI}"),
                format!("Two {own}")
            ]
        );
        assert_eq!(diff(&desired, &after).changes, []);
    }
}

#[test]
fn what_cannot_be_made_is_blocked_and_says_why() {
    let named = |policy: &str| DesiredException {
        policy: policy.to_owned(),
        ..exception("a", &["3"])
    };
    let sids = DesiredException {
        statements: Some(vec!["Else".to_owned()]),
        ..exception("a", &["3"])
    };
    let aws = GuardrailPolicy {
        aws_managed: true,
        ..scp(&document(&[], &[]))
    };
    let filler: Vec<String> = (0..250)
        .map(|number| format!("arn:aws:iam::*:role/ci/role{number:010}"))
        .collect();
    let filler: Vec<&str> = filler.iter().map(String::as_str).collect();
    let allow = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" } ] });
    for (wanted, policy, why) in [
        (
            named("else"),
            scp(&document(&[], &[])),
            "no SCP or RCP is named else: there are deny",
        ),
        (
            sids,
            scp(&document(&[], &[])),
            "there is no statement Else; the Deny statements are One, Two",
        ),
        (
            exception("a", &[]),
            scp(&document(&[], &[])),
            "none of its accounts has one of its roles",
        ),
        (
            named("p-deny"),
            aws,
            "the policy is AWS's own and can't be changed",
        ),
        (
            exception("a", &["3"]),
            scp(&document(&filler, &[])),
            "more than the 10240 that AWS accepts",
        ),
        (
            exception("a", &["3"]),
            scp(&allow.to_string()),
            "the policy has no Deny statement",
        ),
        (
            exception("a", &["3"]),
            scp("{"),
            "the document of SCP deny can't be read",
        ),
    ] {
        let found = diff(&desired(&[wanted]), &live(policy));
        assert_eq!(found.changes.len(), 1, "{why}");
        let blocked = found.changes[0].blocked.clone().unwrap();
        assert!(blocked.contains(why), "{blocked}");
        assert!(found.changes[0].operations.is_empty());
        assert!(!found.changes[0].fields.is_empty());
        assert_eq!(gates(&found), [""; 0]);
    }
}

#[test]
fn an_edit_by_somebody_else_makes_a_change_stale_and_its_siblings_do_not() {
    let mut second = exception("b", &["3", "4"]);
    second.roles[0].name = "Audit".to_owned();
    second.statements = Some(vec!["Two".to_owned()]);
    let mut desired = desired(&[exception("a", &["3", "4"]), second]);
    desired
        .roles
        .insert((IamPath::break_glass(), "Audit".to_owned()));
    let stranger = "arn:aws:iam::*:role/break-glass/Stranger";
    let before = live(scp(&document(&[stranger], &[CI])));
    let found = diff(&desired, &before);
    assert_eq!(
        told(&found),
        [
            "Create org/guardrail_exception/a",
            "Create org/guardrail_exception/b",
            "Delete org/guardrail_exception/deny:arn:aws:iam::*:role/break-glass/Stranger",
        ]
    );
    let after = applied(&found, &before);
    assert_eq!(diff(&desired, &after).changes, []);
    for other in [document(&[stranger], &[]), document(&[stranger, CI], &[CI])] {
        let edited = scp(&other);
        for change in &found.changes {
            let now = edit(change).fingerprint(Some(&edited), &canonical());
            assert!(now != change.fingerprint && now != *change.target());
        }
    }
}

#[test]
fn what_is_not_looked_at_is_in_no_document() {
    let mut second = exception("b", &["3", "4"]);
    second.statements = Some(vec!["Two".to_owned()]);
    let desired = desired(&[exception("a", &["3", "4"]), second]);
    let before = live(scp(&document(&[], &[])));
    let found = diff_some(&desired, &before, &|address| address.name == "b");
    assert_eq!(told(&found), ["Create org/guardrail_exception/b"]);
    assert_eq!(exempt(&applied(&found, &before)), [format!("Two {ADMIN}")]);
}

#[test]
fn whoever_left_the_spec_is_new_when_they_come_again() {
    let both = desired(&[exception("a", &["3", "4"])]);
    let before = live(scp(&document(&[CI], &[CI])));
    let made = applied(&diff(&both, &before), &before);
    // One account less, and back.
    let fewer = diff(&desired(&[exception("a", &["3"])]), &made);
    assert_eq!(gates(&fewer), [""; 0]);
    let narrowed = applied(&fewer, &made);
    assert_eq!(gates(&diff(&both, &narrowed)), ["widen: a"]);
    // Out of the spec, and back.
    let gone = applied(&diff(&desired(&[]), &made), &made);
    assert_eq!(gates(&diff(&both, &gone)), ["widen: a"]);
    // Lost, and back.
    let mut lost = made.clone();
    lost.policies.get_mut("p-deny").unwrap().document = PolicyText::new(document(&[CI], &[CI]));
    assert_eq!(gates(&diff(&both, &lost)), [""; 0]);
}

#[test]
fn a_test_that_names_one_alone_comes_to_name_the_other_one() {
    for operator in ["ArnNotEquals", "StringNotEquals", "ArnNotLikeIfExists"] {
        let text = document(&[&admin("3")], &[&admin("4")]).replace("ArnNotLike", operator);
        let before = live(scp(&text));
        let wanted = desired(&[exception("a", &["4"])]);
        let found = diff(&wanted, &before);
        assert_eq!(
            told(&found),
            ["Update org/guardrail_exception/a"],
            "{operator}"
        );
        let after = applied(&found, &before);
        assert_eq!(
            exempt(&after),
            [format!("One {}", admin("4")), format!("Two {}", admin("4"))]
        );
        assert_eq!(told(&diff(&wanted, &after)), [""; 0]);
    }
}

#[test]
fn an_expired_exception_goes_from_a_policy_at_the_limit() {
    let mut over = exception("a", &["3", "4"]);
    over.expires = "2026-11-24".parse().unwrap();
    let text = document(&[ADMIN, CI], &[ADMIN, CI]);
    let filler = "x".repeat(GuardrailKind::Scp.size_limit() - text.len() - 10);
    let text = text.replace("one:*", &format!("one:{filler}*"));
    let before = live(scp(&text));
    let found = diff(&desired(&[over]), &before);
    assert_eq!(told(&found), ["Delete org/guardrail_exception/a"]);
    let after = applied(&found, &before);
    assert_eq!(exempt(&after), [format!("One {CI}"), format!("Two {CI}")]);
}
