//! What an apply did, change by change.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::AccountId;
use crate::org::Tree;
use crate::plan::{Action, Unreadable};
use crate::state::{Address, Origin};

/// Reports what an apply did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyReport {
    /// The version of this format, `1.N`.
    pub format_version: String,
    /// Always `apply`.
    pub kind: String,
    /// The organization it was for.
    pub organization_id: String,
    /// The digest of the plan that was carried out.
    pub plan_digest: String,
    /// When it ended.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// The verdict.
    pub outcome: ApplyOutcome,
    /// The counts.
    pub summary: ApplySummary,
    /// What became of each change, by address.
    pub results: Vec<ChangeResult>,
    /// The accounts that the plan knows nothing of.
    pub unreadable: Vec<Unreadable>,
    /// What became of the accounts that came first; absent when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryResult>,
    /// The accounts that the plan is about, under their units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Tree>,
}

/// Tells what became of the accounts that came first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryResult {
    /// The units they are below, as they were given.
    pub units: Vec<String>,
    /// How many accounts they are.
    pub accounts: usize,
    /// Whether all of it succeeded, so that the others were begun.
    pub succeeded: bool,
}

/// Tells how an apply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplyOutcome {
    /// Everything that can be written is as the plan says.
    Done,
    /// Something was changed by someone else since the plan: nothing was written from there on.
    Stale,
    /// A write failed.
    Partial,
    /// It was asked to stop.
    Interrupted,
    /// Something is left that this tool can't do before a person mends it.
    Blocked,
    /// Everything that was planned is done, but some accounts could not be read.
    Incomplete,
}

/// Counts changes by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplySummary {
    /// Carried out.
    pub done: usize,
    /// Found as the plan wants it.
    pub already_done: usize,
    /// Failed.
    pub failed: usize,
    /// Found neither as planned from nor as planned to.
    pub stale: usize,
    /// Not begun.
    pub skipped: usize,
    /// In the way of something, so that this tool can't do it.
    pub blocked: usize,
    /// Left to a person.
    pub manual: usize,
}

/// Tells what became of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeResult {
    /// The resource.
    pub address: Address,
    /// The account's id; the management account's for what belongs to the organization.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// What was to become of the resource.
    pub action: Action,
    /// Where the spec asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Origin>,
    /// What became of it.
    pub status: ChangeStatus,
    /// How many operations were carried out.
    pub operations: usize,
    /// What went wrong, or what is left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Tells what became of a change, in a word.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChangeStatus {
    /// It was carried out.
    Done,
    /// It was found as the plan wants it.
    AlreadyDone,
    /// A read or write failed.
    Failed,
    /// Someone else changed the resource since the plan.
    Stale,
    /// It was not begun.
    Skipped,
    /// Something is in its way.
    Blocked,
    /// It is left to a person.
    Manual,
}

impl ApplySummary {
    pub(super) fn count(results: &[ChangeResult]) -> Self {
        let count = |status| {
            results
                .iter()
                .filter(|result| result.status == status)
                .count()
        };
        Self {
            done: count(ChangeStatus::Done),
            already_done: count(ChangeStatus::AlreadyDone),
            failed: count(ChangeStatus::Failed),
            stale: count(ChangeStatus::Stale),
            skipped: count(ChangeStatus::Skipped),
            blocked: count(ChangeStatus::Blocked),
            manual: count(ChangeStatus::Manual),
        }
    }
}
