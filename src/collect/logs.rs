//! Log files: found in folders, read side by side, with memory that does not grow with them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use flate2::read::MultiGzDecoder;

use super::Progress;
use crate::audit::{
    Gatherer, NO_RECORD, Sieve, Splitter, Trace, UnreadableSource, Watch, classify,
};

/// How much of a file is read at a time.
const CHUNK: usize = 256 << 10;
/// How many traces may wait to be taken in.
const WAITING: usize = 1024;
/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What CloudTrail writes beside its logs: digests of them, and events of Insights.
const NOT_LOGS: [&str; 2] = ["CloudTrail-Digest", "CloudTrail-Insight"];

/// Holds the log files that were found.
#[derive(Debug, Default)]
pub(super) struct LogFiles {
    files: BTreeSet<LogFile>,
    /// How many files of the folders are no logs.
    skipped: u64,
    unreadable: Vec<UnreadableSource>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct LogFile {
    path: PathBuf,
    /// Whether it was named itself, so that it has to hold records.
    named: bool,
}

/// Says what came of reading.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) files: u64,
    pub(super) skipped: u64,
    pub(super) records: u64,
    pub(super) unreadable: Vec<UnreadableSource>,
}

impl LogFiles {
    /// Finds the files that paths mean; a folder means every log in it.
    pub(super) fn find(paths: &[PathBuf]) -> Self {
        let mut found = Self::default();
        for path in paths {
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => found.walk(path),
                Ok(_) => {
                    found.files.insert(LogFile {
                        path: path.clone(),
                        named: true,
                    });
                }
                Err(error) => found.fail(path, &error),
            }
        }
        found
    }

    fn fail(&mut self, path: &Path, error: &dyn std::fmt::Display) {
        self.unreadable.push(unreadable(path, error));
    }

    fn walk(&mut self, folder: &Path) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.fail(folder, &error),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.fail(folder, &error);
                    continue;
                }
            };
            let path = entry.path();
            // Links to folders are not followed: they might lead back.
            let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let name = entry.file_name().to_string_lossy().into_owned();
            if NOT_LOGS.iter().any(|other| name.contains(other)) {
                self.skipped += u64::from(!folder);
            } else if folder {
                self.walk(&path);
            } else if is_log(&name) && path.is_file() {
                self.files.insert(LogFile { path, named: false });
            } else {
                self.skipped += 1;
            }
        }
    }

    /// Reads every file, several at a time, and takes what they say of break-glass into the gatherer.
    pub(super) fn read(
        self,
        watch: &Watch,
        sieve: &Sieve,
        gatherer: &mut Gatherer,
        progress: &Progress<'_>,
    ) -> Reading {
        let Self {
            files,
            skipped,
            unreadable,
        } = self;
        let files: Vec<LogFile> = files.into_iter().collect();
        let mut result = Reading {
            skipped,
            unreadable,
            ..Reading::default()
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(files.len());
        let next = AtomicUsize::new(0);
        let (sender, receiver) = sync_channel(WAITING);
        thread::scope(|scope| {
            for _ in 0..threads {
                let sender = sender.clone();
                let (files, next) = (&files, &next);
                scope.spawn(move || {
                    let mut reader = FileReader::new(watch, sieve, &sender);
                    while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let done = reader.read(file);
                        if sender.send(Message::Done(done)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let mut done = 0;
            for message in receiver {
                match message {
                    Message::Trace(trace) => gatherer.add(*trace),
                    Message::Done(file) => {
                        done += 1;
                        progress(done, files.len());
                        result.records += file.records;
                        match file.end {
                            Ok(true) => result.files += 1,
                            Ok(false) => result.skipped += 1,
                            Err(unreadable) => result.unreadable.push(unreadable),
                        }
                    }
                }
            }
        });
        result
    }
}

/// Tells by its name whether a file of a folder is a log.
fn is_log(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".jsonl", ".ndjson"]
        .iter()
        .any(|ending| plain.ends_with(ending))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> UnreadableSource {
    UnreadableSource {
        source: path.display().to_string(),
        error: error.to_string(),
    }
}

enum Message {
    Trace(Box<Trace>),
    Done(FileDone),
}

struct FileDone {
    records: u64,
    /// Whether it is a log at all.
    end: Result<bool, UnreadableSource>,
}

/// Reads one file after the other.
struct FileReader<'a> {
    watch: &'a Watch,
    sieve: &'a Sieve,
    sender: &'a SyncSender<Message>,
    buffer: Vec<u8>,
    event_name: memchr::memmem::Finder<'static>,
    detail_type: memchr::memmem::Finder<'static>,
}

impl<'a> FileReader<'a> {
    fn new(watch: &'a Watch, sieve: &'a Sieve, sender: &'a SyncSender<Message>) -> Self {
        Self {
            watch,
            sieve,
            sender,
            buffer: vec![0; CHUNK],
            event_name: memchr::memmem::Finder::new(b"eventName"),
            detail_type: memchr::memmem::Finder::new(b"\"detail-type\""),
        }
    }

    fn read(&mut self, file: &LogFile) -> FileDone {
        let mut records = 0;
        let end = match self.read_records(&file.path, &mut records) {
            Err(error) => Err(unreadable(&file.path, &error)),
            Ok(false) if file.named => {
                Err(unreadable(&file.path, &"it holds no records of CloudTrail"))
            }
            Ok(log) => Ok(log),
        };
        FileDone { records, end }
    }

    /// Reads the records of a file; `false` when it holds JSON of another kind.
    fn read_records(&mut self, path: &Path, records: &mut u64) -> Result<bool, String> {
        let mut input = open(path).map_err(|error| error.to_string())?;
        let mut splitter = Splitter::default();
        let mut damaged = None;
        let mut empty = true;
        // Objects that are neither records nor events of EventBridge, and such events that no record is in.
        let (mut strange, mut others) = (false, false);
        let Self {
            watch,
            sieve,
            sender,
            buffer,
            event_name,
            detail_type,
        } = self;
        loop {
            let length = match input.read(buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(format!("it is damaged: {error}")),
            };
            empty = false;
            let bytes = buffer.get(..length).unwrap_or_default();
            let split = splitter.push(bytes, &mut |record| {
                if event_name.find(record).is_none() {
                    let event = detail_type.find(record).is_some();
                    strange |= !event;
                    others |= event;
                    return;
                }
                *records += 1;
                if !sieve.lets_through(record) {
                    return;
                }
                match classify(record, watch) {
                    // The other side goes away only after this one.
                    Ok(Some(trace)) => drop(sender.send(Message::Trace(Box::new(trace)))),
                    Ok(None) => {}
                    Err(error) => damaged = damaged.take().or(Some(error)),
                }
            });
            match split {
                Ok(()) => {}
                Err(_) if strange && *records == 0 => return Ok(false),
                Err(error) => return Err(error.to_string()),
            }
        }
        if empty {
            return Err("it is empty".to_owned());
        }
        let none = *records == 0 && (strange || others);
        match (splitter.finish(), damaged) {
            _ if none => Ok(false),
            (Err(error), _) => Err(error.to_string()),
            (Ok(()), Some(error)) => Err(error),
            (Ok(()), None) if strange => Err(NO_RECORD.to_owned()),
            (Ok(()), None) => Ok(true),
        }
    }
}

/// Opens a file, and unpacks it when it is packed.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = File::open(path)?;
    let mut start = [0; 2];
    let mut length = 0;
    while length < start.len() {
        match file.read(start.get_mut(length..).unwrap_or_default())? {
            0 => break,
            more => length += more,
        }
    }
    let packed = start == GZIP;
    let whole = io::Cursor::new(start).take(length as u64).chain(file);
    Ok(if packed {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, whole)))
    } else {
        Box::new(whole)
    })
}
