//! The page of what a closing did, with the comparison that ended it.

use maud::html;

use super::super::closing as told;
use super::super::group::fold;
use super::super::words;
use super::frame::{Head, Parts, page};
use super::{Tone, accounts, code, plan, prose};
use crate::close::{CloseOutcome, CloseReport, StepStatus};
use crate::text::visible;

/// Writes what a closing did.
pub(in super::super) fn closing(report: &CloseReport) -> String {
    let (tone, sign) = match report.outcome {
        CloseOutcome::Closed => (Tone::Good, "✓"),
        CloseOutcome::Open | CloseOutcome::Incomplete => (Tone::Unknown, "?"),
        CloseOutcome::Partial => (Tone::Critical, "✗"),
    };
    let drift = report.drift.as_ref();
    let compared = drift.map(|drift| format!("{}: {}", told::DRIFT_TITLE, words::verdict(drift)));
    let next = format!("Next: {}.", told::next_step(report));
    let head = Head {
        kind: "close",
        organization: &report.organization_id,
        tone,
        sign,
        verdict: told::verdict(report),
        counts: drift.map(words::counts).unwrap_or_default(),
        about: told::cutoff(report)
            .into_iter()
            .chain(compared)
            .chain(drift.and_then(words::scope))
            .chain([next])
            .collect(),
        created_at: report.created_at,
        facts: Vec::new(),
    };
    let mut parts = Parts::default();
    let groups = told::fold(&report.steps);
    for (id, status) in [
        ("failed", StepStatus::Failed),
        ("not-begun", StepStatus::Skipped),
        ("by-hand", StepStatus::Manual),
        ("done", StepStatus::Done),
        ("done-before", StepStatus::AlreadyDone),
    ] {
        let groups = groups.iter().filter(|group| group.status == status);
        let items = groups.map(|group| {
            html! {
                p { (visible(&group.title)) @if let Some(message) = &group.message { ": " (prose(message)) } }
                (accounts(&group.accounts, false))
            }
        });
        parts.list(id, told::status_title(status), items);
    }
    let exceptions = report.exceptions.iter().map(|exception| {
        let place = format!("{}:{}", exception.source.file, exception.source.line);
        html! { (code(&exception.id)) " (" (code(&place)) ")" }
    });
    parts.list("exceptions", told::EXCEPTIONS_TITLE, exceptions);
    let unread = report.unread.iter().map(|unread| prose(unread));
    parts.list("not-compared", told::DRIFT_TITLE, unread);
    let filters =
        drift.map(|drift| plan::parts(drift, &fold(drift.kind, &drift.changes), &mut parts));
    page(&head, filters, &parts)
}
