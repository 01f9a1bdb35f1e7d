use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use age::x25519;
use futures_util::FutureExt as _;
use futures_util::future::{pending, ready};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::*;
use crate::cloud::{Answer, Cloud, CloudError, ErrorKind, Finding};
use crate::ids::{AccountId, Partition};
use crate::org::Organization;
use crate::state::{
    Address, GuardrailOperation, GuardrailPolicy, Guardrails, Inventory, Operation, PASSWORD_TAG,
    PolicyReference, Principal, ReadScope, Resource, ResourceKey, Tags, password_mark,
};

/// What AWS does when it is asked to take a password.
#[derive(Clone, Copy, PartialEq)]
enum Taking {
    Takes,
    Refuses,
    /// Takes it, or not, and the answer is lost.
    Unanswered(bool),
    /// Takes it, or not, and never answers: the process is killed meanwhile.
    Hangs(bool),
}

/// Holds the one password that there is.
struct Aws {
    password: Mutex<String>,
    taking: Taking,
    /// The tags that users were given, one after the other.
    tags: Mutex<Vec<Tags>>,
    /// Whether users can't be tagged.
    tagging_fails: bool,
}

impl Aws {
    fn set(&self, password: &SecretString) {
        let mut current = self.password.lock().unwrap_or_else(PoisonError::into_inner);
        *current = password.expose_secret().to_owned();
    }
}

impl Cloud for Aws {
    fn shortest_password<'a>(&'a self, _: &'a AccountId) -> Answer<'a, u32> {
        ready(Ok(8)).boxed()
    }

    fn set_password<'a>(
        &'a self,
        _: &'a AccountId,
        _: &'a str,
        password: &'a SecretString,
    ) -> Answer<'a, ()> {
        let taken = !matches!(
            self.taking,
            Taking::Refuses | Taking::Unanswered(false) | Taking::Hangs(false)
        );
        if taken {
            self.set(password);
        }
        let failed = |kind| CloudError::new(kind, "iam:UpdateLoginProfile", "no");
        match self.taking {
            Taking::Takes => ready(Ok(())).boxed(),
            Taking::Refuses => ready(Err(failed(ErrorKind::AccessDenied))).boxed(),
            Taking::Unanswered(_) => ready(Err(failed(ErrorKind::Network))).boxed(),
            Taking::Hangs(_) => pending().boxed(),
        }
    }

    fn discover<'a>(
        &'a self,
        _: Option<&'a str>,
        _: bool,
        _: &'a Finding<'a>,
    ) -> Answer<'a, Organization> {
        unreachable!()
    }
    fn account<'a>(&'a self, _: &'a AccountId, _: &'a ReadScope) -> Answer<'a, Inventory> {
        unreachable!()
    }
    fn resource<'a>(
        &'a self,
        _: &'a AccountId,
        _: &'a ResourceKey,
    ) -> Answer<'a, Option<Resource>> {
        unreachable!()
    }
    fn execute<'a>(&'a self, _: &'a AccountId, operation: &'a Operation) -> Answer<'a, ()> {
        let Operation::Tag { principal, tags } = operation else {
            unreachable!()
        };
        assert_eq!(*principal, Principal::User("bg-alice".to_owned()));
        if self.tagging_fails {
            let error = CloudError::new(ErrorKind::AccessDenied, "iam:TagUser", "no");
            return ready(Err(error)).boxed();
        }
        self.tags.lock().unwrap().push(tags.clone());
        ready(Ok(())).boxed()
    }
    fn guardrails(&self) -> Answer<'_, Guardrails> {
        unreachable!()
    }
    fn guardrail<'a>(&'a self, _: &'a PolicyReference) -> Answer<'a, Option<GuardrailPolicy>> {
        unreachable!()
    }
    fn change_guardrails<'a>(&'a self, _: &'a GuardrailOperation) -> Answer<'a, ()> {
        unreachable!()
    }
    fn caller(&self) -> Option<Address> {
        None
    }

    fn partition<'a>(&'a self, _: &'a str) -> Answer<'a, Partition> {
        unreachable!()
    }
}

/// A user, its custodian, and the folder its passwords are sealed in.
struct Scene {
    folder: tempfile::TempDir,
    custodian: x25519::Identity,
    aws: Aws,
    account: AccountId,
    clock: i64,
}

