//! An apply after the merge: only of the plan that the reviewers saw, and found only where nobody else can have put it.

use serde_json::json;

use crate::hub::BOT;
use crate::plan::{change, text};
use crate::runner::Repository;

/// Plans a pull request and merges it.
fn merged() -> (Repository, String, String) {
    let repository = Repository::new();
    let proposed = change(&repository);
    let ran = repository.plan(7, &proposed).run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    let sha = repository.merge(7, &proposed.0);
    (repository, sha, proposed.0)
}

#[test]
fn the_reviewed_plan_is_applied_and_told_of_in_its_pull_request() {
    let (repository, sha, _) = merged();
    let before = repository.read("org.json");
    let ran = repository.apply(&sha).run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert_ne!(repository.read("org.json"), before);
    assert_eq!(ran.outputs["outcome"], "done");
    assert!(
        ran.log.contains(&format!(
            "applying the plan {}, reviewed in #7",
            ran.outputs["digest"]
        )),
        "{}",
        ran.log
    );
    let state = repository.hub.state();
    let bodies: Vec<&str> = state
        .comments_of(7)
        .iter()
        .map(|comment| text(&comment["body"]))
        .collect();
    assert_eq!(bodies.len(), 2);
    assert!(
        bodies[1].starts_with(&format!(
            "<!-- breakglass-action apply breakglass {sha} -->"
        )),
        "{}",
        bodies[1]
    );
    assert!(
        bodies[1].contains("Break-glass apply: done"),
        "{}",
        bodies[1]
    );
}

#[test]
fn live_state_that_moved_since_the_review_stops_the_apply() {
    let (repository, sha, _) = merged();
    repository.edit("org.json", "cloud-operations", "somebody-else");
    let before = repository.read("org.json");
    let ran = repository.apply(&sha).run();
    assert_eq!(ran.code, 4, "{}", ran.log);
    assert_eq!(repository.read("org.json"), before);
    assert!(
        ran.log
            .contains("what would be applied now is not the reviewed plan"),
        "{}",
        ran.log
    );
    assert_eq!(ran.outputs["exit-code"], "4");
    let state = repository.hub.state();
    assert!(text(&state.comments[1]["body"]).contains("Break-glass apply: no result"));
}

#[test]
fn only_the_action_says_what_was_reviewed_and_only_before_the_merge() {
    let (repository, sha, head) = merged();
    let before = repository.read("org.json");
    let kept = repository.hub.state().statuses[0].clone();
    let refused = |said: &str| {
        let ran = repository.apply(&sha).run();
        assert_eq!(ran.code, 4, "{}", ran.log);
        assert!(
            ran.log
                .contains("::error title=breakglass::nothing was applied")
                && ran.log.contains(said),
            "{said}: {}",
            ran.log
        );
        assert_eq!(repository.read("org.json"), before);
    };
    let missing = format!("#7 has no plan of {BOT} for its last commit {head}");
    repository.hub.state().statuses.clear();
    refused(&missing);
    // Somebody else's, of another name, of another commit, or one from after the merge.
    let put = |author: &str, context: &str, sha: &str, at: &str| {
        let mut status = kept.clone();
        (status["creator"], status["context"]) = (json!({ "login": author }), context.into());
        (status["sha"], status["created_at"]) = (sha.into(), at.into());
        repository.hub.state().statuses.push(status);
    };
    let at = text(&kept["created_at"]);
    put("mallory", "breakglass/plan", &head, at);
    put(BOT, "other/plan", &head, at);
    put(BOT, "breakglass/plan", &sha, at);
    put(BOT, "breakglass/plan", &head, "2026-11-26T00:00:00Z");
    refused(&missing);
    // The last plan before the merge counts, whatever came of earlier ones.
    repository.hub.state().statuses = vec![kept.clone()];
    put(BOT, "breakglass/plan", &head, at);
    repository.hub.state().statuses.last_mut().unwrap()["state"] = "failure".into();
    refused("did not succeed before it was merged");
    for description in [
        "digest sha256:00",
        "digest sha256:00; rm -rf /",
        "all is well",
    ] {
        repository.hub.state().statuses = vec![kept.clone()];
        repository.hub.state().statuses[0]["description"] = description.into();
        refused("did not succeed before it was merged");
    }
    // By a commit of its own, a pull request would widen nothing, and no gate would stop it.
    let description = text(&kept["description"]);
    let (digest, _) = description.split_once(" base ").unwrap();
    repository.hub.state().statuses = vec![kept.clone()];
    repository.hub.state().statuses[0]["description"] = format!("{digest} base {head}").into();
    refused("which is not among the commits that it was merged onto");
    repository.hub.state().statuses = vec![kept];
    repository.hub.state().pulls[0]["base"]["ref"] = "other".into();
    refused(&format!("no pull request into main was merged as {sha}"));
    repository.hub.state().pulls[0]["merged_at"] = serde_json::Value::Null;
    repository.hub.state().pulls[0]["base"]["ref"] = "main".into();
    refused(&format!("no pull request into main was merged as {sha}"));
}

