//! A plan to test with: one change of every kind, over twelve accounts.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::group::PLACEHOLDER;
use crate::apply::{ApplyOutcome, ApplyReport, ApplySummary, ChangeResult, ChangeStatus};
use crate::ids::AccountId;
use crate::org::{AccountState, Tree, TreeRole, TreeUnit};
use crate::plan::{
    AccountDiff, Action, Cause, Change, Field, IgnoreRule, Kind, Notes, Plan, PlanBuilder,
    PlanHeader, Risk, SafetyRules, Scope, Skipped, Step, Unreadable,
};
use crate::policy::{Access, CanonicalContext};
use crate::state::{Address, Fingerprint, Operation, Origin, ResourceType};

/// The accounts with the same leftover policy.
const SAME: [(&str, &str); 8] = [
    ("222200000001", "dev-a"),
    ("222200000002", "dev-b"),
    ("222200000003", "lab"),
    ("222200000004", "prod-data"),
    ("222200000005", "prod-web"),
    ("222200000006", "stage-a"),
    ("222200000007", "stage-b"),
    ("222200000008", "tools"),
];

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn absent() -> Fingerprint {
    Fingerprint::of(None, &CanonicalContext::default())
}

fn field(path: &str, live: Value, spec: Value) -> Field {
    Field {
        path: path.to_owned(),
        live,
        spec,
        access: Access::None,
        witness: None,
    }
}

/// Makes an update that has one operation, so that there is something to apply.
fn change(account: (&str, &str), resource_type: ResourceType, name: &str) -> Change {
    Change {
        address: Address::new(&id(account.0), resource_type, name),
        account: id(account.0),
        account_name: account.1.to_owned(),
        resource_type,
        name: name.to_owned(),
        action: Action::Update,
        risk: Risk::High,
        access: Access::Narrower,
        cause: Cause::Live,
        reason: None,
        steps: Vec::new(),
        adoption: false,
        replacement: false,
        source: Some(Origin {
            file: "breakglass.yaml".to_owned(),
            line: 28,
        }),
        fields: Vec::new(),
        blocked: None,
        ignored_by: None,
        fingerprint: absent(),
        operations: vec![Step {
            restricts: false,
            operation: Operation::DeleteRole {
                name: name.to_owned(),
            },
            then: absent(),
        }],
    }
}

