//! The order of writes: what is needed comes first, guards before grants, removals last.

use serde_json::json;

use crate::harness::{Call, EMERGENCY, Emulator, SAND};
use crate::{applied_small_organization, small_organization, spec_without_passwords};

/// The writes of one kind.
fn all<'a>(writes: &'a [Call], action: &str) -> Vec<&'a Call> {
    let found: Vec<&Call> = writes.iter().filter(|call| call.action == action).collect();
    assert!(!found.is_empty(), "no {action}");
    found
}

/// Expects every one of the first to be over when any of the others begins.
#[track_caller]
fn expect_before(first: &[&Call], then: &[&Call]) {
    let over = first.iter().map(|call| call.ended).fold(0.0, f64::max);
    let begun = then.iter().map(|call| call.began).fold(f64::MAX, f64::min);
    assert!(over <= begun, "{first:#?}\n{then:#?}");
}

/// Those of some calls whose parameter has this value.
fn with<'a>(calls: &[&'a Call], parameter: &str, value: &str) -> Vec<&'a Call> {
    let calls = calls.iter().copied();
    let found: Vec<&Call> = calls
        .filter(|call| call.params[parameter] == value)
        .collect();
    assert!(!found.is_empty(), "no {parameter} {value}");
    found
}

/// Those of some calls that are made in one account.
fn inside<'a>(calls: &[&'a Call], account: &str) -> Vec<&'a Call> {
    let calls = calls.iter().copied();
    calls.filter(|call| call.account == account).collect()
}

/// The spec without a role, a user and a policy that are all tied to each other.
fn smaller_spec() -> String {
    let spec = spec_without_passwords();
    let (spec, _) = spec.split_once("  - name: BreakGlassRead").unwrap();
    let (before, rest) = spec.split_once("  - name: bg-alice").unwrap();
    let (_, after) = rest.split_once("  - name: bg-bob").unwrap();
    let spec = format!("{before}  - name: bg-bob{after}");
    spec.replace("\"user:bg-alice\", ", "")
}

fn remove(emulator: &Emulator) {
    emulator.write("breakglass.yaml", &smaller_spec());
    emulator.forget_calls();
    let apply = ["apply", "--yes", "--allow", "removals,lockout"];
    emulator.run(&apply).expect(0);
}

#[test]
fn what_is_made_finds_what_it_needs() {
    let emulator = small_organization();
    emulator.forget_calls();
    emulator.run(&["apply", "--yes"]).expect(0);
    let writes = emulator.writes();
    let roles = all(&writes, "CreateRole");
    // A user must be there before a role anywhere names it.
    expect_before(&all(&writes, "CreateUser"), &roles);
    expect_before(&all(&writes, "CreatePolicy"), &roles);
    let attachments = all(&writes, "AttachRolePolicy");
    expect_before(&all(&writes, "CreatePolicy"), &attachments);

    let denies = all(&writes, "PutRolePolicy");
    assert_eq!(denies.len(), 3);
    for deny in denies {
        assert_eq!(deny.params["PolicyName"], "deny-tamper");
        let allows = with(&attachments, "RoleName", "BreakGlassAdmin");
        let allows = inside(&allows, &deny.account);
        assert_eq!(allows.len(), 2);
        expect_before(&[deny], &allows);
    }
    for user in ["bg-alice", "bg-bob"] {
        let policies = with(&all(&writes, "PutUserPolicy"), "UserName", user);
        let demands_mfa = with(&policies, "PolicyName", "break-glass-mfa");
        let allows = with(&policies, "PolicyName", "break-glass-assume");
        expect_before(&demands_mfa, &allows);
    }
}

#[test]
fn what_is_removed_is_needed_by_nothing() {
    let emulator = applied_small_organization();
    remove(&emulator);
    let writes = emulator.writes();
    let roles = all(&writes, "DeleteRole");
    let roles = with(&roles, "RoleName", "BreakGlassRead");
    let policies = all(&writes, "DeletePolicy");
    let users = all(&writes, "DeleteUser");
    let users = with(&users, "UserName", "bg-alice");
    assert_eq!((roles.len(), policies.len(), users.len()), (4, 4, 1));
    for role in &roles {
        let policies = inside(&policies, &role.account);
        expect_before(&[role], &policies);
        let detached = all(&writes, "DetachRolePolicy");
        expect_before(&inside(&detached, &role.account), &[role]);
    }
    // A role that still names a deleted user would show an id in its place.
    expect_before(&roles, &users);
    expect_before(&all(&writes, "UpdateAssumeRolePolicy"), &users);
    expect_before(&users, &inside(&policies, EMERGENCY));
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn a_user_outlives_the_roles_that_trust_it_in_slow_accounts() {
    let emulator = applied_small_organization();
    emulator.faults(json!([{ "kind": "latency", "account": SAND, "ms": 150 }]));
    remove(&emulator);
    emulator.run(&["drift"]).expect(0);
}
