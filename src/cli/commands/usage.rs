//! `breakglass usage`: every use of break-glass in a time span, matched with incidents.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use crate::audit::{Audit, AuditOutcome};
use crate::cli::args::{CloudArgs, GlobalArgs, OutputArgs, SpecArgs};
use crate::cli::clock::now;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::deliver;
use crate::cli::progress;
use crate::cloud::read_snapshot;
use crate::collect::{UsageRequest, audit_logs};
use crate::report::render_usage;
use crate::spec::{Duration, Loaded};

/// Arguments of `usage`.
#[derive(Debug, Args)]
pub(in crate::cli) struct UsageArgs {
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    cloud: CloudArgs,
    /// A log file of CloudTrail, or a folder of them; repeatable [default: the event history of every account].
    #[arg(long, value_name = "PATH")]
    log: Vec<PathBuf>,
    /// The beginning: a time, or how long ago [default: 24h; with --log, the beginning].
    #[arg(long, value_name = "TIME|DURATION")]
    since: Option<Moment>,
    /// The end, not included: a time, or how long ago [default: now; with --log, the end].
    #[arg(long, value_name = "TIME|DURATION")]
    until: Option<Moment>,
    /// A user or role, by ARN, that may change break-glass objects, beside member_role; repeatable.
    #[arg(long, value_name = "ARN")]
    deployer: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// A time, as it is or as a distance from now.
#[derive(Debug, Clone, Copy)]
enum Moment {
    At(Timestamp),
    Ago(Duration),
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = text.parse().map(Self::At).ok();
        at.or_else(|| text.parse().map(Self::Ago).ok())
            .ok_or("write it as 2026-11-25T02:10:00Z, or as how long ago: 30m, 24h, 7d")
    }
}

impl Moment {
    fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => {
                let seconds = i64::try_from(ago.seconds()).unwrap_or(i64::MAX);
                now.checked_sub(SignedDuration::from_secs(seconds))
                    .unwrap_or(Timestamp::MIN)
            }
        }
    }
}

pub(in crate::cli) fn run(args: &UsageArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let loaded = args.spec.load(global)?;
    let audit = audit_files(args, global, &loaded)?;
    deliver(&args.output, global, |format, style| {
        render_usage(&audit, format, style)
    })?;
    Ok(match audit.outcome {
        AuditOutcome::Clean => Exit::Success,
        AuditOutcome::Findings => Exit::Differences,
        AuditOutcome::Incomplete => Exit::Incomplete,
    })
}

fn audit_files(args: &UsageArgs, global: &GlobalArgs, loaded: &Loaded) -> Result<Audit, CliError> {
    let organization = match &args.cloud.org {
        Some(path) => Some(read_snapshot(path)?.organization),
        None => None,
    };
    let now = now();
    let bar = progress::bar(global, "reading logs");
    let audit = audit_logs(
        loaded,
        &args.log,
        organization.as_ref(),
        &request(args, now),
        &progress::shown(&bar),
    );
    bar.finish_and_clear();
    audit.map_err(|error| CliError::collect(error, &loaded.sources, global.color.colors_stderr()))
}

fn request(args: &UsageArgs, now: Timestamp) -> UsageRequest {
    UsageRequest {
        since: args.since.map(|since| since.time(now)),
        until: args.until.map(|until| until.time(now)),
        deployers: args.deployer.iter().cloned().collect(),
        now,
        concurrency: usize::from(args.cloud.concurrency),
        max_failures: args.cloud.max_failures,
    }
}
