//! Incidents and drills: what is read, and what is refused at its place.

use super::with;
use crate::spec::{Finding, Records, Severity, load_texts};

const SECTIONS: &str = "incidents: { file: incidents.yaml }\ndrills: { file: drills.yaml }";

fn load(incidents: &str, drills: &str) -> Result<Records, Vec<String>> {
    let read = |_: &str, file: &str| match file {
        "incidents.yaml" => Ok(incidents.to_owned()),
        "drills.yaml" => Ok(drills.to_owned()),
        _ => Err("no such file".to_owned()),
    };
    let files = vec![("breakglass.yaml".to_owned(), with(SECTIONS))];
    match load_texts(files, &read) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                assert!(
                    warning.message.starts_with("the spec has no "),
                    "{warning:?}"
                );
            }
            Ok(loaded.records)
        }
        Err(error) => {
            let tell = |Finding {
                            severity,
                            file,
                            line,
                            column,
                            message,
                            ..
                        }| {
                assert_eq!(severity, Severity::Error);
                let place = format!("{}:{}", line.unwrap(), column.unwrap());
                format!("{}:{place} {message}", file.unwrap())
            };
            let problems = error.problems.iter();
            Err(problems
                .map(|problem| tell(problem.finding(&error.sources)))
                .collect())
        }
    }
}

#[test]
fn records_are_read() {
    let incidents = "
- id: INC-1
  opened: 2026-11-25T02:00:00Z
- { id: INC-2, opened: 2026-11-25T02:00:00+01:00, closed: 2026-11-25T03:00:00Z, accounts: [\"111122223333\"], roles: [Admin], users: [ann], reset_at: 2026-11-25T03:30:00Z }
";
    let drills = "- { role: Admin, account: \"111122223333\", user: ann, at: 2026-11-02 }";
    let records = load(incidents, drills).unwrap();
    assert_eq!(records.incidents.len(), 2);
    let second = &records.incidents[1];
    assert_eq!(second.opened.to_string(), "2026-11-25T01:00:00Z");
    assert_eq!(second.roles, Some(vec!["Admin".to_owned()]));
    assert_eq!(records.drills[0].at.to_string(), "2026-11-02T00:00:00Z");
    assert_eq!(
        load("# none yet\n\n", "").unwrap(),
        Records::default(),
        "an empty record has no entries"
    );
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    let incidents = "- { id: INC-1, opened: 2026-11-25 }
- { id: INC-2, opened: 2026-11-25T02:00:00Z, closed: 2026-11-25T01:00:00Z }
- { id: inc-2, opened: 2026-11-25T02:00:00Z, rolls: [Admin] }
- { id: \"no way\", opened: 2026-11-25T02:00:00Z }";
    assert_eq!(
        load(incidents, "[]").unwrap_err(),
        [
            "incidents.yaml:1:24 \"2026-11-25\" is not a time",
            "incidents.yaml:3:46 unknown key `rolls`",
        ]
    );
    let incidents = incidents
        .replace("opened: 2026-11-25 }", "opened: 2026-11-25T00:00:00Z }")
        .replace("rolls: [Admin]", "roles: []");
    assert_eq!(
        load(&incidents, "[]").unwrap_err(),
        [
            "incidents.yaml:2:54 closed is before the incident was opened",
            "incidents.yaml:3:9 the incident inc-2 is there twice",
            "incidents.yaml:3:53 the list of roles is empty, so that no use could belong to it",
            "incidents.yaml:4:9 \"no way\" can't be part of a session name",
        ]
    );
    assert_eq!(
        load("{}", "- { role: Admin, account: 1, user: ann, at: soon }").unwrap_err(),
        [
            "incidents.yaml:1:1 expected a list, found a mapping",
            "drills.yaml:1:27 expected text, found the number 1",
            "drills.yaml:1:45 \"soon\" is not a time",
        ]
    );
}
