//! A server to itself for each test: the AWS emulator, seeded with an organization, and a folder to work in.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::Server;

/// The ids of the small organization, the same in every run.
pub const MANAGEMENT: &str = "123456789012";
pub const EMERGENCY: &str = "222233334444";
pub const PROD_PAY: &str = "111122223333";
pub const SAND: &str = "444455556666";

/// The calls that every command begins with, sorted: they are made side by side.
pub const IDENTIFIED: [&str; 2] = [
    "organizations:DescribeOrganization",
    "sts:GetCallerIdentity",
];

/// A running emulator with a seeded organization, and a folder to work in.
pub struct Emulator {
    server: Option<Server>,
    pub url: String,
    folder: TempDir,
    pub organization_id: String,
    pub management: String,
    /// Account ids by name.
    pub accounts: BTreeMap<String, String>,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let Some(server) = self.server.take() else {
            return;
        };
        // What a failed test has under way could reach the next one.
        if std::thread::panicking() {
            server.end();
        } else {
            server.give_back();
        }
    }
}

/// The small organization as the server's seeds have it.
pub fn small() -> Value {
    json!({
        "accounts": [
            { "name": "emergency", "ou": "/Security", "id": EMERGENCY },
            { "name": "prod-pay", "ou": "/Workloads/Prod", "id": PROD_PAY, "tags": { "tier": "1" } },
            { "name": "sand", "ou": "/Sandbox", "id": SAND },
            { "name": "old", "suspended": true },
        ],
    })
}

impl Emulator {
    /// Seeds a server with an organization, as the server's own description of seeds has it.
    pub fn start(organization: &Value) -> Self {
        let server = Server::take();
        let mut emulator = Self {
            url: server.url.clone(),
            server: Some(server),
            folder: tempfile::tempdir().unwrap(),
            organization_id: String::new(),
            management: String::new(),
            accounts: BTreeMap::new(),
        };
        emulator.control("POST", "reset", None);
        emulator.seed(organization);
        emulator
    }

    /// Puts another organization in place of the one there is.
    pub fn seed(&mut self, organization: &Value) {
        let seeded = self.control("POST", "seed", Some(organization));
        self.organization_id = seeded["organization_id"].as_str().unwrap().to_owned();
        self.management = seeded["management_account"].as_str().unwrap().to_owned();
        self.accounts = serde_json::from_value(seeded["accounts"].clone()).unwrap();
        self.forget_calls();
    }

    /// Four accounts and a closed one: enough for most, and quick to read.
    pub fn small() -> Self {
        Self::start(&small())
    }

    /// Twelve accounts in three OUs: what most tests want.
    pub fn twelve_accounts() -> Self {
        let names = [
            ("emergency", "/Security"),
            ("log-archive", "/Security"),
            ("prod-pay", "/Workloads/Prod"),
            ("prod-web", "/Workloads/Prod"),
            ("prod-data", "/Workloads/Prod"),
            ("dev-pay", "/Workloads"),
            ("dev-web", "/Workloads"),
            ("dev-data", "/Workloads"),
            ("network", "/Workloads"),
            ("sandbox-1", "/Sandbox"),
            ("sandbox-2", "/Sandbox"),
        ];
        let accounts: Vec<Value> = names
            .iter()
            .map(|(name, ou)| json!({ "name": name, "ou": ou }))
            .chain([json!({ "name": "closed", "ou": "/Sandbox", "suspended": true })])
            .collect();
        Self::start(&json!({
            "ous": ["/Security", "/Workloads", "/Workloads/Prod", "/Sandbox"],
            "accounts": accounts,
        }))
    }

