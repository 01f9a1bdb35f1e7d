//! What protects users and root users: devices, passwords, keys, and what is told of each.

use aws_sdk_iam::Client;
use serde_json::{Value, json};

use crate::LIMIT;
use crate::everything::enrol;
use crate::harness::{EMERGENCY, Emulator, MANAGEMENT, PROD_PAY, changes};

const SPEC: &str = r#"
version: 1
organization: { id: ORGANIZATION }
emergency_account: "EMERGENCY"
users:
  - name: bg-alice
    custodians: { password: safe a, token: safe b }
    mfa: { at_least: 2, kinds: [fido2, hardware_totp], fido_certification: L1 }
  - name: bg-bob
    custodians: { password: safe c, token: safe d }
roles:
  - name: BreakGlassRead
    failure_mode: identity_provider_down
    trusted: ["user:bg-alice", "user:bg-bob"]
    permissions: { managed_policies: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] }
"#;

/// A small organization with [`SPEC`] applied, where both users have a password.
async fn applied() -> (Emulator, Client) {
    let emulator = Emulator::small();
    emulator.write("breakglass.yaml", SPEC);
    emulator.write("policies/limit.json", LIMIT);
    emulator.run(&["apply", "--yes"]).expect(0);
    let iam = emulator.iam("emergency").await;
    for user in ["bg-alice", "bg-bob"] {
        let profile = iam.create_login_profile().user_name(user);
        profile.password("Secret-0123456789").send().await.unwrap();
    }
    (emulator, iam)
}

fn fido(user: &str, name: &str) -> String {
    format!("arn:aws:iam::{EMERGENCY}:u2f/user/{user}/{name}")
}

#[track_caller]
fn expect_drift(emulator: &Emulator, expected: &[&str]) -> Value {
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(changes(&drift), expected);
    assert_eq!(code, if expected.is_empty() { 0 } else { 2 });
    drift
}

fn change<'a>(drift: &'a Value, address: &str) -> &'a Value {
    let changes = drift["changes"].as_array().unwrap();
    changes
        .iter()
        .find(|change| change["address"] == address)
        .unwrap_or_else(|| panic!("no {address}: {drift:#}"))
}

#[tokio::test]
async fn devices_are_pending_until_they_are_read_and_told_when_they_come_or_go() {
    let (emulator, iam) = applied().await;
    let address = format!("{EMERGENCY}/mfa_device/bg-alice");
    let pending = format!("{address} manual at_least");
    let drift = expect_drift(&emulator, &[&pending]);
    let steps = change(&drift, &address)["steps"].to_string();
    assert!(
        steps.contains("https://console.aws.amazon.com/iam/home#/users/details/bg-alice?section=security_credentials"),
        "{steps}"
    );
    // An apply leaves to people what is theirs.
    emulator.run(&["apply", "--yes"]).expect(0);
    expect_drift(&emulator, &[&pending]);

    let key = fido("bg-alice", "key-A");
    emulator.settings(json!({ "certifications": { &key: { "FIDO": "L1" } } }));
    enrol(&iam, "bg-alice", "GAHT12345678").await;
    enrol(&iam, "bg-alice", &key).await;
    let record = format!("{EMERGENCY}/iam_user/bg-alice update tags.breakglass:mfa");
    let drift = expect_drift(&emulator, &[&record]);
    let user = change(&drift, &format!("{EMERGENCY}/iam_user/bg-alice"));
    let reason = user["reason"].as_str().unwrap();
    assert!(
        reason.contains(
            "added GAHT12345678 (hardware TOTP), u2f/user/bg-alice/key-A (FIDO, certified L1)"
        ),
        "{reason}"
    );
    emulator.run(&["apply", "--yes"]).expect(0);
    expect_drift(&emulator, &[]);

    // A device that is exchanged for another one counts as well, but it is not the one that was handed over.
    let gone = iam.deactivate_mfa_device().user_name("bg-alice");
    let gone = gone.serial_number("GAHT12345678");
    gone.send().await.unwrap();
    enrol(&iam, "bg-alice", "GAHT99999999").await;
    let drift = expect_drift(&emulator, &[&record]);
    let user = change(&drift, &format!("{EMERGENCY}/iam_user/bg-alice"));
    let reason = user["reason"].as_str().unwrap();
    assert!(
        reason.contains("added GAHT99999999 (hardware TOTP); gone totp:"),
        "{reason}"
    );
    emulator.run(&["apply", "--yes"]).expect(0);
    expect_drift(&emulator, &[]);
}

