//! `breakglass completions`: what a shell needs to complete this command.

use clap::Args;
use clap_complete::Shell;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::print;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

pub(in crate::cli) fn run(
    args: &CompletionsArgs,
    mut command: clap::Command,
) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "breakglass", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
