//! Trails, as far as alerts rest on them.

use std::collections::BTreeMap;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::types::{AdvancedFieldSelector, ReadWriteType};
use futures_util::future::try_join;

use super::super::all;
use super::super::convert::required;
use super::super::error::{Failure, failed};
use super::super::session::Region;
use super::{CONCURRENCY, Reader, unless_missing};
use crate::state::{Trail, regional};

/// Reads every trail that records in a Region: the account's own and the organization's, wherever they are at home.
pub(super) async fn list(
    reader: &Reader<'_>,
    region: &Region,
) -> Result<BTreeMap<String, Trail>, Failure> {
    let call = "cloudtrail:DescribeTrails";
    let request = region
        .cloudtrail()
        .describe_trails()
        .include_shadow_trails(true);
    let answer = request.send().await.map_err(failed(call))?;
    let trails = answer.trail_list.unwrap_or_default();
    let reads = trails.into_iter().map(async |trail| {
        let home = required(call, "trail's home Region", trail.home_region)?;
        let name = required(call, "trail's name", trail.name)?;
        // An organization's trail is found in member accounts by its ARN only.
        let arn = required(call, "trail's ARN", trail.trail_arn)?;
        let more = details(&reader.region(&home).cloudtrail(), &arn).await;
        // A trail that went away since it was listed is not there.
        let Some((logging, selectors)) = unless_missing(more)? else {
            return Ok(None);
        };
        let (reads, writes) = management_events(&selectors);
        let trail = Trail {
            multi_region: trail.is_multi_region_trail.unwrap_or_default(),
            logging,
            reads,
            writes,
            log_group: trail.cloud_watch_logs_log_group_arn,
        };
        Ok::<_, Failure>(Some((regional(&home, &name), trail)))
    });
    let trails = all(CONCURRENCY, reads.collect()).await?;
    Ok(trails.into_iter().flatten().collect())
}

async fn details(client: &Client, arn: &str) -> Result<(bool, GetEventSelectorsOutput), Failure> {
    let status = async {
        let answer = client.get_trail_status().name(arn).send().await;
        answer.map_err(failed("cloudtrail:GetTrailStatus"))
    };
    let selectors = async {
        let answer = client.get_event_selectors().trail_name(arn).send().await;
        answer.map_err(failed("cloudtrail:GetEventSelectors"))
    };
    let (status, selectors) = try_join(status, selectors).await?;
    Ok((status.is_logging.unwrap_or_default(), selectors))
}

/// Tells whether management events that read, and those that write, are recorded.
fn management_events(selectors: &GetEventSelectorsOutput) -> (bool, bool) {
    let mut recorded = (false, false);
    for selector in selectors.event_selectors() {
        if selector.include_management_events() == Some(true) {
            let kind = selector.read_write_type();
            recorded.0 |= kind != Some(&ReadWriteType::WriteOnly);
            recorded.1 |= kind != Some(&ReadWriteType::ReadOnly);
        }
    }
    for selector in selectors.advanced_event_selectors() {
        let field = |name: &str| {
            let mut fields = selector.field_selectors().iter();
            fields.find(|field| field.field() == name)
        };
        let is = |field: &AdvancedFieldSelector, value: &str| {
            field.equals().iter().any(|equal| equal == value)
        };
        if field("eventCategory").is_some_and(|field| is(field, "Management")) {
            let read_only = field("readOnly");
            recorded.0 |= read_only.is_none_or(|field| is(field, "true"));
            recorded.1 |= read_only.is_none_or(|field| is(field, "false"));
        }
    }
    recorded
}
