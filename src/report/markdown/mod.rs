//! Markdown for pull requests: what a reviewer has to see first, then a table, then details to unfold.
//!
//! Whatever AWS or a spec calls something is written as code, so that it is never a link, a mention or a tag.

mod apply;
mod closing;
mod drill;
mod page;
mod usage;
mod verification;

use self::page::{Page, within};
use super::alerts;
use super::escape::{code, fence, html_code, prose};
use super::group::{
    Accounts, Group, PLACEHOLDER_LEGEND, account_label, fold, fold_addresses, fold_unreadable,
};
use super::values::{self, Line, Telling};
use super::words;
use crate::plan::{Action, AlertCoverage, Change, Kind, Outcome, Plan, Risk};

pub(super) use apply::apply;
pub(super) use closing::closing;
pub(super) use drill::drill;
pub(super) use usage::usage;
pub(super) use verification::verification;

/// How many bytes a short part may have, such as the list of gates.
const SHORT: usize = 4_000;
/// How many bytes the table may have.
const TABLE: usize = 16_000;
/// How many bytes the list of accounts of one change may have.
const ACCOUNTS: usize = 12_000;

/// Writes a plan or a report of drift.
pub(super) fn plan(plan: &Plan) -> String {
    let groups = fold(&plan.changes);
    // Unreadable, skipped, ignored, notes and the closing lines come after the details.
    let mut page = Page::new(4 * SHORT + 1_000);
    heading(&mut page, plan, &groups);
    dangers(&mut page, plan.kind, &groups);
    table(&mut page, plan.kind, &groups);
    gates(&mut page, plan);
    let blocked = groups.iter().filter_map(|group| {
        let blocked = group.change.blocked.as_ref()?;
        Some(format!("{}: {}", subject(group), prose(blocked)))
    });
    page.list(words::blocked_title(plan.kind), blocked, SHORT);
    let manual = groups
        .iter()
        .filter(|group| group.change.action == Action::Manual && group.change.blocked.is_none())
        .map(|group| match &group.change.reason {
            Some(reason) => format!("{}: {}", subject(group), prose(reason)),
            None => subject(group),
        });
    page.list(words::MANUAL_TITLE, manual, SHORT);
    if let Some(coverage) = &plan.alerts {
        alert_table(&mut page, coverage);
    }
    details(&mut page, plan.kind, &groups);
    if plan.outcome != Outcome::InSync {
        left_out(&mut page, plan);
    }
    page.list(
        words::NOTES_TITLE,
        plan.notes.iter().map(|note| prose(note)),
        SHORT,
    );
    last_lines(&mut page, plan);
    page.finish()
}

fn heading(page: &mut Page, plan: &Plan, groups: &[Group]) {
    let name = match plan.kind {
        Kind::Plan => "plan",
        Kind::Drift => "drift",
    };
    let worst = groups.iter().map(|group| group.change.risk).max();
    let (sign, verdict) = match (plan.outcome, plan.kind) {
        (Outcome::InSync, _) => ("✅", "in sync"),
        (Outcome::Incomplete, _) => ("⚠️", "incomplete"),
        (Outcome::Differences, Kind::Plan) => (worst.map_or("", risk_sign), "review needed"),
        (Outcome::Differences, Kind::Drift) => {
            (worst.map_or("", risk_sign), "live differs from the spec")
        }
    };
    page.block(&format!("## {sign} Break-glass {name}: {verdict}"));
    match plan.outcome {
        Outcome::InSync => page.block(&format!("{}.", words::verdict(plan))),
        Outcome::Incomplete => {
            page.block(&format!("**{}**", words::verdict(plan)));
            page.block(&counts(plan));
        }
        Outcome::Differences => page.block(&counts(plan)),
    }
    if let Some(scope) = words::scope(plan) {
        page.block(&prose(&scope));
    }
}

fn counts(plan: &Plan) -> String {
    let counts = words::counts(plan).join(" · ");
    format!("**{}** · {counts}", words::headline(plan))
}

