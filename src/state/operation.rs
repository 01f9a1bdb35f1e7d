//! Operations: single intents towards IAM, which a plan is made of.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    AlertOperation, ExemptionEdit, GuardrailOperation, PolicyText, Principal, ResourceKey,
    ResourceType, RootFeature, Tags,
};
use crate::ids::{Arn, IamPath};

/// States one change to one account's IAM or to a guardrail, with everything that is needed to carry it out.
///
/// [`Inventory::apply`](super::Inventory::apply) is the model of what each does to an account,
/// [`Guardrails::apply`](super::Guardrails::apply) of what is done to a guardrail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// Creates a customer managed policy.
    CreatePolicy {
        /// The policy's name.
        name: String,
        /// Its path.
        path: IamPath,
        /// Its first version.
        document: PolicyText,
        /// Its description, which can't be changed later.
        description: String,
        /// Its tags.
        tags: Tags,
    },
    /// Creates a user that has no credentials and no permissions.
    CreateUser {
        /// The user's name.
        name: String,
        /// Its path.
        path: IamPath,
        /// Its tags.
        tags: Tags,
        /// Its permissions boundary.
        permissions_boundary: Option<Arn>,
    },
    /// Creates a role that has no permissions, with its final trust policy.
    CreateRole {
        /// The role's name.
        name: String,
        /// Its path.
        path: IamPath,
        /// Who may assume it.
        trust_policy: PolicyText,
        /// Its description.
        description: String,
        /// Its longest session, in seconds.
        max_session: u32,
        /// Its tags.
        tags: Tags,
        /// Its permissions boundary.
        permissions_boundary: Option<Arn>,
    },
    /// Makes a new version of a customer managed policy the default one, dropping the oldest if there is no room.
    SetPolicyDocument {
        /// The policy.
        arn: Arn,
        /// The new default version.
        document: PolicyText,
    },
    /// Moves a user to another path.
    SetUserPath {
        /// The user's name.
        user: String,
        /// The new path.
        path: IamPath,
    },
    /// Replaces a role's trust policy.
    SetTrustPolicy {
        /// The role's name.
        role: String,
        /// The new trust policy.
        document: PolicyText,
    },
    /// Sets a role's description and longest session, which one call writes together.
    SetRoleSettings {
        /// The role's name.
        role: String,
        /// The description.
        description: String,
        /// The longest session, in seconds.
        max_session: u32,
    },
    /// Writes an inline policy, over one of the same name.
    PutInlinePolicy {
        /// Whose policy it is.
        principal: Principal,
        /// The policy's name.
        name: String,
        /// The policy.
        document: PolicyText,
    },
    /// Deletes an inline policy.
    DeleteInlinePolicy {
        /// Whose policy it is.
        principal: Principal,
        /// The policy's name.
        name: String,
    },
    /// Attaches a managed policy.
    AttachPolicy {
        /// To whom.
        principal: Principal,
        /// The policy.
        policy: Arn,
    },
    /// Detaches a managed policy.
    DetachPolicy {
        /// From whom.
        principal: Principal,
        /// The policy.
        policy: Arn,
    },
    /// Sets the permissions boundary.
    SetBoundary {
        /// Whose boundary it is.
        principal: Principal,
        /// The managed policy that bounds.
        policy: Arn,
    },
    /// Removes the permissions boundary.
    RemoveBoundary {
        /// Whose boundary it is.
        principal: Principal,
    },
    /// Sets tags, leaving the others.
    Tag {
        /// Whose tags they are.
        principal: Principal,
        /// The tags.
        tags: Tags,
    },
    /// Removes tags.
    Untag {
        /// Whose tags they are.
        principal: Principal,
        /// Their keys.
        keys: BTreeSet<String>,
    },
    /// Takes a user out of a group.
    RemoveFromGroup {
        /// The user's name.
        user: String,
        /// The group's name.
        group: String,
    },
    /// Deletes an access key.
    DeleteAccessKey {
        /// The user's name.
        user: String,
        /// The key's id.
        id: String,
    },
    /// Deletes an SSH public key.
    DeleteSshKey {
        /// The user's name.
        user: String,
        /// The key's id.
        id: String,
    },
    /// Deletes a service-specific credential.
    DeleteServiceCredential {
        /// The user's name.
        user: String,
        /// The credential's id.
        id: String,
    },
    /// Deletes a signing certificate.
    DeleteSigningCertificate {
        /// The user's name.
        user: String,
        /// The certificate's id.
        id: String,
    },
    /// Deletes a user's login profile, so that its password stops working.
    DeleteLoginProfile {
        /// The user's name.
        user: String,
    },
    /// Deletes a customer managed policy with all its versions.
    DeletePolicy {
        /// The policy.
        arn: Arn,
    },
    /// Deletes a user, with what may hang on it beside what other operations have removed (devices, certificates, …).
    DeleteUser {
        /// The user's name.
        name: String,
    },
    /// Deletes a role, taking it out of instance profiles.
    DeleteRole {
        /// The role's name.
        name: String,
    },
    /// Turns on a feature by which the organization manages root users; carried out in the management account.
    EnableRootFeature {
        /// The feature.
        feature: RootFeature,
    },
    /// Makes a guardrail let principals through, or no longer.
    SetExemptions(ExemptionEdit),
    /// Makes, changes, attaches or deletes a guardrail of this tool's own.
    ChangeGuardrail(GuardrailOperation),
    /// Makes, changes or deletes a part of the alerts.
    ChangeAlert(AlertOperation),
}

