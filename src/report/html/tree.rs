//! The organization as a tree: units nested, a row for each account, a cell for each role.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::super::words::count;
use super::states::State;
use super::units::{Unit, nest};
use super::{Tone, row_id};
use crate::ids::AccountId;
use crate::org::Tree;
use crate::text::visible;

/// How many rows one table holds: a browser leaves tables that are out of sight alone, but not rows.
const ROWS: usize = 200;
/// Up to so many columns there is room for words beside the signs.
const WORDY: usize = 6;

/// The column of what is no role.
pub(super) const ELSE: &str = "everything else";

/// Tells the state of a role, or of everything else, in an account.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// The state.
    pub(super) state: State,
    /// How much it matters here.
    pub(super) tone: Tone,
    /// What is to say beside the state, such as its risk.
    pub(super) note: Option<String>,
    /// Where more is told of it.
    pub(super) link: Option<String>,
}

impl Cell {
    /// Tells a state of which there is no more to say.
    pub(super) fn plain(state: State) -> Self {
        Self {
            state,
            tone: state.tone,
            note: None,
            link: None,
        }
    }

    /// Tells a state and where there is more.
    pub(super) fn linked(state: State, link: impl Into<String>) -> Self {
        Self {
            link: Some(link.into()),
            ..Self::plain(state)
        }
    }
}

/// Describes an account.
#[derive(Debug)]
pub(super) struct Row {
    /// The account's name.
    pub(super) name: String,
    /// A cell for each column.
    pub(super) cells: Vec<Cell>,
    /// How it is counted, such as `in sync`.
    pub(super) counted: &'static str,
    /// The numbers of the details that are about it.
    pub(super) details: BTreeSet<usize>,
}

impl Row {
    fn tone(&self) -> Tone {
        let tones = self.cells.iter().map(|cell| cell.tone);
        tones.max().unwrap_or(Tone::None)
    }
}

/// Holds the organization as a page shows it.
pub(super) struct Chart<'a> {
    /// The tree; without one all accounts stand in one list.
    pub(super) tree: Option<&'a Tree>,
    /// The roles, and what else has a column.
    pub(super) columns: Vec<String>,
    /// The accounts.
    pub(super) rows: BTreeMap<AccountId, Row>,
    /// What the details are called, such as `differences`.
    pub(super) things: &'static str,
    /// Whether states come with risks.
    pub(super) risks: bool,
}

