//! Safety gates: what a plan must not do unless someone lets it through by name.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Change};
use crate::ids::{AccountId, Arn, IamPath};
use crate::policy::{self, Effect};
use crate::state::{Address, Inventory, PolicyText, ResourceType, is_owned};

/// Names a gate, as `--allow` does.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// More removals than `safety.max_removals` of the managed objects.
    Removals,
    /// Broader access on an existing object, or a new exception, that a change of the spec asks for.
    Widen,
    /// A role that stops demanding MFA.
    DropMfa,
    /// Taking over an object that is not managed yet.
    Adopt,
    /// Editing a policy that another tool owns.
    Foreign,
    /// The last path into an account, too few users, or the role this tool itself uses.
    Lockout,
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Removals => "removals",
            Self::Widen => "widen",
            Self::DropMfa => "drop-mfa",
            Self::Adopt => "adopt",
            Self::Foreign => "foreign",
            Self::Lockout => "lockout",
        })
    }
}

/// Reports that a plan does what a gate guards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateFinding {
    /// The gate.
    pub gate: Gate,
    /// Why it stops, in a sentence.
    pub reason: String,
    /// The changes that it is about.
    pub addresses: Vec<Address>,
}

/// Holds what gates go by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SafetyRules {
    /// The most managed objects to remove, in percent of those in scope.
    pub max_removals: u8,
    /// The fewest users to keep.
    pub min_users: usize,
    /// How many users the spec declares; `None` when it has no section of users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_users: Option<usize>,
    /// The names of the roles by which this tool enters accounts.
    pub member_roles: BTreeSet<String>,
    /// The roles or users that this tool itself runs as.
    pub callers: BTreeSet<Address>,
}

impl SafetyRules {
    /// The same, where declared users that are not there and are left so do not count.
    pub(super) fn without_absent(&self, ignored: &[Change]) -> Self {
        let absent = ignored.iter().filter(|change| {
            change.action == Action::Create && change.resource_type == ResourceType::IamUser
        });
        let absent = absent.count();
        Self {
            declared_users: self
                .declared_users
                .map(|declared| declared.saturating_sub(absent)),
            ..self.clone()
        }
    }
}

/// Tells whether a plan takes an account's last usable path: a managed role that some user or role is trusted with.
///
/// It works on one account at a time, so that accounts need not be kept.
#[must_use]
pub fn closes_last_path(changes: &[Change], live: &Inventory, managed_path: &IamPath) -> bool {
    let has_path = |inventory: &Inventory| {
        inventory.roles.values().any(|role| {
            is_owned(&role.path, &role.tags, managed_path) && trusts_someone(&role.trust_policy)
        })
    };
    has_path(live) && !has_path(&after(changes, live))
}

/// Makes the state that changes lead to, as far as they can be carried out.
pub(super) fn after(changes: &[Change], live: &Inventory) -> Inventory {
    let mut inventory = live.clone();
    for step in changes.iter().flat_map(|change| &change.operations) {
        // Each change was planned on this very state, and none touches what another does.
        let _ = inventory.apply(&step.operation);
    }
    inventory
}

/// Tells whether a trust policy allows a user or role by name; a whole account is nobody's path.
fn trusts_someone(trust: &PolicyText) -> bool {
    let Ok(document) = trust.parse() else {
        return false;
    };
    document
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
        .filter_map(|statement| statement.principals.as_ref())
        .flat_map(|principals| principals.list())
        .filter_map(|principal| principal.entry().1.parse::<Arn>().ok())
        .any(|arn| arn.resource().starts_with("user/") || arn.resource().starts_with("role/"))
}

