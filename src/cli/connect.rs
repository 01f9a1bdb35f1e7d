//! Opening live state: AWS or a snapshot file.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::args::CloudArgs;
use super::error::CliError;
use super::exit::Exit;
use crate::cloud::{Cloud, Offline, aws, read_snapshot, write_snapshot};
use crate::plan::Entry;
use crate::spec::MemberRole;

/// Holds an open backend.
pub(super) enum Connection {
    Aws(Box<aws::Aws>),
    Snapshot(Box<Offline>),
}

impl Connection {
    pub(super) async fn open(args: &CloudArgs, entry: &Entry) -> Result<Self, CliError> {
        if let Some(path) = &args.org {
            return Ok(Self::Snapshot(Box::new(Offline::new(read_snapshot(path)?))));
        }
        let settings = aws::Settings {
            endpoint_url: args.endpoint_url.clone(),
            member_role: member_role(&entry.member_role),
            overrides: entry
                .overrides
                .iter()
                .map(|(account, entry)| {
                    let entry = aws::Override {
                        member_role: entry.member_role.as_ref().map(member_role),
                        external_id: entry.external_id.clone(),
                    };
                    (account.clone(), entry)
                })
                .collect::<BTreeMap<_, _>>(),
            concurrency: usize::from(args.concurrency),
        };
        Ok(Self::Aws(Box::new(aws::connect(settings).await?)))
    }

    pub(super) fn cloud(&self) -> &dyn Cloud {
        match self {
            Self::Aws(aws) => aws.as_ref(),
            Self::Snapshot(offline) => offline.as_ref(),
        }
    }

    /// Writes what a rehearsal did to its snapshot file. On AWS there is nothing to write.
    pub(super) fn close(self, org: Option<&Path>) -> Result<(), CliError> {
        if let (Self::Snapshot(offline), Some(path)) = (self, org) {
            write_snapshot(path, &offline.into_snapshot())?;
        }
        Ok(())
    }
}

/// Keeps a file to one command that writes it, for as long as this is held.
pub(super) struct Lock {
    _file: File,
}

/// Locks the file that a command is going to write, such as a snapshot, before it is read.
///
/// Two that wrote one file at a time would lose what the first wrote. On AWS there is nothing to lock, and on Windows a
/// locked file could be neither read nor replaced by its own holder.
pub(super) fn lock(file: Option<&Path>) -> Result<Option<Lock>, CliError> {
    let Some(path) = file.filter(|_| cfg!(unix)) else {
        return Ok(None);
    };
    let failed = |error| CliError::io("lock", path, &error);
    loop {
        let file = match File::open(path) {
            // Whoever reads it says so.
            Err(_) => return Ok(None),
            Ok(file) => file,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "another command is at work on {}; nothing was written",
                    path.display()
                );
                return Err(
                    CliError::new(Exit::Stale, message).hinted("wait for it, then run this again")
                );
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // The file is replaced when it is written: a lock on the one that was there before keeps nobody out.
        if is_at(&file, path).map_err(failed)? {
            return Ok(Some(Lock { _file: file }));
        }
    }
}

/// Tells whether an open file is still the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (open, there) = (file.metadata()?, std::fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (there.dev(), there.ino()))
}

/// Elsewhere nothing is locked.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> std::io::Result<bool> {
    Ok(true)
}

fn member_role(role: &MemberRole) -> aws::MemberRole {
    aws::MemberRole {
        plan: role.plan.clone(),
        apply: role.apply.clone(),
    }
}

/// Runs a command's asynchronous part.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::new(Exit::Error, format!("failed to start: {error}")))?
        .block_on(work)
}

/// Runs work that only reads, until it is done or the person presses Ctrl-C.
pub(super) fn block_on_reading<T>(
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    block_on(async {
        tokio::select! {
            result = work => result,
            _ = tokio::signal::ctrl_c() => {
                Err(CliError::new(Exit::Error, "interrupted; nothing was written"))
            }
        }
    })
}

/// Raises a flag on the first Ctrl-C, so that a write under way is finished and reported.
pub(super) fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            raised.store(true, Ordering::Relaxed);
            super::output::say("stopping after what is under way; again to stop at once");
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(i32::from(Exit::Partial.code()));
        }
    });
    stop
}
