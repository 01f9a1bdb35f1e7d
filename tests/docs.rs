//! Holds the documentation to what the tool does: its commands are run, its specs and policies compared.
//!
//! A ```` ```console ```` block is run by trycmd in a copy of `examples/acme` (those of the tutorial in one of
//! `examples/minimal`, those of the README at the top of a copy of the repository) and compared with what it prints. A ```` ```sh ```` or ```` ```yml ```` block is for AWS: its commands
//! are run where there are no credentials, so that their arguments are checked and nothing else happens. ```` ```yaml ````
//! is a spec.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can't go on panics"
)]

#[path = "docs/links.rs"]
mod links;
#[path = "docs/parts.rs"]
mod parts;
#[path = "docs/reference.rs"]
mod reference;
#[path = "docs/saved.rs"]
mod saved;
#[path = "docs/shell.rs"]
mod shell;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const BINARY: &str = env!("CARGO_BIN_EXE_breakglass");

/// A copy of what commands work on, which they may write to.
struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let acme = folder.path().join("examples/acme");
        copy(&root("examples/acme"), &acme);
        copy(&root("tests/cmd/files"), &acme);
        let minimal = folder.path().join("examples/minimal");
        copy(&root("examples/minimal"), &minimal);
        Self { folder }
    }

    fn top(&self) -> &Path {
        self.folder.path()
    }

    fn acme(&self) -> PathBuf {
        self.top().join("examples/acme")
    }

    /// The folder that the commands of a page are run in.
    fn folder_of(&self, page: &Path) -> PathBuf {
        if page.parent() == Some(Path::new(ROOT)) {
            self.top().to_owned()
        } else if page == root("docs/tutorial.md") {
            self.top().join("examples/minimal")
        } else {
            self.acme()
        }
    }

    /// Runs the binary in the copy of the example, knowing nothing of the machine it is on.
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(BINARY)
            .args(arguments)
            .current_dir(self.acme())
            .env_clear()
            .env("HOME", self.top())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .unwrap()
    }

    fn stdout(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.run(arguments).stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.stdout(arguments)).unwrap()
    }
}

fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
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

/// The Markdown files of a folder, sorted.
fn markdown(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root(folder)).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    files
}

fn documents() -> Vec<PathBuf> {
    let folders = [
        "",
        "docs",
        "docs/recipes",
        "docs/reference",
        "examples/acme",
        "examples/minimal",
    ];
    folders.into_iter().flat_map(markdown).collect()
}

/// The texts of the code blocks in a language.
fn blocks(path: &Path, language: &str) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<(&str, bool, String)> = None;
    for line in text.lines() {
        let inner = line.trim_start();
        let (fence, info) = inner.split_at(inner.len() - inner.trim_start_matches('`').len());
        match &mut open {
            Some((opened, wanted, block)) if fence == *opened => {
                blocks.extend(wanted.then(|| std::mem::take(block)));
                open = None;
            }
            Some((_, _, block)) => {
                block.push_str(line);
                block.push('\n');
            }
            None if fence.len() >= 3 => open = Some((fence, info == language, String::new())),
            None => {}
        }
    }
    assert!(open.is_none(), "{}: a block without end", path.display());
    blocks
}

/// Tells whether what is written by this test is to be written anew.
fn overwrites() -> bool {
    std::env::var_os("TRYCMD").is_some_and(|value| value == "overwrite")
}

/// Runs the commands of a Markdown file in the folder of the process, or writes their output into it.
fn run_commands(path: &Path) -> bool {
    let cases = trycmd::TestCases::new();
    cases
        .register_bin("breakglass", Path::new(BINARY))
        .env("NO_COLOR", "1")
        .case(path);
    for (name, _) in std::env::vars() {
        if name.starts_with("AWS_") || name.starts_with("BREAKGLASS_") {
            cases.env(name, "");
        }
    }
    catch_unwind(AssertUnwindSafe(|| cases.run())).is_ok()
}

