//! `breakglass schema`: JSON Schemas of what is read and written.

use clap::{Args, ValueEnum};

use crate::apply::ApplyReport;
use crate::audit::{Audit, Notice};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::print;
use crate::close::CloseReport;
use crate::collect::DrillReport;
use crate::plan::Plan;
use crate::policy::PairResult;
use crate::policy::evaluate::wire::{RequestLine, ResponseLine};
use crate::report::ndjson_schema;
use crate::spec::json_schema;
use crate::state::Snapshot;
use crate::verify::Verification;

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SchemaArgs {
    /// What the schema is of.
    kind: SchemaKind,
}

/// Kinds of files that have a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SchemaKind {
    /// The spec.
    Spec,
    /// A plan, saved or printed with --format json.
    Plan,
    /// A report of drift.
    Drift,
    /// What an apply did, printed with --format json.
    Apply,
    /// What verify found, printed with --format json.
    Verify,
    /// What usage found, printed with --format json.
    Usage,
    /// What `usage --notify` hands on.
    UsageNotice,
    /// What close did, printed with --format json.
    Close,
    /// How far a drill's events came, printed by `alerts test` with --format json.
    AlertsTest,
    /// Each line of any report with --format ndjson.
    Ndjson,
    /// A snapshot.
    Snapshot,
    /// What `policy evaluate` reads.
    PolicyRequest,
    /// What `policy evaluate` writes.
    PolicyResponse,
    /// What `policy diff` writes.
    PolicyDiff,
}

pub(in crate::cli) fn run(args: &SchemaArgs) -> Result<Exit, CliError> {
    let schema = match args.kind {
        SchemaKind::Spec => json_schema(),
        SchemaKind::Plan | SchemaKind::Drift => schemars::schema_for!(Plan).to_value(),
        SchemaKind::Apply => schemars::schema_for!(ApplyReport).to_value(),
        SchemaKind::Verify => schemars::schema_for!(Verification).to_value(),
        SchemaKind::Usage => schemars::schema_for!(Audit).to_value(),
        SchemaKind::UsageNotice => schemars::schema_for!(Notice).to_value(),
        SchemaKind::Close => schemars::schema_for!(CloseReport).to_value(),
        SchemaKind::AlertsTest => schemars::schema_for!(DrillReport).to_value(),
        SchemaKind::Ndjson => ndjson_schema(),
        SchemaKind::Snapshot => schemars::schema_for!(Snapshot).to_value(),
        SchemaKind::PolicyRequest => schemars::schema_for!(RequestLine<'_>).to_value(),
        SchemaKind::PolicyResponse => schemars::schema_for!(ResponseLine).to_value(),
        SchemaKind::PolicyDiff => schemars::schema_for!(PairResult).to_value(),
    };
    print(&format!("{schema:#}\n"))?;
    Ok(Exit::Success)
}
