//! Plans: the difference between the spec and live state, as data that can be shown, saved and applied.
//!
//! Everything here is a pure function. A plan carries the final operations, so that apply has nothing to decide.

#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

mod alerts;
mod cause;
mod change;
mod diff;
mod drills;
mod guardrails;
mod ignore;
mod order;
mod preview;
mod safety;
mod saved;
mod share;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::AccountId;
use crate::org::{AccountState, Shard, Tree};
use crate::spec::{AccountOverride, MemberRole, Spec};
use crate::state::Address;

pub use alerts::{AlertCoverage, AlertHole};
pub use cause::attribute;
pub use change::{Action, Cause, Change, Cosmetic, Field, Risk, Step};
pub use diff::{AccountContext, AccountDiff, diff_account};
pub use drills::{DrillRules, due_drills};
pub use guardrails::{GuardrailContext, GuardrailDiff, diff_guardrails};
pub use ignore::{
    Expiry, IgnoreRule, IgnoreRules, absent_users, diff_account_under, diff_guardrails_under,
    listed_rules,
};
pub use order::{Part, Wave, schedule};
pub use preview::{preview_account, preview_guardrails};
use safety::widening;
pub use safety::{Gate, GateFinding, SafetyRules, check_gates, closes_last_path};
pub use saved::{ParsePlanError, Staleness, check_fresh, parse_plan};
pub use share::{LostPaths, Notes, Share};

/// The format of plans and drift reports that this version writes and reads.
pub const FORMAT_VERSION: &str = "1.0";

/// Holds what a comparison of the spec with live state found: a plan to apply, or a report of drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of this format, `1.N`.
    pub format_version: String,
    /// Whether this is a plan or a report of drift.
    pub kind: Kind,
    /// The organization it is for.
    pub organization_id: String,
    /// The verdict.
    pub outcome: Outcome,
    /// The digest of the spec, with every document it refers to.
    pub spec_digest: String,
    /// The digest of all of this but the times, places in the spec, causes, what is in sync, cosmetic differences and the
    /// tree: what a review approves.
    pub digest: String,
    /// When live state was read.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When a plan may no longer be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expires_at: Option<Timestamp>,
    /// How accounts are entered; only a plan needs to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
    /// The first file of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_file: Option<String>,
    /// The revision of the spec that causes are told by; without one they are not known, and all are `live`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// What part of the organization was looked at.
    pub scope: Scope,
    /// The counts.
    pub summary: Summary,
    /// What the reader should know beside the changes.
    pub notes: Vec<String>,
    /// What would stop an apply.
    pub gates: Vec<GateFinding>,
    /// The changes, by address.
    pub changes: Vec<Change>,
    /// The accounts of which not everything could be read: nothing is known of them.
    pub unreadable: Vec<Unreadable>,
    /// The accounts that are not active, and so not looked at.
    pub skipped: Vec<Skipped>,
    /// The differences that an ignore rule leaves alone, once for each rule; they have no operations.
    pub ignored: Vec<Change>,
    /// Which uses of break-glass are not heard of; absent when the spec asks for no alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<AlertCoverage>,
    /// What differs only in names without effect, which is no difference unless `--strict` says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cosmetic: Vec<Cosmetic>,
    /// What a report of one shard knows beside this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// What the spec asks for and AWS holds just so, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_sync: Vec<Address>,
    /// The accounts that were looked at, under their units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Tree>,
}

/// Tells a plan from a report of drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It can be applied.
    Plan,
    /// It is only told.
    Drift,
}

/// Tells how live state stands to the spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything was read, and nothing differs.
    InSync,
    /// Everything was read, and something differs.
    Differences,
    /// Something could not be read.
    Incomplete,
}

/// Tells how accounts are entered, so that a saved plan needs no spec to be applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The role assumed in each member account.
    pub member_role: MemberRole,
    /// What differs in single accounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<AccountId, AccountOverride>,
}

impl Entry {
    /// How a spec says that accounts are entered.
    #[must_use]
    pub fn of(spec: &Spec) -> Self {
        Self {
            member_role: spec.organization.member_role.clone(),
            overrides: spec.organization.overrides.clone(),
        }
    }

    /// The names of the roles, without their paths.
    pub fn role_names(&self) -> impl Iterator<Item = String> + '_ {
        self.overrides
            .values()
            .filter_map(|account| account.member_role.as_ref())
            .chain([&self.member_role])
            .flat_map(|role| [&role.plan, &role.apply])
            .map(|role| role.rsplit('/').next().unwrap_or(role).to_owned())
    }
}

/// Tells what part of the organization was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Whether accounts or resources were left out by options.
    pub partial: bool,
    /// The options that left them out, as they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// The shard, such as `2/8`, when only its share of the accounts was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub shard: Option<Shard>,
}

impl Scope {
    /// Writes the options that left something out.
    #[must_use]
    pub fn options(&self) -> String {
        let shard = self.shard.map(|shard| format!("--shard {shard}"));
        let options: Vec<String> = self.filters.iter().cloned().chain(shard).collect();
        options.join(" ")
    }
}

