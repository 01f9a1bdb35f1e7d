//! The findings of a closing: what was not done, and what is not as the spec says.

use super::super::closing as told;
use super::{Item, Level, Listing, Rule, State};
use crate::close::{CloseReport, CloseStep, OpenException, StepStatus};

impl Listing {
    /// Lists what a closing did and found.
    pub(in super::super) fn of_closing(report: &CloseReport) -> Self {
        let mut listing = Self::new("close", &report.organization_id, told::verdict(report));
        let steps = report.steps.iter().map(item);
        let exceptions = report.exceptions.iter().map(exception);
        let drift = report.drift.iter().flat_map(super::plan::plan_items);
        let unread = report.unread.iter();
        let unread = unread.map(|error| Item::unread("spec".to_owned(), error));
        listing.items = steps.chain(exceptions).chain(drift).chain(unread).collect();
        listing.finish()
    }
}

fn item(step: &CloseStep) -> Item {
    let name = format!("close/{}", told::step_title(step.step, &step.name));
    let rule = match step.status {
        StepStatus::Failed => Some(Rule::new("close/failed", "it could not be done")),
        StepStatus::Skipped => Some(Rule::new("close/not-begun", "it was not begun")),
        StepStatus::Manual => Some(Rule::new("close/manual", "only a person can do it")),
        StepStatus::Done | StepStatus::AlreadyDone => None,
    };
    let item = match rule {
        None => Item::passed(name),
        Some(rule) => {
            let message = step.message.clone();
            let message = message.unwrap_or_else(|| rule.text.to_owned());
            Item::new(State::Failed, Level::Error, rule, name, message)
        }
    };
    item.within(&step.account, &step.account_name)
}

fn exception(exception: &OpenException) -> Item {
    let rule = Rule::new(
        "close/exception",
        "an exception that was made for the incident is still wanted by the spec",
    );
    let name = format!("guardrail_exception/{}", exception.id);
    Item {
        source: Some(exception.source.clone()),
        ..Item::new(
            State::Failed,
            Level::Warning,
            rule,
            name,
            rule.text.to_owned(),
        )
    }
}
