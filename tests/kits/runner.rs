//! Runs the action as GitHub's runner does: the steps of `action.yml`, with their expressions, in a repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::hub::{Hub, REPOSITORY, TOKEN};

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");
pub const BINARY: &str = env!("CARGO_BIN_EXE_breakglass");

pub fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

pub fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(root(path)).unwrap()).unwrap()
}

/// A repository with the example's spec, its live state beside it, and the API it is on.
pub struct Repository {
    pub hub: Hub,
    folder: TempDir,
}

impl Repository {
    pub fn new() -> Self {
        let repository = Self {
            hub: Hub::start(),
            folder: tempfile::tempdir().unwrap(),
        };
        copy(&root("examples/acme"), &repository.work());
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.commit("base");
        repository
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces a text in a file that holds it.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let identity = [
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.com",
            "-c",
            "commit.gpgsign=false",
        ];
        let output = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(self.work())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits everything but live state and returns the commit.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all", ":!org.json"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Puts the work tree's changes onto a branch, and checks out its merge, as a workflow for a pull request does.
    pub fn propose(&self) -> (String, String) {
        self.git(&["checkout", "--quiet", "-b", "change"]);
        let head = self.commit("change");
        self.git(&["checkout", "--quiet", "--detach", "main"]);
        self.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "change"]);
        (head, self.git(&["rev-parse", "HEAD"]))
    }

    /// Merges the branch by squashing it, and returns the commit that this makes.
    pub fn merge(&self, number: u64, head: &str) -> String {
        self.git(&["checkout", "--quiet", "main"]);
        self.git(&["merge", "--quiet", "--squash", "change"]);
        let merged_as = self.commit("squashed");
        self.hub.state().merge(number, head, &merged_as);
        merged_as
    }

    /// A use of the action for a command.
    pub fn action(&self, command: &str) -> Action<'_> {
        let inputs = [
            ("command", command),
            ("args", "--org org.json"),
            ("binary", BINARY),
        ];
        let inputs = inputs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        Action {
            repository: self,
            inputs,
            event: json!({}),
            variables: BTreeMap::new(),
        }
    }

    /// A plan for a pull request, with what `propose` returned.
    pub fn plan(&self, number: u64, (head, merge): &(String, String)) -> Action<'_> {
        let base = self.git(&["rev-parse", "main"]);
        let event = json!({ "pull_request": { "number": number, "head": { "sha": head }, "base": { "sha": base } } });
        self.action("plan")
            .on("pull_request", event)
            .variable("GITHUB_SHA", merge)
    }

    /// An apply for a commit that was pushed to the main branch.
    pub fn apply(&self, sha: &str) -> Action<'_> {
        self.action("apply")
            .on("push", json!({}))
            .variable("GITHUB_SHA", sha)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A use of the action, not yet run.
pub struct Action<'a> {
    repository: &'a Repository,
    inputs: BTreeMap<String, String>,
    event: Value,
    variables: BTreeMap<String, String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub log: String,
    pub outputs: BTreeMap<String, String>,
    pub summary: String,
}

