//! What users and roles have in common: policies, boundary and tags.

use std::collections::BTreeSet;

use aws_sdk_iam::Client;

use super::unless_gone;
use crate::cloud::aws::convert::sdk_tags;
use crate::cloud::aws::error::{Failure, failed};
use crate::ids::Arn;
use crate::state::{PolicyText, Principal, Tags};

/// How many tags one call takes.
///
/// Source: IAM API reference, `TagRole` and `UntagRole`.
const TAGS_PER_CALL: usize = 50;

/// Writes an inline policy.
pub(super) async fn put_inline_policy(
    client: &Client,
    principal: &Principal,
    name: &str,
    document: &PolicyText,
) -> Result<(), Failure> {
    match principal {
        Principal::User(user) => client
            .put_user_policy()
            .user_name(user)
            .policy_name(name)
            .policy_document(document.as_str())
            .send()
            .await
            .map(drop)
            .map_err(failed("iam:PutUserPolicy")),
        Principal::Role(role) => client
            .put_role_policy()
            .role_name(role)
            .policy_name(name)
            .policy_document(document.as_str())
            .send()
            .await
            .map(drop)
            .map_err(failed("iam:PutRolePolicy")),
    }
}

/// Deletes an inline policy.
pub(super) async fn delete_inline_policy(
    client: &Client,
    principal: &Principal,
    name: &str,
) -> Result<(), Failure> {
    unless_gone(match principal {
        Principal::User(user) => {
            let request = client.delete_user_policy().user_name(user);
            let answer = request.policy_name(name).send().await;
            answer.map(drop).map_err(failed("iam:DeleteUserPolicy"))
        }
        Principal::Role(role) => {
            let request = client.delete_role_policy().role_name(role);
            let answer = request.policy_name(name).send().await;
            answer.map(drop).map_err(failed("iam:DeleteRolePolicy"))
        }
    })
}

/// Attaches a managed policy.
pub(super) async fn attach_policy(
    client: &Client,
    principal: &Principal,
    policy: &Arn,
) -> Result<(), Failure> {
    match principal {
        Principal::User(user) => {
            let request = client.attach_user_policy().user_name(user);
            let answer = request.policy_arn(policy.as_str()).send().await;
            answer.map(drop).map_err(failed("iam:AttachUserPolicy"))
        }
        Principal::Role(role) => {
            let request = client.attach_role_policy().role_name(role);
            let answer = request.policy_arn(policy.as_str()).send().await;
            answer.map(drop).map_err(failed("iam:AttachRolePolicy"))
        }
    }
}

/// Detaches a managed policy.
pub(super) async fn detach_policy(
    client: &Client,
    principal: &Principal,
    policy: &Arn,
) -> Result<(), Failure> {
    unless_gone(match principal {
        Principal::User(user) => {
            let request = client.detach_user_policy().user_name(user);
            let answer = request.policy_arn(policy.as_str()).send().await;
            answer.map(drop).map_err(failed("iam:DetachUserPolicy"))
        }
        Principal::Role(role) => {
            let request = client.detach_role_policy().role_name(role);
            let answer = request.policy_arn(policy.as_str()).send().await;
            answer.map(drop).map_err(failed("iam:DetachRolePolicy"))
        }
    })
}

/// Sets the permissions boundary.
pub(super) async fn set_boundary(
    client: &Client,
    principal: &Principal,
    policy: &Arn,
) -> Result<(), Failure> {
    match principal {
        Principal::User(user) => client
            .put_user_permissions_boundary()
            .user_name(user)
            .permissions_boundary(policy.as_str())
            .send()
            .await
            .map(drop)
            .map_err(failed("iam:PutUserPermissionsBoundary")),
        Principal::Role(role) => client
            .put_role_permissions_boundary()
            .role_name(role)
            .permissions_boundary(policy.as_str())
            .send()
            .await
            .map(drop)
            .map_err(failed("iam:PutRolePermissionsBoundary")),
    }
}

/// Removes the permissions boundary.
pub(super) async fn remove_boundary(client: &Client, principal: &Principal) -> Result<(), Failure> {
    unless_gone(match principal {
        Principal::User(user) => client
            .delete_user_permissions_boundary()
            .user_name(user)
            .send()
            .await
            .map(drop)
            .map_err(failed("iam:DeleteUserPermissionsBoundary")),
        Principal::Role(role) => client
            .delete_role_permissions_boundary()
            .role_name(role)
            .send()
            .await
            .map(drop)
            .map_err(failed("iam:DeleteRolePermissionsBoundary")),
    })
}

/// Sets tags.
pub(super) async fn tag(
    client: &Client,
    principal: &Principal,
    tags: &Tags,
) -> Result<(), Failure> {
    let call = match principal {
        Principal::User(_) => "iam:TagUser",
        Principal::Role(_) => "iam:TagRole",
    };
    for chunk in sdk_tags(call, tags)?.chunks(TAGS_PER_CALL) {
        let tags = Some(chunk.to_vec());
        match principal {
            Principal::User(user) => {
                let answer = client.tag_user().user_name(user).set_tags(tags).send();
                answer.await.map(drop).map_err(failed(call))
            }
            Principal::Role(role) => {
                let answer = client.tag_role().role_name(role).set_tags(tags).send();
                answer.await.map(drop).map_err(failed(call))
            }
        }?;
    }
    Ok(())
}

/// Removes tags.
pub(super) async fn untag(
    client: &Client,
    principal: &Principal,
    keys: &BTreeSet<String>,
) -> Result<(), Failure> {
    let keys: Vec<String> = keys.iter().cloned().collect();
    for chunk in keys.chunks(TAGS_PER_CALL) {
        let keys = Some(chunk.to_vec());
        unless_gone(match principal {
            Principal::User(user) => {
                let answer = client
                    .untag_user()
                    .user_name(user)
                    .set_tag_keys(keys)
                    .send();
                answer.await.map(drop).map_err(failed("iam:UntagUser"))
            }
            Principal::Role(role) => {
                let answer = client
                    .untag_role()
                    .role_name(role)
                    .set_tag_keys(keys)
                    .send();
                answer.await.map(drop).map_err(failed("iam:UntagRole"))
            }
        })?;
    }
    Ok(())
}
