//! Reads the guardrails in calls per policy, of which there are tens, and none per account, of which there are thousands.

use std::collections::BTreeSet;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::PolicyTypeStatus;

use super::paced::PacedReads;
use super::{listed, policy_type, tags};
use crate::cloud::aws::all;
use crate::cloud::aws::convert::required;
use crate::cloud::aws::error::Failure;
use crate::cloud::aws::organization::roots;
use crate::state::{GuardrailKind, GuardrailPolicy, Guardrails, PolicyText, Tags};

/// How many policies are read at a time. More would not be quicker: Organizations describes two a second.
const CONCURRENCY: usize = 4;

/// Reads the guardrails.
#[derive(Debug)]
pub(in crate::cloud::aws) struct Reader<'a> {
    pub(in crate::cloud::aws) client: &'a Client,
    pub(in crate::cloud::aws) paced: &'a PacedReads,
    pub(in crate::cloud::aws) concurrency: usize,
}

/// A policy as the listing has it.
struct Listed {
    id: String,
    kind: GuardrailKind,
    aws_managed: bool,
}

impl Reader<'_> {
    /// Reads the policies of every kind that is enabled, and what each is attached to.
    pub(in crate::cloud::aws) async fn guardrails(&self) -> Result<Guardrails, Failure> {
        let concurrency = self.concurrency.min(CONCURRENCY);
        let enabled = self.enabled().await?;
        let listings = enabled.iter().map(|kind| self.listed(*kind));
        let listings = all(concurrency, listings.collect()).await?;
        let mut policies: Vec<_> = listings.into_iter().flatten().collect();
        // AWS's own are attached everywhere, so their listings are the longest: whoever begins with them ends first.
        policies.sort_by_key(|policy| !policy.aws_managed);
        let reads = policies.iter().map(|policy| self.unless_gone(policy));
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

    async fn listed(&self, kind: GuardrailKind) -> Result<Vec<Listed>, Failure> {
        listed(self.client, kind)
            .await?
            .into_iter()
            .map(|policy| {
                Ok(Listed {
                    id: required("organizations:ListPolicies", "policy's id", policy.id)?,
                    kind,
                    aws_managed: policy.aws_managed,
                })
            })
            .collect()
    }

    /// Reads a policy; one that was deleted after it was listed is gone.
    async fn unless_gone(
        &self,
        policy: &Listed,
    ) -> Result<Option<(String, GuardrailPolicy)>, Failure> {
        match self.policy(policy).await {
            Ok(read) => Ok(Some((policy.id.clone(), read))),
            // The second is what listing the tags of nothing answers.
            Err(failure)
                if failure.has_code("PolicyNotFoundException")
                    || failure.has_code("TargetNotFoundException") =>
            {
                tracing::debug!(policy = policy.id, "deleted while the policies were read");
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn policy(&self, policy: &Listed) -> Result<GuardrailPolicy, Failure> {
        let (summary, document) = self.paced.policy(&policy.id).await?;
        Ok(GuardrailPolicy {
            name: required(
                "organizations:DescribePolicy",
                "policy's name",
                summary.name,
            )?,
            description: summary.description.unwrap_or_default(),
            kind: policy.kind,
            aws_managed: policy.aws_managed,
            document: PolicyText::new(document),
            tags: if policy.aws_managed {
                Tags::new()
            } else {
                tags(self.client, &policy.id).await?
            },
            targets: self.paced.targets(&policy.id).await?,
        })
    }
}

/// Reads one policy without its tags and targets; `None` when there is none of this id.
pub(in crate::cloud::aws) async fn single(
    paced: &PacedReads,
    id: &str,
) -> Result<Option<GuardrailPolicy>, Failure> {
    let call = "organizations:DescribePolicy";
    let (summary, document) = match paced.policy(id).await {
        Ok(read) => read,
        Err(failure) if failure.has_code("PolicyNotFoundException") => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let of_type = |kind: &GuardrailKind| summary.r#type() == Some(&policy_type(*kind));
    let kind = GuardrailKind::ALL.into_iter().find(of_type);
    Ok(Some(GuardrailPolicy {
        kind: required(call, "SCP's or RCP's type", kind)?,
        name: required(call, "policy's name", summary.name)?,
        description: summary.description.unwrap_or_default(),
        aws_managed: summary.aws_managed,
        document: PolicyText::new(document),
        tags: Tags::new(),
        targets: BTreeSet::new(),
    }))
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
                paced: &PacedReads::new(&aws.config()),
                concurrency: 1,
            };
            let enabled = reader.enabled().await.map(Vec::from_iter);
            let told = enabled.map_err(|failure| CloudError::from(failure).to_string());
            assert_eq!(told, expected.map_err(str::to_owned));
        }
    }
}