impl Action<'_> {
    pub fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn on(self, event: &str, payload: Value) -> Self {
        Self {
            event: payload,
            ..self
        }
        .variable("GITHUB_EVENT_NAME", event)
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn run(self) -> Ran {
        let action = yaml("action.yml");
        let given = &self.inputs;
        let mut values = BTreeMap::from([
            ("github.token".to_owned(), TOKEN.to_owned()),
            (
                "github.action_repository".to_owned(),
                "breakglass-cli/breakglass".to_owned(),
            ),
        ]);
        for (name, input) in action["inputs"].as_object().unwrap() {
            let default = input["default"].as_str().unwrap_or_default();
            let value = given
                .get(name)
                .cloned()
                .unwrap_or_else(|| evaluate(default, &values));
            values.insert(format!("inputs.{name}"), value);
        }
        for name in given.keys() {
            assert!(
                action["inputs"].get(name).is_some(),
                "action.yml has no input {name}"
            );
        }
        let files = tempfile::tempdir().unwrap();
        fs::write(files.path().join("event.json"), self.event.to_string()).unwrap();
        let mut ran = Ran {
            code: 0,
            log: String::new(),
            outputs: BTreeMap::new(),
            summary: String::new(),
        };
        for step in action["runs"]["steps"].as_array().unwrap() {
            let skipped = match step.get("if").and_then(Value::as_str) {
                None => false,
                Some("inputs.binary == ''") => !values["inputs.binary"].is_empty(),
                Some(other) => panic!("the runner of the tests does not know {other}"),
            };
            if skipped {
                continue;
            }
            let output = self.step(step, &values, files.path());
            ran.code = output.status.code().unwrap();
            ran.log.push_str(&String::from_utf8(output.stdout).unwrap());
            ran.log.push_str(&String::from_utf8(output.stderr).unwrap());
            let set = fs::read_to_string(files.path().join("output")).unwrap_or_default();
            let _ = fs::remove_file(files.path().join("output"));
            for (name, value) in set.lines().map(|line| line.split_once('=').unwrap()) {
                values.insert(
                    format!("steps.{}.outputs.{name}", step["id"].as_str().unwrap()),
                    value.to_owned(),
                );
            }
            if ran.code != 0 {
                break;
            }
        }
        for (name, output) in action["outputs"].as_object().unwrap() {
            ran.outputs.insert(
                name.clone(),
                evaluate(output["value"].as_str().unwrap(), &values),
            );
        }
        ran.summary = fs::read_to_string(files.path().join("summary")).unwrap_or_default();
        ran
    }

    fn step(&self, step: &Value, values: &BTreeMap<String, String>, files: &Path) -> Output {
        assert_eq!(step["shell"], "bash");
        let mut command = Command::new("bash");
        command
            .args([
                "--noprofile",
                "--norc",
                "-eo",
                "pipefail",
                "-c",
                step["run"].as_str().unwrap(),
            ])
            .current_dir(self.repository.work())
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", files)
            .env("RUNNER_TEMP", self.repository.folder.path())
            .envs([
                ("RUNNER_OS", "Linux"),
                ("RUNNER_ARCH", "X64"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ])
            .envs([
                ("GITHUB_ACTION_PATH", ROOT),
                ("GITHUB_REPOSITORY", REPOSITORY),
                ("GITHUB_REF_NAME", "main"),
            ])
            .envs([
                ("GITHUB_API_URL", self.repository.hub.url.as_str()),
                ("GITHUB_RUN_ID", "42"),
            ])
            .env("GITHUB_SERVER_URL", "https://github.example")
            .env("GITHUB_EVENT_PATH", files.join("event.json"))
            .env("GITHUB_OUTPUT", files.join("output"))
            .env("GITHUB_STEP_SUMMARY", files.join("summary"))
            .envs(&self.variables);
        for (name, value) in step["env"].as_object().unwrap() {
            command.env(name, evaluate(value.as_str().unwrap(), values));
        }
        command.output().unwrap()
    }
}

/// Evaluates as much of GitHub's expressions as `action.yml` uses; what is not set is empty.
fn evaluate(text: &str, values: &BTreeMap<String, String>) -> String {
    let Some(expression) = text
        .strip_prefix("${{ ")
        .and_then(|rest| rest.strip_suffix(" }}"))
    else {
        assert!(!text.contains("${{"), "{text}");
        return text.to_owned();
    };
    let term = |term: &str| match term.strip_prefix("format('") {
        None => values.get(term).cloned().unwrap_or_default(),
        Some(rest) => {
            let (form, argument) = rest.strip_suffix(')').unwrap().split_once("', ").unwrap();
            form.replace("{0}", values.get(argument).map_or("", String::as_str))
        }
    };
    expression
        .split(" || ")
        .map(term)
        .find(|value| !value.is_empty())
        .unwrap_or_default()
}
