//! Plans, drift and proofs of a small organization in memory, through the snapshot backend.

mod after;
mod base;
mod coverage;
mod ignore;
mod impact;
mod shards;
mod tree;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CollectError, CompareRequest, ScopeFilter, VerifyRequest, compare, verify};
use crate::cloud::Offline;
use crate::ids::AccountId;
use crate::plan::{Change, Kind, Plan, preview_account, preview_guardrails};
use crate::policy::CanonicalContext;
use crate::spec::{Loaded, load_texts};
use crate::state::{GuardrailPolicy, Guardrails, Inventory, People, Reading, Snapshot};
use crate::verify::{Verdict, Verification};

/// The beginning of every spec; a test adds what it is about.
const HEAD: &str = r#"
version: 1
organization: { id: o-exampleorg1, regions: [us-east-1] }
emergency_account: "222222222222"
roles:
  - name: Admin
    trusted: ["user:alice"]
    permissions:
      managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess"]
"#;

const USERS: &str = r#"
users:
  - name: alice
    custodians: { password: a, token: b }
    console: false
"#;

fn spec(more: &str) -> Loaded {
    let none = |_: &str, _: &str| Err("no files".to_owned());
    load_texts(vec![("breakglass.yaml".to_owned(), more.to_owned())], &none)
        .unwrap_or_else(|error| panic!("{}", error.render(false)))
}

fn id(digit: &str) -> AccountId {
    digit.repeat(12).parse().unwrap()
}

/// An organization without anything in its accounts.
fn empty() -> Snapshot {
    let organization = crate::org::tests::sample();
    let active = organization.active_accounts();
    let account = Inventory {
        people: Some(People::default()),
        ..Inventory::default()
    };
    let accounts = active.map(|(id, _)| (id.clone(), Reading::Complete(account.clone())));
    Snapshot {
        format_version: "1.1".to_owned(),
        kind: "snapshot".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        shard: None,
        managed_path: "/break-glass/".parse().unwrap(),
        accounts: accounts.collect(),
        guardrails: Some(Reading::Complete(Guardrails::default())),
        organization,
    }
}

/// The organization as the spec wants it.
fn settled(loaded: &Loaded) -> Snapshot {
    let snapshot = empty();
    let plan = planned(loaded, &snapshot);
    applied(&snapshot, &plan.changes)
}

/// The organization after changes.
fn applied(snapshot: &Snapshot, changes: &[Change]) -> Snapshot {
    let mut snapshot = snapshot.clone();
    let context = CanonicalContext {
        partition: Some(snapshot.organization.partition.clone()),
    };
    for (id, reading) in &mut snapshot.accounts {
        if let Reading::Complete(live) = reading {
            preview_account(changes, id, live, &context).unwrap();
        }
    }
    if let Some(Reading::Complete(live)) = &mut snapshot.guardrails {
        preview_guardrails(changes, live, &context).unwrap();
    }
    snapshot
}

/// Attaches an SCP with one statement that denies.
fn deny(snapshot: &mut Snapshot, name: &str, target: &str, rest: Value) {
    let mut statement = json!({ "Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*" });
    for (key, value) in rest.as_object().unwrap() {
        statement[key] = value.clone();
    }
    let Some(Reading::Complete(guardrails)) = &mut snapshot.guardrails else {
        panic!("the sample has guardrails");
    };
    let mut add = |name: &str, targets: BTreeSet<String>, statement: Value| {
        let policy: GuardrailPolicy = serde_json::from_value(json!({
            "name": name, "kind": "scp", "targets": targets,
            "document": { "Version": "2012-10-17", "Statement": [statement] },
        }))
        .unwrap();
        guardrails.policies.insert(format!("p-{name}"), policy);
    };
    let nodes = ["r-root", "ou-root-work", "ou-root-prod", "ou-root-sand"];
    let nodes = nodes.into_iter().map(str::to_owned);
    let all = nodes.chain(snapshot.accounts.keys().map(ToString::to_string));
    let allow = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    add("FullAWSAccess", all.collect(), allow);
    add(name, BTreeSet::from([target.to_owned()]), statement);
    guardrails.enabled = serde_json::from_value(json!(["scp"])).unwrap();
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.build().unwrap().block_on(work)
}

fn compared(loaded: &Loaded, snapshot: &Snapshot, kind: Kind, only: &[&str]) -> Plan {
    let request = CompareRequest {
        kind,
        filter: filter(only),
        concurrency: 4,
        max_failures: None,
        strict: false,
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
        expires_at: None,
        base: None,
    };
    let cloud = Offline::new(snapshot.clone());
    run(compare(&cloud, loaded, &request, &|_, _| ())).unwrap()
}

fn planned(loaded: &Loaded, snapshot: &Snapshot) -> Plan {
    compared(loaded, snapshot, Kind::Plan, &[])
}

fn verified(
    loaded: &Loaded,
    snapshot: &Snapshot,
    after: Option<&Plan>,
    only: &[&str],
) -> Result<Verification, CollectError> {
    let request = VerifyRequest {
        filter: filter(only),
        concurrency: 4,
        max_failures: None,
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
        after: after.cloned(),
    };
    let cloud = Offline::new(snapshot.clone());
    run(verify(&cloud, loaded, &request, &|_, _| ()))
}

fn filter(only: &[&str]) -> ScopeFilter {
    ScopeFilter {
        include: only.iter().map(|one| one.parse().unwrap()).collect(),
        given: only.iter().map(|one| format!("--account {one}")).collect(),
        ..ScopeFilter::default()
    }
}

/// The verdict on each account.
fn verdicts(verification: &Verification) -> Vec<(&str, Verdict)> {
    let results = verification.results.iter();
    results
        .map(|result| (result.account_name.as_str(), result.verdict))
        .collect()
}
