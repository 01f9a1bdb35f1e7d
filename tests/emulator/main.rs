//! The command on the AWS emulator, as a new user would run it.
//!
//! Each test has a server to itself; without the emulator's requirements they fail, they are never skipped.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod alerts;
mod alerts_hub;
mod apply;
mod backend;
mod canary;
mod cli;
mod close;
mod credentials;
mod differential;
mod drift;
mod drills;
mod errors;
mod everything;
mod exceptions;
mod faults;
mod gates;
mod guarded;
mod guardrail_operations;
mod guardrails;
mod harness;
mod ignore;
mod import;
mod interrupted;
mod killed;
mod lifecycle;
mod order;
mod organization;
mod pair;
mod people;
mod permissions;
mod protection;
#[path = "../support/python.rs"]
mod python;
mod ridden_out;
mod server;
mod sessions;
mod side_by_side;
mod usage;
mod writes;

use harness::{Emulator, changes};

/// The spec that most tests use: two users, three policies' worth of roles, some accounts left out.
pub const SPEC: &str = r#"
version: 1
organization: { id: ORGANIZATION }
emergency_account: "EMERGENCY"
defaults:
  tags: { owner: platform-security }
users:
  - name: bg-alice
    custodians: { password: safe a, token: safe b }
  - name: bg-bob
    custodians: { password: safe c, token: safe d }
policies:
  break-glass-baseline: { library: break-glass-baseline }
  break-glass-limit: { file: policies/limit.json }
roles:
  - name: BreakGlassAdmin
    accounts: { include: ["*"], exclude: ["ou:/Sandbox"] }
    trusted: ["user:bg-alice", "user:bg-bob"]
    mfa: { required: true, max_age: 12h }
    max_session: 1h
    description: Full access in an emergency
    permissions:
      managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess", "policy:break-glass-baseline"]
      inline_policies: { deny-tamper: { library: deny-break-glass-tampering } }
    tags: { severity: critical }
  - name: BreakGlassRead
    trusted: ["user:bg-alice"]
    max_session: 4h
    permissions:
      managed_policies: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
      permissions_boundary: policy:break-glass-limit
"#;

/// The policy file of [`SPEC`].
pub const LIMIT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    { "Sid": "Read", "Effect": "Allow", "Action": ["ec2:Describe*", "s3:Get*", "s3:List*"], "Resource": "*" },
    { "Sid": "NoSecrets", "Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*" }
  ]
}"#;

/// [`SPEC`] without passwords, which no plan makes: once it is applied, nothing is left to do.
pub fn spec_without_passwords() -> String {
    let console = "console: false\n    access_keys: vaulted\n    custodians:";
    SPEC.replace("custodians:", console)
}

/// Twelve accounts with [`SPEC`] at hand.
pub fn organization() -> Emulator {
    let emulator = Emulator::twelve_accounts();
    emulator.write("breakglass.yaml", SPEC);
    emulator.write("policies/limit.json", LIMIT);
    emulator
}

/// The same with everything applied.
pub fn applied_organization() -> Emulator {
    let emulator = organization();
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator
}

/// Four accounts with [`spec_without_passwords`] at hand.
pub fn small_organization() -> Emulator {
    let emulator = Emulator::small();
    emulator.write("breakglass.yaml", &spec_without_passwords());
    emulator.write("policies/limit.json", LIMIT);
    emulator
}

/// The same with everything applied: `drift` ends with 0.
pub fn applied_small_organization() -> Emulator {
    let emulator = small_organization();
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator
}

/// The passwords that no plan makes, as changes of [`SPEC`].
pub fn passwords(emulator: &Emulator) -> Vec<String> {
    let emergency = emulator.account("emergency");
    ["bg-alice", "bg-bob"]
        .map(|user| format!("{emergency}/credential/{user} manual login_profile"))
        .to_vec()
}

/// Expects that [`SPEC`] leaves nothing to do but for a person.
#[track_caller]
pub fn expect_in_sync(emulator: &Emulator) {
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!((code, changes(&drift)), (2, passwords(emulator)));
}

#[test]
fn the_emulator_is_what_its_documentation_says() {
    let selftest = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator/selftest.py");
    let mut python = std::process::Command::new(python::python());
    let run = harness::Run::of(python.arg(selftest).output().unwrap()).expect(0);
    assert!(run.stdout.contains(" passed, 0 failed"), "{run:?}");
}
