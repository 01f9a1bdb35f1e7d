//! The order of changes: what is needed comes first, removals last.

use super::{Action, Change};
use crate::policy::Access;
use crate::state::ResourceType;

/// Names a stretch of an apply that is over in every account before the next begins in any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wave {
    /// Policies and users, which roles refer to: a trust policy can't name a user that is not there yet.
    Foundations,
    /// Roles, and what policies newly allow them.
    Roles,
    /// Roles that left the spec: in the trust policy of a role, a deleted user turns into an id.
    RoleRemovals,
    /// What else left the spec, when nothing refers to it any more.
    Removals,
}

impl Wave {
    /// Every wave, in order.
    pub const ALL: [Self; 4] = [
        Self::Foundations,
        Self::Roles,
        Self::RoleRemovals,
        Self::Removals,
    ];
}

/// Ranks a change within its account: first by wave, then so that access never exceeds both live state and spec.
#[must_use]
pub fn rank(change: &Change) -> (Wave, u8) {
    let widens = matches!(change.access, Access::Broader | Access::Both);
    match (change.action, change.resource_type) {
        // Taking a password away opens nothing, so it need not wait.
        (_, ResourceType::Credential) => (Wave::Foundations, 0),
        (Action::Delete, ResourceType::IamRole) => (Wave::RoleRemovals, 0),
        (Action::Delete, ResourceType::IamUser) => (Wave::Removals, 0),
        (Action::Delete, ResourceType::IamPolicy) => (Wave::Removals, 1),
        // A policy that comes to allow more waits for the roles that must lose it or stop trusting someone.
        (Action::Update, ResourceType::IamPolicy) if widens => (Wave::Roles, 1),
        (_, ResourceType::IamPolicy) => (Wave::Foundations, 1),
        (_, ResourceType::IamUser) => (Wave::Foundations, 2),
        (_, ResourceType::IamRole) => (Wave::Roles, 0),
    }
}