impl Scene {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            custodian: x25519::Identity::generate(),
            aws: Aws {
                password: Mutex::default(),
                taking: Taking::Takes,
                tags: Mutex::default(),
                tagging_fails: false,
            },
            account: "222233334444".parse().unwrap(),
            clock: 1_800_000_000,
        }
    }

    /// A scene where a first password was issued.
    fn issued() -> Self {
        let mut scene = Self::new();
        assert!(matches!(
            scene.run(Taking::Takes),
            Some(Outcome::Issued { .. })
        ));
        scene
    }

    fn store(&self) -> Store {
        Store::open(self.folder.path(), false).unwrap()
    }

    fn record(&self) -> Record {
        self.store().record(&self.account, "bg-alice").unwrap()
    }

    fn leftovers(&self) -> Vec<Leftover> {
        let record = self.record();
        self.store().leftovers(&record).unwrap()
    }

    /// Issues a password; `None` when AWS hangs, and the process is killed there.
    fn run(&mut self, taking: Taking) -> Option<Outcome> {
        self.aws.taking = taking;
        self.clock += 60;
        let keys = [self.custodian.to_public().to_string()];
        let custody = custody_of(keys.to_vec(), "security safe");
        let store = self.store();
        let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(Into::into);
        let now = Timestamp::from_second(self.clock).unwrap();
        let outcome =
            issue(&self.aws, &store, &self.account, &custody, &mut random, now).now_or_never();
        self.expect_openable();
        outcome
    }

    fn names(&self) -> BTreeSet<String> {
        names(self.folder.path())
    }

    /// The passwords that the custodian can open, by file.
    fn opened(&self) -> Vec<(String, String)> {
        let sealed = self
            .names()
            .into_iter()
            .filter(|name| name.ends_with(".age"));
        sealed
            .map(|name| {
                let content = fs::read(self.folder.path().join(&name)).unwrap();
                let opened = age::decrypt(&self.custodian, &content).unwrap();
                (
                    name,
                    String::from_utf8(opened).unwrap().trim_end().to_owned(),
                )
            })
            .collect()
    }

    /// Whatever happened: the password in force can be opened, and none is anywhere in clear.
    fn expect_openable(&self) {
        let current = self.aws.password.lock().unwrap().clone();
        let opened = self.opened();
        assert!(
            current.is_empty() || opened.iter().any(|(_, password)| *password == current),
            "nobody can open the password in force"
        );
        for name in self.names() {
            let content = fs::read_to_string(self.folder.path().join(name)).unwrap();
            for (_, password) in &opened {
                assert!(!content.contains(password));
            }
        }
    }
}

