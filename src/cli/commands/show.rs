//! `breakglass show`: a saved plan or report again, in any format.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::args::{GlobalArgs, OutputArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{deliver, open};
use crate::plan::{Kind, parse_plan};
use crate::report::{
    Format, Style, render_apply, render_close, render_drill, render_plan, render_usage,
    render_verification,
};
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
    let told = Told { args, global, text };
    match kind_of(&told.text).as_deref() {
        Some("apply") => told.report("apply", render_apply),
        Some("verify") => told.report("verify", render_verification),
        Some("usage") => told.report("usage", render_usage),
        Some("close") => told.report("close", render_close),
        Some("alerts-test") => told.report("alerts-test", render_drill),
        Some("snapshot") => {
            let message = format!("{file} is a snapshot, not a plan or report");
            let hint = format!("compare it with the spec: breakglass plan --org {file}");
            Err(CliError::new(Exit::Error, message).hinted(hint))
        }
        // A file of another kind is refused with what it should have been.
        Some(_) | None => {
            let plan =
                parse_plan(&told.text).map_err(|error| CliError::plan(&args.file, &error))?;
            let kind = match plan.kind {
                Kind::Plan => "plan",
                Kind::Drift => "drift",
            };
            told.tell(kind, &plan, render_plan)
        }
    }
}

/// Holds a file's text and how it is to be told.
struct Told<'a> {
    args: &'a ShowArgs,
    global: &'a GlobalArgs,
    text: String,
}

impl Told<'_> {
    fn report<T: DeserializeOwned>(
        &self,
        kind: &str,
        render: fn(&T, Format, Style) -> String,
    ) -> Result<Exit, CliError> {
        self.tell(kind, &report(&self.args.file, &self.text)?, render)
    }

    fn tell<T>(
        &self,
        kind: &str,
        value: &T,
        render: fn(&T, Format, Style) -> String,
    ) -> Result<Exit, CliError> {
        open(&self.args.output, kind)?;
        deliver(&self.args.output, self.global, |format, style| {
            render(value, format, style)
        })?;
        Ok(Exit::Success)
    }
}

/// Reads a report of a format that this version knows.
fn report<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, CliError> {
    #[derive(Deserialize)]
    struct Head {
        format_version: String,
    }
    let wrong = |error: serde_json::Error| CliError::report(path, &error.to_string());
    let Head { format_version } = serde_json::from_str(text).map_err(wrong)?;
    if format_version.split('.').next() != Some("1") {
        let why = format!(
            "its format {format_version:?} is not known to this version, which reads 1.x; use a newer breakglass"
        );
        return Err(CliError::report(path, &why));
    }
    serde_json::from_str(text).map_err(wrong)
}

/// Reads a verification.
pub(super) fn verification(path: &Path, text: &str) -> Result<Verification, CliError> {
    report(path, text)
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
