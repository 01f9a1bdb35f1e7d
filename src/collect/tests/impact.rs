//! A plan warns of the proven paths that it makes unproven.

use super::*;

/// Tells what a plan from one spec to another says, given guardrails.
fn told(before: &str, after: &str, only: &[&str]) -> Vec<String> {
    let snapshot = settled(&spec(&format!("{HEAD}{before}{USERS}")));
    let after = spec(&format!("{HEAD}{after}{USERS}"));
    compared(&after, &snapshot, Kind::Plan, only).notes
}

const CAN: &str = "    must_allow: [\"ec2:RunInstances\"]\n";
const CANNOT: &str = r#"      inline_policies:
        never: { document: { Version: "2012-10-17", Statement: { Sid: Never, Effect: Deny, Action: "ec2:*", Resource: "*" } } }
    must_allow: ["ec2:RunInstances"]
"#;

#[test]
fn one_cause_is_told_once() {
    assert_eq!(
        told(CAN, CANNOT, &[]),
        [
            "after this plan Admin is no longer proven in 5 accounts (111111111111, 222222222222, 333333333333 and 2 more): \
             blocked: a session cannot do ec2:RunInstances: statement Never of never denies it"
        ]
    );
    assert_eq!(
        told(CAN, CANNOT, &["333333333333"]),
        [
            "after this plan Admin is no longer proven in 333333333333: blocked: a session cannot do ec2:RunInstances: \
             statement Never of never denies it"
        ]
    );
    // It was not proven before, or is proven after.
    assert!(told(CANNOT, CANNOT, &[]).is_empty());
    assert!(told(CANNOT, CAN, &[]).is_empty());
    assert!(told("", "    max_session: 2h\n", &[]).is_empty());
}

#[test]
fn drift_says_nothing_of_it() {
    let snapshot = settled(&spec(&format!("{HEAD}{CAN}{USERS}")));
    let after = spec(&format!("{HEAD}{CANNOT}{USERS}"));
    let drift = compared(&after, &snapshot, Kind::Drift, &[]);
    assert!(drift.notes.is_empty(), "{:?}", drift.notes);
}

#[test]
fn what_a_user_loses_counts_in_every_account() {
    let never = "    permissions: { inline_policies: { never: { document: { Version: \"2012-10-17\", Statement: { Sid: Never, \
                 Effect: Deny, Action: \"sts:*\", Resource: \"*\" } } } } }\n";
    let snapshot = settled(&spec(&format!("{HEAD}{USERS}")));
    let after = spec(&format!("{HEAD}{USERS}{never}"));
    let expected = "alice cannot assume it with MFA: statement Never of never denies it";
    let notes = planned(&after, &snapshot).notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("in 5 accounts"), "{notes:?}");
    assert!(notes[0].contains(expected), "{notes:?}");
    // Without the emergency account the user does not change.
    let alone = compared(&after, &snapshot, Kind::Plan, &["333333333333"]);
    assert!(alone.notes.is_empty(), "{:?}", alone.notes);
}

#[test]
fn what_a_guardrail_no_longer_lets_through_counts() {
    let exceptions = r#"
guardrails:
  exceptions:
    - id: lock
      policy: lock
      roles: [Admin]
      accounts: { include: ["333333333333", "444444444444"] }
      reason: r
      owner: security
      ticket: SEC-1
      expires: "#;
    let with = |until: &str| spec(&format!("{HEAD}{CAN}{USERS}{exceptions}{until}\n"));
    let mut snapshot = settled(&spec(&format!("{HEAD}{CAN}{USERS}")));
    deny(
        &mut snapshot,
        "lock",
        "ou-root-work",
        json!({ "Action": "ec2:*" }),
    );
    let active = with("2027-01-01");
    let plan = planned(&active, &snapshot);
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
    let snapshot = applied(&snapshot, &plan.changes);
    let notes = planned(&with("2026-01-01"), &snapshot).notes;
    let lost: Vec<&String> = notes
        .iter()
        .filter(|note| note.starts_with("after this plan"))
        .collect();
    assert_eq!(
        lost,
        [
            "after this plan Admin is no longer proven in 2 accounts (333333333333, 444444444444): blocked: a session cannot do \
             ec2:RunInstances: statement No of SCP lock (p-lock) at /Workloads (ou-root-work) denies it"
        ]
    );
    // What is already blocked is not lost.
    assert!(planned(&active, &snapshot).notes.is_empty());
}

#[test]
fn what_is_not_known_is_said() {
    let mut snapshot = settled(&spec(&format!("{HEAD}{CAN}{USERS}")));
    let unreadable = Reading::Unreadable {
        error: "sts:AssumeRole: AccessDenied".to_owned(),
    };
    snapshot.accounts.insert(id("2"), unreadable);
    let plan = compared(
        &spec(&format!("{HEAD}{CANNOT}{USERS}")),
        &snapshot,
        Kind::Plan,
        &["333333333333"],
    );
    assert_eq!(
        plan.notes,
        ["whether this plan makes a path unproven is not known of account 222222222222"]
    );
    assert!(plan.unreadable.is_empty());
}
