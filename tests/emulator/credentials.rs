//! New passwords: sealed, set, and never lost, whatever AWS or the machine does in between.

use std::collections::BTreeSet;

use age::x25519::Identity;
use serde_json::{Value, json};

use crate::SPEC;
use crate::harness::{EMERGENCY, Emulator};

const ISSUE: [&str; 4] = ["credentials", "issue", "bg-alice", "--yes"];

/// An organization with the users in place, and the custodian of bg-alice's password.
fn organization() -> (Emulator, Identity) {
    let custodian = Identity::generate();
    let sealed = format!(
        "password: {{ name: safe a, recipients: [\"{}\"] }}",
        custodian.to_public()
    );
    let emulator = Emulator::small();
    emulator.write("policies/limit.json", crate::LIMIT);
    emulator.write(
        "breakglass.yaml",
        &SPEC.replace("password: safe a", &sealed),
    );
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.forget_calls();
    (emulator, custodian)
}

fn open(emulator: &Emulator, custodian: &Identity, name: &str) -> String {
    let content = std::fs::read(emulator.path(name)).unwrap();
    let opened = age::decrypt(custodian, &content).unwrap();
    String::from_utf8(opened).unwrap().trim_end().to_owned()
}

/// The passwords that AWS was given, in the order in which it was.
fn given(emulator: &Emulator) -> Vec<Value> {
    let calls = emulator.calls().into_iter();
    let given = calls.filter(|call| call.action.ends_with("LoginProfile"));
    given
        .map(|call| call.params["Password"].clone())
        .filter(Value::is_string)
        .collect()
}

