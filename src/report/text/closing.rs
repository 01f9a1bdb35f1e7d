//! Text for a terminal of what a closing did.

use super::super::Style;
use super::super::closing::{self, StepGroup};
use super::page::{INDENT, Page, Tone};
use super::{account_words, plan};
use crate::close::{CloseOutcome, CloseReport, StepStatus};

/// Writes what a closing did.
pub(in super::super) fn closing(report: &CloseReport, style: Style) -> String {
    let mut page = Page::new(style);
    let tone = match report.outcome {
        CloseOutcome::Closed => Tone::Good,
        CloseOutcome::Open | CloseOutcome::Incomplete => Tone::Warn,
        CloseOutcome::Partial => Tone::Bad,
    };
    page.line(0, tone, &closing::verdict(report));
    if let Some(cutoff) = closing::cutoff(report) {
        page.line(0, Tone::Plain, &cutoff);
    }
    let mut section = None;
    for group in closing::fold(&report.steps) {
        if section != Some(group.status) {
            page.section(closing::status_title(group.status));
            section = Some(group.status);
        }
        show(&mut page, &group, style);
    }
    if !report.exceptions.is_empty() {
        page.section(closing::EXCEPTIONS_TITLE);
        for exception in &report.exceptions {
            let place = format!("({}:{})", exception.source.file, exception.source.line);
            page.lead(2, (Tone::Warn, &exception.id), &place);
        }
    }
    page.section(closing::DRIFT_TITLE);
    if let Some(unread) = &report.unread {
        page.line(2, Tone::Bad, unread);
    }
    let mut text = page.finish();
    if let Some(drift) = &report.drift {
        text.push_str(&plan(drift, style));
    }
    let mut page = Page::new(style);
    page.lead(0, (Tone::Strong, "next:"), &closing::next_step(report));
    text.push('\n');
    text + &page.finish()
}

fn show(page: &mut Page, group: &StepGroup, style: Style) {
    let tone = match group.status {
        StepStatus::Failed => Tone::Bad,
        StepStatus::Skipped | StepStatus::Manual => Tone::Warn,
        StepStatus::Done => Tone::Good,
        StepStatus::AlreadyDone => Tone::Plain,
    };
    let accounts = match group.status {
        StepStatus::Failed | StepStatus::Skipped => group.accounts.full().join(", "),
        _ => account_words(&group.accounts, style),
    };
    page.lead(2, (tone, &group.title), &format!("in {accounts}"));
    if let Some(message) = &group.message {
        page.line(INDENT, Tone::Plain, message);
    }
}
