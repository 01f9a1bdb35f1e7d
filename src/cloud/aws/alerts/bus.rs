//! The central bus.

use super::super::error::{Failure, failed};
use super::super::session::Region;
use super::rule::client;
use super::unless_missing;
use crate::state::{AlertBus, AlertOperation, PolicyText, split_regional};

pub(super) async fn read(region: &Region, name: &str) -> Result<Option<AlertBus>, Failure> {
    let answer = client(region).describe_event_bus().name(name).send().await;
    let found = unless_missing(answer.map_err(failed("events:DescribeEventBus")))?;
    Ok(found.map(|bus| AlertBus {
        policy: bus
            .policy
            .filter(|policy| !policy.is_empty())
            .map(PolicyText::new),
    }))
}

pub(super) async fn change(region: &Region, operation: &AlertOperation) -> Result<(), Failure> {
    let call = operation.action();
    let client = client(region);
    match operation {
        AlertOperation::CreateBus { bus } => {
            let name = split_regional(bus).1;
            let answer = client.create_event_bus().name(name).send().await;
            answer.map(drop).map_err(failed(call))
        }
        AlertOperation::SetBusPolicy { bus, document } => {
            let name = split_regional(bus).1;
            let request = client.put_permission().event_bus_name(name);
            let answer = request.policy(document.as_str()).send().await;
            answer.map(drop).map_err(failed(call))
        }
        _ => Ok(()),
    }
}
