//! The runbook to print and put into the safe, for the day when nothing else works.
//!
//! `facts` gathers from a spec and an organization what it says, `pages` puts it into words, `html` and `markdown` write
//! them down. It holds no secret, and needs nothing but itself: no network, no script, no picture.

mod block;
mod facts;
mod html;
mod links;
mod markdown;
mod pages;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::org::Organization;
use crate::resolve::Resolver;
use crate::spec::Loaded;

/// Names a format that the runbook is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum KitFormat {
    /// One page for a browser, laid out for paper.
    #[default]
    Html,
    /// Text with headings, lists and tables.
    Markdown,
}

/// Writes the runbook of an organization. The text ends with a line break.
#[must_use]
pub fn kit(
    loaded: &Loaded,
    resolver: &Resolver<'_>,
    organization: &Organization,
    now: Timestamp,
    format: KitFormat,
) -> String {
    let facts = facts::Facts::gather(loaded, resolver, organization, now);
    let blocks = pages::blocks(&facts);
    match format {
        KitFormat::Html => html::page(&facts.title(), &blocks),
        KitFormat::Markdown => markdown::page(&facts.title(), &blocks),
    }
}
