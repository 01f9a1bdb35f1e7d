//! Markdown of what a verification found.

use super::super::escape::{code, fence, prose};
use super::super::group::fold_unreadable;
use super::super::verification as told;
use super::super::words;
use super::account_codes;
use super::page::{Limit, Page};
use crate::verify::{Verification, VerificationOutcome};

/// Writes a verification.
pub(in super::super) fn verification(verification: &Verification, limit: Limit) -> String {
    // The exceptions and the lists come after the details.
    let mut page = Page::marked(limit, 8, "verify", &verification.organization_id);
    let sign = match verification.outcome {
        VerificationOutcome::Proven => "✅",
        VerificationOutcome::Findings => "🔴",
        VerificationOutcome::Incomplete => "⚠️",
    };
    let verdict = prose(&told::verdict(verification));
    page.block(&format!("## {sign} Break-glass verify: {verdict}"));
    page.block(&format!("**{}**", told::counts(verification).join(" · ")));
    for line in told::about(verification) {
        page.block(&prose(&line));
    }
    table(&mut page, verification);
    details(&mut page, verification);
    let exceptions = told::exceptions(verification);
    if !exceptions.is_empty() {
        let yaml = fence("yaml", told::yaml(&exceptions));
        let block = format!("### {}\n\n{yaml}", told::EXCEPTIONS_TITLE);
        let too_long = "### Exceptions\n\nThere are too many for this page: see the text or JSON.";
        let fits = block.len() <= page.room() + 3 * limit.short();
        page.block(if fits { &block } else { too_long });
    }
    let accounts =
        |(what, accounts): (String, _)| format!("{} in {}", prose(&what), account_codes(&accounts));
    let uncovered = told::uncovered(verification).into_iter().map(accounts);
    page.list(told::UNCOVERED_TITLE, uncovered, limit.short());
    let exempt = told::exempt(verification).into_iter();
    let exempt =
        exempt.map(|(why, accounts)| format!("{}: {}", account_codes(&accounts), prose(&why)));
    page.list(told::EXEMPT_TITLE, exempt, limit.short());
    let unreadable = fold_unreadable(&verification.unreadable).into_iter();
    let unreadable = unreadable
        .map(|(error, accounts)| format!("{}: {}", account_codes(&accounts), prose(&error)));
    page.list(told::UNREADABLE_TITLE, unreadable, limit.short());
    let notes = verification.notes.iter().map(|note| prose(note));
    page.list(words::NOTES_TITLE, notes, limit.short());
    page.finish()
}

fn table(page: &mut Page, verification: &Verification) {
    let rows = told::rows(verification);
    if rows.is_empty() {
        return;
    }
    let roles = told::roles(verification);
    let names: Vec<String> = roles.iter().map(|role| code(role)).collect();
    let rule = "--|".repeat(roles.len());
    let head = format!("| accounts | {} |\n|--|{rule}\n", names.join(" | "));
    let row = |row: &told::Row| {
        let symbols: Vec<&str> = row.verdicts.iter().map(|one| told::symbol(*one)).collect();
        let accounts = account_codes(&row.accounts);
        format!("| {accounts} | {} |\n", symbols.join(" | "))
    };
    let limit = page.limit();
    let rows = limit.within(limit.long(), rows, row, |rest| {
        format!("| … and {} more |\n", rest.len())
    });
    page.block(&format!("{head}{rows}"));
    page.block(told::LEGEND);
}

fn details(page: &mut Page, verification: &Verification) {
    let details = told::details(verification);
    if details.is_empty() {
        return;
    }
    page.block(&format!("### {}", told::DETAILS_TITLE));
    let item = |detail: &told::Detail| {
        let title = format!("iam_role {}", detail.role);
        let mut text = format!(
            "- {} {} {} in {}\n",
            told::symbol(Some(detail.verdict)),
            code(&title),
            detail.verdict.as_words(),
            account_codes(&detail.accounts)
        );
        for message in &detail.messages {
            text.push_str(&format!("  - {}\n", prose(message)));
        }
        text
    };
    let room = page.room();
    let list = page.limit().within(room, details, item, |rest| {
        format!("- … and {} more\n", rest.len())
    });
    page.block(&list);
}
