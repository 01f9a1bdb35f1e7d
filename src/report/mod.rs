//! Reports: pure functions from a value to text, one file per format.
//!
//! [`render_plan`], [`render_apply`], [`render_verification`], [`render_usage`] and [`render_close`] are the doors. What all
//! formats say alike is made once: `group` folds the same
//! change of many accounts, `values` and `document` tell fields, `words` and `results` hold the wording. Whatever AWS
//! or a spec calls something passes [`crate::text`] or `escape`, so that it steers no terminal and no page. A new format
//! is a file beside the others; one that shows findings one by one takes them from `items`.

mod alerts;
mod closing;
mod document;
mod drill;
pub(crate) mod escape;
mod github;
mod group;
mod html;
mod items;
mod json;
mod junit;
mod markdown;
mod ndjson;
mod results;
mod sarif;
mod text;
mod usage;
mod values;
mod verification;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use self::items::Listing;
use self::markdown::Limit;
use crate::apply::ApplyReport;
use crate::audit::Audit;
use crate::close::CloseReport;
use crate::collect::DrillReport;
use crate::plan::Plan;
use crate::verify::Verification;

pub use ndjson::{ndjson_opening, ndjson_progress, ndjson_schema};

/// Names a format that reports are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For programs: the value itself, as a saved plan holds it.
    Json,
    /// For programs that read along: the same in lines.
    Ndjson,
    /// For comments on pull requests: at most 65,000 characters.
    Markdown,
    /// The same for the summary of a step in a GitHub workflow: at most 1 MiB.
    StepSummary,
    /// For code scanning.
    Sarif,
    /// For test reports.
    Junit,
    /// One page for a browser that needs nothing but itself.
    Html,
    /// For the log of a GitHub workflow: annotations.
    Github,
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
    let listing = || Listing::of_plan(plan);
    match format {
        Format::Text => text::plan(plan, style),
        Format::Json => json::value(plan),
        Format::Ndjson => ndjson::ndjson(listing().kind, plan, ndjson::PLAN),
        Format::Markdown => markdown::plan(plan, Limit::Comment),
        Format::StepSummary => markdown::plan(plan, Limit::Summary),
        Format::Html => html::plan(plan),
        Format::Sarif => sarif::sarif(&listing()),
        Format::Junit => junit::junit(&listing()),
        Format::Github => github::github(&listing()),
    }
}

/// Writes what an apply did. The text ends with a line break.
#[must_use]
pub fn render_apply(report: &ApplyReport, format: Format, style: Style) -> String {
    let listing = || Listing::of_apply(report);
    match format {
        Format::Text => text::apply(report, style),
        Format::Json => json::value(report),
        Format::Ndjson => ndjson::ndjson("apply", report, ndjson::APPLY),
        Format::Markdown => markdown::apply(report, Limit::Comment),
        Format::StepSummary => markdown::apply(report, Limit::Summary),
        Format::Html => html::apply(report),
        Format::Sarif => sarif::sarif(&listing()),
        Format::Junit => junit::junit(&listing()),
        Format::Github => github::github(&listing()),
    }
}

/// Writes how far the events of a drill came. The text ends with a line break.
#[must_use]
pub fn render_drill(report: &DrillReport, format: Format, style: Style) -> String {
    let listing = || Listing::of_drill(report);
    match format {
        Format::Text => text::drill(report, style),
        Format::Json => json::value(report),
        Format::Ndjson => ndjson::ndjson("alerts-test", report, ndjson::ALERTS_TEST),
        Format::Markdown => markdown::drill(report, Limit::Comment),
        Format::StepSummary => markdown::drill(report, Limit::Summary),
        Format::Html => html::drill(report),
        Format::Sarif => sarif::sarif(&listing()),
        Format::Junit => junit::junit(&listing()),
        Format::Github => github::github(&listing()),
    }
}

/// Writes what a verification found. The text ends with a line break.
#[must_use]
pub fn render_verification(verification: &Verification, format: Format, style: Style) -> String {
    let listing = || Listing::of_verification(verification);
    match format {
        Format::Text => text::verification(verification, style),
        Format::Json => json::value(verification),
        Format::Ndjson => ndjson::ndjson("verify", verification, ndjson::VERIFY),
        Format::Markdown => markdown::verification(verification, Limit::Comment),
        Format::StepSummary => markdown::verification(verification, Limit::Summary),
        Format::Html => html::verification(verification),
        Format::Sarif => sarif::sarif(&listing()),
        Format::Junit => junit::junit(&listing()),
        Format::Github => github::github(&listing()),
    }
}

/// Writes an audit of uses. The text ends with a line break.
#[must_use]
pub fn render_usage(audit: &Audit, format: Format, style: Style) -> String {
    let listing = || Listing::of_usage(audit);
    match format {
        Format::Text => text::usage(audit, style),
        Format::Json => json::value(audit),
        Format::Ndjson => ndjson::ndjson("usage", audit, ndjson::USAGE),
        Format::Markdown => markdown::usage(audit, Limit::Comment),
        Format::StepSummary => markdown::usage(audit, Limit::Summary),
        Format::Html => html::usage(audit),
        Format::Sarif => sarif::sarif(&listing()),
        Format::Junit => junit::junit(&listing()),
        Format::Github => github::github(&listing()),
    }
}

/// Writes what a closing did. The text ends with a line break.
#[must_use]
pub fn render_close(report: &CloseReport, format: Format, style: Style) -> String {
    let listing = || Listing::of_closing(report);
    match format {
        Format::Text => text::closing(report, style),
        Format::Json => json::value(report),
        Format::Ndjson => ndjson::ndjson("close", report, ndjson::CLOSE),
        Format::Markdown => markdown::closing(report, Limit::Comment),
        Format::StepSummary => markdown::closing(report, Limit::Summary),
        Format::Html => html::closing(report),
        Format::Sarif => sarif::sarif(&listing()),
        Format::Junit => junit::junit(&listing()),
        Format::Github => github::github(&listing()),
    }
}