/// Counts accounts and changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Accounts by what was found.
    pub accounts: AccountCounts,
    /// Resources to make.
    pub create: usize,
    /// Resources to change.
    pub update: usize,
    /// Resources to delete.
    pub delete: usize,
    /// Things that only a person can do.
    pub manual: usize,
    /// Differences that an ignore rule leaves alone.
    pub ignored: usize,
}

/// Counts accounts by what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountCounts {
    /// All that were looked at.
    pub selected: usize,
    /// Those that are as the spec says.
    pub in_sync: usize,
    /// Those that differ.
    pub different: usize,
    /// Those of which not everything could be read.
    pub unreadable: usize,
}

/// Names an account of which not everything could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unreadable {
    /// The account's id.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// The call that failed, and how.
    pub error: String,
}

/// Names an account that is not active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// The account's id.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// Its state.
    pub state: AccountState,
}

/// Collects what is found account by account, in whatever order accounts are read.
#[derive(Debug, Default)]
pub struct PlanBuilder {
    selected: usize,
    changes: Vec<Change>,
    cosmetic: Vec<Cosmetic>,
    unreadable: Vec<Unreadable>,
    managed: usize,
    closed_accounts: BTreeSet<AccountId>,
    findings: Vec<GateFinding>,
    notes: Notes,
    alerts: Option<AlertCoverage>,
    in_sync: Vec<Address>,
    widened: Vec<Address>,
    ignored: Vec<Change>,
}

/// Holds what a plan says that no account tells.
#[derive(Debug, Clone)]
pub struct PlanHeader {
    /// Whether this is a plan or a report of drift.
    pub kind: Kind,
    /// The organization it is for.
    pub organization_id: String,
    /// The digest of the spec.
    pub spec_digest: String,
    /// When live state was read.
    pub created_at: Timestamp,
    /// When a plan may no longer be applied.
    pub expires_at: Option<Timestamp>,
    /// How accounts are entered; only a plan needs to know.
    pub entry: Option<Entry>,
    /// The first file of the spec.
    pub spec_file: Option<String>,
    /// The revision of the spec that causes are told by.
    pub base: Option<String>,
    /// What part of the organization is looked at.
    pub scope: Scope,
    /// Whether names without effect count as differences.
    pub strict: bool,
    /// What the reader should know beside the changes.
    pub notes: Notes,
    /// The accounts that are not active.
    pub skipped: Vec<Skipped>,
    /// The accounts that are looked at, under their units.
    pub tree: Option<Tree>,
}

impl PlanBuilder {
    /// Adds an account that was read and compared; `closes_last_path` as [`closes_last_path`] finds it.
    pub fn add(&mut self, account: &AccountId, diff: AccountDiff, closes_last_path: bool) {
        self.selected += 1;
        self.managed += diff.managed;
        self.changes.extend(diff.changes);
        self.cosmetic.extend(diff.cosmetic);
        self.ignored.extend(diff.ignored);
        if let Some(alerts) = diff.alerts {
            self.alerts.get_or_insert_default().add(alerts);
        }
        if closes_last_path {
            self.closed_accounts.insert(account.clone());
        }
    }

    /// Adds what the spec asks for and live state holds just so.
    pub fn add_in_sync(&mut self, addresses: impl IntoIterator<Item = Address>) {
        self.in_sync.extend(addresses);
    }

    /// Adds existing objects to which the change of the spec gives broader access, as [`attribute`] finds them.
    pub fn add_widened(&mut self, addresses: Vec<Address>) {
        self.widened.extend(addresses);
    }

    /// Adds an account of which not everything could be read.
    pub fn add_unreadable(&mut self, account: &AccountId, name: &str, error: String) {
        self.selected += 1;
        self.unreadable.push(Unreadable {
            account: account.clone(),
            account_name: name.to_owned(),
            error,
        });
    }

    /// Adds what was found in the guardrails.
    pub fn add_guardrails(&mut self, diff: GuardrailDiff) {
        self.managed += diff.managed;
        self.changes.extend(diff.changes);
        self.cosmetic.extend(diff.cosmetic);
        self.ignored.extend(diff.ignored);
        self.findings.extend(diff.findings);
        self.notes.guardrails.extend(diff.notes);
    }

    /// Adds that a part could not be read, guardrails or alerts; the account is the one they are read in, which is
    /// counted already.
    pub fn add_unreadable_part(&mut self, account: &AccountId, name: &str, error: String) {
        self.unreadable.push(Unreadable {
            account: account.clone(),
            account_name: name.to_owned(),
            error,
        });
    }

    /// Holds back new users and roles everywhere, where nothing is known of the bus and topic that their use is told by.
    pub fn hold_new_access(&mut self) {
        let why =
            "the alerts' bus and topic could not be read, so that its use might raise no alert";
        let new = self.changes.iter_mut();
        for change in new.filter(|change| change.makes_access()) {
            change.block(why);
        }
    }

