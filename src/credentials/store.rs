//! The folder with the sealed passwords and their records.
//!
//! For a user there are at most `USER.password.age`, whose password AWS took for certain, `USER.password.json`, the
//! record, and a `USER.password.….pending.age` for each password of which it isn't known whether AWS took it. Each step
//! is on disk before the next begins, so that whatever a crash leaves says how far it came:
//!
//! | on disk | means |
//! |---|---|
//! | a pending file that the record does not name | AWS was not asked |
//! | a pending file that the record names | AWS may have taken it |
//! | a digest in `tried` that is the one of `USER.password.age` | AWS took it |

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{Record, Sealing};
use crate::files::{remove, rename, write_durably};
use crate::ids::AccountId;
use crate::state::sha256;

/// Ends the name of the file with a password that AWS may not have taken.
const PENDING: &str = ".pending.age";

/// How many digits of a digest stand in the name of such a file.
const DIGITS: usize = 12;

/// Keeps sealed passwords and their records in a folder, for one run at a time.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    rehearsal: bool,
    /// Locked while this lives.
    _lock: Option<File>,
}

/// Reports a password that an earlier run left without knowing whether AWS took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// When it was tried, if there is a record of it.
    pub at: Option<jiff::Timestamp>,
    /// The file it is sealed in, if that is still there.
    pub file: Option<PathBuf>,
}

impl Leftover {
    /// Tells it as text for a person.
    #[must_use]
    pub fn message(&self, user: &str) -> String {
        let tried = self.at.map_or_else(
            || "that no record is kept of".to_owned(),
            |at| format!("tried at {at}"),
        );
        match &self.file {
            Some(file) => format!(
                "{user}: an earlier run did not learn whether AWS took the password {tried}: until a new one is set, \
                 either that one, sealed in {}, or the one before is in force",
                file.display()
            ),
            None => format!(
                "{user}: the sealed file of the password {tried} is gone: if AWS took it, nobody can sign in until a \
                 new one is set"
            ),
        }
    }
}

/// Says why the folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or the folder could not be read or written.
    #[error("failed to {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A record is damaged, or of another user or a newer version.
    #[error("{}: not a record that can be read: {message}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Another run is at work in the folder.
    #[error("{}: another run is at work in this folder; wait until it has ended", .0.display())]
    Busy(PathBuf),
}

