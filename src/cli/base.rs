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
