//! A canary: some accounts come first, and the others only when all of it succeeded.

use serde_json::{Value, json};

use crate::harness::{Call, EMERGENCY, Emulator, MANAGEMENT, PROD_PAY, SAND};
use crate::{applied_small_organization, small_organization, spec_without_passwords};

fn of<'a>(calls: &'a [Call], accounts: &[&str], actions: &[&str]) -> Vec<&'a Call> {
    let calls = calls.iter();
    calls
        .filter(|call| accounts.contains(&&*call.account) && actions.contains(&&*call.action))
        .collect()
}

/// Expects every one of the first to be over when any of the others begins.
#[track_caller]
fn expect_before(first: &[&Call], then: &[&Call]) {
    assert!(
        !first.is_empty() && !then.is_empty(),
        "{first:#?}\n{then:#?}"
    );
    let over = first.iter().map(|call| call.ended).fold(0.0, f64::max);
    let begun = then.iter().map(|call| call.began).fold(f64::MAX, f64::min);
    assert!(over <= begun, "{first:#?}\n{then:#?}");
}

fn statuses<'a>(report: &'a Value, account: &str) -> Vec<&'a str> {
    let results = report["results"].as_array().unwrap().iter();
    let own = results.filter(|result| result["account"] == account);
    own.map(|result| result["status"].as_str().unwrap())
        .collect()
}

const OTHERS: [&str; 3] = [EMERGENCY, MANAGEMENT, PROD_PAY];
const CANARY: [&str; 4] = ["apply", "--yes", "--canary", "/Sandbox"];

#[test]
fn the_canary_is_done_before_others_begin_and_finds_its_users() {
    let emulator = small_organization();
    let (code, report) = emulator.json(&CANARY);
    assert_eq!(code, 0, "{report}");
    let canary = json!({ "units": ["/Sandbox"], "accounts": 1, "succeeded": true });
    assert_eq!(report["canary"], canary);
    let writes = emulator.writes();
    let roles = ["CreateRole", "AttachRolePolicy", "PutRolePolicy"];
    expect_before(&of(&writes, &[SAND], &roles), &of(&writes, &OTHERS, &roles));
    let users = of(&writes, &[EMERGENCY], &["CreateUser"]);
    expect_before(&users, &of(&writes, &[SAND], &["CreateRole"]));
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn others_are_not_begun_when_the_canary_fails() {
    let emulator = small_organization();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    emulator.faults(json!([
        { "kind": "access_denied", "action": "iam:AttachRolePolicy", "account": SAND },
    ]));
    let apply = ["apply", "plan.json", "--canary", "/Sandbox"];
    let (code, report) = emulator.json(&apply);
    assert_eq!((code, &report["outcome"]), (6, &"partial".into()));
    assert_eq!(report["canary"]["succeeded"], false);
    assert!(statuses(&report, SAND).contains(&"failed"), "{report}");
    for account in [MANAGEMENT, PROD_PAY] {
        let statuses = statuses(&report, account);
        assert!(
            statuses.iter().all(|status| *status == "skipped"),
            "{report}"
        );
        assert_eq!(
            of(&emulator.writes(), &[account], &["CreateRole"]),
            [] as [&Call; 0]
        );
    }
    let run = emulator.run(&apply).expect(6);
    let told = "the canary, 1 account below /Sandbox, did not succeed: no other was begun after it";
    assert!(run.stdout.contains(told), "{run:?}");

    emulator.no_faults();
    let run = emulator.run(&apply).expect(0);
    let told = "the canary, 1 account below /Sandbox, came first and succeeded";
    assert!(run.stdout.contains(told), "{run:?}");
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn what_is_removed_goes_from_the_canary_first() {
    let emulator = applied_small_organization();
    let spec = spec_without_passwords();
    let (spec, _) = spec.split_once("  - name: BreakGlassRead").unwrap();
    emulator.write("breakglass.yaml", spec);
    emulator
        .faults(json!([{ "kind": "access_denied", "action": "iam:DeleteRole", "account": SAND }]));
    let apply = [&CANARY[..], &["--allow", "removals,lockout"]].concat();
    let (code, report) = emulator.json(&apply);
    assert_eq!(code, 6, "{report}");
    emulator.no_faults();
    for account in OTHERS {
        assert_eq!(
            of(&emulator.writes(), &[account], &["DeleteRole"]),
            [] as [&Call; 0]
        );
    }
    emulator.forget_calls();
    emulator.run(&apply).expect(0);
    let writes = emulator.writes();
    let deleted = |accounts: &[&str]| of(&writes, accounts, &["DeleteRole"]).len();
    assert_eq!((deleted(&[SAND]), deleted(&OTHERS)), (1, 3));
    expect_before(
        &of(&writes, &[SAND], &["DeleteRole"]),
        &of(&writes, &OTHERS, &["DeleteRole"]),
    );
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn a_canary_that_can_t_be_read_is_none_that_succeeded() {
    let emulator = small_organization();
    emulator
        .faults(json!([{ "kind": "access_denied", "action": "iam:GetAccountAuthorizationDetails", "account": SAND }]));
    let (code, report) = emulator.json(&CANARY);
    assert_eq!(
        (code, &report["canary"]["succeeded"]),
        (6, &false.into()),
        "{report}"
    );
    assert_eq!(
        of(&emulator.writes(), &OTHERS, &["CreateRole"]),
        [] as [&Call; 0]
    );
}

#[test]
fn a_canary_that_matches_nothing_is_wrong_usage() {
    let emulator = small_organization();
    for (unit, told) in [
        ("/Nowhere", "/Nowhere"),
        ("ou-none-nothere1", "ou-none-nothere1"),
        (
            "/Nowhere*",
            "no active account is left by --canary /Nowhere*",
        ),
    ] {
        let run = emulator
            .run(&["apply", "--yes", "--canary", unit])
            .expect(64);
        assert!(run.stderr.contains(told), "{run:?}");
    }
    assert_eq!(emulator.writes(), []);
}

/// Where nothing is left to do below a unit, as after an apply of it alone, the others may begin.
#[test]
fn a_canary_that_is_in_sync_already_lets_the_others_begin() {
    let emulator: Emulator = applied_small_organization();
    let spec = spec_without_passwords().replace("max_session: 1h", "max_session: 2h");
    emulator.write("breakglass.yaml", &spec);
    let (code, report) = emulator.json(&CANARY);
    assert_eq!(
        (code, &report["canary"]["succeeded"]),
        (0, &true.into()),
        "{report}"
    );
    emulator.run(&["drift"]).expect(0);
}
