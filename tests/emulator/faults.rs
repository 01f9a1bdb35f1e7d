//! What goes wrong while AWS is read: each ends with its exit code and says what happened, and an account that could
//! not be read is never in sync.

use serde_json::{Value, json};

use crate::harness::{
    Call, EMERGENCY, Emulator, IDENTIFIED, MANAGEMENT, PROD_PAY, Run, SAND, changes,
};
use crate::{applied_small_organization, drift, small_organization};

/// A fault that keeps one account from being entered.
fn shut(account: &str) -> Value {
    json!([{
        "kind": "access_denied",
        "action": "sts:AssumeRole",
        "params": { "RoleArn": format!("arn:aws:iam::{account}:role/*") },
    }])
}

/// Expects a report that is incomplete for want of these accounts, each with how its error begins.
#[track_caller]
fn expect_unreadable(report: &Value, expected: &[(&str, &str)]) {
    assert_eq!(report["outcome"], "incomplete");
    let found = report["unreadable"].as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, (account, error)) in found.iter().zip(expected) {
        assert_eq!(found["account"], *account);
        let told = found["error"].as_str().unwrap();
        assert!(told.starts_with(error), "{told}");
    }
}

/// Expects that with one account out of reach everything else is compared and done.
fn expect_the_others_done(emulator: &Emulator, account: &str, error: &str) {
    for command in ["plan", "drift"] {
        let (code, report) = emulator.json(&[command]);
        assert_eq!(code, 3);
        expect_unreadable(&report, &[(account, error)]);
        assert_eq!(report["summary"]["accounts"]["different"], 3);
        assert!(
            !changes(&report)
                .iter()
                .any(|change| change.contains(account))
        );
    }
    emulator.forget_calls();
    let (code, report) = emulator.json(&["apply", "--yes"]);
    assert_eq!(code, 3);
    expect_unreadable(&report, &[(account, error)]);
    let writes = emulator.writes();
    assert!(!writes.is_empty() && writes.iter().all(|call| call.account != account));

    let (code, report) = emulator.json(&["drift"]);
    assert_eq!((code, changes(&report)), (3, Vec::new()));
    let told = emulator.run(&["drift"]).expect(3).stdout;
    assert!(told.contains(account) && told.contains(error), "{told}");
}

#[test]
fn an_account_that_refuses_entry_is_unreadable_and_the_others_are_done() {
    let emulator = small_organization();
    emulator.faults(shut(SAND));
    expect_the_others_done(&emulator, SAND, "sts:AssumeRole: AccessDenied: ");

    emulator.no_faults();
    let (_, plan) = emulator.json(&["plan"]);
    let in_sand = |change: &String| change.starts_with(SAND);
    assert!(changes(&plan).iter().all(in_sand));
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
    emulator.faults(shut(SAND));
    emulator.run(&["drift"]).expect(3);
    for command in ["snapshot", "import"] {
        let run = emulator.run(&[command, "--out", command]).expect(3);
        assert!(run.stderr.contains("unreadable: 444455556666"), "{run:?}");
    }
    emulator.run(&["drift", "--org", "snapshot"]).expect(3);
    emulator.faults(shut("*"));
    let (code, report) = emulator.json(&["drift"]);
    assert_eq!(code, 3);
    expect_unreadable(
        &report,
        &[PROD_PAY, EMERGENCY, SAND].map(|id| (id, "sts:AssumeRole")),
    );
}

#[tokio::test]
async fn an_account_without_the_role_to_enter_it_is_unreadable_and_the_others_are_done() {
    let emulator = small_organization();
    let iam = emulator.iam("prod-pay").await;
    let role = "OrganizationAccountAccessRole";
    let detach = iam.detach_role_policy().role_name(role);
    let detach = detach.policy_arn("arn:aws:iam::aws:policy/AdministratorAccess");
    detach.send().await.unwrap();
    iam.delete_role().role_name(role).send().await.unwrap();
    emulator.settings(json!({ "trust_check": true }));
    expect_the_others_done(&emulator, PROD_PAY, "sts:AssumeRole: AccessDenied: ");
}

