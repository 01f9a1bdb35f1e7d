//! The sections around users and roles: guardrails, coverage, alerts, records, safety.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Accounts, BusAccount, Duration, Percent, date, date_schema};

/// Says what control policies must let through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guardrails {
    /// Exceptions that control policies make for break-glass principals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// The service control policy that keeps the break-glass objects from being changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
}

/// Declares an exception that a control policy makes for break-glass principals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The exception's own id, unique in this spec, of letters, digits and `._-`.
    pub id: String,
    /// The name or id (`p-…`) of a service or resource control policy.
    pub policy: String,
    /// The Sids of the Deny statements that let them through; each one that would stop them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statements: Option<Vec<String>>,
    /// The roles of this spec that are let through, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The users of this spec that are let through, by name, where a call of theirs would be stopped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// In which of the accounts that have them the roles are let through.
    #[serde(default)]
    pub accounts: Accounts,
    /// Why this exception is needed.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it was agreed; with an incident as its ticket it is over when that is closed.
    pub ticket: String,
    /// The last day on which it holds, in UTC; after it the exception is drift.
    #[serde(with = "date")]
    #[schemars(schema_with = "date_schema")]
    pub expires: Date,
}

/// Declares the service control policy that protects the break-glass objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// The name of the SCP, which is made from the library.
    pub policy: String,
    /// What it is attached to: `root`, OUs (`ou:/Path` or `ou-…`) or account ids.
    #[schemars(extend("examples" = [["root"]]))]
    pub attach: Vec<String>,
}

/// Says which accounts must have a proven path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// The roles by which every active account must have a proven path, by name.
    pub required: Vec<String>,
    /// The accounts that need none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempt: Vec<Exemption>,
}

/// Names accounts that need no proven path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// The accounts.
    pub accounts: Accounts,
    /// Why they need none.
    pub reason: String,
}

/// Says how the root users of member accounts are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RootAccess {
    /// Whether the organization manages its members' root credentials; not compared when absent. With `true`, no
    /// member's root user has a password, access keys or certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_management: Option<bool>,
    /// Whether privileged root sessions are enabled; not compared when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_sessions: Option<bool>,
    /// Whether root users must have MFA; not compared when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<RootMfa>,
}

/// Tells what is asked of root users' MFA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RootMfa {
    /// The management account's root user has MFA that is not virtual, and each member's that can sign in has MFA.
    Required,
}

/// Says who hears of each use, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// The topic that alerts are sent to, in the bus's account and Region. Without it nobody is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// The event bus that every account and Region forwards to. Without it no rule is made, read or compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bus: Option<Bus>,
    /// A second way for an alert, should the first fail: metric filter and alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_path: Option<SecondPath>,
    /// The uses that raise an alert.
    #[serde(default = "AlertUse::all")]
    pub uses: Vec<AlertUse>,
    /// Where findings of `usage` are sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
}

/// Declares the topic that alerts are sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The topic's name.
    pub name: String,
    /// The key that encrypts it: an id, an ARN or `alias/NAME`, not AWS's own. Absent, `plan` notes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["alias/break-glass"]))]
    pub kms_key: Option<String>,
    /// Who is told, written `PROTOCOL:ENDPOINT`, such as `email:soc@example.com`. Others that are live are removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["email:soc@example.com"]]))]
    pub subscriptions: Vec<String>,
}

/// Declares the event bus that every account and Region forwards to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// The account it is in: `emergency`, `management` or an account id. The topic is there too.
    pub account: BusAccount,
    /// The Region it is in; the first of `organization.regions` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The bus's name; the protection policy covers names that begin with `break-glass`.
    pub name: String,
}

/// Declares the second way for an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondPath {
    /// The log group that the organization's trail writes to, in the Region of the topic.
    pub log_group: String,
    /// The account it is in: `management`, `emergency` or an account id.
    #[serde(default = "management")]
    pub account: BusAccount,
}

fn management() -> BusAccount {
    BusAccount::Management
}

/// Names a use that raises an alert.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertUse {
    /// A break-glass user signs in to the console.
    Login,
    /// A break-glass role is assumed.
    Assume,
    /// Someone switches to a break-glass role in the console.
    Switch,
    /// A break-glass session does something.
    Activity,
    /// Someone changes break-glass objects or their guards.
    Tamper,
    /// A root user is used.
    Root,
}

impl AlertUse {
    /// The use as specs write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Assume => "assume",
            Self::Switch => "switch",
            Self::Activity => "activity",
            Self::Tamper => "tamper",
            Self::Root => "root",
        }
    }

    /// Lists every use.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::Login,
            Self::Assume,
            Self::Switch,
            Self::Activity,
            Self::Tamper,
            Self::Root,
        ]
    }
}

/// Names a receiver of findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// An SNS topic, by ARN.
    Sns(String),
    /// A web address.
    Webhook(Webhook),
}

/// Describes a web address that findings are posted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The address, which begins with `https://`.
    pub url: String,
    /// The environment variable that holds the key messages are signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_env: Option<String>,
}

/// Names the record of incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Incidents {
    /// A YAML file beside the spec with a list of `{id, opened, closed?, accounts?, roles?, users?, reset_at?}`.
    #[schemars(extend("examples" = ["incidents.yaml"]))]
    pub file: String,
}

/// Names the record of drills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drills {
    /// A YAML file with a list of `{role, account, user, at}`: when each role was last tried with success, by a user
    /// that it trusts.
    #[schemars(extend("examples" = ["drills.yaml"]))]
    pub file: String,
    /// How old the last drill of a role in an account may be; past it the role is work for a person. Any age when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
}

/// Says what `apply` stops at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Safety {
    /// The share of managed objects in the selected accounts that one apply may delete, before it stops at the gate
    /// `removals`.
    #[serde(default = "default_max_removals")]
    pub max_removals: Percent,
    /// With fewer declared users, an apply that deletes a user stops at the gate `lockout`, and `validate` warns.
    #[serde(default = "default_min_users")]
    pub min_users: u32,
}

fn default_max_removals() -> Percent {
    Percent::of(25)
}

fn default_min_users() -> u32 {
    2
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            max_removals: default_max_removals(),
            min_users: default_min_users(),
        }
    }
}

/// Leaves a difference alone until a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// The address, and after a colon the field; both may be globs: `123456789012/iam_role/*:tags.cost-center`.
    #[schemars(extend("examples" = ["123456789012/iam_role/*:tags.cost-center"]))]
    pub r#match: String,
    /// Why it is left alone.
    pub reason: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The last day it is left alone.
    #[serde(with = "date")]
    #[schemars(schema_with = "date_schema")]
    pub expires: Date,
}
