//! `kill -9` after every single write of an apply, with live state as the only journal.

use std::collections::BTreeSet;

use serde_json::{Value, json};

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

/// What the calls that were not refused did, and to what, in no order.
///
/// A tag that is set or taken again is so once. A virtual device that has just lost its user goes with the next step of the
/// same run only: an apply that dies there leaves a device of nobody behind, which does nothing.
fn done(calls: &[Call]) -> Vec<String> {
    let carried_out = |call: &&Call| call.status.is_none_or(|status| status < 300);
    let mut tags = BTreeSet::new();
    let calls = calls.iter().filter(carried_out);
    let calls = calls.filter(|call| match call.action.as_str() {
        "TagResource" | "UntagResource" => tags.insert(format!("{} {}", call.action, call.params)),
        "DeleteVirtualMFADevice" => false,
        _ => true,
    });
    let mut done: Vec<String> = calls
        .map(|call| {
            format!(
                "{} {} {}",
                call.account,
                call.name(),
                nameless(&call.params)
            )
        })
        .collect();
    done.sort();
    done
}

/// Leaves out ids, which are never the same twice.
fn nameless(params: &Value) -> Value {
    let mut params = params.clone();
    for (key, value) in params.as_object_mut().unwrap() {
        if key.ends_with("Id") && !["VersionId", "TargetId"].contains(&key.as_str()) {
            *value = Value::Null;
        }
    }
    params
}

fn applied(emulator: &Emulator, apply: &[&str]) -> Vec<Call> {
    emulator.forget_calls();
    emulator.run(apply).expect(0);
    emulator.writes()
}

async fn prepare(emulator: &Emulator, stage: Stage) {
    write(emulator, stage, None, "");
    if stage == Stage::Gone {
        leave_behind(&emulator.iam("emergency").await).await;
    }
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
}

const STAGES: [Stage; 3] = [Stage::Made, Stage::Changed, Stage::Gone];

/// Goes through the stages, in one organization undisturbed and in the other with an apply killed at each write of those
/// in `killed`.
async fn expect_each_write_once(apply: &[&str], killed: &[Stage]) {
    let apply = [apply, &ALLOW, &["--concurrency", "1"]].concat();
    let (undisturbed, emulator) = (organization().await, organization().await);
    for stage in STAGES {
        prepare(&undisturbed, stage).await;
        let expected = applied(&undisturbed, &apply);
        prepare(&emulator, stage).await;
        let writes = match killed.contains(&stage) {
            true => write_by_write(&emulator, &apply),
            false => applied(&emulator, &apply),
        };
        assert_eq!(done(&writes), done(&expected));
        emulator.run(&["drift"]).expect(0);
    }
}

#[tokio::test]
async fn an_apply_killed_after_each_write_makes_each_once() {
    expect_each_write_once(&["apply", "--yes"], &[Stage::Changed]).await;
}

#[tokio::test]
async fn an_apply_of_a_saved_plan_killed_after_each_write_makes_each_once() {
    expect_each_write_once(&["apply", "plan.json"], &STAGES).await;
}
