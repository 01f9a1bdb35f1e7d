//! Markdown of what a closing did, for the incident's record.

use super::super::closing::{self, StepGroup};
use super::super::escape::{code, prose};
use super::page::{Limit, Page};
use super::{AFTER_DETAILS, account_codes, write_plan};
use crate::close::{CloseOutcome, CloseReport, StepStatus};

/// Writes what a closing did.
pub(in super::super) fn closing(report: &CloseReport, limit: Limit) -> String {
    let mut page = Page::marked(limit, AFTER_DETAILS, "close", &report.organization_id);
    let sign = match report.outcome {
        CloseOutcome::Closed => "✅",
        CloseOutcome::Open | CloseOutcome::Incomplete => "⚠️",
        CloseOutcome::Partial => "🔴",
    };
    page.block(&format!("## {sign} {}", prose(&closing::verdict(report))));
    if let Some(cutoff) = closing::cutoff(report) {
        page.block(&format!("{}.", prose(&cutoff)));
    }
    page.block(&format!("Next: {}.", prose(&closing::next_step(report))));
    let groups = closing::fold(&report.steps);
    for status in [
        StepStatus::Failed,
        StepStatus::Skipped,
        StepStatus::Manual,
        StepStatus::Done,
        StepStatus::AlreadyDone,
    ] {
        let items = groups.iter().filter(|group| group.status == status);
        page.list(
            closing::status_title(status),
            items.map(item),
            2 * limit.short(),
        );
    }
    let exceptions = report.exceptions.iter().map(|exception| {
        let place = format!("{}:{}", exception.source.file, exception.source.line);
        format!("{} ({})", code(&exception.id), code(&place))
    });
    page.list(closing::EXCEPTIONS_TITLE, exceptions, limit.short());
    if let Some(unread) = &report.unread {
        page.block(&format!("{}: {}", closing::DRIFT_TITLE, prose(unread)));
    }
    if let Some(drift) = &report.drift {
        write_plan(&mut page, drift);
    }
    page.finish()
}

fn item(group: &StepGroup) -> String {
    let item = format!(
        "{} in {}",
        prose(&group.title),
        account_codes(&group.accounts)
    );
    match &group.message {
        Some(message) => format!("{item}: {}", prose(message)),
        None => item,
    }
}
