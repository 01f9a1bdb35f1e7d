//! What protects users and root users: each rule with what fails it and what passes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{actions, changes, fields, have_user, only_change, user, want_user, wanted};
use crate::plan::{Action, Change, Risk};
use crate::state::{
    DEVICES_TAG, Desired, DesiredRoot, FidoLevel, Inventory, KeyUse, MfaDevice, MfaKind, MfaRule,
    Origin, PASSWORD_TAG, Password, PasswordExpiry, People, Person, RootAccess, RootCredentials,
    RootFeature, User, device_record,
};

const TOTP: &str = "GAHT12345678";
const KEY: &str = "arn:aws:iam::111122223333:u2f/user/alice/key-AB";
const OTHER_KEY: &str = "arn:aws:iam::111122223333:u2f/user/alice/key-CD";
const APP: &str = "arn:aws:iam::111122223333:mfa/alice";
const SMS: &str = "arn:aws:iam::111122223333:sms-mfa/alice";

fn devices(serials: &[(&str, &str)]) -> BTreeMap<String, MfaDevice> {
    let device = |level: &str| MfaDevice {
        enabled: jiff::Timestamp::UNIX_EPOCH,
        certifications: (!level.is_empty())
            .then(|| ("FIDO".to_owned(), level.to_owned()))
            .into_iter()
            .collect(),
    };
    serials
        .iter()
        .map(|(serial, level)| ((*serial).to_owned(), device(level)))
        .collect()
}

fn rule(kinds: &[MfaKind], floor: Option<FidoLevel>) -> MfaRule {
    MfaRule {
        at_least: 2,
        kinds: kinds.iter().copied().collect(),
        fido_certification: floor,
    }
}

fn want_devices(rule: MfaRule) -> Desired {
    let mut desired = want_user(user(), false, false);
    for wanted in desired.users.iter_mut().flat_map(BTreeMap::values_mut) {
        wanted.value.mfa = Some(rule.clone());
    }
    desired
}

fn have_person(user: User, person: Person) -> Inventory {
    Inventory {
        people: Some(People {
            users: BTreeMap::from([("alice".to_owned(), person)]),
            ..People::default()
        }),
        ..have_user(user)
    }
}

/// A user whose devices are those that the last apply recorded.
fn have_devices(devices: BTreeMap<String, MfaDevice>) -> Inventory {
    let mut user = user();
    let record = device_record(&devices);
    user.tags
        .extend(record.map(|record| (DEVICES_TAG.to_owned(), record)));
    have_person(
        user,
        Person {
            mfa_devices: devices,
            ..Person::default()
        },
    )
}

fn addresses(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| change.address.to_string())
        .collect()
}