fn trust(condition: Option<Value>) -> Value {
    let users = ["alice", "bob"]
        .map(|name| format!("arn:aws:iam::333300000000:user/break-glass/bg-{name}"));
    let mut statement = json!({
        "Sid": "Custodians",
        "Effect": "Allow",
        "Principal": { "AWS": users },
        "Action": "sts:AssumeRole",
    });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn with_mfa() -> Value {
    trust(Some(json!({
        "Bool": { "aws:MultiFactorAuthPresent": "true" },
        "NumericLessThan": { "aws:MultiFactorAuthAge": "43200" },
    })))
}

fn changes() -> Vec<Change> {
    let role = ResourceType::IamRole;
    let emergency = ("333300000000", "emergency");
    let mut trust_field = field("trust_policy", trust(None), with_mfa());
    trust_field.witness = Some(
        "assuming the role without MFA: allowed by the live policy, not by the spec".to_owned(),
    );
    let mut changes = vec![
        Change {
            risk: Risk::Critical,
            fields: vec![
                trust_field,
                field("max_session", json!(43200), json!(3600)),
                field(
                    "tags.owner",
                    json!("finance"),
                    json!("platform security"),
                ),
            ],
            ..change(("111122223333", "prod-pay"), role, "BreakGlassAdmin")
        },
        Change {
            action: Action::Create,
            risk: Risk::Medium,
            access: Access::Broader,
            cause: Cause::Spec,
            source: Some(Origin {
                file: "breakglass.yaml".to_owned(),
                line: 42,
            }),
            fields: vec![
                field("path", Value::Null, json!("/break-glass/")),
                field("trust_policy", Value::Null, with_mfa()),
                field("max_session", Value::Null, json!(5400)),
                field(
                    "managed_policies",
                    Value::Null,
                    json!(["arn:aws:iam::aws:policy/SecurityAudit"]),
                ),
                field("inline_policies.deny-tamper", Value::Null, tamper(&["cloudtrail:StopLogging"])),
                field("tags.breakglass:managed", Value::Null, json!("true")),
                field("tags.owner", Value::Null, json!("platform-security")),
            ],
            ..change(SAME[7], role, "BreakGlassAudit")
        },
        Change {
            action: Action::Delete,
            reason: Some("managed, but the spec does not ask for it in this account".to_owned()),
            source: None,
            fields: vec![
                field("path", json!("/break-glass/"), Value::Null),
                field("groups", json!(["admins"]), Value::Null),
                field("access_keys", json!(["AKIAEXAMPLE000000001"]), Value::Null),
            ],
            ..change(emergency, ResourceType::IamUser, "bg-old")
        },
        Change {
            risk: Risk::High,
            access: Access::Both,
            adoption: true,
            reason: Some("it exists and is not managed: this adopts it".to_owned()),
            blocked: Some("it lies at path / and IAM can't move a policy: keep that path in the spec, or detach and delete it by hand".to_owned()),
            fields: vec![
                field("path", json!("/"), json!("/break-glass/")),
                field("document", tamper(&["iam:*"]), tamper(&["cloudtrail:StopLogging", "iam:*"])),
            ],
            operations: Vec::new(),
            ..change(SAME[2], ResourceType::IamPolicy, "break-glass-baseline")
        },
        Change {
            action: Action::Manual,
            risk: Risk::Medium,
            access: Access::None,
            reason: Some("it has no password yet: `breakglass credentials issue bg-alice` seals one to its custodian".to_owned()),
            fields: vec![field("login_profile", json!(false), json!(true))],
            operations: Vec::new(),
            ..change(emergency, ResourceType::Credential, "bg-alice")
        },
    ];
    changes.extend(SAME.map(|account| {
        let own = format!("arn:aws:iam::{}:policy/break-glass/baseline", account.0);
        let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
        Change {
            fields: vec![
                field(
                    "managed_policies",
                    json!([admin, "arn:aws:iam::aws:policy/PowerUserAccess"]),
                    json!([admin, own]),
                ),
                field(
                    "inline_policies.leftover",
                    tamper(&["s3:DeleteBucket"]),
                    Value::Null,
                ),
            ],
            ..change(account, role, "BreakGlassAdmin")
        }
    }));
    changes
}

/// A document of two statements, of which the second denies these actions.
fn tamper(denied: &[&str]) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Sid": "ReadOnly", "Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*" },
            {
                "Sid": "Tamper",
                "Effect": "Deny",
                "Action": denied,
                "Resource": "*",
                "Condition": { "StringNotEquals": { "aws:RequestedRegion": ["eu-west-1"] } },
            },
        ],
    })
}

/// The accounts in three units: one with what is dangerous, one with what is the same, and one below it.
fn tree() -> Tree {
    let unit = |name: &str, parent: Option<&str>, accounts: &[(&str, &str)]| TreeUnit {
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        accounts: accounts
            .iter()
            .map(|(account, name)| (id(account), (*name).to_owned()))
            .collect(),
    };
    let top = [
        ("000000000001", "management"),
        ("333300000000", "emergency"),
        ("444455556666", "legacy"),
    ];
    let (below, same) = SAME.split_at(3);
    let units = [
        ("r-root", unit("", None, &top)),
        ("ou-work", unit("Workloads", Some("r-root"), same)),
        (
            "ou-prod",
            unit("Prod", Some("ou-work"), &[("111122223333", "prod-pay")]),
        ),
        ("ou-sand", unit("Sandbox", Some("r-root"), below)),
    ];
    let role = |name: &str, only: Option<&[&str]>| TreeRole {
        name: name.to_owned(),
        only: only.map(|only| only.iter().map(|account| id(account)).collect()),
        except: Default::default(),
    };
    Tree {
        units: units
            .into_iter()
            .map(|(id, unit)| (id.to_owned(), unit))
            .collect(),
        roles: vec![
            role("BreakGlassAdmin", None),
            role("BreakGlassAudit", Some(&["222200000008", "444455556666"])),
        ],
    }
}

