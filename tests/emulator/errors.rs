//! What goes wrong between the AWS backend and AWS is told in a line, and by kind.

use std::collections::BTreeSet;

use breakglass::cloud::aws::{Settings, connect};
use breakglass::cloud::{Cloud as _, ErrorKind};
use futures_util::future::{join, join_all};
use serde_json::json;

use crate::backend::{CREDENTIALS, account, is_isolated, isolated, scope};
use crate::harness::{Emulator, MANAGEMENT, PROD_PAY, SAND};

#[test]
fn failures_are_told_in_a_line_and_by_kind() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::small();
        for (rule, kind, texts) in [
            (
                json!({ "kind": "access_denied", "action": "sts:AssumeRole" }),
                ErrorKind::AccessDenied,
                &[
                    "sts:AssumeRole: AccessDenied: ",
                    "(role arn:aws:iam::111122223333:role/OrganizationAccountAccessRole)",
                ][..],
            ),
            (
                json!({ "kind": "access_denied", "action": "iam:ListRoles" }),
                ErrorKind::AccessDenied,
                &["iam:ListRoles: AccessDenied: User is not authorized"],
            ),
            (
                json!({ "kind": "expired_token", "action": "iam:*" }),
                ErrorKind::Credentials,
                &["ExpiredToken: ", "aws sso login"],
            ),
            (
                json!({ "kind": "error", "code": "SignatureDoesNotMatch", "message": "no\nx-amz-security-token:s3cret", "status": 403 }),
                ErrorKind::Credentials,
                &["SignatureDoesNotMatch: the request was not signed"],
            ),
            (
                json!({ "kind": "error", "action": "iam:*", "code": "Odd", "message": "a\u{9b}31m\n\tb" }),
                ErrorKind::Service,
                &["Odd: a 31m b"],
            ),
        ] {
            emulator.no_faults();
            let aws = emulator.connect().await;
            emulator.faults(json!([rule]));
            let failed = aws.account(&account(PROD_PAY), &scope()).await;
            let failed = failed.unwrap_err();
            let line = failed.to_string();
            assert_eq!(failed.kind, kind, "{line}");
            for text in texts {
                assert!(line.contains(text), "{line}");
            }
            let harmful = line.contains("s3cret") || line.contains(char::is_control);
            assert!(!harmful, "{line}");
        }
    });
}

#[test]
fn what_never_answers_is_told_by_endpoint_or_status() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::small();
        let aws = emulator.connect().await;
        emulator.faults(json!([
            { "kind": "malformed", "action": "iam:*", "account": MANAGEMENT },
            { "kind": "half_body", "action": "iam:*", "account": PROD_PAY },
            { "kind": "drop", "action": "iam:*", "account": SAND },
        ]));
        let (ids, scope) = ([MANAGEMENT, PROD_PAY, SAND].map(account), scope());
        let reads = ids.iter().map(|id| aws.account(id, &scope));
        // Nobody listens there.
        let url = "http://127.0.0.1:1";
        let mut settings = emulator.backend_settings();
        settings.endpoint_url = Some(url.replace("http://", "http://user:s3cret@"));
        // Each is tried ten times, so they go side by side.
        let (failures, unconnected) = join(join_all(reads), connect(settings)).await;

        let texts = [
            "HTTP 200",
            "no whole answer from http://127.0.0.1:",
            "no answer from http://127.0.0.1:",
        ];
        for (failed, text) in failures.into_iter().zip(texts) {
            let failed = failed.unwrap_err();
            assert_eq!(failed.kind, ErrorKind::Network);
            assert!(failed.to_string().contains(text), "{failed}");
        }
        let failed = unconnected.unwrap_err();
        assert_eq!(failed.kind, ErrorKind::Network);
        let named = format!("no answer from {url}");
        assert!(failed.message.contains(&named), "{failed}");
        assert!(!failed.message.contains("s3cret"), "{failed}");
    });
}

#[test]
fn what_passes_is_ridden_out() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::small();
        emulator.faults(json!([
            { "kind": "throttle", "action": "organizations:DescribeOrganization", "times": 3 },
            { "kind": "drop", "action": "organizations:ListAccounts", "times": 2 },
            { "kind": "error500", "action": "iam:ListRoles", "times": 2 },
            { "kind": "half_body", "action": "iam:GetAccountAuthorizationDetails", "times": 1 },
        ]));
        let aws = emulator.connect().await;
        let id = emulator.organization_id.as_str();
        aws.organization(Some(id), true).await.unwrap();
        aws.account(&account(PROD_PAY), &scope()).await.unwrap();
        assert_eq!(emulator.fired(), [3, 2, 2, 1]);
    });
}

#[test]
fn missing_credentials_are_told_as_such() {
    isolated(&[], async || {
        let emulator = Emulator::small();
        let failed = emulator.try_connect().await.unwrap_err();
        assert_eq!(failed.kind, ErrorKind::Credentials);
        let start = "no AWS credentials found: set AWS_PROFILE";
        assert!(failed.message.starts_with(start), "{failed}");
    });
}

#[test]
fn endpoint_profile_process_and_proxy_come_from_the_environment() {
    let read = async || {
        let aws = connect(Settings {
            endpoint_url: None,
            member_role: crate::backend::one_role("OrganizationAccountAccessRole"),
            overrides: Default::default(),
            concurrency: 1,
        });
        let aws = aws.await.unwrap();
        aws.account(&account(PROD_PAY), &scope()).await.unwrap();
    };
    if is_isolated() {
        return isolated(&[], read);
    }
    let emulator = Emulator::small();
    let keys = r#"{"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "test"}"#;
    let profile =
        format!("[profile office]\nregion = eu-west-1\ncredential_process = echo '{keys}'\n");
    let config = emulator.write("config", &profile);
    let config = config.to_str().unwrap();
    let profile = [("AWS_CONFIG_FILE", config), ("AWS_PROFILE", "office")];
    let direct = [("AWS_ENDPOINT_URL", emulator.url.as_str())];
    let proxied = [
        ("AWS_ENDPOINT_URL", "http://aws.invalid"),
        ("HTTP_PROXY", emulator.url.as_str()),
    ];
    for way in [&direct[..], &proxied[..]] {
        emulator.forget_calls();
        isolated(&[&profile[..], way].concat(), read);
        let calls = emulator.calls();
        let regions: BTreeSet<&str> = calls.iter().map(|call| call.region.as_str()).collect();
        assert_eq!(regions, BTreeSet::from(["eu-west-1"]));
        assert_eq!(calls.len(), 5);
    }
}