fn files(emulator: &Emulator) -> BTreeSet<String> {
    let entries = std::fs::read_dir(emulator.path("credentials")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

const SETTLED: [&str; 2] = ["bg-alice.password.age", "bg-alice.password.json"];

#[test]
fn a_password_is_issued_and_issued_again() {
    let (emulator, custodian) = organization();
    let missing = format!("{EMERGENCY}/credential/bg-alice");
    assert!(
        emulator
            .run(&["drift"])
            .expect(2)
            .stdout
            .contains("bg-alice")
    );

    let run = emulator.run(&ISSUE).expect(0);
    assert_eq!(run.stdout, "credentials/bg-alice.password.age\n");
    let first = open(&emulator, &custodian, "credentials/bg-alice.password.age");
    assert_eq!(given(&emulator).last().unwrap(), &json!(first));
    let (_, drift) = emulator.json(&["drift"]);
    let addresses: Vec<&Value> = drift["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["address"])
        .collect();
    assert!(!addresses.contains(&&json!(missing)), "{addresses:?}");

    emulator.run(&ISSUE).expect(0);
    let second = open(&emulator, &custodian, "credentials/bg-alice.password.age");
    assert_ne!(first, second);
    assert_eq!(given(&emulator).last().unwrap(), &json!(second));
    assert!(files(&emulator).iter().eq(SETTLED));
}

#[test]
fn no_password_is_shown_or_logged() {
    let (emulator, custodian) = organization();
    let mut command = emulator.command(&[&ISSUE[..], &["-vv"]].concat());
    let output = command.env("BREAKGLASS_LOG", "trace").output().unwrap();
    let password = open(&emulator, &custodian, "credentials/bg-alice.password.age");
    let escaped = password.replace('-', "%2D");
    assert!(String::from_utf8_lossy(&output.stderr).contains("CreateLoginProfile"));
    for text in [output.stdout, output.stderr] {
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(&password) && !text.contains(&escaped));
    }
    let record = emulator.read("credentials/bg-alice.password.json");
    assert!(!record.contains(&password));
}

#[test]
fn a_refusal_leaves_no_file_and_the_old_password() {
    let (emulator, custodian) = organization();
    let denied = json!([{ "kind": "access_denied", "action": "iam:*LoginProfile" }]);
    emulator.faults(denied.clone());
    let run = emulator.run(&ISSUE).expect(1);
    assert!(run.stderr.contains("not changed"), "{}", run.stderr);
    assert!(files(&emulator).is_empty());
    emulator.no_faults();
    emulator.run(&ISSUE).expect(0);
    let before = open(&emulator, &custodian, "credentials/bg-alice.password.age");
    emulator.faults(denied);
    emulator.run(&ISSUE).expect(1);
    assert!(files(&emulator).iter().eq(SETTLED));
    assert_eq!(
        open(&emulator, &custodian, "credentials/bg-alice.password.age"),
        before
    );
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_password() {
    let (emulator, custodian) = organization();
    emulator.run(&ISSUE).expect(0);
    emulator.forget_calls();
    emulator
        .faults(json!([{ "kind": "lost_answer", "action": "iam:UpdateLoginProfile", "times": 1 }]));
    emulator.run(&ISSUE).expect(0);
    let password = open(&emulator, &custodian, "credentials/bg-alice.password.age");
    assert_eq!(given(&emulator), [json!(password), json!(password)]);
}

#[test]
fn a_run_killed_at_any_call_loses_no_password_and_the_next_one_settles_it() {
    for (first, kind, action, told) in [
        (true, "hold", "iam:CreateLoginProfile", true),
        (true, "hold_answer", "iam:CreateLoginProfile", true),
        (true, "hold", "iam:TagUser", false),
        (false, "hold", "iam:UpdateLoginProfile", true),
        (false, "hold_answer", "iam:UpdateLoginProfile", true),
        (false, "hold", "iam:TagUser", false),
        (false, "hold_answer", "iam:TagUser", false),
    ] {
        let (emulator, custodian) = organization();
        if !first {
            emulator.run(&ISSUE).expect(0);
        }
        let opened = || -> Vec<Value> {
            let sealed = files(&emulator)
                .into_iter()
                .filter(|name| name.ends_with(".age"));
            let sealed = sealed.map(|name| format!("credentials/{name}"));
            sealed
                .map(|name| json!(open(&emulator, &custodian, &name)))
                .collect()
        };
        let before = if first { Vec::new() } else { opened() };
        let rule = json!({ "kind": kind, "action": action, "times": 1 });
        assert!(emulator.kill_when_held(&ISSUE, &rule), "{rule}");

        // Whether AWS took the new one or not: it can be opened, and so can the one before where that isn't known.
        let can_be_opened = opened();
        assert!(
            can_be_opened.contains(given(&emulator).last().unwrap()),
            "{rule}"
        );
        assert!(
            !told || before.iter().all(|one| can_be_opened.contains(one)),
            "{rule}"
        );
        let run = emulator.run(&ISSUE).expect(0);
        let tells = run.stderr.contains("did not learn whether AWS took");
        assert_eq!(tells, told, "{rule}: {}", run.stderr);
        assert!(files(&emulator).iter().eq(SETTLED));
        assert_eq!(
            opened(),
            given(&emulator).split_off(given(&emulator).len() - 1)
        );
        let quiet = emulator.run(&ISSUE).expect(0);
        assert!(!quiet.stderr.contains("did not learn"), "{}", quiet.stderr);
    }
}

#[test]
fn who_can_not_be_given_a_password_is_told_where_the_spec_says_so() {
    let (emulator, _) = organization();
    let run = emulator
        .run(&["credentials", "issue", "--all", "--yes"])
        .expect(65);
    assert!(run.stderr.contains("breakglass.yaml:"), "{}", run.stderr);
    assert!(run.stderr.contains("bg-bob"), "{}", run.stderr);
    emulator
        .run(&["credentials", "issue", "nobody", "--yes"])
        .expect(64);
    emulator
        .run(&["credentials", "issue", "bg-alice"])
        .expect(64);
    assert_eq!(given(&emulator), Vec::<Value>::new());
}

#[test]
fn a_user_that_is_not_there_yet_gets_none() {
    let (mut emulator, _) = organization();
    emulator.seed(&crate::harness::small());
    let run = emulator.run(&ISSUE).expect(1);
    assert!(
        run.stderr.contains("has no user bg-alice yet"),
        "{}",
        run.stderr
    );
    assert!(!emulator.path("credentials").exists());
}
