//! From nothing to in sync, and back there from a snapshot.

use std::collections::BTreeSet;

use crate::harness::Call;
use crate::{applied_organization, expect_in_sync, organization, spec_without_passwords};

#[test]
fn a_first_plan_lists_exactly_what_is_missing() {
    let emulator = organization();
    let (code, plan) = emulator.json(&["plan"]);
    assert_eq!(code, 0);
    let mut expected = BTreeSet::new();
    let names = emulator
        .accounts
        .iter()
        .map(|(name, id)| (name.as_str(), id));
    for (name, id) in names.chain([("management", &emulator.management)]) {
        if name == "closed" {
            continue;
        }
        expected.insert(format!("{id}/iam_role/BreakGlassRead"));
        expected.insert(format!("{id}/iam_policy/break-glass-limit"));
        if !name.starts_with("sandbox") {
            expected.insert(format!("{id}/iam_role/BreakGlassAdmin"));
            expected.insert(format!("{id}/iam_policy/break-glass-baseline"));
        }
    }
    let emergency = emulator.account("emergency");
    for user in ["bg-alice", "bg-bob"] {
        expected.insert(format!("{emergency}/iam_user/{user}"));
        expected.insert(format!("{emergency}/credential/{user}"));
    }
    let found: BTreeSet<String> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["address"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(found, expected);
    assert_eq!(plan["summary"]["accounts"]["selected"], 12);
    assert_eq!(plan["summary"]["manual"], 2);
    assert_eq!(plan["skipped"][0]["account_name"], "closed");
}

#[tokio::test]
async fn applied_it_is_in_sync_but_for_passwords_and_a_second_apply_writes_nothing() {
    let emulator = applied_organization();
    expect_in_sync(&emulator);

    emulator.forget_calls();
    emulator.run(&["apply", "--yes"]).expect(0);
    assert_eq!(emulator.writes(), []);

    let iam = emulator.iam("emergency").await;
    for user in ["bg-alice", "bg-bob"] {
        let profile = iam
            .create_login_profile()
            .user_name(user)
            .password("Aa1!aaaaaaaaaaaa");
        profile.send().await.unwrap();
    }
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn users_without_a_console_need_no_password() {
    let emulator = organization();
    emulator.write("breakglass.yaml", &spec_without_passwords());
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn a_saved_plan_is_applied_as_it_is_and_again_without_a_write() {
    let emulator = organization();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    emulator.run(&["apply", "plan.json"]).expect(0);
    emulator.forget_calls();
    emulator.run(&["apply", "plan.json"]).expect(0);
    assert_eq!(emulator.writes(), []);
}

#[test]
fn reading_an_account_takes_three_calls() {
    let emulator = applied_organization();
    emulator.forget_calls();
    emulator.run(&["drift"]).expect(2);
    let account = emulator.account("prod-pay");
    let management = emulator.account("management");
    let calls = emulator.calls();
    let inside: Vec<String> = calls
        .iter()
        .filter(|call| call.account == account)
        .map(Call::name)
        .collect();
    assert_eq!(inside.len(), 2, "{inside:?}");
    let entered = calls
        .iter()
        .filter(|call| call.account == management && call.name() == "sts:AssumeRole")
        .count();
    assert_eq!(entered, 11, "every member account is entered once");
}

#[test]
fn a_snapshot_gives_the_very_same_plan_as_live() {
    let emulator = applied_organization();
    let iam = tokio::runtime::Runtime::new().unwrap();
    iam.block_on(crate::drift::tamper_a_little(&emulator));
    emulator.run(&["plan", "--out", "live.json"]).expect(0);
    emulator.run(&["snapshot", "--out", "org.json"]).expect(0);
    emulator
        .run(&["plan", "--org", "org.json", "--out", "snapshot.json"])
        .expect(0);
    assert_eq!(
        emulator.timeless("live.json"),
        emulator.timeless("snapshot.json")
    );
}

#[test]
fn an_apply_rehearsed_on_a_snapshot_ends_where_the_real_one_does() {
    let emulator = organization();
    emulator.run(&["snapshot", "--out", "org.json"]).expect(0);
    emulator
        .run(&["apply", "--yes", "--org", "org.json"])
        .expect(0);
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["snapshot", "--out", "real.json"]).expect(0);
    let state = |name: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(emulator.path(name)).unwrap();
        let snapshot: serde_json::Value = serde_json::from_str(&text).unwrap();
        snapshot["accounts"].clone()
    };
    assert_eq!(state("org.json"), state("real.json"));
}

#[test]
fn an_imported_spec_is_in_sync_with_what_it_came_from() {
    let emulator = applied_organization();
    emulator
        .run(&["import", "--out", "imported.yaml"])
        .expect(0);
    emulator
        .run(&["drift", "--spec", "imported.yaml"])
        .expect(0);
}
