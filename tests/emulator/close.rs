//! After an incident: passwords are new, sessions are ended, and a second run does nothing twice.

use std::time::Duration;

use age::x25519::Identity;
use serde_json::{Value, json};

use crate::SPEC;
use crate::harness::{EMERGENCY, Emulator, MANAGEMENT, PROD_PAY, SAND, changes};

const CLOSE: [&str; 3] = ["close", "INC-1", "--yes"];
const REVOKED: &str = "breakglass-revoked-sessions";

/// An organization where everything is in place, passwords included, and an incident that used some of it.
fn organization(incident: &str) -> (Emulator, Identity) {
    let custodian = Identity::generate();
    let recipients = format!("recipients: [\"{}\"]", custodian.to_public());
    let spec = SPEC
        .replace(
            "password: safe a",
            &format!("password: {{ name: safe a, {recipients} }}"),
        )
        .replace(
            "password: safe c",
            &format!("password: {{ name: safe c, {recipients} }}"),
        );
    let emulator = Emulator::small();
    emulator.write("policies/limit.json", crate::LIMIT);
    emulator.write(
        "breakglass.yaml",
        &format!("{spec}incidents: {{ file: incidents.yaml }}\n"),
    );
    emulator.write("incidents.yaml", incident);
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator
        .run(&["credentials", "issue", "--all", "--yes"])
        .expect(0);
    emulator.run(&["drift"]).expect(0);
    // Records are in whole seconds: what was issued before the incident is to be older than the closing.
    std::thread::sleep(Duration::from_millis(1_100));
    emulator.forget_calls();
    (emulator, custodian)
}

const EVERYTHING: &str = "- { id: INC-1, opened: 2026-01-01T00:00:00Z }\n";

fn steps(report: &Value, status: &str) -> Vec<String> {
    let steps = report["steps"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    steps
        .filter(|step| step["status"] == status)
        .map(|step| {
            format!(
                "{} {} {}",
                text(&step["step"]),
                text(&step["account"]),
                text(&step["name"])
            )
        })
        .collect()
}

/// What there is to do when everything was used.
fn all() -> Vec<String> {
    let mut all = Vec::new();
    for kind in ["password", "user_sessions"] {
        all.extend(["bg-alice", "bg-bob"].map(|user| format!("{kind} {EMERGENCY} {user}")));
    }
    for account in [PROD_PAY, MANAGEMENT, EMERGENCY, SAND] {
        if account != SAND {
            all.push(format!("role_sessions {account} BreakGlassAdmin"));
        }
        all.push(format!("role_sessions {account} BreakGlassRead"));
    }
    all
}

#[allow(
    clippy::disallowed_methods,
    reason = "the emulator's clock is this machine's"
)]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn names(emulator: &Emulator) -> Vec<String> {
    let names = emulator.writes().into_iter();
    names.map(|call| call.name()).collect()
}

#[test]
fn an_incident_is_closed_once() {
    let (emulator, custodian) = organization(EVERYTHING);
    let open = |user: &str| {
        let path = emulator.path(&format!("credentials/{user}.password.age"));
        age::decrypt(&custodian, &std::fs::read(path).unwrap()).unwrap()
    };
    let before = [open("bg-alice"), open("bg-bob")];
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!(
        (code, &report["outcome"]),
        (0, &json!("closed")),
        "{report:#}"
    );
    assert_eq!(steps(&report, "done"), all());
    assert!(before != [open("bg-alice"), open("bg-bob")]);

    // Passwords first, then users, then roles.
    let names = names(&emulator);
    let password = ["iam:UpdateLoginProfile", "iam:TagUser"];
    let users = ["iam:PutUserPolicy"; 2];
    let roles = ["iam:PutRolePolicy"; 7];
    let expected = [&password[..], &password, &users, &roles].concat();
    assert_eq!(names, expected);
    let cutoff = report["cutoff"].as_str().unwrap();
    for call in emulator.writes() {
        if call.params["PolicyName"] == REVOKED {
            let document = call.params["PolicyDocument"].as_str().unwrap();
            assert!(document.contains(cutoff) && document.contains("aws:TokenIssueTime"));
        }
    }

    // What ended the sessions is expected for now, and a second run does nothing.
    emulator.run(&["drift"]).expect(0);
    emulator.forget_calls();
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!((code, steps(&report, "already_done")), (0, all()));
    assert_eq!(self::names(&emulator), Vec::<String>::new());
}

