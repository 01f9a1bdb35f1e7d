//! Markdown of an audit.

use super::super::escape::{code, prose};
use super::super::usage as told;
use super::super::words;
use super::page::{Limit, Page};
use crate::audit::{Audit, AuditOutcome};

/// Writes an audit.
pub(in super::super) fn usage(audit: &Audit, limit: Limit) -> String {
    // The lists come after the table.
    let mut page = Page::marked(limit, 3, "usage", &audit.organization_id);
    let sign = match audit.outcome {
        AuditOutcome::Clean => "✅",
        AuditOutcome::Findings => "🔴",
        AuditOutcome::Incomplete => "⚠️",
    };
    let verdict = prose(&told::verdict(audit));
    page.block(&format!("## {sign} Break-glass usage: {verdict}"));
    page.block(&format!("**{}**", told::counts(audit).join(" · ")));
    page.block(&prose(&told::scope(audit)));
    let findings = told::findings(audit).into_iter().map(|finding| {
        format!(
            "{} {} {} {}",
            told::severity(finding.severity),
            code(finding.code.as_str()),
            told::minute(finding.at),
            prose(&finding.message)
        )
    });
    page.list("Findings", findings, limit.long());
    timeline(&mut page, audit);
    let unreadable = audit.unreadable.iter();
    let unreadable =
        unreadable.map(|source| format!("{}: {}", code(&source.source), prose(&source.error)));
    page.list(told::UNREADABLE_TITLE, unreadable, limit.short());
    let notes = audit.notes.iter().map(|note| prose(note));
    page.list(words::NOTES_TITLE, notes, limit.short());
    page.finish()
}

fn timeline(page: &mut Page, audit: &Audit) {
    if audit.uses.is_empty() {
        return;
    }
    page.block("### Timeline");
    let row = |one: &&crate::audit::Use| {
        let codes = told::codes(audit, one);
        let codes: Vec<String> = codes.into_iter().map(code).collect();
        format!(
            "| {} {} | {} | {} | {} |\n",
            told::day(one.started),
            told::span(one),
            prose(&told::title(one)),
            prose(&told::facts(one).join(" · ")),
            codes.join(", ")
        )
    };
    let rows = page.limit().within(page.room(), &audit.uses, row, |rest| {
        format!("| … and {} more | | | |\n", rest.len())
    });
    page.block(&format!(
        "| when (UTC) | use | facts | findings |\n|--|--|--|--|\n{rows}"
    ));
}
