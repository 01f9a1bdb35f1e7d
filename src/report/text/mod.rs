//! Text for a terminal: the verdict first, then what is dangerous, then everything else.

mod apply;
mod closing;
mod drill;
mod overview;
mod page;
mod usage;
mod verification;

use self::page::{INDENT, Page, Tone, facts};
use super::Style;
use super::group::{
    Accounts, Group, PLACEHOLDER_LEGEND, account_label, fold, fold_addresses, fold_unreadable,
};
use super::values::{self, Telling};
use super::words::{self, View};
use crate::plan::{Action, Kind, Outcome, Plan, Risk};

pub(super) use apply::apply;
pub(super) use closing::closing;
pub(super) use drill::drill;
pub(super) use usage::usage;
pub(super) use verification::verification;

/// How many groups a reader overlooks without a table.
const TABLE_FROM: usize = 5;

/// Writes a plan or a report of drift.
pub(super) fn plan(plan: &Plan, style: Style) -> String {
    let mut page = Page::new(style);
    verdict(&mut page, plan);
    if plan.outcome != Outcome::InSync {
        differences(&mut page, plan, style);
        if let Some(coverage) = &plan.alerts {
            overview::alerts(&mut page, coverage, style);
        }
        left_out(&mut page, plan);
    }
    if style.verbose {
        ignored(&mut page, plan, style);
    }
    if !plan.notes.is_empty() {
        page.section(words::NOTES_TITLE);
        for note in &plan.notes {
            page.lead(2, (Tone::Warn, "note:"), note);
        }
    }
    if plan.outcome != Outcome::InSync {
        last_lines(&mut page, plan);
    }
    page.finish()
}

fn verdict(page: &mut Page, plan: &Plan) {
    let tone = match plan.outcome {
        Outcome::InSync => Tone::Good,
        Outcome::Differences => Tone::Strong,
        Outcome::Incomplete => Tone::Bad,
    };
    let verdict = words::verdict(plan);
    match plan.outcome {
        Outcome::InSync => page.line(0, tone, &verdict),
        Outcome::Incomplete => {
            page.line(0, tone, &verdict);
            counts(page, plan);
        }
        Outcome::Differences => counts(page, plan),
    }
    if let Some(scope) = words::scope(plan) {
        page.line(0, Tone::Warn, &scope);
    }
}

fn counts(page: &mut Page, plan: &Plan) {
    let counts = facts(&words::counts(plan));
    page.lead(0, (Tone::Strong, &words::headline(plan)), &counts);
}

fn differences(page: &mut Page, plan: &Plan, style: Style) {
    let groups = fold(plan.kind, &plan.changes);
    gates(page, plan, style);
    let parts = |manual: bool, blocked: bool| -> Vec<&Group> {
        groups
            .iter()
            .filter(|group| {
                let change = &group.change;
                let is_blocked = change.blocked.is_some();
                let is_manual = change.action == Action::Manual && !is_blocked;
                (is_manual, is_blocked) == (manual, blocked)
            })
            .collect()
    };
    if groups.len() >= TABLE_FROM {
        overview::table(page, plan.kind, &groups, style);
    }
    let blocked = parts(false, true);
    if !blocked.is_empty() {
        page.section(words::blocked_title(plan.kind));
        show_groups(page, View::of(plan), &blocked, style);
    }
    let changes = parts(false, false);
    if !changes.is_empty() {
        page.section(&format!(
            "{} ({})",
            words::changes_title(plan.kind),
            words::legend(plan.kind)
        ));
        show_groups(page, View::of(plan), &changes, style);
    }
    let manual = parts(true, false);
    if !manual.is_empty() {
        page.section(words::MANUAL_TITLE);
        show_groups(page, View::of(plan), &manual, style);
    }
}

fn gates(page: &mut Page, plan: &Plan, style: Style) {
    if plan.gates.is_empty() {
        return;
    }
    page.section(words::gates_title(plan.kind));
    for finding in &plan.gates {
        let name = format!("{}:", words::gate_flag(plan.kind, finding.gate));
        page.lead(2, (Tone::Bad, &name), &finding.reason);
        for (title, accounts) in fold_addresses(&finding.addresses, &plan.changes) {
            let accounts = account_words(&accounts, style);
            page.line(INDENT, Tone::Plain, &format!("{title} in {accounts}"));
        }
    }
}

fn show_groups(page: &mut Page, view: View, groups: &[&Group], style: Style) {
    for (number, group) in groups.iter().enumerate() {
        if number > 0 {
            page.gap();
        }
        show_group(page, view, group, style);
    }
}

