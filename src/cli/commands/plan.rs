//! `breakglass plan`: what apply would do.

use std::path::PathBuf;

use clap::Args;

use super::{DEFAULT_TTL, compare_live};
use crate::cli::args::{CompareArgs, GlobalArgs, ShardArgs};
use crate::cli::connect::block_on_reading;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{expect_writable, open, save_and_deliver};
use crate::plan::Kind;
use crate::report::render_plan;
use crate::spec::Duration;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    compare: CompareArgs,
    #[command(flatten)]
    shard: ShardArgs,
    /// Save the plan, to be applied as it is.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How long the plan may be applied.
    #[arg(long, value_name = "DURATION", default_value = DEFAULT_TTL)]
    ttl: Duration,
    /// Exit with 2 when there are changes.
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(in crate::cli) fn run(args: &PlanArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    args.out.as_deref().map_or(Ok(()), expect_writable)?;
    open(&args.compare.output, "plan")?;
    let compared = compare_live(
        &args.compare,
        args.shard.shard(),
        global,
        Kind::Plan,
        Some(args.ttl),
    );
    let (_, plan) = block_on_reading(compared)?;
    let out = args.out.as_deref();
    save_and_deliver(out, &args.compare.output, global, |format, style| {
        render_plan(&plan, format, style)
    })?;
    Ok(Exit::of(&plan, args.detailed_exitcode))
}
