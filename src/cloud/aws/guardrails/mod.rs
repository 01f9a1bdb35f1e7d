//! The organization's SCPs and RCPs: `read` lists them with their attachments and `describe` reads their documents,
//! `write` carries out single operations (`create` makes policies), `pace` keeps both below what Organizations takes.

mod create;
mod describe;
mod pace;
mod read;
mod write;

use std::collections::BTreeMap;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{PolicySummary, PolicyType};

use super::error::{Failure, failed};
use crate::state::{GuardrailKind, Tags, own_tags};

pub(super) use describe::Descriptions;
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

/// Reads the tags of a policy, without those that AWS reserves.
async fn tags(client: &Client, id: &str) -> Result<Tags, Failure> {
    let tags: BTreeMap<_, _> = super::organization::tags(client, id).await?;
    Ok(own_tags(tags))
}