#[test]
fn devices_are_held_against_the_rule() {
    let both = [MfaKind::Fido2, MfaKind::HardwareTotp];
    let strict = rule(&both, Some(FidoLevel::L1));
    let loose = rule(&[], None);
    let fido_only = rule(&[MfaKind::Fido2], None);
    let device = |serial: &str| format!("devices.{serial}");
    let at_least = "at_least".to_owned();
    for (rule, serials, expected) in [
        (&strict, &[(TOTP, ""), (KEY, "L1")][..], vec![]),
        (
            &strict,
            &[(TOTP, ""), (KEY, "L3plus"), (OTHER_KEY, "L2")],
            vec![],
        ),
        (&strict, &[(TOTP, "")], vec![at_least.clone()]),
        (&strict, &[], vec![at_least.clone()]),
        (
            &strict,
            &[(KEY, "L1"), (OTHER_KEY, "L1")],
            vec!["kinds.hardware_totp".to_owned()],
        ),
        (
            &strict,
            &[(TOTP, ""), (KEY, "")],
            vec![at_least.clone(), device(KEY)],
        ),
        (
            &strict,
            &[(TOTP, ""), (KEY, "L1"), (APP, "")],
            vec![device(APP)],
        ),
        (&loose, &[(KEY, ""), (APP, "")], vec![]),
        (
            &loose,
            &[(KEY, "L1"), (OTHER_KEY, "L1")],
            vec!["kinds.hardware_totp".to_owned()],
        ),
        (&fido_only, &[(KEY, "L1"), (OTHER_KEY, "L1")], vec![]),
        (
            &loose,
            &[(KEY, ""), (TOTP, ""), (SMS, "")],
            vec![device(SMS)],
        ),
    ] {
        let changes = changes(&want_devices(rule.clone()), &have_devices(devices(serials)));
        if expected.is_empty() {
            assert_eq!(changes, [], "{serials:?}");
            continue;
        }
        let [change] = changes.as_slice() else {
            panic!("{serials:?}: {changes:?}");
        };
        assert_eq!(
            (change.address.to_string().as_str(), change.action),
            ("111122223333/mfa_device/alice", Action::Manual)
        );
        assert_eq!(fields(change), expected, "{serials:?}");
        assert!(change.operations.is_empty() && change.blocked.is_none());
        assert!(
            change.steps.iter().any(|step| step
                .contains("https://console.aws.amazon.com/iam/home#/users/details/alice")
                || step
                    .contains("aws iam deactivate-mfa-device --user-name alice --serial-number")),
            "{:?}",
            change.steps
        );
    }
}

#[test]
fn devices_are_not_looked_at_unless_the_spec_asks() {
    let live = have_devices(devices(&[(SMS, "")]));
    assert_eq!(changes(&want_user(user(), false, false), &live), []);
    let unread = Inventory {
        people: None,
        ..live
    };
    assert_eq!(changes(&want_devices(rule(&[], None)), &unread), []);
}

#[test]
fn a_user_that_is_yet_to_be_made_lacks_its_devices() {
    let live = Inventory {
        people: Some(People::default()),
        ..Inventory::default()
    };
    let changes = changes(&want_devices(rule(&[], None)), &live);
    assert_eq!(
        addresses(&changes),
        [
            "111122223333/iam_user/alice",
            "111122223333/mfa_device/alice"
        ]
    );
}

#[test]
fn devices_that_came_or_went_since_the_last_apply_are_told_until_an_apply_records_them() {
    let desired = want_devices(rule(&[], None));
    let mut live = have_devices(devices(&[(TOTP, ""), (KEY, "L1")]));
    assert_eq!(changes(&desired, &live), []);
    let person = live
        .people
        .as_mut()
        .unwrap()
        .users
        .get_mut("alice")
        .unwrap();
    person.mfa_devices = devices(&[(TOTP, ""), (APP, "")]);
    let change = only_change(&desired, &live);
    assert_eq!(
        (change.action, change.risk, fields(&change)),
        (Action::Update, Risk::High, vec!["tags.breakglass:mfa"])
    );
    let reason = change.reason.as_deref().unwrap();
    assert!(reason.contains("added mfa/alice (virtual)"), "{reason}");
    assert!(reason.contains("; gone fido:"), "{reason}");
    assert_eq!(actions(&change.operations), ["iam:TagUser"]);
    for step in &change.operations {
        live.apply(&step.operation).unwrap();
    }
    assert_eq!(changes(&desired, &live), []);
}

#[test]
fn virtual_devices_that_were_never_activated_are_found() {
    let mut live = have_devices(devices(&[]));
    let odd = "arn:aws:iam::111122223333:mfa/break-glass/$(x)/phone".to_owned();
    live.people.as_mut().unwrap().unactivated_devices = BTreeSet::from([odd]);
    let change = only_change(&want_user(user(), false, false), &live);
    assert_eq!(
        (change.address.to_string().as_str(), change.action),
        (
            "111122223333/mfa_device/mfa/break-glass/$(x)/phone",
            Action::Manual
        )
    );
    assert!(
        change.steps[0].contains("'arn:aws:iam::111122223333:mfa/break-glass/$(x)/phone'"),
        "{:?}",
        change.steps
    );
}

