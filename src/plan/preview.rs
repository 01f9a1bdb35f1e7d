//! What a plan leads to: its operations, applied to live state by the model of IAM.

use super::order::{Part, Wave, schedule};
use super::{Change, Plan, Staleness};
use crate::ids::AccountId;
use crate::policy::CanonicalContext;
use crate::state::{Fingerprint, Inventory, ResourceKey};

impl Plan {
    /// Changes what was read of an account to what it is after this plan, in the order of an apply.
    ///
    /// As in an apply, what is at its target already stays, and what is half way goes on from there.
    ///
    /// # Errors
    /// When live state is no longer what the plan was made from.
    pub fn apply_to(
        &self,
        account: &AccountId,
        live: &mut Inventory,
        context: &CanonicalContext,
    ) -> Result<(), Staleness> {
        let moved = |change: &Change| Staleness::Moved(change.address.clone());
        let mut parts: Vec<(Wave, u8, usize, &Change, Part)> = Vec::new();
        // Whoever has not read the alerts does not ask what becomes of them.
        let with_alerts = live.alerts.is_some();
        let changes = self.changes.iter();
        for change in changes.filter(|change| change.account == *account) {
            let unasked = change.resource_type.is_alert() && !with_alerts;
            if unasked || change.operations.is_empty() {
                continue;
            }
            let key = ResourceKey::new(change.resource_type, &change.name);
            let now = Fingerprint::of(live.get(&key).as_ref(), context);
            let passed = change.operations.iter().rposition(|step| step.then == now);
            let done = match passed {
                Some(index) => index + 1,
                None if now == change.fingerprint => 0,
                None => return Err(moved(change)),
            };
            for part in schedule(change) {
                parts.push((part.wave, part.turn, done, change, part));
            }
        }
        parts.sort_by_key(|(wave, turn, ..)| (*wave, *turn));
        for (_, _, done, change, part) in parts {
            let steps = change.operations.iter().enumerate();
            for (index, step) in steps.filter(|(index, _)| part.steps.contains(index)) {
                if index >= done {
                    let applied = live.apply(&step.operation);
                    applied.map_err(|_| moved(change))?;
                }
            }
        }
        Ok(())
    }
}
