//! The AWS backend: the only place that names a type of the SDK.
//!
//! [`connect`] loads the SDK's configuration and finds out who the caller is, and of which organization. From there,
//! `organization` reads the organization, `read` an account in as few calls as IAM allows, `resource` one resource by
//! name, and `execute` carries out one operation. `people` and `root` read what protects users and root users. `alerts`
//! reads and changes what lives in Regions, `guardrails` SCPs and RCPs. `history` asks for past events. `session` enters
//! accounts, `throttle` keeps calls at the pace that AWS takes, `answer` refuses answers that are none, `error` puts
//! failures into words.

mod alerts;
mod answer;
mod config;
mod convert;
mod document;
mod error;
mod execute;
mod guardrails;
mod history;
mod http;
mod notify;
mod organization;
mod people;
mod read;
mod resource;
mod root;
mod session;
#[cfg(test)]
mod testing;
mod throttle;
mod whole;

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::future::join;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use secrecy::SecretString;

use super::{Answer, Cloud, CloudError, Finding};
use crate::ids::{AccountId, Partition};
use crate::org::Organization;
use crate::state::{
    Address, DrillEvent, GuardrailOperation, GuardrailPolicy, Guardrails, Inventory, Metric,
    Operation, PolicyReference, ReadScope, Reading, Resource, ResourceKey, split_regional,
};
use error::Failure;
use execute::Created;
pub use history::HistoryReader;
pub use notify::{post, publish};
use session::{Purpose, Sessions};

/// How many calls to Organizations are made at a time, at most: it takes some a second, so that more would wait for
/// minutes, and no call may take that long.
const MOST_ABREAST: usize = 64;

/// Says how to reach AWS and the accounts of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where every service is called, in place of AWS's own endpoints.
    pub endpoint_url: Option<String>,
    /// The roles to assume in each account.
    pub member_role: MemberRole,
    /// What is different for single accounts.
    pub overrides: BTreeMap<AccountId, Override>,
    /// How many calls to Organizations are made at a time, at least one.
    pub concurrency: usize,
}

/// Names the roles that an account is entered with: a plain name, or `path/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRole {
    /// The role that reads.
    pub plan: String,
    /// The role that writes.
    pub apply: String,
}

/// Says how entering one account differs from entering the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    /// Its roles, if others.
    pub member_role: Option<MemberRole>,
    /// The external id that its roles ask for.
    pub external_id: Option<String>,
}

/// Gives access to the live state of an organization on AWS.
#[derive(Debug)]
pub struct Aws {
    sessions: Sessions,
    organizations: aws_sdk_organizations::Client,
    identity: Result<organization::Identity, Failure>,
    guardrails: guardrails::Writer,
    created: Created,
    concurrency: usize,
}

/// Connects to AWS with the credentials of the environment or profile, and asks whose they are.
///
/// # Errors
/// When there are no credentials, they are not valid, or STS can't be reached. What is wrong with the organization is told
/// by what needs it.
pub async fn connect(settings: Settings) -> Result<Aws, CloudError> {
    let sdk = config::load(settings.endpoint_url.as_deref()).await;
    let organizations = config::organizations(&sdk);
    // Neither needs the other's answer, and every command needs both.
    let entering = Sessions::new(sdk, settings.member_role, settings.overrides);
    let (sessions, identity) = join(entering, organization::describe(&organizations)).await;
    Ok(Aws {
        guardrails: guardrails::Writer::new(organizations.clone()),
        organizations,
        identity,
        sessions: sessions?,
        created: Created::default(),
        concurrency: settings.concurrency.clamp(1, MOST_ABREAST),
    })
}

impl Aws {
    fn organization_reader(&self) -> organization::Reader<'_> {
        organization::Reader {
            client: &self.organizations,
            identity: &self.identity,
            concurrency: self.concurrency,
        }
    }

    fn guardrail_reader(&self) -> guardrails::Reader<'_> {
        guardrails::Reader {
            client: &self.organizations,
            concurrency: self.concurrency,
        }
    }

    /// Works in an account, and once more when AWS says that the session has expired: it may end sooner than it was told to.
    ///
    /// That is safe for writes too, because AWS refuses such a call before it does anything.
    async fn inside<T, F>(
        &self,
        account: &AccountId,
        purpose: Purpose,
        work: impl Fn(aws_sdk_iam::Client) -> F,
    ) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        match work(self.sessions.iam(account, purpose)).await {
            Err(failure) if failure.is_expired() && self.sessions.leave(account, purpose) => {
                tracing::debug!(%account, "the session has expired, entering again");
                Ok(work(self.sessions.iam(account, purpose)).await?)
            }
            answer => Ok(answer?),
        }
    }
}

/// Awaits calls, so many at a time, and gives their answers in no particular order.
async fn all<T, E>(
    concurrency: usize,
    calls: Vec<impl Future<Output = Result<T, E>>>,
) -> Result<Vec<T>, E> {
    stream::iter(calls)
        .buffer_unordered(concurrency)
        .try_collect()
        .await
}

