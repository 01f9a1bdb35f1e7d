//! Tests of the whole way from text to [`Loaded`]: the contract's example, wrong specs, and texts that mean harm.

mod disk;
mod example;
mod harm;
mod paths;
mod records;
mod refused;
mod wrong;

use super::*;

/// The example of the contract, complete.
const EXAMPLE: &str = include_str!("../../../tests/spec/example.yaml");
const BASELINE: &str = include_str!("../../../tests/spec/policies/break-glass-baseline.json");

/// A spec to which a test adds what it is about.
const SMALL: &str = "\
version: 1
organization: { id: o-exampleorg1 }
emergency_account: \"222233334444\"
";

/// Loads one text; the files it names are those of the example.
fn load_text(text: &str) -> Result<Loaded, LoadError> {
    load_all(&[("breakglass.yaml", text)])
}

fn load_all(files: &[(&str, &str)]) -> Result<Loaded, LoadError> {
    let read = |_: &str, file: &str| match file {
        "policies/break-glass-baseline.json" => Ok(BASELINE.to_owned()),
        "incidents.yaml" | "drills.yaml" => Ok("[]".to_owned()),
        "broken.json" => {
            Ok("{\n  \"Version\": \"2012-10-17\",\n  \"Statment\": []\n}\n".to_owned())
        }
        _ => Err("no such file".to_owned()),
    };
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    load_texts(files.collect(), &read)
}

/// Tells each problem in one line: `error 3:7 message | hint`.
fn told(text: &str) -> Vec<String> {
    let (problems, sources) = match load_text(text) {
        Ok(loaded) => (loaded.warnings, loaded.sources),
        Err(error) => (error.problems, error.sources),
    };
    let tell = |problem: &Problem| {
        let Finding {
            severity,
            line,
            column,
            message,
            hint,
            ..
        } = problem.finding(&sources);
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let (line, column) = (line.unwrap_or_default(), column.unwrap_or_default());
        format!(
            "{severity} {line}:{column} {message} | {}",
            hint.unwrap_or_default()
        )
    };
    problems.iter().map(tell).collect()
}

/// Two users that nothing is wrong with, on lines 4 to 6 of the small spec.
const USERS: &str = "\
users:
  - { name: ann, custodians: { password: a, token: b } }
  - { name: ben, custodians: { password: c, token: d } }
";

/// Adds sections to the small spec, whose three lines come first.
fn with(sections: &str) -> String {
    format!("{SMALL}{sections}")
}

/// A spec with a role whose other keys are given, on lines 7 and following.
fn with_role(keys: &str) -> String {
    format!("{SMALL}{USERS}roles:\n- name: R\n  {keys}\n")
}

/// Checks what is said about a text: each problem begins as expected; ` … ` stands for anything.
fn check(text: &str, expected: &[&str]) {
    let told = told(text);
    assert_eq!(told.len(), expected.len(), "{text}\n{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        let found = expected.split(" … ").try_fold(told.as_str(), |rest, part| {
            rest.find(part).and_then(|at| rest.get(at + part.len()..))
        });
        assert!(
            found.is_some() && told.starts_with(expected.split(" … ").next().unwrap()),
            "{text}\n{told}\nis not\n{expected}"
        );
    }
}
