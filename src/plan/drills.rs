//! Drills that are due: roles that nobody has tried for longer than the spec allows.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::change::{Action, Cause, Change, Field, Risk};
use super::diff::AccountContext;
use crate::policy::{Access, CanonicalContext};
use crate::spec::{DrillRecord, Duration};
use crate::state::{Address, Desired, Fingerprint, Inventory, ResourceKey, ResourceType};

/// Says how old the last drill of a role may be, and which drills there were.
#[derive(Debug, Clone, Copy)]
pub struct DrillRules<'a> {
    /// The drills that succeeded.
    pub drills: &'a [DrillRecord],
    /// How old the last one may be.
    pub max_age: Duration,
    /// The present time.
    pub now: Timestamp,
}

/// Finds the roles of an account whose last drill is too long ago, or that never had one: work for a person.
///
/// A role that is not there, or is about to change, is left out: it is put right first.
#[must_use]
pub fn due_drills(
    context: &AccountContext<'_>,
    desired: &Desired,
    live: &Inventory,
    changes: &[Change],
    rules: &DrillRules<'_>,
) -> Vec<Change> {
    let roles = desired.roles.iter().flatten();
    let due = roles.filter_map(|(name, wanted)| {
        let key = ResourceKey {
            resource_type: ResourceType::IamRole,
            name: name.clone(),
        };
        let address = Address::new(context.id, key.resource_type, name);
        let resource = live.get(&key)?;
        let last = rules.last(context, name);
        if changes.iter().any(|change| change.address == address)
            || last.is_some_and(|last| rules.is_fresh(last))
        {
            return None;
        }
        let canonical = CanonicalContext {
            partition: Some(context.partition.clone()),
        };
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().to_string();
        Some(Change {
            address,
            account: context.id.clone(),
            account_name: context.name.to_owned(),
            resource_type: key.resource_type,
            name: key.name,
            action: Action::Manual,
            risk: Risk::Medium,
            access: Access::None,
            cause: Cause::Live,
            reason: Some(format!(
                "{}: a user tries it, and the drill is added to the record",
                match last {
                    Some(last) => format!("its last drill was on {}", day(last)),
                    None => "it had no drill yet".to_owned(),
                }
            )),
            adoption: false,
            replacement: false,
            source: Some(wanted.origin.clone()),
            fields: vec![Field {
                path: "last_drill".to_owned(),
                live: last.map_or(Value::Null, |last| json!(day(last))),
                spec: json!(format!("at most {} ago", rules.max_age)),
                access: Access::None,
                witness: None,
            }],
            blocked: None,
            steps: Vec::new(),
            fingerprint: Fingerprint::of(Some(&resource), &canonical),
            operations: Vec::new(),
        })
    });
    due.collect()
}

impl DrillRules<'_> {
    /// When a role was last tried; what is said to be yet to come is no drill.
    fn last(&self, context: &AccountContext<'_>, role: &str) -> Option<Timestamp> {
        let own = self.drills.iter().filter(|drill| {
            drill.role == role && drill.account == *context.id && drill.at <= self.now
        });
        own.map(|drill| drill.at).max()
    }

    fn is_fresh(&self, at: Timestamp) -> bool {
        let oldest = i64::try_from(self.max_age.seconds())
            .ok()
            .and_then(|seconds| {
                self.now
                    .checked_sub(SignedDuration::from_secs(seconds))
                    .ok()
            });
        oldest.is_none_or(|oldest| at >= oldest)
    }
}
