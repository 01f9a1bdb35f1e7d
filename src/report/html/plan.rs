//! The page of a plan or a report of drift.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::super::alerts;
use super::super::group::{Group, PLACEHOLDER_LEGEND, fold, fold_addresses};
use super::super::values::{self, Line, Side, Telling};
use super::super::words::{self, View, count};
use super::details::{self, Detail, Written};
use super::frame::{Head, Parts, page};
use super::states;
use super::tree::{Cell, Chart, ELSE, Row};
use super::{Tone, accounts, code, list, prose, skipped, unreadable};
use crate::ids::AccountId;
use crate::org::TreeRole;
use crate::plan::{AlertCoverage, Change, Kind, Outcome, Plan, Risk};
use crate::state::{Address, ResourceType};
use crate::text::visible;

/// How many lines of one difference are shown.
const LINES: usize = 400;
/// How many rows a table of alerts has.
const ALERT_ROWS: usize = 500;

/// Writes a plan or a report of drift.
pub(in super::super) fn plan(plan: &Plan) -> String {
    let name = match plan.kind {
        Kind::Plan => "plan",
        Kind::Drift => "drift",
    };
    let groups = fold(plan.kind, &plan.changes);
    let worst = groups.iter().map(|group| group.change.risk).max();
    let (tone, sign) = match plan.outcome {
        Outcome::InSync => (Tone::Good, "✓"),
        Outcome::Incomplete => (Tone::Unknown, "?"),
        Outcome::Differences => (worst.map_or(Tone::Medium, states::of_risk), "≠"),
    };
    let counts = match plan.outcome {
        Outcome::InSync => Vec::new(),
        Outcome::Differences | Outcome::Incomplete => words::counts(plan),
    };
    let about = match plan.outcome {
        Outcome::Incomplete => Some(words::headline(plan)),
        Outcome::InSync | Outcome::Differences => None,
    };
    let mut facts = vec![("spec", plan.spec_digest.clone())];
    if let Some(base) = &plan.base {
        facts.push(("compared with", base.clone()));
    }
    if let Some(end) = plan.expires_at {
        facts.push(("applies until", end.to_string()));
        facts.push(("digest", plan.digest.clone()));
    }
    let head = Head {
        kind: name,
        organization: &plan.organization_id,
        tone,
        sign,
        verdict: words::verdict(plan),
        counts,
        about: about.into_iter().chain(words::scope(plan)).collect(),
        created_at: plan.created_at,
        facts,
    };
    let mut parts = Parts::default();
    let filters = self::parts(plan, &groups, &mut parts);
    page(&head, Some(filters), &parts)
}

/// Writes the parts of a plan, and the controls of its tree.
pub(super) fn parts(plan: &Plan, groups: &[Group], parts: &mut Parts) -> Markup {
    let view = View::of(plan);
    let columns = columns(plan);
    let told: Vec<Detail> = groups
        .iter()
        .map(|group| detail(view, group, &columns))
        .collect();
    let written = details::write(&told);
    let mut chart = chart(plan, groups, &columns, &written);
    details::note(&mut chart, &told);
    dangers(parts, view.kind, groups, &written);
    gates(parts, plan);
    parts.add("organization", "Organization", chart.body());
    if !told.is_empty() {
        let body = html! { p class="legend" { (words::legend(view.kind)) } (written.markup) };
        parts.add("differences", words::changes_title(view.kind), body);
    }
    if let Some(coverage) = &plan.alerts
        && alerts::has_holes(coverage)
    {
        let table = alert_table(coverage, plan.tree.is_some());
        parts.add("alerts", alerts::TITLE, table);
    }
    left_out(parts, plan);
    apply_with(parts, plan);
    chart.filters()
}

/// Calls out the critical changes, each with what shows it best.
fn dangers(parts: &mut Parts, kind: Kind, groups: &[Group], written: &Written) {
    const SHOWN: usize = 50;
    let critical: Vec<(usize, &Group)> = groups
        .iter()
        .enumerate()
        .filter(|(_, group)| group.change.risk == Risk::Critical)
        .collect();
    let items = critical.iter().take(SHOWN).map(|(number, group)| {
        html! {
            a href=(written.link(*number)) { (code(&words::title(&group.change))) " in " (visible(&group.accounts.words())) }
            ": " (prose(&words::danger(kind, &group.change)))
        }
    });
    let more = critical.len().saturating_sub(SHOWN);
    let rest = (more > 0).then(|| html! { "and " (more) " more" });
    parts.list("critical", "Critical", items.chain(rest));
}

fn gates(parts: &mut Parts, plan: &Plan) {
    let items = plan.gates.iter().map(|finding| {
        html! {
            p { b { (code(&words::gate_flag(plan.kind, finding.gate))) } " – " (prose(&finding.reason)) }
            @for (title, found) in fold_addresses(&finding.addresses, &plan.changes) {
                p { (code(&title)) } (accounts(&found, true))
            }
        }
    });
    parts.list("gates", words::gates_title(plan.kind), items);
}

