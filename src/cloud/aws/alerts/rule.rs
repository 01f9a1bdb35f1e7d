//! Rules and their targets.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{self, RuleState, Target};

use super::super::all;
use super::super::convert::required;
use super::super::error::{Failure, failed};
use super::super::session::Region;
use super::super::throttle::LeavesThrottling;
use super::{CONCURRENCY, unless_gone, unless_missing};
use crate::state::{
    ALERT_PREFIX, AlertOperation, AlertRule, AlertTarget, EventPattern, InputTransformer,
    split_rule,
};

pub(super) fn client(region: &Region) -> Client {
    let config = aws_sdk_eventbridge::config::Builder::from(&region.sdk);
    Client::from_conf(
        config
            .retry_classifier(LeavesThrottling)
            .retry_partition(region.retries.clone())
            .build(),
    )
}

/// Reads the rules of a bus whose names begin as this tool's do: one call, and one more for each of them.
pub(super) async fn list(
    region: &Region,
    bus: &str,
) -> Result<BTreeMap<String, AlertRule>, Failure> {
    let call = "events:ListRules";
    let client = client(region);
    let mut listed = Vec::new();
    let mut token = None;
    loop {
        let request = client.list_rules().name_prefix(ALERT_PREFIX);
        let request = request.event_bus_name(bus).set_next_token(token);
        let page = unless_missing(request.send().await.map_err(failed(call)))?;
        let Some(page) = page else {
            // There is no such bus.
            return Ok(BTreeMap::new());
        };
        listed.extend(page.rules.unwrap_or_default());
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    let reads = listed.into_iter().map(async |rule| {
        let name = required(call, "rule's name", rule.name)?;
        let Some(targets) = targets(&client, bus, &name).await? else {
            // It went away since it was listed.
            return Ok(None);
        };
        let rule = AlertRule {
            pattern: EventPattern::new(rule.event_pattern.unwrap_or_default()),
            state: state(rule.state.as_ref()),
            description: rule.description.unwrap_or_default(),
            targets,
        };
        Ok::<_, Failure>(Some((name, rule)))
    });
    let rules = all(CONCURRENCY, reads.collect()).await?;
    Ok(rules.into_iter().flatten().collect())
}

pub(super) async fn read(
    region: &Region,
    bus: &str,
    name: &str,
) -> Result<Option<AlertRule>, Failure> {
    let client = client(region);
    let request = client.describe_rule().name(name).event_bus_name(bus);
    let answer = request.send().await.map_err(failed("events:DescribeRule"));
    let Some(rule) = unless_missing(answer)? else {
        return Ok(None);
    };
    let targets = targets(&client, bus, name).await?;
    Ok(targets.map(|targets| AlertRule {
        pattern: EventPattern::new(rule.event_pattern.unwrap_or_default()),
        state: state(rule.state.as_ref()),
        description: rule.description.unwrap_or_default(),
        targets,
    }))
}

fn state(state: Option<&RuleState>) -> String {
    state.map(RuleState::as_str).unwrap_or_default().to_owned()
}

async fn targets(
    client: &Client,
    bus: &str,
    rule: &str,
) -> Result<Option<BTreeMap<String, AlertTarget>>, Failure> {
    let call = "events:ListTargetsByRule";
    let mut targets = BTreeMap::new();
    let mut token = None;
    loop {
        let request = client.list_targets_by_rule().rule(rule).event_bus_name(bus);
        let answer = request.set_next_token(token).send().await;
        let Some(page) = unless_missing(answer.map_err(failed(call)))? else {
            return Ok(None);
        };
        for target in page.targets.unwrap_or_default() {
            let id = target.id.clone();
            targets.insert(id, received(target));
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(Some(targets));
        }
    }
}

fn received(target: Target) -> AlertTarget {
    AlertTarget {
        arn: target.arn,
        role: target.role_arn,
        input: target.input,
        input_path: target.input_path,
        transformer: target
            .input_transformer
            .map(|transformer| InputTransformer {
                paths: transformer
                    .input_paths_map
                    .unwrap_or_default()
                    .into_iter()
                    .collect(),
                template: transformer.input_template,
            }),
    }
}

fn sent(call: &str, id: &str, target: &AlertTarget) -> Result<Target, Failure> {
    let AlertTarget {
        arn,
        role,
        input,
        input_path,
        transformer,
    } = target;
    let unfit = |error: aws_smithy_types::error::operation::BuildError| {
        Failure::new(call, &error.to_string())
    };
    let transformer = transformer.as_ref().map(|transformer| {
        let InputTransformer { paths, template } = transformer;
        types::InputTransformer::builder()
            .set_input_paths_map(Some(paths.clone().into_iter().collect()))
            .input_template(template)
            .build()
            .map_err(unfit)
    });
    Target::builder()
        .id(id)
        .arn(arn)
        .set_role_arn(role.clone())
        .set_input(input.clone())
        .set_input_path(input_path.clone())
        .set_input_transformer(transformer.transpose()?)
        .build()
        .map_err(unfit)
}

pub(super) async fn change(region: &Region, operation: &AlertOperation) -> Result<(), Failure> {
    let call = operation.action();
    let client = client(region);
    match operation {
        AlertOperation::PutRule {
            rule,
            pattern,
            state,
            description,
        } => {
            let (_, bus, name) = split_rule(rule);
            let request = client
                .put_rule()
                .name(name)
                .event_bus_name(bus)
                .event_pattern(pattern.as_str())
                .state(RuleState::from(state.as_str()))
                .description(description);
            request.send().await.map(drop).map_err(failed(call))
        }
        AlertOperation::PutTarget { rule, id, target } => {
            let (_, bus, name) = split_rule(rule);
            let request = client.put_targets().rule(name).event_bus_name(bus);
            let request = request.targets(sent(call, id, target)?);
            let answer = request.send().await.map_err(failed(call))?;
            match answer.failed_entries().first() {
                None => Ok(()),
                Some(entry) => Err(refused(call, entry.error_code(), entry.error_message())),
            }
        }
        AlertOperation::RemoveTargets { rule, ids } => {
            let (_, bus, name) = split_rule(rule);
            let request = client.remove_targets().rule(name).event_bus_name(bus);
            let request = request.set_ids(Some(ids.iter().cloned().collect()));
            let answer = unless_missing(request.send().await.map_err(failed(call)))?;
            let failures = answer.and_then(|answer| answer.failed_entries);
            match failures.unwrap_or_default().first() {
                None => Ok(()),
                Some(entry) => Err(refused(call, entry.error_code(), entry.error_message())),
            }
        }
        AlertOperation::DeleteRule { rule } => {
            let (_, bus, name) = split_rule(rule);
            let request = client.delete_rule().name(name).event_bus_name(bus);
            unless_gone(request.send().await.map_err(failed(call)))
        }
        _ => Ok(()),
    }
}

/// An entry that EventBridge did not take, though it took the call.
pub(super) fn refused(call: &str, code: Option<&str>, message: Option<&str>) -> Failure {
    let (code, message) = (code.unwrap_or("unknown"), message.unwrap_or_default());
    Failure::new(call, &format!("{code}: {message}"))
}
