//! The record of a closing: from when on what is done for it counts. It holds no secret.

use std::path::PathBuf;
use std::{fs, io};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::credentials::Store;
use crate::files::write_durably;

/// What a name of a file may have beside letters and digits.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Records how far the closing of an incident is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosingRecord {
    /// The version of the format, `1.N`.
    pub format_version: String,
    /// Always `closing`.
    pub kind: String,
    /// The organization.
    pub organization_id: String,
    /// The incident's id.
    pub incident: String,
    /// When it was first begun: passwords that were set since are new.
    pub began_at: Timestamp,
    /// Sessions from before this time are denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<Timestamp>,
}

impl ClosingRecord {
    /// Begins the closing of an incident.
    #[must_use]
    pub fn new(organization_id: &str, incident: &str, now: Timestamp) -> Self {
        Self {
            format_version: "1.0".to_owned(),
            kind: "closing".to_owned(),
            organization_id: organization_id.to_owned(),
            incident: incident.to_owned(),
            began_at: now,
            cutoff: None,
        }
    }
}

fn path(store: &Store, incident: &str) -> PathBuf {
    let name = utf8_percent_encode(incident, PLAIN);
    let what = if store.is_rehearsal() {
        "closing-rehearsal"
    } else {
        "closing"
    };
    store.folder().join(format!("{name}.{what}.json"))
}

/// Reads the record of an incident, if it has one.
///
/// # Errors
/// When it can't be read, is damaged, or is of another organization.
pub fn read_record(
    store: &Store,
    organization_id: &str,
    incident: &str,
) -> Result<Option<ClosingRecord>, String> {
    let path = path(store, incident);
    let failed = |what: String| format!("failed to read {}: {what}", path.display());
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    let record: ClosingRecord =
        serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    if record.kind != "closing" || !record.format_version.starts_with("1.") {
        return Err(failed("its kind or format is not known here".to_owned()));
    }
    if (record.organization_id.as_str(), record.incident.as_str()) != (organization_id, incident) {
        let other = format!("it is of {} in {}", record.incident, record.organization_id);
        return Err(failed(other));
    }
    Ok(Some(record))
}

/// Writes a record, so that it outlasts a crash.
///
/// # Errors
/// When it can't be written.
pub fn write_record(store: &Store, record: &ClosingRecord) -> Result<(), String> {
    let path = path(store, &record.incident);
    let written = serde_json::to_vec_pretty(record)
        .map_err(io::Error::from)
        .and_then(|mut text| {
            text.push(b'\n');
            write_durably(&path, &text)
        });
    written.map_err(|error| format!("failed to write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_again_by_its_incident() {
        let folder = tempfile::tempdir().unwrap();
        for (incident, file) in [
            ("INC-1", "INC-1.closing.json"),
            ("../SEC/2", "%2E%2E%2FSEC%2F2.closing.json"),
        ] {
            let mut record = ClosingRecord::new("o-exampleorg1", incident, Timestamp::UNIX_EPOCH);
            record.cutoff = Some(Timestamp::MAX);
            let store = Store::open(folder.path(), false).unwrap();
            write_record(&store, &record).unwrap();
            assert!(folder.path().join(file).exists());
            let read = |organization: &str| read_record(&store, organization, incident);
            assert_eq!(read("o-exampleorg1"), Ok(Some(record)));
            assert!(read("o-another1234").is_err());
            fs::write(folder.path().join(file), "{}").unwrap();
            assert!(read("o-exampleorg1").is_err());
            drop(store);
            let rehearsal = Store::open(folder.path(), true).unwrap();
            assert_eq!(read_record(&rehearsal, "o-exampleorg1", incident), Ok(None));
        }
    }
}