/// Makes a plan or drift report of these changes, with an account that is unreadable and one that is not active.
pub(super) fn report_of(kind: Kind, changes: Vec<Change>) -> Plan {
    let mut builder = PlanBuilder::default();
    let accounts = [
        ("000000000001", "management"),
        ("111122223333", "prod-pay"),
        ("333300000000", "emergency"),
    ];
    for (account, _) in accounts.into_iter().chain(SAME) {
        let own = changes
            .iter()
            .filter(|change| change.account.as_str() == account);
        let diff = AccountDiff {
            changes: own.cloned().collect(),
            cosmetic: Vec::new(),
            managed: 3,
            alerts: None,
            ignored: Vec::new(),
        };
        builder.add(&id(account), diff, false);
    }
    let error = "AccessDenied: sts:AssumeRole on arn:aws:iam::444455556666:role/OrganizationAccountAccessRole";
    builder.add_unreadable(&id("444455556666"), "legacy", error.to_owned());
    let header = PlanHeader {
        kind,
        organization_id: "o-exampleorg1".to_owned(),
        spec_digest: "sha256:00".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        expires_at: (kind == Kind::Plan).then_some(Timestamp::UNIX_EPOCH),
        entry: Some(crate::plan::Entry::default()),
        spec_file: None,
        base: (kind == Kind::Plan).then(|| "0123abcd".to_owned()),
        scope: Scope::default(),
        strict: false,
        notes: Notes {
            spec: vec!["the selector tag:tier=gold matches no account".to_owned()],
            ..Notes::default()
        },
        skipped: vec![Skipped {
            account: id("555500000000"),
            account_name: "old-shop".to_owned(),
            state: AccountState::Suspended,
        }],
        tree: Some(tree()),
    };
    let rules = SafetyRules {
        max_removals: 25,
        min_users: 2,
        declared_users: Some(2),
        member_roles: ["OrganizationAccountAccessRole".to_owned()].into(),
        callers: Default::default(),
    };
    Plan {
        // The real one changes with every field that plans come to have.
        digest: "sha256:0f1e2d3c".to_owned(),
        ..builder.finish(header, &rules)
    }
}

/// Makes the plan or drift report with a change of every kind.
pub(super) fn report(kind: Kind) -> Plan {
    report_of(kind, changes())
}

/// Makes a plan or drift report of accounts that could all be read and are as the spec says.
pub(super) fn in_sync(kind: Kind) -> Plan {
    let mut plan = report_of(kind, Vec::new());
    plan.outcome = crate::plan::Outcome::InSync;
    plan.unreadable.clear();
    plan.notes.clear();
    plan.summary.accounts.unreadable = 0;
    plan.summary.accounts.selected = 11;
    plan
}

