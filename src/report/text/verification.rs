//! Text of what a verification found: who is safe at a glance, then what is in the way and how to mend it.

use comfy_table::{ContentArrangement, Table, presets};

use super::super::Style;
use super::super::group::{PLACEHOLDER_LEGEND, account_label, fold_unreadable};
use super::super::verification as told;
use super::super::words;
use super::account_words;
use super::page::{INDENT, Page, Tone, facts};
use crate::text::visible;
use crate::verify::{Verdict, Verification, VerificationOutcome};

/// Writes a verification.
pub(in super::super) fn verification(verification: &Verification, style: Style) -> String {
    let mut page = Page::new(style);
    heading(&mut page, verification);
    table(&mut page, verification, style);
    details(&mut page, verification, style);
    exceptions(&mut page, verification);
    lists(&mut page, verification, style);
    page.finish()
}

fn heading(page: &mut Page, verification: &Verification) {
    let tone = match verification.outcome {
        VerificationOutcome::Proven => Tone::Good,
        VerificationOutcome::Findings => Tone::Strong,
        VerificationOutcome::Incomplete => Tone::Bad,
    };
    let counts = facts(&told::counts(verification));
    page.lead(0, (tone, &told::verdict(verification)), &counts);
    for line in told::about(verification) {
        page.line(0, Tone::Warn, &line);
    }
}

fn table(page: &mut Page, verification: &Verification, style: Style) {
    let rows = told::rows(verification);
    if rows.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Ok(width @ 1..) = u16::try_from(style.width) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    let head = ["accounts".to_owned(), String::new()];
    table.set_header(head.into_iter().chain(told::roles(verification)));
    for row in rows {
        let symbols = row.verdicts.iter().map(|one| told::symbol(*one).to_owned());
        let cells = [
            row.accounts.len().to_string(),
            account_words(&row.accounts, style),
        ];
        let cells = cells.into_iter().chain(symbols);
        table.add_row(cells.map(|cell| visible(&cell).into_owned()));
    }
    page.gap();
    for (number, line) in table.trim_fmt().lines().enumerate() {
        let tone = if number == 0 {
            Tone::Faint
        } else {
            Tone::Plain
        };
        page.exact(0, tone, line);
    }
    page.line(0, Tone::Faint, told::LEGEND);
}

fn details(page: &mut Page, verification: &Verification, style: Style) {
    let details = told::details(verification);
    if details.is_empty() {
        return;
    }
    page.section(told::DETAILS_TITLE);
    for (number, detail) in details.iter().enumerate() {
        if number > 0 {
            page.gap();
        }
        let tone = match detail.verdict {
            Verdict::Missing | Verdict::Open | Verdict::Blocked => Tone::Bad,
            Verdict::NotProven | Verdict::Proven => Tone::Warn,
        };
        let title = format!(
            "{} iam_role {}",
            told::symbol(Some(detail.verdict)),
            detail.role
        );
        let accounts = account_words(&detail.accounts, style);
        let word = detail.verdict.as_words();
        page.lead(0, (tone, &title), &format!("{word} in {accounts}"));
        for message in &detail.messages {
            page.line(INDENT, Tone::Plain, message);
        }
        if told::has_placeholder(detail) && detail.accounts.len() > 1 {
            page.line(INDENT, Tone::Faint, PLACEHOLDER_LEGEND);
        }
    }
}

fn exceptions(page: &mut Page, verification: &Verification) {
    let exceptions = told::exceptions(verification);
    if exceptions.is_empty() {
        return;
    }
    page.section(told::EXCEPTIONS_TITLE);
    for line in told::yaml(&exceptions) {
        page.exact(2, Tone::Plain, &line);
    }
}

fn lists(page: &mut Page, verification: &Verification, style: Style) {
    let uncovered = told::uncovered(verification);
    if !uncovered.is_empty() {
        page.section(told::UNCOVERED_TITLE);
        for (what, accounts) in uncovered {
            let accounts = account_words(&accounts, style);
            page.lead(2, (Tone::Bad, &what), &format!("in {accounts}"));
        }
    }
    let exempt = told::exempt(verification);
    if !exempt.is_empty() {
        page.section(told::EXEMPT_TITLE);
        for (reason, accounts) in exempt {
            let accounts = format!("{}:", account_words(&accounts, style));
            page.lead(2, (Tone::Plain, &accounts), &reason);
        }
    }
    if !verification.unreadable.is_empty() {
        page.section(told::UNREADABLE_TITLE);
        for (error, accounts) in fold_unreadable(&verification.unreadable) {
            let accounts = format!("{}:", accounts.full().join(", "));
            page.lead(2, (Tone::Bad, &accounts), &error);
        }
    }
    if !verification.skipped.is_empty() {
        page.section(words::SKIPPED_TITLE);
        for account in &verification.skipped {
            let label = account_label(&account.account_name, &account.account);
            let label = format!("{label}:");
            page.lead(2, (Tone::Plain, &label), account.state.as_words());
        }
    }
    if !verification.notes.is_empty() {
        page.section(words::NOTES_TITLE);
        for note in &verification.notes {
            page.lead(2, (Tone::Warn, "note:"), note);
        }
    }
}
