//! Changes: what a plan consists of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ignore::IgnoreRule;
use crate::ids::AccountId;
use crate::policy::Access;
use crate::state::{Address, EVENTS_ROLE, Fingerprint, Operation, Origin, ResourceType};

/// Describes how one resource differs from the spec, and what makes it what the spec says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// `ACCOUNT/TYPE/NAME`.
    pub address: Address,
    /// The account's id.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// The resource's type.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// The resource's name.
    pub name: String,
    /// What becomes of the resource.
    pub action: Action,
    /// How dangerous the difference is, whichever of the two sides is wrong.
    pub risk: Risk,
    /// How access changes when the resource becomes what the spec says.
    pub access: Access,
    /// Whether the spec's present change causes this, or it is so already.
    pub cause: Cause,
    /// What a person should know, in a sentence; nothing is decided by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a person has to do, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// Whether the resource is not managed yet, so that the change takes it over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adoption: bool,
    /// Whether the resource is deleted and made again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replacement: bool,
    /// Where the spec asks for it; absent for what left the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Origin>,
    /// The fields that differ.
    pub fields: Vec<Field>,
    /// What keeps this tool from carrying the change out, with the way to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
    /// The rule by which the difference is left alone; such a change is never carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored_by: Option<IgnoreRule>,
    /// The state the resource was planned from.
    pub fingerprint: Fingerprint,
    /// What is carried out, in order.
    pub operations: Vec<Step>,
}

impl Change {
    /// The state the resource is in once every operation is done.
    #[must_use]
    pub fn target(&self) -> &Fingerprint {
        self.operations
            .last()
            .map_or(&self.fingerprint, |step| &step.then)
    }

    /// Tells whether it makes a user or a role that somebody can use; the role that alerts are sent with is none.
    #[must_use]
    pub fn makes_access(&self) -> bool {
        self.action == Action::Create
            && [ResourceType::IamUser, ResourceType::IamRole].contains(&self.resource_type)
            && self.name != EVENTS_ROLE
    }

    /// Keeps this tool from carrying it out.
    pub(super) fn block(&mut self, why: &str) {
        self.blocked.get_or_insert_with(|| why.to_owned());
        self.operations.clear();
    }
}

/// States one operation of a change and the state it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The operation.
    pub operation: Operation,
    /// Whether it only takes access away, so that it is carried out before anything gives access.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restricts: bool,
    /// The resource's fingerprint after it.
    pub then: Fingerprint,
}

/// Tells what becomes of a resource.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed in place, or replaced where IAM can't change it in place, which `reason` then says.
    Update,
    /// It is deleted.
    Delete,
    /// Only a person can do it.
    Manual,
}

/// Tells how dangerous a difference is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Labels and descriptions.
    Low,
    /// Limits, new objects, things a person has to do.
    Medium,
    /// Permissions, removals, adoptions.
    High,
    /// Who may become a break-glass principal, or whether that needs MFA.
    Critical,
}

/// Tells why a change is in a plan.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The spec's present change asks for it.
    Spec,
    /// The live state differs, whatever the spec's last change was.
    Live,
}

/// Names a resource whose documents differ from the spec's in names without effect, a Sid or an Id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cosmetic {
    /// `ACCOUNT/TYPE/NAME`.
    pub address: Address,
    /// The fields with the documents.
    pub fields: Vec<String>,
}

/// Shows one field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The field, such as `trust_policy`, `tags.owner` or `inline_policies.deny-tamper`.
    pub path: String,
    /// What AWS holds; null for nothing.
    pub live: Value,
    /// What the spec says; null for nothing.
    pub spec: Value,
    /// How access changes when this field becomes what the spec says.
    #[serde(default, skip_serializing_if = "Access::is_none")]
    pub access: Access,
    /// One request whose answer differs, with the live answer and then the spec's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
}
