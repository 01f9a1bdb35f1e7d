//! The page of what a closing did, with the comparison that ended it.

use maud::html;

use super::super::closing as told;
use super::super::group::fold;
use super::frame::{Head, Part, page};
use super::{Tone, accounts, code, list, plan, prose};
use crate::close::{CloseOutcome, CloseReport, StepStatus};
use crate::text::visible;

/// Writes what a closing did.
pub(in super::super) fn closing(report: &CloseReport) -> String {
    let (tone, sign) = match report.outcome {
        CloseOutcome::Closed => (Tone::Good, "✓"),
        CloseOutcome::Open | CloseOutcome::Incomplete => (Tone::Unknown, "?"),
        CloseOutcome::Partial => (Tone::Critical, "✗"),
    };
    let next = format!("Next: {}.", told::next_step(report));
    let head = Head {
        kind: "close",
        organization: &report.organization_id,
        tone,
        sign,
        verdict: told::verdict(report),
        counts: Vec::new(),
        about: told::cutoff(report).into_iter().chain([next]).collect(),
        created_at: report.created_at,
        facts: Vec::new(),
    };
    let mut parts = Vec::new();
    let groups = told::fold(&report.steps);
    for (id, status) in [
        ("failed", StepStatus::Failed),
        ("not-begun", StepStatus::Skipped),
        ("by-hand", StepStatus::Manual),
        ("done", StepStatus::Done),
        ("done-before", StepStatus::AlreadyDone),
    ] {
        let items: Vec<_> = groups
            .iter()
            .filter(|group| group.status == status)
            .map(|group| {
                html! {
                    p { (visible(&group.title)) @if let Some(message) = &group.message { ": " (prose(message)) } }
                    (accounts(&group.accounts, false))
                }
            })
            .collect();
        if !items.is_empty() {
            parts.push(Part::new(id, told::status_title(status), list(items)));
        }
    }
    if !report.exceptions.is_empty() {
        let items = report.exceptions.iter().map(|exception| {
            let place = format!("{}:{}", exception.source.file, exception.source.line);
            html! { (code(&exception.id)) " (" (code(&place)) ")" }
        });
        parts.push(Part::new("exceptions", told::EXCEPTIONS_TITLE, list(items)));
    }
    if let Some(unread) = &report.unread {
        let body = html! { p { (prose(unread)) } };
        parts.push(Part::new("not-compared", told::DRIFT_TITLE, body));
    }
    let mut filters = None;
    if let Some(drift) = &report.drift {
        let (controls, of_drift) = plan::parts(drift, &fold(&drift.changes));
        filters = Some(controls);
        parts.extend(of_drift);
    }
    page(&head, filters, &parts)
}