/// Tells which uses raise no alert, and where.
fn alert_table(coverage: &AlertCoverage, linked: bool) -> Markup {
    let rows = alerts::rows(coverage);
    let shown = rows.iter().take(ALERT_ROWS);
    html! {
        p { (alerts::summary(coverage)) "." }
        (list(coverage.shared.iter().map(|line| html! { "everywhere: " (prose(line)) })))
        @if !rows.is_empty() {
            div class="rows" tabindex="0" role="group" aria-label=(alerts::TITLE) { table {
                thead { tr { @for title in alerts::head() { th scope="col" { (title) } } } }
                tbody { @for row in shown { tr {
                    th scope="row" { (accounts(&row.accounts, linked)) }
                    @for cell in row.cells().iter().skip(1) {
                        @if cell == alerts::HOLE { td class="hole high" { (cell) span { " no alert" } } }
                        @else { td { (visible(cell)) } }
                    }
                } } }
            } }
            @if rows.len() > ALERT_ROWS { p { "and " (count(rows.len() - ALERT_ROWS, "more row")) } }
        }
    }
}

fn left_out(parts: &mut Parts, plan: &Plan) {
    let unreadable = unreadable(&plan.unreadable, true);
    parts.list("unreadable", words::UNREADABLE_TITLE, unreadable);
    parts.list("inactive", words::SKIPPED_TITLE, skipped(&plan.skipped));
    let ignored = fold(plan.kind, &plan.ignored);
    let ignored = ignored.iter().map(|group| {
        html! {
            p { (words::symbol(group.change.action)) " " (code(&words::title(&group.change))) }
            (accounts(&group.accounts, true))
        }
    });
    parts.list("ignored", words::IGNORED_TITLE, ignored);
    let cosmetic = words::cosmetic(plan);
    let cosmetic = cosmetic.iter().map(|line| prose(line));
    parts.list("cosmetic", words::COSMETIC_TITLE, cosmetic);
    let notes = plan.notes.iter().map(|note| prose(note));
    parts.list("notes", words::NOTES_TITLE, notes);
}

fn apply_with(parts: &mut Parts, plan: &Plan) {
    if plan.kind == Kind::Drift || plan.outcome == Outcome::InSync {
        return;
    }
    let body = html! {
        @if let Some(command) = words::apply_command(plan) {
            p { "To apply exactly this plan, saved with " (code("--out plan.json")) ":" }
            pre { (visible(&command)) }
            @if let Some(hint) = words::gates_hint(plan) { p { (prose(&hint)) } }
        } @else { p { (prose(words::no_apply(plan))) } }
    };
    parts.add("apply", "To apply it", body);
}

/// The columns: the declared roles, or without a tree all that are known of, and last everything else.
fn columns(plan: &Plan) -> Vec<String> {
    let mut columns: Vec<String> = match &plan.tree {
        Some(tree) => tree.roles.iter().map(|role| role.name.clone()).collect(),
        None => {
            let changed = plan.changes.iter().map(|change| &change.address);
            let roles = changed
                .chain(&plan.in_sync)
                .filter(|address| address.resource_type == ResourceType::IamRole);
            let names: BTreeSet<&String> = roles.map(|address| &address.name).collect();
            names.into_iter().cloned().collect()
        }
    };
    columns.push(ELSE.to_owned());
    columns
}

/// The column that a resource is told in.
fn column<'a>(columns: &'a [String], address: &Address) -> &'a str {
    let role = address.resource_type == ResourceType::IamRole;
    let same = columns
        .iter()
        .find(|column| role && **column == address.name);
    same.map_or(ELSE, String::as_str)
}

fn chart<'a>(plan: &'a Plan, groups: &[Group], columns: &[String], written: &Written) -> Chart<'a> {
    let mut found: BTreeMap<&AccountId, Found<'_>> = BTreeMap::new();
    for change in &plan.changes {
        let account = found.entry(&change.account).or_default();
        account.name = &change.account_name;
        let column = column(columns, &change.address);
        account.changes.entry(column).or_default().push(change);
    }
    for change in &plan.ignored {
        let account = found.entry(&change.account).or_default();
        account.name = &change.account_name;
        account.ignored.insert(column(columns, &change.address));
    }
    for address in &plan.in_sync {
        if let Some(id) = &address.account {
            let account = found.entry(id).or_default();
            account.in_sync.insert(column(columns, address));
        }
    }
    for unreadable in &plan.unreadable {
        let account = found.entry(&unreadable.account).or_default();
        account.name = &unreadable.account_name;
        account.unreadable = true;
    }
    for unit in plan.tree.iter().flat_map(|tree| tree.units.values()) {
        for (id, name) in &unit.accounts {
            found.entry(id).or_default().name = name;
        }
    }
    let number_of: BTreeMap<&Address, usize> = groups
        .iter()
        .enumerate()
        .flat_map(|(number, group)| group.addresses.iter().map(move |address| (address, number)))
        .collect();
    let link = |change: &Change| {
        let number = number_of.get(&change.address);
        number.map(|number| written.link(*number))
    };
    let roles = plan.tree.iter().flat_map(|tree| &tree.roles);
    let roles: BTreeMap<&String, &TreeRole> = roles.map(|role| (&role.name, role)).collect();
    let rows = found.iter().map(|(id, account)| {
        let cells = columns.iter().map(|column| {
            let declared = roles.get(column).map(|role| role.is_declared_in(id));
            account.cell(column, declared, &link)
        });
        let row = Row {
            name: account.name.to_owned(),
            cells: cells.collect(),
            counted: account.counted(),
            details: BTreeSet::new(),
        };
        ((*id).clone(), row)
    });
    Chart {
        tree: plan.tree.as_ref(),
        rows: rows.collect(),
        columns: columns.to_vec(),
        things: match plan.kind {
            Kind::Plan => "changes",
            Kind::Drift => "differences",
        },
        risks: true,
    }
}

