//! The policies that take part in a decision.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::policy::document::{Document, Effect};

/// Holds a policy of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// Its document.
    Known(Arc<Document>),
    /// It is there but could not be read; what it says is unknown, never nothing.
    Unknown,
}

impl From<Document> for Policy {
    fn from(document: Document) -> Self {
        Self::Known(Arc::new(document))
    }
}

/// Holds the policies around a request. A layer without any policy does not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layers {
    /// All policies attached to the caller, inline ones and those of groups included. Without any, a caller other than the
    /// root user is allowed nothing by them.
    pub identity_policies: Vec<Policy>,
    /// The permissions boundary. There can be one; of several, what only some allow is unknown.
    pub permission_boundary: Vec<Policy>,
    /// The policies passed when the session was made; they allow what one of them does.
    pub session_policy: Vec<Policy>,
    /// The policy of the resource; of a role, its trust policy.
    pub resource_policy: Option<Policy>,
    /// The SCPs of the caller's account, by level from the root of the organization to the account.
    pub service_control_policies: Vec<Vec<Policy>>,
    /// The RCPs of the resource's account, by level likewise. RCPFullAWSAccess may be left out.
    pub resource_control_policies: Vec<Vec<Policy>>,
}

/// Names a layer, by its field of a request line.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LayerName {
    /// Identity policies.
    IdentityPolicies,
    /// The permissions boundary.
    PermissionBoundary,
    /// Session policies.
    SessionPolicy,
    /// The policy of the resource.
    ResourcePolicy,
    /// Service control policies.
    ServiceControlPolicies,
    /// Resource control policies.
    ResourceControlPolicies,
}

impl LayerName {
    /// The name as a request line has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IdentityPolicies => "identity_policies",
            Self::PermissionBoundary => "permission_boundary",
            Self::SessionPolicy => "session_policy",
            Self::ResourcePolicy => "resource_policy",
            Self::ServiceControlPolicies => "service_control_policies",
            Self::ResourceControlPolicies => "resource_control_policies",
        }
    }
}

/// Places a policy: its layer, its level there, and which of the level's policies it is, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) layer: LayerName,
    pub(super) level: Option<usize>,
    pub(super) policy: usize,
}

impl fmt::Display for Place {
    /// Writes `service_control_policies level 1 policy 2`, counted from 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.layer.as_str())?;
        if let Some(level) = self.level {
            write!(f, " level {}", level + 1)?;
        }
        write!(f, " policy {}", self.policy + 1)
    }
}

impl Layers {
    /// Lists the policies with their places, in the order of the fields.
    pub(super) fn policies(&self) -> impl Iterator<Item = (Place, &Policy)> {
        use LayerName as Layer;
        let flat = |layer, policies| level(layer, None, policies);
        let scps = self.service_control_policies.iter().enumerate();
        let rcps = self.resource_control_policies.iter().enumerate();
        flat(Layer::IdentityPolicies, &self.identity_policies)
            .chain(flat(Layer::PermissionBoundary, &self.permission_boundary))
            .chain(flat(Layer::SessionPolicy, &self.session_policy))
            .chain(flat(Layer::ResourcePolicy, self.resource_policy.as_slice()))
            .chain(scps.flat_map(|(index, policies)| {
                level(Layer::ServiceControlPolicies, Some(index), policies)
            }))
            .chain(rcps.flat_map(|(index, policies)| {
                level(Layer::ResourceControlPolicies, Some(index), policies)
            }))
    }
}

fn level(
    layer: LayerName,
    level: Option<usize>,
    policies: &[Policy],
) -> impl Iterator<Item = (Place, &Policy)> {
    policies.iter().enumerate().map(move |(policy, document)| {
        let place = Place {
            layer,
            level,
            policy,
        };
        (place, document)
    })
}

/// Says why AWS would not have a document where it stands, if it would not: then nothing is known of the policy.
///
/// Only what would change an answer is looked at; [`lint`](crate::policy::lint) finds more. An RCP without `Principal` is
/// read as one about everyone, which is all that AWS accepts there.
pub(super) fn defect(document: &Document, layer: LayerName, facts: &Facts<'_>) -> Option<String> {
    document
        .statements
        .iter()
        .enumerate()
        .find_map(|(index, statement)| {
            let principals = statement.principals.as_ref();
            let negated = principals.is_some_and(|principals| principals.is_negated());
            let no_resource = statement.resources.is_none();
            let element = if negated { "NotPrincipal" } else { "Principal" };
            let problem = match layer {
                LayerName::IdentityPolicies
                | LayerName::PermissionBoundary
                | LayerName::SessionPolicy
                | LayerName::ServiceControlPolicies => {
                    if principals.is_some() {
                        format!("{element} is not allowed in {}", layer.as_str())
                    } else if no_resource {
                        "Resource or NotResource is missing".to_owned()
                    } else {
                        return None;
                    }
                }
                LayerName::ResourcePolicy => match principals {
                    None => "Principal is missing".to_owned(),
                    Some(_) if negated && facts.on_role => {
                        "NotPrincipal is not allowed in a trust policy".to_owned()
                    }
                    Some(_) => return None,
                },
                LayerName::ResourceControlPolicies => {
                    if negated && statement.effect == Effect::Deny {
                        "NotPrincipal is not allowed in an RCP".to_owned()
                    } else {
                        return None;
                    }
                }
            };
            Some(format!("{problem} (statement {})", index + 1))
        })
}