#[test]
fn only_what_the_incident_used_is_renewed() {
    let incident = format!(
        "- {{ id: INC-1, opened: 2026-01-01T00:00:00Z, accounts: [\"{PROD_PAY}\"], roles: [BreakGlassRead], users: [bg-bob] }}\n"
    );
    let (emulator, _) = organization(&incident);
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(
        steps(&report, "done"),
        [
            format!("password {EMERGENCY} bg-bob"),
            format!("user_sessions {EMERGENCY} bg-bob"),
            format!("role_sessions {PROD_PAY} BreakGlassRead"),
        ]
    );
    assert_eq!(report["drift"]["summary"]["accounts"]["selected"], 3);
}

#[test]
fn what_fails_is_told_and_done_by_the_next_run() {
    let (emulator, _) = organization(EVERYTHING);
    emulator.faults(json!([
        { "kind": "access_denied", "action": "iam:PutRolePolicy", "account": PROD_PAY },
        { "kind": "access_denied", "action": "iam:UpdateLoginProfile", "params": { "UserName": "bg-bob" } },
    ]));
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!((code, &report["outcome"]), (6, &json!("partial")));
    let failed = [
        format!("password {EMERGENCY} bg-bob"),
        format!("role_sessions {PROD_PAY} BreakGlassAdmin"),
        format!("role_sessions {PROD_PAY} BreakGlassRead"),
    ];
    assert_eq!(steps(&report, "failed"), failed);
    let first = report["cutoff"].as_str().unwrap().to_owned();
    emulator.no_faults();
    std::thread::sleep(Duration::from_millis(1_100));
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(
        steps(&report, "already_done"),
        all()
            .iter()
            .filter(|step| !failed.contains(step))
            .cloned()
            .collect::<Vec<_>>()
    );
    assert_eq!(
        report["cutoff"],
        json!(first),
        "it lies after both passwords"
    );
}

#[test]
fn a_password_that_was_used_is_drift_until_it_is_reset() {
    let (emulator, _) = organization(EVERYTHING);
    let now = || now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    emulator.settings(json!({ "password_used": { "bg-bob": now() } }));
    let expected = [format!(
        "{EMERGENCY}/credential/bg-bob manual password_last_used"
    )];
    for command in ["drift", "plan"] {
        let (code, found) = emulator.json(&[command]);
        let expected_code = if command == "drift" { 2 } else { 0 };
        assert_eq!((code, changes(&found)), (expected_code, expected.to_vec()));
    }
    // What is used and what is reset is told in whole seconds.
    std::thread::sleep(Duration::from_millis(1_100));
    emulator.run(&CLOSE).expect(0);
    emulator.run(&["drift"]).expect(0);

    // Whoever looks whether the new password works has used it.
    std::thread::sleep(Duration::from_millis(1_100));
    emulator.settings(json!({ "password_used": { "bg-bob": now() } }));
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!((code, changes(&report["drift"])), (2, expected.to_vec()));
    std::thread::sleep(Duration::from_millis(1_100));
    emulator
        .run(&["credentials", "issue", "bg-bob", "--yes"])
        .expect(0);
    emulator.run(&CLOSE).expect(0);
}

#[test]
fn a_password_whose_time_could_not_be_recorded_is_told_and_recorded_by_the_next_run() {
    let (emulator, _) = organization(EVERYTHING);
    emulator.faults(json!([
        { "kind": "access_denied", "action": "iam:TagUser", "params": { "UserName": "bg-bob" } },
    ]));
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!(code, 6, "{report:#}");
    let failed = [format!("password {EMERGENCY} bg-bob")];
    assert_eq!(steps(&report, "failed"), failed);
    emulator.no_faults();
    emulator.forget_calls();
    let (code, _) = emulator.json(&CLOSE);
    assert_eq!(
        (code, names(&emulator)),
        (0, vec!["iam:TagUser".to_owned()])
    );
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn what_somebody_left_behind_keeps_it_open() {
    let (emulator, _) = organization(EVERYTHING);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let key = runtime.block_on(async {
        let iam = emulator.iam("emergency").await;
        let made = iam.create_access_key().user_name("bg-bob").send().await;
        made.unwrap().access_key.unwrap().access_key_id
    });
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!((code, &report["outcome"]), (2, &json!("open")));
    assert_eq!(
        changes(&report["drift"]),
        [format!("{EMERGENCY}/iam_user/bg-bob update access_keys")]
    );
    assert!(report["drift"].to_string().contains(&key));
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&CLOSE).expect(0);
}

