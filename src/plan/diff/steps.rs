//! The order of operations within one change: at no moment does anyone have more than live state or spec gives.

use crate::plan::Step;
use crate::policy::{CanonicalContext, Effect};
use crate::state::{Fingerprint, Inventory, ModelError, Operation, PolicyText, ResourceKey};

/// Ranks an operation: what takes access away comes first, what guards comes before what grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The object is made, with its final trust policy and boundary and no permissions.
    Create,
    /// Credentials and group memberships go.
    Credentials,
    /// Policies that only allow go; documents and trust become narrower.
    Narrow,
    /// Policies that allow and deny go.
    NarrowGuarded,
    /// Policies that only deny come.
    Deny,
    /// The boundary is set.
    Bound,
    /// The trust policy turns from some to wholly others.
    Swap,
    /// Policies that deny too come.
    GrantGuarded,
    /// Policies that only allow come.
    Grant,
    /// Policies that only deny, and the boundary, go.
    Release,
    /// The trust policy opens: whoever comes in finds what the spec says.
    Trust,
    /// Tags, description, session length.
    Label,
    /// The object goes.
    Delete,
}

impl Stage {
    /// Tells whether what is done here only takes access away from what there is.
    fn restricts(self) -> bool {
        matches!(
            self,
            Self::Credentials | Self::Narrow | Self::NarrowGuarded | Self::Deny | Self::Bound
        )
    }
}

/// Tells what statements of a document do, as far as order needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effects {
    pub(super) allows: bool,
    pub(super) denies: bool,
}

impl Effects {
    /// What a policy is held to do whose document is not known here: one of AWS's own, which only allow.
    pub(super) const ALLOWS: Self = Self {
        allows: true,
        denies: false,
    };

    pub(super) fn of(text: &PolicyText) -> Self {
        let Ok(document) = text.parse() else {
            return Self {
                allows: true,
                denies: true,
            };
        };
        let has = |effect: Effect| {
            document
                .statements
                .iter()
                .any(|statement| statement.effect == effect)
        };
        Self {
            allows: has(Effect::Allow),
            denies: has(Effect::Deny),
        }
    }

    /// When a policy with these effects comes.
    pub(super) fn arrival(self) -> Stage {
        match (self.allows, self.denies) {
            (true, true) => Stage::GrantGuarded,
            (true, false) => Stage::Grant,
            (false, _) => Stage::Deny,
        }
    }

    /// When a policy with these effects goes.
    pub(super) fn departure(self) -> Stage {
        match (self.allows, self.denies) {
            (true, true) => Stage::NarrowGuarded,
            (true, false) => Stage::Narrow,
            (false, _) => Stage::Release,
        }
    }
}

/// Finds the state that each operation leads to, starting from an inventory that holds the resource alone.
///
/// # Errors
/// When the model refuses an operation, which means that the planner is wrong.
pub(super) fn sequence(
    key: &ResourceKey,
    mut inventory: Inventory,
    operations: Vec<(Stage, Operation)>,
    context: &CanonicalContext,
) -> Result<Vec<Step>, ModelError> {
    operations
        .into_iter()
        .map(|(stage, operation)| {
            inventory.apply(&operation)?;
            Ok(Step {
                operation,
                restricts: stage.restricts(),
                then: Fingerprint::of(inventory.get(key).as_ref(), context),
            })
        })
        .collect()
}
