//! `breakglass drift`: how live state differs from the spec; it never changes anything.

use clap::Args;

use super::compare_live;
use crate::cli::args::{CompareArgs, GlobalArgs, ShardArgs};
use crate::cli::connect::block_on_reading;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{deliver, open};
use crate::plan::Kind;
use crate::report::render_plan;

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub(in crate::cli) struct DriftArgs {
    #[command(flatten)]
    compare: CompareArgs,
    #[command(flatten)]
    shard: ShardArgs,
}

pub(in crate::cli) fn run(args: &DriftArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    open(&args.compare.output, "drift")?;
    let compared = compare_live(&args.compare, args.shard.shard(), global, Kind::Drift, None);
    let (_, plan) = block_on_reading(compared)?;
    deliver(&args.compare.output, global, |format, style| {
        render_plan(&plan, format, style)
    })?;
    Ok(Exit::of(&plan, true))
}