#[test]
fn a_person_can_apply_by_hand() {
    let (repository, sha, _) = merged();
    let by_hand = || repository.apply(&sha).on("workflow_dispatch", json!({}));
    let digest = text(&repository.hub.state().statuses[0]["description"])
        .split(' ')
        .nth(1)
        .unwrap()
        .to_owned();
    let other = format!("sha256:{}", "0".repeat(64));
    let ran = by_hand().input("digest", &other).run();
    assert_eq!(ran.code, 4, "{}", ran.log);
    assert_eq!(by_hand().input("digest", "sha256:00").run().code, 1);
    assert_eq!(by_hand().input("pull-request", "8").run().code, 1);
    let elsewhere = by_hand()
        .input("pull-request", "7")
        .variable("GITHUB_REF_NAME", "other");
    assert_eq!(elsewhere.run().code, 4);
    let ran = by_hand()
        .input("pull-request", "7")
        .variable("GITHUB_SHA", &repository.commit("later"))
        .run();
    assert_eq!(
        (ran.code, ran.outputs["outcome"].as_str()),
        (0, "done"),
        "{}",
        ran.log
    );
    // What was applied already is another plan than the one that was reviewed: there is nothing left in it.
    assert_eq!(by_hand().input("digest", &digest).run().code, 4);
}

#[test]
fn a_change_that_widens_access_has_the_digest_it_was_reviewed_by_and_waits_to_be_let_through() {
    let repository = Repository::new();
    repository.edit(
        "breakglass.yaml",
        "trusted: [\"user:bg-bob\", \"user:bg-carol\"]",
        "trusted: [\"user:bg-alice\", \"user:bg-bob\", \"user:bg-carol\"]",
    );
    let proposed = repository.propose();
    let ran = repository.plan(7, &proposed).run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert!(text(&repository.hub.state().comments[0]["body"]).contains("--allow widen"));
    // The main branch moves by something that is not the spec's.
    repository.git(&["checkout", "--quiet", "main"]);
    std::fs::write(repository.path("notes.txt"), "x").unwrap();
    repository.commit("other");
    let sha = repository.merge(7, &proposed.0);
    let ran = repository.apply(&sha).run();
    assert_eq!(ran.code, 5, "{}", ran.log);
    let ran = repository
        .apply(&sha)
        .input("allow", "widen --endpoint-url=http://127.0.0.1:1")
        .run();
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert!(
        ran.log.contains("it must look like widen,removals"),
        "{}",
        ran.log
    );
    let ran = repository.apply(&sha).input("allow", "widen").run();
    assert_eq!(
        (ran.code, ran.outputs["outcome"].as_str()),
        (0, "done"),
        "{}",
        ran.log
    );
}
