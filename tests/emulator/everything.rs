//! An organization whose spec asks for everything there is, in three stages: made, changed and taken away.

use aws_sdk_iam::Client;
use serde_json::json;

use crate::LIMIT;
use crate::differential::CERTIFICATE;
use crate::exceptions::furnish_both;
use crate::guardrails::BOTH;
use crate::harness::{Emulator, MANAGEMENT, small};

/// Every gate, so that nothing is held back.
pub const ALLOW: [&str; 2] = ["--allow", "removals,widen,drop-mfa,adopt,foreign,lockout"];

const HEAD: &str = r#"
version: 1
organization:
  id: ORGANIZATION
  member_role: { plan: BreakGlassPlan, apply: BreakGlassApply }
  regions: [eu-west-1]
emergency_account: "EMERGENCY"
defaults: { tags: { owner: platform-security } }
root_access: { credentials_management: true, root_sessions: true, mfa: required }
safety: { min_users: 1 }
"#;

const MADE: &str = r#"
users:
  - name: bg-alice
    CREDENTIALS
    custodians: { password: { name: safe a, recipients: [RECIPIENT] }, token: safe b }
    permissions: { managed_policies: ["arn:aws:iam::aws:policy/ReadOnlyAccess"], inline_policies: { own: { file: policies/limit.json } } }
    tags: { team: blue }
  - name: bg-bob
    CREDENTIALS
    custodians: { password: { name: safe c, recipients: [RECIPIENT] }, token: safe d }
policies:
  break-glass-limit: { file: policies/limit.json }
roles:
  - name: BreakGlassAdmin
    accounts: { include: ["*"], exclude: ["ou:/Sandbox"] }
    trusted: ["user:bg-alice", "user:bg-bob"]
    max_session: 1h
    permissions:
      managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess"]
      inline_policies: { deny-tamper: { library: deny-break-glass-tampering } }
    tags: { severity: critical }
  - name: BreakGlassRead
    trusted: ["user:bg-alice"]
    permissions:
      managed_policies: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
      permissions_boundary: policy:break-glass-limit
guardrails:
  exceptions:
    - { id: region-lock, policy: deny-outside-eu, roles: [BreakGlassAdmin], accounts: { include: ["ou:/Workloads"] }, reason: r, owner: o, ticket: SEC-1, expires: 2099-06-30 }
    - { id: network, policy: only-our-network, statements: [Network], users: [bg-alice], reason: r, owner: o, ticket: SEC-1, expires: 2099-06-30 }
  protection: { policy: break-glass-protection, attach: [root] }
"#;

const CHANGED: &str = r#"
users:
  - name: bg-alice
    CREDENTIALS
    custodians: { password: { name: safe a, recipients: [RECIPIENT] }, token: safe b }
    permissions: { permissions_boundary: "arn:aws:iam::aws:policy/ReadOnlyAccess" }
    tags: { squad: blue }
  - name: bg-bob
    CREDENTIALS
    path: /break-glass/people/
    custodians: { password: { name: safe c, recipients: [RECIPIENT] }, token: safe d }
policies:
  break-glass-limit: { document: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "ec2:*", Resource: "*" }] } }
roles:
  - name: BreakGlassAdmin
    accounts: { include: ["*"], exclude: ["ou:/Sandbox"] }
    trusted: ["user:bg-alice"]
    description: All of it
    max_session: 2h
    permissions:
      managed_policies: ["arn:aws:iam::aws:policy/PowerUserAccess"]
      permissions_boundary: policy:break-glass-limit
    tags: { seriousness: critical }
  - name: BreakGlassRead
    trusted: ["user:bg-alice", "user:bg-bob"]
    permissions: { managed_policies: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] }
guardrails:
  exceptions:
    - { id: region-lock, policy: deny-outside-eu, roles: [BreakGlassAdmin, BreakGlassRead], accounts: { include: ["ou:/Workloads"] }, reason: r, owner: o, ticket: SEC-1, expires: 2099-06-30 }
  protection: { policy: break-glass-protection, attach: ["ou:/Workloads"] }
"#;

const GONE: &str = r#"
users:
  - name: bg-alice
    CREDENTIALS
    custodians: { password: { name: safe a, recipients: [RECIPIENT] }, token: safe b }
policies: {}
roles:
  - name: BreakGlassAdmin
    accounts: { include: [emergency] }
    trusted: ["user:bg-alice"]
guardrails: { exceptions: [] }
"#;

/// A stage of the spec.
#[derive(Clone, Copy, PartialEq)]
pub enum Stage {
    Made,
    Changed,
    Gone,
}

