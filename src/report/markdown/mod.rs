//! Markdown for pull requests: what a reviewer has to see first, then a table, then details to unfold.
//!
//! Whatever AWS or a spec calls something is written as code, so that it is never a link, a mention or a tag.

mod apply;
mod closing;
mod drill;
mod page;
mod usage;
mod verification;

use self::page::Page;
use super::alerts;
use super::escape::{code, fence, html_code, prose};
use super::group::{
    Accounts, Group, PLACEHOLDER_LEGEND, account_label, fold, fold_addresses, fold_unreadable,
};
use super::values::{self, Line, Telling};
use super::words::{self, View};
use crate::plan::{Action, AlertCoverage, Change, Kind, Outcome, Plan, Risk};
use crate::text::visible;

pub(super) use apply::apply;
pub(super) use closing::closing;
pub(super) use drill::drill;
pub(super) use page::Limit;
pub(super) use usage::usage;
pub(super) use verification::verification;

/// Writes a plan or a report of drift.
pub(super) fn plan(plan: &Plan, limit: Limit) -> String {
    let kind = match plan.kind {
        Kind::Plan => "plan",
        Kind::Drift => "drift",
    };
    let mut page = Page::marked(limit, AFTER_DETAILS, kind, &plan.organization_id);
    write_plan(&mut page, plan);
    page.finish()
}

/// How many short parts come after the details: unreadable, skipped, ignored, cosmetic, notes, what is left out, the end.
const AFTER_DETAILS: usize = 7;

/// Writes a plan or a report of drift onto a page.
fn write_plan(page: &mut Page, plan: &Plan) {
    let short = page.limit().short();
    let groups = fold(plan.kind, &plan.changes);
    heading(page, plan, &groups);
    dangers(page, plan.kind, &groups);
    table(page, View::of(plan), &groups);
    gates(page, plan);
    let blocked = groups.iter().filter_map(|group| {
        let blocked = group.change.blocked.as_ref()?;
        Some(format!("{}: {}", subject(group), prose(blocked)))
    });
    page.list(words::blocked_title(plan.kind), blocked, short);
    let manual = groups
        .iter()
        .filter(|group| group.change.action == Action::Manual && group.change.blocked.is_none())
        .map(|group| match &group.change.reason {
            Some(reason) => format!("{}: {}", subject(group), prose(reason)),
            None => subject(group),
        });
    page.list(words::MANUAL_TITLE, manual, short);
    if let Some(coverage) = &plan.alerts {
        alert_table(page, coverage);
    }
    details(page, View::of(plan), &groups);
    if plan.outcome != Outcome::InSync {
        left_out(page, plan);
    }
    ignored(page, plan);
    page.list(
        words::NOTES_TITLE,
        plan.notes.iter().map(|note| prose(note)),
        short,
    );
    last_lines(page, plan);
}

