//! Drills that are due: roles that nobody has tried for longer than the spec allows.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::change::{Action, Cause, Change, Field, Risk};
use super::diff::AccountContext;
use crate::ids::{AccountId, Arn};
use crate::policy::{Access, CanonicalContext};
use crate::spec::{DrillRecord, Duration, Role, Trusted};
use crate::state::{Address, Desired, Fingerprint, Inventory, ResourceKey, ResourceType};

/// Says how old the last drill of a role may be, and which drills there were.
#[derive(Debug, Clone, Copy)]
pub struct DrillRules<'a> {
    /// The drills that succeeded.
    pub drills: &'a [DrillRecord],
    /// The roles of the spec: a drill by whom a role does not trust shows nothing of it.
    pub roles: &'a [Role],
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
        let last = rules.last(context.id, name);
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
            ignored_by: None,
            fingerprint: Fingerprint::of(Some(&resource), &canonical),
            operations: Vec::new(),
        })
    });
    due.collect()
}

impl DrillRules<'_> {
    /// When a role was last tried; what is said to be yet to come is no drill.
    fn last(&self, account: &AccountId, role: &str) -> Option<Timestamp> {
        let own = self.drills.iter().filter(|drill| {
            drill.role == role
                && drill.account == *account
                && drill.at <= self.now
                && self.trusts(role, &drill.user)
        });
        own.map(|drill| drill.at).max()
    }

    /// Whether a role trusts who is named as in a record, by name, or by ARN as `usage` tells strangers.
    fn trusts(&self, role: &str, who: &str) -> bool {
        let mut own = self.roles.iter().filter(|own| own.name == role);
        own.any(|role| {
            role.trusted.iter().any(|trusted| match trusted {
                Trusted::User(name) => name.eq_ignore_ascii_case(who),
                Trusted::Arn(arn) => {
                    arn.as_str() == who || arn.name() == who || is_session(who, arn)
                }
            })
        })
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

/// Whether an ARN is that of a session of a role.
fn is_session(session: &str, role: &Arn) -> bool {
    let start = format!(":{}:assumed-role/{}/", role.account(), role.name());
    role.resource().starts_with("role/") && session.contains(&start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_drills_by_whom_the_role_trusts_count() {
        let text = r#"{
            "name": "Admin", "accounts": { "include": ["*"] },
            "trusted": ["user:bg-alice", "arn:aws:iam::999999999999:role/ops/Ops"]
        }"#;
        let roles = [serde_json::from_str::<Role>(text).unwrap()];
        let account: AccountId = "111122223333".parse().unwrap();
        let now: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let last = |user: &str| {
            let drills = [DrillRecord {
                role: "Admin".to_owned(),
                account: account.clone(),
                user: user.to_owned(),
                at: now,
            }];
            let rules = DrillRules {
                drills: &drills,
                roles: &roles,
                max_age: Duration::from_seconds(60),
                now,
            };
            rules.last(&account, "Admin")
        };
        for trusted in ["bg-alice", "arn:aws:sts::999999999999:assumed-role/Ops/joe"] {
            assert_eq!(last(trusted), Some(now), "{trusted}");
        }
        for stranger in [
            "bg-bob",
            "arn:aws:sts::999999999999:assumed-role/Op/Ops",
            "",
        ] {
            assert_eq!(last(stranger), None, "{stranger}");
        }
    }
}
