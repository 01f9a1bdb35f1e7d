//! `kill -9` after every single write of an apply, with live state as the only journal.

use std::collections::BTreeSet;

use serde_json::json;

use crate::everything::{ALLOW, Stage, leave_behind, organization, write};
use crate::harness::{Call, Emulator};

/// Runs an apply again and again, each run killed at its first write that no run before it made, until one has nothing
/// left to write; gives the writes of all of them. The writes are carried out, and their answers lost.
fn write_by_write(emulator: &Emulator, apply: &[&str]) -> Vec<Call> {
    emulator.forget_calls();
    let mut again = 0;
    // Many times as often as there is anything to write: an apply that never ends would fail here.
    for _ in 0..400 {
        let before = done(&emulator.writes());
        let rule = json!({ "kind": "hold_answer", "writes": true, "after": again, "times": 1 });
        if !emulator.kill_when_held(apply, &rule) {
            return emulator.writes();
        }
        again = usize::from(done(&emulator.writes()) == before);
    }
    panic!(
        "there is always something left to write: {:#?}",
        emulator.writes()
    );
}

/// What the calls that were not refused did, and to what, in no order. A tag that is set again to the same is set once.
fn done(calls: &[Call]) -> Vec<String> {
    let carried_out = |call: &&Call| call.status.is_none_or(|status| status < 300);
    let mut tags = BTreeSet::new();
    let mut done: Vec<String> = calls
        .iter()
        .filter(carried_out)
        .filter(|call| call.action != "TagResource" || tags.insert(call.params.to_string()))
        .map(|call| {
            // The ids of new policies are never the same twice.
            let words = call.params.to_string();
            let words = words.split('"').map(|word| match word.starts_with("p-") {
                true => "p-…",
                false => word,
            });
            let params: Vec<&str> = words.collect();
            format!("{} {} {}", call.account, call.name(), params.join("\""))
        })
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
