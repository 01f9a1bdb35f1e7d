//! Carries out operations on guardrails, one at a time.
//!
//! Organizations refuses writes that meet each other (`ConcurrentModificationException`), other people's included, and
//! takes two a second; throttling itself is left to the SDK's retries. Those may send a call a second time whose answer
//! was lost, so what is found done is done.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_organizations::Client;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::create::{NewPolicy, id_of, sdk_tags};
use super::pace::Pace;
use crate::cloud::aws::error::{Failure, failed};
use crate::cloud::aws::execute::Waits;
use crate::state::{GuardrailKind, GuardrailOperation, PolicyReference};

/// The writes that Organizations takes at once, and the time in which it takes one more.
///
/// Source: "Quotas and service limits for AWS Organizations", throttling of policy writes.
const BURST: u32 = 3;
const INTERVAL: Duration = Duration::from_millis(500);

/// For somebody else's change to end.
const BUSY: Duration = Duration::from_secs(60);
/// For a policy that this process has made to be found.
const NEW_POLICY: Duration = Duration::from_secs(20);

/// Changes guardrails.
#[derive(Debug)]
pub(in crate::cloud::aws) struct Writer {
    client: Client,
    /// Whoever has it may write.
    turn: Mutex<Pace>,
    /// The ids of the policies that this process has made.
    created: std::sync::Mutex<BTreeMap<(GuardrailKind, String), String>>,
}

impl Writer {
    pub(in crate::cloud::aws) fn new(client: Client) -> Self {
        Self {
            client,
            turn: Mutex::new(Pace::new(BURST, INTERVAL)),
            created: std::sync::Mutex::default(),
        }
    }

    /// Carries out an operation when its turn comes, and waits out what only takes a moment to come right.
    ///
    /// Nothing more is sent once the future is dropped; what was sent by then may have been carried out.
    pub(in crate::cloud::aws) async fn change(
        &self,
        operation: &GuardrailOperation,
    ) -> Result<(), Failure> {
        let mut pace = self.turn.lock().await;
        let mut waits = Waits::default();
        loop {
            sleep(pace.next(Instant::now())).await;
            let Err(failure) = self.attempt(operation).await else {
                return Ok(());
            };
            let Some(wait) = waits.next(self.patience(operation, &failure)) else {
                return Err(failure);
            };
            tracing::debug!(
                action = operation.action(),
                failure = failure.message(),
                ?wait,
                "waiting for Organizations"
            );
            sleep(wait).await;
        }
    }

    /// Tells for how long in all a failure is worth waiting out; not at all for most.
    fn patience(&self, operation: &GuardrailOperation, failure: &Failure) -> Duration {
        let busy = [
            "ConcurrentModificationException",
            "PolicyChangesInProgressException",
        ];
        if busy.iter().any(|code| failure.has_code(code)) {
            BUSY
        } else if failure.has_code("PolicyNotFoundException") && self.has_made_what(operation) {
            NEW_POLICY
        } else {
            Duration::ZERO
        }
    }

    async fn attempt(&self, operation: &GuardrailOperation) -> Result<(), Failure> {
        let client = &self.client;
        match operation {
            GuardrailOperation::CreatePolicy {
                name,
                description,
                kind,
                document,
                tags,
            } => {
                let policy = NewPolicy {
                    name,
                    description,
                    kind: *kind,
                    document,
                    tags,
                };
                let id = policy.create(client).await?;
                self.created().insert((*kind, name.clone()), id);
                Ok(())
            }
            GuardrailOperation::UpdatePolicy { policy, document } => {
                let id = self.resolve(policy).await?;
                let request = client.update_policy().policy_id(id);
                let answer = request.content(document.as_str()).send().await;
                answer
                    .map(drop)
                    .map_err(failed("organizations:UpdatePolicy"))
            }
            GuardrailOperation::DeletePolicy { policy } => {
                let Some(id) = self.find(policy).await? else {
                    return Ok(());
                };
                let answer = client.delete_policy().policy_id(&id).send().await;
                let answer = answer.map_err(failed("organizations:DeletePolicy"));
                unless(answer, &["PolicyNotFoundException"])?;
                self.created().retain(|_, made| *made != id);
                Ok(())
            }
            GuardrailOperation::Attach { policy, target } => {
                let id = self.resolve(policy).await?;
                let request = client.attach_policy().policy_id(id).target_id(target);
                let answer = request.send().await;
                let answer = answer.map_err(failed("organizations:AttachPolicy"));
                unless(answer, &["DuplicatePolicyAttachmentException"])
            }
            GuardrailOperation::Detach { policy, target } => {
                let Some(id) = self.find(policy).await? else {
                    return Ok(());
                };
                let request = client.detach_policy().policy_id(id);
                let answer = request.target_id(target).send().await;
                let answer = answer.map_err(failed("organizations:DetachPolicy"));
                let done = ["PolicyNotAttachedException", "PolicyNotFoundException"];
                unless(answer, &done)
            }
            GuardrailOperation::Tag { policy, tags } => {
                let id = self.resolve(policy).await?;
                let call = "organizations:TagResource";
                let request = client.tag_resource().resource_id(id);
                let request = request.set_tags(Some(sdk_tags(call, tags)?));
                request.send().await.map(drop).map_err(failed(call))
            }
            GuardrailOperation::Untag { policy, keys } => {
                let id = self.resolve(policy).await?;
                let request = client.untag_resource().resource_id(id);
                let request = request.set_tag_keys(Some(keys.iter().cloned().collect()));
                let answer = request.send().await;
                answer
                    .map(drop)
                    .map_err(failed("organizations:UntagResource"))
            }
        }
    }