#[test]
fn keys_and_certificates_go_and_a_key_that_is_in_use_is_told() {
    let set = |id: &str| BTreeSet::from([id.to_owned()]);
    let held = User {
        access_keys: set("AKIAEXAMPLE"),
        ssh_keys: set("APKAEXAMPLE"),
        service_credentials: set("ACCAEXAMPLE"),
        signing_certificates: set("CERTEXAMPLE"),
        ..user()
    };
    let used = KeyUse {
        created: None,
        active: true,
        last_used: Some("2026-05-06T07:08:09Z".parse().unwrap()),
        service: Some("s3".to_owned()),
    };
    let person = Person {
        access_keys: BTreeMap::from([("AKIAEXAMPLE".to_owned(), used)]),
        ..Person::default()
    };
    let change = only_change(
        &want_user(user(), false, false),
        &have_person(held.clone(), person),
    );
    assert_eq!(
        fields(&change),
        [
            "access_keys",
            "ssh_keys",
            "service_credentials",
            "signing_certificates"
        ]
    );
    assert_eq!(
        change.reason.as_deref(),
        Some("key AKIAEXAMPLE was last used 2026-05-06 with s3")
    );
    assert_eq!(
        actions(&change.operations),
        [
            "iam:DeleteAccessKey",
            "iam:DeleteSSHPublicKey",
            "iam:DeleteServiceSpecificCredential",
            "iam:DeleteSigningCertificate"
        ]
    );
    let gone = only_change(
        &Desired {
            users: Some(BTreeMap::new()),
            ..Desired::default()
        },
        &have_user(held),
    );
    assert_eq!(gone.blocked, None);
    assert_eq!(actions(&gone.operations).last(), Some(&"iam:DeleteUser"));
}

fn have_password(reset_required: bool, expiry: Option<PasswordExpiry>, changed: bool) -> Inventory {
    let password = Password {
        created: jiff::Timestamp::UNIX_EPOCH,
        reset_required,
        changed: changed.then(|| "2026-01-01T00:00:00Z".parse().unwrap()),
    };
    let person = Person {
        password: Some(password),
        ..Person::default()
    };
    let mut live = have_person(user(), person);
    live.login_profiles.insert("alice".to_owned());
    live.people.as_mut().unwrap().password_expiry = expiry;
    live
}

#[test]
fn a_password_that_would_not_work_when_it_is_needed_is_told() {
    let desired = want_user(user(), true, false);
    // Never used, and that is as it should be.
    assert_eq!(changes(&desired, &have_password(false, None, false)), []);
    let change = only_change(&desired, &have_password(true, None, false));
    assert_eq!(
        (change.address.to_string().as_str(), change.action),
        ("111122223333/credential/alice", Action::Manual)
    );
    assert_eq!(fields(&change), ["password_reset_required"]);
    for (hard, changed, risk, expires) in [
        (false, true, Risk::Medium, "2028-01-01"),
        (true, true, Risk::High, "2028-01-01"),
        (true, false, Risk::High, "730 days after it was set"),
    ] {
        let expiry = PasswordExpiry { days: 730, hard };
        let live = have_password(false, Some(expiry), changed);
        let change = only_change(&desired, &live);
        assert_eq!((change.action, change.risk), (Action::Manual, risk));
        assert_eq!(change.fields[0].path, "password_expires");
        assert_eq!(change.fields[0].live, json!(expires));
        let reason = change.reason.as_deref().unwrap();
        assert_eq!(reason.contains("only an administrator"), hard, "{reason}");
    }
}

