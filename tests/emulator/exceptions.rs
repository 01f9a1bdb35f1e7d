//! Exceptions that guardrails make: planned, applied, and found when somebody takes them away or adds to them.

use breakglass::state::{GuardrailKind, Tags};
use serde_json::{Value, json};

use crate::gates::expect_stopped;
use crate::guardrails::{BOTH, furnish};
use crate::harness::{EMERGENCY, Emulator, changes, small};
use crate::{LIMIT, spec_without_passwords};

const ADMIN: &str = "arn:aws:iam::*:role/break-glass/BreakGlassAdmin";
const CI: &str = "arn:aws:iam::*:role/ci/Deployer";
const LOCK: &str = "org/guardrail_exception/region-lock";

const EXCEPTIONS: &str = r#"
guardrails:
  exceptions:
    - id: region-lock
      policy: deny-outside-eu
      roles: [BreakGlassAdmin]
      accounts: { include: ["*"], exclude: ["ou:/Sandbox"] }
      reason: A region lock must not stop recovery
      owner: platform-security
      ticket: SEC-124
      expires: 2099-06-30
    - id: network
      policy: only-our-network
      statements: [Network]
      users: [bg-alice]
      reason: A user comes from anywhere
      owner: platform-security
      ticket: SEC-124
      expires: 2099-06-30
"#;

fn document(principals: &[&str]) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "OutsideEu",
        "Effect": "Deny",
        "NotAction": ["iam:*", "sts:*"],
        "Resource": "*",
        "Condition": {
            "StringNotEquals": { "aws:RequestedRegion": ["eu-west-1"] },
            "ArnNotLike": { "aws:PrincipalArn": principals },
        },
    }] })
    .to_string()
}

async fn write(emulator: &Emulator, id: &str, document: &str) {
    let client = emulator.organizations();
    let update = client.update_policy().policy_id(id).content(document);
    update.send().await.unwrap();
}

/// Makes an SCP on the workloads and an RCP on everything, and gives their ids.
pub async fn furnish_both(emulator: &Emulator) -> (String, String) {
    let client = emulator.organizations();
    let root = client.list_roots().send().await.unwrap();
    let root = root.roots()[0].id().unwrap().to_owned();
    let units = client.list_organizational_units_for_parent();
    let units = units.parent_id(&root).send().await.unwrap();
    let units = units.organizational_units().iter();
    let mut workloads = units.filter(|unit| unit.name() == Some("Workloads"));
    let workloads = workloads.next().unwrap().id().unwrap();
    let scp = GuardrailKind::Scp;
    let scp = furnish(&client, scp, "deny-outside-eu", &Tags::new(), &[workloads]).await;
    let rcp = GuardrailKind::Rcp;
    let rcp = furnish(&client, rcp, "only-our-network", &Tags::new(), &[&root]).await;
    write(emulator, &scp, &document(&[CI])).await;
    let perimeter = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "Network",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:*", "sts:AssumeRole"],
        "Resource": "*",
        "Condition": {
            "StringNotEqualsIfExists": { "aws:SourceVpc": "vpc-1" },
            "BoolIfExists": { "aws:PrincipalIsAWSService": "false" },
        },
    }] });
    write(emulator, &rcp, &perimeter.to_string()).await;
    (scp, rcp)
}

/// An organization with an SCP on its workloads and an RCP on everything, in sync but for the exceptions.
struct Furnished {
    emulator: Emulator,
    scp: String,
    rcp: String,
}

impl Furnished {
    async fn new() -> Self {
        let mut description = small();
        description["policy_types"] = json!(BOTH);
        let emulator = Emulator::start(&description);
        emulator.write("policies/limit.json", LIMIT);
        emulator.write("breakglass.yaml", &spec_without_passwords());
        emulator.run(&["apply", "--yes"]).expect(0);
        let (scp, rcp) = furnish_both(&emulator).await;
        let furnished = Self { emulator, scp, rcp };
        let spec = spec_without_passwords() + EXCEPTIONS;
        furnished.emulator.write("breakglass.yaml", &spec);
        furnished
    }

    async fn write(&self, id: &str, document: &str) {
        write(&self.emulator, id, document).await;
    }

    async fn exempted(&self, id: &str) -> Value {
        let client = self.emulator.organizations();
        let answer = client.describe_policy().policy_id(id).send().await;
        let policy = answer.unwrap().policy.unwrap();
        let document: Value = serde_json::from_str(&policy.content.unwrap()).unwrap();
        document["Statement"][0]["Condition"]["ArnNotLike"]["aws:PrincipalArn"].clone()
    }

