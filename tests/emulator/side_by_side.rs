//! Two applies at once: the second stops before it writes, and the first finishes.

use std::fs::File;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::{Emulator, Run};
use crate::interrupted::{ONE_BY_ONE, slow_writes, start};
use crate::{LIMIT, small_organization, spec_without_passwords};

/// Twelve accounts, which take long enough to write.
fn many() -> Emulator {
    let emulator = Emulator::twelve_accounts();
    emulator.write("breakglass.yaml", &spec_without_passwords());
    emulator.write("policies/limit.json", LIMIT);
    emulator
}

fn ended(apply: Child) -> (i32, Value) {
    let run = Run::of(apply.wait_with_output().unwrap());
    let report = serde_json::from_str(&run.stdout);
    let report = report.unwrap_or_else(|error| panic!("no JSON ({error}): {run:?}"));
    (run.code, report)
}

/// How many operations an apply says it carried out.
fn written(report: &Value) -> u64 {
    let results = report["results"].as_array().unwrap().iter();
    results
        .map(|result| result["operations"].as_u64().unwrap())
        .sum()
}

/// Starts an apply, a second one when it has written so often, and expects that only the first writes.
fn expect_first_only(first: &[&str], second: &[&str], writes: usize) {
    let emulator = many();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let json = ["--format", "json"];
    let mut apply = start(&emulator, ONE_BY_ONE, &[first, &json].concat(), writes);
    // The first is not through before the second is.
    slow_writes(&emulator, 250);
    let (code, report) = emulator.json(second);
    assert!(apply.try_wait().unwrap().is_none(), "it is over already");
    emulator.no_faults();
    assert_eq!((code, &report["outcome"]), (4, &"stale".into()), "{report}");
    assert_eq!(written(&report), 0, "{report}");
    let told = report["results"].to_string();
    assert!(
        told.contains("something else is carrying this out now"),
        "{told}"
    );

    let (code, report) = ended(apply);
    assert_eq!(code, 0, "{report}");
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn a_second_apply_of_the_same_plan_writes_nothing() {
    for writes in [1, 20, 45] {
        expect_first_only(
            &["plan.json"],
            &["apply", "plan.json", "--settle", "2s"],
            writes,
        );
    }
}

#[test]
fn a_second_apply_with_a_plan_of_its_own_writes_nothing() {
    for writes in [1, 30] {
        expect_first_only(
            &["plan.json"],
            &["apply", "--yes", "--settle", "2s"],
            writes,
        );
    }
}

#[test]
fn a_plan_that_nobody_carries_out_any_more_is_gone_on_with() {
    let emulator = many();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let mut apply = start(&emulator, ONE_BY_ONE, &["plan.json"], 10);
    apply.kill().unwrap();
    apply.wait().unwrap();
    emulator.no_faults();
    emulator
        .run(&["apply", "plan.json", "--settle", "1s"])
        .expect(0);
    emulator.run(&["drift"]).expect(0);
}

/// However two meet, nothing is broken: each is through or stops for the other, and what is left the next one does.
#[test]
fn two_that_start_together_leave_nothing_that_the_next_does_not_finish() {
    for round in 0..4 {
        let emulator = many();
        emulator.run(&["plan", "--out", "plan.json"]).expect(0);
        let arguments = [
            ["apply", "plan.json", "--format", "json"],
            ["apply", "--yes", "--format", "json"],
        ];
        // Twice the same plan, twice another, or one of each.
        let pair = [arguments[round % 2], arguments[round / 2]];
        let both = pair.map(|arguments| {
            let mut command = emulator.command(&arguments);
            let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        });
        for apply in both {
            let (code, report) = ended(apply);
            assert!([0, 4].contains(&code), "{report}");
        }
        emulator.run(&["apply", "--yes"]).expect(0);
        emulator.run(&["drift"]).expect(0);
    }
}

/// A snapshot of an organization without anything, which each change of a part of it takes further.
fn with_snapshot() -> Emulator {
    let emulator = small_organization();
    emulator.run(&["snapshot", "--out", "org.json"]).expect(0);
    emulator
}

#[test]
fn a_rehearsal_keeps_its_file_to_itself() {
    let emulator = with_snapshot();
    let before = emulator.read("org.json");
    let file = File::open(emulator.path("org.json")).unwrap();
    file.lock().unwrap();
    let apply = ["apply", "--yes", "--org", "org.json"];
    let run = emulator.run(&apply).expect(4);
    let told = "another command is at work on org.json; nothing was written";
    assert!(run.stderr.contains(told), "{run:?}");
    assert_eq!(emulator.read("org.json"), before);
    // Reading keeps out of nobody's way.
    emulator.run(&["drift", "--org", "org.json"]).expect(2);
    file.unlock().unwrap();
    emulator.run(&apply).expect(0);
    // Whoever still holds the file that was replaced holds nothing up.
    file.lock().unwrap();
    emulator.run(&apply).expect(0);
    emulator.run(&["drift", "--org", "org.json"]).expect(0);
}

#[test]
fn two_rehearsals_on_one_file_lose_nothing() {
    for _ in 0..5 {
        let emulator = with_snapshot();
        // Users first, so that roles can trust them.
        let apply = ["apply", "--yes", "--org", "org.json", "--account"];
        emulator
            .run(&[&apply[..], &["emergency"]].concat())
            .expect(0);
        let accounts = ["management", "prod-pay", "sand"];
        let all = accounts.map(|account| {
            let mut command = emulator.command(&[&apply[..], &[account]].concat());
            let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            (account, command.spawn().unwrap())
        });
        for (account, apply_it) in all {
            let run = Run::of(apply_it.wait_with_output().unwrap());
            assert!([0, 4].contains(&run.code), "{run:?}");
            let drift = ["drift", "--org", "org.json", "--account", account];
            let expected = if run.code == 0 { 0 } else { 2 };
            emulator.run(&drift).expect(expected);
        }
    }
}
