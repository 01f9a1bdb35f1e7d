//! Reads the guardrails in calls per policy, of which there are tens, and none per account, of which there are thousands.

use std::collections::BTreeSet;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::PolicyTypeStatus;

use super::{described, listed, policy_type, tags};
use crate::cloud::aws::all;
use crate::cloud::aws::convert::required;
use crate::cloud::aws::error::{Failure, failed};
use crate::cloud::aws::organization::roots;
use crate::state::{GuardrailKind, GuardrailPolicy, Guardrails, PolicyText, Tags};

/// How many policies are read at a time. More would not be quicker: Organizations describes two a second.
const CONCURRENCY: usize = 4;

/// Reads the guardrails.
#[derive(Debug)]
pub(in crate::cloud::aws) struct Reader<'a> {
    pub(in crate::cloud::aws) client: &'a Client,
    pub(in crate::cloud::aws) concurrency: usize,
}

impl Reader<'_> {
    /// Reads the policies of every kind that is enabled, and what each is attached to.
    pub(in crate::cloud::aws) async fn guardrails(&self) -> Result<Guardrails, Failure> {
        let concurrency = self.concurrency.min(CONCURRENCY);
        let enabled = self.enabled().await?;
        let listings = enabled.iter().map(|kind| listed(self.client, *kind));
        let listings = all(concurrency, listings.collect()).await?;
        let mut policies: Vec<_> = listings.into_iter().flatten().collect();
        // AWS's own are attached everywhere, so their listings are the longest: whoever begins with them ends first.
        policies.sort_by_key(|policy| !policy.aws_managed);
        let reads = policies.into_iter().map(async |listed| {
            let id = required("organizations:ListPolicies", "policy's id", listed.id)?;
            // Gone when it was deleted after it was listed.
            let policy = self.policy(&id).await?;
            Ok(policy.map(|policy| (id, policy)))
        });
        let policies = all(concurrency, reads.collect()).await?;
        Ok(Guardrails {
            enabled,
            policies: policies.into_iter().flatten().collect(),
        })
    }

    /// Tells which kinds are enabled; one that is only becoming so, or ceasing to be, is neither.
    async fn enabled(&self) -> Result<BTreeSet<GuardrailKind>, Failure> {
        let call = "organizations:ListRoots";
        let mut enabled = BTreeSet::new();
        let roots = roots(self.client).await?;
        for summary in roots.iter().flat_map(|root| root.policy_types()) {
            let of_type = |kind: &GuardrailKind| summary.r#type() == Some(&policy_type(*kind));
            let Some(kind) = GuardrailKind::ALL.into_iter().find(of_type) else {
                continue;
            };
            match required(call, "policy type's status", summary.status())? {
                PolicyTypeStatus::Enabled => enabled.insert(kind),
                status => {
                    let problem = format!(
                        "{kind}s are being enabled or disabled ({}); try again when that is done",
                        status.as_str()
                    );
                    return Err(Failure::new(call, &problem));
                }
            };
        }
        Ok(enabled)
    }

    /// Reads a policy; `None` when there is none of this id.
    pub(in crate::cloud::aws) async fn policy(
        &self,
        id: &str,
    ) -> Result<Option<GuardrailPolicy>, Failure> {
        match self.described(id).await {
            // The second is what listing the tags of nothing answers.
            Err(failure)
                if failure.has_code("PolicyNotFoundException")
                    || failure.has_code("TargetNotFoundException") =>
            {
                tracing::debug!(policy = id, "deleted while the policies were read");
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    async fn described(&self, id: &str) -> Result<GuardrailPolicy, Failure> {
        let call = "organizations:DescribePolicy";
        let (summary, document) = described(self.client, id).await?;
        let of_type = |kind: &GuardrailKind| summary.r#type() == Some(&policy_type(*kind));
        let kind = GuardrailKind::ALL.into_iter().find(of_type);
        Ok(GuardrailPolicy {
            kind: required(call, "SCP's or RCP's type", kind)?,
            name: required(call, "policy's name", summary.name)?,
            description: summary.description.unwrap_or_default(),
            aws_managed: summary.aws_managed,
            document: PolicyText::new(document),
            tags: if summary.aws_managed {
                Tags::new()
            } else {
                tags(self.client, id).await?
            },
            targets: self.targets(id).await?,
        })
    }

    /// Lists what a policy is attached to: pages of twenty, as long as there is a next one, even after an empty one.
    async fn targets(&self, id: &str) -> Result<BTreeSet<String>, Failure> {
        let call = "organizations:ListTargetsForPolicy";
        let pages = self.client.list_targets_for_policy().policy_id(id);
        let pages = pages.into_paginator().stop_on_duplicate_token(false).send();
        let pages = pages.try_collect().await.map_err(failed(call))?;
        let targets = pages.into_iter().flat_map(|page| page.targets);
        targets
            .flatten()
            .map(|target| required(call, "target's id", target.target_id))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::CloudError;
    use crate::cloud::aws::testing::FakeAws;

    #[tokio::test]
    async fn a_kind_that_is_neither_enabled_nor_disabled_is_not_taken_for_either() {
        for (types, expected) in [
            ("", Ok(vec![])),
            (
                r#"{"Type":"TAG_POLICY","Status":"PENDING_ENABLE"},{"Type":"RESOURCE_CONTROL_POLICY","Status":"ENABLED"}"#,
                Ok(vec![GuardrailKind::Rcp]),
            ),
            (
                r#"{"Type":"SERVICE_CONTROL_POLICY","Status":"PENDING_DISABLE"}"#,
                Err(
                    "organizations:ListRoots: SCPs are being enabled or disabled (PENDING_DISABLE); try again when that is done",
                ),
            ),
        ] {
            let root = format!(r#"{{"Roots":[{{"Id":"r-root","PolicyTypes":[{types}]}}]}}"#);
            let aws = FakeAws::new(move |_| (200, root.clone()));
            let reader = Reader {
                client: &Client::new(&aws.config()),
                concurrency: 1,
            };
            let enabled = reader.enabled().await.map(Vec::from_iter);
            let told = enabled.map_err(|failure| CloudError::from(failure).to_string());
            assert_eq!(told, expected.map_err(str::to_owned));
        }
    }
}
