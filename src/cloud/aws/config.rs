//! The SDK's configuration: credentials, region, endpoints, retries and timeouts.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::identity::IdentityCache;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};

use super::http;
use super::whole::WholeAnswer;

/// The region when none is set: IAM and Organizations are global, and their endpoints lie here.
const FALLBACK_REGION: &str = "us-east-1";

/// How often a call is made at most. With the waits between, being throttled is borne for 20 seconds on average, which
/// is also how long it takes to give up on an endpoint that is not there.
pub(super) const ATTEMPTS: u32 = 10;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

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
                .read_timeout(Duration::from_secs(60))
                .build(),
        )
        // By default the cache forgets sessions past the 64th, and every account has its own.
        .identity_cache(IdentityCache::lazy().max_partitions(usize::MAX).build());
    if let Ok(name) = AppName::new("breakglass") {
        loader = loader.app_name(name);
    }
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

/// Begins the configuration of a client for IAM.
pub(super) fn iam(sdk: &SdkConfig) -> aws_sdk_iam::config::Builder {
    aws_sdk_iam::config::Builder::from(sdk)
        .interceptor(WholeAnswer)
        .retry_classifier(WholeAnswer)
}