    pub fn account(&self, name: &str) -> &str {
        if name == "management" {
            return &self.management;
        }
        &self.accounts[name]
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the test's folder; `ORGANIZATION` and `EMERGENCY` stand for this organization's ids.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let emergency = self.accounts.get("emergency").unwrap_or(&self.management);
        let text = text
            .replace("ORGANIZATION", &self.organization_id)
            .replace("EMERGENCY", emergency);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// A saved plan without its times, which differ from run to run.
    pub fn timeless(&self, name: &str) -> String {
        let text = self.read(name);
        let lines = text.lines().filter(|line| {
            !line.starts_with("  \"created_at\"") && !line.starts_with("  \"expires_at\"")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The command, in the test's folder, with nothing of the caller's environment but the way to the emulator.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_breakglass"));
        command.args(arguments);
        // Nothing else is at work, but where a test says so.
        if arguments.first() == Some(&"apply") && !arguments.contains(&"--settle") {
            command.args(["--settle", "0s"]);
        }
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    /// Runs with `--format json` and parses what comes out.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let run = self.run(&[arguments, &["--format", "json"]].concat());
        let value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {run:?}"));
        (run.code, value)
    }

    pub fn faults(&self, rules: Value) {
        self.control("POST", "faults", Some(&rules));
    }

    /// Starts a command, and waits until the only rule in force holds a call; `None` when the command ends without.
    pub fn start_until_held(&self, arguments: &[&str]) -> Option<Child> {
        let mut command = self.command(arguments);
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut run = command.spawn().unwrap();
        loop {
            // Asked for first: a call may be held after it was looked, but not after the command has ended.
            let ended = run.try_wait().unwrap().is_some();
            let rules = self.control("GET", "faults", None);
            if rules[0]["held"] != 0 {
                return Some(run);
            }
            if ended {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills a command with `kill -9` while a call of it is held; tells whether it came to that.
    pub fn kill_when_held(&self, arguments: &[&str], rule: &Value) -> bool {
        self.faults(json!([rule]));
        let held = self.start_until_held(arguments);
        let killed = held.is_some();
        if let Some(mut run) = held {
            run.kill().unwrap();
            run.wait().unwrap();
        }
        self.no_faults();
        killed
    }

    /// How often the rules in force have made a call fail, or wait, rule by rule.
    pub fn fired(&self) -> Vec<u64> {
        let rules = self.control("GET", "faults", None);
        let rules = rules.as_array().unwrap().iter();
        rules.map(|rule| rule["fired"].as_u64().unwrap()).collect()
    }

    pub fn no_faults(&self) {
        self.control("DELETE", "faults", None);
    }

    pub fn settings(&self, settings: Value) {
        self.control("POST", "settings", Some(&settings));
    }

    /// Puts events into the histories that LookupEvents asks.
    pub fn events(&self, events: Value) {
        self.control("POST", "events", Some(&events));
    }

    pub fn forget_calls(&self) {
        self.control("POST", "calls/reset", None);
    }

    /// Every call since the last [`Self::forget_calls`], in the order in which they ended.
    pub fn calls(&self) -> Vec<Call> {
        serde_json::from_value(self.control("GET", "calls", None)).unwrap()
    }

    /// The calls that change something.
    pub fn writes(&self) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(Call::writes);
        calls
    }

    /// An IAM client in one of the accounts, to change things behind the tool's back.
    pub async fn iam(&self, account: &str) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .credentials_provider(self.credentials(account).await)
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }

    /// Credentials for one of the accounts.
    pub async fn credentials(&self, account: &str) -> Credentials {
        let id = self.account(account);
        if account == "management" {
            Credentials::new("test", "test", None, None, "test")
        } else {
            let role = format!("arn:aws:iam::{id}:role/OrganizationAccountAccessRole");
            let keys = self.assume(&role).await;
            Credentials::new(
                keys.access_key_id,
                keys.secret_access_key,
                Some(keys.session_token),
                None,
                "test",
            )
        }
    }

    /// The credentials of a role, for the management account.
    pub async fn assume(&self, role: &str) -> aws_sdk_sts::types::Credentials {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .build();
        let assumed = aws_sdk_sts::Client::from_conf(config)
            .assume_role()
            .role_arn(role)
            .role_session_name("test")
            .send()
            .await
            .unwrap();
        assumed.credentials.unwrap()
    }

    /// Speaks to the server's control interface.
    pub fn control(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let host = self.url.strip_prefix("http://").unwrap();
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{method} /_control/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 2"),
            "{method} {path}: {head}\n{body}"
        );
        serde_json::from_str(body).unwrap_or(Value::Null)
    }
}

/// A call that the emulator got; times are in seconds since its start.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Call {
    /// The account of the credentials.
    pub account: String,
    /// The role of the credentials, by name; none for those that the emulator did not give out.
    pub role: Option<String>,
    pub region: String,
    pub service: String,
    pub action: String,
    pub params: Value,
    /// None for an answer that never arrived.
    pub status: Option<u16>,
    pub began: f64,
    pub ended: f64,
}

impl Call {
    /// The call as errors name it, such as `iam:GetRole`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.action)
    }

    fn writes(&self) -> bool {
        let reads = ["Get", "List", "Describe", "Lookup", "Generate"];
        self.service != "sts" && !reads.iter().any(|read| self.action.starts_with(read))
    }
}

/// How a run of the command ended.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// Lists a plan's changes as `ADDRESS ACTION FIELDS`.
pub fn changes(plan: &Value) -> Vec<String> {
    plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let fields: Vec<&str> = change["fields"]
                .as_array()
                .unwrap()
                .iter()
                .map(|field| field["path"].as_str().unwrap())
                .collect();
            format!(
                "{} {} {}",
                change["address"].as_str().unwrap(),
                change["action"].as_str().unwrap(),
                fields.join(",")
            )
        })
        .collect()
}
