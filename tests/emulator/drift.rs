//! Changes made behind the tool's back: each is found at its place, nothing else is, and apply brings it back.

use aws_sdk_iam::types::Tag;

use crate::backend::TRUST;
use crate::harness::{Emulator, changes};
use crate::{applied_organization, expect_in_sync, passwords};

#[track_caller]
fn expect_drift(emulator: &Emulator, account: &str, expected: &[&str]) {
    let id = emulator.account(account);
    let mut all: Vec<String> = expected.iter().map(|rest| format!("{id}/{rest}")).collect();
    all.extend(passwords(emulator));
    all.sort();
    let (code, drift) = emulator.json(&["drift"]);
    let mut found = changes(&drift);
    found.sort();
    assert_eq!(found, all);
    assert_eq!(code, 2);
}

#[track_caller]
fn expect_repaired(emulator: &Emulator) {
    emulator.run(&["apply", "--yes"]).expect(0);
    expect_in_sync(emulator);
}

const ADMIN: &str = "BreakGlassAdmin";
const PATH: &str = "/break-glass/";

/// Two changes in two accounts, for tests that need some drift.
pub async fn tamper_a_little(emulator: &Emulator) {
    let iam = emulator.iam("prod-pay").await;
    let arn = "arn:aws:iam::aws:policy/PowerUserAccess";
    iam.attach_role_policy()
        .role_name(ADMIN)
        .policy_arn(arn)
        .send()
        .await
        .unwrap();
    let iam = emulator.iam("dev-pay").await;
    iam.delete_role_policy()
        .role_name(ADMIN)
        .policy_name("deny-tamper")
        .send()
        .await
        .unwrap();
}

/// A permission too much in one account of the small organization, and a role that is left over in another.
pub async fn tamper_in_the_small(emulator: &Emulator) {
    let iam = emulator.iam("prod-pay").await;
    let attach = iam.attach_role_policy().role_name(ADMIN);
    let attach = attach.policy_arn("arn:aws:iam::aws:policy/PowerUserAccess");
    attach.send().await.unwrap();
    let iam = emulator.iam("sand").await;
    let role = iam.create_role().role_name("OldBreakGlass").path(PATH);
    let role = role.assume_role_policy_document(TRUST);
    role.send().await.unwrap();
}