/// Finds everything in a plan that a gate guards.
#[must_use]
pub fn check_gates(
    changes: &[Change],
    managed: usize,
    closed_accounts: &BTreeSet<AccountId>,
    rules: &SafetyRules,
) -> Vec<GateFinding> {
    let removals = removals(changes, managed, rules);
    let removed = format!(
        "{} of {managed} managed objects would be removed or replaced, more than the {}% of safety.max_removals",
        removals.len(),
        rules.max_removals
    );
    let mut findings: Vec<_> = finding(Gate::Removals, removed, removals)
        .into_iter()
        .collect();
    findings.extend(evident(changes, &rules.member_roles, &rules.callers));
    findings.extend(finding(
        Gate::Lockout,
        format!(
            "fewer users would be left than the {} of safety.min_users",
            rules.min_users
        ),
        user_removals(changes, rules),
    ));
    findings.extend(finding(
        Gate::Lockout,
        "the account's last role that someone can assume would be removed",
        addresses(changes, |change| {
            removes(change, ResourceType::IamRole) && closed_accounts.contains(&change.account)
        }),
    ));
    findings
}

/// Finds what a gate guards as far as the changes themselves show it: who applies a saved plan may be another than made
/// it, and what it says of its gates may have been edited.
pub(super) fn evident(
    changes: &[Change],
    member_roles: &BTreeSet<String>,
    callers: &BTreeSet<Address>,
) -> Vec<GateFinding> {
    let found = [
        finding(
            Gate::DropMfa,
            "the role would no longer demand MFA",
            addresses(changes, drops_mfa),
        ),
        finding(
            Gate::Adopt,
            "the object is not managed yet and would be taken over",
            addresses(changes, |change| change.adoption),
        ),
        finding(
            Gate::Lockout,
            "it is a role by which this tool enters accounts",
            addresses(changes, |change| {
                change.resource_type == ResourceType::IamRole
                    && change.action != Action::Create
                    && member_roles.contains(&change.name)
            }),
        ),
        finding(
            Gate::Lockout,
            "this tool itself runs as it",
            addresses(changes, |change| callers.contains(&change.address)),
        ),
    ];
    found.into_iter().flatten().collect()
}

fn finding(gate: Gate, reason: impl Into<String>, addresses: Vec<Address>) -> Option<GateFinding> {
    (!addresses.is_empty()).then(|| GateFinding {
        gate,
        reason: reason.into(),
        addresses,
    })
}

/// Finds that a change of the spec gives existing objects broader access.
pub(super) fn widening(addresses: &[Address]) -> Option<GateFinding> {
    finding(
        Gate::Widen,
        "the change of the spec gives an existing object broader access",
        addresses.to_vec(),
    )
}

fn addresses(changes: &[Change], guarded: impl Fn(&Change) -> bool) -> Vec<Address> {
    changes
        .iter()
        .filter(|change| guarded(change))
        .map(|change| change.address.clone())
        .collect()
}

fn removes(change: &Change, resource_type: ResourceType) -> bool {
    change.action == Action::Delete && change.resource_type == resource_type
}

fn removals(changes: &[Change], managed: usize, rules: &SafetyRules) -> Vec<Address> {
    let removals = addresses(changes, |change| {
        let deleted =
            change.action == Action::Delete && change.resource_type != ResourceType::Credential;
        (deleted || change.replacement) && change.blocked.is_none()
    });
    if removals.len() * 100 > managed * usize::from(rules.max_removals) {
        removals
    } else {
        Vec::new()
    }
}

fn user_removals(changes: &[Change], rules: &SafetyRules) -> Vec<Address> {
    match rules.declared_users {
        Some(declared) if declared < rules.min_users => {
            addresses(changes, |change| removes(change, ResourceType::IamUser))
        }
        _ => Vec::new(),
    }
}

fn drops_mfa(change: &Change) -> bool {
    change
        .fields
        .iter()
        .filter(|field| field.path == "trust_policy")
        .any(|field| {
            let parse = |value: &serde_json::Value| policy::parse(&value.to_string()).ok();
            match (parse(&field.live), parse(&field.spec)) {
                (Some(live), Some(spec)) => {
                    policy::requires_mfa(&live) && !policy::requires_mfa(&spec)
                }
                _ => false,
            }
        })
}
