//! The key that encrypts the topic: its policy and its state.

use super::super::convert::required;
use super::super::error::{Failure, failed};
use super::super::session::Region;
use super::super::throttle::LeavesThrottling;
use super::unless_missing;
use crate::state::PolicyText;

/// Reads a key's policy and state. A key that is not there lets nobody in, as a policy that says nothing.
pub(super) async fn read(
    region: &Region,
    key: &str,
) -> Result<(PolicyText, Option<String>), Failure> {
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
        return Ok((PolicyText::new(""), None));
    };
    let key = required(call, "key", answer.key_metadata)?;
    let state = key.key_state.map(|state| state.as_str().to_owned());
    let request = client.get_key_policy().key_id(key.key_id);
    let request = request.policy_name("default");
    let answer = request.send().await;
    let answer = answer.map_err(failed("kms:GetKeyPolicy"))?;
    let policy = PolicyText::new(answer.policy.unwrap_or_default());
    Ok((policy, state))
}
