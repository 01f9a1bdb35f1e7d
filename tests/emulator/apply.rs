//! Saved plans: what was reviewed is what is done, or nothing is.

use aws_sdk_iam::types::Tag;
use serde_json::json;

use crate::backend::TRUST;
use crate::harness::{Call, Emulator, IDENTIFIED, small};
use crate::{applied_small_organization, drift, small_organization};

/// Applies the saved plan and expects it to be refused before anything is written.
#[track_caller]
fn expect_refused(emulator: &Emulator, arguments: &[&str], code: i32, told: &str) {
    emulator.forget_calls();
    let arguments = [&["apply", "plan.json"], arguments].concat();
    let run = emulator.run(&arguments).expect(code);
    assert!((run.stdout + &run.stderr).contains(told), "{told}");
    assert_eq!(emulator.writes(), []);
}

/// The same, of a plan that is refused before anything is read.
#[track_caller]
fn expect_refused_unread(emulator: &Emulator, arguments: &[&str], code: i32, told: &str) {
    expect_refused(emulator, arguments, code, told);
    assert_eq!(emulator.calls(), []);
}

#[tokio::test]
async fn a_plan_is_stale_when_one_of_its_objects_was_changed() {
    let emulator = applied_small_organization();
    drift::tamper_in_the_small(&emulator).await;
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let iam = emulator.iam("prod-pay").await;
    let tag = Tag::builder().key("seen").value("1").build().unwrap();
    let change = iam.tag_role().role_name("BreakGlassAdmin").tags(tag);
    change.send().await.unwrap();
    let told = "changed since the plan was made";
    expect_refused(&emulator, &[], 4, told);

    let detach = iam.untag_role().role_name("BreakGlassAdmin");
    detach.tag_keys("seen").send().await.unwrap();
    emulator.run(&["apply", "plan.json"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[tokio::test]
async fn a_plan_is_stale_when_what_it_makes_was_made_otherwise() {
    let emulator = small_organization();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let iam = emulator.iam("sand").await;
    let role = iam.create_role().role_name("BreakGlassRead");
    let role = role
        .path("/break-glass/")
        .assume_role_policy_document(TRUST);
    role.send().await.unwrap();
    expect_refused(&emulator, &[], 4, "changed since the plan was made");
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[tokio::test]
async fn a_plan_is_stale_when_what_it_changes_is_gone() {
    let emulator = applied_small_organization();
    drift::tamper_in_the_small(&emulator).await;
    let spec = emulator.read("breakglass.yaml");
    let spec = spec.replace("max_session: 4h", "max_session: 2h");
    emulator.write("breakglass.yaml", &spec);
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let iam = emulator.iam("sand").await;
    let detach = iam.detach_role_policy().role_name("BreakGlassRead");
    let detach = detach.policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess");
    detach.send().await.unwrap();
    let delete = iam.delete_role().role_name("BreakGlassRead");
    delete.send().await.unwrap();
    expect_refused(&emulator, &[], 4, "changed since the plan was made");
}

#[test]
fn a_plan_for_another_organization_is_refused() {
    let mut emulator = small_organization();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let planned = emulator.organization_id.clone();
    let mut other = small();
    other["random_seed"] = json!(7);
    emulator.seed(&other);
    assert_ne!(emulator.organization_id, planned);
    expect_refused(&emulator, &[], 4, &planned);
    let calls = emulator.calls();
    let mut called: Vec<String> = calls.iter().map(Call::name).collect();
    called.sort();
    assert_eq!(called, IDENTIFIED);
}

#[test]
fn only_the_plan_that_was_reviewed_is_applied() {
    let emulator = small_organization();
    let (_, plan) = emulator.json(&["plan", "--out", "plan.json"]);
    let digest = plan["digest"].as_str().unwrap();
    let wrong = format!("sha256:{}", "0".repeat(64));
    let expect = ["--expect-digest", wrong.as_str()];
    expect_refused_unread(&emulator, &expect, 4, digest);
    emulator
        .run(&[&["apply", "--yes"], &expect[..]].concat())
        .expect(4);
    assert_eq!(emulator.writes(), []);

    // The same plan made again has the same digest.
    let expect = ["--expect-digest", digest];
    emulator
        .run(&[&["apply", "--yes"], &expect[..]].concat())
        .expect(0);
    emulator
        .run(&[&["apply", "plan.json"], &expect[..]].concat())
        .expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn an_expired_plan_is_refused() {
    let emulator = small_organization();
    emulator
        .run(&["plan", "--ttl", "0s", "--out", "plan.json"])
        .expect(0);
    expect_refused_unread(&emulator, &[], 4, "the plan expired at");
    emulator.run(&["apply", "--yes", "--ttl", "0s"]).expect(4);
    assert_eq!(emulator.writes(), []);
}

#[test]
fn a_plan_that_was_edited_or_cut_is_refused() {
    let emulator = small_organization();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let plan = emulator.read("plan.json");
    let edited = plan.replace("AdministratorAccess", "PowerUserAccess");
    assert_ne!(edited, plan);
    let told = "its content does not fit its digest";
    for (text, told) in [
        (edited.as_str(), told),
        (
            &plan[..plan.len() / 2],
            "not a plan or report that can be read",
        ),
        ("", "not a plan or report that can be read"),
        (
            &plan.replacen("\"1.0\"", "\"2.0\"", 1),
            "use a newer breakglass",
        ),
    ] {
        emulator.write("plan.json", text);
        expect_refused_unread(&emulator, &[], 1, told);
    }
    emulator
        .run(&["drift", "--report", "json=plan.json"])
        .expect(2);
    expect_refused_unread(&emulator, &[], 1, "a report of drift, not a plan");
}

#[test]
fn a_plan_made_from_another_spec_is_refused() {
    let emulator = small_organization();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let spec = emulator.read("breakglass.yaml");
    emulator.write(
        "other.yaml",
        &spec.replace("max_session: 4h", "max_session: 2h"),
    );
    let told = "the plan was made from another spec";
    expect_refused_unread(&emulator, &["--spec", "other.yaml"], 4, told);
    // A document that the spec names is part of it.
    let limit = emulator.read("policies/limit.json");
    emulator.write("policies/limit.json", &limit.replace("s3:Get*", "s3:*"));
    expect_refused_unread(&emulator, &["--spec", "breakglass.yaml"], 4, told);
    emulator.write("policies/limit.json", &limit);
    let run = ["apply", "plan.json", "--spec", "breakglass.yaml"];
    emulator.run(&run).expect(0);
}
