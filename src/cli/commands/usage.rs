//! `breakglass usage`: every use of break-glass in a time span, matched with incidents.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use crate::audit::{Audit, AuditOutcome, Notice};
use crate::cli::args::{CloudArgs, GlobalArgs, OutputArgs, SpecArgs};
use crate::cli::clock::now;
use crate::cli::connect::{Connection, block_on, block_on_reading};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{deliver, open};
use crate::cli::progress;
use crate::cloud::{aws, read_snapshot};
use crate::collect::{UsageRequest, audit_history, audit_logs};
use crate::ids::Arn;
use crate::plan::Entry;
use crate::report::render_usage;
use crate::spec::{Duration, Loaded, Notify};

/// The time span where none is given.
const DAY: Moment = Moment::Ago(Duration::from_seconds(24 * 60 * 60));
/// How far back the event history reaches. Source: CloudTrail user guide, "Working with CloudTrail event history".
const OLDEST: Moment = Moment::Ago(Duration::from_seconds(90 * 24 * 60 * 60));
const LOG_HINT: &str = "name log files, or a folder of them, with --log PATH";

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
    /// Hand findings on to the receivers of alerts.notify.
    #[arg(long)]
    notify: bool,
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
    let receivers = receivers(args, &loaded)?;
    let now = now();
    let (since, until) = (
        args.since.map(|at| at.time(now)),
        args.until.map(|at| at.time(now)),
    );
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        // Nothing would be found in it, which is not the same as nothing having happened.
        let message = format!("--since {since} is not before --until {until}");
        return Err(CliError::new(Exit::Usage, message));
    }
    open(&args.output, "usage")?;
    let audit = if args.log.is_empty() {
        block_on_reading(audit_events(args, global, &loaded, now))?
    } else {
        audit_files(args, global, &loaded, now)?
    };
    deliver(&args.output, global, |format, style| {
        render_usage(&audit, format, style)
    })?;
    if let Some(notice) = Notice::of(&audit) {
        hand_on(args, &receivers, &notice)?;
    }
    Ok(match audit.outcome {
        AuditOutcome::Clean => Exit::Success,
        AuditOutcome::Findings => Exit::Differences,
        AuditOutcome::Incomplete => Exit::Incomplete,
    })
}

fn audit_files(
    args: &UsageArgs,
    global: &GlobalArgs,
    loaded: &Loaded,
    now: Timestamp,
) -> Result<Audit, CliError> {
    let organization = match &args.cloud.org {
        Some(path) => Some(read_snapshot(path)?.organization),
        None => None,
    };
    let bar = progress::bar(global, "reading logs");
    let audit = audit_logs(
        loaded,
        &args.log,
        organization.as_ref(),
        &request(args, now),
        &progress::told(&bar, &args.output),
    );
    bar.finish_and_clear();
    audit.map_err(|error| CliError::collect(error, &loaded.sources, global.color.colors_stderr()))
}

async fn audit_events(
    args: &UsageArgs,
    global: &GlobalArgs,
    loaded: &Loaded,
    now: Timestamp,
) -> Result<Audit, CliError> {
    let mut request = request(args, now);
    let since = request.since.unwrap_or_else(|| DAY.time(now));
    let until = request.until.unwrap_or(now);
    if since < OLDEST.time(now) {
        let message = format!("--since {since}: the event history holds 90 days only");
        return Err(CliError::new(Exit::Usage, message).hinted(LOG_HINT));
    }
    if args.cloud.org.is_some() {
        let message = "a snapshot holds no events: --org goes with --log";
        return Err(CliError::new(Exit::Usage, message).hinted(LOG_HINT));
    }
    (request.since, request.until) = (Some(since), Some(until));
    let Connection::Aws(aws) = Connection::open(&args.cloud, &Entry::of(&loaded.spec)).await?
    else {
        return Err(CliError::new(Exit::Usage, LOG_HINT));
    };
    let bar = progress::bar(global, "reading event histories");
    let audit = audit_history(
        &aws,
        loaded,
        &request,
        (since, until),
        &progress::told(&bar, &args.output),
    )
    .await;
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

/// A receiver of findings with all that is needed to reach it.
enum Receiver<'a> {
    Topic(Arn),
    Webhook { url: &'a str, key: Option<String> },
}

/// Finds the receivers, and the keys of those that want messages signed, before anything is read.
fn receivers<'a>(args: &UsageArgs, loaded: &'a Loaded) -> Result<Vec<Receiver<'a>>, CliError> {
    if !args.notify {
        return Ok(Vec::new());
    }
    let alerts = loaded.spec.alerts.as_ref();
    let listed = alerts.map_or(&[][..], |alerts| &alerts.notify);
    if listed.is_empty() {
        let message = "--notify: the spec lists no receivers under alerts.notify";
        return Err(CliError::new(Exit::Usage, message));
    }
    listed
        .iter()
        .map(|receiver| match receiver {
            Notify::Sns(arn) => arn
                .parse()
                .map(Receiver::Topic)
                .map_err(|error| CliError::new(Exit::Spec, format!("alerts.notify: {error}"))),
            Notify::Webhook(webhook) => Ok(Receiver::Webhook {
                url: &webhook.url,
                key: webhook.secret_env.as_deref().map(key).transpose()?,
            }),
        })
        .collect()
}

/// Reads a key from the environment.
fn key(variable: &str) -> Result<String, CliError> {
    std::env::var(variable)
        .ok()
        .filter(|key| !key.is_empty())
        .ok_or_else(|| {
            let message =
                format!("the environment variable {variable}, which the webhook's secret_env names, is not set");
            CliError::new(Exit::Error, message)
        })
}

/// Sends a notice to every receiver; one that can't be reached keeps it from none of the others.
fn hand_on(args: &UsageArgs, receivers: &[Receiver<'_>], notice: &Notice) -> Result<(), CliError> {
    block_on(async {
        let mut failed = Vec::new();
        for receiver in receivers {
            let sent = match receiver {
                Receiver::Topic(topic) => {
                    aws::publish(topic, notice, args.cloud.endpoint_url.as_deref()).await
                }
                Receiver::Webhook { url, key } => {
                    aws::post(url, key.as_deref(), notice, now().as_second()).await
                }
            };
            failed.extend(sent.err().map(|error| error.to_string()));
        }
        if failed.is_empty() {
            return Ok(());
        }
        let message = format!("the findings could not be handed on: {}", failed.join("; "));
        Err(CliError::new(Exit::Error, message)
            .hinted("the audit itself is done; run it again to send the findings again"))
    })
}