fn show_group(page: &mut Page, view: View, group: &Group, style: Style) {
    let change = &group.change;
    let tone = risk_tone(change.risk);
    let title = format!("{} {}", words::symbol(change.action), words::title(change));
    let accounts = account_words(&group.accounts, style);
    page.lead(0, (Tone::Strong, &title), &format!("in {accounts}"));
    let risk = format!("{} risk", words::risk(change.risk));
    page.lead(INDENT, (tone, &risk), &facts(&words::facts(view, change)));
    if let Some(blocked) = &change.blocked {
        page.lead(INDENT, (Tone::Bad, "blocked:"), blocked);
    }
    if let Some(reason) = &change.reason {
        page.line(INDENT, Tone::Plain, reason);
    }
    for (number, step) in change.steps.iter().enumerate() {
        let number = format!("{}.", number + 1);
        page.lead(INDENT, (Tone::Strong, &number), step);
    }
    for witness in words::witnesses(change) {
        page.lead(INDENT, (tone, "for example,"), witness);
    }
    if group.has_placeholder() {
        page.line(INDENT, Tone::Faint, PLACEHOLDER_LEGEND);
    }
    // What a person has to do stands in the reason; the field only says that it is not done.
    if change.action != Action::Manual || style.verbose {
        let telling = Telling {
            kind: view.kind,
            whole: style.verbose,
            width: match style.width {
                0 => 100,
                width => width.saturating_sub(INDENT),
            },
        };
        for line in values::lines(&change.fields, change.action, telling) {
            page.field(&line);
        }
    }
}

fn risk_tone(risk: Risk) -> Tone {
    match risk {
        Risk::Critical => Tone::Bad,
        Risk::High => Tone::Warn,
        Risk::Medium | Risk::Low => Tone::Plain,
    }
}

/// Names accounts: all when the reader asked for it, else a few.
fn account_words(accounts: &Accounts, style: Style) -> String {
    if style.verbose {
        accounts.full().join(", ")
    } else {
        accounts.words()
    }
}

fn left_out(page: &mut Page, plan: &Plan) {
    if !plan.unreadable.is_empty() {
        page.section(words::UNREADABLE_TITLE);
        for (error, accounts) in fold_unreadable(&plan.unreadable) {
            // Whoever mends this needs every account, so none is left out.
            let accounts = format!("{}:", accounts.full().join(", "));
            page.lead(2, (Tone::Bad, &accounts), &error);
        }
    }
    if !plan.skipped.is_empty() {
        page.section(words::SKIPPED_TITLE);
        for account in &plan.skipped {
            let label = account_label(&account.account_name, &account.account);
            page.lead(
                2,
                (Tone::Plain, &format!("{label}:")),
                account.state.as_words(),
            );
        }
    }
    if !plan.cosmetic.is_empty() {
        page.section(words::COSMETIC_TITLE);
        for line in words::cosmetic(plan) {
            page.line(2, Tone::Plain, &line);
        }
    }
}

/// Lists what ignore rules leave alone, for whoever asks for more than how many there are.
fn ignored(page: &mut Page, plan: &Plan, style: Style) {
    if plan.ignored.is_empty() {
        return;
    }
    page.section(words::IGNORED_TITLE);
    for group in fold(plan.kind, &plan.ignored) {
        let change = &group.change;
        let accounts = account_words(&group.accounts, style);
        let title = format!("{} {}", words::symbol(change.action), words::title(change));
        page.lead(0, (Tone::Strong, &title), &format!("in {accounts}"));
        page.line(INDENT, Tone::Plain, &words::ignored(change).join(" · "));
    }
}

fn last_lines(page: &mut Page, plan: &Plan) {
    page.gap();
    counts(page, plan);
    if plan.kind == Kind::Drift {
        return;
    }
    page.exact(0, Tone::Faint, &format!("digest {}", plan.digest));
    match words::apply_command(plan) {
        Some(command) => {
            let mut how = "to apply exactly this, save it with --out plan.json, then".to_owned();
            if let Some(end) = plan.expires_at {
                how.push_str(&format!(" (until {end})"));
            }
            page.line(0, Tone::Plain, &format!("{how}:"));
            page.exact(2, Tone::Strong, &command);
            if let Some(hint) = words::gates_hint(plan) {
                page.line(0, Tone::Warn, &hint);
            }
        }
        None => page.line(0, Tone::Plain, words::no_apply(plan)),
    }
}
