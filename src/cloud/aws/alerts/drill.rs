//! Drills: putting an event, and asking CloudWatch what was counted since.

use aws_sdk_cloudwatch::types::{self, Dimension, MetricDataQuery, MetricStat, Statistic};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_smithy_types::DateTime;
use jiff::Timestamp;

use super::super::error::{Failure, failed};
use super::super::session::Region;
use super::alarm::cloudwatch;
use super::rule::{client, refused};
use crate::state::{DRILL_SOURCE, DrillEvent, Metric};

/// The finest period that these metrics have, in seconds.
const PERIOD: i32 = 60;
/// How far ahead is asked for, in seconds: what is counted now belongs to a minute that is not over.
const AHEAD: i64 = 3600;

/// Puts an event on the default bus.
pub(in crate::cloud::aws) async fn send(
    region: &Region,
    event: &DrillEvent,
) -> Result<(), Failure> {
    let call = "events:PutEvents";
    let DrillEvent {
        detail_type,
        detail,
    } = event;
    let entry = PutEventsRequestEntry::builder()
        .source(DRILL_SOURCE)
        .detail_type(detail_type)
        .detail(detail.to_string())
        .build();
    let answer = client(region).put_events().entries(entry).send().await;
    let answer = answer.map_err(failed(call))?;
    let refusals = answer.entries().iter();
    let mut refusals = refusals.filter(|entry| entry.error_code().is_some());
    match refusals.next() {
        None => Ok(()),
        Some(entry) => Err(refused(call, entry.error_code(), entry.error_message())),
    }
}

/// Sums what each metric counted since a time.
pub(in crate::cloud::aws) async fn counted(
    region: &Region,
    metrics: &[Metric],
    since: Timestamp,
) -> Result<Vec<u64>, Failure> {
    let call = "cloudwatch:GetMetricData";
    // A minute counts as a whole, so the one that `since` lies in is taken in.
    let start = since.as_second() - since.as_second() % i64::from(PERIOD);
    let queries = metrics.iter().enumerate().map(|(index, metric)| {
        let Metric {
            namespace,
            name,
            dimensions,
        } = metric;
        let dimensions = dimensions.iter();
        let dimensions =
            dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
        let metric = types::Metric::builder()
            .namespace(namespace)
            .metric_name(name)
            .set_dimensions(Some(dimensions.collect()));
        let stat = MetricStat::builder()
            .metric(metric.build())
            .period(PERIOD)
            .stat(Statistic::Sum.as_str());
        MetricDataQuery::builder()
            .id(format!("m{index}"))
            .metric_stat(stat.build())
            .build()
    });
    let request = cloudwatch(region)
        .get_metric_data()
        .set_metric_data_queries(Some(queries.collect()))
        .start_time(DateTime::from_secs(start))
        .end_time(DateTime::from_secs(start + AHEAD));
    let mut pages = request.into_paginator().send();
    let mut results = Vec::new();
    while let Some(page) = pages.try_next().await.map_err(failed(call))? {
        results.extend(page.metric_data_results.unwrap_or_default());
    }
    Ok((0..metrics.len())
        .map(|index| {
            let id = format!("m{index}");
            let own = results
                .iter()
                .filter(|result| result.id() == Some(id.as_str()));
            let sum: f64 = own.flat_map(|result| result.values()).sum();
            // Counts are whole and small; a negative one would be none.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let sum = sum as u64;
            sum
        })
        .collect())
}
