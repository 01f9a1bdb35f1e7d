//! The findings of an audit, and the uses with which nothing is wrong.

use serde_json::json;

use super::super::usage as told;
use super::{Item, Level, Listing, Rule, State};
use crate::audit::{Audit, Code, Finding, Severity, Use};

impl Listing {
    /// Lists what an audit found.
    pub(in super::super) fn of_usage(audit: &Audit) -> Self {
        let mut listing = Self::new("usage", &audit.organization_id, told::verdict(audit));
        listing.at(audit.spec_file.as_ref());
        let findings = audit.findings.iter().map(item);
        let right = audit.uses.iter();
        let right = right.filter(|one| told::codes(audit, one).is_empty());
        let unread = audit.unreadable.iter();
        let unread =
            unread.map(|source| Item::unread(format!("source/{}", source.source), &source.error));
        listing.items = findings.chain(right.map(use_item)).chain(unread).collect();
        listing.finish()
    }
}

fn item(finding: &Finding) -> Item {
    let level = match finding.severity {
        Severity::Critical => Level::Critical,
        Severity::High => Level::Error,
        Severity::Medium => Level::Warning,
        Severity::Low => Level::Note,
    };
    let about = finding.use_id.as_ref().or(finding.incident.as_ref());
    let about = about.cloned().unwrap_or_else(|| finding.at.to_string());
    let name = format!("{}/{about}", finding.code.as_str());
    let message = format!("{} ({} UTC)", finding.message, told::minute(finding.at));
    let mut item = Item::new(State::Failed, level, rule(finding.code), name, message);
    item.account.clone_from(&finding.account);
    let at = ("at".to_owned(), json!(finding.at));
    let severity = ("severity".to_owned(), json!(finding.severity));
    item.properties.extend([at, severity]);
    item
}

fn use_item(one: &Use) -> Item {
    Item::passed(format!("use/{}", one.id)).within(
        &one.principal.account,
        one.account_name.as_deref().unwrap_or_default(),
    )
}

fn rule(code: Code) -> Rule {
    let id = match code {
        Code::Tampering => "usage/tampering",
        Code::RootUse => "usage/root_use",
        Code::NoIncident => "usage/no_incident",
        Code::OutsideScope => "usage/outside_scope",
        Code::NoMfa => "usage/no_mfa",
        Code::OutsideWindow => "usage/outside_window",
        Code::FailedAttempt => "usage/failed_attempt",
        Code::NeverClosed => "usage/never_closed",
        Code::WentOn => "usage/went_on",
    };
    Rule::new(id, code.description())
}