#[test]
fn a_call_that_is_denied_inside_an_account_makes_it_unreadable() {
    let emulator = applied_small_organization();
    emulator.run(&["drift"]).expect(0);
    for (call, account) in [
        ("iam:GetAccountAuthorizationDetails", PROD_PAY),
        ("iam:ListRoles", MANAGEMENT),
        ("iam:ListAccessKeys", EMERGENCY),
        ("iam:GetLoginProfile", EMERGENCY),
        ("iam:ListSSHPublicKeys", EMERGENCY),
        ("iam:ListServiceSpecificCredentials", EMERGENCY),
        ("iam:ListSigningCertificates", EMERGENCY),
        ("iam:ListMFADevices", EMERGENCY),
        ("iam:ListVirtualMFADevices", EMERGENCY),
        ("iam:GetAccountPasswordPolicy", EMERGENCY),
        ("iam:GetUser", EMERGENCY),
    ] {
        emulator.faults(json!([{ "kind": "access_denied", "action": call, "account": account }]));
        emulator.forget_calls();
        let error = format!("{call}: AccessDenied: ");
        for command in ["drift", "plan"] {
            let (code, report) = emulator.json(&[command]);
            assert_eq!((code, changes(&report)), (3, Vec::new()), "{call} denied");
            expect_unreadable(&report, &[(account, &error)]);
        }
        let (code, report) = emulator.json(&["apply", "--yes"]);
        assert_eq!((code, emulator.writes()), (3, Vec::new()), "{call} denied");
        expect_unreadable(&report, &[(account, &error)]);
    }
}

#[test]
fn throttling_errors_and_dropped_connections_are_ridden_out() {
    std::thread::scope(|scope| {
        for kind in ["throttle", "error500", "drop"] {
            scope.spawn(move || {
                let emulator = small_organization();
                emulator.run(&["plan", "--out", "quiet.json"]).expect(0);
                let rules = json!([{ "kind": kind, "probability": 0.3 }]);
                emulator.faults(json!({ "seed": 7, "rules": rules }));
                emulator.run(&["plan", "--out", "loud.json"]).expect(0);
                let (quiet, loud) = (
                    emulator.timeless("quiet.json"),
                    emulator.timeless("loud.json"),
                );
                assert_eq!(quiet, loud);
                emulator.run(&["apply", "--yes"]).expect(0);
                emulator.run(&["drift"]).expect(0);
                assert!(emulator.fired()[0] > 50);
            });
        }
    });
}

#[tokio::test]
async fn answers_that_break_off_once_and_the_shape_of_listings_change_nothing() {
    let emulator = applied_small_organization();
    drift::tamper_in_the_small(&emulator).await;
    emulator.run(&["plan", "--out", "plain.json"]).expect(0);
    let plain = emulator.timeless("plain.json");
    assert!(plain.contains("PowerUserAccess") && plain.contains("OldBreakGlass"));
    let expect_the_same = |what: &str| {
        emulator.run(&["plan", "--out", "other.json"]).expect(0);
        assert_eq!(emulator.timeless("other.json"), plain, "{what}");
    };

    let once = |action: &str| json!({ "kind": "half_body", "action": action, "times": 1 });
    emulator.faults(json!([
        once("sts:AssumeRole"),
        once("organizations:*"),
        once("iam:*"),
        once("iam:ListRoles"),
    ]));
    expect_the_same("answers that broke off once");
    assert_eq!(emulator.fired(), [1; 4]);
    emulator.no_faults();

    emulator.settings(json!({ "page_size": 1, "empty_pages": true }));
    expect_the_same("pages of one, the first empty");
    emulator.settings(json!({ "account_paths": true }));
    expect_the_same("with paths in the listing");
    emulator.settings(json!({ "page_size": null, "empty_pages": false, "encode_documents": true }));
    expect_the_same("every document encoded");
}

#[test]
fn an_answer_that_is_never_one_of_aws_names_its_call() {
    let told = "the answer (HTTP 200) is broken off, or is not one that AWS would give";
    // Each takes its time to give up, so they go side by side.
    std::thread::scope(|scope| {
        for call in ["sts:GetCallerIdentity", "organizations:ListAccounts"] {
            scope.spawn(move || {
                let emulator = small_organization();
                emulator.faults(json!([{ "kind": "malformed", "action": call }]));
                let run = emulator.run(&["plan"]).expect(1);
                let told = format!("error: {call}: {told}");
                assert!(run.stderr.starts_with(&told), "{run:?}");
            });
        }
        scope.spawn(|| {
            let emulator = small_organization();
            emulator.faults(json!([{ "kind": "malformed", "action": "sts:AssumeRole" }]));
            let (code, plan) = emulator.json(&["plan"]);
            assert_eq!(code, 3);
            let error = format!("sts:AssumeRole: {told}");
            expect_unreadable(
                &plan,
                &[PROD_PAY, EMERGENCY, SAND].map(|id| (id, error.as_str())),
            );
        });
    });
}

