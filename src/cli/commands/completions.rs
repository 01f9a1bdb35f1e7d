//! `breakglass completions`: what a shell needs to complete this command.

use clap::Args;
use clap_complete::Shell;

use crate::cli::complete::script;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::print;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

pub(in crate::cli) fn run(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let script = script(&args.shell.to_string())
        .map_err(|error| CliError::new(Exit::Error, format!("failed to write it: {error}")))?;
    print(&script)?;
    Ok(Exit::Success)
}