/// Lets an incident be closed anew, with passwords that are older.
fn reopen(emulator: &Emulator) {
    std::fs::remove_file(emulator.path("credentials/INC-1.closing.json")).ok();
    std::thread::sleep(Duration::from_millis(1_100));
    emulator.forget_calls();
}

/// Expects that a closing is ended by the next run, that every password in force can be opened, and that none was set
/// again which an earlier run knew to be in force.
#[track_caller]
fn expect_finished(emulator: &Emulator, custodian: &Identity, passwords: usize) {
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!(code, 0, "{report:#}");
    let done = [steps(&report, "done"), steps(&report, "already_done")].concat();
    assert_eq!(done.len(), all().len());
    let set: Vec<(Value, Value)> = emulator
        .calls()
        .into_iter()
        .filter(|call| call.action == "UpdateLoginProfile")
        .map(|call| {
            (
                call.params["UserName"].clone(),
                call.params["Password"].clone(),
            )
        })
        .collect();
    assert_eq!(set.len(), passwords, "{set:?}");
    for user in ["bg-alice", "bg-bob"] {
        let path = emulator.path(&format!("credentials/{user}.password.age"));
        let opened = age::decrypt(custodian, &std::fs::read(path).unwrap()).unwrap();
        let opened = String::from_utf8(opened).unwrap();
        let (_, last) = set.iter().rfind(|(name, _)| name == user).unwrap();
        assert_eq!(opened.trim_end(), last);
    }
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn a_close_killed_at_any_password_is_finished_by_the_next() {
    let (emulator, custodian) = organization(EVERYTHING);
    // Two users, each with a password and a tag. One more is sent where it can't be known whether AWS took the first.
    for (kind, action, after, passwords) in [
        ("hold", "UpdateLoginProfile", 0, 3),
        ("hold_answer", "UpdateLoginProfile", 0, 3),
        ("hold", "TagUser", 0, 2),
        ("hold_answer", "TagUser", 0, 2),
        ("hold", "UpdateLoginProfile", 1, 3),
        ("hold_answer", "UpdateLoginProfile", 1, 3),
        ("hold", "TagUser", 1, 2),
        ("hold_answer", "TagUser", 1, 2),
    ] {
        reopen(&emulator);
        let action = format!("iam:{action}");
        let rule = json!({ "kind": kind, "action": action, "after": after, "times": 1 });
        assert!(emulator.kill_when_held(&CLOSE, &rule), "{rule}");
        expect_finished(&emulator, &custodian, passwords);
    }
}

#[test]
fn a_close_killed_at_every_end_of_sessions_ends_each_once() {
    let (emulator, custodian) = organization(EVERYTHING);
    let rule = json!({ "kind": "hold_answer", "action": "iam:Put*Policy", "times": 1 });
    let close = [&CLOSE[..], &["--concurrency", "1"]].concat();
    let mut kills = 0;
    while emulator.kill_when_held(&close, &rule) {
        kills += 1;
    }
    assert_eq!(kills, 9, "two users and seven roles");
    assert_eq!(
        names(&emulator).len(),
        2 * 2 + 9,
        "each write was made once"
    );
    expect_finished(&emulator, &custodian, 2);
}

#[test]
fn what_ended_sessions_goes_when_none_can_be_alive_any_more() {
    let (emulator, _) = organization(EVERYTHING);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let put = |cutoff: &str| {
        let document = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": { "DateLessThan": { "aws:TokenIssueTime": cutoff } },
            }],
        });
        runtime.block_on(async {
            let iam = emulator.iam("emergency").await;
            let role = iam.put_role_policy().role_name("BreakGlassRead");
            let role = role
                .policy_name(REVOKED)
                .policy_document(document.to_string());
            role.send().await.unwrap();
            let user = iam.put_user_policy().user_name("bg-bob");
            let user = user
                .policy_name(REVOKED)
                .policy_document(document.to_string());
            user.send().await.unwrap();
        });
    };
    let recent = jiff::SignedDuration::from_mins(-30);
    put(&(now() + recent).to_string());
    emulator.run(&["drift"]).expect(0);
    // It ends no session any more, or it locks out whoever signs in.
    for cutoff in ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        put(cutoff);
        expect_found_and_mended(&emulator);
    }
    put("2099-01-01T00:00:00Z");
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!(code, 0, "{report:#}");
    emulator.run(&["drift"]).expect(0);
}

