//! Text for a terminal of what an apply did: what failed first, and what to do next last.

use super::super::Style;
use super::super::group::fold_unreadable;
use super::super::results::{self, ResultGroup};
use super::super::words;
use super::account_words;
use super::page::{INDENT, Page, Tone};
use crate::apply::{ApplyOutcome, ApplyReport, ChangeStatus};

/// Writes what an apply did.
pub(in super::super) fn apply(report: &ApplyReport, style: Style) -> String {
    let mut page = Page::new(style);
    page.line(0, outcome_tone(report.outcome), &results::verdict(report));
    page.line(0, Tone::Plain, &results::counts(report));
    if let Some(canary) = results::canary(report) {
        page.line(0, Tone::Plain, &canary);
    }
    let mut section = None;
    for group in results::fold(&report.results) {
        if section != Some(group.status) {
            page.section(results::status_title(group.status));
            section = Some(group.status);
        }
        show(&mut page, &group, style);
    }
    if !report.unreadable.is_empty() {
        page.section(words::UNREADABLE_TITLE);
        for (error, accounts) in fold_unreadable(&report.unreadable) {
            let accounts = format!("{}:", accounts.full().join(", "));
            page.lead(2, (Tone::Bad, &accounts), &error);
        }
    }
    page.gap();
    page.line(0, outcome_tone(report.outcome), &results::counts(report));
    page.exact(0, Tone::Faint, &format!("plan {}", report.plan_digest));
    if let Some(next) = results::next_step(report) {
        page.lead(0, (Tone::Strong, "next:"), next);
    }
    page.finish()
}

fn show(page: &mut Page, group: &ResultGroup, style: Style) {
    let accounts = if results::is_trouble(group.status) {
        group.accounts.full().join(", ")
    } else {
        account_words(&group.accounts, style)
    };
    page.lead(
        2,
        (status_tone(group.status), &group.title),
        &format!("in {accounts}"),
    );
    if let Some(message) = &group.message {
        page.line(INDENT, Tone::Plain, message);
    }
}

fn outcome_tone(outcome: ApplyOutcome) -> Tone {
    match outcome {
        ApplyOutcome::Done => Tone::Good,
        ApplyOutcome::Blocked | ApplyOutcome::Incomplete => Tone::Warn,
        ApplyOutcome::Partial | ApplyOutcome::Stale | ApplyOutcome::Interrupted => Tone::Bad,
    }
}

fn status_tone(status: ChangeStatus) -> Tone {
    match status {
        ChangeStatus::Failed | ChangeStatus::Stale => Tone::Bad,
        ChangeStatus::Blocked | ChangeStatus::Skipped => Tone::Warn,
        ChangeStatus::Done => Tone::Good,
        ChangeStatus::AlreadyDone | ChangeStatus::Manual => Tone::Plain,
    }
}