/// Counts accounts by how they are counted; the worst come first.
type Sums = BTreeMap<(Reverse<Tone>, &'static str), usize>;

impl Chart<'_> {
    /// Writes the tree.
    pub(super) fn body(&self) -> Markup {
        let mut units = self.tree.map(nest).unwrap_or_default();
        let mut placed = BTreeSet::new();
        let mut waiting: Vec<&Unit> = units.iter().collect();
        while let Some(unit) = waiting.pop() {
            placed.extend(unit.accounts.iter().cloned());
            waiting.extend(&unit.below);
        }
        let others = self.rows.keys().filter(|id| !placed.contains(*id));
        let others: Vec<AccountId> = others.cloned().collect();
        if !others.is_empty() {
            let name = if units.is_empty() {
                "Accounts"
            } else {
                "Elsewhere"
            };
            units.push(Unit {
                name: name.to_owned(),
                accounts: others,
                ..Unit::default()
            });
        }
        let mut all = Sums::new();
        for unit in &units {
            self.count(unit, &mut all);
        }
        html! {
            div class="overview" { (bar(&all)) (sums(&all)) }
            div class={ "tree" @if self.is_wide() { " signs" } } {
                // What holds everything has its sums above it.
                @for unit in &units { (self.unit(unit, true, units.len() > 1)) }
            }
        }
    }

    /// Writes the controls, which the script shows.
    pub(super) fn filters(&self) -> Markup {
        let mut states: BTreeSet<(Reverse<Tone>, &str, &str)> = BTreeSet::new();
        for cell in self.rows.values().flat_map(|row| &row.cells) {
            let State {
                code,
                sign: _,
                words,
                tone,
            } = cell.state;
            states.insert((Reverse(tone), code, words));
        }
        html! {
            search id="filters" hidden data-things=(self.things) {
                label { span { "Search" } input id="q" type="search" autocomplete="off" spellcheck="false" placeholder="name, id or address"; }
                label { span { "State" } select id="state" {
                    option value="" { "any state" }
                    @for (_, code, words) in &states { option value=(code) { (words) } }
                } }
                label { span { "Role" } select id="role" {
                    option value="" { "any role" }
                    @for column in &self.columns { option { (visible(column)) } }
                } }
                @if self.risks {
                    label { span { "Risk" } select id="risk" {
                        option value="" { "any risk" }
                        option value="medium" { "medium or higher" }
                        option value="high" { "high or critical" }
                        option value="critical" { "critical" }
                    } }
                }
                div class="buttons" {
                    button id="reset" type="button" { "Reset" }
                    button id="unfold" type="button" { "Unfold all" }
                    button id="fold" type="button" { "Fold all" }
                }
                output id="matches" aria-live="polite" {}
            }
        }
    }

    fn unit(&self, unit: &Unit, top: bool, summed: bool) -> Markup {
        let mut below = Sums::new();
        self.count(unit, &mut below);
        let open = top || below.keys().any(|(Reverse(tone), _)| *tone > Tone::Good);
        let mut rows: Vec<(&AccountId, &Row)> = unit
            .accounts
            .iter()
            .filter_map(|id| self.rows.get_key_value(id))
            .collect();
        rows.sort_by_key(|(id, row)| (Reverse(row.tone()), row.counted, &row.name, *id));
        html! {
            details class="unit" open[open] data-path=(visible(&unit.path)) {
                summary {
                    span class="name" { (visible(&unit.name)) }
                    @if summed { (bar(&below)) (sums(&below)) }
                }
                @for (number, rows) in rows.chunks(ROWS).enumerate() { (self.table(unit, number, rows)) }
                @for unit in &unit.below { (self.unit(unit, false, true)) }
            }
        }
    }

    fn table(&self, unit: &Unit, number: usize, rows: &[(&AccountId, &Row)]) -> Markup {
        html! {
            div class="rows" tabindex=[self.is_wide().then_some("0")] role="group"
                aria-label={ "Accounts in " (visible(&unit.name)) @if number > 0 { ", part " (number + 1) } } {
                table {
                    thead class=[(number > 0).then_some("again")] { tr {
                        th scope="col" { "Account" }
                        @for column in &self.columns { th scope="col" { (visible(column)) } }
                    } }
                    tbody { @for (id, row) in rows { (self::row(id, row)) } }
                }
            }
        }
    }

    /// Tells whether tables hold signs alone, and may have to be scrolled.
    fn is_wide(&self) -> bool {
        self.columns.len() > WORDY
    }

    fn count(&self, unit: &Unit, sums: &mut Sums) {
        for row in unit.accounts.iter().filter_map(|id| self.rows.get(id)) {
            *sums.entry((Reverse(row.tone()), row.counted)).or_default() += 1;
        }
        for unit in &unit.below {
            self.count(unit, sums);
        }
    }
}

fn row(id: &AccountId, row: &Row) -> Markup {
    let details: Vec<String> = row.details.iter().map(usize::to_string).collect();
    html! {
        tr id=(row_id(id)) data-d=[(!details.is_empty()).then(|| details.join(" "))] {
            th scope="row" { (visible(&row.name)) " " code { (id) } }
            @for cell in &row.cells { (self::cell(cell)) }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    let Cell {
        state,
        tone,
        note,
        link,
    } = cell;
    let words = html! {
        (state.sign) span { " " (state.words) @if let Some(note) = note { ", " (visible(note)) } }
    };
    html! {
        td class={ (state.code) " " (tone.class()) } {
            @if let Some(link) = link { a href=(link) { (words) } } @else { (words) }
        }
    }
}

/// Says how many accounts are how.
fn sums(sums: &Sums) -> Markup {
    let all: usize = sums.values().sum();
    let mut told: Vec<(&str, Tone, usize)> = Vec::new();
    for ((Reverse(tone), counted), number) in sums {
        match told.iter_mut().find(|(same, _, _)| same == counted) {
            Some((_, _, sum)) => *sum += number,
            None => told.push((counted, *tone, *number)),
        }
    }
    html! {
        span class="sums" {
            span { (count(all, "account")) }
            @for (counted, tone, number) in told { " " span class=(tone.class()) { (number) " " (counted) } }
        }
    }
}

/// Draws how much of everything is how; the numbers stand beside it.
fn bar(sums: &Sums) -> Markup {
    let all: usize = sums.values().sum::<usize>().max(1);
    let mut start = 0;
    let mut parts = Vec::new();
    for ((Reverse(tone), _), number) in sums {
        parts.push((tone, start, number));
        start += number;
    }
    html! {
        svg class="bar" viewBox={ "0 0 " (all) " 1" } preserveAspectRatio="none" aria-hidden="true" {
            @for (tone, start, number) in parts {
                rect class=(tone.class()) x=(start) y="0" width=(number) height="1" {}
            }
        }
    }
}
