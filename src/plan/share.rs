//! What a report of one shard knows beside what it shows.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Change;
use super::ignore::named;
use super::safety::{GateFinding, SafetyRules};
use crate::ids::AccountId;
use crate::state::Address;

/// Holds what gates and notes are made of, so that the reports of all shards become the one of a single run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Whether names without effect count as differences.
    pub strict: bool,
    /// What gates go by.
    pub rules: SafetyRules,
    /// How many managed objects the shard's accounts hold.
    pub managed: usize,
    /// The accounts whose last usable path goes.
    pub closed_accounts: BTreeSet<AccountId>,
    /// What gates find in the guardrails.
    pub guardrail_gates: Vec<GateFinding>,
    /// The existing objects that the change of the spec gives broader access to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widened: Vec<Address>,
    /// What the report's notes are made of.
    pub notes: Notes,
}

/// Holds what the reader of a plan should know beside the changes, by where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notes {
    /// What there is to say of the spec.
    pub spec: Vec<String>,
    /// The paths that are proven before the plan and not after it.
    pub lost: Vec<LostPaths>,
    /// The accounts of which it is not known what the plan does to their proofs.
    pub unknown: BTreeSet<AccountId>,
    /// What there is to say of the guardrails.
    pub guardrails: Vec<String>,
    /// What the ignore rules in force match, by their place in the spec's list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ignore: BTreeMap<usize, String>,
}

/// Names the accounts in which a plan makes a role unproven for one cause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LostPaths {
    /// The role.
    pub role: String,
    /// The cause, with `{account}` in place of the account's id.
    pub cause: String,
    /// The accounts, each with the cause as it is told of it.
    pub accounts: BTreeMap<AccountId, String>,
}

/// How many accounts a note names.
const NAMED: usize = 3;

impl Notes {
    /// Takes in what another shard says; each thing is said once.
    pub(super) fn absorb(&mut self, other: Self) {
        let Self {
            spec,
            lost,
            unknown,
            guardrails,
            ignore,
        } = other;
        self.ignore.extend(ignore);
        for (all, more) in [(&mut self.spec, spec), (&mut self.guardrails, guardrails)] {
            for note in more {
                if !all.contains(&note) {
                    all.push(note);
                }
            }
        }
        self.unknown.extend(unknown);
        for lost in lost {
            let same =
                |known: &&mut LostPaths| known.role == lost.role && known.cause == lost.cause;
            match self.lost.iter_mut().find(same) {
                Some(known) => known.accounts.extend(lost.accounts),
                None => self.lost.push(lost),
            }
        }
        self.lost.sort();
    }

    /// Tells everything, a note for each thing.
    pub(super) fn told(&self) -> Vec<String> {
        let lost = self.lost.iter().map(LostPaths::told);
        let unknown = self.unknown.iter().map(|account| {
            format!("whether this plan makes a path unproven is not known of account {account}")
        });
        let spec = self.spec.iter().cloned();
        let guardrails = self.guardrails.iter().cloned();
        spec.chain(lost).chain(unknown).chain(guardrails).collect()
    }

    /// Tells which ignore rules leave nothing alone, where everything was compared.
    pub(super) fn idle_rules(&self, ignored: &[Change]) -> impl Iterator<Item = String> {
        let rules = ignored
            .iter()
            .filter_map(|change| change.ignored_by.as_ref());
        let used: BTreeSet<usize> = rules.map(|rule| rule.index).collect();
        let rules = self.ignore.iter();
        rules
            .filter(move |(index, _)| !used.contains(index))
            .map(|(index, pattern)| {
                format!(
                    "{} leaves nothing alone: nothing that it matches differs, or a rule before it covers it",
                    named(*index, pattern)
                )
            })
    }
}

impl LostPaths {
    fn told(&self) -> String {
        let Self {
            role,
            cause,
            accounts,
        } = self;
        let named: Vec<&str> = accounts.keys().take(NAMED).map(AccountId::as_str).collect();
        let named = named.join(", ");
        let (place, told) = match accounts.len() {
            1 => (named, accounts.values().next().unwrap_or(cause)),
            all if all <= NAMED => (format!("{all} accounts ({named})"), cause),
            all => (
                format!("{all} accounts ({named} and {} more)", all - NAMED),
                cause,
            ),
        };
        format!("after this plan {role} is no longer proven in {place}: {told}")
    }
}
