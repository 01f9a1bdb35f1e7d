//! Root users: reads what protects them, and has the organization manage those of its members.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{AssignmentStatusType, FeatureType, SummaryKeyType};

use super::convert::required;
use super::error::{Failure, failed};
use crate::ids::AccountId;
use crate::state::{RootAccess, RootCredentials, RootFeature, RootScope};

/// What AWS calls IAM among the services that an organization trusts.
const SERVICE: &str = "iam.amazonaws.com";
/// The error while the organization does not trust IAM, without which there are no features.
pub(super) const NOT_TRUSTED: &str = "ServiceAccessNotEnabledException";

/// Reads what is asked for of an account's root user.
pub(super) async fn read(
    client: &Client,
    account: &AccountId,
    scope: &RootScope,
) -> Result<RootAccess, Failure> {
    let management = scope.management == *account;
    let mut root = RootAccess::default();
    if scope.users {
        root.credentials = Some(credentials(client, management).await?);
    }
    if scope.features && management {
        root.features = Some(features(client).await?);
    }
    Ok(root)
}

async fn credentials(client: &Client, management: bool) -> Result<RootCredentials, Failure> {
    let call = "iam:GetAccountSummary";
    let answer = client.get_account_summary().send().await;
    let answer = answer.map_err(failed(call))?;
    let summary = required(call, "summary", answer.summary_map())?;
    let told = |key: SummaryKeyType| told(summary, &key);
    let mfa = required(
        call,
        "AccountMFAEnabled",
        told(SummaryKeyType::AccountMfaEnabled),
    )?;
    Ok(RootCredentials {
        mfa,
        virtual_mfa: if management && mfa {
            Some(has_virtual_device(client).await?)
        } else {
            None
        },
        access_keys: required(
            call,
            "AccountAccessKeysPresent",
            told(SummaryKeyType::AccountAccessKeysPresent),
        )?,
        signing_certificates: required(
            call,
            "AccountSigningCertificatesPresent",
            told(SummaryKeyType::AccountSigningCertificatesPresent),
        )?,
        password: told(SummaryKeyType::AccountPasswordPresent),
    })
}

fn told(summary: &HashMap<SummaryKeyType, i32>, key: &SummaryKeyType) -> Option<bool> {
    summary.get(key).map(|number| *number > 0)
}

/// Tells whether a virtual device is the root user's. Other devices of root users are listed nowhere.
async fn has_virtual_device(client: &Client) -> Result<bool, Failure> {
    let pages = client
        .list_virtual_mfa_devices()
        .assignment_status(AssignmentStatusType::Assigned)
        .into_paginator();
    let devices = pages.items().send().try_collect().await;
    let devices = devices.map_err(failed("iam:ListVirtualMFADevices"))?;
    Ok(devices.iter().any(|device| {
        let owner = device.user().map(|user| user.arn());
        device
            .serial_number()
            .ends_with(":mfa/root-account-mfa-device")
            || owner.is_some_and(|arn| arn.ends_with(":root"))
    }))
}

/// Tells whether the feature of this name is on.
pub(super) async fn is_on(client: &Client, name: &str) -> Result<bool, Failure> {
    let mut known = RootFeature::ALL.into_iter();
    let Some(feature) = known.find(|feature| feature.as_str() == name) else {
        return Ok(false);
    };
    Ok(features(client).await?.contains(&feature))
}

async fn features(client: &Client) -> Result<BTreeSet<RootFeature>, Failure> {
    let answer = client.list_organizations_features().send().await;
    let answer = match answer.map_err(failed("iam:ListOrganizationsFeatures")) {
        Err(failure) if failure.has_code(NOT_TRUSTED) => return Ok(BTreeSet::new()),
        answer => answer?,
    };
    let on = answer.enabled_features();
    Ok(RootFeature::ALL
        .into_iter()
        .filter(|feature| on.contains(&sdk_feature(*feature)))
        .collect())
}

fn sdk_feature(feature: RootFeature) -> FeatureType {
    match feature {
        RootFeature::CredentialsManagement => FeatureType::RootCredentialsManagement,
        RootFeature::RootSessions => FeatureType::RootSessions,
    }
}

/// Turns a feature on, and before that the organization's trust in IAM if it has none.
pub(super) async fn enable(
    client: &Client,
    organizations: &aws_sdk_organizations::Client,
    feature: RootFeature,
) -> Result<(), Failure> {
    match turn_on(client, feature).await {
        Err(failure) if failure.has_code(NOT_TRUSTED) => {
            let request = organizations.enable_aws_service_access();
            let answer = request.service_principal(SERVICE).send().await;
            answer.map_err(failed("organizations:EnableAWSServiceAccess"))?;
            turn_on(client, feature).await
        }
        answer => answer,
    }
}

async fn turn_on(client: &Client, feature: RootFeature) -> Result<(), Failure> {
    match feature {
        RootFeature::CredentialsManagement => client
            .enable_organizations_root_credentials_management()
            .send()
            .await
            .map(drop)
            .map_err(failed("iam:EnableOrganizationsRootCredentialsManagement")),
        RootFeature::RootSessions => client
            .enable_organizations_root_sessions()
            .send()
            .await
            .map(drop)
            .map_err(failed("iam:EnableOrganizationsRootSessions")),
    }
}
