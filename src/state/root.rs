//! Root users: what protects them, and what the organization manages of them centrally.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Origin;
use crate::ids::AccountId;

/// Tells what is read of root users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootScope {
    /// The management account, where the organization's features are read.
    pub management: AccountId,
    /// Whether they are.
    pub features: bool,
    /// Whether the root user of each account is looked at.
    pub users: bool,
}

/// Holds what was read of an account's root user; what was not asked for is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RootAccess {
    /// The root user's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<RootCredentials>,
    /// What the organization manages of its root users; only in the management account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<BTreeSet<RootFeature>>,
}

/// Describes the credentials of a root user, as far as AWS tells them.
///
/// Source: IAM API reference, `GetAccountSummary` and `ListVirtualMFADevices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RootCredentials {
    /// Whether it has an MFA device.
    pub mfa: bool,
    /// Whether one of its devices is virtual; what others are can't be read. Absent where it isn't asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_mfa: Option<bool>,
    /// Whether it has access keys.
    pub access_keys: bool,
    /// Whether it has signing certificates.
    pub signing_certificates: bool,
    /// Whether it has a password; absent where AWS doesn't tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<bool>,
}

/// Names a feature by which an organization manages the root users of its members.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RootFeature {
    /// Their credentials can be removed, and kept from coming back.
    CredentialsManagement,
    /// Short sessions for the few tasks that only a root user can do.
    RootSessions,
}

impl RootFeature {
    /// Every feature.
    pub const ALL: [Self; 2] = [Self::CredentialsManagement, Self::RootSessions];

    /// The feature as addresses and specs write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CredentialsManagement => "credentials_management",
            Self::RootSessions => "root_sessions",
        }
    }
}

/// Says what is wanted of an account's root user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredRoot {
    /// Where the spec asks for it.
    pub origin: Origin,
    /// The features and whether each shall be on; only in the management account.
    pub features: Vec<(RootFeature, bool)>,
    /// Whether this is the management account, whose root user can't be managed centrally.
    pub management: bool,
    /// Whether a root user that can sign in must have MFA.
    pub mfa: bool,
    /// Whether a member's root user shall have no credentials.
    pub no_credentials: bool,
}