#[tokio::test]
async fn every_kind_of_device_is_told_apart() {
    let (emulator, iam) = applied().await;
    let virtual_device = iam.create_virtual_mfa_device();
    let virtual_device = virtual_device.virtual_mfa_device_name("bg-alice");
    let virtual_device = virtual_device.send().await.unwrap();
    let app = virtual_device.virtual_mfa_device.unwrap().serial_number;
    let (certified, fips, passkey, sms) = (
        fido("bg-alice", "key-A"),
        fido("bg-alice", "key-B"),
        fido("bg-alice", "passkey"),
        format!("arn:aws:iam::{EMERGENCY}:sms-mfa/bg-alice"),
    );
    emulator.settings(json!({ "certifications": {
        &certified: { "FIDO": "L2", "FIPS-140-2": "L2" },
        &fips: { "FIPS-140-2": "L2" },
    } }));
    for serial in [&certified, &fips, &passkey, &app, &sms] {
        enrol(&iam, "bg-alice", serial).await;
    }
    // Nobody asked which devices bg-bob has.
    enrol(
        &iam,
        "bg-bob",
        &format!("arn:aws:iam::{EMERGENCY}:sms-mfa/bg-bob"),
    )
    .await;
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(code, 2);
    let devices = change(&drift, &format!("{EMERGENCY}/mfa_device/bg-alice"));
    assert_eq!(devices["action"], "manual");
    let fields: Vec<(&str, &str)> = devices["fields"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|field| Some((field["path"].as_str()?, field["live"].as_str()?)))
        .collect();
    let path = |serial: &str| format!("devices.{serial}");
    assert_eq!(
        fields,
        [
            (path(&app).as_str(), "mfa/bg-alice (virtual)"),
            (path(&sms).as_str(), "sms-mfa/bg-alice (SMS)"),
            (
                path(&fips).as_str(),
                "u2f/user/bg-alice/key-B (FIDO, certified, but for no level of FIDO)"
            ),
            (
                path(&passkey).as_str(),
                "u2f/user/bg-alice/passkey (uncertified FIDO or passkey)"
            ),
        ]
    );
    let text = emulator.run(&["drift", "-v"]).expect(2).stdout;
    assert!(
        text.contains("aws iam deactivate-mfa-device --user-name bg-alice"),
        "{text}"
    );

    // A device of which nothing can be read is not one without certifications.
    emulator.faults(json!([{ "kind": "access_denied", "action": "iam:GetMFADevice" }]));
    let (code, drift) = emulator.json(&["drift"]);
    let error = drift["unreadable"][0]["error"].as_str().unwrap();
    assert!(
        error.starts_with("iam:GetMFADevice: AccessDenied"),
        "{error}"
    );
    assert_eq!(code, 3);
}

#[tokio::test]
async fn virtual_devices_that_nobody_activated_are_found() {
    let (emulator, iam) = applied().await;
    enrol(&iam, "bg-alice", "GAHT12345678").await;
    enrol(&iam, "bg-alice", "GAHT12345679").await;
    emulator.run(&["apply", "--yes"]).expect(0);
    expect_drift(&emulator, &[]);
    for (path, name) in [
        ("/", "bg-bob"),
        ("/break-glass/", "phone"),
        ("/", "someone"),
    ] {
        let device = iam.create_virtual_mfa_device().path(path);
        let device = device.virtual_mfa_device_name(name);
        device.send().await.unwrap();
    }
    expect_drift(
        &emulator,
        &[
            &format!("{EMERGENCY}/mfa_device/mfa/bg-bob manual activated"),
            &format!("{EMERGENCY}/mfa_device/mfa/break-glass/phone manual activated"),
        ],
    );
}