/// An organization with guardrails, and nothing of break-glass yet.
pub async fn organization() -> Emulator {
    let mut description = small();
    description["policy_types"] = json!(BOTH);
    let emulator = Emulator::start(&description);
    emulator.write("policies/limit.json", LIMIT);
    furnish_both(&emulator).await;
    let root = json!({ MANAGEMENT: { "AccountMFAEnabled": 1, "AccountPasswordPresent": 1 } });
    emulator.settings(json!({ "root_users": root }));
    emulator.forget_calls();
    emulator
}

/// Writes a stage of the spec with something at its end; users have passwords, sealed to a key, where one is given.
pub fn write(emulator: &Emulator, stage: Stage, recipient: Option<&str>, rest: &str) {
    let (credentials, recipients) = match recipient {
        Some(key) => ("console: true", format!(", recipients: [\"{key}\"]")),
        None => ("console: false\n    access_keys: vaulted", String::new()),
    };
    let body = match stage {
        Stage::Made => MADE,
        Stage::Changed => CHANGED,
        Stage::Gone => GONE,
    };
    let spec = format!("{HEAD}{body}{rest}")
        .replace(", recipients: [RECIPIENT]", &recipients)
        .replace("CREDENTIALS", credentials);
    emulator.write("breakglass.yaml", &spec);
}

const OPEN: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const PATH: &str = "/break-glass/";

/// Leaves behind in an account what nobody declared: a user, a role and a policy, with all that can hang on them.
pub async fn leave_behind(iam: &Client) {
    let policy = iam.create_policy().policy_name("old-policy").path(PATH);
    let policy = policy
        .policy_document(OPEN)
        .send()
        .await
        .unwrap()
        .policy
        .unwrap();
    let arn = policy.arn.unwrap();
    let version = iam.create_policy_version().policy_arn(&arn);
    let version = version.policy_document(LIMIT).set_as_default(true);
    version.send().await.unwrap();
    user_left_behind(iam, &arn).await;
    let (name, profile) = ("OldRole", "old-profile");
    let role = iam.create_role().role_name(name).path(PATH);
    let role = role.assume_role_policy_document(crate::backend::TRUST);
    role.permissions_boundary(&arn).send().await.unwrap();
    let inline = iam.put_role_policy().role_name(name).policy_name("own");
    inline.policy_document(OPEN).send().await.unwrap();
    let attach = iam.attach_role_policy().role_name(name);
    attach.policy_arn(&arn).send().await.unwrap();
    let made = iam.create_instance_profile();
    made.instance_profile_name(profile).send().await.unwrap();
    let add = iam.add_role_to_instance_profile().role_name(name);
    add.instance_profile_name(profile).send().await.unwrap();
}

async fn user_left_behind(iam: &Client, policy: &str) {
    let name = "bg-old";
    let user = iam.create_user().user_name(name).path(PATH);
    user.permissions_boundary(policy).send().await.unwrap();
    let group = iam.create_group().group_name("auditors");
    group.send().await.unwrap();
    let group = iam.add_user_to_group().user_name(name);
    group.group_name("auditors").send().await.unwrap();
    let inline = iam.put_user_policy().user_name(name).policy_name("own");
    inline.policy_document(OPEN).send().await.unwrap();
    let attach = iam.attach_user_policy().user_name(name);
    attach.policy_arn(policy).send().await.unwrap();
    let profile = iam.create_login_profile().user_name(name);
    profile.password("Secret-0123456789").send().await.unwrap();
    let key = iam.create_access_key().user_name(name);
    key.send().await.unwrap();
    let key = iam.upload_ssh_public_key().user_name(name);
    let key = key.ssh_public_key_body("ssh-rsa AAAAB3NzaC1yc2E test");
    key.send().await.unwrap();
    let credential = iam.create_service_specific_credential().user_name(name);
    let credential = credential.service_name("codecommit.amazonaws.com");
    credential.send().await.unwrap();
    let signing = iam.upload_signing_certificate().user_name(name);
    signing.certificate_body(CERTIFICATE).send().await.unwrap();
    let device = iam.create_virtual_mfa_device();
    let device = device.virtual_mfa_device_name(name).send().await;
    let device = device.unwrap().virtual_mfa_device.unwrap();
    enrol(iam, name, device.serial_number()).await;
}

/// Gives a user a device.
pub async fn enrol(iam: &Client, user: &str, serial: &str) {
    let device = iam.enable_mfa_device().user_name(user);
    let device = device.serial_number(serial);
    let device = device.authentication_code1("123456");
    let device = device.authentication_code2("654321");
    device.send().await.unwrap();
}
