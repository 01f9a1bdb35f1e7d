//! Accounts that coverage asks for and the spec overlooks are differences.

use super::*;
use crate::plan::{Action, Outcome};

fn covering(accounts: &str, exempt: &str) -> Loaded {
    spec(&format!(
        "{HEAD}    accounts: {{ include: [{accounts}] }}\n{USERS}coverage: {{ required: [Admin], exempt: [{exempt}] }}\n"
    ))
}

const SANDBOX: &str = "{ accounts: { include: [\"ou:/Sandbox\"] }, reason: \"throw-away\" }";

#[test]
fn an_account_that_no_selector_names_is_drift() {
    let narrow = covering("management, emergency, \"ou:/Workloads/Prod\"", SANDBOX);
    let snapshot = settled(&narrow);
    let drift = compared(&narrow, &snapshot, Kind::Drift, &[]);
    assert_eq!(drift.outcome, Outcome::Differences);
    let [change] = drift.changes.as_slice() else {
        panic!("{:?}", drift.changes);
    };
    assert_eq!(change.address.to_string(), "444444444444/iam_role/Admin");
    assert_eq!(change.action, Action::Manual);
    assert!(change.operations.is_empty() && change.blocked.is_none());
    let reason = change.reason.as_deref().unwrap();
    assert!(reason.contains("select the account"), "{reason}");
    assert!(change.source.as_ref().unwrap().line > 0);
    // A part of the organization knows nothing of the rest.
    let elsewhere = compared(&narrow, &snapshot, Kind::Drift, &["333333333333"]);
    assert_eq!(elsewhere.outcome, Outcome::InSync);
}

#[test]
fn what_is_exempt_or_declared_is_none() {
    let wide = covering("\"*\"", "");
    assert!(
        compared(&wide, &settled(&wide), Kind::Drift, &[])
            .changes
            .is_empty()
    );
    // Declared, but not there: it is made.
    let changes = planned(&wide, &empty()).changes;
    let mut roles = changes.iter().filter(|change| change.name == "Admin");
    assert!(roles.all(|change| change.action == Action::Create));
    let exempt = covering("management, emergency, \"ou:/Workloads\"", SANDBOX);
    let drift = compared(&exempt, &settled(&exempt), Kind::Drift, &[]);
    assert!(drift.changes.is_empty(), "{:?}", drift.changes);
}

#[test]
fn a_role_that_would_go_says_so_too() {
    let narrow = covering("management, emergency, \"ou:/Workloads/Prod\"", SANDBOX);
    let plan = planned(&narrow, &settled(&covering("\"*\"", "")));
    let gone: Vec<(String, Action)> = plan
        .changes
        .iter()
        .map(|change| (change.address.to_string(), change.action))
        .collect();
    let role = |account: &str| (format!("{account}/iam_role/Admin"), Action::Delete);
    assert_eq!(gone, [role("444444444444"), role("555555555555")]);
    let reasons: Vec<bool> = plan
        .changes
        .iter()
        .map(|change| {
            change
                .reason
                .as_ref()
                .unwrap()
                .contains("coverage requires it")
        })
        .collect();
    assert_eq!(reasons, [true, false], "the sandbox is exempt");
}
