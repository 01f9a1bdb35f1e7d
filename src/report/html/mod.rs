//! One HTML page for a browser: what a reader has to see first, the organization as a tree, then every detail to unfold.
//!
//! It needs nothing but itself. `frame` is the page around everything, `tree` the organization, `details` what is folded;
//! a file for each kind of report fills them. Everything is there without the script, which only filters.

mod apply;
mod closing;
mod details;
mod drill;
mod frame;
mod plan;
mod states;
mod tree;
mod units;
mod usage;
mod verification;

use maud::{Markup, html};

use super::group::Accounts;
use super::words::count;
use crate::ids::AccountId;
use crate::plan::{Skipped, Unreadable};
use crate::text::visible;

pub(super) use apply::apply;
pub(super) use closing::closing;
pub(super) use drill::drill;
pub(super) use plan::plan;
pub(super) use usage::usage;
pub(super) use verification::verification;

/// How much a thing matters, the least first; a class of the style, never the only sign of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tone {
    None,
    Good,
    Low,
    Medium,
    High,
    Unknown,
    Critical,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Good => "good",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
        }
    }
}

/// How many accounts a list holds before it says how many there are more.
const LISTED: usize = 200;

/// Writes a name or value.
fn code(text: &str) -> Markup {
    html! { code { (visible(text)) } }
}

/// Writes a sentence; what it holds in back-ticks is code.
fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    let balanced = parts.len() % 2 == 1;
    html! {
        @if balanced {
            @for (number, part) in parts.iter().enumerate() {
                @if number % 2 == 1 { (code(part)) } @else { (visible(part)) }
            }
        } @else { (visible(text)) }
    }
}

/// Where the row of an account is on the page.
fn row_id(account: &AccountId) -> String {
    format!("a{account}")
}

/// Writes an account, with a link to its row where there is one.
fn account(name: &str, id: &AccountId, linked: bool) -> Markup {
    let label = html! { @if !name.is_empty() { (visible(name)) " " } code { (id) } };
    html! { @if linked { a href={ "#" (row_id(id)) } { (label) } } @else { (label) } }
}

/// Lists accounts, as many as a reader looks through; a short list stands open.
fn accounts(accounts: &Accounts, linked: bool) -> Markup {
    const SHORT: usize = 8;
    let list = html! {
        ul class="accounts" {
            @for (name, id) in accounts.iter().take(LISTED) { li { (account(name, id, linked)) } }
            @if accounts.len() > LISTED { li { "and " (accounts.len() - LISTED) " more" } }
        }
    };
    html! {
        @if accounts.len() <= SHORT { (list) }
        @else { details class="many" { summary { (count(accounts.len(), "account")) } (list) } }
    }
}

/// Lists sentences.
fn list(items: impl IntoIterator<Item = Markup>) -> Markup {
    html! { ul class="items" { @for item in items { li { (item) } } } }
}

/// Tells which accounts could not be read, and why.
fn unreadable(unreadable: &[Unreadable], linked: bool) -> impl Iterator<Item = Markup> {
    let folded = super::group::fold_unreadable(unreadable).into_iter();
    folded.map(move |(error, found)| {
        html! { p { (prose(&error)) } (accounts(&found, linked)) }
    })
}

/// Names the accounts that are not active.
fn skipped(skipped: &[Skipped]) -> impl Iterator<Item = Markup> {
    skipped.iter().map(|one| {
        html! { (account(&one.account_name, &one.account, false)) ": " (one.state.as_words()) }
    })
}
