//! Tables of proofs on a small organization, in which live state is what each test says.

mod abilities;
mod assumption;
mod exceptions;
mod openness;
mod sharing;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Proof, Prover, RoleResult, Setting, Verdict};
use crate::ids::AccountId;
use crate::org::Organization;
use crate::spec::{Loaded, load_texts};
use crate::state::{Guardrails, Inventory};

const ALICE: &str = "arn:aws:iam::222222222222:user/break-glass/alice";

/// Holds everything that a proof rests on; tests change what they are about.
struct World {
    organization: Organization,
    spec: Loaded,
    guardrails: Result<Guardrails, String>,
    emergency: Result<Value, String>,
    accounts: BTreeMap<AccountId, Value>,
}

fn id(digit: &str) -> AccountId {
    digit.repeat(12).parse().unwrap()
}

fn spec(role: &str) -> Loaded {
    let text = format!(
        r#"
version: 1
organization: {{ id: o-exampleorg1, regions: [eu-west-1] }}
emergency_account: "222222222222"
users:
  - {{ name: alice, custodians: {{ password: a, token: b }} }}
  - {{ name: bob, custodians: {{ password: c, token: d }} }}
roles:
  - name: Admin
    trusted: ["user:alice"]
    permissions: {{ managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess"] }}
    {role}
"#
    );
    let none = |_: &str, _: &str| Err("no files".to_owned());
    load_texts(vec![("breakglass.yaml".to_owned(), text)], &none)
        .unwrap_or_else(|error| panic!("{}", error.render(false)))
}

fn document(statements: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn trust() -> Value {
    document(json!([{
        "Sid": "BreakGlass", "Effect": "Allow", "Principal": { "AWS": ALICE }, "Action": "sts:AssumeRole",
        "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } },
    }]))
}

fn role(trust: Value) -> Value {
    json!({
        "path": "/break-glass/", "trust_policy": trust, "max_session": 3600,
        "managed_policies": ["arn:aws:iam::aws:policy/AdministratorAccess"],
    })
}

/// A user that may assume every role.
fn user() -> Value {
    json!({
        "path": "/break-glass/",
        "inline_policies": {
            "assume": document(json!([{ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*" }])),
        },
    })
}

impl World {
    /// All is as it should be: alice and bob are there, and so is the role in account 3; guardrails allow everything.
    fn new(role_lines: &str) -> Self {
        let mut world = Self {
            organization: crate::org::tests::sample(),
            spec: spec(role_lines),
            guardrails: Ok(Guardrails::default()),
            emergency: Ok(json!({ "users": { "alice": user(), "bob": user() } })),
            accounts: BTreeMap::new(),
        };
        world.accounts.insert(id("3"), role(trust()));
        let all: Vec<String> = ["r-root", "ou-root-work", "ou-root-prod", "ou-root-sand"]
            .into_iter()
            .map(str::to_owned)
            .chain(world.organization.accounts.keys().map(ToString::to_string))
            .collect();
        let allow = document(json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }]));
        world.attach("scp", "FullAWSAccess", &all, allow);
        world
    }

    /// Attaches a guardrail.
    fn attach<T: AsRef<str>>(&mut self, kind: &str, name: &str, targets: &[T], document: Value) {
        let targets: Vec<&str> = targets.iter().map(AsRef::as_ref).collect();
        let policy =
            json!({ "name": name, "kind": kind, "document": document, "targets": targets });
        let guardrails = self.guardrails.as_mut().unwrap();
        let kind = serde_json::from_value(json!(kind)).unwrap();
        guardrails.enabled.insert(kind);
        let policy = serde_json::from_value(policy).unwrap();
        guardrails.policies.insert(format!("p-{name}"), policy);
    }

    fn detach(&mut self, name: &str, target: &str) {
        let guardrails = self.guardrails.as_mut().unwrap();
        let policy = guardrails.policies.get_mut(&format!("p-{name}")).unwrap();
        assert!(policy.targets.remove(target));
    }

    fn prove_all(&self) -> (BTreeMap<AccountId, RoleResult>, usize) {
        self.prove_in(self.accounts.keys())
    }

    /// Proves the role in accounts that are read in this order.
    fn prove_in<'a>(
        &'a self,
        accounts: impl IntoIterator<Item = &'a AccountId>,
    ) -> (BTreeMap<AccountId, RoleResult>, usize) {
        let inventory =
            |value: &Value| -> Inventory { serde_json::from_value(value.clone()).unwrap() };
        let emergency = self.emergency.as_ref().map(inventory).map_err(Clone::clone);
        let mut prover = Prover::new(Setting {
            organization: &self.organization,
            spec: &self.spec.spec,
            guardrails: self.guardrails.as_ref().map_err(Clone::clone),
            now: "2026-06-01T00:00:00Z".parse().unwrap(),
            emergency: emergency.as_ref().map_err(Clone::clone),
        });
        let results = accounts.into_iter().map(|account| {
            let role = &self.accounts[account];
            let mut held = if *account == id("2") {
                self.emergency.clone().unwrap()
            } else {
                json!({})
            };
            // What a test says of the account, beside the role.
            if let Some(policies) = role.get("policies") {
                held["policies"] = policies.clone();
            }
            if !role["trust_policy"].is_null() {
                held["roles"] = json!({ "Admin": role });
            }
            let mut results = prover.prove(account, Ok(&inventory(&held)), &[0]);
            (account.clone(), results.remove(0))
        });
        (results.collect(), prover.situations())
    }

    /// Proves the role in account 3.
    fn prove(&self) -> RoleResult {
        self.prove_all().0.remove(&id("3")).unwrap()
    }
}

/// Tells the verdict and what is found, each as a line.
fn told(result: &RoleResult) -> Vec<String> {
    let mut lines = vec![format!("{:?}", result.verdict)];
    let findings = result.proofs.iter().flat_map(|proof| &proof.findings);
    lines.extend(findings.map(|finding| finding.message.clone()));
    lines
}

fn proof<'a>(result: &'a RoleResult, obligation: &str) -> &'a Proof {
    let named = |proof: &&Proof| serde_json::to_value(proof.obligation).unwrap() == obligation;
    result.proofs.iter().find(named).unwrap()
}

#[test]
fn what_is_as_it_should_be_is_proven() {
    let result = World::new("").prove();
    assert_eq!(told(&result), ["Proven"]);
    let obligations: Vec<String> = result
        .proofs
        .iter()
        .map(|proof| format!("{:?}", proof.obligation))
        .collect();
    assert_eq!(
        obligations,
        ["Present", "Assume", "ClosedWithoutMfa", "ClosedToOthers"]
    );
}

#[test]
fn what_is_not_there_is_missing() {
    let mut world = World::new("");
    world.emergency = Ok(json!({ "users": {} }));
    assert_eq!(
        told(&world.prove()),
        [
            "Missing".to_owned(),
            format!("the user {ALICE} is not there")
        ]
    );
    world.accounts.insert(id("3"), json!({}));
    assert_eq!(told(&world.prove()), ["Missing", "the role is not there"]);
}

#[test]
fn what_could_not_be_read_is_not_proven() {
    let mut world = World::new("");
    world.guardrails = Err("AccessDenied".to_owned());
    assert_eq!(
        told(&world.prove()),
        [
            "NotProven",
            "it is not known whether alice can assume it with MFA: the SCPs of the organization are not known; the RCPs of \
             the organization are not known"
        ]
    );
    let mut world = World::new("");
    world.emergency = Err("AccessDenied".to_owned());
    let result = world.prove();
    assert_eq!(result.verdict, Verdict::NotProven);
    assert!(
        told(&result)[1].contains("its own policies are not read"),
        "{:?}",
        told(&result)
    );
}
