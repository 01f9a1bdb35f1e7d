//! A check on a schedule: one issue, opened when something is found, and closed when nothing is left.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::hub::{BOT, Fault};
use crate::plan::text;
use crate::runner::{Action, BINARY, Repository, root};

/// A check of what an apply can make right.
fn drift(repository: &Repository) -> Action<'_> {
    let action = repository.action("drift").on("schedule", json!({}));
    action.input("args", "--org org.json --resource 'iam_role/*'")
}

fn states(repository: &Repository) -> Vec<String> {
    repository
        .hub
        .state()
        .issues
        .iter()
        .map(|issue| text(&issue["state"]).to_owned())
        .collect()
}

fn said(repository: &Repository) -> Vec<String> {
    repository
        .hub
        .state()
        .comments
        .iter()
        .map(|comment| text(&comment["body"]).to_owned())
        .collect()
}

#[test]
fn drift_is_one_issue_that_lives_as_long_as_the_drift() {
    let repository = Repository::new();
    // Somebody's own, with the same label and the same look.
    let foreign = json!({ "title": "x", "body": "<!-- breakglass-action drift breakglass x -->\nmine", "labels": ["breakglass"] });
    repository.hub.state().issue("mallory", &foreign);

    let ran = drift(&repository).run();
    assert_eq!(
        (ran.code, ran.outputs["outcome"].as_str()),
        (2, "differences"),
        "{}",
        ran.log
    );
    assert_eq!(states(&repository), ["open", "open"]);
    {
        let state = repository.hub.state();
        let body = text(&state.issues[1]["body"]);
        assert!(
            body.contains("Break-glass drift: live differs from the spec"),
            "{body}"
        );
        assert_eq!(state.issues[1]["labels"], json!([{ "name": "breakglass" }]));
        assert_eq!(ran.outputs["url"], text(&state.issues[1]["html_url"]));
    }

    // The same again is no news.
    assert_eq!(drift(&repository).run().code, 2);
    assert!(said(&repository).is_empty());
    repository.edit("org.json", "cloud-operations", "somebody-else");
    assert_eq!(drift(&repository).run().code, 2);
    assert_eq!(said(&repository).len(), 1);
    assert!(text(&repository.hub.state().issues[1]["body"]).contains("somebody-else"));

    // What could not be read closes nothing, and neither does a spec with an error.
    let readable = repository.read("org.json");
    std::fs::write(
        repository.path("org.json"),
        repository.read("org-unreadable.json"),
    )
    .unwrap();
    let ran = drift(&repository).run();
    assert_eq!(
        (ran.code, ran.outputs["outcome"].as_str()),
        (3, "incomplete"),
        "{}",
        ran.log
    );
    assert!(
        text(&repository.hub.state().issues[1]["body"]).contains("Break-glass drift: incomplete")
    );
    std::fs::write(repository.path("org.json"), "{").unwrap();
    assert_eq!(drift(&repository).run().code, 1);
    assert!(
        text(&repository.hub.state().issues[1]["body"]).contains("Break-glass drift: no result")
    );
    assert_eq!(states(&repository), ["open", "open"]);

    std::fs::write(repository.path("org.json"), clean(&readable)).unwrap();
    let ran = drift(&repository).run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert_eq!(states(&repository), ["open", "closed"]);
    assert!(
        said(&repository)
            .last()
            .unwrap()
            .starts_with("There is nothing to report any more")
    );
    // Once is enough.
    let count = said(&repository).len();
    assert_eq!(drift(&repository).run().code, 0);
    assert_eq!(said(&repository).len(), count);

    std::fs::write(repository.path("org.json"), readable).unwrap();
    let action = drift(&repository).input("fail-on-differences", "false");
    let ran = action.run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert_eq!(states(&repository), ["open", "open"]);
    let state = repository.hub.state();
    assert_eq!(state.issues.len(), 2);
    assert!(text(&state.issues[0]["body"]).ends_with("mine"));
}

/// Live state after an apply.
fn clean(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("org.json");
    std::fs::write(&path, text).unwrap();
    let applied = Command::new(BINARY)
        .args(["apply", "--yes", "--org"])
        .args([
            &path,
            Path::new("--spec"),
            &root("examples/acme/breakglass.yaml"),
        ])
        .output()
        .unwrap();
    assert!(applied.status.success(), "{applied:?}");
    std::fs::read_to_string(&path).unwrap()
}

#[test]
fn an_issue_is_not_opened_twice_and_needs_its_label() {
    let repository = Repository::new();
    let lost = Fault {
        call: "POST /issues",
        status: 500,
        headers: vec![("retry-after", "0")],
        works: true,
    };
    repository.hub.state().faults.push_back(lost);
    assert_eq!(drift(&repository).run().code, 2);
    assert_eq!(states(&repository), ["open"]);
    // Of another name it is another issue.
    let ran = drift(&repository).input("name", "breakglass-2").run();
    assert_eq!(ran.code, 2, "{}", ran.log);
    assert_eq!(states(&repository), ["open", "open"]);
    assert_eq!(repository.hub.state().issues[1]["user"]["login"], BOT);
}

#[test]
fn a_check_of_a_pull_request_is_a_comment() {
    let repository = Repository::new();
    let event = json!({ "pull_request": { "number": 9, "head": { "sha": "a".repeat(40) }, "base": { "sha": "b".repeat(40) } } });
    let ran = repository.action("verify").on("pull_request", event).run();
    // The example's snapshot was taken without SCPs.
    assert_eq!(ran.code, 3, "{}", ran.log);
    let state = repository.hub.state();
    assert_eq!(
        (
            state.comments_of(9).len(),
            state.issues.len(),
            state.statuses.len()
        ),
        (1, 0, 0)
    );
}

#[test]
fn a_use_that_was_found_stays_found() {
    let repository = Repository::new();
    let logs = root("tests/cmd/files/logs");
    let usage = |args: &str| {
        let args = format!("--log {} {args}", logs.display());
        let action = repository.action("usage").on("schedule", json!({}));
        action.input("args", &args).run()
    };
    let ran = usage("");
    assert_eq!(ran.code, 2, "{}", ran.log);
    assert_eq!(usage("").code, 2);
    assert!(said(&repository).is_empty());
    let first = repository.hub.state().issues[0]["body"].clone();
    // Another span has another finding, or none.
    let ran = usage("--until 2026-11-25T02:20:00Z");
    assert_eq!(ran.code, 2, "{}", ran.log);
    let ran = usage("--until 2020-01-01T00:00:00Z");
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert_eq!(states(&repository), ["open"]);
    assert_eq!(repository.hub.state().issues[0]["body"], first);
    assert_eq!(said(&repository).len(), 1);
    // A person closes it; what is found then is another.
    repository.hub.state().issues[0]["state"] = "closed".into();
    assert_eq!(usage("").code, 2);
    assert_eq!(states(&repository), ["closed", "open"]);
}