    /// Adds the report of one shard; whatever it says of the gates of its share alone is left out.
    pub fn add_share(&mut self, part: Plan, share: Share) {
        let Share {
            strict: _,
            rules: _,
            managed,
            closed_accounts,
            guardrail_gates,
            widened,
            notes,
        } = share;
        self.widened.extend(widened);
        self.in_sync.extend(part.in_sync);
        self.selected += part.summary.accounts.selected;
        self.managed += managed;
        self.changes.extend(part.changes);
        self.cosmetic.extend(part.cosmetic);
        self.ignored.extend(part.ignored);
        if let Some(alerts) = part.alerts {
            self.alerts.get_or_insert_default().add(alerts);
        }
        self.unreadable.extend(part.unreadable);
        self.closed_accounts.extend(closed_accounts);
        self.findings.extend(guardrail_gates);
        self.notes.absorb(notes);
    }

    /// Makes the plan: sorted, counted, gated and digested.
    #[must_use]
    pub fn finish(self, header: PlanHeader, rules: &SafetyRules) -> Plan {
        let Self {
            selected,
            mut changes,
            mut cosmetic,
            mut unreadable,
            managed,
            closed_accounts,
            findings,
            notes: found,
            mut alerts,
            mut in_sync,
            mut widened,
            mut ignored,
        } = self;
        changes.sort_by(|a, b| a.address.cmp(&b.address));
        cosmetic.sort();
        ignored.sort_by(|a, b| (&a.address, &a.ignored_by).cmp(&(&b.address, &b.ignored_by)));
        in_sync.sort();
        widened.sort();
        if let Some(alerts) = &mut alerts {
            alerts.sort();
        }
        unreadable.sort_by(|a, b| (&a.account, &a.error).cmp(&(&b.account, &b.error)));
        let PlanHeader {
            kind,
            organization_id,
            spec_digest,
            created_at,
            expires_at,
            entry,
            spec_file,
            base,
            scope,
            strict,
            notes: given,
            skipped,
            tree,
        } = header;
        let mut notes = Notes::default();
        notes.absorb(given);
        notes.absorb(found);
        let now = rules.without_absent(&ignored);
        let mut gates = check_gates(&changes, managed, &closed_accounts, &now);
        gates.extend(findings.iter().cloned());
        gates.extend(widening(&widened));
        let mut told = notes.told();
        if !scope.partial && unreadable.is_empty() {
            told.extend(notes.idle_rules(&ignored));
        }
        let share = scope.shard.map(|_| Share {
            strict,
            rules: rules.clone(),
            managed,
            closed_accounts,
            guardrail_gates: findings,
            widened,
            notes,
        });
        let mut plan = Plan {
            format_version: FORMAT_VERSION.to_owned(),
            kind,
            organization_id,
            outcome: if !unreadable.is_empty() {
                Outcome::Incomplete
            } else if changes.is_empty() {
                Outcome::InSync
            } else {
                Outcome::Differences
            },
            spec_digest,
            digest: String::new(),
            created_at,
            expires_at,
            entry,
            spec_file,
            base,
            scope,
            summary: Summary {
                ignored: ignored.len(),
                ..summarize(selected, &changes, &unreadable)
            },
            notes: told,
            gates,
            changes,
            unreadable,
            skipped,
            ignored,
            alerts,
            cosmetic,
            share,
            in_sync,
            tree,
        };
        plan.digest = plan.compute_digest();
        plan
    }
}

fn summarize(selected: usize, changes: &[Change], unreadable: &[Unreadable]) -> Summary {
    let different: BTreeSet<&AccountId> = changes.iter().map(|change| &change.account).collect();
    let unreadable: BTreeSet<&AccountId> = unreadable
        .iter()
        .map(|unreadable| &unreadable.account)
        .collect();
    let mut actions: BTreeMap<Action, usize> = BTreeMap::new();
    for change in changes {
        *actions.entry(change.action).or_default() += 1;
    }
    let count = |action| actions.get(&action).copied().unwrap_or_default();
    Summary {
        accounts: AccountCounts {
            selected,
            in_sync: selected.saturating_sub((&different | &unreadable).len()),
            different: different.len(),
            unreadable: unreadable.len(),
        },
        create: count(Action::Create),
        update: count(Action::Update),
        delete: count(Action::Delete),
        manual: count(Action::Manual),
        ignored: 0,
    }
}

impl Plan {
    /// Lists what keeps the plan from being applied by a role or user, given what is let through.
    #[must_use]
    pub fn closed_gates(
        &self,
        allowed: &BTreeSet<Gate>,
        caller: Option<&Address>,
    ) -> Vec<GateFinding> {
        let member_roles = self.entry.iter().flat_map(Entry::role_names).collect();
        let callers = caller.into_iter().cloned().collect();
        let mut findings = self.gates.clone();
        let evident = safety::evident(&self.changes, &member_roles, &callers);
        findings.extend(evident.into_iter().filter(|one| !self.gates.contains(one)));
        findings.retain(|finding| !allowed.contains(&finding.gate));
        findings
    }

    /// Tells whether there is anything that an apply would write.
    #[must_use]
    pub fn has_operations(&self) -> bool {
        self.changes
            .iter()
            .any(|change| !change.operations.is_empty())
    }
}
