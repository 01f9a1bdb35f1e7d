//! The SDK's configuration: credentials, region, endpoints, retries and timeouts.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::identity::IdentityCache;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_iam::config::retry::{RetryPartition, TokenBucket};

use super::http;
use super::throttle::{LeavesThrottling, Throttle};
use super::whole::{UnreadableAnswer, WholeAnswer};

/// The region when none is set: IAM and Organizations are global, and their endpoints lie here.
const FALLBACK_REGION: &str = "us-east-1";

/// How often a call is made at most. With the waits between, it takes 20 seconds on average to give up on an endpoint
/// that is not there. Being throttled does not count: see `throttle`.
const ATTEMPTS: u32 = 10;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// How long an answer may take to begin.
const ANSWER_WAIT: Duration = Duration::from_secs(35);
/// How long a call may take in all, with the attempts and waits in it: what never answers must not hold up a run for
/// longer than this.
const LONGEST_CALL: Duration = Duration::from_secs(300);
/// How many retries a second the budget of a service bears for long, and what the SDK takes from it for each.
const RETRIES: f32 = 10.0;
const COST: f32 = 5.0;

/// Loads the configuration as every AWS tool does: environment, profile, SSO, web identity, `credential_process`, ….
pub(super) async fn load(endpoint_url: Option<&str>) -> SdkConfig {
    // Without the instance metadata service, which the SDK would ask for a region and which is slow where it is absent.
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::from_static(FALLBACK_REGION));
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region)
        .http_client(http::client())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_WAIT)
                .with_max_backoff(LONGEST_WAIT),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .read_timeout(ANSWER_WAIT)
                .operation_timeout(LONGEST_CALL)
                .build(),
        )
        // A call that waits for its turn would be taken for an upload that has stalled, and `http` bounds answers.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // By default the cache forgets sessions past the 64th, and every account has its own.
        .identity_cache(
            IdentityCache::lazy()
                .max_partitions(usize::MAX)
                .load_timeout(LONGEST_CALL)
                .build(),
        );
    if let Ok(name) = AppName::new("breakglass") {
        loader = loader.app_name(name);
    }
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

/// Begins the configuration of a client for IAM in an account, which has its own throttle.
pub(super) fn iam(sdk: &SdkConfig, throttle: Throttle) -> aws_sdk_iam::config::Builder {
    aws_sdk_iam::config::Builder::from(sdk)
        .http_client(throttle)
        .interceptor(WholeAnswer)
        .retry_classifier(UnreadableAnswer)
        .retry_classifier(LeavesThrottling)
}

/// Makes the client for STS that enters every account.
pub(super) fn sts(sdk: &SdkConfig) -> aws_sdk_sts::Client {
    let timeouts = sdk.timeout_config().cloned();
    let timeouts = timeouts.map_or_else(TimeoutConfig::builder, TimeoutConfig::into_builder);
    let config = aws_sdk_sts::config::Builder::from(sdk)
        // It ends before the call that waits for the session does, which could not tell why.
        .timeout_config(timeouts.operation_timeout(LONGEST_CALL / 2).build())
        .http_client(throttle(sdk))
        .retry_partition(retries("sts"))
        .interceptor(WholeAnswer)
        .retry_classifier(UnreadableAnswer)
        .retry_classifier(LeavesThrottling);
    aws_sdk_sts::Client::from_conf(config.build())
}

/// Makes the client for Organizations.
pub(super) fn organizations(sdk: &SdkConfig) -> aws_sdk_organizations::Client {
    let config = aws_sdk_organizations::config::Builder::from(sdk)
        .http_client(throttle(sdk))
        .retry_partition(retries("organizations"))
        .retry_classifier(UnreadableAnswer)
        .retry_classifier(LeavesThrottling);
    aws_sdk_organizations::Client::from_conf(config.build())
}

/// Makes a throttle for one account, over the connections that all share.
pub(super) fn throttle(sdk: &SdkConfig) -> Throttle {
    Throttle::over(sdk.http_client().unwrap_or_else(http::client))
}

/// The budget for retries of calls that serve every account: it fills up again, however many calls there are.
fn retries(service: &'static str) -> RetryPartition {
    let budget = TokenBucket::builder().refill_rate(RETRIES * COST).build();
    RetryPartition::custom(service).token_bucket(budget).build()
}
