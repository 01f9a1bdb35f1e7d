//! Reads one resource by name, with just the calls that it takes.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_role::GetRoleOutput;
use aws_sdk_iam::types::PolicyScopeType;
use futures_util::future::{try_join, try_join3, try_join4};

use super::all;
use super::convert::{attached, boundary, document, max_session, parse, required, tags, time};
use super::error::{Failure, failed};
use super::root;
use crate::state::{Password, Policy, PolicyText, Resource, ResourceKey, ResourceType, Role, User};

/// How many inline policies of one user or role are read at a time.
const CONCURRENCY: usize = 4;

/// The longest page that IAM gives.
pub(super) const PAGE: i32 = 1000;

/// Reads a resource; `None` when there is none of that name.
pub(super) async fn read(client: &Client, key: &ResourceKey) -> Result<Option<Resource>, Failure> {
    let name = &key.name;
    Ok(match key.resource_type {
        ResourceType::IamPolicy => policy(client, name).await?.map(Resource::Policy),
        ResourceType::IamUser => user(client, name).await?.map(Resource::User),
        ResourceType::IamRole => role(client, name).await?.map(Resource::Role),
        ResourceType::Credential => has_login_profile(client, name)
            .await?
            .then_some(Resource::LoginProfile),
        ResourceType::RootAccess => root::is_on(client, name)
            .await?
            .then_some(Resource::RootFeature),
        // Devices are never written; the others belong to the organization, or to a Region of the account.
        ResourceType::MfaDevice
        | ResourceType::GuardrailException
        | ResourceType::GuardrailPolicy
        | ResourceType::AlertRule
        | ResourceType::AlertTopic
        | ResourceType::AlertBus
        | ResourceType::MetricAlarm
        | ResourceType::Trail => None,
    })
}

/// Takes the absence of what was asked for as an answer.
pub(super) fn unless_missing<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.has_code("NoSuchEntity") => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A policy is found by its name in the listing, because only its ARN, with a path nobody told us, would name it.
async fn policy(client: &Client, name: &str) -> Result<Option<Policy>, Failure> {
    let call = "iam:ListPolicies";
    let mut listed = client
        .list_policies()
        .scope(PolicyScopeType::Local)
        .into_paginator()
        .page_size(PAGE)
        .items()
        .send();
    while let Some(policy) = listed.try_next().await.map_err(failed(call))? {
        if policy.policy_name() != Some(name) {
            continue;
        }
        let version = client
            .get_policy_version()
            .set_policy_arn(policy.arn.clone())
            .set_version_id(policy.default_version_id.clone())
            .send()
            .await
            .map_err(failed("iam:GetPolicyVersion"));
        return unless_missing(version)?
            .map(|answer| {
                let version = answer.policy_version();
                Ok(Policy {
                    path: parse(call, "policy's path", policy.path())?,
                    document: document(
                        "iam:GetPolicyVersion",
                        version.and_then(|version| version.document()),
                    )?,
                })
            })
            .transpose();
    }
    Ok(None)
}

/// Reads a role's own record.
pub(super) async fn get_role(
    client: &Client,
    name: &str,
) -> Result<Option<GetRoleOutput>, Failure> {
    let answer = client.get_role().role_name(name).send().await;
    unless_missing(answer.map_err(failed("iam:GetRole")))
}

async fn role(client: &Client, name: &str) -> Result<Option<Role>, Failure> {
    let call = "iam:GetRole";
    let Some(answer) = get_role(client, name).await? else {
        return Ok(None);
    };
    let role = required(call, "role", answer.role())?;
    let policies = async {
        let pages = client.list_attached_role_policies().role_name(name);
        let policies = pages.into_paginator().items().send().try_collect().await;
        let call = "iam:ListAttachedRolePolicies";
        attached(call, &policies.map_err(failed(call))?)
    };
    let (managed_policies, inline_policies) =
        try_join(policies, role_inline_policies(client, name)).await?;
    Ok(Some(Role {
        path: parse(call, "role's path", Some(role.path()))?,
        trust_policy: document(call, role.assume_role_policy_document())?,
        description: role.description().unwrap_or_default().to_owned(),
        max_session: max_session(call, role.max_session_duration())?,
        tags: tags(role.tags()),
        permissions_boundary: boundary(call, role.permissions_boundary())?,
        managed_policies,
        inline_policies,
    }))
}

async fn role_inline_policies(
    client: &Client,
    role: &str,
) -> Result<BTreeMap<String, PolicyText>, Failure> {
    let names = client.list_role_policies().role_name(role).into_paginator();
    let names = names.items().send().try_collect().await;
    let names = names.map_err(failed("iam:ListRolePolicies"))?;
    let reads = names.into_iter().map(|name| async move {
        let call = "iam:GetRolePolicy";
        let request = client.get_role_policy().role_name(role).policy_name(&name);
        let answer = request.send().await.map_err(failed(call))?;
        Ok((name, document(call, Some(answer.policy_document()))?))
    });
    let policies = all(CONCURRENCY, reads.collect()).await?;
    Ok(policies.into_iter().collect())
}

