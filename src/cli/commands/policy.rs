//! `breakglass policy`: the policy engines on their own.

use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::Path;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{policy_diff, policy_evaluate, policy_library};
use crate::cli::args::GlobalArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;

/// Arguments of `policy`.
#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Compare two policy documents by what they mean.
    Diff(policy_diff::DiffArgs),
    /// Decide whether policies allow a request, and say which statements decide.
    Evaluate(policy_evaluate::EvaluateArgs),
    /// Print a policy that comes with breakglass, or list them.
    Library(policy_library::LibraryArgs),
}

pub(in crate::cli) fn run(args: &PolicyArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    match &args.command {
        PolicyCommand::Diff(args) => policy_diff::run(args, global),
        PolicyCommand::Evaluate(args) => policy_evaluate::run(args, global),
        PolicyCommand::Library(args) => policy_library::run(args),
    }
}

/// Formats of a single result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ResultFormat {
    /// For a person.
    Text,
    /// For a program.
    Json,
}

/// Reads a whole file, or standard input for `-`.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|error| CliError::io("read", path, &error))
}

/// Answers a file of JSON lines (`-` is standard input) line by line to stdout, and passes each answer on.
///
/// Empty lines are passed over. A reader that has seen enough ends it without an error.
pub(super) fn answer_lines<A: Serialize>(
    path: &Path,
    answer: impl Fn(&str) -> A,
    mut seen: impl FnMut(&A),
) -> Result<(), CliError> {
    let reading = |error: std::io::Error| CliError::io("read", path, &error);
    let mut input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(reading)?;
        Box::new(BufReader::with_capacity(1 << 16, file))
    };
    let mut output = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut line = String::new();
    let written = loop {
        line.clear();
        if input.read_line(&mut line).map_err(reading)? == 0 {
            break output.flush();
        }
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(&line);
        seen(&answer);
        let text = serde_json::to_writer(&mut output, &answer).map_err(std::io::Error::from);
        if let Err(error) = text.and_then(|()| output.write_all(b"\n")) {
            break Err(error);
        }
    };
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CliError::new(
            Exit::Error,
            format!("failed to write to stdout: {error}"),
        )),
        _ => Ok(()),
    }
}
