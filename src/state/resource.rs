//! The resources this tool manages, as they stand in IAM or as the spec wants them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{AlertResource, PolicyText, ResourceType};
use crate::ids::{Arn, IamPath};

/// The tag that marks what this tool made or adopted.
pub const OWNERSHIP_TAG: &str = "breakglass:managed";
/// The value of [`OWNERSHIP_TAG`].
pub const OWNERSHIP_VALUE: &str = "true";

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Describes an IAM user, without its login profile, which is a resource of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct User {
    /// The IAM path.
    pub path: IamPath,
    /// Tags, without those that AWS reserves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Tags,
    /// The permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<Arn>,
    /// Attached managed policies.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub managed_policies: BTreeSet<Arn>,
    /// Inline policies by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inline_policies: BTreeMap<String, PolicyText>,
    /// The groups the user is in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// Access key ids, active or not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub access_keys: BTreeSet<String>,
    /// Ids of SSH public keys.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ssh_keys: BTreeSet<String>,
    /// Ids of service-specific credentials.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub service_credentials: BTreeSet<String>,
    /// Ids of signing certificates.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub signing_certificates: BTreeSet<String>,
}

/// Describes an IAM role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Role {
    /// The IAM path.
    pub path: IamPath,
    /// The trust policy: who may assume the role.
    pub trust_policy: PolicyText,
    /// The description; empty when there is none, which AWS does not tell apart.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The longest session, in seconds.
    pub max_session: u32,
    /// Tags, without those that AWS reserves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Tags,
    /// The permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<Arn>,
    /// Attached managed policies.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub managed_policies: BTreeSet<Arn>,
    /// Inline policies by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inline_policies: BTreeMap<String, PolicyText>,
}

/// Describes a customer managed policy: its path and its default version.
///
/// Its tags and description are set when it is made and not compared: no bulk read returns the one, no call
/// changes the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Policy {
    /// The IAM path.
    pub path: IamPath,
    /// The document of the default version.
    pub document: PolicyText,
}

/// Holds one resource of any type; a login profile has nothing that can be read but that it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A customer managed policy.
    Policy(Policy),
    /// A user.
    User(User),
    /// A role.
    Role(Role),
    /// A login profile.
    LoginProfile,
    /// A feature that is on, by which the organization manages root users.
    RootFeature,
    /// A part of the alerts.
    Alert(AlertResource),
}

/// Names a resource within its account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// The type.
    pub resource_type: ResourceType,
    /// The name; for a credential that of its user.
    pub name: String,
}

impl ResourceKey {
    /// Names a resource.
    #[must_use]
    pub fn new(resource_type: ResourceType, name: &str) -> Self {
        Self {
            resource_type,
            name: name.to_owned(),
        }
    }
}

/// Names the user or role that policies, tags and a boundary hang on.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// The user of this name.
    User(String),
    /// The role of this name.
    Role(String),
}

impl Principal {
    /// The key of the user or role itself.
    #[must_use]
    pub fn key(&self) -> ResourceKey {
        match self {
            Self::User(name) => ResourceKey::new(ResourceType::IamUser, name),
            Self::Role(name) => ResourceKey::new(ResourceType::IamRole, name),
        }
    }
}

/// Takes out the tags that AWS sets itself: nobody can write or remove a key that begins with `aws:`.
///
/// Source: IAM User Guide, "Rules for tagging in IAM and AWS STS".
#[must_use]
pub fn own_tags(tags: impl IntoIterator<Item = (String, String)>) -> Tags {
    tags.into_iter()
        .filter(|(key, _)| {
            !key.get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
        })
        .collect()
}

/// Tells whether something is this tool's own: it lies under the managed path, or carries the ownership tag.
#[must_use]
pub fn is_owned(path: &IamPath, tags: &Tags, managed_path: &IamPath) -> bool {
    path.is_under(managed_path)
        || tags
            .get(OWNERSHIP_TAG)
            .is_some_and(|value| value == OWNERSHIP_VALUE)
}
