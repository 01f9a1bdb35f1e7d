//! The table of what differs where, for a plan that is too long to be overlooked.

use comfy_table::{ContentArrangement, Table, presets};

use super::super::Style;
use super::super::alerts;
use super::super::group::Group;
use super::super::values::change_phrase;
use super::super::words;
use super::page::{Page, Tone};
use crate::plan::{Action, AlertCoverage, Kind};
use crate::text::visible;

/// Below this many columns a table is harder to read than the changes themselves.
const NARROWEST: usize = 72;

/// Writes a row for each group.
pub(super) fn table(page: &mut Page, kind: Kind, groups: &[Group], style: Style) {
    if (1..NARROWEST).contains(&style.width) {
        return;
    }
    let mut table = plain(style);
    table.set_header(["", "resource", "accounts", "risk", "access", "change"]);
    for group in groups {
        let change = &group.change;
        let phrase = match (&change.blocked, change.action) {
            (Some(_), _) => "blocked".to_owned(),
            (None, Action::Update) => change_phrase(&change.fields),
            (None, action) => words::action(kind, action).to_owned(),
        };
        table.add_row(
            [
                words::symbol(change.action).to_string(),
                words::title(change),
                group.accounts.words(),
                words::risk(change.risk).to_owned(),
                words::access_word(kind, change.access).to_owned(),
                phrase,
            ]
            .map(|cell| visible(&cell).into_owned()),
        );
    }
    page.gap();
    write(page, 0, &table);
}

/// Writes which uses raise no alert, and where.
pub(super) fn alerts(page: &mut Page, coverage: &AlertCoverage, style: Style) {
    if !alerts::has_holes(coverage) {
        return;
    }
    page.section(&format!(
        "{} ({})",
        alerts::TITLE,
        alerts::summary(coverage)
    ));
    for line in &coverage.shared {
        page.lead(2, (Tone::Bad, "everywhere:"), line);
    }
    let rows = alerts::rows(coverage);
    if rows.is_empty() {
        return;
    }
    let mut table = plain(style);
    table.set_header(alerts::head());
    for row in rows {
        let cells = row.cells().into_iter();
        table.add_row(cells.map(|cell| visible(&cell).into_owned()));
    }
    write(page, 2, &table);
}

fn plain(style: Style) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Ok(width @ 1..) = u16::try_from(style.width) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    table
}

fn write(page: &mut Page, indent: usize, table: &Table) {
    for (number, line) in table.trim_fmt().lines().enumerate() {
        let tone = if number == 0 {
            Tone::Faint
        } else {
            Tone::Plain
        };
        page.exact(indent, tone, line);
    }
}
