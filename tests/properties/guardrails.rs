//! Exceptions of guardrails, applied, leave nothing to plan, let through whom they name, and change nothing for others.

use std::collections::{BTreeMap, BTreeSet};

use breakglass::ids::{AccountId, Arn, IamPath, Partition};
use breakglass::org::{Account, AccountState, Organization, Unit};
use breakglass::plan::{Change, GuardrailContext, GuardrailDiff, diff_guardrails};
use breakglass::policy::evaluate::{Context, ContextValue, Request, blocking_statements};
use breakglass::state::{
    DesiredException, DesiredGuardrails, ExceptedRole, ExceptedUser, GuardrailKind,
    GuardrailPolicy, Guardrails, Operation, Origin, PolicyText, Tags,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

/// The management account, that of the users, two below a unit, and one beside it.
const ACCOUNTS: [&str; 5] = [
    "111111111111",
    "222222222222",
    "333333333333",
    "444444444444",
    "555555555555",
];
const UNIT: &str = "ou-root-work0001";
const SIDS: [&str; 3] = ["One", "Two", "Three"];
const ACTIONS: [&str; 4] = [
    "sts:AssumeRole",
    "s3:GetObject",
    "ec2:RunInstances",
    "iam:CreateUser",
];

/// Values that a policy may let through already: others', those of the spec, and strangers under the path.
const VALUES: [&str; 8] = [
    "arn:aws:iam::*:role/ci/Deployer",
    "arn:aws:iam::999999999999:role/Else",
    "arn:aws:iam::*:role/break-glass/Admin",
    "arn:aws:iam::333333333333:role/break-glass/Admin",
    "arn:aws:iam::333333333333:role/break-glass/*",
    "arn:aws:iam::*:role/break-glass/Stranger",
    "arn:aws:iam::222222222222:user/break-glass/alice",
    "arn:aws:iam::*:role/*",
];

/// Callers whom no exception ever names, nor any value for somebody under the path.
const OTHERS: [&str; 5] = [
    "arn:aws:iam::333333333333:root",
    "arn:aws:iam::333333333333:role/ci/Deployer",
    "arn:aws:iam::999999999999:role/break-glassy/Admin",
    "arn:aws:iam::444444444444:user/someone",
    "arn:aws:iam::555555555555:role/x/break-glass/Admin",
];

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn organization() -> Organization {
    let account = |parent: &str| Account {
        name: "account".to_owned(),
        state: AccountState::Active,
        parent: parent.to_owned(),
        tags: None,
    };
    let parents = ["r-root", "r-root", UNIT, UNIT, "r-root"];
    Organization {
        id: "o-exampleorg1".to_owned(),
        partition: Partition::commercial(),
        management_account: id(ACCOUNTS[0]),
        units: BTreeMap::from([(
            UNIT.to_owned(),
            Unit {
                name: "Work".to_owned(),
                parent: "r-root".to_owned(),
            },
        )]),
        accounts: ACCOUNTS
            .iter()
            .zip(parents)
            .map(|(text, parent)| (id(text), account(parent)))
            .collect(),
    }
}

fn conditions() -> impl Strategy<Value = Vec<(&'static str, &'static str, Value)>> {
    let exempting = (
        select(vec![
            "ArnNotLike",
            "ArnNotEquals",
            "ArnNotLikeIfExists",
            "StringNotLike",
        ]),
        subsequence(&VALUES[..], 1..4),
    );
    let exempting =
        exempting.prop_map(|(operator, values)| (operator, "aws:PrincipalArn", json!(values)));
    let other = select(vec![
        ("StringNotEquals", "aws:RequestedRegion", json!("eu-west-1")),
        (
            "StringNotEqualsIfExists",
            "aws:PrincipalOrgID",
            json!("o-exampleorg1"),
        ),
        ("BoolIfExists", "aws:MultiFactorAuthPresent", json!("false")),
        (
            "StringEquals",
            "aws:PrincipalAccount",
            json!(["333333333333", "222222222222"]),
        ),
        ("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::*:root")),
        (
            "ArnLike",
            "aws:PrincipalArn",
            json!("arn:aws:iam::*:role/break-glass/*"),
        ),
        ("StringEquals", "aws:PrincipalType", json!("User")),
        ("Bool", "aws:PrincipalIsAWSService", json!("true")),
    ]);
    (option::of(exempting), option::of(other)).prop_map(|(one, two)| {
        let mut conditions: Vec<_> = one.into_iter().chain(two).collect();
        conditions.dedup_by(|a, b| a.0 == b.0);
        conditions
    })
}

