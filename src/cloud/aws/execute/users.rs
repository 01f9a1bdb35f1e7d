//! Users.

use aws_sdk_iam::Client;

use super::unless_gone;
use crate::cloud::aws::convert::sdk_tags;
use crate::cloud::aws::error::{Failure, failed};
use crate::cloud::aws::resource;
use crate::ids::{Arn, IamPath};
use crate::state::{Tags, User};

/// Creates a user that has no credentials and no permissions.
pub(super) async fn create(
    client: &Client,
    name: &str,
    path: &IamPath,
    tags: &Tags,
    permissions_boundary: Option<&Arn>,
) -> Result<(), Failure> {
    let call = "iam:CreateUser";
    client
        .create_user()
        .user_name(name)
        .path(path.as_str())
        .set_tags(Some(sdk_tags(call, tags)?))
        .set_permissions_boundary(permissions_boundary.map(Arn::to_string))
        .send()
        .await
        .map(drop)
        .map_err(failed(call))
}

/// Moves a user to another path.
pub(super) async fn set_path(client: &Client, user: &str, path: &IamPath) -> Result<(), Failure> {
    client
        .update_user()
        .user_name(user)
        .new_path(path.as_str())
        .send()
        .await
        .map(drop)
        .map_err(failed("iam:UpdateUser"))
}

/// Takes a user out of a group.
pub(super) async fn remove_from_group(
    client: &Client,
    user: &str,
    group: &str,
) -> Result<(), Failure> {
    let request = client.remove_user_from_group().user_name(user);
    let answer = request.group_name(group).send().await;
    unless_gone(answer.map_err(failed("iam:RemoveUserFromGroup")))
}

/// Deletes an access key.
pub(super) async fn delete_access_key(
    client: &Client,
    user: &str,
    id: &str,
) -> Result<(), Failure> {
    let request = client.delete_access_key().user_name(user);
    let answer = request.access_key_id(id).send().await;
    unless_gone(answer.map_err(failed("iam:DeleteAccessKey")))
}

/// Deletes an SSH public key.
pub(super) async fn delete_ssh_key(client: &Client, user: &str, id: &str) -> Result<(), Failure> {
    let request = client.delete_ssh_public_key().user_name(user);
    let answer = request.ssh_public_key_id(id).send().await;
    unless_gone(answer.map_err(failed("iam:DeleteSSHPublicKey")))
}

/// Deletes a service-specific credential.
pub(super) async fn delete_service_credential(
    client: &Client,
    user: &str,
    id: &str,
) -> Result<(), Failure> {
    let request = client.delete_service_specific_credential().user_name(user);
    let answer = request.service_specific_credential_id(id).send().await;
    unless_gone(answer.map_err(failed("iam:DeleteServiceSpecificCredential")))
}

/// Deletes a signing certificate.
pub(super) async fn delete_signing_certificate(
    client: &Client,
    user: &str,
    id: &str,
) -> Result<(), Failure> {
    let request = client.delete_signing_certificate().user_name(user);
    let answer = request.certificate_id(id).send().await;
    unless_gone(answer.map_err(failed("iam:DeleteSigningCertificate")))
}

/// Deletes a login profile.
pub(super) async fn delete_login_profile(client: &Client, user: &str) -> Result<(), Failure> {
    let answer = client.delete_login_profile().user_name(user).send().await;
    unless_gone(answer.map_err(failed("iam:DeleteLoginProfile")))
}

/// Deletes a user, with the devices that may hang on it.
pub(super) async fn delete(client: &Client, name: &str) -> Result<(), Failure> {
    match delete_user(client, name).await {
        Err(conflict) if conflict.has_code("DeleteConflict") => {
            // Whoever gave the user something since the plan was made wants it to stay: it keeps its devices too.
            if has_more_to_it(client, name).await? {
                return Err(conflict);
            }
            delete_mfa_devices(client, name).await?;
            delete_user(client, name).await
        }
        answer => answer,
    }
}

async fn delete_user(client: &Client, name: &str) -> Result<(), Failure> {
    let answer = client.delete_user().user_name(name).send().await;
    unless_gone(answer.map_err(failed("iam:DeleteUser")))
}