#[test]
fn console_examples_print_what_they_show() {
    let mut failed = Vec::new();
    for path in documents().into_iter().chain(markdown("tests/cmd")) {
        let sandbox = Sandbox::new();
        let folder = sandbox.folder_of(&path);
        // trycmd runs commands in the folder of the process; all other tests here use absolute paths.
        std::env::set_current_dir(&folder).unwrap();
        let page = fs::read_to_string(&path).unwrap();
        let parts = parts::parts(&page);
        if let [_] = parts.as_slice() {
            if !run_commands(&path) {
                failed.push(path);
            }
        } else {
            let part_file = sandbox.top().join(path.file_name().unwrap());
            let mut printed = String::new();
            for part in parts {
                fs::write(&part_file, &part.text).unwrap();
                if !run_commands(&part_file) && !failed.contains(&path) {
                    failed.push(path.clone());
                }
                printed += &fs::read_to_string(&part_file).unwrap();
                part.edit(&folder);
            }
            if overwrites() && printed != page {
                fs::write(&path, printed).unwrap();
            }
        }
        std::env::set_current_dir(ROOT).unwrap();
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The commands of shell blocks and of workflows, a backslash at the end of a line joined to the next.
fn commands(path: &Path) -> Vec<String> {
    let blocks = ["sh", "yml"]
        .into_iter()
        .flat_map(|language| blocks(path, language));
    blocks
        .map(|block| block.replace("\\\n", " "))
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .map(|line| {
            line.trim()
                .trim_start_matches("- ")
                .trim_start_matches("run: ")
                .to_owned()
        })
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn commands_for_aws_have_arguments_that_are_understood() {
    let mut count = 0;
    for path in documents() {
        for command in commands(&path) {
            let words = command.split(" #").next().unwrap_or_default();
            let words = words.replace("cargo run --release -- ", "breakglass ");
            let words = words.replace("$SHARD", "1/8");
            let words: Vec<&str> = words
                .split_whitespace()
                .map(|word| word.trim_matches('"'))
                .collect();
            // What follows a redirection or an alternative is the shell's.
            let words = words
                .split(|word| [">", "||"].contains(word))
                .next()
                .unwrap();
            let Some(("breakglass", arguments)) =
                words.split_first().map(|(first, rest)| (*first, rest))
            else {
                continue;
            };
            count += 1;
            let sandbox = Sandbox::new();
            if arguments.first() == Some(&"init") {
                fs::remove_file(sandbox.acme().join("breakglass.yaml")).unwrap();
            }
            copy(
                &root("examples/acme"),
                &sandbox.acme().join("examples/acme"),
            );
            let output = sandbox.run(arguments);
            let told = String::from_utf8_lossy(&output.stderr);
            let code = output.status.code().unwrap();
            assert!(
                ![64, 65].contains(&code),
                "{}: {command}\n{told}",
                path.display()
            );
            let needs_aws = told.contains("no AWS credentials found")
                || told.contains("failed to read plan.json")
                || told.contains("failed to read reports/");
            assert!(
                code != 1 || needs_aws,
                "{}: {command}\n{told}",
                path.display()
            );
        }
    }
    assert!(count > 8, "only {count} commands were found");
}

#[test]
fn make_targets_exist() {
    let makefile = fs::read_to_string(root("Makefile")).unwrap();
    for path in documents() {
        for command in commands(&path) {
            if let Some(target) = command.strip_prefix("make ") {
                assert!(makefile.contains(&format!("\n{target}:")), "{command}");
            }
        }
    }
}

#[test]
fn specs_are_valid() {
    for path in documents() {
        let sandbox = Sandbox::new();
        let mut arguments = vec!["validate".to_owned()];
        for (number, block) in blocks(&path, "yaml").into_iter().enumerate() {
            let name = format!("block-{number}.yaml");
            fs::write(sandbox.acme().join(&name), block).unwrap();
            arguments.extend(["--spec".to_owned(), name]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = sandbox.run(&arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {told}", path.display());
    }
}

/// Tells whether a value is somewhere in another.
fn holds(whole: &Value, part: &Value) -> bool {
    whole == part
        || match whole {
            Value::Array(values) => values.iter().any(|value| holds(value, part)),
            Value::Object(values) => values.values().any(|value| holds(value, part)),
            _ => false,
        }
}

#[test]
fn generated_policies_are_shown_as_they_are_written() {
    let sandbox = Sandbox::new();
    let applied = sandbox.run(&["apply", "--yes", "--org", "org.json"]);
    assert!(applied.status.success());
    let text = fs::read_to_string(sandbox.acme().join("org.json")).unwrap();
    let snapshot: Value = serde_json::from_str(&text).unwrap();
    let shown = blocks(&root("docs/spec.md"), "json");
    assert_eq!(shown.len(), 3);
    for policy in shown {
        assert!(
            holds(&snapshot, &serde_json::from_str(&policy).unwrap()),
            "{policy}"
        );
    }
}

#[test]
fn every_library_policy_is_described() {
    let spec = fs::read_to_string(root("docs/spec.md")).unwrap();
    for name in breakglass::policy::library::names() {
        assert!(spec.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn every_finding_of_usage_is_described() {
    let usage = fs::read_to_string(root("docs/usage.md")).unwrap();
    for code in breakglass::audit::Code::ALL {
        let severity = serde_json::to_value(code.severity()).unwrap();
        let severity = severity.as_str().unwrap();
        let row = format!(
            "| `{}` | {severity} | {} |",
            code.as_str(),
            code.description()
        );
        assert!(usage.contains(&row), "{row}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

const SERVICES: [&str; 10] = [
    "account",
    "cloudtrail",
    "cloudwatch",
    "events",
    "iam",
    "kms",
    "logs",
    "organizations",
    "sns",
    "sts",
];

/// The actions that the shipped permissions grant.
fn granted() -> BTreeSet<String> {
    let mut actions = BTreeSet::new();
    for path in files(&root("policies/permissions")) {
        let document = breakglass::policy::parse(&fs::read_to_string(path).unwrap()).unwrap();
        for statement in &document.statements {
            actions.extend(statement.actions.list().iter().cloned());
        }
    }
    actions
}

#[test]
fn the_permissions_are_the_calls_to_aws() {
    let mut called = BTreeSet::new();
    // What alerts are changed by is named where it is planned.
    let planned = root("src/state/alerts/operation.rs");
    for path in files(&root("src/cloud/aws")).into_iter().chain([planned]) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let calls = code.split('"').skip(1).step_by(2).filter(|literal| {
            literal
                .split_once(':')
                .filter(|(service, _)| SERVICES.contains(service))
                .is_some_and(|(_, name)| name.chars().all(|letter| letter.is_ascii_alphanumeric()))
        });
        called.extend(calls.map(str::to_owned));
    }
    assert!(called.len() > 60, "only {called:?} were found");
    // Tags that an object is made with ask for this one, too.
    called.insert("iam:TagPolicy".to_owned());
    // So does a rule's target for the role that sends.
    called.insert("iam:PassRole".to_owned());
    assert_eq!(granted(), called);
}

#[test]
fn every_permission_is_shown() {
    let documented = fs::read_to_string(root("docs/aws-permissions.md")).unwrap();
    for name in breakglass::policy::library::permission_names() {
        let command = format!("$ breakglass policy library {name}\n");
        assert!(documented.contains(&command), "{name}");
    }
}

#[test]
fn every_command_and_flag_is_in_the_reference() {
    let reference = fs::read_to_string(root("docs/cli.md")).unwrap();
    let sandbox = Sandbox::new();
    let help = sandbox.stdout(&["--help"]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands
        .map_while(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.contains(&"completions"));
    for command in commands {
        assert!(reference.contains(&format!("| `{command}")), "{command}");
        let help = sandbox.stdout(&[command, "-h"]);
        let options = help
            .lines()
            .map(str::trim_start)
            .filter(|line| line.starts_with('-'));
        for word in options.flat_map(|line| line.split([' ', ',', '.'])) {
            let flag = word.starts_with("--") && word.len() > 2;
            assert!(!flag || reference.contains(word), "{word} of {command}");
        }
    }
}

fn assert_valid(schema: &Value, value: &Value) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn schemas_accept_what_the_tool_reads_and_writes() {
    let sandbox = Sandbox::new();
    let spec = sandbox.json(&["schema", "spec"]);
    assert_valid(&spec, &yaml(&root("examples/acme/breakglass.yaml")));
    for command in ["plan", "drift"] {
        let schema = sandbox.json(&["schema", command]);
        for snapshot in ["org.json", "org-unreadable.json"] {
            let arguments = [command, "--org", snapshot, "--format", "json"];
            assert_valid(&schema, &sandbox.json(&arguments));
        }
        let gated = [
            command,
            "--spec",
            "no-roles.yaml",
            "--org",
            "org.json",
            "--format",
            "json",
        ];
        assert_valid(&schema, &sandbox.json(&gated));
        let shard = [
            command, "--org", "org.json", "--shard", "1/3", "--format", "json",
        ];
        assert_valid(&schema, &sandbox.json(&shard));
    }
    let schema = sandbox.json(&["schema", "verify"]);
    for (spec, snapshot) in [
        ("guarded.yaml", "guarded.json"),
        ("breakglass.yaml", "org-unreadable.json"),
    ] {
        let arguments = [
            "verify", "--spec", spec, "--org", snapshot, "--format", "json",
        ];
        assert_valid(&schema, &sandbox.json(&arguments));
    }
    let schema = sandbox.json(&["schema", "usage"]);
    for log in ["logs", "broken-off.json"] {
        let arguments = ["usage", "--log", log, "--format", "json"];
        assert_valid(&schema, &sandbox.json(&arguments));
    }
    let schema = sandbox.json(&["schema", "close"]);
    let close = [
        "close", "INC-42", "--org", "org.json", "--yes", "--format", "json",
    ];
    assert_valid(&schema, &sandbox.json(&close));
    let schema = sandbox.json(&["schema", "snapshot"]);
    for snapshot in [
        "org.json",
        "org-unreadable.json",
        "adopt.json",
        "guarded.json",
    ] {
        let text = fs::read_to_string(sandbox.acme().join(snapshot)).unwrap();
        assert_valid(&schema, &serde_json::from_str(&text).unwrap());
    }
}

#[test]
fn the_schema_takes_every_spec_that_is_valid() {
    let sandbox = Sandbox::new();
    let init = ["init", "--org", "org.json", "--yes", "--out", "first.yaml"];
    assert!(sandbox.run(&init).status.success());
    let schema = sandbox.json(&["schema", "spec"]);
    let beside = fs::read_to_string(sandbox.acme().join("breakglass.schema.json")).unwrap();
    assert_eq!(schema, serde_json::from_str::<Value>(&beside).unwrap());
    let mut count = 0;
    for path in files(&sandbox.acme()) {
        let is_spec = path
            .extension()
            .is_some_and(|extension| extension == "yaml");
        let arguments = ["validate", "--spec", path.to_str().unwrap()];
        if is_spec && sandbox.run(&arguments).status.success() {
            assert_valid(&schema, &yaml(&path));
            count += 1;
        }
    }
    assert!(count > 10, "only {count} specs were valid");
}

#[test]
fn schemas_refuse_what_the_tool_refuses() {
    let sandbox = Sandbox::new();
    let refused = |kind: &str, value: &Value| {
        let schema = sandbox.json(&["schema", kind]);
        !jsonschema::is_valid(&schema, value)
    };
    assert!(refused("spec", &yaml(&root("tests/cmd/files/bad.yaml"))));
    let mut plan = sandbox.json(&["plan", "--org", "org.json", "--format", "json"]);
    assert!(!refused("plan", &plan));
    plan["outcome"] = "fine".into();
    assert!(refused("plan", &plan));
    assert!(refused(
        "snapshot",
        &serde_json::json!({ "kind": "snapshot" })
    ));
}

#[test]
fn output_is_the_same_for_the_same_input() {
    let sandbox = Sandbox::new();
    for format in ["text", "json", "markdown"] {
        let print = || {
            let text = sandbox.stdout(&["drift", "--org", "org.json", "--format", format]);
            let timeless = text.lines().filter(|line| !line.contains("\"created_at\""));
            timeless.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(print(), print(), "{format}");
    }
}
