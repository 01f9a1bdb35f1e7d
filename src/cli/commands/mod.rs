//! One file per command: its arguments and what it does.

pub(super) mod alerts;
pub(super) mod apply;
pub(super) mod close;
pub(super) mod completions;
pub(super) mod credentials;
pub(super) mod drift;
pub(super) mod ignore;
pub(super) mod import;
pub(super) mod init;
pub(super) mod kit;
pub(super) mod man;
pub(super) mod merge;
pub(super) mod plan;
pub(super) mod policy;
mod policy_diff;
mod policy_evaluate;
mod policy_library;
pub(super) mod schema;
pub(super) mod show;
pub(super) mod snapshot;
pub(super) mod usage;
pub(super) mod validate;
pub(super) mod verify;

use std::path::Path;

use jiff::Timestamp;

use super::args::{CompareArgs, GlobalArgs};
use super::connect::Connection;
use super::error::CliError;
use super::exit::Exit;
use super::progress;
use crate::cli::clock::now;
use crate::collect::{CompareRequest, ScopeFilter, compare};
use crate::org::Shard;
use crate::plan::{Entry, Kind, Plan, parse_plan};
use crate::spec::Duration;

/// How long a plan may be applied when nothing else is said.
pub(super) const DEFAULT_TTL: &str = "24h";

/// Reads live state and compares it with the spec; the backend comes back open.
pub(super) async fn compare_live(
    args: &CompareArgs,
    shard: Option<Shard>,
    global: &GlobalArgs,
    kind: Kind,
    ttl: Option<Duration>,
) -> Result<(Connection, Plan), CliError> {
    let filter = args.scope.filter()?;
    let loaded = args.spec.load(global)?;
    let base = args.base.as_ref();
    let base = base.map(|revision| super::base::read(revision, &args.spec));
    let base = base.transpose()?;
    let connection = Connection::open(&args.cloud, &Entry::of(&loaded.spec)).await?;
    let now = now();
    let request = CompareRequest {
        kind,
        filter: ScopeFilter { shard, ..filter },
        concurrency: usize::from(args.cloud.concurrency),
        max_failures: args.cloud.max_failures,
        strict: args.strict,
        now,
        expires_at: ttl.map(|ttl| expiry(now, ttl)).transpose()?,
        base,
    };
    let bar = progress::bar(global, "reading accounts");
    let plan = compare(
        connection.cloud(),
        &loaded,
        &request,
        &progress::told(&bar, &args.output),
    )
    .await;
    bar.finish_and_clear();
    let plan = plan
        .map_err(|error| CliError::collect(error, &loaded.sources, global.color.colors_stderr()))?;
    Ok((connection, plan))
}

/// Reads a saved plan or report of drift.
fn read_plan(path: &Path) -> Result<Plan, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io("read", path, &error))?;
    parse_plan(&text).map_err(|error| CliError::plan(path, &error))
}

fn expiry(now: Timestamp, ttl: Duration) -> Result<Timestamp, CliError> {
    i64::try_from(ttl.seconds())
        .ok()
        .and_then(|seconds| {
            now.checked_add(jiff::SignedDuration::from_secs(seconds))
                .ok()
        })
        .ok_or_else(|| CliError::new(Exit::Usage, format!("--ttl {ttl} is too long")))
}
