//! `kill -9` after every single write of an apply, with live state as the only journal.

use serde_json::{Value, json};

use crate::everything::{ALLOW, Stage, leave_behind, organization, write};
use crate::harness::{Call, Emulator};

/// Holds the answer to the first write, which is carried out.
fn first_write() -> Value {
    json!({ "kind": "hold_answer", "writes": true, "times": 1 })
}

/// Runs an apply again and again, each run killed at its first write, until one has nothing left to write; gives the
/// writes of all of them.
fn write_by_write(emulator: &Emulator, apply: &[&str]) -> Vec<Call> {
    emulator.forget_calls();
    // Many times as often as there is anything to write: an apply that never ends would fail here.
    for _ in 0..400 {
        if !emulator.kill_when_held(apply, &first_write()) {
            return emulator.writes();
        }
    }
    panic!(
        "there is always something left to write: {:#?}",
        emulator.writes()
    );
}

/// What the calls did, and to what, in no order.
fn done(calls: &[Call]) -> Vec<String> {
    let mut done: Vec<String> = calls
        .iter()
        .map(|call| format!("{} {} {}", call.account, call.name(), call.params))
        .collect();
    done.sort();
    done
}

fn applied(emulator: &Emulator, apply: &[&str]) -> Vec<Call> {
    emulator.forget_calls();
    emulator.run(apply).expect(0);
    emulator.writes()
}

/// What an apply of each stage writes when nothing comes in between.
async fn undisturbed(stages: &[Stage], apply: &[&str]) -> Vec<Vec<String>> {
    let emulator = organization().await;
    let mut all = Vec::new();
    for stage in stages {
        prepare(&emulator, *stage).await;
        all.push(done(&applied(&emulator, apply)));
    }
    all
}

async fn prepare(emulator: &Emulator, stage: Stage) {
    write(emulator, stage, None, "");
    if stage == Stage::Gone {
        leave_behind(&emulator.iam("emergency").await).await;
    }
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
}

const STAGES: [Stage; 3] = [Stage::Made, Stage::Changed, Stage::Gone];

async fn expect_each_write_once(apply: &[&str]) {
    let apply = [apply, &ALLOW, &["--concurrency", "1"]].concat();
    let expected = undisturbed(&STAGES, &apply).await;
    let emulator = organization().await;
    for (stage, expected) in STAGES.into_iter().zip(expected) {
        prepare(&emulator, stage).await;
        let writes = write_by_write(&emulator, &apply);
        assert_eq!(done(&writes), expected);
        emulator.run(&["drift"]).expect(0);
    }
}

#[tokio::test]
async fn an_apply_killed_after_each_write_makes_each_once() {
    expect_each_write_once(&["apply", "--yes"]).await;
}

#[tokio::test]
async fn an_apply_of_a_saved_plan_killed_after_each_write_makes_each_once() {
    expect_each_write_once(&["apply", "plan.json"]).await;
}
