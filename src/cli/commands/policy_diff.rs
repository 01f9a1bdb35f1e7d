//! `breakglass policy diff`: two documents compared by what they mean.

use std::path::{Path, PathBuf};

use clap::Args;

use super::policy::{ResultFormat, answer_lines, read};
use crate::cli::args::GlobalArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::print;
use crate::policy::{Document, PairResult, PairVerdict, compare_line, compare_pair, parse};
use crate::text::visible;

/// Arguments of `policy diff`.
#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// The old document; - reads standard input.
    #[arg(required_unless_present = "jsonl")]
    old: Option<PathBuf>,
    /// The new document; - reads standard input.
    #[arg(required_unless_present = "jsonl")]
    new: Option<PathBuf>,
    /// Compare many pairs, one JSON object {"id", "old", "new"} a line, and answer each with a line; - reads stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["old", "new"])]
    jsonl: Option<PathBuf>,
    /// The format on stdout, of a single pair.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "jsonl"
    )]
    format: ResultFormat,
}

pub(in crate::cli) fn run(args: &DiffArgs, _: &GlobalArgs) -> Result<Exit, CliError> {
    match (&args.jsonl, &args.old, &args.new) {
        (Some(file), ..) => many(file),
        (None, Some(old), Some(new)) => one(old, new, args.format),
        (None, ..) => Err(CliError::new(
            Exit::Usage,
            "give two documents, or --jsonl FILE",
        )),
    }
}

fn one(old: &Path, new: &Path, format: ResultFormat) -> Result<Exit, CliError> {
    let result = compare_pair(&document(old)?, &document(new)?);
    print(&match format {
        ResultFormat::Text => text(&result),
        ResultFormat::Json => format!("{:#}\n", serde_json::json!(result)),
    })?;
    Ok(exit(result.verdict))
}

fn document(path: &Path) -> Result<Document, CliError> {
    parse(&read(path)?)
        .map_err(|error| CliError::new(Exit::Error, format!("{}: {error}", path.display())))
}

fn text(result: &PairResult) -> String {
    let meaning = match result.verdict {
        PairVerdict::Equivalent => "AWS answers every request alike",
        PairVerdict::Cosmetic => "only a Sid or the Id differs",
        PairVerdict::Broader => "the new document allows more, or denies less",
        PairVerdict::Narrower => "the new document allows less, or denies more",
        PairVerdict::Both => "the new document allows more in one place and less in another",
        PairVerdict::Unproven => "the documents are not proven to mean the same",
        PairVerdict::Invalid => "a document is no policy",
    };
    let mut text = format!("{}: {meaning}\n", result.verdict.as_str());
    if let Some(witness) = &result.witness {
        text.push_str(&format!("  for example, {}\n", visible(witness)));
    }
    if let Some(reason) = &result.reason {
        text.push_str(&format!("  {}\n", visible(reason)));
    }
    text
}

fn many(file: &Path) -> Result<Exit, CliError> {
    let mut worst = Exit::Success;
    answer_lines(file, compare_line, |result| {
        worst = match (worst, exit(result.verdict)) {
            (Exit::Error, _) | (_, Exit::Error) => Exit::Error,
            (Exit::Differences, _) | (_, Exit::Differences) => Exit::Differences,
            (_, exit) => exit,
        };
    })?;
    Ok(worst)
}

fn exit(verdict: PairVerdict) -> Exit {
    match verdict {
        PairVerdict::Equivalent | PairVerdict::Cosmetic => Exit::Success,
        PairVerdict::Broader
        | PairVerdict::Narrower
        | PairVerdict::Both
        | PairVerdict::Unproven => Exit::Differences,
        PairVerdict::Invalid => Exit::Error,
    }
}
