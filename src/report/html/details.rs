//! What is folded: changes with their diffs, findings, results; as many as a browser bears, and the names of the rest.

use maud::{Markup, html};

use super::states::State;
use super::tree::Chart;
use super::{Tone, accounts, prose};
use crate::report::group::Accounts;
use crate::text::visible;

/// How many bytes of markup all details of a page take.
const ROOM: usize = 3_000_000;
/// How many titles of details without room are listed.
const NAMED: usize = 500;

/// Where the details without room are named.
pub(super) const LEFT_OUT: &str = "#left-out";

/// Holds something to unfold.
pub(super) struct Detail {
    /// The state that it is about.
    pub(super) state: State,
    /// How much it matters.
    pub(super) tone: Tone,
    /// The word for that, where the state does not say it.
    pub(super) tag: Option<&'static str>,
    /// What it is about, such as `iam_role BreakGlassAdmin`.
    pub(super) title: String,
    /// The column of the tree that it belongs to.
    pub(super) column: String,
    /// Where it is so.
    pub(super) accounts: Accounts,
    /// All there is to say.
    pub(super) body: Markup,
}

/// Holds details as they are written: as many as there is room for.
pub(super) struct Written {
    /// What was written.
    pub(super) markup: Markup,
    /// How many there was room for.
    pub(super) shown: usize,
}

impl Written {
    /// Where the detail of a number is told.
    pub(super) fn link(&self, number: usize) -> String {
        if number < self.shown {
            format!("#d{number}")
        } else {
            LEFT_OUT.to_owned()
        }
    }
}

/// Writes details in their order.
pub(super) fn write(details: &[Detail]) -> Written {
    /// Up to so many stand open.
    const FEW: usize = 3;
    /// Not more than so many stand open, however critical.
    const UNFOLDED: usize = 20;
    let mut room = ROOM;
    let mut blocks = Vec::new();
    for (number, detail) in details.iter().enumerate() {
        let open = detail.tone == Tone::Critical || details.len() <= FEW;
        let block = block(number, detail, open && number < UNFOLDED);
        match room.checked_sub(block.0.len()) {
            Some(left) => room = left,
            None => break,
        }
        blocks.push(block);
    }
    let rest = details.get(blocks.len()..).unwrap_or_default();
    let markup = html! {
        @for block in &blocks { (block) }
        @if !rest.is_empty() { (left_out(rest)) }
    };
    Written {
        markup,
        shown: blocks.len(),
    }
}

fn block(number: usize, detail: &Detail, open: bool) -> Markup {
    let Detail {
        state,
        tone,
        tag,
        title,
        column,
        accounts: found,
        body,
    } = detail;
    html! {
        details class={ "detail " (tone.class()) } open[open] data-state=(state.code)
            data-tone=(tone.class()) data-title=(visible(title)) data-column=(visible(column)) {
            summary {
                span class="sign" title=(state.words) { (state.sign) } " "
                code { (visible(title)) } " "
                span class="where" { "in " (visible(&found.words())) } " "
                span class="tag" { (tag.unwrap_or(state.words)) }
            }
            div class="body" id={ "d" (number) } {
                (accounts(found, true))
                (body)
            }
        }
    }
}

fn left_out(rest: &[Detail]) -> Markup {
    html! {
        div id="left-out" class="left-out" {
            p { "So that a browser can show this page, the details of these are left out; " code { "--format json" } " has them all:" }
            ul class="items" {
                @for detail in rest.iter().take(NAMED) {
                    li {
                        (detail.state.sign) " " code { (visible(&detail.title)) } " in " (visible(&detail.accounts.words()))
                        @if let Some(tag) = detail.tag { ", " (tag) }
                    }
                }
                @if rest.len() > NAMED { li { "and " (rest.len() - NAMED) " more" } }
            }
        }
    }
}

/// Notes in each row which details are about it.
pub(super) fn note(chart: &mut Chart<'_>, details: &[Detail]) {
    for (number, detail) in details.iter().enumerate() {
        for (_, id) in detail.accounts.iter() {
            if let Some(row) = chart.rows.get_mut(id) {
                row.details.insert(number);
            }
        }
    }
}

/// Writes what a person does, step by step.
pub(super) fn steps(steps: &[String]) -> Markup {
    html! { @if !steps.is_empty() { ol { @for step in steps { li { (prose(step)) } } } } }
}
