//! The policy of the key that encrypts the topic.

use super::super::convert::required;
use super::super::error::{Failure, failed};
use super::super::session::Region;
use super::super::throttle::LeavesThrottling;
use super::unless_missing;
use crate::state::PolicyText;

/// Reads a key's policy. A key that is not there lets nobody in, as a policy that says nothing.
pub(super) async fn policy(region: &Region, key: &str) -> Result<PolicyText, Failure> {
    let config = aws_sdk_kms::config::Builder::from(&region.sdk);
    let config = config
        .retry_classifier(LeavesThrottling)
        .retry_partition(region.retries.clone())
        .build();
    let client = aws_sdk_kms::Client::from_conf(config);
    // Only this call takes an alias.
    let call = "kms:DescribeKey";
    let answer = client.describe_key().key_id(key).send().await;
    let Some(answer) = unless_missing(answer.map_err(failed(call)))? else {
        return Ok(PolicyText::new(""));
    };
    let id = answer.key_metadata.map(|key| key.key_id);
    let id = required(call, "key's id", id)?;
    let request = client.get_key_policy().key_id(id).policy_name("default");
    let answer = request.send().await;
    let answer = answer.map_err(failed("kms:GetKeyPolicy"))?;
    Ok(PolicyText::new(answer.policy.unwrap_or_default()))
}