    #[track_caller]
    fn expect_drift(&self, expected: &[&str]) {
        let (code, drift) = self.emulator.json(&["drift"]);
        assert_eq!(changes(&drift), expected);
        assert_eq!(code, if expected.is_empty() { 0 } else { 2 });
    }
}

#[tokio::test]
async fn exceptions_are_made_and_found_when_they_are_gone() {
    let furnished = Furnished::new().await;
    let Furnished { emulator, scp, rcp } = &furnished;
    let missing = [
        "org/guardrail_exception/network create exempted.Network",
        "org/guardrail_exception/region-lock create exempted.OutsideEu",
    ];
    furnished.expect_drift(&missing);
    expect_stopped(emulator, &[], &["widen"]);
    emulator
        .run(&["apply", "--yes", "--allow", "widen"])
        .expect(0);
    assert_eq!(furnished.exempted(scp).await, json!([CI, ADMIN]));
    let alice = format!("arn:aws:iam::{EMERGENCY}:user/break-glass/bg-alice");
    assert_eq!(furnished.exempted(rcp).await, json!(alice));
    furnished.expect_drift(&[]);
    emulator.forget_calls();
    emulator.run(&["apply", "--yes"]).expect(0);
    assert_eq!(emulator.writes(), []);

    // Another tool sets the policy back, and somebody lets a role of their own through.
    let stranger = "arn:aws:iam::*:role/break-glass/Stranger";
    furnished.write(scp, &document(&[CI, stranger])).await;
    let address = format!("org/guardrail_exception/deny-outside-eu:{stranger}");
    furnished.expect_drift(&[
        &format!("{address} delete exempted.OutsideEu"),
        &format!("{LOCK} create exempted.OutsideEu"),
    ]);
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    emulator.forget_calls();
    emulator
        .run(&["apply", "plan.json", "--allow", "removals"])
        .expect(0);
    assert_eq!(emulator.writes().len(), 2);
    assert_eq!(furnished.exempted(scp).await, json!([CI, ADMIN]));
    emulator.forget_calls();
    emulator
        .run(&["apply", "plan.json", "--allow", "removals"])
        .expect(0);
    assert_eq!(emulator.writes(), []);
    furnished.expect_drift(&[]);
}

#[tokio::test]
async fn a_policy_of_another_tool_is_edited_by_name_only() {
    let furnished = Furnished::new().await;
    let Furnished { emulator, scp, .. } = &furnished;
    let tag = aws_sdk_organizations::types::Tag::builder();
    let tag = tag.key("ManagedBy").value("terraform").build().unwrap();
    let client = emulator.organizations();
    let tagging = client.tag_resource().resource_id(scp).tags(tag);
    tagging.send().await.unwrap();
    expect_stopped(emulator, &[], &["foreign", "widen"]);
    expect_stopped(emulator, &["--allow", "widen"], &["foreign"]);
    expect_stopped(emulator, &["--allow", "foreign"], &["widen"]);
    let allow = ["apply", "--yes", "--allow", "widen,foreign"];
    emulator.run(&allow).expect(0);
    furnished.expect_drift(&[]);
}

#[tokio::test]
async fn a_policy_that_was_edited_since_the_plan_is_not_written_over() {
    let furnished = Furnished::new().await;
    let Furnished { emulator, scp, .. } = &furnished;
    let filter = ["--resource", "guardrail_exception/region-*"];
    let plan = [&["plan", "--out", "plan.json"], filter.as_slice()].concat();
    emulator.run(&plan).expect(0);
    let edited = document(&["arn:aws:iam::*:role/else/Other"]);
    furnished.write(scp, &edited).await;
    emulator.forget_calls();
    emulator
        .run(&["apply", "plan.json", "--allow", "widen"])
        .expect(4);
    assert_eq!(emulator.writes(), []);
}

#[tokio::test]
async fn guardrails_that_cannot_be_read_leave_the_plan_incomplete() {
    let furnished = Furnished::new().await;
    let emulator = &furnished.emulator;
    let call = "organizations:ListPolicies";
    emulator.faults(json!([{ "kind": "access_denied", "action": call }]));
    let (code, plan) = emulator.json(&["plan"]);
    assert_eq!(code, 3);
    assert_eq!(plan["unreadable"][0]["account"], emulator.management);
    let error = plan["unreadable"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("organizations:ListPolicies: "), "{error}");
    assert_eq!(plan["changes"], json!([]));
    assert_eq!(plan["summary"]["accounts"]["selected"], 4);
    assert_eq!(plan["summary"]["accounts"]["in_sync"], 3);
}
