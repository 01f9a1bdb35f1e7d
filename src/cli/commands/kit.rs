//! `breakglass kit`: the runbook to print.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::{CloudArgs, GlobalArgs, SpecArgs};
use crate::cli::clock::now;
use crate::cli::connect::{Connection, block_on_reading};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{print, say};
use crate::files::write_whole;
use crate::kit::{KitFormat, kit};
use crate::plan::Entry;
use crate::resolve::{Resolver, needs_tags};

/// Arguments of `kit`.
#[derive(Debug, Args)]
pub(in crate::cli) struct KitArgs {
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    cloud: CloudArgs,
    /// The format of the runbook.
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    format: KitFormat,
    /// The file to write; without it, the runbook goes to stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &KitArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let color = global.color.colors_stderr();
    let loaded = args.spec.load(global)?;
    let organization = block_on_reading(async {
        let connection = Connection::open(&args.cloud, &Entry::of(&loaded.spec)).await?;
        let expected = Some(loaded.spec.organization.id.as_str());
        let with_tags = needs_tags(&loaded.spec);
        Ok(connection.cloud().organization(expected, with_tags).await?)
    })?;
    let (resolver, warnings) = Resolver::new(&loaded, &organization)
        .map_err(|problems| CliError::problems(&problems, &loaded.sources, color))?;
    for warning in &warnings {
        say(&warning.render(&loaded.sources, color));
    }
    let page = kit(&loaded, &resolver, &organization, now(), args.format);
    match &args.out {
        None => print(&page)?,
        Some(path) => {
            write_whole(path, page.as_bytes())
                .map_err(|error| CliError::io("write", path, &error))?;
            say(&format!(
                "wrote {}; print it, and look it over",
                path.display()
            ));
        }
    }
    Ok(Exit::Success)
}
