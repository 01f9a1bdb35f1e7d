//! The topic and its subscriptions.

use std::collections::BTreeMap;

use aws_sdk_sns::Client;
use aws_sdk_sns::types::Subscription;

use super::super::all;
use super::super::error::{Failure, failed};
use super::super::session::Region;
use super::super::throttle::LeavesThrottling;
use super::super::whole::{UnreadableAnswer, WholeAnswer};
use super::{CONCURRENCY, unless_gone, unless_missing};
use crate::state::{AlertOperation, AlertTopic, Confirmation, PolicyText, split_regional};

/// A filter policy that passes everything.
const NO_FILTER: &str = "{}";

fn client(region: &Region) -> Client {
    let config = aws_sdk_sns::config::Builder::from(&region.sdk)
        .retry_classifier(LeavesThrottling)
        .retry_partition(region.retries.clone())
        .interceptor(WholeAnswer)
        .retry_classifier(UnreadableAnswer);
    Client::from_conf(config.build())
}

fn arn(region: &Region, name: &str) -> String {
    let Region {
        partition,
        account,
        name: region,
        ..
    } = region;
    format!("arn:{partition}:sns:{region}:{account}:{name}")
}

pub(super) async fn read(region: &Region, name: &str) -> Result<Option<AlertTopic>, Failure> {
    let client = client(region);
    let arn = arn(region, name);
    let answer = client.get_topic_attributes().topic_arn(&arn).send().await;
    let Some(answer) = unless_missing(answer.map_err(failed("sns:GetTopicAttributes")))? else {
        return Ok(None);
    };
    let mut attributes = answer.attributes.unwrap_or_default();
    let mut attribute = |name: &str| attributes.remove(name).filter(|value| !value.is_empty());
    let policy = attribute("Policy").map(PolicyText::new);
    let kms_key = attribute("KmsMasterKeyId");
    let mut found = BTreeMap::new();
    let subscriptions = subscriptions(&client, &arn).await?;
    let filters = filters(&client, &subscriptions).await?;
    for subscription in subscriptions {
        if let Some(name) = subscription_name(&subscription) {
            let confirmation = match subscription.subscription_arn() {
                Some(arn) if arn.starts_with("arn:") => Confirmation::Confirmed,
                Some("Deleted") => continue,
                _ => Confirmation::Pending,
            };
            found.insert(name, confirmation);
        }
    }
    Ok(Some(AlertTopic {
        policy,
        kms_key,
        key_policy: None,
        key_state: None,
        subscriptions: found,
        subscription_filters: filters,
    }))
}

/// Reads the filter policies of the subscriptions that are live and have one: one call for each.
async fn filters(
    client: &Client,
    subscriptions: &[Subscription],
) -> Result<BTreeMap<String, String>, Failure> {
    let reads = subscriptions.iter().map(async |subscription| {
        let arn = subscription.subscription_arn();
        let arn = arn.filter(|arn| arn.starts_with("arn:"));
        let Some((name, arn)) = subscription_name(subscription).zip(arn) else {
            return Ok(None);
        };
        let request = client.get_subscription_attributes().subscription_arn(arn);
        let answer = request.send().await;
        let answer = answer.map_err(failed("sns:GetSubscriptionAttributes"));
        let attributes = unless_missing(answer)?.and_then(|answer| answer.attributes);
        let filter = attributes.and_then(|mut attributes| attributes.remove("FilterPolicy"));
        let filter = filter.filter(|filter| !["", NO_FILTER].contains(&filter.trim()));
        Ok::<_, Failure>(filter.map(|filter| (name, filter)))
    });
    let found = all(CONCURRENCY, reads.collect()).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn subscriptions(client: &Client, topic: &str) -> Result<Vec<Subscription>, Failure> {
    let pages = client.list_subscriptions_by_topic().topic_arn(topic);
    let pages = pages.into_paginator().items().send().try_collect().await;
    pages.map_err(failed("sns:ListSubscriptionsByTopic"))
}

/// Finds the subscriptions of a name by their ARNs; one that waits for its confirmation has none.
async fn confirmed(client: &Client, topic: &str, name: &str) -> Result<Vec<String>, Failure> {
    let found = subscriptions(client, topic).await?.into_iter();
    let named = found.filter(|one| subscription_name(one).as_deref() == Some(name));
    let arns = named.filter_map(|one| one.subscription_arn);
    Ok(arns.filter(|arn| arn.starts_with("arn:")).collect())
}

/// A subscription as specs write it: `PROTOCOL:ENDPOINT`.
fn subscription_name(subscription: &Subscription) -> Option<String> {
    let (protocol, endpoint) = (subscription.protocol()?, subscription.endpoint()?);
    Some(format!("{protocol}:{endpoint}"))
}

pub(super) async fn change(region: &Region, operation: &AlertOperation) -> Result<(), Failure> {
    let call = operation.action();
    let client = client(region);
    let arn = |topic: &str| arn(region, split_regional(topic).1);
    match operation {
        AlertOperation::CreateTopic {
            topic,
            kms_key,
            document,
        } => {
            let mut request = client
                .create_topic()
                .name(split_regional(topic).1)
                .attributes("Policy", document.as_str());
            if let Some(key) = kms_key {
                request = request.attributes("KmsMasterKeyId", key);
            }
            request.send().await.map(drop).map_err(failed(call))
        }
        AlertOperation::SetTopicKey { topic, kms_key } => {
            let request = client.set_topic_attributes().topic_arn(arn(topic));
            let request = request
                .attribute_name("KmsMasterKeyId")
                .attribute_value(kms_key.as_deref().unwrap_or_default());
            request.send().await.map(drop).map_err(failed(call))
        }
        AlertOperation::SetTopicPolicy { topic, document } => {
            let request = client.set_topic_attributes().topic_arn(arn(topic));
            let request = request
                .attribute_name("Policy")
                .attribute_value(document.as_str());
            request.send().await.map(drop).map_err(failed(call))
        }
        AlertOperation::Subscribe {
            topic,
            subscription,
        } => {
            let (protocol, endpoint) = subscription.split_once(':').unwrap_or_default();
            let request = client.subscribe().topic_arn(arn(topic));
            let request = request.protocol(protocol).endpoint(endpoint);
            request.send().await.map(drop).map_err(failed(call))
        }
        AlertOperation::ClearSubscriptionFilter {
            topic,
            subscription,
        } => {
            for arn in confirmed(&client, &arn(topic), subscription).await? {
                let request = client.set_subscription_attributes();
                let request = request.subscription_arn(arn);
                let request = request.attribute_name("FilterPolicy");
                let answer = request.attribute_value(NO_FILTER).send().await;
                unless_gone(answer.map_err(failed(call)))?;
            }
            Ok(())
        }
        AlertOperation::Unsubscribe {
            topic,
            subscription,
        } => {
            for arn in confirmed(&client, &arn(topic), subscription).await? {
                let answer = client.unsubscribe().subscription_arn(arn).send().await;
                unless_gone(answer.map_err(failed(call)))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