fn policy() -> impl Strategy<Value = GuardrailPolicy> {
    let kind = select(GuardrailKind::ALL.to_vec());
    let actions = || subsequence(vec!["sts:*", "s3:*", "sqs:*", "*"], 1..3);
    let statements = vec((actions(), any::<bool>(), conditions()), 1..=3);
    let nodes = ["r-root", UNIT, ACCOUNTS[1], ACCOUNTS[2], ACCOUNTS[4]];
    let targets = subsequence(nodes.map(str::to_owned).to_vec(), 0..3);
    let tags = select(vec![
        ("owner", "x"),
        ("breakglass:exception/a", "x"),
        ("breakglass:exception/z", "x"),
        ("managed-by", "terraform"),
    ]);
    (kind, statements, targets, option::of(tags)).prop_map(|(kind, statements, targets, tags)| {
        let statements = statements.into_iter().zip(SIDS);
        let statements = statements.map(|((actions, is_negated, conditions), sid)| {
            let is_scp = kind == GuardrailKind::Scp;
            let is_negated = is_negated && is_scp && !actions.contains(&"*");
            let actions: Vec<&str> = match is_scp {
                true => actions,
                // An RCP must name the service.
                false => actions
                    .into_iter()
                    .map(|action| if action == "*" { "kms:*" } else { action })
                    .collect(),
            };
            let mut statement = json!({ "Sid": sid, "Effect": "Deny", "Resource": "*" });
            statement[if is_negated { "NotAction" } else { "Action" }] = json!(actions);
            for (operator, key, value) in conditions {
                statement["Condition"][operator] = json!({ key: value });
            }
            if !is_scp {
                statement["Principal"] = json!("*");
            }
            statement
        });
        let statements: Vec<Value> = statements.collect();
        let document = json!({ "Version": "2012-10-17", "Statement": statements });
        GuardrailPolicy {
            name: "guard".to_owned(),
            description: String::new(),
            kind,
            aws_managed: false,
            document: PolicyText::new(document.to_string()),
            tags: Tags::from_iter(tags.map(|(key, value)| (key.to_owned(), value.to_owned()))),
            targets: BTreeSet::from_iter(targets),
        }
    })
}

fn user(name: &str) -> ExceptedUser {
    ExceptedUser {
        path: IamPath::break_glass(),
        name: name.to_owned(),
        account: id(ACCOUNTS[1]),
        policies: None,
    }
}

fn user_arn(name: &str) -> Arn {
    let path = IamPath::break_glass();
    Arn::iam(
        &Partition::commercial(),
        &id(ACCOUNTS[1]),
        "user",
        &path,
        name,
    )
}

fn role() -> impl Strategy<Value = ExceptedRole> {
    let accounts = btree_set(select(ACCOUNTS.to_vec()), 1..=5);
    let callers = subsequence(vec!["alice", "bob"], 0..=2);
    (select(vec!["Admin", "Audit"]), accounts, callers).prop_map(|(name, accounts, callers)| {
        ExceptedRole {
            path: IamPath::break_glass(),
            name: name.to_owned(),
            accounts: accounts.into_iter().map(id).collect(),
            callers: callers.into_iter().map(user_arn).collect(),
        }
    })
}

fn exceptions() -> impl Strategy<Value = Vec<DesiredException>> {
    let statements = option::of(subsequence(SIDS.map(str::to_owned).to_vec(), 1..3));
    let users = subsequence(vec!["alice", "bob"], 0..=1);
    let expires = select(vec!["2027-06-30", "2027-06-30", "2026-01-01"]);
    let exception = (statements, vec(role(), 0..=2), users, expires);
    vec(exception, 0..=3).prop_map(|exceptions| {
        let exceptions = exceptions.into_iter().zip(["a", "b", "c"]);
        let exceptions =
            exceptions.map(
                |((statements, roles, users, expires), name)| DesiredException {
                    id: name.to_owned(),
                    policy: "guard".to_owned(),
                    statements,
                    roles,
                    users: users.into_iter().map(user).collect(),
                    reason: "why".to_owned(),
                    owner: "who".to_owned(),
                    ticket: "where".to_owned(),
                    expires: expires.parse().unwrap(),
                    closed: None,
                    origin: Origin {
                        file: "breakglass.yaml".to_owned(),
                        line: 1,
                    },
                },
            );
        exceptions.collect()
    })
}

fn diff(exceptions: &[DesiredException], live: &Guardrails) -> GuardrailDiff {
    let named = |names: [&str; 2]| -> BTreeSet<(IamPath, String)> {
        names
            .map(|name| (IamPath::break_glass(), name.to_owned()))
            .into()
    };
    let desired = DesiredGuardrails {
        exceptions: exceptions.to_vec(),
        roles: named(["Admin", "Audit"]),
        users: named(["alice", "bob"]),
        ..DesiredGuardrails::default()
    };
    let context = GuardrailContext {
        organization: &organization(),
        managed_path: &IamPath::break_glass(),
        strict: false,
        today: "2026-11-25".parse().unwrap(),
        covers: &|_| true,
    };
    diff_guardrails(&context, &desired, live)
}

