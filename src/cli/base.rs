//! The spec as it was at a revision: its files as git has them, read by git itself.

use std::path::{Component, Path};
use std::process::Command;

use super::args::SpecArgs;
use super::error::CliError;
use super::exit::Exit;
use crate::collect::BaseSpec;
use crate::spec::{LoadError, Severity, load_texts};

/// Reads the spec as it was at a revision.
///
/// A spec that was not there then, or was wrong, is no error: all that is asked for now is then part of the change.
pub(super) fn read(revision: &str, spec: &SpecArgs) -> Result<BaseSpec, CliError> {
    let paths = spec.paths();
    let first = paths.first().map_or(Path::new("."), |path| folder(path));
    let commit = format!("{revision}^{{commit}}");
    let commit = git(first, &["rev-parse", "--verify", &commit]).map_err(|error| {
        let message = format!("failed to find --base {revision} in git: {error}");
        CliError::new(Exit::Usage, message).hinted(
            "fetch it first; in a workflow, check out with the whole history (fetch-depth: 0)",
        )
    })?;
    let commit = commit.trim();
    let mut files = Vec::new();
    for path in &paths {
        let name = path.display().to_string();
        let file = path.file_name().map(Path::new).unwrap_or(path);
        match file_at(commit, folder(path), &file.display().to_string()) {
            Ok(text) => files.push((name, text)),
            Err(_) => return Ok(base(commit, Err(format!("it has no {name}")))),
        }
    }
    let read = |spec_file: &str, file: &str| {
        let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if Path::new(file).components().all(inside) {
            file_at(commit, folder(Path::new(spec_file)), file)
        } else {
            Err("it is outside of the spec file's folder".to_owned())
        }
    };
    let loaded = load_texts(files, &read);
    Ok(base(
        commit,
        loaded.map(Box::new).map_err(|error| wrong(&error)),
    ))
}

fn base(commit: &str, spec: Result<Box<crate::spec::Loaded>, String>) -> BaseSpec {
    BaseSpec {
        revision: commit.to_owned(),
        spec,
    }
}

fn wrong(error: &LoadError) -> String {
    let mut errors = error.problems.iter();
    let first = errors.find(|problem| problem.severity == Severity::Error);
    let first = first.map_or("", |problem| &problem.message);
    format!("{error}: {first}")
}

/// The folder that a file is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Reads a file of a commit, named from a folder of the working tree.
fn file_at(commit: &str, folder: &Path, file: &str) -> Result<String, String> {
    git(folder, &["cat-file", "blob", &format!("{commit}:./{file}")])
}

/// Runs git, without a shell, and returns what it wrote.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .map_err(|error| format!("git can't be run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().next().unwrap_or("git failed").to_owned());
    }
    String::from_utf8(output.stdout).map_err(|_| "it is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    const SPEC: &str = "version: 1\norganization: { id: o-exampleorg1 }\nemergency_account: \"222222222222\"\n\
        policies:\n  one: { file: policies/one.json }\n";
    const POLICY: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;

    /// Makes a repository with a commit, and returns the folder of the spec in it.
    fn repository() -> (tempfile::TempDir, PathBuf) {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("access");
        fs::create_dir_all(folder.join("policies")).unwrap();
        fs::write(folder.join("breakglass.yaml"), SPEC).unwrap();
        fs::write(folder.join("policies/one.json"), POLICY).unwrap();
        run(top.path(), &["init", "--quiet"]);
        commit(top.path());
        (top, folder)
    }

    fn run(folder: &Path, arguments: &[&str]) {
        git(folder, arguments).unwrap();
    }

    fn commit(folder: &Path) {
        run(folder, &["add", "."]);
        let name = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
        let rest = ["-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "x"];
        run(folder, &[&name[..], &rest[..]].concat());
    }

    fn specs(folder: &Path) -> SpecArgs {
        SpecArgs {
            files: vec![folder.join("breakglass.yaml")],
        }
    }

    #[test]
    fn the_spec_is_read_with_its_policies_as_both_were() {
        let (top, folder) = repository();
        let spec = specs(&folder);
        let now = read("HEAD", &spec).unwrap();
        fs::write(
            folder.join("policies/one.json"),
            POLICY.replace("Deny", "Allow"),
        )
        .unwrap();
        commit(top.path());
        let digest = |base: BaseSpec| base.spec.unwrap().digest;
        let before = read("HEAD~1", &spec).unwrap();
        assert_eq!(before.revision, now.revision);
        let changed = read("HEAD", &spec).unwrap();
        assert_eq!(changed.revision.len(), 40);
        assert_eq!(digest(before), digest(now));
        assert_ne!(digest(read("HEAD~1", &spec).unwrap()), digest(changed));
    }

    #[test]
    fn a_spec_that_was_not_there_or_wrong_is_told_and_a_revision_that_is_not_there_is_an_error() {
        let (top, folder) = repository();
        let other = SpecArgs {
            files: vec![folder.join("other.yaml")],
        };
        let why = read("HEAD", &other).unwrap().spec.unwrap_err();
        assert!(
            why.starts_with("it has no ") && why.ends_with("other.yaml"),
            "{why}"
        );
        fs::write(folder.join("breakglass.yaml"), "version: 1\n").unwrap();
        commit(top.path());
        let why = read("HEAD", &specs(&folder)).unwrap().spec.unwrap_err();
        assert!(why.starts_with("the spec has "), "{why}");
        let error = read("no-such-branch", &specs(&folder)).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
    }
}
