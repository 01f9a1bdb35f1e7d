//! Saved reports are told again as they were told at first.

use std::fs;
use std::process::Output;

use super::Sandbox;

/// Saves the report of a command, and tells it again from the JSON.
fn told_again(sandbox: &Sandbox, arguments: &[&str], kind: &str) {
    const FORMATS: [&str; 3] = ["json", "markdown", "text"];
    let mut first = arguments.to_vec();
    let files = FORMATS.map(|format| format!("{format}=report.{format}"));
    first.extend(files.iter().flat_map(|file| ["--report", file.as_str()]));
    sandbox.run(&first);
    let again = |format: &str| -> Output {
        let output = sandbox.run(&["show", "report.json", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{kind}: {output:?}");
        output
    };
    for format in FORMATS {
        let saved = fs::read_to_string(sandbox.acme().join(format!("report.{format}"))).unwrap();
        let told = String::from_utf8(again(format).stdout).unwrap();
        assert_eq!(told, saved, "{kind} as {format}");
    }
    let stream = String::from_utf8(again("ndjson").stdout).unwrap();
    let opening = stream.lines().next().unwrap();
    assert!(
        opening.contains(&format!("\"kind\":\"{kind}\"")),
        "{opening}"
    );
    for format in ["sarif", "junit", "github", "step-summary"] {
        assert!(!again(format).stdout.is_empty(), "{kind} as {format}");
    }
}

#[test]
fn every_report_is_told_again_as_it_was() {
    let sandbox = Sandbox::new();
    let guarded = ["--spec", "guarded.yaml", "--org", "guarded.json"];
    told_again(&sandbox, &["plan", "--org", "org-unreadable.json"], "plan");
    told_again(&sandbox, &["drift", "--org", "org.json"], "drift");
    told_again(&sandbox, &[&["verify"][..], &guarded].concat(), "verify");
    told_again(
        &sandbox,
        &["usage", "--log", "logs", "--log", "broken-off.json"],
        "usage",
    );
    told_again(
        &sandbox,
        &[
            "apply",
            "--account",
            "network",
            "--org",
            "org.json",
            "--yes",
        ],
        "apply",
    );
    told_again(
        &sandbox,
        &["close", "INC-42", "--org", "org.json", "--yes"],
        "close",
    );
}

/// A drill takes AWS, so this is a report of one as it is written.
const DRILL: &str = r#"{
  "format_version": "1.0",
  "kind": "alerts-test",
  "organization_id": "o-acme1example",
  "drill": "breakglass-drill-1",
  "created_at": "2026-11-25T02:10:00Z",
  "outcome": "missing",
  "rules": [
    {
      "account": "200000000009",
      "account_name": "web-prod",
      "region": "us-east-1",
      "rule": "break-glass-assume",
      "status": "not_seen"
    }
  ],
  "on_the_bus": 0,
  "published": 0,
  "to_ask": [
    "email:soc@example.com"
  ],
  "unreadable": []
}
"#;

#[test]
fn a_drill_is_told_again() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.acme().join("drill.json"), DRILL).unwrap();
    let arguments = ["show", "drill.json", "--format"];
    assert_eq!(sandbox.stdout(&[&arguments[..], &["json"]].concat()), DRILL);
    for format in ["text", "markdown", "ndjson", "sarif", "junit", "github"] {
        let told = sandbox.stdout(&[&arguments[..], &[format]].concat());
        assert!(told.contains("break-glass-assume"), "{format}: {told}");
    }
}

#[test]
fn a_report_of_another_version_is_refused_with_the_next_step() {
    let sandbox = Sandbox::new();
    let path = sandbox.acme().join("report.json");
    for kind in ["apply", "verify", "usage", "close", "alerts-test"] {
        fs::write(
            &path,
            format!(r#"{{"kind": "{kind}", "format_version": "2.0"}}"#),
        )
        .unwrap();
        let output = sandbox.run(&["show", "report.json"]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("use a newer breakglass"), "{kind}: {told}");
        assert!(output.stdout.is_empty(), "{kind}");
    }
}
