//! A plan on a pull request: one comment, kept up to date, and a status for the apply to find.

use std::process::Command;

use serde_json::Value;

use crate::hub::{BOT, Fault};
use crate::runner::{ROOT, Repository};

const MARK: &str = "<!-- breakglass-action plan breakglass ";

/// A change of the spec that asks for a longer session.
pub fn change(repository: &Repository) -> (String, String) {
    repository.edit("breakglass.yaml", "max_session: 4h", "max_session: 3h");
    repository.propose()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn fault(call: &'static str, status: u16, headers: &[(&'static str, &'static str)]) -> Fault {
    Fault {
        call,
        status,
        headers: headers.to_vec(),
        works: false,
    }
}

#[test]
fn a_plan_is_one_comment_that_is_updated_in_place() {
    let repository = Repository::new();
    let change = change(&repository);
    let ran = repository.plan(7, &change).run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    {
        let state = repository.hub.state();
        let comments = state.comments_of(7);
        assert_eq!(comments.len(), 1);
        let body = text(&comments[0]["body"]);
        assert!(
            body.starts_with(&format!("{MARK}{} -->\n", change.0)),
            "{body}"
        );
        assert!(
            body.contains("## 🔴 Break-glass plan: review needed"),
            "{body}"
        );
        // The pull request changes what is told as its own, by the base it is merged into.
        assert!(body.contains("this change"), "{body}");
        let status = &state.statuses[0];
        assert_eq!(
            (text(&status["state"]), text(&status["context"])),
            ("success", "breakglass/plan")
        );
        let base = repository.git(&["rev-parse", "main"]);
        let digest = &ran.outputs["digest"];
        assert_eq!(
            text(&status["description"]),
            format!("digest {digest} base {base}")
        );
        assert_eq!(status["sha"], change.0);
        assert!(body.contains(digest.as_str()));
        assert_eq!(ran.outputs["url"], text(&comments[0]["html_url"]));
    }
    assert_eq!(
        (
            ran.outputs["outcome"].as_str(),
            ran.outputs["exit-code"].as_str()
        ),
        ("differences", "0")
    );
    assert!(ran.summary.contains("Break-glass plan: review needed"));
    let saved = std::fs::read_to_string(&ran.outputs["json"]).unwrap();
    assert!(saved.contains(&ran.outputs["digest"]));
    assert!(
        ran.log.contains("\n::notice title=breakglass plan::"),
        "{}",
        ran.log
    );

    let other = (repository.git(&["rev-parse", "main"]), change.1);
    let again = repository.plan(7, &other).run();
    assert_eq!(again.code, 0, "{}", again.log);
    let state = repository.hub.state();
    assert_eq!(state.comments_of(7).len(), 1);
    assert!(text(&state.comments[0]["body"]).starts_with(&format!("{MARK}{} -->\n", other.0)));
}

#[test]
fn the_comment_is_found_on_a_later_page_and_look_alikes_are_left_alone() {
    let repository = Repository::new();
    let change = change(&repository);
    {
        let mut state = repository.hub.state();
        state.comment(7, "mallory", &format!("{MARK}x -->\nall is well"));
        for _ in 0..120 {
            state.comment(7, BOT, "something else");
        }
        state.comment(
            7,
            BOT,
            "<!-- breakglass-action plan breakglass.other x -->\nof another name",
        );
        state.comment(7, BOT, &format!("{MARK}old -->\nold"));
    }
    let ran = repository.plan(7, &change).run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    let state = repository.hub.state();
    let comments = state.comments_of(7);
    assert_eq!(comments.len(), 123);
    assert!(text(&comments[0]["body"]).ends_with("all is well"));
    assert!(text(&comments[121]["body"]).ends_with("of another name"));
    assert!(text(&comments[122]["body"]).contains("review needed"));
}

#[test]
fn a_token_that_only_reads_leaves_the_summary_and_is_no_failure() {
    let repository = Repository::new();
    let change = change(&repository);
    repository.hub.state().read_only = true;
    let ran = repository.plan(7, &change).run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert!(
        ran.log
            .contains("::notice title=breakglass::the token may not do this"),
        "{}",
        ran.log
    );
    assert!(ran.summary.contains("review needed"));
    assert_eq!(ran.outputs["outcome"], "differences");
    let state = repository.hub.state();
    assert_eq!(
        state
            .calls
            .iter()
            .filter(|call| call.starts_with("POST"))
            .count(),
        1,
        "{:?}",
        state.calls
    );
}

#[test]
fn what_passes_is_tried_again_and_nothing_is_written_twice() {
    let repository = Repository::new();
    let change = change(&repository);
    let post = "POST /issues/7/comments";
    repository.hub.state().faults.extend([
        fault("GET /issues/7/comments", 502, &[("retry-after", "0")]),
        // Made, but the answer is lost.
        Fault {
            works: true,
            ..fault(post, 502, &[("retry-after", "0")])
        },
        fault("PATCH /issues/comments/", 403, &[("retry-after", "0")]),
        fault("PATCH /issues/comments/", 429, &[("retry-after", "0")]),
        fault(
            "POST /statuses/",
            403,
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")],
        ),
        fault("POST /statuses/", 503, &[]),
    ]);
    let ran = repository.plan(7, &change).run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    let state = repository.hub.state();
    assert!(state.faults.is_empty(), "{:?}", state.faults);
    assert_eq!((state.comments.len(), state.statuses.len()), (1, 1));
    assert_eq!(state.calls.iter().filter(|call| *call == post).count(), 1);
}

#[test]
fn a_result_that_can_not_be_told_is_a_failure_and_pins_nothing() {
    let repository = Repository::new();
    let change = change(&repository);
    repository
        .hub
        .state()
        .faults
        .push_back(fault("GET /issues/7/comments", 422, &[]));
    let ran = repository.plan(7, &change).run();
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert!(
        ran.log
            .contains("::error title=breakglass::the result could not be told"),
        "{}",
        ran.log
    );
    assert!(repository.hub.state().statuses.is_empty());

    // A wait that is longer than a job should be is not waited.
    let limit = fault("GET /issues/7/comments", 403, &[("retry-after", "3600")]);
    repository.hub.state().faults.push_back(limit);
    let ran = repository.plan(7, &change).run();
    assert_eq!(ran.code, 1, "{}", ran.log);

    let ran = repository
        .plan(7, &change)
        .input("author", "access-bot[bot]")
        .run();
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert!(
        ran.log
            .contains("the token is that of 'github-actions[bot]'"),
        "{}",
        ran.log
    );
}

#[test]
fn a_spec_with_an_error_replaces_the_plan_and_unpins_it() {
    let repository = Repository::new();
    let first = change(&repository);
    assert_eq!(repository.plan(7, &first).run().code, 0);
    repository.edit("breakglass.yaml", "max_session: 3h", "max_sesion: 3h");
    let ran = repository.plan(7, &first).run();
    assert_eq!(ran.code, 65, "{}", ran.log);
    let state = repository.hub.state();
    assert_eq!(state.comments.len(), 1);
    let body = text(&state.comments[0]["body"]);
    assert!(
        body.contains("## ❌ Break-glass plan: no result\n\nExit code 65: the spec is wrong"),
        "{body}"
    );
    assert!(
        body.contains("```text\nerror: unknown key `max_sesion`"),
        "{body}"
    );
    let status = state.statuses.last().unwrap();
    assert_eq!(
        (text(&status["state"]), text(&status["description"])),
        ("failure", "no plan that can be applied: exit code 65")
    );
    assert!(ran.summary.contains("no result"));
    assert_eq!(
        (
            ran.outputs["outcome"].as_str(),
            ran.outputs["json"].as_str()
        ),
        ("failed", "")
    );
}

#[test]
fn what_could_not_be_read_fails_and_can_not_be_applied() {
    let repository = Repository::new();
    let change = change(&repository);
    let ran = repository
        .plan(7, &change)
        .input("args", "--org org-unreadable.json")
        .run();
    assert_eq!(ran.code, 3, "{}", ran.log);
    let state = repository.hub.state();
    assert!(text(&state.comments[0]["body"]).contains("Break-glass plan: incomplete"));
    assert_eq!(text(&state.statuses[0]["state"]), "failure");
    assert_eq!(ran.outputs["outcome"], "incomplete");
}

/// Bodies at their limits: characters beyond the basic plane count as two.
const BODIES: &str = r"
import sys
sys.path.insert(0, 'action')
import texts
mark, last = texts.mark('plan', 'x' * 60, 'a' * 64), 'For commit, from ' + 'y' * 200
fits = texts.body(mark, chr(0x1F534) * 32_500, last)
assert chr(0x1F534) in fits and texts.size(fits) <= texts.MOST, texts.size(fits)
cut = texts.body(mark, chr(0x1F534) * 33_000, last)
assert cut.startswith(mark) and 'in the summary of the run' in cut, cut
said = texts.failure('plan', 1, 'z' * 70_000 + chr(27) + '[31m' + '`' * 5 + chr(0x202E) + '\n```')
assert texts.size(said) < 21_000, texts.size(said)
assert '`' * 6 + 'text' in said and chr(27) not in said and chr(0x202E) not in said, said[-200:]
";

#[test]
fn a_comment_always_fits() {
    let python = Command::new("python3")
        .args(["-B", "-c", BODIES])
        .current_dir(ROOT)
        .output();
    let output = python.unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// What of a Markdown text is read as Markdown: neither in a fence nor in back-ticks.
fn outside_of_code(text: &str) -> String {
    let blocks = text.split("\n```").step_by(2);
    let lines = blocks.flat_map(str::lines);
    lines
        .map(|line| line.split('`').step_by(2).collect::<String>() + "\n")
        .collect()
}

#[test]
fn names_that_want_to_be_more_are_shown_as_they_are() {
    let repository = Repository::new();
    let change = change(&repository);
    let hostile = "x</details> @everyone <!-- breakglass-action plan breakglass y -->\\n::error::z";
    repository.edit(
        "org.json",
        "\"cloud-operations\"",
        &format!("\"{hostile}\""),
    );
    repository.edit(
        "org.json",
        "payments-prod",
        "@everyone ](x) `::stop-commands::a",
    );
    let ran = repository.plan(7, &change).run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    let state = repository.hub.state();
    let body = text(&state.comments[0]["body"]);
    let shown = outside_of_code(body);
    for text in ["@everyone", "x</details>", "](x)"] {
        assert!(!shown.contains(text), "{text}: {shown}");
    }
    assert_eq!(shown.matches("<!-- breakglass-action").count(), 1);
    // Whatever stands in the log between these two is no command.
    let (_, rest) = ran.log.split_once("::stop-commands::").unwrap();
    let (end, rest) = rest.split_once('\n').unwrap();
    assert!(rest.contains(&format!("\n::{end}::\n")));
    let (shown, after) = rest.split_once(&format!("\n::{end}::\n")).unwrap();
    assert!(shown.contains("@everyone"));
    assert!(
        !after.contains("\n::error::z") && !after.contains("\n::stop-commands"),
        "{after}"
    );
}

#[test]
fn inputs_are_words_and_never_code() {
    let repository = Repository::new();
    let change = change(&repository);
    for (name, value, said) in [
        (
            "args",
            "--org org.json --account '$(touch pwned)'",
            "exit code 64",
        ),
        ("args", "--org org.json 'unclosed", "can't be split"),
        (
            "args",
            "--org org.json --format=json",
            "has --format, which the action sets itself",
        ),
        ("name", "a-->", "the input name is 'a-->'"),
        ("name", "a--b", "the input name is"),
        (
            "command",
            "plan; touch pwned",
            "it must be one of plan, apply, drift, verify, usage",
        ),
        ("binary", "./no such", "can't be run"),
        ("working-directory", "no-such", "can't be run"),
    ] {
        let ran = repository.plan(7, &change).input(name, value).run();
        assert_ne!(ran.code, 0, "{value}");
        let told = repository
            .hub
            .state()
            .statuses
            .last()
            .map_or(String::new(), |status| {
                text(&status["description"]).to_owned()
            });
        assert!(
            ran.log.contains(said) || told.ends_with(said),
            "{value}: {}",
            ran.log
        );
    }
    assert!(!repository.path("pwned").exists());
    let ran = repository
        .plan(7, &change)
        .input("publish", "none")
        .input("name", "team/prod-1")
        .run();
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert!(
        repository
            .hub
            .state()
            .comments
            .iter()
            .all(|comment| !text(&comment["body"]).contains("team/prod-1"))
    );
}