async fn trust(emulator: &Emulator, account: &str, change: impl Fn(&mut serde_json::Value)) {
    let iam = emulator.iam(account).await;
    let role = iam
        .get_role()
        .role_name(ADMIN)
        .send()
        .await
        .unwrap()
        .role
        .unwrap();
    let text = role.assume_role_policy_document.unwrap();
    let text = percent_encoding::percent_decode_str(&text)
        .decode_utf8()
        .unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    change(&mut document);
    iam.update_assume_role_policy()
        .role_name(ADMIN)
        .policy_document(document.to_string())
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn extra_policies_are_found() {
    let emulator = applied_organization();
    let iam = emulator.iam("prod-pay").await;
    let arn = "arn:aws:iam::aws:policy/PowerUserAccess";
    iam.attach_role_policy()
        .role_name(ADMIN)
        .policy_arn(arn)
        .send()
        .await
        .unwrap();
    let open =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    iam.put_role_policy()
        .role_name("BreakGlassRead")
        .policy_name("sneaky")
        .policy_document(open)
        .send()
        .await
        .unwrap();
    expect_drift(
        &emulator,
        "prod-pay",
        &[
            "iam_role/BreakGlassAdmin update managed_policies",
            "iam_role/BreakGlassRead update inline_policies.sneaky",
        ],
    );
    expect_repaired(&emulator);
}

#[tokio::test]
async fn trust_that_was_opened_is_found() {
    let emulator = applied_organization();
    trust(&emulator, "prod-web", |document| {
        let principals = document["Statement"][0]["Principal"]["AWS"].take();
        let mut principals: Vec<serde_json::Value> = serde_json::from_value(principals).unwrap();
        principals.push("arn:aws:iam::999988887777:root".into());
        document["Statement"][0]["Principal"]["AWS"] = principals.into();
    })
    .await;
    expect_drift(
        &emulator,
        "prod-web",
        &["iam_role/BreakGlassAdmin update trust_policy"],
    );
    let (_, drift) = emulator.json(&["drift"]);
    assert_eq!(drift["changes"][0]["risk"], "critical");
    expect_repaired(&emulator);

    trust(&emulator, "prod-web", |document| {
        let condition = document["Statement"][0]["Condition"]
            .as_object_mut()
            .unwrap();
        condition.remove("Bool").unwrap();
        condition.remove("NumericLessThanEquals").unwrap();
    })
    .await;
    expect_drift(
        &emulator,
        "prod-web",
        &["iam_role/BreakGlassAdmin update trust_policy"],
    );
    let (_, drift) = emulator.json(&["drift"]);
    let change = &drift["changes"][0];
    assert_eq!(change["risk"], "critical");
    assert!(
        change["fields"][0]["witness"]
            .as_str()
            .unwrap()
            .contains("without MFA")
    );
    expect_repaired(&emulator);
}

#[tokio::test]
async fn settings_of_a_role_are_found() {
    let emulator = applied_organization();
    let iam = emulator.iam("dev-web").await;
    iam.update_role()
        .role_name(ADMIN)
        .max_session_duration(43_200)
        .description("Full access in an emergency")
        .send()
        .await
        .unwrap();
    iam.tag_role()
        .role_name(ADMIN)
        .tags(
            Tag::builder()
                .key("severity")
                .value("none")
                .build()
                .unwrap(),
        )
        .tags(Tag::builder().key("extra").value("1").build().unwrap())
        .send()
        .await
        .unwrap();
    iam.untag_role()
        .role_name(ADMIN)
        .tag_keys("owner")
        .send()
        .await
        .unwrap();
    iam.delete_role_permissions_boundary()
        .role_name("BreakGlassRead")
        .send()
        .await
        .unwrap();
    expect_drift(
        &emulator,
        "dev-web",
        &[
            "iam_role/BreakGlassAdmin update max_session,tags.extra,tags.owner,tags.severity",
            "iam_role/BreakGlassRead update permissions_boundary",
        ],
    );
    expect_repaired(&emulator);
}

#[tokio::test]
async fn a_deleted_role_and_a_deleted_policy_are_found() {
    let emulator = applied_organization();
    let iam = emulator.iam("network").await;
    let account = emulator.account("network").to_owned();
    let limit = format!("arn:aws:iam::{account}:policy{PATH}break-glass-limit");
    let read = "BreakGlassRead";
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    iam.detach_role_policy()
        .role_name(read)
        .policy_arn(arn)
        .send()
        .await
        .unwrap();
    iam.delete_role().role_name(read).send().await.unwrap();
    iam.delete_policy().policy_arn(limit).send().await.unwrap();
    let (_, drift) = emulator.json(&["drift"]);
    let found: Vec<&str> = drift["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["action"] == "create")
        .map(|change| change["address"].as_str().unwrap())
        .collect();
    assert_eq!(
        found,
        [
            format!("{account}/iam_policy/break-glass-limit"),
            format!("{account}/iam_role/BreakGlassRead"),
        ]
    );
    expect_repaired(&emulator);
}

#[tokio::test]
async fn a_policy_with_another_default_version_is_found_even_when_versions_are_full() {
    let emulator = applied_organization();
    let iam = emulator.iam("prod-data").await;
    let account = emulator.account("prod-data").to_owned();
    let arn = format!("arn:aws:iam::{account}:policy{PATH}break-glass-baseline");
    for action in ["s3:*", "ec2:*", "sns:*", "sqs:*"] {
        iam.create_policy_version()
            .policy_arn(&arn)
            .policy_document(format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#
            ))
            .set_as_default(true)
            .send()
            .await
            .unwrap();
    }
    expect_drift(
        &emulator,
        "prod-data",
        &["iam_policy/break-glass-baseline update document"],
    );
    expect_repaired(&emulator);
}

#[tokio::test]
async fn what_hangs_on_a_user_is_found() {
    let emulator = applied_organization();
    let iam = emulator.iam("emergency").await;
    iam.create_access_key()
        .user_name("bg-alice")
        .send()
        .await
        .unwrap();
    iam.create_group()
        .group_name("admins")
        .send()
        .await
        .unwrap();
    iam.add_user_to_group()
        .user_name("bg-bob")
        .group_name("admins")
        .send()
        .await
        .unwrap();
    iam.delete_user_policy()
        .user_name("bg-bob")
        .policy_name("break-glass-mfa")
        .send()
        .await
        .unwrap();
    expect_drift(
        &emulator,
        "emergency",
        &[
            "iam_user/bg-alice update access_keys",
            "iam_user/bg-bob update groups,inline_policies.break-glass-mfa",
        ],
    );
    expect_repaired(&emulator);
}

#[tokio::test]
async fn a_deleted_user_is_made_again_and_trusted_again() {
    let emulator = applied_organization();
    let iam = emulator.iam("emergency").await;
    for policy in ["break-glass-mfa", "break-glass-assume"] {
        iam.delete_user_policy()
            .user_name("bg-bob")
            .policy_name(policy)
            .send()
            .await
            .unwrap();
    }
    iam.delete_user().user_name("bg-bob").send().await.unwrap();
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(code, 2);
    let user = format!("{}/iam_user/bg-bob create", emulator.account("emergency"));
    assert!(
        changes(&drift)
            .iter()
            .any(|change| change.starts_with(&user))
    );
    expect_repaired(&emulator);
}

#[tokio::test]
async fn what_is_left_behind_is_found_and_removed() {
    let emulator = applied_organization();
    let iam = emulator.iam("dev-data").await;
    iam.create_role()
        .role_name("OldBreakGlass")
        .path(PATH)
        .assume_role_policy_document(TRUST)
        .send()
        .await
        .unwrap();
    iam.create_role()
        .role_name("TaggedElsewhere")
        .assume_role_policy_document(TRUST)
        .tags(
            Tag::builder()
                .key("breakglass:managed")
                .value("true")
                .build()
                .unwrap(),
        )
        .send()
        .await
        .unwrap();
    iam.create_role()
        .role_name("NobodysBusiness")
        .assume_role_policy_document(TRUST)
        .send()
        .await
        .unwrap();
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(code, 2);
    let account = emulator.account("dev-data");
    let removed: Vec<&str> = drift["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["action"] == "delete")
        .map(|change| change["address"].as_str().unwrap())
        .collect();
    assert_eq!(
        removed,
        [
            format!("{account}/iam_role/OldBreakGlass"),
            format!("{account}/iam_role/TaggedElsewhere"),
        ]
    );
    expect_repaired(&emulator);
    let untouched = iam.get_role().role_name("NobodysBusiness").send().await;
    assert!(untouched.is_ok());
}

#[tokio::test]
async fn equal_documents_in_another_spelling_are_no_drift() {
    let emulator = applied_organization();
    trust(&emulator, "log-archive", |document| {
        let statement = document["Statement"][0].take();
        let mut principals: Vec<String> =
            serde_json::from_value(statement["Principal"]["AWS"].clone()).unwrap();
        principals.reverse();
        *document = serde_json::json!({
            "Statement": {
                "Action": ["sts:AssumeRole", "sts:AssumeRole"],
                "Condition": {
                    // A number by itself is fine with IAM, but not with the emulator.
                    "NumericLessThanEquals": { "AWS:multifactorauthage": [43200] },
                    "Bool": { "aws:MultiFactorAuthPresent": [true] },
                },
                "Principal": { "AWS": principals },
                "Effect": "Allow",
                "Sid": "SomethingElse",
            },
            "Version": "2012-10-17",
        });
    })
    .await;
    expect_drift(&emulator, "log-archive", &[]);
}
