//! The findings of a drill: how far the event for each rule came.

use super::super::drill::verdict;
use super::{Item, Level, Listing, Rule, State, unreadable};
use crate::collect::{DrillReport, DrillResult, DrillStatus};

impl Listing {
    /// Lists how far the events of a drill came.
    pub(in super::super) fn of_drill(report: &DrillReport) -> Self {
        let mut listing = Self::new("alerts-test", &report.organization_id, verdict(report));
        let results = report.rules.iter().map(item);
        listing.items = results.chain(unreadable(&report.unreadable)).collect();
        listing.finish()
    }
}

fn item(result: &DrillResult) -> Item {
    let name = format!("alert_rule/{}:{}", result.region, result.rule);
    let failed = |rule: Rule| {
        let message = result.message.clone();
        let message = message.unwrap_or_else(|| rule.text.to_owned());
        Item::new(State::Failed, Level::Error, rule, name.clone(), message)
    };
    let item = match result.status {
        DrillStatus::Matched => Item::passed(name),
        DrillStatus::NotSeen => failed(Rule::new(
            "alerts-test/not-seen",
            "the event was sent, and its rule was not seen to match it",
        )),
        DrillStatus::Failed => failed(Rule::new(
            "alerts-test/failed",
            "the event could not be sent or followed",
        )),
    };
    item.within(&result.account, &result.account_name)
}
