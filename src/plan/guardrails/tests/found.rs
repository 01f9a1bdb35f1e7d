//! What is found in policies that no exception of the spec says.

use super::*;
use crate::plan::{IgnoreRules, diff_guardrails_under};
use crate::spec::load_texts;

#[test]
fn an_expired_exception_is_taken_back_and_its_last_exemption_is_guarded() {
    let mut expired = exception("a", &["3", "4"]);
    expired.expires = "2026-11-24".parse().unwrap();
    let desired = desired(&[expired]);
    let before = live(scp(&document(&[ADMIN], &[ADMIN, CI])));
    let found = diff(&desired, &before);
    assert_eq!(told(&found), ["Delete org/guardrail_exception/a"]);
    assert_eq!(gates(&found), ["lockout: a"]);
    let reason = found.changes[0].reason.as_deref();
    assert_eq!(reason, Some("SCP deny: expired on 2026-11-24"));
    let after = applied(&found, &before);
    assert_eq!(exempt(&after), [format!("Two {CI}")]);
    let clean = diff(&desired, &after);
    assert_eq!(clean.changes, []);
    assert_eq!(
        clean.notes,
        ["exception a: expired on 2026-11-24, and nothing is left of it: take it out of the spec"]
    );
}

#[test]
fn an_exception_is_over_when_its_incident_is() {
    let before = live(scp(&document(&[ADMIN], &[ADMIN, CI])));
    let mut tied = exception("a", &["3", "4"]);
    tied.ticket = "INC-42".to_owned();
    tied.closed = Some("2026-11-26".parse().unwrap());
    let yet_to_come = diff(&desired(&[tied.clone()]), &before);
    assert_eq!(told(&yet_to_come), [""; 0]);
    tied.closed = Some("2026-11-25".parse().unwrap());
    let desired = desired(&[tied]);
    let found = diff(&desired, &before);
    assert_eq!(told(&found), ["Delete org/guardrail_exception/a"]);
    let reason = found.changes[0].reason.as_deref();
    assert_eq!(
        reason,
        Some("SCP deny: incident INC-42 was closed on 2026-11-25")
    );
    let after = applied(&found, &before);
    assert_eq!(exempt(&after), [format!("Two {CI}")]);
    assert_eq!(diff(&desired, &after).changes, []);
}

#[test]
fn an_expired_exception_leaves_what_another_one_still_says() {
    let mut expired = exception("a", &["3", "4"]);
    expired.expires = "2026-11-24".parse().unwrap();
    let mut other = exception("b", &["3", "4"]);
    other.statements = Some(vec!["Two".to_owned()]);
    let desired = desired(&[expired, other]);
    let before = live(scp(&document(&[ADMIN], &[ADMIN, CI])));
    let found = diff(&desired, &before);
    assert_eq!(told(&found), ["Delete org/guardrail_exception/a"]);
    let after = applied(&found, &before);
    assert_eq!(
        exempt(&after),
        [format!("Two {ADMIN}"), format!("Two {CI}")]
    );
}

#[test]
fn the_last_day_counts_and_is_told_beforehand() {
    for (expires, expected) in [
        ("2026-11-25", vec!["exception a expires on 2026-11-25"]),
        ("2026-11-26", vec!["exception a expires on 2026-11-26"]),
        ("2026-12-25", vec!["exception a expires on 2026-12-25"]),
        ("2026-12-26", vec![]),
    ] {
        let mut near = exception("a", &["3", "4"]);
        near.expires = expires.parse().unwrap();
        let in_sync = live(scp(&document(&[ADMIN], &[ADMIN])));
        let found = diff(&desired(&[near]), &in_sync);
        assert_eq!(found.changes, []);
        assert_eq!(found.notes, expected);
    }
}

#[test]
fn strangers_under_the_path_are_found_and_others_left_alone() {
    let role = "arn:aws:iam::333333333333:role/break-glass/Stranger";
    let user = "arn:aws:iam::*:user/break-glass/sub/mallory";
    let elsewhere = "arn:aws:iam::*:role/break-glassy/Else";
    let before = live(scp(&document(
        &[ADMIN, role, CI],
        &[ADMIN, role, user, elsewhere, "arn:aws:iam::*:role/*"],
    )));
    let found = diff(&desired(&[exception("a", &["3", "4"])]), &before);
    assert_eq!(
        told(&found),
        [
            format!("Delete org/guardrail_exception/deny:{user}"),
            format!("Delete org/guardrail_exception/deny:{role}"),
        ]
    );
    assert_eq!(gates(&found), [""; 0]);
    assert_eq!(found.managed, 3);
    let after = applied(&found, &before);
    assert_eq!(exempt(&after).len(), 5);
}

