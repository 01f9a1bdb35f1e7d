//! What a closing did, and what is left open.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::AccountId;
use crate::plan::{Outcome, Plan};
use crate::state::Origin;

/// The version of the format of reports, `1.N`.
pub const CLOSE_FORMAT: &str = "1.0";

/// Reports what a closing did, and what is left open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseReport {
    /// The version of this format, `1.N`.
    pub format_version: String,
    /// Always `close`.
    pub kind: String,
    /// The organization.
    pub organization_id: String,
    /// The incident's id.
    pub incident: String,
    /// When it ended.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// The verdict.
    pub outcome: CloseOutcome,
    /// Sessions from before this time are denied; absent when it did not come to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub cutoff: Option<Timestamp>,
    /// What was done, passwords first, then sessions of users, those of roles by account, and exceptions.
    pub steps: Vec<CloseStep>,
    /// Exceptions that were made for the incident, which the spec wants as long as the record does not say that it is
    /// closed.
    pub exceptions: Vec<OpenException>,
    /// What is not as the spec says, where the incident was; absent when that could not be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Plan>,
    /// Why that, or the exceptions, could not be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// Tells how a closing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseOutcome {
    /// Passwords are new, sessions are ended, and everything is as the spec says.
    Closed,
    /// That is done, but something is left to a person.
    Open,
    /// That is done, but some accounts could not be read.
    Incomplete,
    /// Some of it is not done.
    Partial,
}

/// Tells what became of one thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseStep {
    /// What was to do.
    pub step: StepKind,
    /// Where.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// The user or role.
    pub name: String,
    /// What became of it.
    pub status: StepStatus,
    /// Why, where that is to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Names a thing to do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A new password.
    Password,
    /// Renewing what a root user signs in with.
    RootUser,
    /// Ending the sessions of a user.
    UserSessions,
    /// Ending the sessions of a role.
    RoleSessions,
    /// Taking an exception that was made for the incident out of its guardrail.
    Exception,
}

/// Tells what became of a thing to do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It failed, or it isn't known whether it worked.
    Failed,
    /// It was not begun.
    Skipped,
    /// Only a person can do it.
    Manual,
    /// It is done.
    Done,
    /// It was found done.
    AlreadyDone,
}

/// Names an exception that was made for the incident, and that the spec still wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenException {
    /// Its id.
    pub id: String,
    /// Where the spec has it.
    pub source: Origin,
}

impl CloseReport {
    /// Judges what was done and found.
    #[must_use]
    pub fn judge(
        steps: &[CloseStep],
        exceptions: &[OpenException],
        drift: Option<&Plan>,
    ) -> CloseOutcome {
        let found = drift.map_or(Outcome::Incomplete, |drift| drift.outcome);
        let has = |status: StepStatus| steps.iter().any(|step| step.status == status);
        if has(StepStatus::Failed) || has(StepStatus::Skipped) {
            CloseOutcome::Partial
        } else if found == Outcome::Incomplete {
            CloseOutcome::Incomplete
        } else if has(StepStatus::Manual) || !exceptions.is_empty() || found == Outcome::Differences
        {
            CloseOutcome::Open
        } else {
            CloseOutcome::Closed
        }
    }
}
