//! How far the events of a drill came, for a record of it.

use super::super::drill::{rows, to_ask, verdict};
use super::super::escape::{code, prose};
use super::super::group::account_label;
use super::super::words::UNREADABLE_TITLE;
use super::page::{Limit, Page};
use crate::collect::{DrillOutcome, DrillReport};

pub(in crate::report) fn drill(report: &DrillReport, limit: Limit) -> String {
    let mut page = Page::marked(limit, 2, "alerts-test", &report.organization_id);
    let sign = match report.outcome {
        DrillOutcome::Arrived => "✅",
        DrillOutcome::Missing => "🟠",
        DrillOutcome::Incomplete => "⚠️",
    };
    page.block(&format!(
        "## {sign} Break-glass alerts {}",
        code(&report.drill)
    ));
    page.block(&format!("{}.", prose(&verdict(report))));
    let row = |row: &super::super::drill::Row| {
        let regions: Vec<String> = row.regions.iter().cloned().collect();
        format!(
            "| {} | {} | {} | {} |\n",
            code(&row.rule),
            prose(&row.accounts.words()),
            regions.join(", "),
            match &row.message {
                Some(message) => format!("{}: {}", row.status, prose(message)),
                None => row.status.to_owned(),
            }
        )
    };
    let rows = limit.within(limit.long(), rows(report), row, |rest| {
        format!("| … and {} more | | | |\n", rest.len())
    });
    if !rows.is_empty() {
        page.block(&format!(
            "| Rule | Accounts | Regions | Event |\n|--|--|--|--|\n{rows}"
        ));
    }
    let unreadable = report.unreadable.iter().map(|unreadable| {
        let label = account_label(&unreadable.account_name, &unreadable.account);
        format!("{}: {}", code(&label), prose(&unreadable.error))
    });
    page.list(UNREADABLE_TITLE, unreadable, limit.short());
    if let Some(ask) = to_ask(report) {
        page.block(&prose(&ask));
    }
    page.finish()
}
