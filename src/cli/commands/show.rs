//! `breakglass show`: a saved plan or report again, in any format.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use crate::apply::ApplyReport;
use crate::cli::args::{GlobalArgs, OutputArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{deliver, open};
use crate::plan::{Kind, parse_plan};
use crate::report::{render_apply, render_plan, render_verification};
use crate::verify::Verification;

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// A saved plan, or a report in JSON.
    file: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

pub(in crate::cli) fn run(args: &ShowArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let text = std::fs::read_to_string(&args.file)
        .map_err(|error| CliError::io("read", &args.file, &error))?;
    let file = args.file.display();
    let kind = kind_of(&text);
    if kind.as_deref() == Some("snapshot") {
        return Err(CliError::new(
            Exit::Error,
            format!("{file} is a snapshot, not a plan or report"),
        )
        .hinted(format!(
            "compare it with the spec: breakglass plan --org {file}"
        )));
    }
    if kind.as_deref() == Some("apply") {
        open(&args.output, "apply")?;
        let report: ApplyReport = serde_json::from_str(&text).map_err(|error| {
            CliError::new(
                Exit::Error,
                format!("{file}: not a report that can be read: {error}"),
            )
        })?;
        deliver(&args.output, global, |format, style| {
            render_apply(&report, format, style)
        })?;
        return Ok(Exit::Success);
    }
    if kind.as_deref() == Some("verify") {
        open(&args.output, "verify")?;
        let verification = verification(&args.file, &text)?;
        deliver(&args.output, global, |format, style| {
            render_verification(&verification, format, style)
        })?;
        return Ok(Exit::Success);
    }
    let plan = parse_plan(&text)
        .map_err(|error| CliError::new(Exit::Error, format!("{file}: {error}")))?;
    open(
        &args.output,
        match plan.kind {
            Kind::Plan => "plan",
            Kind::Drift => "drift",
        },
    )?;
    deliver(&args.output, global, |format, style| {
        render_plan(&plan, format, style)
    })?;
    Ok(Exit::Success)
}

/// Reads a verification.
pub(super) fn verification(path: &Path, text: &str) -> Result<Verification, CliError> {
    serde_json::from_str(text).map_err(|error| {
        CliError::new(
            Exit::Error,
            format!("{}: not a report that can be read: {error}", path.display()),
        )
    })
}

/// What a file says of itself; nothing when it is no JSON object that does.
pub(super) fn kind_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        kind: String,
    }
    let head = serde_json::from_str::<Head>(text);
    head.ok().map(|head| head.kind)
}
