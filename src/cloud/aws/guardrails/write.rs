//! Carries out operations on guardrails, one at a time.
//!
//! Organizations refuses writes that meet each other (`ConcurrentModificationException`), other people's included, and
//! takes two a second; throttling itself is left to the SDK's retries. Those may send a call a second time whose answer
//! was lost, so what is found done is done.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::Tag;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::pace::Pace;
use super::{described, listed, policy_type, tags};
use crate::cloud::aws::convert::required;
use crate::cloud::aws::error::{Failure, failed};
use crate::cloud::aws::execute::Waits;
use crate::state::{GuardrailKind, GuardrailOperation, PolicyReference, PolicyText, Tags};

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
            GuardrailOperation::UpdatePolicy { id, document } => {
                let request = client.update_policy().policy_id(id);
                let answer = request.content(document.as_str()).send().await;
                answer
                    .map(drop)
                    .map_err(failed("organizations:UpdatePolicy"))
            }
            GuardrailOperation::DeletePolicy { id } => {
                let answer = client.delete_policy().policy_id(id).send().await;
                let answer = answer.map_err(failed("organizations:DeletePolicy"));
                unless(answer, &["PolicyNotFoundException"])?;
                self.created().retain(|_, made| made != id);
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
                let request = client.detach_policy().policy_id(policy);
                let answer = request.target_id(target).send().await;
                let answer = answer.map_err(failed("organizations:DetachPolicy"));
                let done = ["PolicyNotAttachedException", "PolicyNotFoundException"];
                unless(answer, &done)
            }
            GuardrailOperation::Tag { id, tags } => {
                let call = "organizations:TagResource";
                let request = client.tag_resource().resource_id(id);
                let request = request.set_tags(Some(sdk_tags(call, tags)?));
                request.send().await.map(drop).map_err(failed(call))
            }
            GuardrailOperation::Untag { id, keys } => {
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
    async fn resolve(&self, policy: &PolicyReference) -> Result<String, Failure> {
        let (kind, name) = match policy {
            PolicyReference::Id(id) => return Ok(id.clone()),
            PolicyReference::Named { kind, name } => (*kind, name),
        };
        let made = self.created().get(&(kind, name.clone())).cloned();
        let found = match made {
            Some(id) => Some(id),
            None => id_of(&self.client, kind, name).await?,
        };
        found.ok_or_else(|| {
            let problem = format!("there is no {policy}");
            Failure::new("organizations:ListPolicies", &problem)
        })
    }

    fn has_made_what(&self, operation: &GuardrailOperation) -> bool {
        let created = self.created();
        let has_made = |id: &String| created.values().any(|made| made == id);
        match operation {
            GuardrailOperation::CreatePolicy { .. } => false,
            GuardrailOperation::Attach { policy, .. } => match policy {
                PolicyReference::Id(id) => has_made(id),
                PolicyReference::Named { kind, name } => {
                    created.contains_key(&(*kind, name.clone()))
                }
            },
            GuardrailOperation::UpdatePolicy { id, .. }
            | GuardrailOperation::DeletePolicy { id }
            | GuardrailOperation::Detach { policy: id, .. }
            | GuardrailOperation::Tag { id, .. }
            | GuardrailOperation::Untag { id, .. } => has_made(id),
        }
    }

    fn created(&self) -> MutexGuard<'_, BTreeMap<(GuardrailKind, String), String>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a policy is made of.
struct NewPolicy<'a> {
    name: &'a str,
    description: &'a str,
    kind: GuardrailKind,
    document: &'a PolicyText,
    tags: &'a Tags,
}

impl NewPolicy<'_> {
    /// Makes the policy, or finds it made, and gives its id.
    async fn create(&self, client: &Client) -> Result<String, Failure> {
        let call = "organizations:CreatePolicy";
        let request = client
            .create_policy()
            .name(self.name)
            .description(self.description)
            .r#type(policy_type(self.kind))
            .content(self.document.as_str())
            .set_tags(Some(sdk_tags(call, self.tags)?));
        match request.send().await.map_err(failed(call)) {
            Ok(answer) => {
                let summary = answer.policy.and_then(|policy| policy.policy_summary);
                required(call, "policy's id", summary.and_then(|summary| summary.id))
            }
            Err(failure) if failure.has_code("DuplicatePolicyException") => {
                self.find(client).await?.ok_or(failure)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Finds the policy that is like this one in all that it is made of.
    async fn find(&self, client: &Client) -> Result<Option<String>, Failure> {
        let Some(id) = id_of(client, self.kind, self.name).await? else {
            return Ok(None);
        };
        let (summary, document) = described(client, &id).await?;
        let same = summary.description.unwrap_or_default() == self.description
            && PolicyText::new(document) == *self.document
            && tags(client, &id).await? == *self.tags;
        Ok(same.then_some(id))
    }
}

/// Finds a policy by its name.
async fn id_of(
    client: &Client,
    kind: GuardrailKind,
    name: &str,
) -> Result<Option<String>, Failure> {
    let policies = listed(client, kind).await?.into_iter();
    let mut named = policies.filter(|policy| policy.name.as_deref() == Some(name));
    Ok(named.next().and_then(|policy| policy.id))
}

fn sdk_tags(call: &str, tags: &Tags) -> Result<Vec<Tag>, Failure> {
    tags.iter()
        .map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|error| Failure::new(call, &error.to_string()))
        })
        .collect()
}

/// Takes for done what one of these codes says is done already.
fn unless<T>(answer: Result<T, Failure>, codes: &[&str]) -> Result<(), Failure> {
    match answer {
        Err(failure) if !codes.iter().any(|code| failure.has_code(code)) => Err(failure),
        _ => Ok(()),
    }
}
