//! Roles.

use aws_sdk_iam::Client;

use super::{unless_empty, unless_gone};
use crate::cloud::aws::convert::sdk_tags;
use crate::cloud::aws::error::{Failure, failed};
use crate::cloud::aws::resource::unless_missing;
use crate::ids::{Arn, IamPath};
use crate::state::{PolicyText, Tags};

/// Describes a role to create.
#[derive(Debug)]
pub(super) struct NewRole<'a> {
    pub(super) name: &'a str,
    pub(super) path: &'a IamPath,
    pub(super) trust_policy: &'a PolicyText,
    pub(super) description: &'a str,
    pub(super) max_session: u32,
    pub(super) tags: &'a Tags,
    pub(super) permissions_boundary: Option<&'a Arn>,
}

/// Creates a role that has no permissions.
pub(super) async fn create(client: &Client, role: NewRole<'_>) -> Result<(), Failure> {
    let call = "iam:CreateRole";
    client
        .create_role()
        .role_name(role.name)
        .path(role.path.as_str())
        .assume_role_policy_document(role.trust_policy.as_str())
        .set_description(unless_empty(role.description))
        .max_session_duration(seconds(call, role.max_session)?)
        .set_tags(Some(sdk_tags(call, role.tags)?))
        .set_permissions_boundary(role.permissions_boundary.map(Arn::to_string))
        .send()
        .await
        .map(drop)
        .map_err(failed(call))
}

/// Replaces who may assume a role.
pub(super) async fn set_trust_policy(
    client: &Client,
    role: &str,
    document: &PolicyText,
) -> Result<(), Failure> {
    client
        .update_assume_role_policy()
        .role_name(role)
        .policy_document(document.as_str())
        .send()
        .await
        .map(drop)
        .map_err(failed("iam:UpdateAssumeRolePolicy"))
}

/// Sets the description and the longest session, always both.
pub(super) async fn set_settings(
    client: &Client,
    role: &str,
    description: &str,
    max_session: u32,
) -> Result<(), Failure> {
    let call = "iam:UpdateRole";
    client
        .update_role()
        .role_name(role)
        .description(description)
        .max_session_duration(seconds(call, max_session)?)
        .send()
        .await
        .map(drop)
        .map_err(failed(call))
}

/// Deletes a role, out of every instance profile first.
pub(super) async fn delete(client: &Client, name: &str) -> Result<(), Failure> {
    let pages = client.list_instance_profiles_for_role().role_name(name);
    let profiles = pages.into_paginator().items().send().try_collect().await;
    let profiles = profiles.map_err(failed("iam:ListInstanceProfilesForRole"));
    let Some(profiles) = unless_missing(profiles)? else {
        return Ok(());
    };
    for profile in profiles {
        let answer = client
            .remove_role_from_instance_profile()
            .role_name(name)
            .instance_profile_name(profile.instance_profile_name)
            .send()
            .await;
        unless_gone(answer.map_err(failed("iam:RemoveRoleFromInstanceProfile")))?;
    }
    let answer = client.delete_role().role_name(name).send().await;
    unless_gone(answer.map_err(failed("iam:DeleteRole")))
}

fn seconds(call: &str, seconds: u32) -> Result<i32, Failure> {
    i32::try_from(seconds).map_err(|error| Failure::new(call, &error.to_string()))
}