/// Carries changes out as an apply does: what only takes away comes last.
fn applied(found: &GuardrailDiff, live: &Guardrails) -> Guardrails {
    let mut after = live.clone();
    let restricts = |change: &&Change| change.operations.iter().all(|step| step.restricts);
    let (last, first): (Vec<&Change>, Vec<&Change>) = found.changes.iter().partition(restricts);
    for step in first
        .into_iter()
        .chain(last)
        .flat_map(|change| &change.operations)
    {
        let Operation::SetExemptions(edit) = &step.operation else {
            panic!("{step:?}");
        };
        for operation in edit.operations() {
            after.apply(&operation).unwrap();
        }
    }
    after
}

#[derive(Debug, Clone)]
struct Case {
    action: &'static str,
    region: &'static str,
    mfa: Option<&'static str>,
    owner: &'static str,
    of_organization: bool,
}

fn case() -> impl Strategy<Value = Case> {
    (
        select(ACTIONS.to_vec()),
        select(vec!["eu-west-1", "us-east-1"]),
        option::of(select(vec!["true", "false"])),
        select(ACCOUNTS.to_vec()),
        any::<bool>(),
    )
        .prop_map(|(action, region, mfa, owner, of_organization)| Case {
            action,
            region,
            mfa,
            owner,
            of_organization,
        })
}

/// The statements that stand in the way of a caller.
fn blocking(live: &Guardrails, caller: &str, case: &Case) -> Vec<usize> {
    let policy = &live.policies["p-guard"];
    let mut context = Context::new();
    context.set("aws:RequestedRegion", ContextValue::one(case.region));
    if let Some(mfa) = case.mfa {
        context.set("aws:MultiFactorAuthPresent", ContextValue::one(mfa));
    }
    if case.of_organization {
        context.set("aws:PrincipalOrgID", ContextValue::one("o-exampleorg1"));
    }
    let request = Request {
        principal: caller.parse().unwrap(),
        action: case.action.to_owned(),
        resource: "*".to_owned(),
        resource_account: Some(id(case.owner)),
        context,
        management_account: Some(id(ACCOUNTS[0])),
    };
    let document = policy.document.parse().unwrap();
    blocking_statements(&document, policy.kind.document_kind(), &request)
}

fn binds(policy: &GuardrailPolicy, account: &str) -> bool {
    let organization = organization();
    let levels = organization.levels(account).unwrap();
    policy.targets.is_empty() || levels.iter().any(|node| policy.targets.contains(*node))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exceptions_once_applied_are_as_the_spec_says(
        policy in policy(),
        exceptions in exceptions(),
        cases in vec(case(), 6),
    ) {
        let live = Guardrails {
            enabled: GuardrailKind::ALL.into(),
            policies: BTreeMap::from([("p-guard".to_owned(), policy.clone())]),
        };
        let found = diff(&exceptions, &live);
        let mut after = applied(&found, &live);
        let mut left = diff(&exceptions, &after);
        // What is blocked may no longer be once the rest is done.
        if found.changes.iter().any(|change| change.blocked.is_some()) {
            for _ in 0..3 {
                after = applied(&left, &after);
                left = diff(&exceptions, &after);
            }
        }
        for change in &left.changes {
            prop_assert!(change.blocked.is_some(), "left: {change:#?}\nof {found:#?}");
        }
        for case in &cases {
            for other in OTHERS {
                let (before, after) = (blocking(&live, other, case), blocking(&after, other, case));
                prop_assert_eq!(before, after, "{} {:?}", other, case);
            }
        }
        let today = "2026-11-25".parse().unwrap();
        for exception in exceptions.iter().filter(|exception| exception.expires >= today) {
            if left.changes.iter().any(|change| change.name == exception.id) {
                continue;
            }
            let document = policy.document.parse().unwrap();
            let is_meant = |number: &usize| {
                let sid = document.statements[number - 1].sid.as_ref();
                exception.statements.as_ref().is_none_or(|sids| sids.contains(sid.unwrap()))
            };
            for (role, case) in exception.roles.iter().flat_map(|role| cases.iter().map(move |case| (role, case))) {
                for account in &role.accounts {
                    let follows = match policy.kind {
                        GuardrailKind::Scp => account.as_str(),
                        GuardrailKind::Rcp => case.owner,
                    };
                    // A member's role is of the organization.
                    if binds(&policy, follows) && case.of_organization {
                        let caller = format!("arn:aws:iam::{account}:role/break-glass/{}", role.name);
                        let mut denying = blocking(&after, &caller, case);
                        denying.retain(|number| is_meant(number));
                        prop_assert_eq!(denying, Vec::<usize>::new(), "{} {:?} {:#?}", caller, case, after);
                    }
                }
            }
        }
    }
}
