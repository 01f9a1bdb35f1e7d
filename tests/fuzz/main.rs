//! Untrusted input, changed at random: specs, plans, snapshots, records, logs and policies never make the tool panic.
//!
//! A few hundred runs each unless `BREAKGLASS_FUZZ_RUNS` says how many (`make fuzz` for a million), from the seed in
//! `BREAKGLASS_FUZZ_SEED`. The targets are cargo-fuzz's, too; see `fuzz/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs
)]

mod mutate;
mod runner;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Further inputs, `TARGET.WHAT.…`: of what the examples lack, and what made a target fail once.
const FURTHER: &str = "tests/fuzz/seeds";

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect();
    files.sort();
    files
}

/// The example's files and those of the tests of commands, each as it is, with those in `seeds`.
fn seeds(target: &str, wanted: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let folders = ["examples/acme", "tests/cmd/files"].map(|folder| Path::new(ROOT).join(folder));
    let all = folders.iter().flat_map(|folder| files(folder));
    let wanted = all.filter(|path| wanted(path.strip_prefix(ROOT).unwrap().to_str().unwrap()));
    let further = files(&Path::new(ROOT).join(FURTHER));
    let further = further.into_iter().filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.split('.').next() == Some(target)
    });
    let seeds: Vec<Vec<u8>> = wanted
        .chain(further)
        .map(|path| fs::read(path).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "{target} has nothing to begin with");
    seeds
}

fn yaml(path: &str) -> bool {
    path.ends_with(".yaml")
}

fn json(path: &str) -> bool {
    path.ends_with(".json")
}

#[test]
fn specs() {
    runner::run("spec", targets::spec, seeds("spec", yaml));
}

/// Plans of everything that the examples can be planned to, with others that are none.
#[test]
fn plans() {
    let folder = tempfile::tempdir().unwrap();
    let mut plans = seeds("plan", |path| path.ends_with("-plan.json"));
    for (spec, org) in [
        ("examples/acme/breakglass.yaml", "examples/acme/org.json"),
        ("tests/cmd/files/people.yaml", "tests/cmd/files/people.json"),
        (
            "tests/cmd/files/guardrails-protection.yaml",
            "tests/cmd/files/guardrails.json",
        ),
        (
            "tests/cmd/files/guardrails-expired.yaml",
            "tests/cmd/files/guardrails-drifted.json",
        ),
        (
            "tests/cmd/files/guarded-changed.yaml",
            "tests/cmd/files/guarded.json",
        ),
        ("tests/cmd/files/adopt.yaml", "tests/cmd/files/adopt.json"),
    ] {
        let out = folder.path().join("plan.json");
        let mut plan = Command::new(env!("CARGO_BIN_EXE_breakglass"));
        plan.current_dir(ROOT).args([
            "plan", "--spec", spec, "--org", org, "--ttl", "36500d", "--out",
        ]);
        let ended = plan.arg(&out).output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        plans.push(fs::read(&out).unwrap());
    }
    runner::run("plan", targets::plan, plans);
}

#[test]
fn snapshots() {
    let small = [
        "people.json",
        "adopt.json",
        "guardrails.json",
        "-snapshot.json",
        "guarded.json",
        "drifted.json",
    ];
    let wanted = |path: &str| small.iter().any(|end| path.ends_with(end));
    runner::run("snapshot", targets::snapshot, seeds("snapshot", wanted));
}

#[test]
fn records() {
    let wanted = |path: &str| path.contains("incidents.yaml") || path.contains("drills.yaml");
    runner::run("records", targets::records, seeds("records", wanted));
}

#[test]
fn logs() {
    let wanted = |path: &str| path.contains("/logs/") || path.ends_with("broken-off.json");
    runner::run("logs", targets::logs, seeds("logs", wanted));
}

#[test]
fn credentials() {
    runner::run(
        "credentials",
        targets::credentials,
        seeds("credentials", |_| false),
    );
}

#[test]
fn policies() {
    let wanted =
        |path: &str| json(path) && (path.contains("/policies/") || path.contains("trust-"));
    let mut documents = seeds("policy", wanted);
    let library = files(&Path::new(ROOT).join("policies"));
    documents.extend(library.iter().map(|path| fs::read(path).unwrap()));
    runner::run("policy", targets::policy, documents);
}

#[test]
fn pairs_of_policies() {
    let pairs = fs::read_to_string(Path::new(ROOT).join("tests/cmd/files/pairs.jsonl")).unwrap();
    let pairs = pairs.lines().map(|line| {
        let pair: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{}\n{}", pair["old"], pair["new"]).into_bytes()
    });
    let mut all = seeds("pair", |_| false);
    all.extend(pairs);
    runner::run("pair", targets::policies, all);
}

#[test]
fn requests() {
    let mut lines = seeds("request", |path| path.ends_with("/request.json"));
    let many = fs::read_to_string(Path::new(ROOT).join("tests/cmd/files/requests.jsonl")).unwrap();
    lines.extend(many.lines().map(|line| line.as_bytes().to_vec()));
    runner::run("request", targets::requests, lines);
}
