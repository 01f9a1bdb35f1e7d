//! The page of how far the events of a drill came.

use maud::html;

use super::super::drill::{rows, to_ask, verdict};
use super::super::words::UNREADABLE_TITLE;
use super::frame::{Head, Parts, page};
use super::{Tone, accounts, code, prose, unreadable};
use crate::collect::{DrillOutcome, DrillReport};

/// Writes how far the events of a drill came.
pub(in super::super) fn drill(report: &DrillReport) -> String {
    let (tone, sign) = match report.outcome {
        DrillOutcome::Arrived => (Tone::Good, "✓"),
        DrillOutcome::Missing => (Tone::Critical, "✗"),
        DrillOutcome::Incomplete => (Tone::Unknown, "?"),
    };
    let head = Head {
        kind: "alerts",
        organization: &report.organization_id,
        tone,
        sign,
        verdict: verdict(report),
        counts: Vec::new(),
        about: to_ask(report).into_iter().collect(),
        created_at: report.created_at,
        facts: vec![("drill", report.drill.clone())],
    };
    let mut parts = Parts::default();
    let rows = rows(report);
    if !rows.is_empty() {
        let body = html! {
            div class="rows" tabindex="0" role="group" aria-label="Rules and their events" { table class="matrix" {
                thead { tr { @for title in ["Rule", "Accounts", "Regions", "Event"] { th scope="col" { (title) } } } }
                tbody { @for row in &rows { tr {
                    th scope="row" { (code(&row.rule)) }
                    td { (accounts(&row.accounts, false)) }
                    td { @for region in &row.regions { (code(region)) " " } }
                    td {
                        span class={ "tag " @if row.status == "matched" { "good" } @else { "critical" } } { (row.status) }
                        @if let Some(message) = &row.message { " " (prose(message)) }
                    }
                } } }
            } }
        };
        parts.add("rules", "Rules", body);
    }
    let unreadable = unreadable(&report.unreadable, false);
    parts.list("unreadable", UNREADABLE_TITLE, unreadable);
    page(&head, None, &parts)
}