fn custody_of(keys: Vec<String>, custodian: &str) -> Custody {
    Custody {
        user: "bg-alice".to_owned(),
        custodian: custodian.to_owned(),
        recipients: Recipients::parse(&keys).unwrap(),
        keys,
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

const SETTLED: [&str; 2] = ["bg-alice.password.age", "bg-alice.password.json"];

#[test]
fn what_aws_takes_is_in_place_and_opens() {
    let mut scene = Scene::issued();
    let first = scene.opened();
    scene.run(Taking::Takes);
    assert!(scene.names().iter().eq(SETTLED));
    assert_ne!(scene.opened(), first);
    let record = scene.record();
    let issued = record.issued.unwrap();
    assert_eq!(
        (issued.file.as_str(), issued.custodian.as_str()),
        (SETTLED[0], "security safe")
    );
    assert_eq!(issued.at.as_second(), scene.clock);
    assert_eq!(record.tried, []);
}

#[test]
fn the_user_carries_when_a_password_was_set_and_no_other_time() {
    let mut scene = Scene::issued();
    let mark = password_mark(Timestamp::from_second(scene.clock).unwrap());
    for taking in [
        Taking::Refuses,
        Taking::Unanswered(true),
        Taking::Hangs(true),
    ] {
        scene.run(taking);
    }
    let tags = Tags::from([(PASSWORD_TAG.to_owned(), mark)]);
    assert_eq!(*scene.aws.tags.lock().unwrap(), [tags]);

    scene.aws.tagging_fails = true;
    let outcome = scene.run(Taking::Takes).unwrap();
    let message = outcome.message("bg-alice", Path::new("before"));
    assert!(
        message.contains("is in force") && message.contains("iam:TagUser"),
        "{message}"
    );
    assert!(scene.names().iter().eq(SETTLED));
}

#[test]
fn what_aws_refuses_leaves_everything_as_it_was() {
    let mut scene = Scene::new();
    let refused = scene.run(Taking::Refuses);
    assert!(matches!(refused, Some(Outcome::Unchanged { .. })));
    assert!(scene.names().is_empty());

    let mut scene = Scene::issued();
    let before = (scene.opened(), scene.record());
    let refused = scene.run(Taking::Refuses);
    assert!(matches!(refused, Some(Outcome::Unchanged { .. })));
    assert_eq!((scene.opened(), scene.record()), before);
}

#[test]
fn what_is_not_known_is_kept_and_told_until_a_password_is_certain() {
    for first in [
        Taking::Unanswered(true),
        Taking::Unanswered(false),
        Taking::Hangs(true),
        Taking::Hangs(false),
    ] {
        for second in [
            Taking::Unanswered(true),
            Taking::Hangs(false),
            Taking::Refuses,
        ] {
            let mut scene = Scene::issued();
            let old = scene.opened();
            if let Some(outcome) = scene.run(first) {
                assert!(matches!(outcome, Outcome::Unknown { .. }));
            }
            assert_eq!(scene.leftovers().len(), 1);
            assert!(
                scene.opened().contains(&old[0]),
                "the old one is still there"
            );
            scene.run(second);
            let open = if second == Taking::Refuses { 1 } else { 2 };
            assert_eq!(scene.leftovers().len(), open);
            assert!(scene.leftovers().iter().all(|left| left.file.is_some()));
            let settled = scene.run(Taking::Takes);
            assert!(matches!(settled, Some(Outcome::Issued { .. })));
            assert_eq!(scene.leftovers(), []);
            assert!(scene.names().iter().eq(SETTLED));
        }
    }
}

#[test]
fn a_crash_after_the_file_is_in_place_loses_nothing() {
    let mut scene = Scene::issued();
    assert_eq!(scene.run(Taking::Hangs(true)), None);
    let record = scene.record();
    let path = |name: &str| scene.folder.path().join(name);
    fs::rename(path(&record.tried[0].file), path(SETTLED[0])).unwrap();
    scene.expect_openable();
    assert_eq!(scene.leftovers(), []);
    assert_eq!(scene.record().issued.unwrap().at.as_second(), scene.clock);
    assert_eq!(scene.record().tried, []);
}

#[test]
fn a_crash_before_aws_was_asked_is_nothing_to_tell() {
    let mut scene = Scene::issued();
    let stray = scene
        .folder
        .path()
        .join("bg-alice.password.0123456789ab.pending.age");
    fs::copy(scene.folder.path().join(SETTLED[0]), &stray).unwrap();
    assert_eq!(scene.leftovers(), []);
    scene.run(Taking::Takes);
    assert!(scene.names().iter().eq(SETTLED));
}

#[test]
fn a_pending_file_without_a_record_may_be_anything() {
    let mut scene = Scene::new();
    scene.run(Taking::Hangs(true));
    fs::remove_file(scene.folder.path().join(SETTLED[1])).unwrap();
    let leftovers = scene.leftovers();
    assert!(leftovers[0].at.is_none() && leftovers[0].file.is_some());
    scene.run(Taking::Refuses);
    scene.run(Taking::Takes);
    assert!(scene.names().iter().eq(SETTLED));
}

#[test]
fn a_pending_file_that_is_gone_is_told() {
    let mut scene = Scene::new();
    scene.run(Taking::Hangs(true));
    let file = scene.leftovers().remove(0).file.unwrap();
    fs::remove_file(file).unwrap();
    let leftovers = scene.leftovers();
    assert!(leftovers[0].at.is_some() && leftovers[0].file.is_none());
}

#[test]
fn nothing_is_changed_when_the_sealed_password_can_not_be_written() {
    let mut scene = Scene::new();
    let keys = [scene.custodian.to_public().to_string()];
    let custody = custody_of(keys.to_vec(), "safe");
    let store = scene.store();
    fs::remove_dir(scene.folder.path()).unwrap();
    let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(Into::into);
    let outcome = issue(
        &scene.aws,
        &store,
        &scene.account,
        &custody,
        &mut random,
        Timestamp::UNIX_EPOCH,
    );
    assert!(matches!(
        outcome.now_or_never(),
        Some(Outcome::Unchanged { .. })
    ));
    assert_eq!(*scene.aws.password.lock().unwrap(), "");
    scene.folder = tempfile::tempdir().unwrap();
}

#[test]
fn one_run_at_a_time_works_in_a_folder() {
    let scene = Scene::new();
    let store = scene.store();
    let second = Store::open(scene.folder.path(), false);
    assert!(matches!(second, Err(StoreError::Busy(_))));
    drop(store);
    scene.store();
}

#[test]
fn a_record_of_something_else_is_refused() {
    let scene = Scene::issued();
    let other: AccountId = "999999999999".parse().unwrap();
    let store = scene.store();
    assert!(store.record(&other, "bg-alice").is_err());
    fs::write(scene.folder.path().join(SETTLED[1]), "{}").unwrap();
    assert!(store.record(&scene.account, "bg-alice").is_err());
}

#[test]
fn a_rehearsal_never_stands_in_for_the_real_thing() {
    let scene = Scene::issued();
    let rehearsal = Store::open(scene.folder.path(), true).unwrap();
    let sealed = rehearsal.sealed("bg-alice");
    assert!(sealed.ends_with("bg-alice.rehearsal.age"));
    let record = rehearsal.record(&scene.account, "bg-alice").unwrap();
    assert_eq!(record.issued, None);
}