/// Makes the report of an apply in which two accounts failed alike.
pub(super) fn applied() -> ApplyReport {
    let plan = report(Kind::Plan);
    let results: Vec<ChangeResult> = plan
        .changes
        .iter()
        .map(|change| {
            let result = |status, operations, message: Option<String>| ChangeResult {
                address: change.address.clone(),
                account: change.account.clone(),
                account_name: change.account_name.clone(),
                action: change.action,
                source: change.source.clone(),
                status,
                operations,
                message,
            };
            match (change.account_name.as_str(), change.action) {
                (_, Action::Manual) => result(ChangeStatus::Manual, 0, change.reason.clone()),
                _ if change.blocked.is_some() => {
                    result(ChangeStatus::Blocked, 0, change.blocked.clone())
                }
                ("dev-a" | "dev-b", _) => {
                    let error = format!("iam:DetachRolePolicy in {}: AccessDenied", change.account);
                    result(ChangeStatus::Failed, 1, Some(error))
                }
                ("tools", _) => result(ChangeStatus::AlreadyDone, 0, None),
                _ => result(ChangeStatus::Done, 1, None),
            }
        })
        .collect();
    let count = |status| {
        results
            .iter()
            .filter(|result| result.status == status)
            .count()
    };
    ApplyReport {
        format_version: "1.0".to_owned(),
        kind: "apply".to_owned(),
        organization_id: plan.organization_id,
        plan_digest: plan.digest,
        created_at: Timestamp::UNIX_EPOCH,
        outcome: ApplyOutcome::Partial,
        summary: ApplySummary {
            done: count(ChangeStatus::Done),
            already_done: count(ChangeStatus::AlreadyDone),
            failed: count(ChangeStatus::Failed),
            stale: count(ChangeStatus::Stale),
            skipped: count(ChangeStatus::Skipped),
            blocked: count(ChangeStatus::Blocked),
            manual: count(ChangeStatus::Manual),
        },
        results,
        unreadable: plan.unreadable,
        canary: None,
        tree: plan.tree,
    }
}

/// Puts a text wherever AWS or a spec may put one.
pub(super) fn haunted(kind: Kind, text: &str) -> Plan {
    let mut changes = changes();
    for change in &mut changes {
        change.name = text.to_owned();
        change.account_name = text.to_owned();
        change.reason = Some(text.to_owned());
        if let Some(source) = &mut change.source {
            source.file = text.to_owned();
        }
        for field in &mut change.fields {
            field.witness = Some(text.to_owned());
        }
        change.fields.extend([
            field(text, json!(text), json!(1)),
            field("trust_policy", json!(text), json!({ text: [text] })),
            field(
                "inline_policies.x",
                trust(Some(json!({ "StringLike": { text: text } }))),
                with_mfa(),
            ),
            field(&format!("tags.{text}"), json!(text), Value::Null),
            field("groups", json!([text]), json!([PLACEHOLDER])),
        ]);
        if change.blocked.is_some() {
            change.blocked = Some(text.to_owned());
        }
    }
    let mut plan = report_of(kind, changes);
    plan.unreadable = vec![Unreadable {
        account: id("444455556666"),
        account_name: text.to_owned(),
        error: text.to_owned(),
    }];
    plan.notes = vec![text.to_owned()];
    plan.ignored = plan.changes.clone();
    for change in &mut plan.ignored {
        change.ignored_by = Some(IgnoreRule {
            index: 0,
            r#match: text.to_owned(),
            reason: text.to_owned(),
            owner: Some(text.to_owned()),
            expires: jiff::civil::date(2027, 1, 31),
            source: change.source.clone(),
        });
    }
    plan.scope = Scope {
        partial: true,
        filters: vec![text.to_owned()],
        shard: None,
    };
    for gate in &mut plan.gates {
        gate.reason = text.to_owned();
    }
    for skipped in &mut plan.skipped {
        skipped.account_name = text.to_owned();
    }
    plan
}

/// Adds a field of a role that an ignore rule leaves alone.
pub(super) fn ignore(plan: &mut Plan, path: &str) {
    let mut ignored = change(
        ("111122223333", "prod-pay"),
        ResourceType::IamRole,
        "BreakGlassIgnored",
    );
    ignored.action = Action::Update;
    ignored.risk = Risk::Low;
    ignored.fields = vec![field(path, json!("them"), json!("us"))];
    ignored.operations.clear();
    ignored.ignored_by = Some(IgnoreRule {
        index: 0,
        r#match: "*/iam_role/*:tags.owner".to_owned(),
        reason: "theirs".to_owned(),
        owner: Some("ops".to_owned()),
        expires: jiff::civil::date(2027, 1, 31),
        source: Some(Origin {
            file: "breakglass.yaml".to_owned(),
            line: 79,
        }),
    });
    plan.ignored.push(ignored);
    plan.summary.ignored = plan.ignored.len();
}