impl Cloud for Aws {
    fn discover<'a>(
        &'a self,
        expected: Option<&'a str>,
        with_tags: bool,
        found: &'a Finding<'a>,
    ) -> Answer<'a, Organization> {
        async move {
            let reader = self.organization_reader();
            let caller = self.sessions.caller();
            let reading = reader.organization(caller, expected, with_tags, found);
            let organization = reading.await?;
            match organization.orphan() {
                Some(orphan) => Err(CloudError::hole_in_tree(orphan)),
                None => Ok(organization),
            }
        }
        .boxed()
    }

    fn account<'a>(
        &'a self,
        account: &'a AccountId,
        scope: &'a ReadScope,
    ) -> Answer<'a, Inventory> {
        async move {
            tracing::debug!(%account, "reading");
            let read = async |client: aws_sdk_iam::Client| {
                let alerts = async {
                    let scope = scope.alerts.as_ref()?;
                    let reader = alerts::Reader {
                        sessions: &self.sessions,
                        account,
                        scope,
                    };
                    Some(reader.alerts().await)
                };
                let inventory = read::inventory(&client, account, scope);
                let (inventory, alerts) = join(inventory, alerts).await;
                let alerts = match alerts {
                    // What was read of IAM with the same session is read again with the next.
                    Some(Err(failure)) if failure.is_expired() => return Err(failure),
                    Some(Err(failure)) => Some(Reading::Unreadable {
                        error: CloudError::from(failure).to_string(),
                    }),
                    Some(Ok(alerts)) => Some(Reading::Complete(alerts)),
                    None => None,
                };
                Ok(Inventory {
                    alerts,
                    ..inventory?
                })
            };
            self.inside(account, Purpose::Plan, read).await
        }
        .boxed()
    }

    fn resource<'a>(
        &'a self,
        account: &'a AccountId,
        key: &'a ResourceKey,
    ) -> Answer<'a, Option<Resource>> {
        async move {
            let read = async |client: aws_sdk_iam::Client| {
                if key.resource_type.is_alert() {
                    let (region, name) = split_regional(&key.name);
                    let region = self.sessions.region(account, Purpose::Apply, region);
                    let found = alerts::read(&region, key.resource_type, name).await?;
                    return Ok(found.map(Resource::Alert));
                }
                resource::read(&client, key).await
            };
            self.inside(account, Purpose::Apply, read).await
        }
        .boxed()
    }

    fn execute<'a>(&'a self, account: &'a AccountId, operation: &'a Operation) -> Answer<'a, ()> {
        async move {
            tracing::debug!(%account, action = operation.action(), "writing");
            let write = async |client: aws_sdk_iam::Client| {
                let place = execute::Place {
                    client,
                    sessions: &self.sessions,
                    organizations: &self.organizations,
                    partition: &self.sessions.caller().partition,
                    account,
                    created: &self.created,
                };
                place.execute(operation).await
            };
            self.inside(account, Purpose::Apply, write).await
        }
        .boxed()
    }

    fn shortest_password<'a>(&'a self, account: &'a AccountId) -> Answer<'a, u32> {
        async move {
            let read =
                async |client: aws_sdk_iam::Client| execute::shortest_password(&client).await;
            self.inside(account, Purpose::Apply, read).await
        }
        .boxed()
    }

    fn set_password<'a>(
        &'a self,
        account: &'a AccountId,
        user: &'a str,
        password: &'a SecretString,
    ) -> Answer<'a, ()> {
        async move {
            tracing::debug!(%account, user, "setting a password");
            let write = async |client: aws_sdk_iam::Client| {
                execute::set_password(&client, user, password, tokio::time::sleep).await
            };
            self.inside(account, Purpose::Apply, write).await
        }
        .boxed()
    }

    fn guardrails(&self) -> Answer<'_, Guardrails> {
        async move { Ok(self.guardrail_reader().guardrails().await?) }.boxed()
    }

    fn guardrail<'a>(&'a self, policy: &'a PolicyReference) -> Answer<'a, Option<GuardrailPolicy>> {
        async move {
            let Some(id) = self.guardrails.find(policy).await? else {
                return Ok(None);
            };
            Ok(self.guardrail_reader().policy(&id).await?)
        }
        .boxed()
    }

    fn change_guardrails<'a>(&'a self, operation: &'a GuardrailOperation) -> Answer<'a, ()> {
        async move {
            tracing::debug!(action = operation.action(), "writing");
            Ok(self.guardrails.change(operation).await?)
        }
        .boxed()
    }

    fn send_event<'a>(
        &'a self,
        account: &'a AccountId,
        region: &'a str,
        event: &'a DrillEvent,
    ) -> Answer<'a, ()> {
        async move {
            let region = self.sessions.region(account, Purpose::Apply, region);
            Ok(alerts::drill::send(&region, event).await?)
        }
        .boxed()
    }

    fn counted<'a>(
        &'a self,
        account: &'a AccountId,
        region: &'a str,
        metrics: &'a [Metric],
        since: Timestamp,
    ) -> Answer<'a, Vec<u64>> {
        async move {
            let region = self.sessions.region(account, Purpose::Plan, region);
            Ok(alerts::drill::counted(&region, metrics, since).await?)
        }
        .boxed()
    }

    fn caller(&self) -> Option<Address> {
        self.sessions.caller().principal.clone()
    }

    fn partition<'a>(&'a self, expected: &'a str) -> Answer<'a, Partition> {
        async move {
            let caller = self.sessions.caller();
            self.organization_reader()
                .identify(caller, Some(expected))?;
            Ok(caller.partition.clone())
        }
        .boxed()
    }
}
