//! How long to wait for IAM to become consistent.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cloud::aws::error::Failure;
use crate::cloud::aws::root;
use crate::ids::{AccountId, Arn};
use crate::state::{AlertOperation, Operation, ResourceKey, ResourceType};

/// For a principal, or a role that a service is to take, that this process has made: AWS says "up to about a minute".
const NEW_PRINCIPAL: Duration = Duration::from_secs(90);
/// For a principal, or a role that a service is to take, that something else may have made just now.
const UNKNOWN_PRINCIPAL: Duration = Duration::from_secs(15);
/// For something that this process has made and that is not found yet.
const NEW_OBJECT: Duration = Duration::from_secs(20);
/// For another change to the same object to end.
const BUSY_OBJECT: Duration = Duration::from_secs(20);
/// For the removal of what hung on an object to be seen everywhere.
const STILL_IN_USE: Duration = Duration::from_secs(5);

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Remembers what this process has made, in any account.
#[derive(Debug, Default)]
pub(in crate::cloud::aws) struct Created(Mutex<BTreeSet<Arn>>);

impl Created {
    /// Remembers one thing.
    pub(super) fn remember(&self, arn: Arn) {
        let mut arns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        arns.insert(arn);
    }

    fn any(&self, matches: impl FnMut(&Arn) -> bool) -> bool {
        let arns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        arns.iter().any(matches)
    }

    fn holds(&self, account: &AccountId, key: &ResourceKey) -> bool {
        let kind = match key.resource_type {
            ResourceType::IamPolicy => "policy/",
            ResourceType::IamUser | ResourceType::Credential => "user/",
            ResourceType::IamRole => "role/",
            ResourceType::MfaDevice
            | ResourceType::RootAccess
            | ResourceType::GuardrailException
            | ResourceType::GuardrailPolicy
            | ResourceType::AlertRule
            | ResourceType::AlertTopic
            | ResourceType::AlertBus
            | ResourceType::MetricAlarm
            | ResourceType::Trail => return false,
        };
        self.any(|arn| {
            arn.account() == account.as_str()
                && arn.resource().starts_with(kind)
                && arn.name() == key.name
        })
    }
}

/// Tells for how long in all a failure is worth waiting out; not at all for most.
pub(super) fn limit(
    operation: &Operation,
    account: &AccountId,
    failure: &Failure,
    created: &Created,
) -> Duration {
    if is_invalid_principal(failure) {
        let document = match operation {
            Operation::CreateRole { trust_policy, .. } => trust_policy.as_str(),
            Operation::SetTrustPolicy { document, .. } => document.as_str(),
            _ => return Duration::ZERO,
        };
        return if created.any(|arn| document.contains(arn.as_str())) {
            NEW_PRINCIPAL
        } else {
            UNKNOWN_PRINCIPAL
        };
    }
    if is_role_out_of_reach(failure) {
        let Operation::ChangeAlert(AlertOperation::PutTarget { target, .. }) = operation else {
            return Duration::ZERO;
        };
        let role = target.role.as_deref();
        return if created.any(|arn| Some(arn.as_str()) == role) {
            NEW_PRINCIPAL
        } else {
            UNKNOWN_PRINCIPAL
        };
    }
    if failure.has_code("NoSuchEntity") {
        let needs = needs(operation);
        return if needs.iter().any(|key| created.holds(account, key)) {
            NEW_OBJECT
        } else {
            Duration::ZERO
        };
    }
    if failure.has_code("ConcurrentModification")
        || failure.has_code("EntityTemporarilyUnmodifiable")
    {
        return BUSY_OBJECT;
    }
    // For a while after the organization has come to trust IAM.
    if failure.has_code(root::NOT_TRUSTED) {
        return BUSY_OBJECT;
    }
    if failure.has_code("DeleteConflict") {
        return STILL_IN_USE;
    }
    Duration::ZERO
}

/// Adds to a failure that was waited out in vain what that means.
pub(super) fn explain(failure: Failure, limit: Duration) -> Failure {
    if !is_invalid_principal(&failure) {
        return failure;
    }
    let seconds = limit.as_secs();
    failure.with_note(&format!(
        "still so after {seconds} s: does the user or role it names exist?"
    ))
}

fn is_invalid_principal(failure: &Failure) -> bool {
    failure.has_code("MalformedPolicyDocument")
        && failure.message().contains("Invalid principal in policy")
}

/// Tells whether EventBridge has not heard yet of the role that it is to send with.
fn is_role_out_of_reach(failure: &Failure) -> bool {
    failure.has_code("ValidationException")
        && failure.message().contains("cannot be assumed by principal")
}