#[tokio::test]
async fn credentials_that_a_user_shall_not_have_go_and_passwords_that_would_not_work_are_told() {
    let (emulator, iam) = applied().await;
    enrol(&iam, "bg-alice", "GAHT12345678").await;
    enrol(&iam, "bg-alice", "GAHT12345679").await;
    emulator.run(&["apply", "--yes"]).expect(0);
    // The passwords were never used, and that is as it should be.
    expect_drift(&emulator, &[]);

    let key = iam.create_access_key().user_name("bg-bob");
    key.send().await.unwrap();
    let key = iam.upload_ssh_public_key().user_name("bg-bob");
    let key = key.ssh_public_key_body("ssh-rsa AAAAB3NzaC1yc2E test");
    key.send().await.unwrap();
    let credential = iam.create_service_specific_credential();
    let credential = credential.user_name("bg-bob");
    let credential = credential.service_name("codecommit.amazonaws.com");
    credential.send().await.unwrap();
    let profile = iam.update_login_profile().user_name("bg-alice");
    let profile = profile.password_reset_required(true);
    profile.send().await.unwrap();
    let policy = iam.update_account_password_policy();
    let policy = policy.max_password_age(90).hard_expiry(true);
    policy.send().await.unwrap();
    let changed = "2026-01-01T00:00:00+00:00";
    emulator.settings(json!({ "password_changed": { "bg-alice": changed, "bg-bob": "N/A" } }));
    let alice = format!("{EMERGENCY}/credential/bg-alice");
    let bob = format!("{EMERGENCY}/credential/bg-bob");
    let expected = [
        format!("{EMERGENCY}/iam_user/bg-bob update access_keys,ssh_keys,service_credentials"),
        format!("{alice} manual password_reset_required,password_expires"),
        format!("{bob} manual password_expires"),
    ];
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let drift = expect_drift(&emulator, &expected);
    let expires = |address: &str| {
        let fields = change(&drift, address)["fields"]
            .as_array()
            .unwrap()
            .clone();
        fields.last().unwrap()["live"].as_str().unwrap().to_owned()
    };
    assert_eq!(expires(&alice), "2026-04-01");
    assert_eq!(expires(&bob), "90 days after it was set");

    emulator.run(&["apply", "--yes"]).expect(0);
    let profile = iam.update_login_profile().user_name("bg-alice");
    let profile = profile.password_reset_required(false);
    profile.send().await.unwrap();
    iam.delete_account_password_policy().send().await.unwrap();
    expect_drift(&emulator, &[]);
}

/// Root users as they shall be, in settings of the emulator.
fn root_users(changed: &Value) -> Value {
    let mut users = json!({ MANAGEMENT: { "AccountMFAEnabled": 1, "AccountPasswordPresent": 1 } });
    for (account, told) in changed.as_object().unwrap() {
        users[account] = told.clone();
    }
    json!({ "root_users": users })
}

