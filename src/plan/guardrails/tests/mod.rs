//! The comparison of guardrails, on policies of a few statements.

mod found;
mod planned;
mod protection;
mod told;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;
use crate::ids::IamPath;
use crate::org::tests::sample;
use crate::plan::Change;
use crate::policy::CanonicalContext;
use crate::state::{
    DesiredException, ExceptedRole, ExceptedUser, ExemptionEdit, Fingerprint, GuardrailKind,
    GuardrailPolicy, Operation, Origin, PolicyText, Tags,
};

const ADMIN: &str = "arn:aws:iam::*:role/break-glass/Admin";
const CI: &str = "arn:aws:iam::*:role/ci/Deployer";

/// The value for the role `Admin` of the account whose id is this digit twelve times.
fn admin(digit: &str) -> String {
    format!("arn:aws:iam::{}:role/break-glass/Admin", digit.repeat(12))
}

/// The user who assumes it.
fn alice() -> String {
    format!("arn:aws:iam::{}:user/break-glass/alice", "2".repeat(12))
}

/// The user with such policies, as one who is excepted.
fn excepted_user(policies: Option<&[&str]>) -> ExceptedUser {
    ExceptedUser {
        path: IamPath::break_glass(),
        name: "alice".to_owned(),
        account: "222222222222".parse().unwrap(),
        policies: policies.map(|texts| texts.iter().map(|text| PolicyText::new(*text)).collect()),
    }
}

/// Wants the role `Admin` to be let through in accounts by a policy named `deny`, in each of its Deny statements.
fn exception(id: &str, accounts: &[&str]) -> DesiredException {
    DesiredException {
        id: id.to_owned(),
        policy: "deny".to_owned(),
        statements: None,
        roles: vec![ExceptedRole {
            path: IamPath::break_glass(),
            name: "Admin".to_owned(),
            accounts: accounts
                .iter()
                .map(|digit| digit.repeat(12).parse().unwrap())
                .collect(),
            callers: BTreeSet::from([alice().parse().unwrap()]),
        }],
        users: Vec::new(),
        reason: "A lock must not stop recovery".to_owned(),
        owner: "security".to_owned(),
        ticket: "SEC-1".to_owned(),
        expires: "2027-06-30".parse().unwrap(),
        closed: None,
        origin: Origin {
            file: "breakglass.yaml".to_owned(),
            line: 1,
        },
    }
}

fn desired(exceptions: &[DesiredException]) -> DesiredGuardrails {
    DesiredGuardrails {
        exceptions: exceptions.to_vec(),
        roles: BTreeSet::from([(IamPath::break_glass(), "Admin".to_owned())]),
        users: BTreeSet::from([(IamPath::break_glass(), "alice".to_owned())]),
        protection: None,
    }
}

/// Two Deny statements of an SCP that let principals through.
fn document(one: &[&str], two: &[&str]) -> String {
    let statement = |sid: &str, principals: &[&str]| {
        let mut statement = json!({
            "Sid": sid,
            "Effect": "Deny",
            "Action": format!("{}:*", sid.to_lowercase()),
            "Resource": "*",
        });
        if !principals.is_empty() {
            statement["Condition"] = json!({ "ArnNotLike": { "aws:PrincipalArn": principals } });
        }
        statement
    };
    let statements = [statement("One", one), statement("Two", two)];
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// An SCP named `deny` with the id `p-deny`, attached to the unit of the accounts 3 and 4.
fn scp(document: &str) -> GuardrailPolicy {
    GuardrailPolicy {
        name: "deny".to_owned(),
        description: String::new(),
        kind: GuardrailKind::Scp,
        aws_managed: false,
        document: PolicyText::new(document),
        tags: Tags::new(),
        targets: BTreeSet::from(["ou-root-work".to_owned()]),
    }
}

fn live(policy: GuardrailPolicy) -> Guardrails {
    Guardrails {
        enabled: GuardrailKind::ALL.into(),
        policies: BTreeMap::from([("p-deny".to_owned(), policy)]),
    }
}

fn diff(desired: &DesiredGuardrails, live: &Guardrails) -> GuardrailDiff {
    diff_some(desired, live, &|_| true)
}

fn diff_some(
    desired: &DesiredGuardrails,
    live: &Guardrails,
    covers: &dyn Fn(&Address) -> bool,
) -> GuardrailDiff {
    let context = GuardrailContext {
        organization: &sample(),
        managed_path: &IamPath::break_glass(),
        strict: false,
        today: "2026-11-25".parse().unwrap(),
        covers,
    };
    diff_guardrails(&context, desired, live)
}

/// Each change as its action, its address and what it is blocked by.
fn told(diff: &GuardrailDiff) -> Vec<String> {
    let changes = diff.changes.iter().map(|change| {
        let blocked = change.blocked.as_ref();
        let blocked = blocked.map_or_else(String::new, |why| format!(": {why}"));
        format!("{:?} {}{blocked}", change.action, change.address)
    });
    changes.collect()
}

fn gates(diff: &GuardrailDiff) -> Vec<String> {
    let findings = diff.findings.iter().map(|finding| {
        let names: Vec<&str> = finding
            .addresses
            .iter()
            .map(|address| address.name.as_str())
            .collect();
        format!("{}: {}", finding.gate, names.join(" "))
    });
    findings.collect()
}

fn edit(change: &Change) -> &ExemptionEdit {
    match &change.operations[0].operation {
        Operation::SetExemptions(edit) => edit,
        other => panic!("{other:?}"),
    }
}

fn canonical() -> CanonicalContext {
    CanonicalContext {
        partition: Some(sample().partition),
    }
}

/// Carries changes out, additions first, and checks each of them on the way: that none makes another stale.
fn applied(diff: &GuardrailDiff, live: &Guardrails) -> Guardrails {
    let mut now = live.clone();
    let of = |change: &Change, now: &Guardrails| -> Fingerprint {
        edit(change).fingerprint(now.policies.get("p-deny"), &canonical())
    };
    let (later, first): (Vec<&Change>, Vec<&Change>) = diff
        .changes
        .iter()
        .filter(|change| !change.operations.is_empty())
        .partition(|change| edit(change).add.is_empty());
    let all: Vec<&Change> = first.into_iter().chain(later).collect();
    for (index, change) in all.iter().enumerate() {
        for (other, change) in all.iter().enumerate() {
            let expected = if other < index {
                change.target()
            } else {
                &change.fingerprint
            };
            assert_eq!(&of(change, &now), expected, "{}", change.address);
        }
        assert!(edit(change).keeps_the_rest(&now.policies["p-deny"], &canonical()));
        for operation in edit(change).operations() {
            now.apply(&operation).unwrap();
        }
        assert_eq!(&of(change, &now), change.target());
        assert_ne!(&change.fingerprint, change.target());
    }
    now
}

/// Who is let through by which statement.
fn exempt(guardrails: &Guardrails) -> Vec<String> {
    let document = guardrails.policies["p-deny"].document.parse().unwrap();
    let found = crate::policy::exemption::exempted(&document).into_iter();
    let found = found.map(|found| format!("{} {}", found.sid.unwrap(), found.principal));
    found.collect()
}