#[test]
fn a_role_in_more_statements_than_declared_is_the_exceptions_own_difference() {
    let mut wanted = exception("a", &["3", "4"]);
    wanted.statements = Some(vec!["One".to_owned()]);
    let before = live(scp(&document(&[ADMIN], &[ADMIN, CI])));
    let found = diff(&desired(&[wanted]), &before);
    assert_eq!(told(&found), ["Update org/guardrail_exception/a"]);
    assert_eq!(found.changes[0].access, crate::policy::Access::Narrower);
    assert_eq!(found.changes[0].fields[0].path, "exempted.Two");
    assert_eq!(gates(&found), ["lockout: a"]);
    let after = applied(&found, &before);
    assert_eq!(
        exempt(&after),
        [format!("One {ADMIN}"), format!("Two {CI}")]
    );
}

#[test]
fn a_wide_value_that_a_role_of_the_spec_holds_by_is_guarded() {
    let wide = "arn:aws:iam::333333333333:role/break-glass/*";
    let before = live(scp(&document(&[wide, CI], &[])));
    let found = diff(&desired(&[]), &before);
    let address = format!("deny:{wide}");
    assert_eq!(
        told(&found),
        [format!("Delete org/guardrail_exception/{address}")]
    );
    assert_eq!(gates(&found), [format!("lockout: {address}")]);
}

#[test]
fn a_test_that_would_be_left_empty_is_for_a_person() {
    let text = document(&["arn:aws:iam::*:role/break-glass/Stranger"], &[]);
    let text = text.replace("ArnNotLike", "ArnNotLikeIfExists");
    let found = diff(&desired(&[]), &live(scp(&text)));
    assert_eq!(found.changes.len(), 1);
    let blocked = found.changes[0].blocked.as_deref().unwrap();
    assert!(blocked.contains("edit the policy by hand"), "{blocked}");
}

#[test]
fn policies_that_another_tool_keeps_are_gated_with_where_to_go_instead() {
    let tagged = |key: &str, value: &str| GuardrailPolicy {
        tags: Tags::from([(key.to_owned(), value.to_owned())]),
        ..scp(&document(&[], &[]))
    };
    let named = |name: &str| GuardrailPolicy {
        name: name.to_owned(),
        ..scp(&document(&[], &[]))
    };
    for (policy, expected) in [
        (
            named("aws-guardrails-abcdef"),
            Some("ExemptedPrincipalArns"),
        ),
        (
            named("AWSAccelerator-Core"),
            Some("Landing Zone Accelerator"),
        ),
        (
            tagged("ManagedBy", "terraform"),
            Some("ManagedBy = terraform"),
        ),
        (tagged("managed-by", "breakglass"), None),
        (tagged("owner", "security"), None),
    ] {
        let wanted = DesiredException {
            policy: policy.name.clone(),
            ..exception("a", &["3"])
        };
        let found = diff(&desired(&[wanted]), &live(policy));
        let foreign = found
            .findings
            .iter()
            .find(|found| found.gate == Gate::Foreign);
        match expected {
            Some(part) => assert!(foreign.unwrap().reason.contains(part), "{foreign:?}"),
            None => assert_eq!(foreign, None),
        }
    }
}

#[test]
fn what_a_rule_leaves_alone_stays_in_the_document_that_the_others_are_taken_out_of() {
    let spec = "version: 1\norganization: { id: o-exampleorg1 }\nemergency_account: \"222222222222\"\ncoverage: { required: [] }\n\
        ignore: [{ match: \"org/guardrail_exception/deny:*/x\", reason: r, expires: 2099-01-01 }]\n";
    let none = |_: &str, _: &str| Err("no files".to_owned());
    let spec = load_texts(vec![("s.yaml".to_owned(), spec.to_owned())], &none).unwrap();
    let rules = IgnoreRules::new(&spec, "2026-11-25".parse().unwrap());
    let [x, y] = ["x", "y"].map(|name| format!("arn:aws:iam::*:role/break-glass/{name}"));
    let before = live(scp(&document(&[&x, &y], &[&x, CI])));
    let context = GuardrailContext {
        organization: &sample(),
        managed_path: &IamPath::break_glass(),
        strict: false,
        today: "2026-11-25".parse().unwrap(),
        covers: &|_| true,
    };
    let desired = desired(&[]);
    let found = diff_guardrails_under(&context, &desired, &before, &rules);
    assert_eq!(
        told(&found),
        [format!("Delete org/guardrail_exception/deny:{y}")]
    );
    let ignored: Vec<String> = found
        .ignored
        .iter()
        .map(|change| change.address.to_string())
        .collect();
    assert_eq!(ignored, [format!("org/guardrail_exception/deny:{x}")]);
    assert_eq!(found.managed, diff(&desired, &before).managed);
    let after = applied(&found, &before);
    assert_eq!(
        exempt(&after),
        [format!("One {x}"), format!("Two {x}"), format!("Two {CI}")]
    );
    assert_eq!(
        diff_guardrails_under(&context, &desired, &after, &rules).changes,
        []
    );
}