fn heading(page: &mut Page, plan: &Plan, groups: &[Group]) {
    let name = match plan.kind {
        Kind::Plan => "plan",
        Kind::Drift => "drift",
    };
    let worst = groups.iter().map(|group| group.change.risk).max();
    let sign = match plan.outcome {
        Outcome::InSync => "✅",
        Outcome::Incomplete => "⚠️",
        Outcome::Differences => worst.map_or("", risk_sign),
    };
    let verdict = words::conclusion(plan);
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
    let line = |group: &&Group| {
        let said = prose(&words::danger(kind, &group.change));
        format!("> **critical** – {}: {said}\n>\n", subject(group))
    };
    let limit = page.limit();
    let lines = limit.within(limit.short(), critical, line, |rest| {
        format!("> … and {} more\n", rest.len())
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

fn table(page: &mut Page, view: View, groups: &[Group]) {
    if groups.is_empty() {
        return;
    }
    let limit = page.limit();
    let row = |group: &&Group| row(view, group);
    let rows = limit.within(limit.long(), groups, row, |rest| {
        format!("| | … and {} more: {} | | | | |\n", rest.len(), names(rest))
    });
    let source = match view.kind {
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
    let limit = page.limit();
    page.block(&limit.within(
        limit.short(),
        shared,
        |shared| line(shared),
        |rest| format!("- … and {} more\n", rest.len()),
    ));
    let head = alerts::head();
    let row = |row: &alerts::Row| {
        let cells = row.cells().into_iter().map(|cell| prose(&cell));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rows = alerts::rows(coverage);
    if !rows.is_empty() {
        let rows = limit.within(limit.short(), rows, row, |rest| {
            format!("| … and {} more | | | | | | | |\n", rest.len())
        });
        page.block(&format!(
            "| {} |\n|{}\n{rows}",
            head.join(" | "),
            "--|".repeat(head.len())
        ));
    }
}

/// Names changes that are left out, as far as a line holds them.
fn names(groups: &[&Group]) -> String {
    const SHOWN: usize = 8;
    let names: Vec<String> = groups
        .iter()
        .take(SHOWN)
        .map(|group| subject(group))
        .collect();
    words::and_more(&names, groups.len().saturating_sub(SHOWN))
}

fn row(view: View, group: &Group) -> String {
    let kind = view.kind;
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
        cause(view, change),
    )
}

fn cause(view: View, change: &Change) -> String {
    let source = words::source(change).map(|source| code(&source));
    let cause = view.cause(change.cause).map(str::to_owned);
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
    let short = page.limit().short();
    page.list(words::gates_title(plan.kind), items, short);
}

fn details(page: &mut Page, view: View, groups: &[Group]) {
    if groups.is_empty() {
        return;
    }
    page.block(&format!("### {}", words::changes_title(view.kind)));
    page.block("In a diff, `-` is what AWS holds and `+` what the spec says; an arrow goes from live to spec.");
    let (limit, room) = (page.limit(), page.room());
    let block = |group: &&Group| format!("{}\n", detail(limit, view, group));
    let mut left_out = String::new();
    let blocks = limit.within(room, groups, block, |rest| {
        left_out = format!(
            "Left out, so that this fits: the details of {}. `--format text --verbose` has them all.",
            names(rest)
        );
        String::new()
    });
    page.block(&blocks);
    page.block(&left_out);
}

fn detail(limit: Limit, view: View, group: &Group) -> String {
    let change = &group.change;
    let (names, more) = group.accounts.few();
    let names: Vec<String> = names.iter().map(|name| html_code(name)).collect();
    let mut page = Page::new(limit, 0);
    page.block(&format!(
        "<details>\n<summary>{} {} {} in {}</summary>",
        risk_sign(change.risk),
        words::symbol(change.action),
        html_code(&words::title(change)),
        words::and_more(&names, more),
    ));
    let risk = format!("{} risk", words::risk(change.risk));
    let facts = words::facts(view, change);
    let facts = facts.iter().map(|fact| prose(fact));
    let facts: Vec<String> = std::iter::once(risk).chain(facts).collect();
    page.block(&facts.join(" · "));
    if more > 0 {
        let accounts = group.accounts.full();
        let name = |account: &String| format!(" {}", code(account));
        let accounts = limit.within(limit.short(), accounts, name, |rest| {
            format!(" and {} more", rest.len())
        });
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
        kind: view.kind,
        whole: true,
        width: 100,
    };
    let lines = values::lines(&change.fields, change.action, telling);
    if !lines.is_empty() {
        let (shown, more) = bounded(limit, lines.iter().map(Line::signed));
        page.block(&fence("diff", shown));
        if more > 0 {
            let more = words::count(more, "more line");
            page.block(&format!(
                "… and {more}: `--format text --verbose` has them all."
            ));
        }
    }
    page.block("</details>");
    page.finish()
}

/// Takes as many lines of a diff as one change may take, and counts the others.
fn bounded(limit: Limit, lines: impl Iterator<Item = String>) -> (Vec<String>, usize) {
    let mut lines: Vec<String> = lines.map(|line| visible(&line).into_owned()).collect();
    let mut more = 0;
    let line = |line: &&String| format!("{line}\n");
    limit.within(limit.long(), &lines, line, |rest| {
        more = rest.len();
        String::new()
    });
    lines.truncate(lines.len().saturating_sub(more));
    (lines, more)
}

fn left_out(page: &mut Page, plan: &Plan) {
    let short = page.limit().short();
    let unreadable = unreadable_items(&plan.unreadable);
    page.list(words::UNREADABLE_TITLE, unreadable, short);
    let skipped = plan.skipped.iter().map(|account| {
        let label = account_label(&account.account_name, &account.account);
        format!("{}: {}", code(&label), account.state.as_words())
    });
    page.list(words::SKIPPED_TITLE, skipped, short);
    let cosmetic = words::cosmetic(plan);
    page.list(
        words::COSMETIC_TITLE,
        cosmetic.iter().map(|line| prose(line)),
        short,
    );
}

/// Folds away what ignore rules leave alone, with their reasons.
fn ignored(page: &mut Page, plan: &Plan) {
    let groups = fold(plan.kind, &plan.ignored);
    let line = |group: &&Group| {
        let said = words::ignored(&group.change);
        let said: Vec<String> = said.iter().map(|said| prose(said)).collect();
        format!("- {}: {}\n", subject(group), said.join(" · "))
    };
    let limit = page.limit();
    let lines = limit.within(limit.short(), &groups, line, |rest| {
        format!("- … and {} more\n", rest.len())
    });
    if !lines.is_empty() {
        page.block(&format!(
            "<details>\n<summary>{}: {}</summary>\n\n{lines}\n</details>",
            words::IGNORED_TITLE,
            plan.summary.ignored
        ));
    }
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
