//! Guardrails: the service control policies (SCPs) and resource control policies (RCPs) of an organization.
//!
//! They bound what the accounts below can do: an SCP must allow a call at every level from the root to the account of
//! the caller, an RCP at every level to the account of the resource, and a Deny at any level wins. Neither binds the
//! management account or service-linked roles.
//!
//! Sources: AWS Organizations User Guide, "SCP evaluation" and "RCP evaluation".

mod exception;
mod model;
mod operation;
mod protection;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{PolicyText, Tags};
use crate::org::Organization;
use crate::policy::{DocumentKind, Limits};

pub use exception::{
    DesiredException, DesiredGuardrails, ExceptedRole, ExceptedUser, Exemption, ExemptionEdit,
};
pub use model::GuardrailError;
pub use operation::{GuardrailOperation, PolicyReference};
pub use protection::{DesiredProtection, protection};

/// Holds the guardrails of an organization: every SCP and RCP, and where each is attached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Guardrails {
    /// The kinds that are enabled in the root. No other kind binds anything, and nothing of it is held here.
    ///
    /// Source: Organizations API reference, `Root.PolicyTypes`.
    pub enabled: BTreeSet<GuardrailKind>,
    /// The policies of the enabled kinds by id (`p-…`), attached anywhere or not.
    pub policies: BTreeMap<String, GuardrailPolicy>,
}

/// Tells the two kinds of guardrails apart.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GuardrailKind {
    /// A service control policy: bounds what the principals of an account can do.
    Scp,
    /// A resource control policy: bounds what can be done to the resources of an account, whoever does it.
    Rcp,
}

impl GuardrailKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Scp, Self::Rcp];

    /// The most characters that a document of this kind may have, counted by
    /// [`organizations_size`](crate::policy::organizations_size).
    #[must_use]
    pub fn size_limit(self) -> usize {
        match self {
            Self::Scp => Limits::DOCUMENTED.scp,
            Self::Rcp => Limits::DOCUMENTED.rcp,
        }
    }

    /// The most policies of this kind that can be attached to one root, unit or account, AWS's own counted in.
    ///
    /// Source: "Quotas and service limits for AWS Organizations", since 2026-05-15.
    #[must_use]
    pub fn attachment_limit(self) -> usize {
        match self {
            Self::Scp => 10,
            Self::Rcp => 5,
        }
    }

    /// What AWS accepts in a document of this kind.
    #[must_use]
    pub fn document_kind(self) -> DocumentKind {
        match self {
            Self::Scp => DocumentKind::Scp,
            Self::Rcp => DocumentKind::Rcp,
        }
    }
}

impl fmt::Display for GuardrailKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scp => "SCP",
            Self::Rcp => "RCP",
        })
    }
}

/// Describes an SCP or an RCP.
///
/// Source: Organizations API reference, `Policy` and `PolicySummary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GuardrailPolicy {
    /// The name, unique among the policies of its kind.
    pub name: String,
    /// The description; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The kind.
    pub kind: GuardrailKind,
    /// Whether it is AWS's own, which can be attached but not changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aws_managed: bool,
    /// The document.
    pub document: PolicyText,
    /// The tags, those that AWS reserves among them; none are read of AWS's own policies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Tags,
    /// What it is attached to itself: the root (`r-…`), units (`ou-…`) and accounts (12 digits).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub targets: BTreeSet<String>,
}

/// Holds what is attached to one node on the way from the root to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardrailLevel<'a> {
    /// The root (`r-…`), unit (`ou-…`) or account.
    pub node: &'a str,
    /// The policies of one kind that are attached to it, by id.
    pub policies: BTreeMap<&'a str, &'a GuardrailPolicy>,
}

impl Guardrails {
    /// Iterates over the policies of a kind that are attached to a node itself, by id.
    pub fn attached<'a>(
        &'a self,
        node: &str,
        kind: GuardrailKind,
    ) -> impl Iterator<Item = (&'a str, &'a GuardrailPolicy)> {
        self.policies
            .iter()
            .filter(move |(_, policy)| policy.kind == kind && policy.targets.contains(node))
            .map(|(id, policy)| (id.as_str(), policy))
    }

    /// Lists the levels from the root to a node, the root first, with the policies of a kind attached at each.
    ///
    /// The node is an account, a unit or the root. `None` when the organization has no such node or no way to it from
    /// the root, see [`Organization::levels`]. Where the kind is not enabled, every level is without a policy, and
    /// nothing is bound.
    #[must_use]
    pub fn levels<'a>(
        &'a self,
        organization: &'a Organization,
        node: &'a str,
        kind: GuardrailKind,
    ) -> Option<Vec<GuardrailLevel<'a>>> {
        let levels = organization.levels(node)?.into_iter();
        let levels = levels.map(|node| GuardrailLevel {
            node,
            policies: self.attached(node, kind).collect(),
        });
        Some(levels.collect())
    }

    /// Finds a policy by its kind and name, and gives it with its id.
    #[must_use]
    pub fn named(&self, kind: GuardrailKind, name: &str) -> Option<(&str, &GuardrailPolicy)> {
        self.policies
            .iter()
            .find(|(_, policy)| policy.kind == kind && policy.name == name)
            .map(|(id, policy)| (id.as_str(), policy))
    }
}
