//! What comes out: the decision, and what it rests on.

use serde::Serialize;

use super::layers::LayerName;

/// Says what becomes of a request.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is allowed.
    Allowed,
    /// A Deny statement applies to it.
    ExplicitDeny,
    /// Nothing denies it, but what must allow it does not.
    ImplicitDeny,
    /// It cannot be told: a policy or a condition key is not known, and it matters.
    Unknown,
}

impl Decision {
    /// The word as a response line has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ExplicitDeny => "explicit_deny",
            Self::ImplicitDeny => "implicit_deny",
            Self::Unknown => "unknown",
        }
    }
}

/// Names a statement that took part in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct StatementRef {
    /// Its layer.
    pub layer: LayerName,
    /// Its level from the root of the organization, counted from 1; only of SCPs and RCPs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// Which policy of the layer or level, counted from 1.
    pub policy: usize,
    /// Which statement of the policy, counted from 1.
    pub statement: usize,
    /// Its name, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// `Allow` or `Deny`.
    pub effect: &'static str,
}

/// Holds a decision and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The decision.
    pub decision: Decision,
    /// Whether the request is allowed, where that is certain: a request can be denied for certain although it is not known
    /// whether explicitly, for which the decision is [`Decision::Unknown`].
    pub allowed: Option<bool>,
    /// The layers that stand in the way, by name; of an unknown decision also `context key KEY` for each key that matters.
    /// Empty when allowed.
    pub blocked_by: Vec<String>,
    /// The statements that decide: of an allowed request those that allow it, of an explicit deny those that deny it, of an
    /// unknown decision those that may apply; of an implicit deny none.
    pub statements: Vec<StatementRef>,
    /// The levels of SCPs, counted from 1 at the root, of which no statement allows it; only of what is not allowed.
    pub lacking_levels: Vec<usize>,
    /// The same in sentences for people.
    pub reasons: Vec<String>,
}
