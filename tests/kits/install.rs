//! The install of a release: only what was released is run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::runner::{Action, Ran, Repository};

const NAME: &str = "breakglass-9.8.7-x86_64-unknown-linux-musl.tar.gz";

/// Stands in for a release: a script that says what it is.
fn release(repository: &Repository) -> String {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder
        .path()
        .join("breakglass-9.8.7-x86_64-unknown-linux-musl");
    fs::create_dir_all(inside.join("man")).unwrap();
    fs::write(inside.join("man/breakglass.1"), "a page").unwrap();
    script(
        &inside.join("breakglass"),
        "echo this is the release >&2; exit 64",
    );
    let packed = Command::new("tar")
        .args(["-czf", NAME, inside.file_name().unwrap().to_str().unwrap()])
        .current_dir(folder.path())
        .status();
    assert!(packed.unwrap().success());
    let archive = fs::read(folder.path().join(NAME)).unwrap();
    let digest = breakglass::state::sha256(&archive);
    let digest = digest.trim_start_matches("sha256:").to_owned();
    let sums = format!("{}  another.tar.gz\n{digest}  {NAME}\n", "0".repeat(64));
    let mut state = repository.hub.state();
    state
        .files
        .push((format!("/releases/v9.8.7/{NAME}"), archive));
    state
        .files
        .push(("/releases/v9.8.7/SHA256SUMS".to_owned(), sums.into_bytes()));
    digest
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn action(repository: &Repository) -> Action<'_> {
    let releases = format!("{}/releases", repository.hub.url);
    repository
        .action("drift")
        .input("binary", "")
        .input("version", "9.8.7")
        .input("releases", &releases)
        .input("publish", "none")
}

fn refused(ran: &Ran, said: &str) {
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert!(
        ran.log
            .contains("::error title=breakglass is not installed::")
            && ran.log.contains(said),
        "{said}: {}",
        ran.log
    );
    assert!(!ran.log.contains("this is the release"));
}

#[test]
fn a_release_with_the_checksum_that_is_asked_for_is_run() {
    let repository = Repository::new();
    let digest = release(&repository);
    let ran = action(&repository).input("sha256", &digest).run();
    assert_eq!(ran.code, 64, "{}", ran.log);
    assert!(ran.log.contains("this is the release"), "{}", ran.log);
    refused(
        &action(&repository).input("sha256", &"0".repeat(64)).run(),
        &format!("has the checksum {digest}, not the one in the input"),
    );
    refused(
        &action(&repository)
            .input("version", "9.8.8")
            .input("sha256", &digest)
            .run(),
        "404",
    );
    refused(
        &action(&repository).input("version", "../../x").run(),
        "it must look like 1.2.3",
    );
    refused(
        &action(&repository).variable("RUNNER_OS", "Windows").run(),
        "there is no release for Windows X64",
    );
}

#[test]
fn without_a_checksum_the_origin_must_be_attested() {
    let repository = Repository::new();
    release(&repository);
    refused(
        &action(&repository).run(),
        "give the checksum in the input sha256",
    );
    repository.hub.state().files[1].1 = format!("{}  {NAME}\n", "1".repeat(64)).into_bytes();
    refused(&action(&repository).run(), "and SHA256SUMS says 1111");
    repository.hub.state().files[1].1 = b"nothing\n".to_vec();
    refused(&action(&repository).run(), "does not list");
}

/// Asks the installer about an archive from the project's own releases, with a `gh` that does as it is told.
fn attested(gh: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    script(&folder.path().join("gh"), gh);
    let check = "import sys; sys.path.insert(0, 'action'); import install, pathlib\n\
        install.check_provenance(pathlib.Path('x.tar.gz'), 'https://github.com/acme/breakglass/releases/download')";
    let output = Command::new("python3")
        .args(["-B", "-c", check])
        .current_dir(crate::runner::ROOT)
        .env(
            "PATH",
            format!(
                "{}:{}",
                folder.path().display(),
                std::env::var("PATH").unwrap()
            ),
        )
        .env("INPUT_TOKEN", "ghs_standin")
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn the_release_workflow_itself_must_have_built_it() {
    let wanted = "attestation verify x.tar.gz --repo acme/breakglass --signer-workflow acme/breakglass/.github/workflows/release.yml";
    let (good, told) = attested(&format!(
        "[ \"$*\" = '{wanted}' ] && [ \"$GH_TOKEN\" = ghs_standin ]"
    ));
    assert!(good, "{told}");
    let (good, told) = attested("echo no attestations found >&2; exit 1");
    assert!(
        !good && told.contains("built x.tar.gz: no attestations found"),
        "{told}"
    );
}