fn expect_found_and_mended(emulator: &Emulator) {
    let (code, drift) = emulator.json(&["drift"]);
    let field = format!("inline_policies.{REVOKED}");
    let expected = [
        format!("{EMERGENCY}/iam_user/bg-bob update {field}"),
        format!("{EMERGENCY}/iam_role/BreakGlassRead update {field}"),
    ];
    assert_eq!((code, changes(&drift)), (2, expected.to_vec()));
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn an_incident_that_is_not_recorded_is_refused() {
    let (emulator, _) = organization(EVERYTHING);
    let run = emulator.run(&["close", "INC-2", "--yes"]).expect(64);
    assert!(run.stderr.contains("it has: INC-1"), "{}", run.stderr);
    emulator.write(
        "incidents.yaml",
        "- { id: INC-1, opened: 2026-01-01T00:00:00Z, users: [eve] }\n",
    );
    let run = emulator.run(&CLOSE).expect(65);
    let told = "incident INC-1: the spec has no user \"eve\"";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    assert_eq!(names(&emulator), Vec::<String>::new());
}

#[test]
fn a_name_that_the_spec_does_not_have_is_told_and_root_is_left_to_a_person() {
    let (emulator, _) = organization(EVERYTHING);
    let record = |users: &str| {
        format!(
            "- {{ id: INC-1, opened: 2026-01-01T00:00:00Z, users: [{users}], roles: [BreakGlassRead], accounts: [\"{PROD_PAY}\"] }}\n"
        )
    };
    emulator.write("incidents.yaml", &record("bg-karol"));
    let run = emulator.run(&["validate"]).expect(0);
    assert!(
        run.stderr.contains("the spec has no user \"bg-karol\""),
        "{}",
        run.stderr
    );
    emulator.write("incidents.yaml", &record("root"));
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!((code, &report["outcome"]), (2, &json!("open")));
    assert_eq!(
        steps(&report, "manual"),
        [format!("root_user {PROD_PAY} root")]
    );
}

#[test]
fn a_password_that_is_set_by_hand_is_new_when_the_user_says_so() {
    let (emulator, _) = organization(EVERYTHING);
    let spec = std::fs::read_to_string(emulator.path("breakglass.yaml")).unwrap();
    let keyless = spec.split(", recipients: [").next().unwrap().to_owned();
    let rest = spec.split_once(']').unwrap().1;
    emulator.write("breakglass.yaml", &format!("{keyless}{rest}"));
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!(code, 2, "{report:#}");
    assert_eq!(
        steps(&report, "manual"),
        [format!("password {EMERGENCY} bg-alice")]
    );
    let first = report["cutoff"].clone();
    std::thread::sleep(Duration::from_millis(1_100));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let iam = emulator.iam("emergency").await;
        let tag = aws_sdk_iam::types::Tag::builder().key("breakglass:password-set");
        let tag = tag.value(now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let request = iam
            .tag_user()
            .user_name("bg-alice")
            .tags(tag.build().unwrap());
        request.send().await.unwrap();
    });
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!((code, steps(&report, "manual")), (0, vec![]), "{report:#}");
    assert_eq!(report["cutoff"], first, "it lies after the new password");
}

#[test]
fn what_was_done_is_told_though_the_rest_could_not_be_looked_at() {
    let (emulator, _) = organization(EVERYTHING);
    emulator.faults(json!([
        { "kind": "access_denied", "action": "organizations:ListAccounts", "after": 1 },
    ]));
    let (code, report) = emulator.json(&CLOSE);
    assert_eq!(
        (code, &report["outcome"]),
        (3, &json!("incomplete")),
        "{report:#}"
    );
    assert_eq!(steps(&report, "done"), all());
    assert!(report["unread"].as_str().unwrap().contains("ListAccounts"));
    assert!(report.get("drift").is_none());
}