/// Calls out the critical changes, each with what shows it best.
fn dangers(page: &mut Page, kind: Kind, groups: &[Group]) {
    let critical = groups
        .iter()
        .filter(|group| group.change.risk == Risk::Critical);
    let line = |group: &Group| {
        let change = &group.change;
        let why = words::witnesses(change).next().or(change.reason.as_deref());
        let why = why.map(prose);
        let access = words::access(kind, change.access).map(str::to_owned);
        let said: Vec<String> = why.into_iter().chain(access).collect();
        let said = if said.is_empty() {
            words::action(kind, change.action).to_owned()
        } else {
            said.join("; ")
        };
        format!("> **critical** – {}: {said}\n>\n", subject(group))
    };
    let lines = within(SHORT, critical, line, |more| {
        format!("> … and {more} more\n")
    });
    if !lines.is_empty() {
        page.block(&format!("> [!CAUTION]\n{}", lines.trim_end_matches(">\n")));
    }
}

/// Names a change and its accounts.
fn subject(group: &Group) -> String {
    let title = code(&words::title(&group.change));
    format!("{} · {title}", account_codes(&group.accounts))
}

/// Names a few accounts.
fn account_codes(accounts: &Accounts) -> String {
    let (names, more) = accounts.few();
    let names: Vec<String> = names.iter().map(|name| code(name)).collect();
    words::and_more(&names, more)
}

fn risk_sign(risk: Risk) -> &'static str {
    match risk {
        Risk::Critical => "🔴",
        Risk::High => "🟠",
        Risk::Medium => "🟡",
        Risk::Low => "⚪",
    }
}

fn table(page: &mut Page, kind: Kind, groups: &[Group]) {
    if groups.is_empty() {
        return;
    }
    let row = |group: &Group| row(kind, group);
    let rows = within(TABLE, groups, row, |more| {
        format!("| | … and {more} more | | | | |\n")
    });
    let source = match kind {
        Kind::Plan => "Cause",
        Kind::Drift => "Spec",
    };
    page.block(&format!(
        "| Risk | Account | Resource | Change | Access | {source} |\n|--|--|--|--|--|--|\n{rows}"
    ));
}

