//! Reads policies with their documents, of which Organizations gives two a second.
//!
//! Left to the SDK's retries, a few dozen policies use up their budget, and the read fails; its adaptive ones take twice
//! as long as need be. So the SDK leaves being throttled to this: few policies are read as fast as they come, and from
//! the first refusal on at the pace that Organizations keeps.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::operation::describe_policy::DescribePolicyError;
use aws_sdk_organizations::types::{Policy, PolicySummary};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use tokio::time::{Instant, sleep};

use super::pace::Pace;
use crate::cloud::aws::config::ATTEMPTS;
use crate::cloud::aws::convert::required;
use crate::cloud::aws::error::{Failure, failed};

/// A little more than Organizations takes for one.
///
/// Source: "Quotas and service limits for AWS Organizations", throttling of `DescribePolicy`.
const INTERVAL: Duration = Duration::from_millis(550);

/// Reads policies with their documents.
#[derive(Debug)]
pub(in crate::cloud::aws) struct Descriptions {
    client: Client,
    /// None until the first refusal.
    pace: Mutex<Option<Pace>>,
}

impl Descriptions {
    pub(in crate::cloud::aws) fn new(sdk: &SdkConfig) -> Self {
        let config = aws_sdk_organizations::config::Builder::from(sdk);
        let config = config.retry_classifier(LeavesThrottling).build();
        Self {
            client: Client::from_conf(config),
            pace: Mutex::default(),
        }
    }

    /// Reads a policy; waits while Organizations is asked too often, but not for ever.
    pub(super) async fn read(&self, id: &str) -> Result<(PolicySummary, String), Failure> {
        let mut attempts = 0;
        loop {
            sleep(self.wait()).await;
            attempts += 1;
            match described(&self.client, id).await {
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
        pace.get_or_insert_with(|| Pace::new(1, INTERVAL));
    }
}

/// Reads a policy with its document.
pub(super) async fn described(
    client: &Client,
    id: &str,
) -> Result<(PolicySummary, String), Failure> {
    let call = "organizations:DescribePolicy";
    let answer = client.describe_policy().policy_id(id).send().await;
    let policy = answer.map_err(failed(call))?.policy;
    let Policy {
        policy_summary,
        content,
        ..
    } = required(call, "policy", policy)?;
    Ok((
        required(call, "policy's summary", policy_summary)?,
        required(call, "policy document", content)?,
    ))
}

const THROTTLED: &str = "TooManyRequestsException";

/// Keeps the SDK from trying again what was throttled.
#[derive(Debug)]
struct LeavesThrottling;

impl ClassifyRetry for LeavesThrottling {
    fn name(&self) -> &'static str {
        "LeavesThrottling"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let error = error.and_then(|error| error.as_operation_error());
        match error.and_then(|error| error.downcast_ref::<DescribePolicyError>()) {
            Some(error) if error.meta().code() == Some(THROTTLED) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }
}
