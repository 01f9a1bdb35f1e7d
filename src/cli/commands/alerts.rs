//! `breakglass alerts`: whether a use would be heard of.

use clap::{Args, Subcommand};

use crate::cli::args::{CloudArgs, GlobalArgs, OutputArgs, ScopeArgs, SpecArgs};
use crate::cli::clock::now;
use crate::cli::connect::{Connection, block_on};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{deliver, open};
use crate::cli::progress;
use crate::collect::{DrillOutcome, DrillReport, DrillRequest, drill};
use crate::plan::Entry;
use crate::report::render_drill;
use crate::spec::Duration;

/// Arguments of `alerts`.
#[derive(Debug, Args)]
pub(in crate::cli) struct AlertsArgs {
    #[command(subcommand)]
    command: AlertsCommand,
}

#[derive(Debug, Subcommand)]
enum AlertsCommand {
    /// Send a drill event through every rule and tell how far each came.
    Test(TestArgs),
}

/// Arguments of `alerts test`.
#[derive(Debug, Args)]
struct TestArgs {
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    cloud: CloudArgs,
    #[command(flatten)]
    scope: ScopeArgs,
    /// How long to wait for what was sent: CloudWatch counts with a delay.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    wait: Duration,
    #[command(flatten)]
    output: OutputArgs,
}

pub(in crate::cli) fn run(args: &AlertsArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let AlertsCommand::Test(args) = &args.command;
    open(&args.output, "alerts-test")?;
    let report = block_on(drilled(args, global))?;
    deliver(&args.output, global, |format, style| {
        render_drill(&report, format, style)
    })?;
    Ok(match report.outcome {
        DrillOutcome::Arrived => Exit::Success,
        DrillOutcome::Missing => Exit::Differences,
        DrillOutcome::Incomplete => Exit::Incomplete,
    })
}

async fn drilled(args: &TestArgs, global: &GlobalArgs) -> Result<DrillReport, CliError> {
    let filter = args.scope.filter()?;
    let loaded = args.spec.load(global)?;
    let connection = Connection::open(&args.cloud, &Entry::of(&loaded.spec)).await?;
    let request = DrillRequest {
        filter,
        concurrency: usize::from(args.cloud.concurrency),
        wait: std::time::Duration::from_secs(args.wait.seconds()),
        now: now(),
    };
    let bar = progress::bar(global, "sending events");
    let report = drill(
        connection.cloud(),
        &loaded,
        &request,
        &progress::shown(&bar),
    )
    .await;
    bar.finish_and_clear();
    report.map_err(|error| CliError::collect(error, &loaded.sources, global.color.colors_stderr()))
}
