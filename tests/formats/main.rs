//! The formats for other programs, held against their public schemas by outside validators, at 1, 50 and 5,000 accounts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "../support/python.rs"]
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use breakglass::plan::{Plan, Unreadable, parse_plan};
use serde_json::Value;

use python::python;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What GitHub takes of a comment, in characters.
const COMMENT: usize = 65_536;
/// What code scanning takes of a SARIF file once it is packed; these are not.
const SARIF: usize = 10 << 20;
/// What a step shows of each kind of annotation.
const ANNOTATIONS: usize = 10;

fn breakglass(arguments: &[&str], code: i32) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_breakglass"))
        .args(arguments)
        .current_dir(Path::new(ROOT).join("examples/acme"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The drift of the example organization, its changes one after the other in as many accounts as are asked for.
fn drift(accounts: usize) -> Plan {
    let live = ["drift", "--org", "org-unreadable.json", "--format", "json"];
    let mut plan = parse_plan(&breakglass(&live, 3)).unwrap();
    let changes = std::mem::take(&mut plan.changes);
    let unreadable = std::mem::take(&mut plan.unreadable);
    for number in 0..accounts {
        let id = (700_000_000_000 + number).to_string();
        let change = &changes[number % changes.len()];
        let text = serde_json::to_string(change).unwrap();
        let text = text.replace(change.account.as_str(), &id);
        plan.changes.push(serde_json::from_str(&text).unwrap());
        if number % 100 == 0 {
            let account = id.parse().unwrap();
            plan.unreadable.push(Unreadable {
                account,
                ..unreadable[0].clone()
            });
        }
    }
    plan.digest = plan.compute_digest();
    plan
}

/// The same drift of 1, 50 and 5,000 accounts in all formats, as `show` writes them of the saved reports: files named by
/// their formats.
static SHOWN: LazyLock<Vec<(usize, PathBuf)>> = LazyLock::new(|| {
    let shown = [1, 50, 5_000].map(|accounts| {
        let folder = format!("{}/formats-{accounts}", env!("CARGO_TARGET_TMPDIR"));
        let folder = PathBuf::from(folder);
        fs::create_dir_all(&folder).unwrap();
        let path = |name: &str| folder.join(name).display().to_string();
        fs::write(path("json"), serde_json::to_vec(&drift(accounts)).unwrap()).unwrap();
        let formats = ["sarif", "junit", "github", "markdown", "ndjson"];
        let reports = formats.map(|format| format!("--report={format}={}", path(format)));
        let mut arguments = vec!["show".to_owned(), path("json")];
        arguments.extend(reports);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        breakglass(&arguments, 0);
        (accounts, folder)
    });
    shown.into()
});

/// The drift of each number of accounts in a format.
fn shown(format: &str) -> impl Iterator<Item = (usize, String)> {
    let read = move |folder: &Path| fs::read_to_string(folder.join(format)).unwrap();
    SHOWN
        .iter()
        .map(move |(accounts, folder)| (*accounts, read(folder)))
}

#[test]
fn sarif_is_valid_by_the_schema_of_oasis() {
    let schema = include_str!("../../src/report/tests/sarif-2.1.0.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    for (accounts, text) in shown("sarif") {
        assert!(text.len() < SARIF, "{} bytes", text.len());
        let log: Value = serde_json::from_str(&text).unwrap();
        let errors = validator.iter_errors(&log);
        let errors: Vec<String> = errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new());
        let results = log["runs"][0]["results"].as_array().unwrap().len();
        assert_eq!(results, accounts + accounts.div_ceil(100));
    }
}

#[test]
fn junit_is_valid_by_the_schema_of_jenkins() {
    let own = Path::new(ROOT).join("tests/formats");
    let reports = SHOWN.iter().map(|(_, folder)| folder.join("junit"));
    let output = Command::new(python())
        .arg(own.join("junit.py"))
        .arg(own.join("junit-10.xsd"))
        .args(reports)
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "{}: {error}; run `make test`, which installs it",
                python().display()
            )
        });
    assert!(output.status.success(), "{output:?}");
    let valid = String::from_utf8_lossy(&output.stdout)
        .matches("is valid")
        .count();
    assert_eq!(valid, SHOWN.len());
}

#[test]
fn annotations_and_comments_stay_within_what_github_takes() {
    for (_, annotations) in shown("github") {
        for kind in ["error", "warning", "notice"] {
            let command = format!("::{kind} ");
            let count = annotations
                .lines()
                .filter(|line| line.starts_with(&command))
                .count();
            assert!(count <= ANNOTATIONS, "{count} of {kind}");
        }
    }
    for (_, comment) in shown("markdown") {
        assert!(comment.chars().count() < COMMENT);
    }
}

#[test]
fn each_line_of_a_stream_is_valid_by_its_schema() {
    let schema = breakglass(&["schema", "ndjson"], 0);
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for (_, stream) in shown("ndjson") {
        for line in stream.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            assert!(validator.is_valid(&event), "{event}");
        }
    }
}
