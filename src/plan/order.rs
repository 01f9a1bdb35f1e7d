//! The order of changes: what is needed comes first, what takes access away before what gives it, removals last.

use std::ops::Range;

use super::{Action, Change};
use crate::policy::Access;
use crate::state::{EVENTS_ROLE, GuardrailOperation, Operation, ResourceType};

/// Names a stretch of an apply that is over in every account before the next begins in any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wave {
    /// Guardrails come to let break-glass principals and this tool through, before anything that they might stop.
    Guardrails,
    /// What alerts go through is made: the bus, the topic, the alarm, the roles that rules send with.
    AlertPaths,
    /// Alert rules come, before the access that they watch.
    Alerts,
    /// Policies and users that others refer to are made; policies and passwords that only lose go first too.
    Foundations,
    /// Users and roles lose what is too much: what they keep is both live and in the spec.
    Restrictions,
    /// Policies come to allow more, now that only those have them who shall.
    Policies,
    /// Roles are made, and get what is missing.
    Roles,
    /// Users get what is missing: the roles they come to assume are there.
    Users,
    /// The guardrail that protects all of this comes, when whom it might stop is let through.
    NewGuardrails,
    /// Roles that left the spec go: in the trust policy of a role, a deleted user turns into an id.
    RoleRemovals,
    /// What else left the spec goes, when nothing refers to it any more.
    Removals,
    /// Guardrails no longer let through who shall not be.
    GuardrailRemovals,
    /// Alert rules go, after the access that they watched.
    AlertRemovals,
}

impl Wave {
    /// Every wave, in order.
    pub const ALL: [Self; 13] = [
        Self::Guardrails,
        Self::AlertPaths,
        Self::Alerts,
        Self::Foundations,
        Self::Restrictions,
        Self::Policies,
        Self::Roles,
        Self::Users,
        Self::NewGuardrails,
        Self::RoleRemovals,
        Self::Removals,
        Self::GuardrailRemovals,
        Self::AlertRemovals,
    ];

    /// Tells whether guardrails are changed in it: one after the other, because each document rests on those before it.
    #[must_use]
    pub fn is_of_guardrails(self) -> bool {
        match self {
            Self::Guardrails | Self::NewGuardrails | Self::GuardrailRemovals => true,
            Self::AlertPaths
            | Self::Alerts
            | Self::AlertRemovals
            | Self::Foundations
            | Self::Restrictions
            | Self::Policies
            | Self::Roles
            | Self::Users
            | Self::RoleRemovals
            | Self::Removals => false,
        }
    }
}

/// Says when a stretch of a change's operations has its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The wave.
    pub wave: Wave,
    /// The turn within an account's share of the wave; what has the same one does not depend on each other.
    pub turn: u8,
    /// Which of the change's operations.
    pub steps: Range<usize>,
}

/// Divides a change into the parts that are carried out in different waves, in order; none when it has no operations.
#[must_use]
pub fn schedule(change: &Change) -> Vec<Part> {
    let all = change.operations.len();
    let restricting = change
        .operations
        .iter()
        .take_while(|step| step.restricts)
        .count();
    let part = |wave, turn, steps| Part { wave, turn, steps };
    let widens = matches!(change.access, Access::Broader | Access::Both);
    let events_role = change.name == EVENTS_ROLE;
    let parts = match (change.action, change.resource_type) {
        (Action::Delete, ResourceType::AlertRule) => vec![part(Wave::AlertRemovals, 0, 0..all)],
        (Action::Delete, ResourceType::IamRole) if events_role => {
            vec![part(Wave::AlertRemovals, 1, 0..all)]
        }
        (_, ResourceType::AlertRule) => vec![part(Wave::Alerts, 0, 0..all)],
        (_, ResourceType::IamRole) if events_role => vec![part(Wave::AlertPaths, 0, 0..all)],
        (
            _,
            ResourceType::AlertBus
            | ResourceType::AlertTopic
            | ResourceType::MetricAlarm
            | ResourceType::Trail,
        ) => vec![part(Wave::AlertPaths, 1, 0..all)],
        // By what is done, and not by how it is told: each document rests on those before it.
        (_, ResourceType::GuardrailException) if restricting == 0 => {
            vec![part(Wave::Guardrails, 0, 0..all)]
        }
        (_, ResourceType::GuardrailException) => {
            vec![part(Wave::GuardrailRemovals, 0, 0..all)]
        }
        (Action::Delete, ResourceType::GuardrailPolicy) => {
            vec![part(Wave::GuardrailRemovals, 0, 0..all)]
        }
        (_, ResourceType::GuardrailPolicy) => {
            let steps = change.operations.iter();
            let rewriting = steps
                .clone()
                .take_while(|step| rewrites(&step.operation))
                .count();
            let kept = steps.take_while(|step| !detaches(&step.operation)).count();
            vec![
                part(Wave::Guardrails, 0, 0..rewriting),
                part(Wave::NewGuardrails, 0, rewriting..kept),
                part(Wave::GuardrailRemovals, 0, kept..all),
            ]
        }
        (_, ResourceType::Credential | ResourceType::MfaDevice | ResourceType::RootAccess) => {
            vec![part(Wave::Foundations, 0, 0..all)]
        }
        (Action::Delete, ResourceType::IamRole) => vec![part(Wave::RoleRemovals, 0, 0..all)],
        (Action::Delete, ResourceType::IamUser) => vec![part(Wave::Removals, 0, 0..all)],
        (Action::Delete, ResourceType::IamPolicy) => vec![part(Wave::Removals, 1, 0..all)],
        (Action::Update, ResourceType::IamPolicy) if widens => {
            vec![part(Wave::Policies, 0, 0..all)]
        }
        (_, ResourceType::IamPolicy) => vec![part(Wave::Foundations, 1, 0..all)],
        (Action::Update, ResourceType::IamUser) => vec![
            part(Wave::Restrictions, 0, 0..restricting),
            part(Wave::Users, 0, restricting..all),
        ],
        (_, ResourceType::IamUser) => vec![part(Wave::Foundations, 2, 0..all)],
        (Action::Update, ResourceType::IamRole) => vec![
            part(Wave::Restrictions, 1, 0..restricting),
            part(Wave::Roles, 0, restricting..all),
        ],
        (_, ResourceType::IamRole) => vec![part(Wave::Roles, 0, 0..all)],
    };
    parts
        .into_iter()
        .filter(|part| !part.steps.is_empty())
        .collect()
}

/// Tells whether an operation changes a guardrail where it is already attached.
fn rewrites(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::ChangeGuardrail(
            GuardrailOperation::UpdatePolicy { .. }
                | GuardrailOperation::Tag { .. }
                | GuardrailOperation::Untag { .. }
        )
    )
}

/// Tells whether an operation takes a guardrail away from somewhere.
fn detaches(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::ChangeGuardrail(GuardrailOperation::Detach { .. })
    )
}