impl Operation {
    /// The managed policy that it makes someone have, attached or as a boundary.
    #[must_use]
    pub fn policy(&self) -> Option<&Arn> {
        match self {
            Self::AttachPolicy { policy, .. } | Self::SetBoundary { policy, .. } => Some(policy),
            Self::CreateUser {
                permissions_boundary,
                ..
            }
            | Self::CreateRole {
                permissions_boundary,
                ..
            } => permissions_boundary.as_ref(),
            Self::CreatePolicy { .. }
            | Self::SetPolicyDocument { .. }
            | Self::SetUserPath { .. }
            | Self::SetTrustPolicy { .. }
            | Self::SetRoleSettings { .. }
            | Self::PutInlinePolicy { .. }
            | Self::DeleteInlinePolicy { .. }
            | Self::DetachPolicy { .. }
            | Self::RemoveBoundary { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::RemoveFromGroup { .. }
            | Self::DeleteAccessKey { .. }
            | Self::DeleteSshKey { .. }
            | Self::DeleteServiceCredential { .. }
            | Self::DeleteSigningCertificate { .. }
            | Self::EnableRootFeature { .. }
            | Self::DeleteLoginProfile { .. }
            | Self::DeletePolicy { .. }
            | Self::DeleteUser { .. }
            | Self::DeleteRole { .. }
            | Self::SetExemptions(_)
            | Self::ChangeGuardrail(_)
            | Self::ChangeAlert(_) => None,
        }
    }

    /// The resource that it changes.
    #[must_use]
    pub fn target(&self) -> ResourceKey {
        let key = |kind, name: &str| ResourceKey::new(kind, name);
        match self {
            Self::CreatePolicy { name, .. } => key(ResourceType::IamPolicy, name),
            Self::SetPolicyDocument { arn, .. } | Self::DeletePolicy { arn } => {
                key(ResourceType::IamPolicy, arn.name())
            }
            Self::CreateUser { name, .. }
            | Self::DeleteUser { name }
            | Self::SetUserPath { user: name, .. }
            | Self::RemoveFromGroup { user: name, .. }
            | Self::DeleteAccessKey { user: name, .. }
            | Self::DeleteSshKey { user: name, .. }
            | Self::DeleteServiceCredential { user: name, .. }
            | Self::DeleteSigningCertificate { user: name, .. } => key(ResourceType::IamUser, name),
            Self::DeleteLoginProfile { user } => key(ResourceType::Credential, user),
            Self::EnableRootFeature { feature } => key(ResourceType::RootAccess, feature.as_str()),
            Self::CreateRole { name, .. }
            | Self::DeleteRole { name }
            | Self::SetTrustPolicy { role: name, .. }
            | Self::SetRoleSettings { role: name, .. } => key(ResourceType::IamRole, name),
            Self::PutInlinePolicy { principal, .. }
            | Self::DeleteInlinePolicy { principal, .. }
            | Self::AttachPolicy { principal, .. }
            | Self::DetachPolicy { principal, .. }
            | Self::SetBoundary { principal, .. }
            | Self::RemoveBoundary { principal }
            | Self::Tag { principal, .. }
            | Self::Untag { principal, .. } => principal.key(),
            Self::SetExemptions(edit) => key(ResourceType::GuardrailException, &edit.exception),
            Self::ChangeGuardrail(operation) => {
                key(ResourceType::GuardrailPolicy, operation.policy().text())
            }
            Self::ChangeAlert(operation) => operation.target(),
        }
    }

    /// The action that carries it out, such as `iam:CreateRole`.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::CreatePolicy { .. } => "iam:CreatePolicy",
            Self::CreateUser { .. } => "iam:CreateUser",
            Self::CreateRole { .. } => "iam:CreateRole",
            Self::SetPolicyDocument { .. } => "iam:CreatePolicyVersion",
            Self::SetUserPath { .. } => "iam:UpdateUser",
            Self::SetTrustPolicy { .. } => "iam:UpdateAssumeRolePolicy",
            Self::SetRoleSettings { .. } => "iam:UpdateRole",
            Self::PutInlinePolicy { principal, .. } => match principal {
                Principal::User(_) => "iam:PutUserPolicy",
                Principal::Role(_) => "iam:PutRolePolicy",
            },
            Self::DeleteInlinePolicy { principal, .. } => match principal {
                Principal::User(_) => "iam:DeleteUserPolicy",
                Principal::Role(_) => "iam:DeleteRolePolicy",
            },
            Self::AttachPolicy { principal, .. } => match principal {
                Principal::User(_) => "iam:AttachUserPolicy",
                Principal::Role(_) => "iam:AttachRolePolicy",
            },
            Self::DetachPolicy { principal, .. } => match principal {
                Principal::User(_) => "iam:DetachUserPolicy",
                Principal::Role(_) => "iam:DetachRolePolicy",
            },
            Self::SetBoundary { principal, .. } => match principal {
                Principal::User(_) => "iam:PutUserPermissionsBoundary",
                Principal::Role(_) => "iam:PutRolePermissionsBoundary",
            },
            Self::RemoveBoundary { principal } => match principal {
                Principal::User(_) => "iam:DeleteUserPermissionsBoundary",
                Principal::Role(_) => "iam:DeleteRolePermissionsBoundary",
            },
            Self::Tag { principal, .. } => match principal {
                Principal::User(_) => "iam:TagUser",
                Principal::Role(_) => "iam:TagRole",
            },
            Self::Untag { principal, .. } => match principal {
                Principal::User(_) => "iam:UntagUser",
                Principal::Role(_) => "iam:UntagRole",
            },
            Self::RemoveFromGroup { .. } => "iam:RemoveUserFromGroup",
            Self::DeleteAccessKey { .. } => "iam:DeleteAccessKey",
            Self::DeleteSshKey { .. } => "iam:DeleteSSHPublicKey",
            Self::DeleteServiceCredential { .. } => "iam:DeleteServiceSpecificCredential",
            Self::DeleteSigningCertificate { .. } => "iam:DeleteSigningCertificate",
            Self::EnableRootFeature { feature } => match feature {
                RootFeature::CredentialsManagement => {
                    "iam:EnableOrganizationsRootCredentialsManagement"
                }
                RootFeature::RootSessions => "iam:EnableOrganizationsRootSessions",
            },
            Self::DeleteLoginProfile { .. } => "iam:DeleteLoginProfile",
            Self::DeletePolicy { .. } => "iam:DeletePolicy",
            Self::DeleteUser { .. } => "iam:DeleteUser",
            Self::DeleteRole { .. } => "iam:DeleteRole",
            Self::SetExemptions(_) => "organizations:UpdatePolicy",
            Self::ChangeGuardrail(operation) => operation.action(),
            Self::ChangeAlert(operation) => operation.action(),
        }
    }
}
