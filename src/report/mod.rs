//! Reports: pure functions from a value to text, one file per format.
//!
//! [`render_plan`], [`render_apply`], [`render_verification`], [`render_usage`] and [`render_close`] are the doors. What all
//! formats say alike is made once: `group` folds the same
//! change of many accounts, `values` and `document` tell fields, `words` and `results` hold the wording. Whatever AWS
//! or a spec calls something passes [`crate::text`] or `escape`, so that it steers no terminal and no page. A new format
//! is a file beside the others.

mod alerts;
mod closing;
mod document;
mod drill;
pub(crate) mod escape;
mod group;
mod json;
mod markdown;
mod results;
mod text;
mod usage;
mod values;
mod verification;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use crate::apply::ApplyReport;
use crate::audit::Audit;
use crate::close::CloseReport;
use crate::collect::DrillReport;
use crate::plan::Plan;
use crate::verify::Verification;

/// Names a format that reports are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For programs: the value itself, as a saved plan holds it.
    Json,
    /// For pull requests.
    Markdown,
}

/// Says how text for a terminal looks; the other formats always look the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are used; nothing is told by colour alone.
    pub color: bool,
    /// The columns there are; 0 when lines may be of any length.
    pub width: usize,
    /// Whether documents and lists of accounts are shown whole.
    pub verbose: bool,
}

/// Writes a plan or a report of drift. The text ends with a line break.
#[must_use]
pub fn render_plan(plan: &Plan, format: Format, style: Style) -> String {
    match format {
        Format::Text => text::plan(plan, style),
        Format::Json => json::value(plan),
        Format::Markdown => markdown::plan(plan),
    }
}

/// Writes what an apply did. The text ends with a line break.
#[must_use]
pub fn render_apply(report: &ApplyReport, format: Format, style: Style) -> String {
    match format {
        Format::Text => text::apply(report, style),
        Format::Json => json::value(report),
        Format::Markdown => markdown::apply(report),
    }
}

/// Writes how far the events of a drill came. The text ends with a line break.
#[must_use]
pub fn render_drill(report: &DrillReport, format: Format, style: Style) -> String {
    match format {
        Format::Text => text::drill(report, style),
        Format::Json => json::value(report),
        Format::Markdown => markdown::drill(report),
    }
}

/// Writes what a verification found. The text ends with a line break.
#[must_use]
pub fn render_verification(verification: &Verification, format: Format, style: Style) -> String {
    match format {
        Format::Text => text::verification(verification, style),
        Format::Json => json::value(verification),
        Format::Markdown => markdown::verification(verification),
    }
}

/// Writes an audit of uses. The text ends with a line break.
#[must_use]
pub fn render_usage(audit: &Audit, format: Format, style: Style) -> String {
    match format {
        Format::Text => text::usage(audit, style),
        Format::Json => json::value(audit),
        Format::Markdown => markdown::usage(audit),
    }
}

/// Writes what a closing did. The text ends with a line break.
#[must_use]
pub fn render_close(report: &CloseReport, format: Format, style: Style) -> String {
    match format {
        Format::Text => text::closing(report, style),
        Format::Json => json::value(report),
        Format::Markdown => markdown::closing(report),
    }
}