#[test]
fn what_never_comes_right_is_given_up_on() {
    // Each takes its time to give up, so they go side by side.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let emulator = small_organization();
            emulator.faults(json!([
                { "kind": "malformed", "action": "iam:*", "account": PROD_PAY },
                { "kind": "half_body", "action": "iam:*", "account": EMERGENCY },
                { "kind": "drop", "action": "iam:*", "account": SAND },
            ]));
            let (code, plan) = emulator.json(&["plan"]);
            assert_eq!(code, 3);
            expect_unreadable(
                &plan,
                &[(PROD_PAY, "iam:"), (EMERGENCY, "iam:"), (SAND, "iam:")],
            );
            let mut changed = changes(&plan);
            changed.retain(|change| !change.starts_with(MANAGEMENT));
            assert_eq!(changed, Vec::<String>::new());
        });
        scope.spawn(|| {
            let emulator = small_organization();
            emulator.faults(json!([{ "kind": "throttle", "action": "organizations:*" }]));
            let run = emulator.run(&["drift"]).expect(1);
            let told = "organizations:DescribeOrganization: TooManyRequestsException";
            assert!(run.stderr.contains(told), "{run:?}");
            assert!(run.stderr.contains("hint: try again later"), "{run:?}");
        });
        scope.spawn(|| {
            let emulator = small_organization();
            // Nobody listens there.
            let mut drift = emulator.command(&["drift", "--endpoint-url", "http://127.0.0.1:1"]);
            let run = Run::of(drift.output().unwrap()).expect(1);
            assert!(
                run.stderr.contains("no answer from http://127.0.0.1:1"),
                "{run:?}"
            );
            assert!(run.stderr.contains("hint: check the network"), "{run:?}");
            assert_eq!(emulator.calls(), []);
        });
    });
}

#[test]
fn expired_credentials_are_told_with_the_way_out() {
    let emulator = small_organization();
    for action in [
        "sts:GetCallerIdentity",
        "organizations:DescribeOrganization",
    ] {
        emulator.faults(json!([{ "kind": "expired_token", "action": action }]));
        for command in [&["plan"][..], &["drift"], &["apply", "--yes"]] {
            let run = emulator.run(command).expect(1);
            assert_eq!(run.stdout, "");
            let told = format!("error: {action}: ExpiredToken");
            assert!(run.stderr.starts_with(&told), "{run:?}");
            assert!(
                run.stderr.contains("hint: set AWS_PROFILE or log in again"),
                "{run:?}"
            );
        }
    }
}

#[test]
fn without_credentials_nothing_is_called() {
    let emulator = small_organization();
    let mut drift = emulator.command(&["drift"]);
    drift
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY");
    let run = Run::of(drift.output().unwrap()).expect(1);
    assert!(
        run.stderr
            .contains("no AWS credentials found: set AWS_PROFILE"),
        "{run:?}"
    );
    assert_eq!(emulator.calls(), []);
}

#[test]
fn another_organization_is_refused_unread() {
    let emulator = small_organization();
    let spec = emulator.read("breakglass.yaml");
    let other = "o-another0001";
    let spec = spec.replace(&emulator.organization_id, other);
    emulator.write("breakglass.yaml", &spec);
    for command in [
        &["plan"][..],
        &["drift"],
        &["apply", "--yes"],
        &["snapshot", "--out", "org.json"],
        &["import", "--organization-id", other],
    ] {
        emulator.forget_calls();
        let run = emulator.run(command).expect(4);
        assert_eq!(run.stdout, "");
        for id in [other, &emulator.organization_id] {
            assert!(run.stderr.contains(id), "{run:?}");
        }
        let mut called: Vec<_> = emulator.calls().iter().map(Call::name).collect();
        called.sort();
        assert_eq!(called, IDENTIFIED);
    }
    assert!(!emulator.path("org.json").exists());
}
