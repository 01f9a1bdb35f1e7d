//! The SCP that protects the break-glass objects: made, attached, compared, and taken away.

use aws_sdk_organizations::types::PolicyType;
use serde_json::{Value, json};

use crate::gates::expect_stopped;
use crate::guardrails::BOTH;
use crate::harness::{Emulator, changes, small};
use crate::{LIMIT, spec_without_passwords};

const ADDRESS: &str = "org/guardrail_policy/break-glass-protection";

const PROTECTION: &str = r#"
guardrails:
  protection: { policy: break-glass-protection, attach: [root, "ou:/Workloads"] }
"#;

/// An organization in sync, with a spec that asks for the protection.
fn furnished() -> Emulator {
    let mut description = small();
    description["policy_types"] = json!(BOTH);
    let emulator = Emulator::start(&description);
    emulator.write("policies/limit.json", LIMIT);
    emulator.write("breakglass.yaml", &spec_without_passwords());
    emulator.run(&["apply", "--yes"]).expect(0);
    let spec = spec_without_passwords() + PROTECTION;
    emulator.write("breakglass.yaml", &spec);
    emulator
}

/// The id and the document of the policy; none when it is not there.
async fn policy(emulator: &Emulator) -> Option<(String, Value)> {
    let client = emulator.organizations();
    let listed = client
        .list_policies()
        .filter(PolicyType::ServiceControlPolicy);
    let listed = listed.send().await.unwrap().policies.unwrap();
    let mut named = listed.into_iter();
    let named = named.find(|policy| policy.name() == Some("break-glass-protection"))?;
    let id = named.id.unwrap();
    let described = client
        .describe_policy()
        .policy_id(&id)
        .send()
        .await
        .unwrap();
    let document = described.policy.unwrap().content.unwrap();
    Some((id, serde_json::from_str(&document).unwrap()))
}

async fn targets(emulator: &Emulator, id: &str) -> Vec<String> {
    let client = emulator.organizations();
    let listed = client.list_targets_for_policy().policy_id(id);
    let listed = listed.send().await.unwrap().targets.unwrap();
    listed
        .into_iter()
        .map(|target| target.target_id.unwrap())
        .collect()
}

#[track_caller]
fn expect_drift(emulator: &Emulator, expected: &[&str]) {
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(changes(&drift), expected);
    assert_eq!(code, if expected.is_empty() { 0 } else { 2 });
}

#[tokio::test]
async fn it_is_made_attached_and_found_when_somebody_changes_it() {
    let emulator = furnished();
    expect_drift(
        &emulator,
        &[&format!(
            "{ADDRESS} create document,attached,tags.breakglass:managed,tags.owner"
        )],
    );
    emulator.forget_calls();
    emulator.run(&["apply", "--yes"]).expect(0);
    let writes: Vec<_> = emulator
        .writes()
        .into_iter()
        .map(|call| call.action)
        .collect();
    assert_eq!(writes, ["CreatePolicy", "AttachPolicy", "AttachPolicy"]);
    expect_drift(&emulator, &[]);
    emulator.forget_calls();
    emulator.run(&["apply", "--yes"]).expect(0);
    assert_eq!(emulator.writes(), []);

    // Somebody lets a role of their own through, and takes the policy from a unit.
    let (id, made) = policy(&emulator).await.unwrap();
    let mut loose = made.clone();
    let spared = &mut loose["Statement"][0]["Condition"]["ArnNotLike"]["aws:PrincipalArn"];
    let list = spared.as_array_mut().unwrap();
    list.push(json!("arn:aws:iam::*:role/Stranger"));
    let client = emulator.organizations();
    let update = client.update_policy().policy_id(&id);
    update.content(loose.to_string()).send().await.unwrap();
    let attached = targets(&emulator, &id).await;
    let unit = attached.iter().find(|target| target.starts_with("ou-"));
    let detach = client.detach_policy().policy_id(&id);
    detach.target_id(unit.unwrap()).send().await.unwrap();
    expect_drift(&emulator, &[&format!("{ADDRESS} update document,attached")]);
    emulator.run(&["apply", "--yes"]).expect(0);
    assert_eq!(policy(&emulator).await.unwrap().1, made);
    assert_eq!(targets(&emulator, &id).await.len(), 2);
    expect_drift(&emulator, &[]);

    // It leaves the spec, which is named before it goes.
    let spec = spec_without_passwords() + "\nguardrails: { exceptions: [] }\n";
    emulator.write("breakglass.yaml", &spec);
    expect_drift(&emulator, &[&format!("{ADDRESS} delete document,attached")]);
    expect_stopped(&emulator, &[], &["widen"]);
    emulator
        .run(&["apply", "--yes", "--allow", "widen,removals"])
        .expect(0);
    assert_eq!(policy(&emulator).await, None);
    expect_drift(&emulator, &[]);
}

#[tokio::test]
async fn an_apply_that_died_after_it_was_made_goes_on_with_a_saved_plan() {
    let emulator = furnished();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let plan: Value = serde_json::from_str(&emulator.read("plan.json")).unwrap();
    let create = &plan["changes"][0]["operations"][0]["operation"]["change_guardrail"];
    let create = &create["create_policy"];
    let client = emulator.organizations();
    let tags = create["tags"].as_object().unwrap().iter();
    let tags = tags.map(|(key, value)| {
        let tag = aws_sdk_organizations::types::Tag::builder();
        let tag = tag.key(key).value(value.as_str().unwrap());
        tag.build().unwrap()
    });
    let made = client
        .create_policy()
        .name(create["name"].as_str().unwrap())
        .description(create["description"].as_str().unwrap())
        .r#type(PolicyType::ServiceControlPolicy)
        .content(create["document"].to_string())
        .set_tags(Some(tags.collect()))
        .send()
        .await;
    made.unwrap();
    emulator.run(&["apply", "plan.json"]).expect(0);
    let (id, _) = policy(&emulator).await.unwrap();
    assert_eq!(targets(&emulator, &id).await.len(), 2);
    expect_drift(&emulator, &[]);
}
