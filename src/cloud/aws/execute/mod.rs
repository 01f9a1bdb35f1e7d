//! Carries out operations: each kind of thing has its file.
//!
//! IAM is eventually consistent: what was just made may for a while not be found, or not be accepted as a principal.
//! `patience` decides how long that is waited out.

mod password;
mod patience;
mod policies;
mod principals;
mod roles;
mod users;

use aws_sdk_iam::Client;
use aws_sdk_iam::config::Config;
use aws_sdk_iam::config::retry::RetryConfig;

use super::error::Failure;
use super::session::{Purpose, Sessions};
use super::{alerts, root};
use crate::ids::{AccountId, Arn, Partition};
use crate::state::{Operation, split_regional};
pub(super) use password::{set as set_password, shortest as shortest_password};
pub(super) use patience::{Created, Waits};

/// Where operations are carried out.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) client: Client,
    pub(super) sessions: &'a Sessions,
    pub(super) organizations: &'a aws_sdk_organizations::Client,
    pub(super) partition: &'a Partition,
    pub(super) account: &'a AccountId,
    pub(super) created: &'a Created,
}

impl Place<'_> {
    /// Carries out an operation, waiting out what only takes a moment to come right.
    pub(super) async fn execute(&self, operation: &Operation) -> Result<(), Failure> {
        let mut waits = Waits::default();
        loop {
            let Err(failure) = attempt(self, operation).await else {
                self.remember(operation);
                return Ok(());
            };
            let limit = patience::limit(operation, self.account, &failure, self.created);
            let Some(wait) = waits.next(limit) else {
                return Err(patience::explain(failure, limit));
            };
            tracing::debug!(
                account = %self.account,
                action = operation.action(),
                failure = failure.message(),
                ?wait,
                "waiting for IAM to become consistent"
            );
            tokio::time::sleep(wait).await;
        }
    }

    fn remember(&self, operation: &Operation) {
        let (kind, path, name) = match operation {
            Operation::CreatePolicy { name, path, .. } => ("policy", path, name),
            Operation::CreateUser { name, path, .. } => ("user", path, name),
            Operation::CreateRole { name, path, .. } => ("role", path, name),
            _ => return,
        };
        let arn = Arn::iam(self.partition, self.account, kind, path, name);
        self.created.remember(arn);
    }
}

async fn attempt(place: &Place<'_>, operation: &Operation) -> Result<(), Failure> {
    let client = &place.client;
    match operation {
        Operation::CreatePolicy {
            name,
            path,
            document,
            description,
            tags,
        } => policies::create(client, name, path, document, description, tags).await,
        Operation::SetPolicyDocument { arn, document } => {
            policies::set_document(client, arn, document, tokio::time::sleep).await
        }
        Operation::DeletePolicy { arn } => policies::delete(client, arn).await,
        Operation::CreateUser {
            name,
            path,
            tags,
            permissions_boundary,
        } => users::create(client, name, path, tags, permissions_boundary.as_ref()).await,
        Operation::SetUserPath { user, path } => users::set_path(client, user, path).await,
        Operation::RemoveFromGroup { user, group } => {
            users::remove_from_group(client, user, group).await
        }
        Operation::DeleteAccessKey { user, id } => users::delete_access_key(client, user, id).await,
        Operation::DeleteSshKey { user, id } => users::delete_ssh_key(client, user, id).await,
        Operation::DeleteServiceCredential { user, id } => {
            users::delete_service_credential(client, user, id).await
        }
        Operation::DeleteSigningCertificate { user, id } => {
            users::delete_signing_certificate(client, user, id).await
        }
        Operation::EnableRootFeature { feature } => {
            root::enable(client, place.organizations, *feature).await
        }
        Operation::DeleteLoginProfile { user } => users::delete_login_profile(client, user).await,
        Operation::DeleteUser { name } => users::delete(client, name).await,
        Operation::CreateRole {
            name,
            path,
            trust_policy,
            description,
            max_session,
            tags,
            permissions_boundary,
        } => {
            let role = roles::NewRole {
                name,
                path,
                trust_policy,
                description,
                max_session: *max_session,
                tags,
                permissions_boundary: permissions_boundary.as_ref(),
            };
            roles::create(client, role).await
        }
        Operation::SetTrustPolicy { role, document } => {
            roles::set_trust_policy(client, role, document).await
        }
        Operation::SetRoleSettings {
            role,
            description,
            max_session,
        } => roles::set_settings(client, role, description, *max_session).await,
        Operation::DeleteRole { name } => roles::delete(client, name).await,
        Operation::PutInlinePolicy {
            principal,
            name,
            document,
        } => principals::put_inline_policy(client, principal, name, document).await,
        Operation::DeleteInlinePolicy { principal, name } => {
            principals::delete_inline_policy(client, principal, name).await
        }
        Operation::AttachPolicy { principal, policy } => {
            principals::attach_policy(client, principal, policy).await
        }
        Operation::DetachPolicy { principal, policy } => {
            principals::detach_policy(client, principal, policy).await
        }
        Operation::SetBoundary { principal, policy } => {
            principals::set_boundary(client, principal, policy).await
        }
        Operation::RemoveBoundary { principal } => {
            principals::remove_boundary(client, principal).await
        }
        Operation::Tag { principal, tags } => principals::tag(client, principal, tags).await,
        Operation::Untag { principal, keys } => principals::untag(client, principal, keys).await,
        Operation::SetExemptions(_) | Operation::ChangeGuardrail(_) => {
            let problem = "guardrails are not changed in an account";
            Err(Failure::new(operation.action(), problem))
        }
        Operation::ChangeAlert(operation) => {
            let target = operation.target();
            let (region, _) = split_regional(&target.name);
            let region = place.sessions.region(place.account, Purpose::Apply, region);
            alerts::execute(&region, operation).await
        }
    }
}

/// Has the SDK make a call once only: one that must not be made again before it is known what became of it.
fn once() -> aws_sdk_iam::config::Builder {
    Config::builder().retry_config(RetryConfig::disabled())
}

/// Takes for done what there is nothing left to do for: the thing to delete is gone.
fn unless_gone<T>(answer: Result<T, Failure>) -> Result<(), Failure> {
    match answer {
        Err(failure) if !failure.has_code("NoSuchEntity") => Err(failure),
        _ => Ok(()),
    }
}

/// Leaves out a description that is empty, which IAM does not tell apart from none.
fn unless_empty(description: &str) -> Option<String> {
    (!description.is_empty()).then(|| description.to_owned())
}
