//! `breakglass policy evaluate`: whether policies allow a request.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::policy::{ResultFormat, answer_lines, read};
use crate::cli::args::GlobalArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::print;
use crate::policy::evaluate::wire::{RequestError, ResponseLine, evaluate_json, explain_json};
use crate::policy::evaluate::{ContextValue, Flip};
use crate::text::visible;

/// Arguments of `policy evaluate`.
#[derive(Debug, Args)]
pub(in crate::cli) struct EvaluateArgs {
    /// The request with the policies around it, as JSON (`breakglass schema policy-request`); - reads standard input.
    #[arg(required_unless_present = "jsonl")]
    request: Option<PathBuf>,
    /// Decide many requests, one a line, and answer each with a line; - reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "request")]
    jsonl: Option<PathBuf>,
    /// The format on stdout, of a single request.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "jsonl"
    )]
    format: ResultFormat,
}

/// Answers a line.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Decided(ResponseLine),
    Refused {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Box<RawValue>>,
        error: String,
    },
}

pub(in crate::cli) fn run(args: &EvaluateArgs, _: &GlobalArgs) -> Result<Exit, CliError> {
    match (&args.jsonl, &args.request) {
        (Some(file), _) => many(file),
        (None, Some(file)) => one(file, args.format),
        (None, None) => Err(CliError::new(
            Exit::Usage,
            "give a request, or --jsonl FILE",
        )),
    }
}

fn one(file: &Path, format: ResultFormat) -> Result<Exit, CliError> {
    let response = explain_json(&read(file)?).map_err(|error| {
        CliError::new(Exit::Error, format!("{}: {error}", file.display()))
            .hinted("`breakglass schema policy-request` describes a request")
    })?;
    print(&match format {
        ResultFormat::Text => text(&response),
        ResultFormat::Json => format!("{:#}\n", serde_json::json!(response)),
    })?;
    Ok(exit(&response))
}

fn text(response: &ResponseLine) -> String {
    let mut text = format!("{}\n", response.decision.as_str());
    for reason in &response.reasons {
        text.push_str(&format!("  {}\n", visible(reason)));
    }
    for flip in &response.flips {
        text.push_str(&format!("  {}\n", visible(&flip_words(flip))));
    }
    if let Some(error) = &response.error {
        text.push_str(&format!("  not readable: {}\n", visible(error)));
    }
    text
}

/// Says what would turn the decision: `allowed with aws:RequestedRegion = eu-west-1`.
fn flip_words(flip: &Flip) -> String {
    let changes = flip.changes.iter().map(|change| match &change.value {
        ContextValue::Values(values) if values.is_empty() => format!("without {}", change.key),
        ContextValue::Values(values) => format!("with {} = {}", change.key, values.join(" + ")),
        ContextValue::Unknown => format!("with {} not known", change.key),
    });
    let changes: Vec<String> = changes.collect();
    format!(
        "it would be {} {}",
        flip.decision.as_str(),
        changes.join(" and ")
    )
}

/// A policy that can't be read leaves a decision open, or might have.
fn exit(response: &ResponseLine) -> Exit {
    match response.error {
        Some(_) => Exit::Incomplete,
        None => Exit::Success,
    }
}

fn many(file: &Path) -> Result<Exit, CliError> {
    let mut worst = Exit::Success;
    let answer = |line: &str| match evaluate_json(line) {
        Ok(response) => Answer::Decided(response),
        Err(RequestError { id, message }) => Answer::Refused { id, error: message },
    };
    answer_lines(file, answer, |answer| {
        worst = match (worst, answer) {
            (Exit::Error, _) | (_, Answer::Refused { .. }) => Exit::Error,
            (Exit::Success, Answer::Decided(response)) => exit(response),
            (worst, _) => worst,
        };
    })?;
    Ok(worst)
}
