//! How far the events of a drill came, for a terminal.

use super::super::Style;
use super::super::drill::{rows, to_ask, verdict};
use super::super::group::account_label;
use super::super::words::UNREADABLE_TITLE;
use super::page::{INDENT, Page, Tone};
use crate::collect::{DrillOutcome, DrillReport};

pub(in crate::report) fn drill(report: &DrillReport, style: Style) -> String {
    let mut page = Page::new(style);
    let tone = match report.outcome {
        DrillOutcome::Arrived => Tone::Good,
        DrillOutcome::Missing | DrillOutcome::Incomplete => Tone::Bad,
    };
    page.line(0, tone, &verdict(report));
    let rows = rows(report);
    if !rows.is_empty() {
        page.section("Rules");
    }
    for row in rows {
        let tone = if row.status == "matched" {
            Tone::Good
        } else {
            Tone::Bad
        };
        let regions: Vec<String> = row.regions.into_iter().collect();
        let place = format!(
            "{} in {} ({})",
            row.rule,
            row.accounts.words(),
            regions.join(", ")
        );
        page.lead(2, (tone, row.status), &place);
        if let Some(message) = row.message {
            page.line(INDENT, Tone::Plain, &message);
        }
    }
    if !report.unreadable.is_empty() {
        page.section(UNREADABLE_TITLE);
        for unreadable in &report.unreadable {
            let label = account_label(&unreadable.account_name, &unreadable.account);
            page.lead(2, (Tone::Bad, &format!("{label}:")), &unreadable.error);
        }
    }
    if let Some(ask) = to_ask(report) {
        page.gap();
        page.line(0, Tone::Warn, &ask);
    }
    page.finish()
}