    /// Finds the id that a reference stands for: what this process has made may not be listed yet.
    pub(in crate::cloud::aws) async fn find(
        &self,
        policy: &PolicyReference,
    ) -> Result<Option<String>, Failure> {
        let (kind, name) = match policy {
            PolicyReference::Id(id) => return Ok(Some(id.clone())),
            PolicyReference::Named { kind, name } => (*kind, name),
        };
        let made = self.created().get(&(kind, name.clone())).cloned();
        match made {
            Some(id) => Ok(Some(id)),
            None => id_of(&self.client, kind, name).await,
        }
    }

    /// Finds the id that a reference stands for, which must be there.
    async fn resolve(&self, policy: &PolicyReference) -> Result<String, Failure> {
        self.find(policy).await?.ok_or_else(|| {
            let problem = format!("there is no {policy}");
            Failure::new("organizations:ListPolicies", &problem)
        })
    }

    fn has_made_what(&self, operation: &GuardrailOperation) -> bool {
        let created = self.created();
        let is_creation = matches!(operation, GuardrailOperation::CreatePolicy { .. });
        !is_creation
            && match operation.policy() {
                PolicyReference::Id(id) => created.values().any(|made| *made == id),
                PolicyReference::Named { kind, name } => created.contains_key(&(kind, name)),
            }
    }

    fn created(&self) -> MutexGuard<'_, BTreeMap<(GuardrailKind, String), String>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes for done what one of these codes says is done already.
fn unless<T>(answer: Result<T, Failure>, codes: &[&str]) -> Result<(), Failure> {
    match answer {
        Err(failure) if !codes.iter().any(|code| failure.has_code(code)) => Err(failure),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::aws::testing::FakeAws;

    #[test]
    fn only_what_can_come_right_is_waited_for() {
        let aws = FakeAws::new(|_| unreachable!());
        let writer = Writer::new(Client::new(&aws.config()));
        let id = "p-examplepolicy1".to_owned();
        let attach = GuardrailOperation::Attach {
            policy: PolicyReference::Named {
                kind: GuardrailKind::Scp,
                name: "deny".to_owned(),
            },
            target: "r-root".to_owned(),
        };
        let delete = GuardrailOperation::DeletePolicy {
            policy: PolicyReference::Id(id.clone()),
        };
        let wait = |operation, code: &str| {
            let failure = Failure::refused(code, "x");
            writer.patience(operation, &failure).as_secs()
        };
        let missing = "PolicyNotFoundException";
        assert_eq!(wait(&attach, "ConcurrentModificationException"), 60);
        assert_eq!(wait(&attach, "PolicyChangesInProgressException"), 60);
        // The SDK has tried that again for long enough.
        assert_eq!(wait(&attach, "TooManyRequestsException"), 0);
        assert_eq!(wait(&attach, "ConstraintViolationException"), 0);
        assert_eq!((wait(&attach, missing), wait(&delete, missing)), (0, 0));
        let made = (GuardrailKind::Scp, "deny".to_owned());
        writer.created().insert(made, id);
        assert_eq!((wait(&attach, missing), wait(&delete, missing)), (20, 20));
    }
}
