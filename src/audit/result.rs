//! What an audit found, as a value that can be written and read again.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Code, Severity};
use super::watch::Principal;
use crate::ids::AccountId;

/// The format that audits are written in; readers take every `1.N`.
pub const FORMAT_VERSION: &str = "1.0";

/// Holds every use of break-glass in a time span, and what is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The version of this format, `1.N`.
    pub format_version: String,
    /// Always `usage`.
    pub kind: String,
    /// The organization it is about.
    pub organization_id: String,
    /// The verdict.
    pub outcome: AuditOutcome,
    /// The digest of the spec.
    pub spec_digest: String,
    /// The first file of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_file: Option<String>,
    /// When the audit was made.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// The beginning of the time span; absent when the logs were read from their beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// The end of the time span, not included; absent when the logs were read to their end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// Where the records came from.
    pub source: RecordSource,
    /// The counts.
    pub summary: AuditSummary,
    /// What the reader should know beside the findings.
    pub notes: Vec<String>,
    /// What is wrong, by time.
    pub findings: Vec<Finding>,
    /// Every use, by time.
    pub uses: Vec<Use>,
    /// Changes to break-glass objects, and to what watches over them, by others than the deployer.
    pub tampering: Vec<Tampering>,
    /// What could not be read: nothing is known of it.
    pub unreadable: Vec<UnreadableSource>,
}

/// Tells how an audit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// Everything was read, and nothing is wrong.
    Clean,
    /// Everything was read, and something is wrong.
    Findings,
    /// Something could not be read.
    Incomplete,
}

/// Says where records came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordSource {
    /// Log files.
    #[serde(rename_all = "snake_case")]
    Files {
        /// How many were read.
        files: u64,
        /// How many files of the folders hold no records.
        skipped: u64,
    },
    /// CloudTrail's event history.
    #[serde(rename_all = "snake_case")]
    EventHistory {
        /// How many accounts were asked.
        accounts: u64,
        /// The Regions that were asked.
        regions: Vec<String>,
    },
}

/// Counts what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditSummary {
    /// The records that were looked at.
    pub records: u64,
    /// Sessions of break-glass principals.
    pub uses: usize,
    /// Of these, those that belong to an incident.
    pub matched: usize,
    /// Groups of attempts that were refused.
    pub refused: usize,
    /// Findings.
    pub findings: usize,
}

/// Holds a use: a session of a break-glass principal, or attempts at one that were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Its id, the same in every audit that sees the same session.
    pub id: String,
    /// Whose session it is.
    pub principal: Principal,
    /// The account's name, where the organization is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// Who used it: a user, an ARN, or as much as the records say.
    pub who: String,
    /// The role session's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The source identity that the session carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// Whether nobody got in: attempts only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When its last record is from.
    #[schemars(with = "String")]
    pub ended: Timestamp,
    /// Whether MFA was used.
    pub mfa: Mfa,
    /// Where from: addresses, or the names of AWS services.
    pub addresses: Vec<String>,
    /// How many addresses more there were.
    #[serde(default, skip_serializing_if = "is_none_left_out")]
    pub addresses_left_out: usize,
    /// With what.
    pub agents: Vec<String>,
    /// How many agents more there were.
    #[serde(default, skip_serializing_if = "is_none_left_out")]
    pub agents_left_out: usize,
    /// In which Regions.
    pub regions: Vec<String>,
    /// How often it was entered, or an attempt at it refused.
    pub entries: u64,
    /// How many calls were made in it.
    pub calls: u64,
    /// Of these, those that change something.
    pub writes: u64,
    /// Of these, those that failed.
    pub failed: u64,
    /// The actions, the most frequent first.
    pub actions: Vec<ActionCount>,
    /// The roles that it went on to that are no break-glass roles; what was done there is not part of this audit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub went_on_to: Vec<OtherSession>,
    /// The use that it came from, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The incidents that it belongs to, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<String>,
}

/// Tells whether MFA was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    /// A record says so.
    Yes,
    /// A record says it was not.
    No,
    /// No record says.
    Unknown,
}

/// Counts the calls of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionCount {
    /// Such as `iam:GetUser`.
    pub action: String,
    /// How often it was called.
    pub count: u64,
    /// How often of these it failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u64,
}

fn is_none_left_out(number: &usize) -> bool {
    *number == 0
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Names a session of a role that is no break-glass role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherSession {
    /// The role's ARN.
    pub role: String,
    /// The session's name.
    pub session: String,
}

/// Describes changes that are alike, to break-glass objects or to what watches over them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tampering {
    /// Who: an ARN, or as much as the record says.
    pub by: String,
    /// Such as `iam:UpdateAssumeRolePolicy`.
    pub action: String,
    /// What was changed, such as `role BreakGlassAdmin`.
    pub target: String,
    /// The account it happened in.
    pub account: String,
    /// When it first happened.
    #[schemars(with = "String")]
    pub first: Timestamp,
    /// When it last happened.
    #[schemars(with = "String")]
    pub last: Timestamp,
    /// How often.
    pub count: u64,
    /// How often of these it failed.
    pub failed: u64,
    /// Where from.
    pub addresses: Vec<String>,
    /// How many addresses more there were.
    #[serde(default, skip_serializing_if = "is_none_left_out")]
    pub addresses_left_out: usize,
}

/// Reports one thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What is wrong.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The use it is about, by id.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_id: Option<String>,
    /// The incident it is about, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// The account it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The same in a sentence for people.
    pub message: String,
}

/// Names what could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnreadableSource {
    /// A file, or an account and Region.
    pub source: String,
    /// What happened.
    pub error: String,
}
