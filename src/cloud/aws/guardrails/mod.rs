//! The organization's SCPs and RCPs: `read` reads them all with their attachments, `write` carries out single operations
//! (`create` makes policies). `pace` keeps writes below what Organizations takes.

mod create;
mod pace;
mod read;
mod write;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{Policy, PolicySummary, PolicyType};

use super::convert::required;
use super::error::{Failure, failed};
use crate::state::{GuardrailKind, Tags};

pub(super) use pace::Pace;
pub(super) use read::Reader;
pub(super) use write::Writer;

fn policy_type(kind: GuardrailKind) -> PolicyType {
    match kind {
        GuardrailKind::Scp => PolicyType::ServiceControlPolicy,
        GuardrailKind::Rcp => PolicyType::ResourceControlPolicy,
    }
}

/// Lists the policies of a kind.
async fn listed(client: &Client, kind: GuardrailKind) -> Result<Vec<PolicySummary>, Failure> {
    let call = "organizations:ListPolicies";
    let pages = client.list_policies().filter(policy_type(kind));
    let pages = pages.into_paginator().stop_on_duplicate_token(false).send();
    let pages = pages.try_collect().await.map_err(failed(call))?;
    Ok(pages
        .into_iter()
        .flat_map(|page| page.policies.unwrap_or_default())
        .collect())
}

/// Reads a policy with its document.
async fn described(client: &Client, id: &str) -> Result<(PolicySummary, String), Failure> {
    let call = "organizations:DescribePolicy";
    let answer = client.describe_policy().policy_id(id).send().await;
    let policy = answer.map_err(failed(call))?.policy;
    let Policy {
        policy_summary,
        content,
        ..
    } = required(call, "policy", policy)?;
    Ok((
        required(call, "policy's summary", policy_summary)?,
        required(call, "policy document", content)?,
    ))
}

/// Reads the tags of a policy; those that AWS reserves tell whether CloudFormation keeps it.
async fn tags(client: &Client, id: &str) -> Result<Tags, Failure> {
    super::organization::tags(client, id).await
}
