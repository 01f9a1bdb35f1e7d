//! What an apply did, folded and worded for every format.

use std::collections::BTreeMap;

use super::group::{Accounts, explained, generic_text, in_regions, place_free};
use super::words::{self, count};
use crate::apply::{ApplyOutcome, ApplyReport, ChangeResult, ChangeStatus};
use crate::state::ResourceType;

/// Holds a result and every account that it is the same in.
#[derive(Debug)]
pub(super) struct ResultGroup {
    /// What became of the change.
    pub(super) status: ChangeStatus,
    /// The sign and name of what was changed, such as `~ iam_role BreakGlassAdmin`.
    pub(super) title: String,
    /// What went wrong or is left to do, and how far it got.
    pub(super) message: Option<String>,
    /// The accounts; never empty.
    pub(super) accounts: Accounts,
}

/// Folds results; what needs a reader comes first.
pub(super) fn fold(results: &[ChangeResult]) -> Vec<ResultGroup> {
    let mut folded: BTreeMap<_, Vec<&ChangeResult>> = BTreeMap::new();
    for result in results {
        let address = &result.address;
        let message = message(result);
        let generic = message.map(|text| generic_text(&text, result.account.as_str()));
        let key = (
            urgency(result.status),
            address.resource_type,
            place_free(address.resource_type, &address.name),
            result.action,
            generic,
        );
        folded.entry(key).or_default().push(result);
    }
    folded
        .into_iter()
        .filter_map(|((_, resource_type, name, action, generic), members)| {
            let accounts = Accounts::new(
                members
                    .iter()
                    .map(|result| (result.account_name.clone(), result.account.clone())),
            );
            let first = members.first()?;
            let names = members.iter().map(|result| result.address.name.as_str());
            let name = match resource_type {
                ResourceType::AlertRule => in_regions(name, names),
                _ => name.to_owned(),
            };
            Some(ResultGroup {
                status: first.status,
                title: format!("{} {resource_type} {name}", words::symbol(action)),
                message: if members.len() == 1 {
                    message(first)
                } else {
                    generic.map(explained)
                },
                accounts,
            })
        })
        .collect()
}

/// What went wrong or is left to do, and how far it got.
pub(super) fn message(result: &ChangeResult) -> Option<String> {
    let begun = match result.status {
        ChangeStatus::Failed | ChangeStatus::Stale | ChangeStatus::Skipped => result.operations,
        ChangeStatus::Done
        | ChangeStatus::AlreadyDone
        | ChangeStatus::Blocked
        | ChangeStatus::Manual => 0,
    };
    let progress = (begun > 0).then(|| format!("after {}", count(begun, "write")));
    let parts: Vec<String> = result.message.iter().cloned().chain(progress).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn urgency(status: ChangeStatus) -> u8 {
    match status {
        ChangeStatus::Failed => 0,
        ChangeStatus::Stale => 1,
        ChangeStatus::Blocked => 2,
        ChangeStatus::Skipped => 3,
        ChangeStatus::Manual => 4,
        ChangeStatus::Done => 5,
        ChangeStatus::AlreadyDone => 6,
    }
}

/// Tells whether a reader needs every account of such a result.
pub(super) fn is_trouble(status: ChangeStatus) -> bool {
    urgency(status) <= urgency(ChangeStatus::Blocked)
}

/// Heads the results of one status.
pub(super) fn status_title(status: ChangeStatus) -> &'static str {
    match status {
        ChangeStatus::Failed => "Failed",
        ChangeStatus::Stale => "Changed by someone else since the plan",
        ChangeStatus::Blocked => "Blocked: a person has to mend what is in the way",
        ChangeStatus::Skipped => "Not begun",
        ChangeStatus::Manual => words::MANUAL_TITLE,
        ChangeStatus::Done => "Done",
        ChangeStatus::AlreadyDone => "Was so already",
    }
}

/// Says how the apply ended, in a line.
pub(super) fn verdict(report: &ApplyReport) -> String {
    let summary = &report.summary;
    match report.outcome {
        ApplyOutcome::Done if summary.done == 0 => {
            "done: there was nothing left to write".to_owned()
        }
        ApplyOutcome::Done => {
            "done: everything that can be written is as the plan says".to_owned()
        }
        ApplyOutcome::Partial if summary.failed == 0 => format!(
            "not finished: {} not begun",
            count(summary.skipped, "change")
        ),
        ApplyOutcome::Partial => format!(
            "not finished: {} of {} failed",
            summary.failed,
            count(report.results.len(), "change")
        ),
        ApplyOutcome::Stale => {
            "stopped: live state is no longer what was planned from; nothing was written from there on"
                .to_owned()
        }
        ApplyOutcome::Interrupted => format!(
            "interrupted: {} not begun",
            count(summary.skipped, "change")
        ),
        ApplyOutcome::Blocked => format!(
            "done as far as it goes: {} blocked",
            count(summary.blocked, "change")
        ),
        ApplyOutcome::Incomplete => format!(
            "incomplete: what was planned is done, but nothing is known of {}",
            count(report.unreadable.len(), "account")
        ),
    }
}

/// Says what became of the accounts that came first; `None` when none did.
pub(super) fn canary(report: &ApplyReport) -> Option<String> {
    let canary = report.canary.as_ref()?;
    let units = canary.units.join(", ");
    let accounts = count(canary.accounts, "account");
    Some(if canary.succeeded {
        format!("the canary, {accounts} below {units}, came first and succeeded")
    } else {
        format!(
            "the canary, {accounts} below {units}, did not succeed: no other was begun after it"
        )
    })
}

/// Lists the counts of an apply.
pub(super) fn counts(report: &ApplyReport) -> String {
    let summary = &report.summary;
    let counts: Vec<String> = [
        (summary.done, "done"),
        (summary.already_done, "so already"),
        (summary.failed, "failed"),
        (summary.stale, "stale"),
        (summary.skipped, "not begun"),
        (summary.blocked, "blocked"),
        (summary.manual, "manual"),
        (report.unreadable.len(), "unreadable"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{number} {what}"))
    .collect();
    if counts.is_empty() {
        "no changes".to_owned()
    } else {
        counts.join(" · ")
    }
}

/// Says what to do next, if anything.
pub(super) fn next_step(report: &ApplyReport) -> Option<&'static str> {
    match report.outcome {
        ApplyOutcome::Partial | ApplyOutcome::Interrupted => {
            Some("run it again to finish: what is done is not done twice")
        }
        ApplyOutcome::Stale => Some("make a new plan, review it and apply that"),
        ApplyOutcome::Blocked => Some("mend what is in the way, then plan and apply again"),
        ApplyOutcome::Incomplete => {
            Some("make the unreadable accounts readable, then plan and apply again")
        }
        ApplyOutcome::Done => None,
    }
}
