//! What an audit found, worded for every format.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::group::account_label;
use super::words::count;
use crate::audit::{Audit, AuditOutcome, Finding, Mfa, PrincipalKind, RecordSource, Severity, Use};

/// How many actions of a use are shown.
const ACTIONS: usize = 5;
/// How many addresses of a use are shown.
const ADDRESSES: usize = 3;

/// Heads the sources that could not be read.
pub(super) const UNREADABLE_TITLE: &str = "Unreadable: nothing is known of what is in these";

/// Says what came out, in a line.
pub(super) fn verdict(audit: &Audit) -> String {
    let findings = count(audit.findings.len(), "finding");
    match audit.outcome {
        AuditOutcome::Clean if audit.uses.is_empty() => "break-glass was not used".to_owned(),
        AuditOutcome::Clean => "every use belongs to an incident".to_owned(),
        AuditOutcome::Findings => findings,
        AuditOutcome::Incomplete => {
            let sources = count(audit.unreadable.len(), "source");
            format!("incomplete: {sources} could not be read; {findings} in the rest")
        }
    }
}

/// Lists the counts that belong behind [`verdict`].
pub(super) fn counts(audit: &Audit) -> Vec<String> {
    let summary = &audit.summary;
    let mut counts = vec![count(summary.uses, "use")];
    if summary.uses > 0 {
        counts.push(format!("{} with an incident", summary.matched));
    }
    if summary.refused > 0 {
        counts.push(format!("{} refused", summary.refused));
    }
    counts.push(number(summary.records, "record"));
    counts
}

/// Says what time and what records were looked at.
pub(super) fn scope(audit: &Audit) -> String {
    let from = match &audit.source {
        RecordSource::Files { files, skipped: 0 } => number(*files, "log file"),
        RecordSource::Files { files, skipped } => {
            format!(
                "{}, {} skipped",
                number(*files, "log file"),
                number(*skipped, "other")
            )
        }
        RecordSource::EventHistory { accounts, regions } => {
            let (accounts, regions) =
                (number(*accounts, "account"), count(regions.len(), "Region"));
            format!("the event history of {accounts} in {regions}")
        }
    };
    let when = match (audit.since, audit.until) {
        (None, None) => "all times".to_owned(),
        (Some(since), None) => format!("since {}", minute(since)),
        (None, Some(until)) => format!("until {}", minute(until)),
        (Some(since), Some(until)) => format!("{} to {}", minute(since), minute(until)),
    };
    format!("{when}, UTC, from {from}")
}

/// Lists the findings, the worst first.
pub(super) fn findings(audit: &Audit) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = audit.findings.iter().collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// A severity in a word.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
    }
}

/// A time in UTC to the minute.
pub(super) fn minute(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// A day in UTC.
pub(super) fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

/// When a use was, by the clock of its first day.
pub(super) fn span(one: &Use) -> String {
    let clock = |at: Timestamp| at.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string();
    let (start, end) = (clock(one.started), clock(one.ended));
    if day(one.started) != day(one.ended) {
        format!("{start}–{}", minute(one.ended))
    } else if start == end {
        start
    } else {
        format!("{start}–{end}")
    }
}

/// Who used what, such as `bg-alice: role BreakGlassAdmin in prod-pay (111122223333)`.
pub(super) fn title(one: &Use) -> String {
    let principal = &one.principal;
    let name = one.account_name.as_deref().unwrap_or_default();
    let account = account_label(name, &principal.account);
    let what = match principal.kind {
        PrincipalKind::User => "user",
        PrincipalKind::Role => "role",
        PrincipalKind::Root => return format!("{}: root of {account}", one.who),
    };
    format!("{}: {what} {} in {account}", one.who, principal.name)
}

/// The facts of a use, each short.
pub(super) fn facts(one: &Use) -> Vec<String> {
    let mut facts = Vec::new();
    if one.refused {
        facts.push(format!("refused {}", times(one.entries)));
    } else {
        facts.push(
            match one.mfa {
                Mfa::Yes => "MFA",
                Mfa::No => "no MFA",
                Mfa::Unknown => "MFA not known",
            }
            .to_owned(),
        );
        facts.push(if one.incidents.is_empty() {
            "no incident".to_owned()
        } else {
            one.incidents.join(", ")
        });
        let mut calls = number(one.calls, "call");
        if one.writes > 0 {
            calls.push_str(&format!(", {}", number(one.writes, "write")));
        }
        if one.failed > 0 {
            calls.push_str(&format!(", {} failed", one.failed));
        }
        facts.push(calls);
    }
    if !one.addresses.is_empty() {
        let first: Vec<String> = one.addresses.iter().take(ADDRESSES).cloned().collect();
        let more = one.addresses.len() - first.len() + one.addresses_left_out;
        facts.push(format!("from {}", super::words::and_more(&first, more)));
    }
    if let Some(session) = &one.session {
        facts.push(format!("session {session}"));
    }
    if let Some(identity) = &one.source_identity {
        facts.push(format!("source identity {identity}"));
    }
    facts
}

/// What was done most, such as `ec2:RebootInstances ×3`.
pub(super) fn actions(one: &Use) -> Option<String> {
    let told = |action: &crate::audit::ActionCount| match action.count {
        1 => action.action.clone(),
        many => format!("{} ×{many}", action.action),
    };
    let all: Vec<String> = one.actions.iter().map(told).collect();
    (!all.is_empty()).then(|| super::words::few(&all, ACTIONS))
}

/// How deep a use lies below the one that all of its kind came from.
pub(super) fn depth(audit: &Audit, one: &Use) -> usize {
    let mut depth = 0;
    let mut parent = one.parent.as_ref();
    while let Some(id) = parent.filter(|_| depth < 4) {
        depth += 1;
        let above = audit.uses.iter().find(|other| other.id == *id);
        parent = above.and_then(|above| above.parent.as_ref());
    }
    depth
}

/// The codes of the findings of a use.
pub(super) fn codes(audit: &Audit, one: &Use) -> Vec<&'static str> {
    let own = audit
        .findings
        .iter()
        .filter(|finding| finding.use_id.as_ref() == Some(&one.id));
    own.map(|finding| finding.code.as_str()).collect()
}

fn number(number: u64, thing: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), thing)
}

fn times(number: u64) -> String {
    match number {
        1 => "once".to_owned(),
        many => format!("{many} times"),
    }
}
