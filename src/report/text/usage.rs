//! Text of an audit: what is wrong, then everything that happened, by time.

use super::super::Style;
use super::super::usage as told;
use super::super::words;
use super::page::{INDENT, Page, Tone, facts};
use crate::audit::{Audit, AuditOutcome, Severity};

/// Writes an audit.
pub(in super::super) fn usage(audit: &Audit, style: Style) -> String {
    let mut page = Page::new(style);
    let tone = match audit.outcome {
        AuditOutcome::Clean => Tone::Good,
        AuditOutcome::Findings => Tone::Strong,
        AuditOutcome::Incomplete => Tone::Bad,
    };
    page.lead(
        0,
        (tone, &told::verdict(audit)),
        &facts(&told::counts(audit)),
    );
    page.line(0, Tone::Faint, &told::scope(audit));
    findings(&mut page, audit);
    timeline(&mut page, audit, style);
    lists(&mut page, audit);
    page.finish()
}

fn findings(page: &mut Page, audit: &Audit) {
    if audit.findings.is_empty() {
        return;
    }
    page.section("Findings");
    for finding in told::findings(audit) {
        let tone = match finding.severity {
            Severity::Critical | Severity::High => Tone::Bad,
            Severity::Medium | Severity::Low => Tone::Warn,
        };
        let lead = format!(
            "{} {}",
            told::severity(finding.severity),
            finding.code.as_str()
        );
        let at = told::minute(finding.at);
        page.lead(2, (tone, &lead), &format!("{at} {}", finding.message));
    }
}

fn timeline(page: &mut Page, audit: &Audit, style: Style) {
    let mut day = None;
    for one in &audit.uses {
        let today = told::day(one.started);
        if day.as_ref() != Some(&today) {
            page.section(&today);
            day = Some(today);
        }
        let codes = told::codes(audit, one);
        let tone = match (codes.is_empty(), one.refused) {
            (true, _) => Tone::Good,
            (false, true) => Tone::Warn,
            (false, false) => Tone::Bad,
        };
        let indent = 2 + 2 * told::depth(audit, one);
        page.lead(indent, (tone, &told::span(one)), &told::title(one));
        let known = told::facts(one);
        if let Some((first, rest)) = known.split_first() {
            page.lead(indent + INDENT, (Tone::Plain, first), &facts(rest));
        }
        if let Some(actions) = told::actions(one) {
            page.line(indent + INDENT, Tone::Faint, &actions);
        }
        for other in &one.went_on_to {
            let on = format!("went on to {} as {}", other.role, other.session);
            page.line(indent + INDENT, Tone::Warn, &on);
        }
        if style.verbose {
            for agent in &one.agents {
                page.line(indent + INDENT, Tone::Faint, agent);
            }
        }
        if !codes.is_empty() {
            page.line(indent + INDENT, tone, &format!("! {}", codes.join(", ")));
        }
    }
}

fn lists(page: &mut Page, audit: &Audit) {
    if !audit.unreadable.is_empty() {
        page.section(told::UNREADABLE_TITLE);
        for source in &audit.unreadable {
            page.lead(
                2,
                (Tone::Bad, &format!("{}:", source.source)),
                &source.error,
            );
        }
    }
    if !audit.notes.is_empty() {
        page.section(words::NOTES_TITLE);
        for note in &audit.notes {
            page.lead(2, (Tone::Warn, "note:"), note);
        }
    }
}
