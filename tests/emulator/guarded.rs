//! An organization behind guardrails of every kind: what blocks break-glass is named, opened, proven, and found again.

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::PolicyType;
use serde_json::{Value, json};

use crate::gates::expect_stopped;
use crate::guardrails::BOTH;
use crate::harness::{EMERGENCY, Emulator, changes};

const SPEC: &str = r#"
version: 1
organization: { id: ORGANIZATION, regions: [us-east-1, eu-west-1] }
emergency_account: "EMERGENCY"
users:
  - { name: bg-alice, custodians: { password: a, token: b }, console: false, access_keys: vaulted }
  - { name: bg-bob, custodians: { password: c, token: d }, console: false, access_keys: vaulted }
roles:
  - name: BreakGlassAdmin
    trusted: ["user:bg-alice", "user:bg-bob"]
    mfa: { required: true, max_age: 1h }
    permissions: { managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess"] }
    must_allow: ["ec2:*", "iam:UpdateAssumeRolePolicy", "s3:GetObject"]
coverage:
  required: [BreakGlassAdmin]
"#;

const EXCEPTIONS: &str = r#"
guardrails:
  protection: { policy: break-glass-protection, attach: [root] }
  exceptions:
    - id: region-lock
      policy: deny-outside-eu
      roles: [BreakGlassAdmin]
      accounts: { include: ["ou:/Workloads"] }
      reason: A region lock must not stop recovery
      owner: platform-security
      ticket: SEC-1
      expires: 2099-06-30
    - id: quarantine
      policy: quarantine
      roles: [BreakGlassAdmin]
      accounts: { include: ["account:pay-2"] }
      reason: Quarantined accounts are where it is needed
      owner: platform-security
      ticket: SEC-2
      expires: 2099-06-30
    - id: assume-from-office
      policy: assume-from-office
      statements: [OfficeOnly]
      roles: [BreakGlassAdmin]
      reason: Users come from anywhere
      owner: platform-security
      ticket: SEC-3
      expires: 2099-06-30
"#;

const CI: &str = "arn:aws:iam::*:role/ci/Deployer";

fn deny(sid: &str, statement: Value) -> String {
    let mut statement = statement;
    statement["Sid"] = json!(sid);
    statement["Effect"] = json!("Deny");
    statement["Resource"] = json!("*");
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn region_lock(spared: &[&str]) -> String {
    let outside = json!({
        "NotAction": ["iam:*", "sts:*", "organizations:*"],
        "Condition": {
            "StringNotEquals": { "aws:RequestedRegion": ["eu-west-1"] },
            "ArnNotLike": { "aws:PrincipalArn": spared },
        },
    });
    deny("OutsideEu", outside)
}

/// Three levels of units with twelve accounts, the management account among them.
struct Guarded {
    emulator: Emulator,
    client: Client,
    region_lock: String,
}

impl Guarded {
    async fn new() -> Self {
        let accounts = [
            ("log-archive", "/Security"),
            ("pay-1", "/Workloads/Prod/Payments"),
            ("pay-2", "/Workloads/Prod/Payments"),
            ("prod-web", "/Workloads/Prod"),
            ("prod-data", "/Workloads/Prod"),
            ("dev-web", "/Workloads/Dev"),
            ("dev-data", "/Workloads/Dev"),
            ("network", "/Infrastructure"),
            ("sandbox-1", "/Sandbox"),
            ("sandbox-2", "/Sandbox"),
        ];
        let accounts = accounts.map(|(name, ou)| json!({ "name": name, "ou": ou }));
        let emergency = json!({ "name": "emergency", "ou": "/Security", "id": EMERGENCY });
        let accounts = [&[emergency][..], &accounts[..]].concat();
        let emulator = Emulator::start(&json!({ "accounts": accounts, "policy_types": BOTH }));
        emulator.write("breakglass.yaml", SPEC);
        emulator.run(&["apply", "--yes"]).expect(0);
        let client = emulator.organizations();
        let mut guarded = Self {
            emulator,
            client,
            region_lock: String::new(),
        };
        guarded.furnish().await;
        guarded
    }

    async fn furnish(&mut self) {
        let root = self.root().await;
        let workloads = self.unit(&root, "Workloads").await;
        let infrastructure = self.unit(&root, "Infrastructure").await;
        let scp = PolicyType::ServiceControlPolicy;
        self.region_lock = self
            .policy("deny-outside-eu", &scp, &region_lock(&[CI]), &[&workloads])
            .await;
        let is_root = json!({
            "Action": "*",
            "Condition": {
                "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:root" },
                "Null": { "aws:AssumedRoot": "true" },
            },
        });
        self.policy("deny-root", &scp, &deny("Root", is_root), &[&root])
            .await;
        let leave = json!({ "Action": "organizations:LeaveOrganization" });
        self.policy("deny-leave", &scp, &deny("Leave", leave), &[&root])
            .await;
        let others = json!({
            "Action": "*",
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/Forensics" } },
        });
        let target = self.emulator.account("pay-2");
        self.policy("quarantine", &scp, &deny("Quarantine", others), &[target])
            .await;
        let allow = |actions: &[&str]| {
            json!({ "Version": "2012-10-17", "Statement": [
                { "Sid": "Listed", "Effect": "Allow", "Action": actions, "Resource": "*" },
            ] })
            .to_string()
        };
        let listed = allow(&["s3:*", "iam:*", "sts:*"]);
        self.policy("allow-list", &scp, &listed, &[&infrastructure])
            .await;
        self.detach("p-FullAWSAccess", &infrastructure).await;
        let office = json!({
            "Principal": "*",
            "Action": "sts:AssumeRole",
            "Condition": {
                "NotIpAddressIfExists": { "aws:SourceIp": "203.0.113.0/24" },
                "BoolIfExists": { "aws:PrincipalIsAWSService": "false" },
            },
        });
        let rcp = PolicyType::ResourceControlPolicy;
        let document = deny("OfficeOnly", office);
        self.policy("assume-from-office", &rcp, &document, &[&workloads])
            .await;
    }

    async fn root(&self) -> String {
        let roots = self.client.list_roots().send().await.unwrap();
        roots.roots()[0].id().unwrap().to_owned()
    }

    async fn unit(&self, parent: &str, name: &str) -> String {
        let units = self.client.list_organizational_units_for_parent();
        let units = units.parent_id(parent).send().await.unwrap();
        let mut units = units.organizational_units().iter();
        let unit = units.find(|unit| unit.name() == Some(name));
        unit.unwrap().id().unwrap().to_owned()
    }

    async fn policy(
        &self,
        name: &str,
        kind: &PolicyType,
        document: &str,
        targets: &[&str],
    ) -> String {
        let made = self.client.create_policy().name(name).description(name);
        let made = made.r#type(kind.clone()).content(document).send().await;
        let id = made.unwrap().policy.unwrap().policy_summary.unwrap().id;
        let id = id.unwrap();
        for target in targets {
            let attach = self.client.attach_policy().policy_id(&id);
            attach.target_id(*target).send().await.unwrap();
        }
        id
    }

    async fn write(&self, id: &str, document: &str) {
        let update = self.client.update_policy().policy_id(id);
        update.content(document).send().await.unwrap();
    }

    async fn detach(&self, id: &str, target: &str) {
        let detach = self.client.detach_policy().policy_id(id);
        detach.target_id(target).send().await.unwrap();
    }

    async fn policy_named(&self, name: &str) -> String {
        let listed = self.client.list_policies();
        let listed = listed.filter(PolicyType::ServiceControlPolicy).send().await;
        let listed = listed.unwrap().policies.unwrap();
        let mut listed = listed.into_iter();
        let found = listed.find(|policy| policy.name() == Some(name));
        found.unwrap().id.unwrap()
    }

    /// Every role path that is not proven, as `ACCOUNT VERDICT: blockers`.
    fn unproven(&self) -> Vec<String> {
        let (code, verification) = self.emulator.json(&["verify"]);
        let results = verification["results"].as_array().unwrap().iter();
        let unproven = results.filter(|result| result["verdict"] != "proven");
        let told = unproven.map(|result| {
            let mut blockers = Vec::new();
            for proof in result["proofs"].as_array().unwrap() {
                for finding in proof["findings"].as_array().into_iter().flatten() {
                    for blocker in finding["blockers"].as_array().into_iter().flatten() {
                        let text = |key: &str| blocker[key].as_str().unwrap_or("-").to_owned();
                        blockers.push(format!("{}/{}", text("policy"), text("sid")));
                    }
                }
            }
            blockers.sort();
            blockers.dedup();
            let (account, verdict) = (&result["account_name"], &result["verdict"]);
            let (account, verdict) = (account.as_str().unwrap(), verdict.as_str().unwrap());
            format!("{account} {verdict}: {}", blockers.join(" "))
        });
        let mut told: Vec<String> = told.collect();
        told.sort();
        assert_eq!(code, if told.is_empty() { 0 } else { 2 }, "{told:?}");
        told
    }

    #[track_caller]
    fn expect_drift(&self, expected: &[&str]) {
        let (code, drift) = self.emulator.json(&["drift"]);
        assert_eq!(changes(&drift), expected);
        assert_eq!(code, if expected.is_empty() { 0 } else { 2 });
    }
}

#[tokio::test]
async fn every_block_is_named_opened_and_found_again() {
    let guarded = Guarded::new().await;
    let emulator = &guarded.emulator;
    let region = "assume-from-office/OfficeOnly deny-outside-eu/OutsideEu";
    assert_eq!(
        guarded.unproven(),
        [
            format!("dev-data blocked: {region}"),
            format!("dev-web blocked: {region}"),
            "network blocked: -/-".to_owned(),
            format!("pay-1 blocked: {region}"),
            format!("pay-2 blocked: {region} quarantine/Quarantine"),
            format!("prod-data blocked: {region}"),
            format!("prod-web blocked: {region}"),
        ]
    );
    // No exception helps where nothing allows: the list has to be made longer.
    let list = guarded.policy_named("allow-list").await;
    let longer = json!({ "Version": "2012-10-17", "Statement": [
        { "Sid": "Listed", "Effect": "Allow", "Action": ["ec2:*", "s3:*", "iam:*", "sts:*"], "Resource": "*" },
    ] });
    guarded.write(&list, &longer.to_string()).await;

    let spec = SPEC.to_owned() + EXCEPTIONS;
    emulator.write("breakglass.yaml", &spec);
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    emulator.run(&["verify", "--after", "plan.json"]).expect(0);
    emulator.forget_calls();
    emulator.run(&["apply", "plan.json"]).expect(5);
    assert_eq!(emulator.writes(), []);
    emulator
        .run(&["apply", "plan.json", "--allow", "widen"])
        .expect(0);
    let none: [&str; 0] = [];
    assert_eq!(guarded.unproven(), none);
    guarded.expect_drift(&[]);
    emulator.forget_calls();
    emulator.run(&["apply", "--yes"]).expect(0);
    assert_eq!(emulator.writes(), []);

    // An ARN is taken out behind its back, and a stranger let in.
    let stranger = "arn:aws:iam::*:role/break-glass/Stranger";
    guarded
        .write(&guarded.region_lock, &region_lock(&[CI, stranger]))
        .await;
    guarded.expect_drift(&[
        &format!("org/guardrail_exception/deny-outside-eu:{stranger} delete exempted.OutsideEu"),
        "org/guardrail_exception/region-lock create exempted.OutsideEu",
    ]);
    let lock = "blocked: deny-outside-eu/OutsideEu";
    let locked = [
        "dev-data",
        "dev-web",
        "pay-1",
        "pay-2",
        "prod-data",
        "prod-web",
    ];
    assert_eq!(
        guarded.unproven(),
        locked.map(|account| format!("{account} {lock}"))
    );
    emulator.run(&["apply", "--yes"]).expect(0);
    assert_eq!(guarded.unproven(), none);

    // Nothing allows any more at one unit.
    let root = guarded.root().await;
    let security = guarded.unit(&root, "Security").await;
    guarded
        .policy(
            "nothing-much",
            &PolicyType::ServiceControlPolicy,
            &longer.to_string().replace("sts", "sqs"),
            &[&security],
        )
        .await;
    guarded.detach("p-FullAWSAccess", &security).await;
    let run = emulator.run(&["verify"]).expect(2);
    let blocked = format!("no SCP at /Security ({security})");
    assert!(run.stdout.contains(&blocked), "{}", run.stdout);
    let attach = guarded.client.attach_policy().policy_id("p-FullAWSAccess");
    attach.target_id(&security).send().await.unwrap();
    assert_eq!(guarded.unproven(), none);

    // A stranger is trusted.
    let iam = emulator.iam("prod-web").await;
    let trust = iam.get_role().role_name("BreakGlassAdmin").send().await;
    let trust = trust.unwrap().role.unwrap().assume_role_policy_document;
    let trust = trust.unwrap();
    let trust = percent_encoding::percent_decode_str(&trust).decode_utf8();
    let trust = trust.unwrap().replace("user/break-glass/bg-bob", "root");
    let update = iam.update_assume_role_policy().role_name("BreakGlassAdmin");
    update.policy_document(trust).send().await.unwrap();
    let prod_web = emulator.account("prod-web");
    guarded.expect_drift(&[&format!(
        "{prod_web}/iam_role/BreakGlassAdmin update trust_policy"
    )]);
    assert_eq!(guarded.unproven().len(), 1);
    emulator.run(&["apply", "--yes"]).expect(0);

    // The last day of an exception is over.
    let expired = spec.replacen("2099-06-30", "2026-06-30", 1);
    emulator.write("breakglass.yaml", &expired);
    guarded.expect_drift(&["org/guardrail_exception/region-lock delete exempted.OutsideEu"]);
    expect_stopped(emulator, &[], &["lockout"]);
    emulator
        .run(&["apply", "--yes", "--allow", "lockout"])
        .expect(0);
    guarded.expect_drift(&[]);
    assert_eq!(guarded.unproven().len(), 6);
}
