//! Alerts in the Regions of an account: EventBridge, SNS, CloudWatch and its logs, CloudTrail.

mod alarm;
mod bus;
pub(super) mod drill;
mod key;
mod rule;
mod topic;
mod trail;

use std::collections::BTreeSet;

use futures_util::future::{try_join, try_join4};

use super::all;
use super::error::{Failure, failed};
use super::session::{Purpose, Region, Sessions};
use super::throttle::LeavesThrottling;
use crate::ids::AccountId;
use crate::state::{
    ALARM, AlertOperation, AlertResource, AlertScope, Alerts, DEFAULT_BUS, ResourceType, regional,
    split_rule,
};

/// How many Regions of one account are read at a time.
const REGIONS: usize = 4;
/// How many rules, or trails, of one Region are looked at more closely at a time.
const CONCURRENCY: usize = 4;

/// Reads the alerts of one account.
pub(super) struct Reader<'a> {
    pub(super) sessions: &'a Sessions,
    pub(super) account: &'a AccountId,
    pub(super) scope: &'a AlertScope,
}

impl Reader<'_> {
    fn region(&self, name: &str) -> Region {
        self.sessions.region(self.account, Purpose::Plan, name)
    }

    /// Reads everything: a Region that can't be read leaves the whole unknown.
    pub(super) async fn alerts(&self) -> Result<Alerts, Failure> {
        let AlertScope {
            regions,
            hub,
            second_path,
        } = self.scope;
        let home = self.region(&hub.region);
        let regions = match regions {
            Some(regions) => regions.clone(),
            None => enabled_regions(&home).await?,
        };
        let rules = regions.iter().map(async |name| {
            let region = self.region(name);
            let found = rule::list(&region, DEFAULT_BUS).await;
            let found = found.map_err(|failure| failure.with_note(&format!("in {name}")))?;
            let keyed = found
                .into_iter()
                .map(|(rule, found)| (regional(name, &rule), found));
            Ok::<_, Failure>(keyed.collect::<Vec<_>>())
        });
        let rules = async {
            let found = all(REGIONS, rules.collect()).await?;
            Ok(found.into_iter().flatten().collect())
        };
        let central = async {
            if *self.account != hub.account {
                return Ok(Alerts::default());
            }
            self.hub(&home).await
        };
        let alarms = async {
            if second_path.as_ref() != Some(self.account) {
                return Ok(None);
            }
            alarm::read(&home, ALARM).await
        };
        let (rules, mut alerts, alarm, trails) =
            try_join4(rules, central, alarms, trail::list(self, &home)).await?;
        alerts
            .rules
            .extend::<std::collections::BTreeMap<_, _>>(rules);
        alerts.regions = regions;
        alerts.trails = trails;
        if let Some(alarm) = alarm {
            alerts.alarms.insert(regional(&hub.region, ALARM), alarm);
        }
        Ok(alerts)
    }

    async fn hub(&self, home: &Region) -> Result<Alerts, Failure> {
        let hub = &self.scope.hub;
        let mut alerts = Alerts::default();
        let topic = async {
            match &hub.topic {
                Some(name) => topic::read(home, name).await,
                None => Ok(None),
            }
        };
        let (bus, topic) = try_join(bus::read(home, &hub.bus), topic).await?;
        if let (Some(mut topic), Some(name)) = (topic, &hub.topic) {
            if let Some(key) = &topic.kms_key {
                let (policy, state) = key::read(home, key).await?;
                topic.key_policy = Some(policy);
                topic.key_state = state;
            }
            alerts.topics.insert(regional(&hub.region, name), topic);
        }
        if let Some(bus) = bus {
            for (name, rule) in rule::list(home, &hub.bus).await? {
                let name = format!("{}/{name}", hub.bus);
                alerts.rules.insert(regional(&hub.region, &name), rule);
            }
            alerts.buses.insert(regional(&hub.region, &hub.bus), bus);
        }
        Ok(alerts)
    }
}

/// Lists the Regions that are enabled in an account.
async fn enabled_regions(home: &Region) -> Result<BTreeSet<String>, Failure> {
    use aws_sdk_account::types::RegionOptStatus;
    let call = "account:ListRegions";
    let config = aws_sdk_account::config::Builder::from(&home.sdk);
    let config = config
        .retry_classifier(LeavesThrottling)
        .retry_partition(home.retries.clone())
        .build();
    let regions = aws_sdk_account::Client::from_conf(config)
        .list_regions()
        .region_opt_status_contains(RegionOptStatus::Enabled)
        .region_opt_status_contains(RegionOptStatus::EnabledByDefault)
        .into_paginator()
        .items()
        .send()
        .try_collect()
        .await
        .map_err(failed(call))?;
    Ok(regions
        .into_iter()
        .filter_map(|region| region.region_name)
        .collect())
}

/// Reads one part of the alerts as it is now; `None` when there is none of this name.
pub(super) async fn read(
    region: &Region,
    kind: ResourceType,
    name: &str,
) -> Result<Option<AlertResource>, Failure> {
    Ok(match kind {
        ResourceType::AlertRule => {
            let (_, bus, rule) = split_rule(name);
            rule::read(region, bus, rule)
                .await?
                .map(AlertResource::Rule)
        }
        ResourceType::AlertBus => bus::read(region, name).await?.map(AlertResource::Bus),
        ResourceType::AlertTopic => topic::read(region, name).await?.map(AlertResource::Topic),
        ResourceType::MetricAlarm => alarm::read(region, name).await?.map(AlertResource::Alarm),
        // No operation is ever planned on a trail, and nothing else is part of the alerts.
        _ => None,
    })
}

/// Carries out one operation.
pub(super) async fn execute(region: &Region, operation: &AlertOperation) -> Result<(), Failure> {
    match operation {
        AlertOperation::PutRule { .. }
        | AlertOperation::PutTarget { .. }
        | AlertOperation::RemoveTargets { .. }
        | AlertOperation::DeleteRule { .. } => rule::change(region, operation).await,
        AlertOperation::CreateBus { .. } | AlertOperation::SetBusPolicy { .. } => {
            bus::change(region, operation).await
        }
        AlertOperation::CreateTopic { .. }
        | AlertOperation::SetTopicKey { .. }
        | AlertOperation::SetTopicPolicy { .. }
        | AlertOperation::Subscribe { .. }
        | AlertOperation::Unsubscribe { .. }
        | AlertOperation::ClearSubscriptionFilter { .. } => topic::change(region, operation).await,
        AlertOperation::PutMetricFilter { .. }
        | AlertOperation::DeleteMetricFilter { .. }
        | AlertOperation::PutAlarm { .. } => alarm::change(region, operation).await,
    }
}

/// Takes the absence of what was asked for as an answer.
fn unless_missing<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(failure) if is_missing(&failure) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Takes for done what there is nothing left to do for.
fn unless_gone<T>(answer: Result<T, Failure>) -> Result<(), Failure> {
    unless_missing(answer).map(drop)
}

fn is_missing(failure: &Failure) -> bool {
    ["ResourceNotFoundException", "NotFound", "NotFoundException"]
        .iter()
        .any(|code| failure.has_code(code))
}