#[test]
fn a_password_that_was_used_is_told_until_it_is_reset() {
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let live = |used: &str, set: Option<&str>| {
        let mut live = have_password(false, None, false);
        let person = live.people.as_mut().unwrap().users.get_mut("alice");
        person.unwrap().last_used = Some(time(used));
        let tags = &mut live.users.get_mut("alice").unwrap().tags;
        tags.extend(set.map(|set| (PASSWORD_TAG.to_owned(), set.to_owned())));
        live
    };
    let desired = |reset_at: Option<&str>| {
        let mut desired = want_user(user(), true, false);
        let alice = desired.users.as_mut().unwrap().get_mut("alice").unwrap();
        alice.value.reset_at = reset_at.map(time);
        desired
    };
    let before = "2020-01-01T00:00:00Z";
    let (used, after) = ("2020-01-02T00:00:00Z", "2020-01-03T00:00:00Z");
    for (set, reset_at) in [
        (None, None),
        (Some(before), None),
        (Some(before), Some(before)),
    ] {
        let change = only_change(&desired(reset_at), &live(used, set));
        assert_eq!(
            (change.address.to_string().as_str(), change.action),
            ("111122223333/credential/alice", Action::Manual)
        );
        assert_eq!(fields(&change), ["password_last_used"]);
        assert_eq!(change.fields[0].live, json!(used));
        let steps = change.steps.join(" ");
        assert!(steps.contains("credentials issue alice"), "{steps}");
    }
    for (set, reset_at) in [
        (Some(after), None),
        (Some(before), Some(after)),
        (None, Some(used)),
    ] {
        assert_eq!(changes(&desired(reset_at), &live(used, set)), []);
    }
    // A record of what is yet to come hides nothing.
    let future = "2999-01-01T00:00:00Z";
    let change = only_change(&desired(Some(future)), &live(used, Some(future)));
    assert_eq!(fields(&change), ["password_last_used"]);
}

fn origin() -> Origin {
    wanted(()).origin
}

fn root(mfa: bool) -> RootCredentials {
    RootCredentials {
        mfa,
        virtual_mfa: None,
        access_keys: false,
        signing_certificates: false,
        password: Some(true),
    }
}

#[test]
fn root_users_are_held_against_what_is_wanted() {
    let want = |management, no_credentials| Desired {
        root: Some(DesiredRoot {
            origin: origin(),
            features: Vec::new(),
            management,
            mfa: true,
            no_credentials,
        }),
        ..Desired::default()
    };
    let have = |credentials| Inventory {
        root: Some(RootAccess {
            credentials: Some(credentials),
            features: None,
        }),
        ..Inventory::default()
    };
    let (management, central, own) = (want(true, false), want(false, true), want(false, false));
    let hardware = RootCredentials {
        virtual_mfa: Some(false),
        ..root(true)
    };
    let app = RootCredentials {
        virtual_mfa: Some(true),
        ..root(true)
    };
    let keys = RootCredentials {
        access_keys: true,
        signing_certificates: true,
        ..hardware.clone()
    };
    let bare = RootCredentials {
        password: Some(false),
        ..root(false)
    };
    let untold = RootCredentials {
        password: None,
        ..root(false)
    };
    let both = ["access_keys", "signing_certificates"].as_slice();
    for (desired, credentials, expected) in [
        (&management, &hardware, &[][..]),
        (&management, &app, &["mfa"]),
        (&management, &root(false), &["mfa"]),
        (&management, &bare, &["mfa"]),
        (&management, &keys, both),
        (&central, &bare, &[]),
        (&central, &root(true), &["password"]),
        (&central, &root(false), &["password", "mfa"]),
        (&central, &untold, &["mfa"]),
        (&own, &root(true), &[]),
        (&own, &root(false), &["mfa"]),
        (&own, &bare, &[]),
    ] {
        let changes = changes(desired, &have(credentials.clone()));
        let found: Vec<&str> = changes.iter().flat_map(fields).collect();
        assert_eq!(found, expected, "{credentials:?}");
        for change in &changes {
            assert_eq!(
                (change.address.to_string().as_str(), change.action),
                ("111122223333/root_access/root", Action::Manual)
            );
            assert!(change.steps[0].contains("https://console.aws.amazon.com/iam/home"));
        }
    }
}

