//! `breakglass snapshot`: records the live state that the other commands need.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::args::{CloudArgs, GlobalArgs, ShardArgs, SpecArgs};
use crate::cli::clock::now;
use crate::cli::connect::{Connection, block_on_reading};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{expect_writable, say};
use crate::cli::progress;
use crate::cloud::write_snapshot;
use crate::collect::take_snapshot;
use crate::plan::Entry;
use crate::state::{Reading, Snapshot};
use crate::text::visible;

/// Arguments of `snapshot`.
#[derive(Debug, Args)]
pub(in crate::cli) struct SnapshotArgs {
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    cloud: CloudArgs,
    #[command(flatten)]
    shard: ShardArgs,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(in crate::cli) fn run(args: &SnapshotArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let loaded = args.spec.load(global)?;
    expect_writable(&args.out)?;
    let bar = progress::bar(global, "reading accounts");
    let snapshot = block_on_reading(async {
        let connection = Connection::open(&args.cloud, &Entry::of(&loaded.spec)).await?;
        let concurrency = usize::from(args.cloud.concurrency);
        take_snapshot(
            connection.cloud(),
            &loaded.spec,
            args.shard.shard(),
            concurrency,
            now(),
            &progress::shown(&bar),
        )
        .await
        .map_err(|error| CliError::collect(error, &loaded.sources, global.color.colors_stderr()))
    });
    bar.finish_and_clear();
    let snapshot = snapshot?;
    keep(&args.out, &snapshot)
}

/// Writes a snapshot, and says what it lacks.
pub(super) fn keep(path: &Path, snapshot: &Snapshot) -> Result<Exit, CliError> {
    write_snapshot(path, snapshot)?;
    let mut exit = Exit::Success;
    for (id, reading) in &snapshot.accounts {
        if let Reading::Unreadable { error } = reading {
            say(&visible(&format!("unreadable: {id}: {error}")));
            exit = Exit::Incomplete;
        }
    }
    if let Some(Reading::Unreadable { error }) = &snapshot.guardrails {
        say(&visible(&format!("unreadable: guardrails: {error}")));
        exit = Exit::Incomplete;
    }
    say(&format!(
        "wrote {}: {} accounts",
        path.display(),
        snapshot.accounts.len()
    ));
    Ok(exit)
}
