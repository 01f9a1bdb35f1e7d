//! The AWS backend by itself, without the command, in a process whose AWS environment is known.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use breakglass::cloud::CloudError;
use breakglass::cloud::aws::{Aws, MemberRole, Settings, connect};
use breakglass::ids::{AccountId, Arn, IamPath};
use breakglass::state::{Operation, PolicyText, ReadScope, ResourceType, Tags};

use crate::harness::{Emulator, PROD_PAY};
use crate::server::{GIVEN, Server};

pub const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}"#;

/// Credentials that the emulator takes for those of the management account.
pub const CREDENTIALS: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
];

pub fn is_isolated() -> bool {
    std::env::var_os(GIVEN).is_some()
}

/// Runs a test in a process of its own, with this AWS environment: no test may change that of its own process.
///
/// The closure must be the test's own, because its type tells which test that is.
#[track_caller]
pub fn isolated<F: Future<Output = ()>>(environment: &[(&str, &str)], test: impl Fn() -> F) {
    if is_isolated() {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(test());
        return;
    }
    let name = std::any::type_name_of_val(&test);
    let name = name.split("::{{closure}}").next().unwrap();
    let (_, name) = name.split_once("::").unwrap();
    let server = Server::take();
    let mut command = Command::new(std::env::current_exe().unwrap());
    for (key, _) in std::env::vars_os() {
        let key = key.to_string_lossy().to_ascii_uppercase();
        if key.starts_with("AWS_") || key.ends_with("_PROXY") {
            command.env_remove(key.to_ascii_lowercase()).env_remove(key);
        }
    }
    let output = command
        .args([name, "--exact", "--nocapture"])
        .env(GIVEN, &server.url)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    // A name that fits no test would be a success too.
    let passed = output.status.success() && stdout.contains("1 passed");
    if passed {
        server.give_back();
    } else {
        server.end();
        panic!("{name} by itself:\n{stdout}\n{stderr}");
    }
}

impl Emulator {
    pub fn backend_settings(&self) -> Settings {
        Settings {
            endpoint_url: Some(self.url.clone()),
            member_role: one_role("OrganizationAccountAccessRole"),
            overrides: BTreeMap::new(),
            concurrency: 4,
        }
    }

    pub async fn try_connect(&self) -> Result<Aws, CloudError> {
        connect(self.backend_settings()).await
    }

    pub async fn connect(&self) -> Aws {
        self.try_connect().await.unwrap()
    }

    /// The calls since the last time this was asked, as `ACCOUNT service:Action`.
    pub fn take_calls(&self) -> Vec<String> {
        let calls = self.calls();
        self.forget_calls();
        let told = calls.iter();
        told.map(|call| format!("{} {}", call.account, call.name()))
            .collect()
    }
}

/// One role for reading and writing.
pub fn one_role(name: &str) -> MemberRole {
    MemberRole {
        plan: name.to_owned(),
        apply: name.to_owned(),
    }
}

pub fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

pub fn arn(text: &str) -> Arn {
    text.parse().unwrap()
}

pub fn policy_arn(name: &str) -> Arn {
    arn(&format!(
        "arn:aws:iam::{PROD_PAY}:policy/break-glass/{name}"
    ))
}

pub fn path(text: &str) -> IamPath {
    text.parse().unwrap()
}

pub fn tags(pairs: &[(&str, &str)]) -> Tags {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// What is read in full: what is managed, and a role of this name wherever it lies.
pub fn scope() -> ReadScope {
    ReadScope {
        alerts: None,
        managed_path: path("/break-glass/"),
        names: BTreeSet::from([(ResourceType::IamRole, "named".to_owned())]),
        people: None,
        root: None,
    }
}

/// A bare user under the managed path.
pub fn create_user(name: &str) -> Operation {
    Operation::CreateUser {
        name: name.to_owned(),
        path: path("/break-glass/"),
        tags: Tags::new(),
        permissions_boundary: None,
    }
}

/// A bare role under the managed path.
pub fn create_role(name: &str, trust_policy: &str) -> Operation {
    Operation::CreateRole {
        name: name.to_owned(),
        path: path("/break-glass/"),
        trust_policy: PolicyText::new(trust_policy),
        description: String::new(),
        max_session: 3600,
        tags: Tags::new(),
        permissions_boundary: None,
    }
}
