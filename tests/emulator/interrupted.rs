//! An apply that ends part way, by a failure, a signal or a crash: run again, it finishes.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Emulator, PROD_PAY, Run, SAND, small};
use crate::{applied_small_organization, small_organization, spec_without_passwords};

/// Puts a fresh small organization in place, with the spec that the folder has.
fn start_over(emulator: &mut Emulator) {
    emulator.no_faults();
    emulator.seed(&small());
}

/// One account at a time, so that writes come one by one.
pub const ONE_BY_ONE: &[&str] = &["apply", "--concurrency", "1"];

/// Starts an apply, and waits until it has written so often.
pub fn start(emulator: &Emulator, apply: &[&str], arguments: &[&str], writes: usize) -> Child {
    // Slow writes leave time to interrupt them, the more of them there are at a time the slower.
    let milliseconds = if apply == ONE_BY_ONE { 40 } else { 200 };
    slow_writes(emulator, milliseconds);
    emulator.forget_calls();
    let arguments = [apply, arguments].concat();
    let mut command = emulator.command(&arguments);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut apply = command.spawn().unwrap();
    while emulator.writes().len() < writes {
        assert!(apply.try_wait().unwrap().is_none(), "it is over already");
        std::thread::sleep(Duration::from_millis(5));
    }
    apply
}

/// Makes every write take its time.
pub fn slow_writes(emulator: &Emulator, milliseconds: u32) {
    let verbs = ["Create", "Put", "Attach", "Detach", "Delete"];
    let slow =
        |verb| json!({ "kind": "latency", "action": format!("iam:{verb}*"), "ms": milliseconds });
    emulator.faults(json!(verbs.map(slow)));
}

/// Kills an apply after so many writes, and expects that it left something to do.
fn crash(emulator: &Emulator, apply: &[&str], arguments: &[&str], writes: usize) {
    let mut apply = start(emulator, apply, arguments, writes);
    apply.kill().unwrap();
    let ended = apply.wait().unwrap();
    assert_eq!(ended.code(), None, "it was killed");
    emulator.no_faults();
    emulator.run(&["plan", "--detailed-exitcode"]).expect(2);
}

fn results(report: &Value, status: &str) -> Vec<String> {
    let results = report["results"].as_array().unwrap().iter();
    let results = results.filter(|result| result["status"] == status);
    results
        .map(|result| result["address"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_crash_with_many_accounts_under_way_is_finished_by_the_next() {
    let mut emulator = small_organization();
    for writes in [5, 15] {
        start_over(&mut emulator);
        crash(&emulator, &["apply"], &["--yes"], writes);
        emulator.run(&["apply", "--yes"]).expect(0);
        emulator.run(&["drift"]).expect(0);
    }
}

#[test]
fn a_crashed_removal_is_finished_by_the_same_plan() {
    let emulator = applied_small_organization();
    let spec = spec_without_passwords();
    let (without_read, _) = spec.split_once("  - name: BreakGlassRead").unwrap();
    let allow = ["--allow", "removals,lockout"];
    let apply = [&["plan.json"], &allow[..]].concat();
    emulator.write("breakglass.yaml", without_read);
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    crash(&emulator, ONE_BY_ONE, &apply, 3);
    crash(&emulator, ONE_BY_ONE, &apply, 4);
    emulator.run(&[&["apply"], &apply[..]].concat()).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn an_interrupted_apply_says_what_it_did_and_is_finished_by_the_next() {
    let emulator = small_organization();
    let apply = start(&emulator, ONE_BY_ONE, &["--yes", "--format", "json"], 10);
    let kill = format!("kill -INT {}", apply.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success());
    let run = Run::of(apply.wait_with_output().unwrap()).expect(6);
    assert!(
        run.stderr.starts_with("stopping after what is under way"),
        "{run:?}"
    );
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["outcome"], "interrupted");
    let (done, skipped) = (results(&report, "done"), results(&report, "skipped"));
    assert!(!done.is_empty() && !skipped.is_empty(), "{report}");
    assert_eq!(report["summary"]["failed"], 0);

    emulator.no_faults();
    let (_, plan) = emulator.json(&["plan"]);
    let left: Vec<&str> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["address"].as_str().unwrap())
        .collect();
    assert_eq!(left, skipped, "what is not done is left, and nothing else");
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn a_write_that_fails_in_one_account_holds_up_no_other() {
    let emulator = small_organization();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    emulator.faults(json!([
        { "kind": "access_denied", "action": "iam:CreateRole", "account": PROD_PAY },
        { "kind": "access_denied", "action": "iam:AttachRolePolicy", "account": SAND },
    ]));
    let (code, report) = emulator.json(&["apply", "plan.json"]);
    assert_eq!((code, &report["outcome"]), (6, &json!("partial")));
    let failed = [
        format!("{PROD_PAY}/iam_role/BreakGlassAdmin"),
        format!("{PROD_PAY}/iam_role/BreakGlassRead"),
        format!("{SAND}/iam_role/BreakGlassRead"),
    ];
    assert_eq!(results(&report, "failed"), failed);
    let others = report["results"].as_array().unwrap().len() - failed.len();
    assert_eq!(results(&report, "done").len(), others);
    let message = report["results"].to_string();
    assert!(
        message.contains("iam:AttachRolePolicy: AccessDenied: "),
        "{message}"
    );
    let (_, drift) = emulator.json(&["drift"]);
    assert_eq!(drift["summary"]["accounts"]["different"], 2);

    emulator.no_faults();
    emulator.run(&["apply", "plan.json"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn after_too_many_failures_nothing_new_is_begun() {
    let emulator = small_organization();
    emulator.faults(json!([{ "kind": "access_denied", "action": "iam:CreateRole" }]));
    let apply = [
        "apply",
        "--yes",
        "--concurrency",
        "1",
        "--max-failures",
        "0",
    ];
    let (code, report) = emulator.json(&apply);
    assert_eq!(code, 6);
    assert_eq!(emulator.fired(), [1]);
    let roles = |status: &str| {
        let results = results(&report, status).into_iter();
        results
            .filter(|address| address.contains("/iam_role/"))
            .count()
    };
    assert_eq!((roles("failed"), roles("skipped")), (1, 6));
    emulator.no_faults();
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}