/// Tells which uses raise no alert, and where.
fn alert_table(page: &mut Page, coverage: &AlertCoverage) {
    if !alerts::has_holes(coverage) {
        return;
    }
    page.block(&format!("### {}", alerts::TITLE));
    page.block(&format!("{}.", alerts::summary(coverage)));
    let shared = coverage.shared.iter();
    let line = |line: &String| format!("- everywhere: {}\n", prose(line));
    page.block(&within(SHORT, shared, line, |more| {
        format!("- … and {more} more\n")
    }));
    let head = alerts::head();
    let row = |row: alerts::Row| {
        let cells = row.cells().into_iter().map(|cell| prose(&cell));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rows = alerts::rows(coverage);
    if !rows.is_empty() {
        let rows = within(SHORT, rows, row, |more| {
            format!("| … and {more} more | | | | | | | |\n")
        });
        page.block(&format!(
            "| {} |\n|{}\n{rows}",
            head.join(" | "),
            "--|".repeat(head.len())
        ));
    }
}

fn row(kind: Kind, group: &Group) -> String {
    let change = &group.change;
    let phrase = match change.action {
        Action::Update => code(&values::change_phrase(&change.fields)),
        Action::Create | Action::Delete | Action::Manual => {
            words::action(kind, change.action).to_owned()
        }
    };
    format!(
        "| {} {} | {} | {} | {} {phrase}{} | {} | {} |\n",
        risk_sign(change.risk),
        words::risk(change.risk),
        account_codes(&group.accounts),
        code(&words::title(change)),
        words::symbol(change.action),
        if change.blocked.is_some() {
            " (blocked)"
        } else {
            ""
        },
        words::access_word(kind, change.access),
        cause(kind, change),
    )
}

fn cause(kind: Kind, change: &Change) -> String {
    let source = words::source(change).map(|source| code(&source));
    let cause = words::cause(kind, change.cause).map(str::to_owned);
    let parts: Vec<String> = cause.into_iter().chain(source).collect();
    parts.join(", ")
}

fn gates(page: &mut Page, plan: &Plan) {
    let items = plan.gates.iter().map(|finding| {
        let subjects: Vec<String> = fold_addresses(&finding.addresses, &plan.changes)
            .iter()
            .map(|(title, accounts)| format!("{} in {}", code(title), account_codes(accounts)))
            .collect();
        format!(
            "**{}** – {} ({})",
            code(&words::gate_flag(plan.kind, finding.gate)),
            prose(&finding.reason),
            words::few(&subjects, 3)
        )
    });
    page.list(words::gates_title(plan.kind), items, SHORT);
}

fn details(page: &mut Page, kind: Kind, groups: &[Group]) {
    if groups.is_empty() {
        return;
    }
    page.block(&format!("### {}", words::changes_title(kind)));
    page.block("In a diff, `-` is what AWS holds and `+` what the spec says; an arrow goes from live to spec.");
    let room = page.room();
    let block = |group: &Group| format!("{}\n", detail(kind, group));
    let blocks = within(room, groups, block, |more| {
        format!(
            "Details of {} are left out, so that this fits into a comment; `--format text --verbose` has them all.\n",
            words::count(more, "change")
        )
    });
    page.block(&blocks);
}

fn detail(kind: Kind, group: &Group) -> String {
    let change = &group.change;
    let (names, more) = group.accounts.few();
    let names: Vec<String> = names.iter().map(|name| html_code(name)).collect();
    let mut page = Page::new(0);
    page.block(&format!(
        "<details>\n<summary>{} {} {} in {}</summary>",
        risk_sign(change.risk),
        words::symbol(change.action),
        html_code(&words::title(change)),
        words::and_more(&names, more),
    ));
    let risk = format!("{} risk", words::risk(change.risk));
    let facts = words::facts(kind, change);
    let facts = facts.iter().map(|fact| prose(fact));
    let facts: Vec<String> = std::iter::once(risk).chain(facts).collect();
    page.block(&facts.join(" · "));
    if more > 0 {
        let accounts = group.accounts.full();
        let name = |account: String| format!(" {}", code(&account));
        let accounts = within(ACCOUNTS, accounts, name, |more| format!(" and {more} more"));
        let number = words::count(group.accounts.len(), "account");
        page.block(&format!("{number}:{accounts}"));
    }
    if let Some(blocked) = &change.blocked {
        page.block(&format!("**Blocked:** {}", prose(blocked)));
    }
    if let Some(reason) = &change.reason {
        page.block(&prose(reason));
    }
    if !change.steps.is_empty() {
        let steps = change.steps.iter().enumerate();
        let steps: Vec<String> = steps
            .map(|(number, step)| format!("{}. {}", number + 1, prose(step)))
            .collect();
        page.block(&steps.join("\n"));
    }
    for witness in words::witnesses(change) {
        page.block(&format!("For example, {}", prose(witness)));
    }
    if group.has_placeholder() {
        page.block(&prose(PLACEHOLDER_LEGEND));
    }
    let telling = Telling {
        kind,
        whole: true,
        width: 100,
    };
    let lines = values::lines(&change.fields, change.action, telling);
    if !lines.is_empty() {
        page.block(&fence("diff", lines.iter().map(Line::signed)));
    }
    page.block("</details>");
    page.finish()
}

fn left_out(page: &mut Page, plan: &Plan) {
    let unreadable = unreadable_items(&plan.unreadable);
    page.list(words::UNREADABLE_TITLE, unreadable, SHORT);
    let skipped = plan.skipped.iter().map(|account| {
        let label = account_label(&account.account_name, &account.account);
        format!("{}: {}", code(&label), account.state.as_words())
    });
    page.list(words::SKIPPED_TITLE, skipped, SHORT);
    let ignored = fold(&plan.ignored);
    page.list(words::IGNORED_TITLE, ignored.iter().map(subject), SHORT);
    let cosmetic = words::cosmetic(plan);
    page.list(
        words::COSMETIC_TITLE,
        cosmetic.iter().map(|line| prose(line)),
        SHORT,
    );
}

/// Tells which accounts could not be read, and why.
fn unreadable_items(unreadable: &[crate::plan::Unreadable]) -> Vec<String> {
    fold_unreadable(unreadable)
        .into_iter()
        .map(|(error, accounts)| {
            let names = accounts.full();
            let names: Vec<String> = names.iter().map(|name| code(name)).collect();
            format!("{}: {}", words::few(&names, 40), prose(&error))
        })
        .collect()
}

fn last_lines(page: &mut Page, plan: &Plan) {
    if plan.kind == Kind::Drift || plan.outcome == Outcome::InSync {
        return;
    }
    page.block("---");
    page.block(&format!(
        "{}  \nDigest {}",
        counts(plan),
        code(&plan.digest)
    ));
    match words::apply_command(plan) {
        Some(command) => {
            page.block("To apply exactly this plan, saved with `--out plan.json`:");
            page.block(&fence("sh", [command]));
            if let Some(hint) = words::gates_hint(plan) {
                page.block(&prose(&hint));
            }
        }
        None => page.block(words::no_apply(plan)),
    }
}
