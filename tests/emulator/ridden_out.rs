//! What goes wrong for a while only: it is ridden out, the result is the same, and one account holds up no other.

use serde_json::{Value, json};

use crate::harness::{EMERGENCY, Emulator, MANAGEMENT, PROD_PAY, SAND, changes};
use crate::{applied_small_organization, small_organization};

/// How often an account was entered since the calls were forgotten.
fn entries(emulator: &Emulator, account: &str) -> usize {
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let calls = emulator.calls().into_iter();
    calls
        .filter(|call| call.action == "AssumeRole" && call.params["RoleArn"] == role)
        .count()
}

#[test]
fn a_session_that_ends_early_is_begun_again() {
    let emulator = small_organization();
    let expiring = |actions: &[&str]| -> Value {
        let rules = actions.iter();
        let rules = rules.map(|action| {
            json!({ "kind": "expired_token", "action": action, "account": PROD_PAY, "times": 1 })
        });
        rules.collect()
    };
    emulator.faults(expiring(&[
        "iam:CreateRole",
        "iam:AttachRolePolicy",
        "iam:GetRole",
    ]));
    emulator.run(&["apply", "--yes"]).expect(0);
    assert_eq!(emulator.fired(), [1; 3]);

    emulator.faults(expiring(&["iam:ListRoles"]));
    emulator.forget_calls();
    emulator.run(&["drift"]).expect(0);
    assert_eq!(emulator.fired(), [1]);
    assert_eq!(entries(&emulator, PROD_PAY), 2);
    assert_eq!(entries(&emulator, SAND), 1);

    // One that ends at once every time is told as what it is.
    emulator.faults(json!([{ "kind": "expired_token", "action": "iam:*", "account": PROD_PAY }]));
    emulator.forget_calls();
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!((code, changes(&drift)), (3, Vec::new()));
    let told = drift["unreadable"][0]["error"].as_str().unwrap();
    assert!(told.contains("ExpiredToken"), "{told}");
    assert_eq!(entries(&emulator, PROD_PAY), 2);
}

#[test]
fn a_clock_that_is_wrong_is_seen_and_made_up_for() {
    let emulator = applied_small_organization();
    for seconds in [3_600, -3_600] {
        emulator.settings(json!({ "clock_ahead": seconds }));
        emulator.forget_calls();
        emulator.run(&["drift"]).expect(0);
        let calls = emulator.calls();
        let asked = calls
            .iter()
            .filter(|call| call.action == "GetCallerIdentity");
        assert_eq!(asked.count(), 2, "the first one was refused");
    }
}

#[test]
fn answers_that_can_not_be_read_are_asked_for_again() {
    let emulator = applied_small_organization();
    let malformed = |action: &str| json!({ "kind": "malformed", "action": action, "times": 1 });
    emulator.faults(json!([
        malformed("sts:GetCallerIdentity"),
        malformed("sts:AssumeRole"),
        malformed("organizations:DescribeOrganization"),
        malformed("organizations:ListAccounts"),
        malformed("organizations:ListRoots"),
        malformed("iam:GetAccountAuthorizationDetails"),
        malformed("iam:ListRoles"),
    ]));
    emulator.run(&["drift"]).expect(0);
    assert_eq!(emulator.fired(), [1; 7]);
}

#[test]
fn a_call_that_hangs_is_given_up_on_and_made_again() {
    let emulator = applied_small_organization();
    emulator.faults(json!([
        { "kind": "latency", "ms": 40_000, "action": "iam:ListRoles", "account": SAND, "times": 1 },
    ]));
    emulator.run(&["drift"]).expect(0);
    assert_eq!(emulator.fired(), [1]);
}

#[test]
fn an_account_that_is_throttled_for_good_holds_up_no_other() {
    let emulator = applied_small_organization();
    emulator.faults(json!([{ "kind": "throttle", "action": "iam:*", "account": SAND }]));
    emulator.forget_calls();
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!((code, changes(&drift)), (3, Vec::new()));
    let unreadable = drift["unreadable"].as_array().unwrap();
    assert_eq!(unreadable.len(), 1);
    assert_eq!(unreadable[0]["account"], SAND);
    let told = unreadable[0]["error"].as_str().unwrap();
    assert!(told.contains("Throttling: Rate exceeded"), "{told}");
    let calls = emulator.calls();
    let ends = |account: &str| -> Vec<f64> {
        let calls = calls.iter();
        let calls = calls.filter(|call| call.service == "iam" && call.account == account);
        calls.map(|call| call.ended).collect()
    };
    let last = |account: &str| ends(account).into_iter().fold(0.0, f64::max);
    // Two listings at a time, each made a bounded number of times.
    assert!((4..=40).contains(&ends(SAND).len()));
    for account in [MANAGEMENT, EMERGENCY, PROD_PAY] {
        assert!(last(account) < last(SAND), "{account}");
    }
}