/// Reads a user.
pub(super) async fn user(client: &Client, name: &str) -> Result<Option<User>, Failure> {
    let call = "iam:GetUser";
    let answer = client.get_user().user_name(name).send().await;
    let Some(answer) = unless_missing(answer.map_err(failed(call)))? else {
        return Ok(None);
    };
    let user = required(call, "user", answer.user())?;
    let policies = async {
        let pages = client.list_attached_user_policies().user_name(name);
        let policies = pages.into_paginator().items().send().try_collect().await;
        let call = "iam:ListAttachedUserPolicies";
        attached(call, &policies.map_err(failed(call))?)
    };
    let permissions = try_join3(
        policies,
        user_inline_policies(client, name),
        groups(client, name),
    );
    let ((managed_policies, inline_policies, groups), keys) =
        try_join(permissions, keys(client, name)).await?;
    let Keys {
        access_keys,
        ssh_keys,
        service_credentials,
        signing_certificates,
    } = keys;
    Ok(Some(User {
        path: parse(call, "user's path", Some(user.path()))?,
        tags: tags(user.tags()),
        permissions_boundary: boundary(call, user.permissions_boundary())?,
        managed_policies,
        inline_policies,
        groups,
        access_keys,
        ssh_keys,
        service_credentials,
        signing_certificates,
    }))
}

async fn user_inline_policies(
    client: &Client,
    user: &str,
) -> Result<BTreeMap<String, PolicyText>, Failure> {
    let names = client.list_user_policies().user_name(user).into_paginator();
    let names = names.items().send().try_collect().await;
    let names = names.map_err(failed("iam:ListUserPolicies"))?;
    let reads = names.into_iter().map(|name| async move {
        let call = "iam:GetUserPolicy";
        let request = client.get_user_policy().user_name(user).policy_name(&name);
        let answer = request.send().await.map_err(failed(call))?;
        Ok((name, document(call, Some(answer.policy_document()))?))
    });
    let policies = all(CONCURRENCY, reads.collect()).await?;
    Ok(policies.into_iter().collect())
}

async fn groups(client: &Client, user: &str) -> Result<BTreeSet<String>, Failure> {
    let pages = client
        .list_groups_for_user()
        .user_name(user)
        .into_paginator();
    let groups = pages.items().send().try_collect().await;
    let groups = groups.map_err(failed("iam:ListGroupsForUser"))?;
    Ok(groups.into_iter().map(|group| group.group_name).collect())
}

/// Holds the ids of what a user can prove itself by without the console.
pub(super) struct Keys {
    pub(super) access_keys: BTreeSet<String>,
    pub(super) ssh_keys: BTreeSet<String>,
    pub(super) service_credentials: BTreeSet<String>,
    pub(super) signing_certificates: BTreeSet<String>,
}

/// Reads what a user can prove itself by without the console.
pub(super) async fn keys(client: &Client, user: &str) -> Result<Keys, Failure> {
    let (access_keys, ssh_keys, service_credentials, signing_certificates) = try_join4(
        access_keys(client, user),
        ssh_keys(client, user),
        service_credentials(client, user),
        signing_certificates(client, user),
    )
    .await?;
    Ok(Keys {
        access_keys,
        ssh_keys,
        service_credentials,
        signing_certificates,
    })
}

/// Reads the ids of a user's access keys.
async fn access_keys(client: &Client, user: &str) -> Result<BTreeSet<String>, Failure> {
    let call = "iam:ListAccessKeys";
    let pages = client.list_access_keys().user_name(user).into_paginator();
    let keys = pages.items().send().try_collect().await;
    keys.map_err(failed(call))?
        .into_iter()
        .map(|key| required(call, "access key's id", key.access_key_id))
        .collect()
}

/// Tells whether a user has a login profile.
pub(super) async fn has_login_profile(client: &Client, user: &str) -> Result<bool, Failure> {
    Ok(password(client, user).await?.is_some())
}

/// Reads what can be read of a user's password; `None` when there is none.
pub(super) async fn password(client: &Client, user: &str) -> Result<Option<Password>, Failure> {
    let call = "iam:GetLoginProfile";
    let answer = client.get_login_profile().user_name(user).send().await;
    let Some(answer) = unless_missing(answer.map_err(failed(call)))? else {
        return Ok(None);
    };
    let profile = required(call, "login profile", answer.login_profile())?;
    Ok(Some(Password {
        created: time(call, profile.create_date())?,
        reset_required: profile.password_reset_required(),
        changed: None,
    }))
}

/// Reads the ids of a user's SSH public keys.
async fn ssh_keys(client: &Client, user: &str) -> Result<BTreeSet<String>, Failure> {
    let pages = client.list_ssh_public_keys().user_name(user);
    let keys = pages.into_paginator().items().send().try_collect().await;
    let keys = keys.map_err(failed("iam:ListSSHPublicKeys"))?;
    Ok(keys.into_iter().map(|key| key.ssh_public_key_id).collect())
}

/// Reads the ids of a user's signing certificates.
async fn signing_certificates(client: &Client, user: &str) -> Result<BTreeSet<String>, Failure> {
    let pages = client.list_signing_certificates().user_name(user);
    let listed = pages.into_paginator().items().send().try_collect().await;
    let listed = listed.map_err(failed("iam:ListSigningCertificates"))?;
    let ids = listed
        .into_iter()
        .map(|certificate| certificate.certificate_id);
    Ok(ids.collect())
}

/// Reads the ids of a user's service-specific credentials.
async fn service_credentials(client: &Client, user: &str) -> Result<BTreeSet<String>, Failure> {
    let call = "iam:ListServiceSpecificCredentials";
    let mut ids = BTreeSet::new();
    let mut marker = None;
    loop {
        let request = client.list_service_specific_credentials().user_name(user);
        let page = request.set_marker(marker).send().await;
        let page = page.map_err(failed(call))?;
        let credentials = page.service_specific_credentials();
        ids.extend(
            credentials
                .iter()
                .map(|one| one.service_specific_credential_id().to_owned()),
        );
        if !page.is_truncated {
            return Ok(ids);
        }
        marker = Some(required(call, "marker", page.marker)?);
    }
}
