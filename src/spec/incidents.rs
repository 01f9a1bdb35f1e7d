//! The record of incidents, a file of its own that people keep beside the spec.

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::load::{LoadError, Loaded, read_inside};
use super::node::Builder;
use super::problem::{At, Problem, Severity};
use super::source::{SourceMap, element, entry};
use super::types::{AccountSelector, Spec};
use super::{decode, documents};

/// Records an incident in which break-glass is used.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentRecord {
    /// Its id, such as `INC-42`.
    pub id: String,
    /// When it was opened.
    #[schemars(with = "String")]
    pub opened: Timestamp,
    /// When it was closed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub closed: Option<Timestamp>,
    /// The accounts that it is about, by selectors; every one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Vec<AccountSelector>>,
    /// The roles that were used in it, by name; every one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The users that were used in it, by name; every one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<String>>,
    /// When passwords were set anew and sessions ended after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub reset_at: Option<Timestamp>,
}

/// Reads and checks the record of incidents that a spec names.
///
/// # Errors
/// [`LoadError`] with every problem: the spec names none, the file can't be read, or an entry is wrong.
pub fn load_incidents(loaded: &Loaded) -> Result<Vec<IncidentRecord>, LoadError> {
    let missing = |problem| LoadError {
        problems: vec![problem],
        sources: loaded.sources.clone(),
    };
    let Some(section) = &loaded.spec.incidents else {
        let problem = Problem::error(At::Nowhere, "the spec names no record of incidents");
        return Err(missing(problem.hint(
            "add incidents: { file: incidents.yaml }, a list of { id, opened, … }",
        )));
    };
    let read = |spec_file: &str, file: &str| read_inside(Path::new(spec_file), file);
    let at = entry("incidents", "file");
    let text = documents::read_beside(&at, &section.file, &loaded.sources, &read);
    parse(&loaded.spec, &section.file, &text.map_err(missing)?)
}

fn parse(spec: &Spec, name: &str, text: &str) -> Result<Vec<IncidentRecord>, LoadError> {
    let mut sources = SourceMap::default();
    let mut problems = Vec::new();
    let file = sources.add(name, text.to_owned());
    let root = Builder::default().parse(file, text, &mut problems);
    let mut records: Option<Vec<IncidentRecord>> = None;
    if let Some(root) = root {
        records = decode::decode(&root, &mut problems);
        sources.set_root(root);
    }
    for (index, record) in records.iter().flatten().enumerate() {
        check(spec, index, record, &mut problems);
    }
    let ids = records.iter().flatten().enumerate();
    for (index, record) in ids.clone() {
        if ids
            .clone()
            .take(index)
            .any(|(_, earlier)| earlier.id == record.id)
        {
            let at = entry(&element("", index), "id");
            problems.push(Problem::error(
                at,
                format!("{:?} is recorded twice", record.id),
            ));
        }
    }
    match records {
        Some(records) if problems.iter().all(|one| one.severity == Severity::Warning) => {
            Ok(records)
        }
        _ => Err(LoadError { problems, sources }),
    }
}

fn check(spec: &Spec, index: usize, record: &IncidentRecord, problems: &mut Vec<Problem>) {
    let at = element("", index);
    if record.id.trim().is_empty() {
        problems.push(Problem::error(entry(&at, "id"), "the id is empty"));
    }
    let roles: Vec<&str> = spec.roles().iter().map(|role| role.name.as_str()).collect();
    let users: Vec<&str> = spec.users().iter().map(|user| user.name.as_str()).collect();
    for (key, what, names, known) in [
        ("roles", "role", &record.roles, roles),
        ("users", "user", &record.users, users),
    ] {
        for (number, name) in names.iter().flatten().enumerate() {
            if !known.contains(&name.as_str()) {
                let at = element(&entry(&at, key), number);
                let problem = Problem::error(at, format!("the spec has no {what} {name:?}"));
                let hint = super::validate::did_you_mean(name, known.clone());
                problems.push(problem.hint(hint));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load_texts;

    fn spec() -> Spec {
        let text = r#"
version: 1
organization: { id: o-exampleorg1 }
emergency_account: "222222222222"
users: [{ name: bg-alice, custodians: { password: a, token: b } }]
roles: [{ name: Admin, trusted: ["user:bg-alice"] }]
"#;
        let none = |_: &str, _: &str| Err("no files".to_owned());
        load_texts(vec![("breakglass.yaml".to_owned(), text.to_owned())], &none)
            .unwrap()
            .spec
    }

    #[test]
    fn incidents_are_read() {
        let records = parse(
            &spec(),
            "incidents.yaml",
            "- { id: INC-1, opened: 2026-11-20T08:00:00Z, users: [bg-alice], accounts: [\"111111111111\", \"account:prod-*\"] }\n- { id: INC-2, opened: 2026-11-21T08:00:00+01:00, closed: 2026-11-21T09:00:00Z, roles: [Admin] }\n",
        )
        .unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].accounts.as_ref().unwrap().len(), 2);
        assert_eq!(records[1].opened.to_string(), "2026-11-21T07:00:00Z");
        assert_eq!(parse(&spec(), "incidents.yaml", "[]").unwrap().len(), 0);
    }

    #[test]
    fn every_mistake_is_told_at_its_place() {
        for (text, expected) in [
            ("- { id: INC-1 }", "opened"),
            ("- { id: INC-1, opened: yesterday }", "1:24"),
            (
                "- { id: INC-1, opened: 2026-11-20T08:00:00Z, roles: [Admni] }",
                "1:54",
            ),
            (
                "- { id: INC-1, opened: 2026-11-20T08:00:00Z, users: [eve] }",
                "1:54",
            ),
            ("- { id: \" \", opened: 2026-11-20T08:00:00Z }", "1:9"),
            (
                "- { id: A, opened: 2026-11-20T08:00:00Z }\n- { id: A, opened: 2026-11-20T08:00:00Z }",
                "2:9",
            ),
            (
                "- { id: A, opened: 2026-11-20T08:00:00Z, where: x }",
                "where",
            ),
            ("id: A", "1:1"),
        ] {
            let told = parse(&spec(), "incidents.yaml", text)
                .unwrap_err()
                .render(false);
            assert!(told.contains(expected), "{text}\n{told}");
        }
    }
}
