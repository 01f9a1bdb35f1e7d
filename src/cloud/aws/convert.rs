//! From what IAM answers to what `state` holds, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use aws_sdk_iam::types::{AttachedPermissionsBoundary, AttachedPolicy, PolicyDetail, Tag};

use aws_smithy_types::DateTime;
use jiff::Timestamp;

use super::document::decode;
use super::error::Failure;
use crate::ids::Arn;
use crate::state::{PolicyText, Tags, own_tags};

/// Takes a value that an answer must hold.
pub(super) fn required<T>(call: &str, what: &str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::new(call, &format!("AWS answered without the {what}")))
}

/// Takes a time.
pub(super) fn time(call: &str, time: &DateTime) -> Result<Timestamp, Failure> {
    Timestamp::from_second(time.secs())
        .map_err(|error| Failure::new(call, &format!("AWS answered with a bad time: {error}")))
}

/// Parses a text that an answer must hold.
pub(super) fn parse<T>(call: &str, what: &str, text: Option<&str>) -> Result<T, Failure>
where
    T: FromStr<Err: std::fmt::Display>,
{
    required(call, what, text)?
        .parse()
        .map_err(|error| Failure::new(call, &format!("AWS answered with a bad {what}: {error}")))
}

/// Takes the tags that are not AWS's own.
pub(super) fn tags(tags: &[Tag]) -> Tags {
    own_tags(
        tags.iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned())),
    )
}

/// Makes tags to send.
pub(super) fn sdk_tags(call: &str, tags: &Tags) -> Result<Vec<Tag>, Failure> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|error| Failure::new(call, &error.to_string()))
        })
        .collect()
}

/// Takes the ARNs of attached managed policies.
pub(super) fn attached(call: &str, policies: &[AttachedPolicy]) -> Result<BTreeSet<Arn>, Failure> {
    policies
        .iter()
        .map(|policy| parse(call, "policy ARN", policy.policy_arn()))
        .collect()
}

/// Takes the ARN of a permissions boundary.
pub(super) fn boundary(
    call: &str,
    boundary: Option<&AttachedPermissionsBoundary>,
) -> Result<Option<Arn>, Failure> {
    boundary
        .map(|boundary| {
            parse(
                call,
                "permissions boundary",
                boundary.permissions_boundary_arn(),
            )
        })
        .transpose()
}

/// Takes inline policies.
pub(super) fn inline(
    call: &str,
    policies: &[PolicyDetail],
) -> Result<BTreeMap<String, PolicyText>, Failure> {
    policies
        .iter()
        .map(|policy| {
            Ok((
                required(call, "policy name", policy.policy_name())?.to_owned(),
                document(call, policy.policy_document())?,
            ))
        })
        .collect()
}

/// Takes a policy document.
pub(super) fn document(call: &str, text: Option<&str>) -> Result<PolicyText, Failure> {
    required(call, "policy document", text).map(decode)
}

/// Takes the longest session of a role, in seconds.
pub(super) fn max_session(call: &str, seconds: Option<i32>) -> Result<u32, Failure> {
    let seconds = required(call, "maximum session duration", seconds)?;
    u32::try_from(seconds).map_err(|error| Failure::new(call, &error.to_string()))
}
