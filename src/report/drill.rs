//! How far the events of a drill came, folded and worded for every format.

use std::collections::{BTreeMap, BTreeSet};

use super::group::Accounts;
use super::words::count;
use crate::collect::{DrillOutcome, DrillReport, DrillResult, DrillStatus};

/// Holds a rule and a status, and everywhere that it is the same.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) rule: String,
    pub(super) status: &'static str,
    pub(super) accounts: Accounts,
    pub(super) regions: BTreeSet<String>,
    pub(super) message: Option<String>,
}

/// Says how it ended, in a line.
pub(super) fn verdict(report: &DrillReport) -> String {
    let matched = report.rules.iter();
    let matched = matched.filter(|rule| rule.status == DrillStatus::Matched);
    let sent = count(report.rules.len(), "event");
    let came = format!(
        "{} matched, {} on the bus, {} at the topic",
        matched.count(),
        report.on_the_bus,
        report.published
    );
    match report.outcome {
        DrillOutcome::Arrived => format!("arrived: {sent} sent, {came}"),
        DrillOutcome::Missing => format!("missing: {sent} sent, {came}"),
        DrillOutcome::Incomplete => {
            format!("incomplete: {sent}, {came}; not all could be sent or followed")
        }
    }
}

/// Says what no service can tell.
pub(super) fn to_ask(report: &DrillReport) -> Option<String> {
    (!report.to_ask.is_empty()).then(|| {
        format!(
            "no service tells whether a message was read: ask {} for messages with the event id {}",
            report.to_ask.join(", "),
            report.drill
        )
    })
}

/// Folds results; what did not arrive comes first.
pub(super) fn rows(report: &DrillReport) -> Vec<Row> {
    let mut folded: BTreeMap<_, Vec<&DrillResult>> = BTreeMap::new();
    for result in &report.rules {
        let urgency = match result.status {
            DrillStatus::Failed => 0,
            DrillStatus::NotSeen => 1,
            DrillStatus::Matched => 2,
        };
        let key = (urgency, &result.rule, &result.message);
        folded.entry(key).or_default().push(result);
    }
    folded
        .into_iter()
        .map(|((urgency, rule, message), members)| Row {
            rule: rule.clone(),
            status: match urgency {
                0 => "failed",
                1 => "not seen",
                _ => "matched",
            },
            accounts: Accounts::new(
                members
                    .iter()
                    .map(|result| (result.account_name.clone(), result.account.clone())),
            ),
            regions: members.iter().map(|result| result.region.clone()).collect(),
            message: message.clone(),
        })
        .collect()
}
