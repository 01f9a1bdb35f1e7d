//! `breakglass verify`: what is proven of each role in each account.

use std::path::{Path, PathBuf};

use clap::Args;

use super::read_plan;
use crate::cli::args::{CloudArgs, GlobalArgs, OutputArgs, ScopeArgs, ShardArgs, SpecArgs};
use crate::cli::clock::now;
use crate::cli::connect::{Connection, block_on_reading};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{deliver, open};
use crate::cli::progress;
use crate::collect::{ScopeFilter, VerifyRequest, verify};
use crate::plan::{Entry, Plan, Staleness, check_fresh};
use crate::report::render_verification;
use crate::spec::Loaded;
use crate::verify::Verification;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    cloud: CloudArgs,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    shard: ShardArgs,
    /// Prove the state that this saved plan leads to, instead of the state there is.
    #[arg(long, value_name = "PLAN")]
    after: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(in crate::cli) fn run(args: &VerifyArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    open(&args.output, "verify")?;
    let verification = block_on_reading(verified(args, global))?;
    deliver(&args.output, global, |format, style| {
        render_verification(&verification, format, style)
    })?;
    Ok(Exit::of_verification(&verification))
}

async fn verified(args: &VerifyArgs, global: &GlobalArgs) -> Result<Verification, CliError> {
    let filter = args.scope.filter()?;
    let loaded = args.spec.load(global)?;
    let after = args.after.as_deref().map(|path| saved(path, &loaded));
    let request = VerifyRequest {
        filter: ScopeFilter {
            shard: args.shard.shard(),
            ..filter
        },
        concurrency: usize::from(args.cloud.concurrency),
        max_failures: args.cloud.max_failures,
        now: now(),
        after: after.transpose()?,
    };
    let connection = Connection::open(&args.cloud, &Entry::of(&loaded.spec)).await?;
    let bar = progress::bar(global, "proving accounts");
    let verification = verify(
        connection.cloud(),
        &loaded,
        &request,
        &progress::told(&bar, &args.output),
    )
    .await;
    bar.finish_and_clear();
    verification
        .map_err(|error| CliError::collect(error, &loaded.sources, global.color.colors_stderr()))
}

/// Opens a saved plan, which must be one of this spec.
fn saved(path: &Path, loaded: &Loaded) -> Result<Plan, CliError> {
    let plan = read_plan(path)?;
    if loaded.digest != plan.spec_digest {
        return Err(Staleness::Spec {
            found: plan.spec_digest,
            expected: loaded.digest.clone(),
        }
        .into());
    }
    check_fresh(&plan, now(), None)?;
    Ok(plan)
}
