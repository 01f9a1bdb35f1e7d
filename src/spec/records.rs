//! The records beside a spec, incidents and drills: YAML lists, read as strictly as the spec itself.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};

use super::decode;
use super::documents::{ReadFile, read_beside};
use super::node::{Builder, Node, Value};
use super::problem::{Problem, Severity};
use super::source::{Place, SourceMap, entry};

/// Holds the entries of a record with the tree they were read from.
pub(super) struct Entries<T> {
    pub(super) values: Vec<T>,
    root: Option<Node>,
}

impl<T> Entries<T> {
    fn empty() -> Self {
        Self {
            values: Vec::new(),
            root: None,
        }
    }

    /// Where a key of an entry is written, or the entry where it lacks the key.
    pub(super) fn place(&self, index: usize, key: &str) -> Option<Place> {
        let Value::Sequence(elements) = &self.root.as_ref()?.value else {
            return None;
        };
        let element = elements.get(index)?;
        let Value::Mapping(entries) = &element.value else {
            return Some(element.place);
        };
        let found = entries.iter().find(|(name, _)| name.as_text() == Some(key));
        Some(found.map_or(element.place, |(_, value)| value.place))
    }
}

/// Reads the record that `SECTION.file` of the spec names; one that is not there yet has no entries, with a warning.
pub(super) fn read<T: DeserializeOwned>(
    section: &str,
    file: &str,
    sources: &mut SourceMap,
    read: &ReadFile<'_>,
    problems: &mut Vec<Problem>,
) -> Entries<T> {
    let text = match read_beside(&entry(section, "file"), file, sources, read) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned(),
        Err(problem) => {
            problems.push(Problem {
                severity: Severity::Warning,
                ..problem
            });
            return Entries::empty();
        }
    };
    let blank = |line: &str| line.trim_start().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(blank) {
        return Entries::empty();
    }
    let number = sources.add(file, text.clone());
    let root = Builder::default().parse(number, &text, problems);
    let values = root
        .as_ref()
        .and_then(|root| decode::decode(root, problems))
        .unwrap_or_default();
    Entries { values, root }
}

/// Reads a time, such as `2026-11-25T02:10:00Z`.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "{text:?} is not a time\nwrite it with its offset from UTC, such as 2026-11-25T02:10:00Z"
        ))
    })
}

/// Reads a time that may be absent.
pub(super) fn optional_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    time(deserializer).map(Some)
}

/// Reads a time, or a day, which stands for its beginning in UTC.
pub(super) fn time_or_day<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let day = |text: &str| {
        let day: Date = text.parse().ok()?;
        let start = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        (day.to_string() == text).then(|| start.timestamp())
    };
    text.parse().ok().or_else(|| day(&text)).ok_or_else(|| {
        D::Error::custom(format!(
            "{text:?} is not a time\nwrite it as 2026-11-25 or 2026-11-25T02:10:00Z"
        ))
    })
}
