//! Setting a new password: sealed and recorded before AWS is asked, in place only after AWS has answered.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Custody, Randomness, Sealing, Store, StoreError, generate};
use crate::cloud::{Cloud, CloudError, ErrorKind};
use crate::ids::AccountId;
use crate::state::{Operation, PASSWORD_TAG, Principal, Tags, password_mark};

/// Tells what became of a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The user has it, and the file holds it.
    Issued {
        /// The sealed password.
        file: PathBuf,
        /// Why the user does not carry the time at which that was done; `None` when it does.
        unmarked: Option<CloudError>,
    },
    /// Nothing was changed: the password before it is in force, and no file holds this one.
    Unchanged {
        /// Why.
        reason: String,
    },
    /// AWS gave no answer, so either this password or the one before is in force.
    Unknown {
        /// What happened.
        reason: String,
        /// This password, sealed.
        file: PathBuf,
    },
    /// The user has it, but what is on disk does not say so.
    Unrecorded {
        /// What happened.
        reason: String,
        /// The sealed password, here or already at the place of the one before.
        file: PathBuf,
    },
}

impl Outcome {
    /// Tells it as text for a person; `before` is the file for good, which may hold the password before.
    #[must_use]
    pub fn message(&self, user: &str, before: &Path) -> String {
        match self {
            Self::Issued { file, unmarked } => format!(
                "{user}: a new password is in force, sealed in {}{}",
                file.display(),
                unmarked.as_ref().map_or(String::new(), |error| format!(
                    "; but the tag {PASSWORD_TAG} does not say when it was set, so that drift may still count uses of the \
                     one before: {error}"
                ))
            ),
            Self::Unchanged { reason } => format!("{user}: not changed: {reason}"),
            Self::Unknown { reason, file } => format!(
                "{user}: AWS gave no answer: either the new password, sealed in {}, or the one before ({}) is in force; keep both and run this again: {reason}",
                file.display(),
                before.display(),
            ),
            Self::Unrecorded { reason, file } => format!(
                "{user}: a new password is in force, sealed in {}, but what is written beside it does not say so; mend \
                 that and run this again: {reason}",
                file.display(),
            ),
        }
    }
}

/// Sets a new password of a user of `account`, sealed to its custodian.
pub async fn issue(
    cloud: &dyn Cloud,
    store: &Store,
    account: &AccountId,
    custody: &Custody,
    random: &mut Randomness<'_>,
    now: Timestamp,
) -> Outcome {
    let unchanged = |reason: String| Outcome::Unchanged { reason };
    let shortest = match cloud.shortest_password(account).await {
        Ok(shortest) => shortest,
        Err(error) => return unchanged(error.to_string()),
    };
    let password = match generate(shortest, random) {
        Ok(password) => password,
        Err(error) => return unchanged(format!("failed to make a password: {error}")),
    };
    let sealed = match custody.recipients.seal(&password) {
        Ok(sealed) => sealed,
        Err(error) => return unchanged(format!("failed to seal the password: {error}")),
    };
    let mut record = match store.record(account, &custody.user) {
        Ok(record) => record,
        Err(error) => return unchanged(error.to_string()),
    };
    let sealing = |file, sha256| Sealing {
        file,
        sha256,
        at: now,
        custodian: custody.custodian.clone(),
        recipients: custody.keys.clone(),
    };
    let pending = match store.stage(&mut record, &sealed, sealing) {
        Ok(pending) => pending,
        Err(error) => return unchanged(error.to_string()),
    };
    match cloud.set_password(account, &custody.user, &password).await {
        Ok(()) => match store.confirm(&mut record) {
            Ok(file) => Outcome::Issued {
                file,
                unmarked: mark_password(cloud, account, &custody.user, now)
                    .await
                    .err(),
            },
            Err(error) => Outcome::Unrecorded {
                reason: error.to_string(),
                file: if pending.exists() {
                    pending
                } else {
                    store.sealed(&custody.user)
                },
            },
        },
        Err(error) if error.kind == ErrorKind::Network => Outcome::Unknown {
            reason: error.to_string(),
            file: pending,
        },
        Err(error) => unchanged(refused(&error, store.retract(&mut record))),
    }
}

/// Records at a user when its password was set: uses before that are no concern any more.
///
/// # Errors
/// When the user can't be tagged.
pub async fn mark_password(
    cloud: &dyn Cloud,
    account: &AccountId,
    user: &str,
    at: Timestamp,
) -> Result<(), CloudError> {
    let operation = Operation::Tag {
        principal: Principal::User(user.to_owned()),
        tags: Tags::from([(PASSWORD_TAG.to_owned(), password_mark(at))]),
    };
    cloud.execute(account, &operation).await
}

fn refused(error: &CloudError, retracted: Result<(), StoreError>) -> String {
    match retracted {
        Ok(()) => error.to_string(),
        Err(left) => format!("{error}; and what it left could not be removed: {left}"),
    }
}
