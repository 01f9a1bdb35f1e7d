//! Reading from the file system: what a spec may name and what not.

use std::fs;
use std::path::PathBuf;

use super::*;

fn folder(policy: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec");
    fs::create_dir_all(spec.join("policies")).unwrap();
    fs::write(spec.join("policies/p.json"), BASELINE).unwrap();
    fs::write(spec.join("bom.json"), format!("\u{feff}{BASELINE}")).unwrap();
    fs::write(spec.join("latin1.json"), b"{\"Version\": \"\xe9\"}").unwrap();
    fs::write(folder.path().join("secret.json"), BASELINE).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret.json", spec.join("link.json")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("policies/p.json", spec.join("inner.json")).unwrap();
    let path = spec.join("breakglass.yaml");
    let role = "roles: [{ name: R, trusted: [\"arn:aws:iam::222233334444:user/x\"], permissions: { managed_policies: [\"policy:p\"] } }]";
    fs::write(
        &path,
        format!("{SMALL}{role}\npolicies:\n  p: {{ file: {policy} }}\n"),
    )
    .unwrap();
    (folder, path)
}

fn first(policy: &str) -> String {
    let (_folder, path) = folder(policy);
    match load(&[path]) {
        Ok(_) => String::new(),
        Err(error) => error.problems[0].finding(&error.sources).message,
    }
}

#[test]
fn files_inside_of_the_folder_are_read() {
    for file in [
        "policies/p.json",
        "./policies/p.json",
        "bom.json",
        "inner.json",
    ] {
        assert_eq!(first(file), "", "{file}");
    }
}

#[test]
fn nothing_outside_of_the_folder_is_read() {
    for file in [
        "../secret.json",
        "policies/../../secret.json",
        "/etc/passwd",
        "link.json",
    ] {
        let message = first(file);
        assert!(
            message.ends_with("it is outside of the spec file's folder"),
            "{file}: {message}"
        );
    }
    assert!(first("policies").ends_with("it is not a file"));
    assert!(first("latin1.json").ends_with("byte 13 is not UTF-8"));
    assert!(first("none.json").contains("No such file"));
}

#[test]
fn each_spec_file_names_files_beside_itself() {
    let (folder, path) = folder("policies/p.json");
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("q.json"), BASELINE).unwrap();
    fs::write(other.join("more.yaml"), "policies: { q: { file: q.json } }").unwrap();
    let loaded = load(&[path, other.join("more.yaml")]).unwrap();
    assert_eq!(loaded.spec.policies().count(), 2);
}

#[test]
fn a_spec_that_is_missing_or_too_large_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.yaml");
    let error = load(std::slice::from_ref(&path)).unwrap_err();
    assert!(
        error
            .render(false)
            .contains("none.yaml can't be read: No such file"),
        "{}",
        error.render(false)
    );
    fs::write(&path, "#".repeat((4 << 20) + 1)).unwrap();
    let error = load(&[path]).unwrap_err();
    assert!(error.render(false).contains("larger than 4 MiB"));
    assert!(
        load(&[])
            .unwrap_err()
            .render(false)
            .contains("no spec file is named")
    );
}