#[tokio::test]
async fn root_users_are_looked_at_where_the_spec_asks() {
    let emulator = Emulator::small();
    let spec = |root: &str| {
        let rest =
            "version: 1\norganization: { id: ORGANIZATION }\nemergency_account: \"EMERGENCY\"\n";
        emulator.write("breakglass.yaml", &format!("{rest}{root}"));
    };
    emulator.settings(root_users(&json!({})));
    spec("root_access: { credentials_management: true, root_sessions: true, mfa: required }\n");
    let features = ["credentials_management", "root_sessions"]
        .map(|feature| format!("org/root_access/{feature} update enabled"));
    let features: Vec<&str> = features.iter().map(String::as_str).collect();
    expect_drift(&emulator, &features);
    // The organization has to trust IAM first, which the apply sees to.
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    emulator.run(&["apply", "plan.json"]).expect(0);
    emulator.forget_calls();
    expect_drift(&emulator, &[]);
    let calls = |account: &str| -> Vec<String> {
        let calls = emulator.calls().into_iter();
        let own = calls.filter(|call| call.account == account && call.service == "iam");
        let mut names: Vec<String> = own.map(|call| call.action).collect();
        names.sort();
        names
    };
    let usual = [
        "GetAccountAuthorizationDetails",
        "GetAccountSummary",
        "ListRoles",
    ];
    assert_eq!(calls(PROD_PAY), usual);

    for (told, expected) in [
        (
            json!({ MANAGEMENT: { "AccountMFAEnabled": 0 } }),
            format!("{MANAGEMENT}/root_access/root manual mfa"),
        ),
        (
            json!({ MANAGEMENT: { "AccountMFAEnabled": 1, "AccountAccessKeysPresent": 1 } }),
            format!("{MANAGEMENT}/root_access/root manual access_keys"),
        ),
        (
            json!({ PROD_PAY: { "AccountPasswordPresent": 1, "AccountMFAEnabled": 1 } }),
            format!("{PROD_PAY}/root_access/root manual password"),
        ),
        (
            json!({ PROD_PAY: { "AccountPasswordPresent": 1 } }),
            format!("{PROD_PAY}/root_access/root manual password,mfa"),
        ),
    ] {
        emulator.settings(root_users(&told));
        expect_drift(&emulator, &[&expected]);
    }

    emulator.settings(root_users(&json!({})));
    for (call, account) in [
        ("iam:GetAccountSummary", PROD_PAY),
        ("iam:ListOrganizationsFeatures", MANAGEMENT),
    ] {
        emulator.faults(json!([{ "kind": "access_denied", "action": call, "account": account }]));
        let (code, drift) = emulator.json(&["drift"]);
        assert_eq!((code, changes(&drift)), (3, Vec::new()), "{call}");
        assert_eq!(drift["unreadable"][0]["account"], account);
    }
    emulator.no_faults();

    // A virtual device of the root user is one of the few things that tell its kind.
    let iam = emulator.iam("management").await;
    iam.create_user()
        .user_name("stand-in")
        .send()
        .await
        .unwrap();
    let device = iam.create_virtual_mfa_device();
    let device = device.virtual_mfa_device_name("root-account-mfa-device");
    let device = device.send().await.unwrap().virtual_mfa_device.unwrap();
    enrol(&iam, "stand-in", device.serial_number()).await;
    expect_drift(
        &emulator,
        &[&format!("{MANAGEMENT}/root_access/root manual mfa")],
    );

    emulator.forget_calls();
    spec("users: []\n");
    expect_drift(&emulator, &[]);
    assert_eq!(
        calls(PROD_PAY),
        ["GetAccountAuthorizationDetails", "ListRoles"]
    );
}

#[tokio::test]
async fn a_snapshot_holds_what_protects_people() {
    let (emulator, iam) = applied().await;
    let key = fido("bg-alice", "key-A");
    emulator.settings(json!({ "certifications": { &key: { "FIDO": "L1" } } }));
    enrol(&iam, "bg-alice", "GAHT12345678").await;
    enrol(&iam, "bg-alice", &key).await;
    emulator.run(&["snapshot", "--out", "org.json"]).expect(0);
    let snapshot: Value = serde_json::from_str(&emulator.read("org.json")).unwrap();
    let people = &snapshot["accounts"][EMERGENCY]["complete"]["people"];
    let device = &people["users"]["bg-alice"]["mfa_devices"][key.as_str()];
    assert_eq!(device["certifications"], json!({ "FIDO": "L1" }));
    assert!(people["users"]["bg-bob"]["password"]["created"].is_string());
    // What an import writes leaves the record of devices alone.
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator
        .run(&["import", "--out", "imported.yaml"])
        .expect(0);
    emulator
        .run(&["drift", "--spec", "imported.yaml"])
        .expect(0);
    emulator.run(&["snapshot", "--out", "org.json"]).expect(0);
    let (_, live) = emulator.json(&["drift"]);
    let (_, held) = emulator.json(&["drift", "--org", "org.json"]);
    assert_eq!(changes(&held), changes(&live));

    // What a snapshot does not hold is not held to be none.
    let without = emulator
        .read("org.json")
        .replace("\"people\"", "\"of_old\"");
    emulator.write("org.json", &without);
    let (code, drift) = emulator.json(&["drift", "--org", "org.json"]);
    assert_eq!(code, 3);
    let error = drift["unreadable"][0]["error"].as_str().unwrap();
    assert!(error.contains("take a new one with this spec"), "{error}");
}