impl Store {
    /// Opens a folder, which is made if it is not there. A rehearsal has files of its own, which never stand in for real ones.
    ///
    /// # Errors
    /// When the folder can't be made, or another run is at work in it.
    pub fn open(folder: &Path, rehearsal: bool) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|error| failed("make", folder, error))?;
        Ok(Self {
            folder: folder.to_owned(),
            rehearsal,
            _lock: lock(folder)?,
        })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether what is kept here is of a rehearsal.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        self.rehearsal
    }

    /// The file with a user's password that AWS took for certain.
    #[must_use]
    pub fn sealed(&self, user: &str) -> PathBuf {
        self.path(user, ".age")
    }

    /// Reads the record of a user as what is on disk shows it to be.
    ///
    /// # Errors
    /// When it is damaged or can't be read.
    pub fn record(&self, account: &AccountId, user: &str) -> Result<Record, StoreError> {
        let Some(mut record) = self.read(account, user)? else {
            return Ok(Record::new(account, user));
        };
        let digest = self.digest(user)?;
        let confirmed = |sealing: &&Sealing| Some(&sealing.sha256) == digest.as_ref();
        if let Some(mut sealing) = record.tried.iter().find(confirmed).cloned() {
            // It got its name only after AWS had taken it, and what was tried before it was then overtaken.
            sealing.file = self.name(user, ".age");
            record.issued = Some(sealing);
            record.tried.clear();
        }
        Ok(record)
    }

    /// Lists what earlier runs left without knowing whether AWS took it.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn leftovers(&self, record: &Record) -> Result<Vec<Leftover>, StoreError> {
        let mut pending = self.pending(&record.user)?;
        let mut leftovers: Vec<Leftover> = record
            .tried
            .iter()
            .map(|sealing| Leftover {
                at: Some(sealing.at),
                file: pending.remove(&sealing.file),
            })
            .collect();
        if !self.path(&record.user, ".json").exists() {
            // Nobody can say any more what these are.
            let unknown = pending.into_values();
            leftovers.extend(unknown.map(|file| Leftover {
                at: None,
                file: Some(file),
            }));
        }
        Ok(leftovers)
    }

    /// Writes a sealed password and that it is about to be tried. From here on AWS may be asked to take it.
    ///
    /// # Errors
    /// When it can't be written; nothing of it is left then, as far as the folder lets it be removed.
    pub fn stage(
        &self,
        record: &mut Record,
        sealed: &[u8],
        sealing: impl FnOnce(String, String) -> Sealing,
    ) -> Result<PathBuf, StoreError> {
        let digest = sha256(sealed);
        let digits: String = digest
            .trim_start_matches("sha256:")
            .chars()
            .take(DIGITS)
            .collect();
        let path = self.path(&record.user, &format!(".{digits}{PENDING}"));
        let written = write_durably(&path, sealed).map_err(|error| failed("write", &path, error));
        let name = path.file_name().unwrap_or_default();
        let sealing = sealing(name.to_string_lossy().into_owned(), digest);
        record.tried.push(sealing);
        if let Err(error) = written.and_then(|()| self.write(record)) {
            record.tried.pop();
            // What can't be removed either is left without a record, which says that AWS was not asked.
            let _ = remove(&path);
            return Err(error);
        }
        Ok(path)
    }

    /// Takes back the last password that was staged: AWS refused it.
    ///
    /// # Errors
    /// When the folder can't be written to; the password is then still told to be pending.
    pub fn retract(&self, record: &mut Record) -> Result<(), StoreError> {
        let Some(sealing) = record.tried.pop() else {
            return Ok(());
        };
        if record.issued.is_none() && record.tried.is_empty() {
            let path = self.path(&record.user, ".json");
            remove(&path).map_err(|error| failed("remove", &path, error))?;
        } else {
            self.write(record)?;
        }
        let path = self.folder.join(&sealing.file);
        remove(&path).map_err(|error| failed("remove", &path, error))
    }

    /// Puts the last password that was staged in place of the one before: AWS took it. Whatever else was pending goes.
    ///
    /// # Errors
    /// When the folder can't be written to. The password is in force, in its pending file or in the one for good.
    pub fn confirm(&self, record: &mut Record) -> Result<PathBuf, StoreError> {
        let sealed = self.sealed(&record.user);
        if let Some(mut sealing) = record.tried.pop() {
            let path = self.folder.join(&sealing.file);
            rename(&path, &sealed).map_err(|error| failed("rename", &path, error))?;
            sealing.file = self.name(&record.user, ".age");
            record.issued = Some(sealing);
            record.tried.clear();
            self.write(record)?;
        }
        for path in self.pending(&record.user)?.into_values() {
            remove(&path).map_err(|error| failed("remove", &path, error))?;
        }
        Ok(sealed)
    }

    /// Lists the files with passwords that AWS may not have taken, by name.
    fn pending(&self, user: &str) -> Result<BTreeMap<String, PathBuf>, StoreError> {
        let start = self.name(user, ".");
        let folder = || self.folder.as_path();
        let entries = fs::read_dir(folder()).map_err(|error| failed("read", folder(), error))?;
        let mut found = BTreeMap::new();
        for entry in entries {
            let entry = entry.map_err(|error| failed("read", folder(), error))?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let digits = name
                .strip_prefix(&start)
                .and_then(|rest| rest.strip_suffix(PENDING));
            if digits.is_some_and(|digits| digits.len() == DIGITS && !digits.contains('.')) {
                found.insert(name, entry.path());
            }
        }
        Ok(found)
    }

    fn read(&self, account: &AccountId, user: &str) -> Result<Option<Record>, StoreError> {
        let path = self.path(user, ".json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path, error)),
        };
        let wrong = |message: String| StoreError::Record {
            path: path.clone(),
            message,
        };
        let record: Record =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if record.kind != "credential" || !record.format_version.starts_with("1.") {
            return Err(wrong("its kind or format is not known here".to_owned()));
        }
        if (&record.account, record.user.as_str()) != (account, user) {
            return Err(wrong(format!(
                "it is of {} in {}; use another folder for each organization",
                record.user, record.account
            )));
        }
        Ok(Some(record))
    }

    fn write(&self, record: &Record) -> Result<(), StoreError> {
        let path = self.path(&record.user, ".json");
        let written = serde_json::to_vec_pretty(record)
            .map_err(io::Error::from)
            .and_then(|mut text| {
                text.push(b'\n');
                write_durably(&path, &text)
            });
        written.map_err(|error| failed("write", &path, error))
    }

    /// The digest of the file with the password in force.
    fn digest(&self, user: &str) -> Result<Option<String>, StoreError> {
        let path = self.sealed(user);
        match fs::read(&path) {
            Ok(content) => Ok(Some(sha256(&content))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path, error)),
        }
    }

    fn name(&self, user: &str, end: &str) -> String {
        let what = if self.rehearsal {
            "rehearsal"
        } else {
            "password"
        };
        format!("{user}.{what}{end}")
    }

    fn path(&self, user: &str, end: &str) -> PathBuf {
        self.folder.join(self.name(user, end))
    }
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

/// Locks a folder against other runs, where folders can be locked.
fn lock(folder: &Path) -> Result<Option<File>, StoreError> {
    if !cfg!(unix) {
        return Ok(None);
    }
    let file = File::open(folder).map_err(|error| failed("open", folder, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy(folder.to_owned())),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
