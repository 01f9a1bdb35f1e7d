//! The page of an audit.

use maud::{Markup, html};

use super::super::usage as told;
use super::super::words;
use super::frame::{Head, Parts, page};
use super::{Tone, code, prose};
use crate::audit::{Audit, AuditOutcome, Severity, Use};
use crate::text::visible;

/// How many uses are shown.
const USES: usize = 5_000;

/// Writes an audit.
pub(in super::super) fn usage(audit: &Audit) -> String {
    let (tone, sign) = match audit.outcome {
        AuditOutcome::Clean => (Tone::Good, "✓"),
        AuditOutcome::Findings => (Tone::Critical, "!"),
        AuditOutcome::Incomplete => (Tone::Unknown, "?"),
    };
    let head = Head {
        kind: "usage",
        organization: &audit.organization_id,
        tone,
        sign,
        verdict: told::verdict(audit),
        counts: told::counts(audit),
        about: vec![told::scope(audit)],
        created_at: audit.created_at,
        facts: Vec::new(),
    };
    let mut parts = Parts::default();
    let findings = told::findings(audit).into_iter().map(|finding| {
        html! {
            span class={ "tag " (severity_tone(finding.severity).class()) } { (told::severity(finding.severity)) } " "
            (code(finding.code.as_str())) " " time { (told::minute(finding.at)) } " " (prose(&finding.message))
        }
    });
    parts.list("findings", "Findings", findings);
    if !audit.uses.is_empty() {
        parts.add("timeline", "Timeline", timeline(audit));
    }
    let unreadable = audit.unreadable.iter();
    let unreadable =
        unreadable.map(|source| html! { (code(&source.source)) ": " (prose(&source.error)) });
    parts.list("unreadable", told::UNREADABLE_TITLE, unreadable);
    let notes = audit.notes.iter().map(|note| prose(note));
    parts.list("notes", words::NOTES_TITLE, notes);
    page(&head, None, &parts)
}

fn severity_tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Critical,
        Severity::High => Tone::High,
        Severity::Medium => Tone::Medium,
        Severity::Low => Tone::Low,
    }
}

fn timeline(audit: &Audit) -> Markup {
    html! {
        div class="rows" tabindex="0" role="group" aria-label="Uses by time" { table class="matrix" {
            thead { tr { @for title in ["When (UTC)", "Use", "Facts", "Findings"] { th scope="col" { (title) } } } }
            tbody { @for one in audit.uses.iter().take(USES) { (self::row(audit, one)) } }
        } }
        @if audit.uses.len() > USES { p { "and " (audit.uses.len() - USES) " more" } }
    }
}

fn row(audit: &Audit, one: &Use) -> Markup {
    let codes = told::codes(audit, one);
    html! {
        tr {
            td { (told::day(one.started)) " " (told::span(one)) }
            th scope="row" { (visible(&told::title(one))) }
            td {
                p class="facts" { @for fact in told::facts(one) { span { (visible(&fact)) } " " } }
                @if let Some(actions) = told::actions(one) { p { (code(&actions)) } }
                @for other in &one.went_on_to { p { "went on to " (code(&other.role)) " as " (code(&other.session)) } }
            }
            td { @for finding in codes { (code(finding)) " " } }
        }
    }
}