/// Collects what is known of an account.
#[derive(Default)]
struct Found<'a> {
    name: &'a str,
    /// The changes of each column.
    changes: BTreeMap<&'a str, Vec<&'a Change>>,
    /// The columns of what is ignored.
    ignored: BTreeSet<&'a str>,
    /// The columns of what is in sync.
    in_sync: BTreeSet<&'a str>,
    unreadable: bool,
}

impl Found<'_> {
    /// How the account is counted.
    fn counted(&self) -> &'static str {
        if self.unreadable {
            "unreadable"
        } else if self.changes.is_empty() {
            "in sync"
        } else {
            "differing"
        }
    }

    /// Tells a column; `declared` where it is a role of which that is known.
    fn cell(
        &self,
        column: &str,
        declared: Option<bool>,
        link: &dyn Fn(&Change) -> Option<String>,
    ) -> Cell {
        let changes = self.changes.get(column).map_or(&[][..], Vec::as_slice);
        let worst = changes
            .iter()
            .min_by_key(|change| (Reverse(change.risk), &change.address));
        if let Some(worst) = worst {
            let mut note = words::risk(worst.risk).to_owned();
            if changes.len() > 1 {
                note = format!("{note}, {} in all", changes.len());
            }
            return Cell {
                state: states::of_action(worst.action),
                tone: states::of_risk(worst.risk),
                note: Some(note),
                link: link(worst),
            };
        }
        let is_else = column == ELSE;
        if self.ignored.contains(column) {
            Cell::linked(states::IGNORED, "#ignored")
        } else if self.in_sync.contains(column) && !(is_else && self.unreadable) {
            Cell::plain(states::IN_SYNC)
        } else if !is_else && declared != Some(true) && !(declared.is_none() && self.unreadable) {
            Cell::plain(states::UNDECLARED)
        } else if self.unreadable {
            Cell::linked(states::UNREADABLE, "#unreadable")
        } else if is_else {
            Cell::plain(states::NOTHING_ELSE)
        } else {
            // The spec asks for it, and nobody says how it is.
            Cell::plain(states::UNREADABLE)
        }
    }
}

/// Tells a change whole.
fn detail(view: View, group: &Group, columns: &[String]) -> Detail {
    let change = &group.change;
    let facts = words::facts(view, change);
    let telling = Telling {
        kind: view.kind,
        whole: true,
        width: 100,
    };
    let lines = values::lines(&change.fields, change.action, telling);
    let body = html! {
        @if !facts.is_empty() { p class="facts" { @for fact in &facts { span { (visible(fact)) } " " } } }
        @if let Some(blocked) = &change.blocked { p { b { "Blocked: " } (prose(blocked)) } }
        @if let Some(reason) = &change.reason { p { (prose(reason)) } }
        (details::steps(&change.steps))
        @for witness in words::witnesses(change) { p { "For example, " (prose(witness)) } }
        @if group.has_placeholder() { p { (visible(PLACEHOLDER_LEGEND)) } }
        (diff(&lines))
    };
    Detail {
        state: states::of_action(change.action),
        tone: states::of_risk(change.risk),
        tag: Some(words::risk(change.risk)),
        title: words::title(change),
        column: group
            .addresses
            .first()
            .map_or(ELSE, |address| column(columns, address))
            .to_owned(),
        accounts: group.accounts.clone(),
        body,
    }
}

fn diff(lines: &[Line]) -> Markup {
    html! {
        @if !lines.is_empty() {
            pre class="diff" tabindex="0" {
                @for line in lines.iter().take(LINES) {
                    @let text = line.signed();
                    @match line.side {
                        Side::Both => span { (visible(&text)) },
                        Side::Live => del { (visible(&text)) },
                        Side::Spec => ins { (visible(&text)) },
                    }
                    "\n"
                }
            }
            @if lines.len() > LINES { p { "… and " (count(lines.len() - LINES, "more line")) ": " (code("--format text --verbose")) " has them all." } }
        }
    }
}
