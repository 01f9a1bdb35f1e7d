//! Operations on guardrails: single intents towards AWS Organizations.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::GuardrailKind;
use crate::state::{PolicyText, Tags};

/// States one change to the guardrails, with everything that is needed to carry it out.
///
/// [`Guardrails::apply`](super::Guardrails::apply) is the model of what each does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GuardrailOperation {
    /// Creates a policy that is attached to nothing. AWS assigns its id.
    CreatePolicy {
        /// The policy's name.
        name: String,
        /// Its description; empty for none.
        description: String,
        /// Its kind, which can't be changed later.
        kind: GuardrailKind,
        /// Its document.
        document: PolicyText,
        /// Its tags.
        tags: Tags,
    },
    /// Replaces a policy's document, at once and wherever it is attached. Its name and description stay.
    UpdatePolicy {
        /// The policy.
        policy: PolicyReference,
        /// The new document.
        document: PolicyText,
    },
    /// Deletes a policy that is attached to nothing.
    DeletePolicy {
        /// The policy.
        policy: PolicyReference,
    },
    /// Attaches a policy.
    Attach {
        /// The policy.
        policy: PolicyReference,
        /// The root (`r-…`), unit (`ou-…`) or account.
        target: String,
    },
    /// Detaches a policy.
    Detach {
        /// The policy.
        policy: PolicyReference,
        /// The root (`r-…`), unit (`ou-…`) or account.
        target: String,
    },
    /// Sets tags of a policy, leaving the others.
    Tag {
        /// The policy.
        policy: PolicyReference,
        /// The tags.
        tags: Tags,
    },
    /// Removes tags of a policy.
    Untag {
        /// The policy.
        policy: PolicyReference,
        /// Their keys.
        keys: BTreeSet<String>,
    },
}

/// Names a policy by its id or by its name, under which a plan can also speak of a policy that is yet to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PolicyReference {
    /// By the id that AWS has given it, `p-…`.
    Id(String),
    /// By its kind and name.
    Named {
        /// The kind.
        kind: GuardrailKind,
        /// The name.
        name: String,
    },
}

impl PolicyReference {
    /// The id or the name.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Named { kind: _, name } => name,
        }
    }
}

impl fmt::Display for PolicyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.write_str(id),
            Self::Named { kind, name } => write!(f, "{kind} {name}"),
        }
    }
}

impl GuardrailOperation {
    /// The policy that it makes or changes.
    #[must_use]
    pub fn policy(&self) -> PolicyReference {
        match self {
            Self::CreatePolicy { kind, name, .. } => PolicyReference::Named {
                kind: *kind,
                name: name.clone(),
            },
            Self::UpdatePolicy { policy, .. }
            | Self::DeletePolicy { policy }
            | Self::Attach { policy, .. }
            | Self::Detach { policy, .. }
            | Self::Tag { policy, .. }
            | Self::Untag { policy, .. } => policy.clone(),
        }
    }

    /// The action that carries it out, such as `organizations:AttachPolicy`.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::CreatePolicy { .. } => "organizations:CreatePolicy",
            Self::UpdatePolicy { .. } => "organizations:UpdatePolicy",
            Self::DeletePolicy { .. } => "organizations:DeletePolicy",
            Self::Attach { .. } => "organizations:AttachPolicy",
            Self::Detach { .. } => "organizations:DetachPolicy",
            Self::Tag { .. } => "organizations:TagResource",
            Self::Untag { .. } => "organizations:UntagResource",
        }
    }
}
