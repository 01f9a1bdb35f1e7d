//! Reads of policies at the pace that Organizations keeps.
//!
//! Left to the SDK's retries, a few dozen policies use up their budget, and the read fails; its adaptive ones take twice
//! as long as need be. So the SDK leaves being throttled to this: calls are made as fast as they are wanted, and from
//! the first refusal on at Organizations' own pace.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::operation::describe_policy::DescribePolicyError;
use aws_sdk_organizations::operation::list_targets_for_policy::{
    ListTargetsForPolicyError, ListTargetsForPolicyOutput,
};
use aws_sdk_organizations::types::PolicySummary;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use tokio::time::{Instant, sleep};

use super::described;
use super::pace::Pace;
use crate::cloud::aws::config::ATTEMPTS;
use crate::cloud::aws::convert::required;
use crate::cloud::aws::error::{Failure, failed};

/// A little more than Organizations takes for one description: two a second.
///
/// Source: "Quotas and service limits for AWS Organizations", throttling of `DescribePolicy`.
const DESCRIPTION: Duration = Duration::from_millis(550);
/// The same for one page of targets, if it is five a second, as for `ListPoliciesForTarget`.
const PAGE: Duration = Duration::from_millis(220);

const LISTING: &str = "organizations:ListTargetsForPolicy";

const THROTTLED: &str = "TooManyRequestsException";

/// Reads policies and their targets.
#[derive(Debug)]
pub(in crate::cloud::aws) struct PacedReads {
    client: Client,
    descriptions: Slowing,
    pages: Slowing,
}

impl PacedReads {
    pub(in crate::cloud::aws) fn new(sdk: &SdkConfig) -> Self {
        let config = aws_sdk_organizations::config::Builder::from(sdk);
        let config = config.retry_classifier(LeavesThrottling).build();
        Self {
            client: Client::from_conf(config),
            descriptions: Slowing::to(DESCRIPTION),
            pages: Slowing::to(PAGE),
        }
    }

    /// Reads a policy with its document.
    pub(super) async fn policy(&self, id: &str) -> Result<(PolicySummary, String), Failure> {
        self.descriptions.run(|| described(&self.client, id)).await
    }

    /// Lists what a policy is attached to: pages of twenty, as long as there is a next one, even after an empty one.
    pub(super) async fn targets(&self, id: &str) -> Result<BTreeSet<String>, Failure> {
        let mut found = BTreeSet::new();
        let mut token = None;
        loop {
            let page = self.pages.run(|| self.page(id, token.clone())).await?;
            for target in page.targets.unwrap_or_default() {
                found.insert(required(LISTING, "target's id", target.target_id)?);
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn page(
        &self,
        id: &str,
        token: Option<String>,
    ) -> Result<ListTargetsForPolicyOutput, Failure> {
        let request = self.client.list_targets_for_policy().policy_id(id);
        let answer = request.set_next_token(token).send().await;
        answer.map_err(failed(LISTING))
    }
}

/// Makes calls of one kind as they come until one is throttled, and from then on one in each interval.
#[derive(Debug)]
struct Slowing {
    interval: Duration,
    /// None until the first refusal.
    pace: Mutex<Option<Pace>>,
}

impl Slowing {
    fn to(interval: Duration) -> Self {
        Self {
            interval,
            pace: Mutex::default(),
        }
    }

    /// Makes a call; makes it again while it is throttled, but not for ever.
    async fn run<T, F>(&self, call: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut attempts = 0;
        loop {
            sleep(self.wait()).await;
            attempts += 1;
            match call().await {
                Err(failure) if failure.has_code(THROTTLED) && attempts < ATTEMPTS => {
                    self.slow_down();
                }
                answer => return answer,
            }
        }
    }

    fn wait(&self) -> Duration {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.as_mut()
            .map_or(Duration::ZERO, |pace| pace.next(Instant::now()))
    }

    fn slow_down(&self) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.get_or_insert_with(|| Pace::new(1, self.interval));
    }
}

/// Keeps the SDK from trying again what was throttled.
#[derive(Debug)]
struct LeavesThrottling;

impl ClassifyRetry for LeavesThrottling {
    fn name(&self) -> &'static str {
        "LeavesThrottling"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let Some(error) = error.and_then(|error| error.as_operation_error()) else {
            return RetryAction::NoActionIndicated;
        };
        let describing = error.downcast_ref::<DescribePolicyError>();
        let listing = error.downcast_ref::<ListTargetsForPolicyError>();
        let meta = describing
            .map(DescribePolicyError::meta)
            .or_else(|| listing.map(ListTargetsForPolicyError::meta));
        match meta.and_then(|meta| meta.code()) {
            Some(THROTTLED) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }
}
