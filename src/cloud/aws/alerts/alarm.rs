//! The second path: metric filters and their alarm.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, StandardUnit, Statistic};
use aws_sdk_cloudwatchlogs::types::MetricTransformation;
use futures_util::future::try_join;

use super::super::convert::required;
use super::super::error::{Failure, failed};
use super::super::session::Region;
use super::super::throttle::LeavesThrottling;
use super::unless_gone;
use crate::state::{
    AlarmSettings, AlertOperation, MetricAlarm, MetricFilter, USE_METRIC, split_regional,
};

fn logs(region: &Region) -> aws_sdk_cloudwatchlogs::Client {
    let config = aws_sdk_cloudwatchlogs::config::Builder::from(&region.sdk);
    let config = config
        .retry_classifier(LeavesThrottling)
        .retry_partition(region.retries.clone());
    aws_sdk_cloudwatchlogs::Client::from_conf(config.build())
}

pub(super) fn cloudwatch(region: &Region) -> aws_sdk_cloudwatch::Client {
    let config = aws_sdk_cloudwatch::config::Builder::from(&region.sdk);
    let config = config
        .retry_classifier(LeavesThrottling)
        .retry_partition(region.retries.clone());
    aws_sdk_cloudwatch::Client::from_conf(config.build())
}

/// Reads the filters that feed the metric, whatever log group they read, and the alarm.
pub(super) async fn read(region: &Region, name: &str) -> Result<Option<MetricAlarm>, Failure> {
    let (filters, alarm) = try_join(filters(region), alarm(region, name)).await?;
    let found = MetricAlarm { filters, alarm };
    Ok((found != MetricAlarm::default()).then_some(found))
}

async fn filters(region: &Region) -> Result<BTreeMap<String, MetricFilter>, Failure> {
    let call = "logs:DescribeMetricFilters";
    let (namespace, metric) = USE_METRIC;
    let found = logs(region)
        .describe_metric_filters()
        .metric_namespace(namespace)
        .metric_name(metric)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(failed(call))?;
    found
        .into_iter()
        .map(|filter| {
            let transformations = filter.metric_transformations.unwrap_or_default();
            let values = transformations.into_iter();
            let mut values = values
                .filter(|value| value.metric_namespace == namespace && value.metric_name == metric);
            let value = values.next();
            let dimensions = value.as_ref().and_then(|value| value.dimensions.clone());
            Ok((
                required(call, "filter's name", filter.filter_name)?,
                MetricFilter {
                    log_group: filter.log_group_name.unwrap_or_default(),
                    pattern: filter.filter_pattern.unwrap_or_default(),
                    value: value.map(|value| value.metric_value).unwrap_or_default(),
                    dimensions: dimensions.unwrap_or_default().into_iter().collect(),
                },
            ))
        })
        .collect()
}

async fn alarm(region: &Region, name: &str) -> Result<Option<AlarmSettings>, Failure> {
    let call = "cloudwatch:DescribeAlarms";
    let request = cloudwatch(region).describe_alarms().alarm_names(name);
    let answer = request.send().await.map_err(failed(call))?;
    let found = answer.metric_alarms.unwrap_or_default().into_iter().next();
    Ok(found.map(|alarm| AlarmSettings {
        metric: (
            alarm.namespace.unwrap_or_default(),
            alarm.metric_name.unwrap_or_default(),
        ),
        dimensions: alarm
            .dimensions
            .unwrap_or_default()
            .into_iter()
            .filter_map(|dimension| dimension.name.zip(dimension.value))
            .collect(),
        unit: alarm.unit.map(|unit| unit.as_str().to_owned()),
        // Every period is what is meant when nothing is said.
        datapoints: alarm
            .datapoints_to_alarm
            .filter(|datapoints| Some(*datapoints) != alarm.evaluation_periods),
        statistic: alarm
            .statistic
            .as_ref()
            .map_or("", Statistic::as_str)
            .to_owned(),
        comparison: alarm
            .comparison_operator
            .as_ref()
            .map_or("", ComparisonOperator::as_str)
            .to_owned(),
        threshold: alarm
            .threshold
            .map(|value| value.to_string())
            .unwrap_or_default(),
        period: alarm.period.unwrap_or_default(),
        periods: alarm.evaluation_periods.unwrap_or_default(),
        missing: alarm.treat_missing_data.unwrap_or_default(),
        actions_enabled: alarm.actions_enabled.unwrap_or_default(),
        actions: alarm
            .alarm_actions
            .unwrap_or_default()
            .into_iter()
            .collect(),
    }))
}

pub(super) async fn change(region: &Region, operation: &AlertOperation) -> Result<(), Failure> {
    let call = operation.action();
    match operation {
        AlertOperation::PutMetricFilter { name, filter, .. } => {
            let MetricFilter {
                log_group,
                pattern,
                value,
                dimensions,
            } = filter;
            let (namespace, metric) = USE_METRIC;
            let transformation = MetricTransformation::builder()
                .metric_namespace(namespace)
                .metric_name(metric)
                .metric_value(value)
                .set_dimensions(
                    (!dimensions.is_empty()).then(|| dimensions.clone().into_iter().collect()),
                )
                .build()
                .map_err(|error| Failure::new(call, &error.to_string()))?;
            let request = logs(region)
                .put_metric_filter()
                .log_group_name(log_group)
                .filter_name(name)
                .filter_pattern(pattern)
                .metric_transformations(transformation);
            request.send().await.map(drop).map_err(failed(call))
        }
        AlertOperation::DeleteMetricFilter {
            log_group, name, ..
        } => {
            let request = logs(region).delete_metric_filter();
            let request = request.log_group_name(log_group).filter_name(name);
            unless_gone(request.send().await.map_err(failed(call)))
        }
        AlertOperation::PutAlarm { alarm, settings } => {
            let AlarmSettings {
                metric: (namespace, metric),
                dimensions,
                unit,
                statistic,
                comparison,
                threshold,
                period,
                periods,
                datapoints,
                missing,
                actions_enabled,
                actions,
            } = settings;
            let threshold: f64 = threshold
                .parse()
                .map_err(|_| Failure::new(call, "the threshold is no number"))?;
            let dimensions = dimensions
                .iter()
                .map(|(name, value)| Dimension::builder().name(name).value(value).build());
            let dimensions: Vec<Dimension> = dimensions.collect();
            let dimensions = Some(dimensions).filter(|dimensions| !dimensions.is_empty());
            let request = cloudwatch(region)
                .put_metric_alarm()
                .set_dimensions(dimensions)
                .set_unit(unit.as_deref().map(StandardUnit::from))
                .set_datapoints_to_alarm(*datapoints)
                .alarm_name(split_regional(alarm).1)
                .alarm_description("breakglass: a break-glass user or role was used")
                .namespace(namespace)
                .metric_name(metric)
                .statistic(Statistic::from(statistic.as_str()))
                .comparison_operator(ComparisonOperator::from(comparison.as_str()))
                .threshold(threshold)
                .period(*period)
                .evaluation_periods(*periods)
                .treat_missing_data(missing)
                .actions_enabled(*actions_enabled)
                .set_alarm_actions(Some(actions.iter().cloned().collect()));
            request.send().await.map(drop).map_err(failed(call))
        }
        _ => Ok(()),
    }
}
