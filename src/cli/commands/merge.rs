//! `breakglass merge`: the reports of all shards, as the one of a single run.

use std::path::{Path, PathBuf};

use clap::Args;

use super::show::{kind_of, verification};
use super::snapshot::keep;
use crate::cli::args::{GlobalArgs, OutputArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::save_and_deliver;
use crate::cloud::read_snapshot;
use crate::merge::{
    Difference, MergeError, Part, merge_plans, merge_snapshots, merge_verifications,
};
use crate::plan::parse_plan;
use crate::report::{Format, Style, render_plan, render_verification};

/// Arguments of `merge`.
#[derive(Debug, Args)]
pub(in crate::cli) struct MergeArgs {
    /// The reports in JSON of all shards, each once, in any order.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Save the whole, as the command itself would; a snapshot is only saved.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 2 when a plan has changes.
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(in crate::cli) fn run(args: &MergeArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let mut texts = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| CliError::io("read", path, &error))?;
        texts.push((path.as_path(), text));
    }
    match one_kind(&texts)?.as_deref() {
        Some("verify") => {
            let whole = merge_verifications(parts(&texts, verification)?)?;
            tell(args, global, |format, style| {
                render_verification(&whole, format, style)
            })?;
            Ok(Exit::of_verification(&whole))
        }
        Some("snapshot") => {
            let out = args.out.as_deref().ok_or_else(|| {
                CliError::new(
                    Exit::Usage,
                    "a snapshot is saved: say where with --out FILE",
                )
            })?;
            let read = |path: &Path, _: &str| read_snapshot(path).map_err(CliError::from);
            keep(out, &merge_snapshots(parts(&texts, read)?)?)
        }
        // A file of another kind is refused with what it should have been.
        Some(_) | None => {
            let read = |path: &Path, text: &str| {
                parse_plan(text).map_err(|error| CliError::plan(path, &error))
            };
            let whole = merge_plans(parts(&texts, read)?)?;
            tell(args, global, |format, style| {
                render_plan(&whole, format, style)
            })?;
            Ok(Exit::of(&whole, args.detailed_exitcode))
        }
    }
}

/// Finds what kind all files say they are of.
fn one_kind(texts: &[(&Path, String)]) -> Result<Option<String>, MergeError> {
    let mut found = None;
    for (path, text) in texts {
        let kind = kind_of(text);
        let (other, first) = found.get_or_insert_with(|| (*path, kind.clone()));
        if *first != kind {
            return Err(MergeError::Differ {
                file: other.display().to_string(),
                other: path.display().to_string(),
                difference: Difference::Kind,
            });
        }
    }
    Ok(found.and_then(|(_, kind)| kind))
}

fn parts<T>(
    texts: &[(&Path, String)],
    read: impl Fn(&Path, &str) -> Result<T, CliError>,
) -> Result<Vec<Part<T>>, CliError> {
    let parts = texts.iter().map(|(path, text)| {
        Ok(Part {
            file: path.display().to_string(),
            report: read(path, text)?,
        })
    });
    parts.collect()
}

fn tell(
    args: &MergeArgs,
    global: &GlobalArgs,
    render: impl Fn(Format, Style) -> String,
) -> Result<(), CliError> {
    save_and_deliver(args.out.as_deref(), &args.output, global, render)
}
