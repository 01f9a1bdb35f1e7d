//! Break-glass access that was made by hand, taken over by `import`: what the spec can say is in sync at once.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;
use serde_json::json;

use crate::harness::{EMERGENCY, Emulator, SAND, changes};

const PATH: &str = "/break-glass/";

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

/// What a user needs for a device of its own, as AWS's guides write it out.
fn user_mfa() -> String {
    let template = include_str!("../../policies/break-glass-mfa.json");
    template
        .replace("{partition}", "aws")
        .replace("{path}", PATH)
}

async fn make_user(iam: &Client, organization: &str, name: &str, with_policies: bool) {
    let user = iam.create_user().user_name(name).path(PATH);
    user.tags(tag("team", "security")).send().await.unwrap();
    if !with_policies {
        return;
    }
    let roles = json!([
        "arn:aws:iam::*:role/break-glass/Emergency",
        "arn:aws:iam::*:role/break-glass/Look"
    ]);
    // Not as this tool would write it.
    let assume = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Resource": roles,
        "Condition": { "StringEquals": { "AWS:ResourceOrgId": [organization] } },
    } });
    for (policy, document) in [
        ("break-glass-mfa", user_mfa()),
        ("break-glass-assume", assume.to_string()),
    ] {
        let put = iam.put_user_policy().user_name(name).policy_name(policy);
        put.policy_document(document).send().await.unwrap();
    }
}

async fn make_role(iam: &Client, name: &str, trusted: &[&str], max_session: i32) {
    let users = trusted.iter();
    let users: Vec<String> = users
        .map(|user| format!("arn:aws:iam::{EMERGENCY}:user{PATH}{user}"))
        .collect();
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "Emergency",
        "Effect": "Allow",
        "Principal": { "AWS": users },
        "Action": "sts:AssumeRole",
        "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } },
    }] });
    let role = iam.create_role().role_name(name).path(PATH);
    let role = role.assume_role_policy_document(trust.to_string());
    let role = role
        .max_session_duration(max_session)
        .tags(tag("team", "security"));
    role.send().await.unwrap();
}

async fn attach(iam: &Client, role: &str, policy: &str) {
    let attach = iam.attach_role_policy().role_name(role);
    attach.policy_arn(policy).send().await.unwrap();
}

/// Makes users, roles and policies as someone without this tool would, and without its tag.
async fn make_by_hand(emulator: &Emulator, with_policies: bool) {
    let home = emulator.iam("emergency").await;
    for user in ["bg-alice", "bg-bob"] {
        make_user(&home, &emulator.organization_id, user, with_policies).await;
    }
    let profile = home.create_login_profile().user_name("bg-alice");
    profile.password("Secret-0123456789").send().await.unwrap();
    let key = home.create_access_key().user_name("bg-bob");
    key.send().await.unwrap();
    for account in ["management", "emergency", "prod-pay", "sand"] {
        let iam = emulator.iam(account).await;
        make_role(&iam, "Look", &["bg-alice", "bg-bob"], 3600).await;
        attach(&iam, "Look", "arn:aws:iam::aws:policy/ReadOnlyAccess").await;
    }
    for account in ["prod-pay", "sand"] {
        let iam = emulator.iam(account).await;
        let guard = iam.create_policy().policy_name("guard").path(PATH);
        let guard = guard.policy_document(r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"cloudtrail:*","Resource":"*"}}"#);
        let guard = guard.send().await.unwrap().policy.unwrap();
        make_role(&iam, "Emergency", &["bg-alice", "bg-bob"], 7200).await;
        attach(
            &iam,
            "Emergency",
            "arn:aws:iam::aws:policy/AdministratorAccess",
        )
        .await;
        attach(&iam, "Emergency", guard.arn().unwrap()).await;
        let put = iam
            .put_role_policy()
            .role_name("Emergency")
            .policy_name("no-leaving");
        let put = put.policy_document(r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"organizations:LeaveOrganization","Resource":"*"}}"#);
        put.send().await.unwrap();
    }
}

async fn expect_in_sync_with_its_import(with_policies: bool) {
    let emulator = Emulator::small();
    make_by_hand(&emulator, with_policies).await;
    emulator.forget_calls();
    let import = ["import", "--out", "breakglass.yaml"];
    let run = emulator.run(&import).expect(0);
    assert!(!run.stderr.contains("not the same"), "{run:?}");
    emulator.run(&["drift"]).expect(0);
    let (_, plan) = emulator.json(&["plan"]);
    assert_eq!(changes(&plan), Vec::<String>::new());
    emulator.run(&["apply", "--yes"]).expect(0);
    assert_eq!(emulator.writes(), []);

    let spec = emulator.read("breakglass.yaml");
    for said in [
        EMERGENCY,
        "bg-alice",
        "bg-bob",
        "Emergency",
        "Look",
        "guard",
        "no-leaving",
        "team: security",
    ] {
        assert!(spec.contains(said), "{said}: {spec}");
    }
    let plain = spec.contains("generated_policies: false");
    assert_eq!(plain, !with_policies, "{spec}");
}

#[tokio::test]
async fn what_was_made_by_hand_is_in_sync_with_its_import() {
    expect_in_sync_with_its_import(true).await;
}

#[tokio::test]
async fn users_without_the_policies_of_this_tool_are_in_sync_with_their_import() {
    expect_in_sync_with_its_import(false).await;
}

#[tokio::test]
async fn what_a_spec_can_not_say_is_told_and_is_all_that_differs() {
    let emulator = Emulator::small();
    make_by_hand(&emulator, true).await;
    let iam = emulator.iam("sand").await;
    let settings = iam.update_role().role_name("Look");
    settings.max_session_duration(10_800).send().await.unwrap();
    let import = ["import", "--out", "breakglass.yaml"];
    let run = emulator.run(&import).expect(2);
    let address = format!("{SAND}/iam_role/Look");
    let told = format!("not the same in the spec: {address}: max_session");
    assert!(run.stderr.contains(&told), "{run:?}");
    assert_eq!(run.stderr.matches("not the same").count(), 1, "{run:?}");
    let (code, drift) = emulator.json(&["drift"]);
    let left = format!("{address} update max_session");
    assert_eq!((code, changes(&drift)), (2, vec![left]));
}
