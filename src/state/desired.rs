//! Desired state: what an account shall hold, each piece with its place in the spec.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DesiredRoot, MfaRule, Policy, Role, Tags, User};
use crate::ids::Arn;

/// Tells where in the spec something comes from.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The spec file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// Holds what one account shall hold under the managed path.
///
/// A part that is `None` has no section in the spec: it is not compared, so nothing of it is made, changed or deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// Customer managed policies by name.
    pub policies: Option<BTreeMap<String, Wanted<DesiredPolicy>>>,
    /// Users by name.
    pub users: Option<BTreeMap<String, Wanted<DesiredUser>>>,
    /// Roles by name.
    pub roles: Option<BTreeMap<String, Wanted<Role>>>,
    /// What is wanted of its root user; nothing when the spec says nothing of root users.
    pub root: Option<DesiredRoot>,
    /// What is known of the ways into its roles beside their trust policies.
    pub paths: Paths,
    /// Whether the ownership tag may be missing on what the path alone shows to be managed.
    pub ownership_tag_optional: bool,
    /// Policies that stay if they are there: a section that the spec does not have could ask for them.
    pub spared_policies: BTreeSet<String>,
    /// Roles that coverage requires here and that are not among `roles`.
    pub uncovered: BTreeMap<String, Origin>,
}

/// Holds what is known of the ways into roles beside their trust policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// What has failed when a role is needed, by the role's name.
    pub failure_modes: BTreeMap<String, String>,
    /// The users whose MFA devices shall be FIDO devices only, which work in the console only.
    pub fido_only: BTreeSet<Arn>,
}

/// Holds a wanted resource and its place in the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<T> {
    /// What is wanted.
    pub value: T,
    /// Where it is asked for.
    pub origin: Origin,
}

/// Describes a customer managed policy to have, with what is only set when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredPolicy {
    /// What is compared.
    pub policy: Policy,
    /// The description it is made with.
    pub description: String,
    /// The tags it is made with.
    pub tags: Tags,
}

/// Describes a user to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredUser {
    /// What is compared; its access keys are those to expect when they are not `vaulted`: none.
    pub user: User,
    /// Whether it shall have a login profile.
    pub console: bool,
    /// Whether access keys are kept in a vault, so that those there are stay.
    pub vaulted_keys: bool,
    /// Which MFA devices it must have; not checked when absent.
    pub mfa: Option<MfaRule>,
    /// When, by the record of incidents, the credentials were last reset.
    pub reset_at: Option<Timestamp>,
    /// Inline policies that stay as they are: they follow from a section that the spec does not have.
    pub spared_inline_policies: BTreeSet<String>,
}
