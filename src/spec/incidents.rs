//! The record of incidents, which uses are matched with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::problem::Problem;
use super::records::{Entries, optional_time, time};
use super::types::Spec;
use crate::ids::AccountId;
use crate::state::ROOT_USER;

/// Describes an incident as the record tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentRecord {
    /// Its id, as it is written into session names; unique whatever its case.
    pub id: String,
    /// When it was opened.
    #[serde(deserialize_with = "time")]
    pub opened: Timestamp,
    /// When it was closed; absent while it is open.
    #[serde(default, deserialize_with = "optional_time")]
    pub closed: Option<Timestamp>,
    /// The accounts it is about; any when absent.
    #[serde(default)]
    pub accounts: Option<Vec<AccountId>>,
    /// The roles that may be used for it, by name; any when absent.
    #[serde(default)]
    pub roles: Option<Vec<String>>,
    /// The users that may be used for it, by name; any when absent.
    #[serde(default)]
    pub users: Option<Vec<String>>,
    /// When the credentials used for it were reset.
    #[serde(default, deserialize_with = "optional_time")]
    pub reset_at: Option<Timestamp>,
}

/// Finds what is wrong with a record beyond its types.
pub(super) fn check(spec: &Spec, entries: &Entries<IncidentRecord>, problems: &mut Vec<Problem>) {
    unknown_names(spec, entries, problems);
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    let mut report = |index: usize, key: &str, message: String, hint: &str| {
        if let Some(place) = entries.place(index, key) {
            problems.push(Problem::error(place, message).hint(hint));
        }
    };
    for (index, incident) in entries.values.iter().enumerate() {
        let id = &incident.id;
        let fits = (2..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
        if !fits {
            report(
                index,
                "id",
                format!("{id:?} can't be part of a session name"),
                "use 2 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -",
            );
        }
        if first.insert(id.to_ascii_lowercase(), index).is_some() {
            let message = format!("the incident {id} is there twice");
            report(index, "id", message, "keep one of them");
        }
        for (key, time) in [("closed", incident.closed), ("reset_at", incident.reset_at)] {
            if time.is_some_and(|time| time < incident.opened) {
                let message = format!("{key} is before the incident was opened");
                report(index, key, message, "correct one of the two times");
            }
        }
        let empty = [
            ("accounts", incident.accounts.as_ref().map(Vec::len)),
            ("roles", incident.roles.as_ref().map(Vec::len)),
            ("users", incident.users.as_ref().map(Vec::len)),
        ];
        for (key, _) in empty.into_iter().filter(|(_, length)| *length == Some(0)) {
            let message = format!("the list of {key} is empty, so that no use could belong to it");
            report(index, key, message, "leave the key out to mean any");
        }
    }
}

/// Warns of roles and users that the spec does not have: they may have left it since, or be mistyped.
fn unknown_names(spec: &Spec, entries: &Entries<IncidentRecord>, problems: &mut Vec<Problem>) {
    let roles = spec.roles().iter().map(|role| role.name.as_str());
    let users = spec.users().iter().map(|user| user.name.as_str());
    let roles: BTreeSet<&str> = roles.collect();
    let users: BTreeSet<&str> = users.chain([ROOT_USER]).collect();
    for (index, incident) in entries.values.iter().enumerate() {
        for (key, named, known) in [
            ("roles", &incident.roles, &roles),
            ("users", &incident.users, &users),
        ] {
            let unknown = named
                .iter()
                .flatten()
                .filter(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name)));
            for name in unknown {
                let message = format!("the spec has no {} {name:?}", key.trim_end_matches('s'));
                problems.extend(entries.place(index, key).map(|place| {
                    Problem::warning(place, message)
                        .hint("correct the name, unless it left the spec since")
                }));
            }
        }
    }
}