#[test]
fn features_for_root_users_are_turned_on_and_never_off() {
    let want = |on| Desired {
        root: Some(DesiredRoot {
            origin: origin(),
            features: vec![(RootFeature::RootSessions, on)],
            management: true,
            mfa: false,
            no_credentials: false,
        }),
        ..Desired::default()
    };
    let have = |features: &[RootFeature]| Inventory {
        root: Some(RootAccess {
            credentials: None,
            features: Some(features.iter().copied().collect()),
        }),
        ..Inventory::default()
    };
    let mut live = have(&[]);
    let change = only_change(&want(true), &live);
    assert_eq!(
        (change.address.to_string().as_str(), change.action),
        ("org/root_access/root_sessions", Action::Update)
    );
    assert_eq!(
        actions(&change.operations),
        ["iam:EnableOrganizationsRootSessions"]
    );
    live.apply(&change.operations[0].operation).unwrap();
    assert_eq!(changes(&want(true), &live), []);
    let change = only_change(&want(false), &live);
    assert_eq!(change.action, Action::Manual);
    assert_eq!(changes(&want(false), &have(&[])), []);
}

#[test]
fn a_password_that_has_expired_is_told_as_such_and_a_newer_one_has_not() {
    let expiry = PasswordExpiry {
        days: 90,
        hard: false,
    };
    // Set on the first of January 2026, by the report.
    let mut live = have_password(false, Some(expiry), true);
    let desired = want_user(user(), true, false);
    let change = only_change(&desired, &live);
    assert_eq!(
        (change.risk, &change.fields[0].live),
        (Risk::High, &json!("2026-04-01"))
    );
    assert!(change.reason.unwrap().contains("has expired on 2026-04-01"));

    let tags = &mut live.users.get_mut("alice").unwrap().tags;
    tags.insert(PASSWORD_TAG.to_owned(), "2027-01-01T00:00:00Z".to_owned());
    let change = only_change(&desired, &live);
    assert_eq!(
        (change.risk, &change.fields[0].live),
        (Risk::Medium, &json!("2027-04-01"))
    );
}

#[test]
fn a_vaulted_key_that_was_used_is_told_until_it_is_replaced_or_reset() {
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let key = |created: Option<&str>, used: Option<&str>| {
        let key = KeyUse {
            active: true,
            created: created.map(time),
            last_used: used.map(time),
            service: None,
        };
        let person = Person {
            access_keys: BTreeMap::from([("AKIA1".to_owned(), key)]),
            ..Person::default()
        };
        let mut user = user();
        user.access_keys.insert("AKIA1".to_owned());
        have_person(user, person)
    };
    let desired = |reset_at: Option<&str>| {
        let mut desired = want_user(user(), false, true);
        let alice = desired.users.as_mut().unwrap().get_mut("alice").unwrap();
        alice.value.reset_at = reset_at.map(time);
        desired
    };
    let (before, used, after) = (
        Some("2020-01-01T00:00:00Z"),
        Some("2020-01-02T00:00:00Z"),
        Some("2020-01-03T00:00:00Z"),
    );
    for (created, used, reset_at, told) in [
        (before, None, None, false),
        (before, used, None, true),
        (None, used, None, false),
        (None, used, before, true),
        (before, used, before, true),
        (before, used, after, false),
        (before, used, Some("2999-01-01T00:00:00Z"), true),
    ] {
        let found = changes(&desired(reset_at), &key(created, used));
        let fields: Vec<_> = found.iter().flat_map(fields).collect();
        let expected = if told {
            vec!["access_keys_last_used.AKIA1"]
        } else {
            vec![]
        };
        assert_eq!(fields, expected);
    }
}