/// Names what has to be there for an operation to work.
fn needs(operation: &Operation) -> Vec<ResourceKey> {
    let policy = |arn: &Arn| ResourceKey::new(ResourceType::IamPolicy, arn.name());
    let user = |name: &str| ResourceKey::new(ResourceType::IamUser, name);
    let role = |name: &str| ResourceKey::new(ResourceType::IamRole, name);
    match operation {
        Operation::CreateUser {
            permissions_boundary,
            ..
        }
        | Operation::CreateRole {
            permissions_boundary,
            ..
        } => permissions_boundary.iter().map(policy).collect(),
        Operation::SetPolicyDocument { arn, .. } => vec![policy(arn)],
        Operation::SetUserPath { user: name, .. } => vec![user(name)],
        Operation::SetTrustPolicy { role: name, .. }
        | Operation::SetRoleSettings { role: name, .. } => vec![role(name)],
        Operation::AttachPolicy {
            principal,
            policy: arn,
        }
        | Operation::SetBoundary {
            principal,
            policy: arn,
        } => vec![principal.key(), policy(arn)],
        Operation::PutInlinePolicy { principal, .. } | Operation::Tag { principal, .. } => {
            vec![principal.key()]
        }
        // What these would remove is allowed to be gone.
        Operation::CreatePolicy { .. }
        | Operation::ChangeAlert(_)
        | Operation::DeleteInlinePolicy { .. }
        | Operation::DetachPolicy { .. }
        | Operation::RemoveBoundary { .. }
        | Operation::Untag { .. }
        | Operation::RemoveFromGroup { .. }
        | Operation::DeleteAccessKey { .. }
        | Operation::DeleteSshKey { .. }
        | Operation::DeleteServiceCredential { .. }
        | Operation::DeleteSigningCertificate { .. }
        | Operation::EnableRootFeature { .. }
        | Operation::DeleteLoginProfile { .. }
        | Operation::DeletePolicy { .. }
        | Operation::DeleteUser { .. }
        | Operation::DeleteRole { .. }
        | Operation::SetExemptions(_)
        | Operation::ChangeGuardrail(_) => Vec::new(),
    }
}

/// Doubles the wait each time, up to a longest one, until the waits together reach a limit.
#[derive(Debug, Default)]
pub(in crate::cloud::aws) struct Waits {
    last: Duration,
    together: Duration,
}

impl Waits {
    /// Gives the next wait, or `None` when there has been enough of it.
    pub(in crate::cloud::aws) fn next(&mut self, limit: Duration) -> Option<Duration> {
        let left = limit.checked_sub(self.together)?;
        let wait = (self.last * 2).clamp(FIRST_WAIT, LONGEST_WAIT).min(left);
        self.last = wait;
        self.together += wait;
        (!wait.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{AlertTarget, PolicyText, Principal};

    #[test]
    fn waits_double_and_reach_their_limit_exactly() {
        for (limit, expected) in [
            (0, vec![]),
            (5, vec![500, 1000, 2000, 1500]),
            (15, vec![500, 1000, 2000, 4000, 7500]),
            (25, vec![500, 1000, 2000, 4000, 8000, 8000, 1500]),
        ] {
            let mut waits = Waits::default();
            let all: Vec<u128> = std::iter::from_fn(|| waits.next(Duration::from_secs(limit)))
                .map(|wait| wait.as_millis())
                .collect();
            assert_eq!(all, expected);
        }
    }

    #[test]
    fn only_what_can_come_right_is_waited_for() {
        let account: AccountId = "111122223333".parse().unwrap();
        let other: AccountId = "444455556666".parse().unwrap();
        let created = Created::default();
        let alice: Arn = "arn:aws:iam::444455556666:user/break-glass/bg-alice"
            .parse()
            .unwrap();
        let admin: Arn = "arn:aws:iam::111122223333:role/break-glass/Admin"
            .parse()
            .unwrap();
        let trust = |principal: &str| Operation::SetTrustPolicy {
            role: "Admin".to_owned(),
            document: PolicyText::new(format!(r#"{{"AWS":"{principal}"}}"#)),
        };
        let tag = Operation::Tag {
            principal: Principal::Role("Admin".to_owned()),
            tags: Default::default(),
        };
        let delete = Operation::DeleteRole {
            name: "Admin".to_owned(),
        };
        let principal = Failure::refused(
            "MalformedPolicyDocument",
            "Invalid principal in policy: \"AWS\":\"x\"",
        );
        let syntax = Failure::refused("MalformedPolicyDocument", "Syntax errors in policy.");
        let missing = Failure::refused("NoSuchEntity", "no such role");
        let wait = |operation: &Operation, account: &AccountId, failure: &Failure| {
            limit(operation, account, failure, &created).as_secs()
        };

        assert_eq!(wait(&trust(alice.as_str()), &account, &principal), 15);
        assert_eq!(wait(&tag, &account, &missing), 0);
        created.remember(alice.clone());
        created.remember(admin);
        assert_eq!(wait(&trust(alice.as_str()), &account, &principal), 90);
        assert_eq!(
            wait(&trust("arn:aws:iam::1:user/x"), &account, &principal),
            15
        );
        assert_eq!(wait(&trust(alice.as_str()), &account, &syntax), 0);
        assert_eq!(wait(&tag, &account, &missing), 20);
        assert_eq!(wait(&tag, &other, &missing), 0);
        assert_eq!(wait(&delete, &account, &missing), 0);
        let target = Operation::ChangeAlert(AlertOperation::PutTarget {
            rule: "us-east-1:break-glass-root".to_owned(),
            id: "break-glass".to_owned(),
            target: AlertTarget {
                role: Some("arn:aws:iam::111122223333:role/break-glass/Admin".to_owned()),
                ..AlertTarget::default()
            },
        });
        let new_role = Failure::refused(
            "ValidationException",
            "Provided role 'x' cannot be assumed by principal 'events.amazonaws.com'.",
        );
        assert_eq!(wait(&target, &account, &new_role), 90);
        assert_eq!(wait(&tag, &account, &new_role), 0);
        let conflict = Failure::refused("DeleteConflict", "still attached");
        assert_eq!(wait(&delete, &account, &conflict), 5);
    }
}
