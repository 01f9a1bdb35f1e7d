//! The files that CI systems read: that they are safe, agree with each other and with what is documented.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::runner::{BINARY, ROOT, root, yaml};

/// Every workflow, those of the project and those to be copied.
fn workflows() -> Vec<(String, Value)> {
    let folders = [".github/workflows", "examples/github"];
    let files = folders.into_iter().flat_map(|folder| {
        let entries = fs::read_dir(root(folder)).unwrap();
        entries.map(move |entry| format!("{folder}/{}", entry.unwrap().file_name().display()))
    });
    let workflows: Vec<(String, Value)> = files.map(|file| (file.clone(), yaml(&file))).collect();
    assert_eq!(workflows.len(), 5);
    workflows
}

fn steps(workflow: &Value) -> impl Iterator<Item = &Value> {
    let jobs = workflow["jobs"].as_object().unwrap().values();
    jobs.flat_map(|job| job["steps"].as_array().unwrap())
}

fn version() -> String {
    format!("v{}", env!("CARGO_PKG_VERSION"))
}

/// Tells whether the text of a step's script is the same whatever the workflow is run for.
fn is_fixed(step: &Value) -> bool {
    step.get("run")
        .is_none_or(|run| !run.as_str().unwrap().contains("${{"))
}

#[test]
fn workflows_grant_little_and_run_what_is_pinned() {
    for (file, workflow) in workflows() {
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{file}");
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            assert!(job["permissions"].is_object(), "{file}: {name}");
            assert!(job["timeout-minutes"].is_u64(), "{file}: {name}");
        }
        for step in steps(&workflow) {
            assert!(is_fixed(step), "{file}: {step}");
            let Some(uses) = step.get("uses").and_then(Value::as_str) else {
                continue;
            };
            let (name, pin) = uses.split_once('@').unwrap();
            let is_commit = pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(
                is_commit || (name == "OWNER/breakglass" && pin == version()),
                "{file}: {uses}"
            );
            if name == "actions/checkout" {
                assert_eq!(step["with"]["persist-credentials"], false, "{file}");
            }
        }
    }
}

#[test]
fn examples_use_the_action_as_it_is() {
    let action = yaml("action.yml");
    let inputs = action["inputs"].as_object().unwrap();
    let mut commands = BTreeSet::new();
    for (file, workflow) in workflows() {
        for step in steps(&workflow)
            .filter(|step| step["uses"] == format!("OWNER/breakglass@{}", version()))
        {
            for name in step["with"].as_object().unwrap().keys() {
                assert!(inputs.contains_key(name), "{file}: {name}");
            }
            commands.insert(step["with"]["command"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(
        commands,
        BTreeSet::from(["apply", "drift", "plan"].map(str::to_owned))
    );
}

#[test]
fn every_input_and_output_of_the_action_is_used_and_documented() {
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    assert!(steps.iter().all(is_fixed));
    let used: BTreeSet<String> = steps
        .iter()
        .flat_map(|step| step["env"].as_object().unwrap().values())
        .map(Value::to_string)
        .collect();
    let docs = fs::read_to_string(root("docs/ci.md")).unwrap();
    for name in action["inputs"].as_object().unwrap().keys() {
        let expression = format!("inputs.{name} ");
        assert!(
            used.iter().any(|value| value.contains(&expression)),
            "{name} is not used"
        );
        assert!(
            docs.contains(&format!("| `{name}`")) || docs.contains(&format!(", `{name}` |")),
            "{name} is not documented"
        );
    }
    for name in action["outputs"].as_object().unwrap().keys() {
        assert!(
            docs.contains(&format!("`{name}`")),
            "{name} is not documented"
        );
    }
    let scripts = ["settings.py", "main.py", "install.py"]
        .map(|file| fs::read_to_string(root("action").join(file)).unwrap())
        .concat();
    for name in steps
        .iter()
        .flat_map(|step| step["env"].as_object().unwrap().keys())
    {
        let short = name.trim_start_matches("INPUT_");
        assert!(
            scripts.contains(name.as_str()) || scripts.contains(&format!("\"{short}\"")),
            "{name} is not read"
        );
    }
}

#[test]
fn trust_policies_of_the_documentation_name_who_may_enter() {
    let docs = fs::read_to_string(root("docs/ci.md")).unwrap();
    let mut count = 0;
    for block in docs.split("\n```json\n").skip(1) {
        let text = block.split("\n```").next().unwrap();
        breakglass::policy::parse(text).unwrap();
        let condition = "\"token.actions.githubusercontent.com:aud\": \"sts.amazonaws.com\"";
        assert!(
            text.contains(condition) && text.contains("StringEquals") && !text.contains('*'),
            "{text}"
        );
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn the_pre_commit_hook_checks_the_spec() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let hook = &hooks[0];
    assert_eq!(
        (hook["pass_filenames"].as_bool(), hook["language"].as_str()),
        (Some(false), Some("system"))
    );
    let (program, arguments) = hook["entry"].as_str().unwrap().split_once(' ').unwrap();
    assert_eq!(program, "breakglass");
    let run = |arguments: &[&str]| {
        Command::new(BINARY)
            .args(arguments)
            .current_dir(root("examples/acme"))
            .output()
            .unwrap()
    };
    assert!(run(&[arguments]).status.success());
    assert_eq!(
        run(&[arguments, "--spec", "../../tests/cmd/files/bad.yaml"])
            .status
            .code(),
        Some(65)
    );
    let matches = |file: &str| {
        let script = "import re, sys; sys.exit(not re.search(sys.argv[1], sys.argv[2]))";
        Command::new("python3")
            .args(["-c", script, hook["files"].as_str().unwrap(), file])
            .status()
            .unwrap()
            .success()
    };
    assert!(matches("breakglass.yaml") && matches("policies/x.json"));
    assert!(!matches("README.md") && !matches("other/breakglass.yaml"));
}

#[test]
fn a_release_is_of_the_version_that_its_tag_says() {
    let run = |script: &str, arguments: &[&str]| -> Output {
        Command::new("bash")
            .arg(root(script))
            .args(arguments)
            .current_dir(ROOT)
            .output()
            .unwrap()
    };
    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let packed = run(".ci/package", &["x86_64-unknown-linux-musl", "v99.0.0"]);
    assert!(
        !packed.status.success() && told(&packed).contains("the tag is v99.0.0"),
        "{packed:?}"
    );
    let notes = run(".ci/notes", &["v99.0.0"]);
    assert!(
        !notes.status.success() && told(&notes).contains("no section for v99.0.0"),
        "{notes:?}"
    );
    let notes = run(".ci/notes", &["vUnreleased"]);
    assert!(
        notes.status.success() && String::from_utf8_lossy(&notes.stdout).contains("### Added"),
        "{notes:?}"
    );
}