/// Tells whether anything hangs on a user that operations of their own would remove.
async fn has_more_to_it(client: &Client, name: &str) -> Result<bool, Failure> {
    if resource::has_login_profile(client, name).await? {
        return Ok(true);
    }
    let Some(user) = resource::user(client, name).await? else {
        return Ok(false);
    };
    let User {
        path: _,
        tags: _,
        permissions_boundary: _,
        managed_policies,
        inline_policies,
        groups,
        access_keys,
        ssh_keys,
        service_credentials,
        signing_certificates,
    } = user;
    let bare = managed_policies.is_empty()
        && inline_policies.is_empty()
        && groups.is_empty()
        && access_keys.is_empty()
        && ssh_keys.is_empty()
        && service_credentials.is_empty()
        && signing_certificates.is_empty();
    Ok(!bare)
}

async fn delete_mfa_devices(client: &Client, user: &str) -> Result<(), Failure> {
    let pages = client.list_mfa_devices().user_name(user).into_paginator();
    let devices = pages.items().send().try_collect().await;
    for device in devices.map_err(failed("iam:ListMFADevices"))? {
        let serial = device.serial_number;
        let request = client.deactivate_mfa_device().user_name(user);
        let answer = request.serial_number(&serial).send().await;
        unless_gone(answer.map_err(failed("iam:DeactivateMFADevice")))?;
        // Only a virtual device is an object of its own, which would stay behind without a user.
        if serial.contains(":mfa/") {
            let request = client.delete_virtual_mfa_device();
            let answer = request.serial_number(&serial).send().await;
            unless_gone(answer.map_err(failed("iam:DeleteVirtualMFADevice")))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::aws::testing::{FakeAws, refusal, result};

    const USER: &str = "<User><Path>/</Path><UserName>bg-alice</UserName><UserId>AIDA</UserId><Arn>arn:aws:iam::111122223333:user/bg-alice</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></User>";
    const DEVICES: &str = "<MFADevices><member><UserName>bg-alice</UserName><SerialNumber>GAHT12345678</SerialNumber><EnableDate>2026-01-01T00:00:00Z</EnableDate></member><member><UserName>bg-alice</UserName><SerialNumber>arn:aws:iam::111122223333:mfa/bg-alice</SerialNumber><EnableDate>2026-01-01T00:00:00Z</EnableDate></member></MFADevices>";

    /// An account in which only a user without devices can be deleted; `attached` is what is attached to the user.
    fn account(attached: &'static str) -> FakeAws {
        let devices = std::sync::atomic::AtomicI32::new(2);
        FakeAws::new(move |call| match call.action.as_str() {
            "DeleteUser" if devices.load(std::sync::atomic::Ordering::Relaxed) > 0 => refusal(
                409,
                "DeleteConflict",
                "Cannot delete entity, must delete MFA device first.",
            ),
            "GetLoginProfile" => refusal(404, "NoSuchEntity", "no login profile"),
            "GetUser" => result(&call.action, USER),
            "ListAttachedUserPolicies" => result(&call.action, attached),
            "ListMFADevices" => result(&call.action, DEVICES),
            "DeactivateMFADevice" => {
                devices.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
                result(&call.action, "")
            }
            _ => result(&call.action, ""),
        })
    }

    fn changes(aws: &FakeAws) -> Vec<String> {
        let reads = |action: &String| action.starts_with("Get") || action.starts_with("List");
        let calls = aws.actions().into_iter();
        calls.filter(|action| !reads(action)).collect()
    }

    #[tokio::test]
    async fn a_user_goes_with_its_devices() {
        let aws = account("");
        delete(&aws.iam(), "bg-alice").await.unwrap();
        assert_eq!(
            changes(&aws),
            [
                "DeleteUser",
                "DeactivateMFADevice",
                "DeactivateMFADevice",
                "DeleteVirtualMFADevice",
                "DeleteUser"
            ]
        );
    }

    #[tokio::test]
    async fn a_user_that_was_given_something_keeps_its_devices() {
        let aws = account(
            "<AttachedPolicies><member><PolicyArn>arn:aws:iam::aws:policy/ReadOnlyAccess</PolicyArn></member></AttachedPolicies>",
        );
        let failure = delete(&aws.iam(), "bg-alice").await.unwrap_err();
        assert!(failure.has_code("DeleteConflict"));
        assert_eq!(changes(&aws), ["DeleteUser"]);
    }
}
