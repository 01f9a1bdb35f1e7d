//! The findings of an apply: what became of each change.

use super::super::results;
use super::plan::name;
use super::{Item, Level, Listing, Rule, State, unreadable};
use crate::apply::{ApplyReport, ChangeResult, ChangeStatus};

impl Listing {
    /// Lists what an apply did.
    pub(in super::super) fn of_apply(report: &ApplyReport) -> Self {
        let verdict = results::verdict(report);
        let mut listing = Self::new("apply", &report.organization_id, verdict);
        let results = report.results.iter().map(item);
        listing.items = results.chain(unreadable(&report.unreadable)).collect();
        listing.finish()
    }
}

fn item(result: &ChangeResult) -> Item {
    let name = name(&result.address);
    let failed = |level, rule| (State::Failed, level, rule);
    let judged = match result.status {
        ChangeStatus::Done | ChangeStatus::AlreadyDone => None,
        ChangeStatus::Failed => Some(failed(
            Level::Error,
            Rule::new("apply/failed", "a read or write failed"),
        )),
        ChangeStatus::Stale => Some(failed(
            Level::Error,
            Rule::new("apply/stale", "someone else changed it since the plan"),
        )),
        ChangeStatus::Blocked => Some(failed(
            Level::Error,
            Rule::new("apply/blocked", "something is in its way"),
        )),
        ChangeStatus::Skipped => Some(failed(
            Level::Warning,
            Rule::new("apply/not-begun", "it was not begun"),
        )),
        ChangeStatus::Manual => Some((
            State::Left,
            Level::Note,
            Rule::new("apply/manual", "it is left to a person"),
        )),
    };
    let item = match judged {
        None => Item::passed(name),
        Some((state, level, rule)) => {
            let message = results::message(result).unwrap_or_else(|| rule.text.to_owned());
            Item::new(state, level, rule, name, message)
        }
    };
    let item = Item {
        source: result.source.clone(),
        ..item
    };
    match &result.address.account {
        Some(account) => item.within(account, &result.account_name),
        None => item,
    }
}
