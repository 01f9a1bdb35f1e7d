//! `breakglass validate`: checks the spec, without credentials or network.

use clap::Args;
use serde_json::json;

use crate::cli::args::{GlobalArgs, SpecArgs};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::print;
use crate::text::visible;

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ValidateArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// The format on stdout.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ValidateFormat,
}

/// Formats of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ValidateFormat {
    /// For a person.
    Text,
    /// For a program.
    Json,
}

pub(in crate::cli) fn run(args: &ValidateArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    if args.format == ValidateFormat::Json {
        return run_json(args);
    }
    let loaded = args.spec.load(global)?;
    let spec = &loaded.spec;
    print(&format!(
        "valid: organization {}, {}, {}, {}\n",
        visible(&spec.organization.id),
        counted(spec.users().len(), "user", "users"),
        counted(spec.roles().len(), "role", "roles"),
        counted(spec.policies().count(), "policy", "policies")
    ))?;
    Ok(Exit::Success)
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn run_json(args: &ValidateArgs) -> Result<Exit, CliError> {
    let (problems, sources, digest, exit) = match crate::spec::load(&args.spec.paths()) {
        Ok(loaded) => (
            loaded.warnings,
            loaded.sources,
            Some(loaded.digest),
            Exit::Success,
        ),
        Err(error) => (error.problems, error.sources, None, Exit::Spec),
    };
    let findings: Vec<_> = problems
        .iter()
        .map(|problem| problem.finding(&sources))
        .collect();
    let result = json!({
        "format_version": "1.0",
        "kind": "validate",
        "outcome": if digest.is_some() { "valid" } else { "invalid" },
        "spec_digest": digest,
        "problems": findings,
    });
    print(&format!("{result:#}\n"))?;
    Ok(exit)
}
