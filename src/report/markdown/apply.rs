//! Markdown of what an apply did: what failed first, what was done folded away.

use super::super::escape::{code, prose};
use super::super::results::{self, ResultGroup};
use super::super::words;
use super::page::{Limit, Page};
use super::{account_codes, unreadable_items};
use crate::apply::{ApplyOutcome, ApplyReport, ChangeStatus};

/// Writes what an apply did.
pub(in super::super) fn apply(report: &ApplyReport, limit: Limit) -> String {
    let mut page = Page::marked(limit, 0, "apply", &report.organization_id);
    let sign = match report.outcome {
        ApplyOutcome::Done => "✅",
        ApplyOutcome::Blocked | ApplyOutcome::Incomplete => "⚠️",
        ApplyOutcome::Partial | ApplyOutcome::Stale | ApplyOutcome::Interrupted => "🔴",
    };
    page.block(&format!(
        "## {sign} Break-glass apply: {}",
        results::verdict(report)
    ));
    page.block(&format!("**{}**", results::counts(report)));
    if let Some(canary) = results::canary(report) {
        page.block(&prose(&canary));
    }
    if let Some(next) = results::next_step(report) {
        page.block(&format!("Next: {next}."));
    }
    let groups = results::fold(&report.results);
    let of = |status: ChangeStatus| {
        groups
            .iter()
            .filter(move |group| group.status == status)
            .map(item)
    };
    for status in [
        ChangeStatus::Failed,
        ChangeStatus::Stale,
        ChangeStatus::Blocked,
        ChangeStatus::Skipped,
        ChangeStatus::Manual,
    ] {
        page.list(results::status_title(status), of(status), 2 * limit.short());
    }
    let unreadable = unreadable_items(&report.unreadable);
    page.list(words::UNREADABLE_TITLE, unreadable, limit.short());
    for status in [ChangeStatus::Done, ChangeStatus::AlreadyDone] {
        let item = |item: &String| format!("- {item}\n");
        let more = |rest: &[String]| format!("- … and {} more\n", rest.len());
        let items = limit.within(2 * limit.short(), of(status), item, more);
        if !items.is_empty() {
            let title = results::status_title(status);
            page.block(&format!(
                "<details>\n<summary>{title}</summary>\n\n{items}\n</details>"
            ));
        }
    }
    page.block(&format!("Plan {}", code(&report.plan_digest)));
    page.finish()
}

fn item(group: &ResultGroup) -> String {
    let accounts = if results::is_trouble(group.status) {
        let names = group.accounts.full();
        let names: Vec<String> = names.iter().map(|name| code(name)).collect();
        words::few(&names, 40)
    } else {
        account_codes(&group.accounts)
    };
    let title = code(&group.title);
    match &group.message {
        Some(message) => format!("{title} in {accounts}: {}", prose(message)),
        None => format!("{title} in {accounts}"),
    }
}
