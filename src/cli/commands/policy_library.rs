//! `breakglass policy library`: the policies that come with the tool, its own permissions among them.

use std::collections::BTreeSet;

use clap::Args;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::print;
use crate::ids::{IamPath, Partition};
use crate::policy::library;

/// Arguments of `policy library`.
#[derive(Debug, Args)]
pub(in crate::cli) struct LibraryArgs {
    /// The policy to print; without it, the names of all are listed.
    name: Option<String>,
    /// The IAM path of what is managed, as `defaults.path` of the spec has it.
    #[arg(long, value_name = "PATH", default_value = "/break-glass/")]
    path: IamPath,
    /// The partition of AWS.
    #[arg(long, value_name = "PARTITION", default_value = "aws")]
    partition: Partition,
}

pub(in crate::cli) fn run(args: &LibraryArgs) -> Result<Exit, CliError> {
    let names: BTreeSet<&str> = library::names()
        .chain(library::permission_names())
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let text = match &args.name {
        None => format!("{}\n", names.join("\n")),
        Some(name) => library::render(name, &args.partition, &args.path).ok_or_else(|| {
            CliError::new(Exit::Usage, format!("there is no policy {name:?}"))
                .hinted(format!("those there are: {}", names.join(", ")))
        })?,
    };
    print(&text)?;
    Ok(Exit::Success)
}
