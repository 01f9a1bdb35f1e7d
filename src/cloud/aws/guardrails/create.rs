//! Creates policies, and finds them by their names.

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::Tag;

use super::{described, listed, policy_type, tags};
use crate::cloud::aws::convert::required;
use crate::cloud::aws::error::{Failure, failed};
use crate::state::{GuardrailKind, PolicyText, Tags};

/// What a policy is made of.
pub(super) struct NewPolicy<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) kind: GuardrailKind,
    pub(super) document: &'a PolicyText,
    pub(super) tags: &'a Tags,
}

impl NewPolicy<'_> {
    /// Makes the policy, or finds it made, and gives its id.
    pub(super) async fn create(&self, client: &Client) -> Result<String, Failure> {
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
pub(super) async fn id_of(
    client: &Client,
    kind: GuardrailKind,
    name: &str,
) -> Result<Option<String>, Failure> {
    let policies = listed(client, kind).await?.into_iter();
    let mut named = policies.filter(|policy| policy.name.as_deref() == Some(name));
    Ok(named.next().and_then(|policy| policy.id))
}

/// Makes tags to send.
pub(super) fn sdk_tags(call: &str, tags: &Tags) -> Result<Vec<Tag>, Failure> {
    tags.iter()
        .map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|error| Failure::new(call, &error.to_string()))
        })
        .collect()
}
