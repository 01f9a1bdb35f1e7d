//! The AWS backend against the model: every operation, carried out on the emulator and on an inventory, must leave both
//! in the same state, whether that is read in bulk or by name.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;
use breakglass::cloud::Cloud as _;
use breakglass::state::{Inventory, OWNERSHIP_TAG, Operation, PolicyText, Principal, Tags};
use serde_json::json;

use crate::backend::{
    CREDENTIALS, TRUST, account, arn, create_role, create_user, isolated, path, policy_arn, scope,
    tags,
};
use crate::harness::{Emulator, PROD_PAY};
use crate::pair::Pair;

const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;

#[test]
fn operations_do_what_the_model_says() {
    isolated(CREDENTIALS, async || {
        operations(&Emulator::small()).await;
    });
}

#[test]
fn small_pages_and_encoded_documents_change_nothing() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::small();
        emulator.settings(json!({ "page_size": 1, "encode_documents": true }));
        operations(&emulator).await;
    });
}

async fn operations(emulator: &Emulator) {
    let aws = emulator.connect().await;
    let iam = emulator.iam("prod-pay").await;
    furnish(&iam).await;
    let model = aws.account(&account(PROD_PAY), &scope()).await.unwrap();
    expect_furnished(&model);
    let mut pair = Pair { aws: &aws, model };
    pair.compare("furnishing").await;
    make(&mut pair).await;
    change(&mut pair).await;
    let key = add_what_only_others_make(&mut pair, &iam).await;
    refuse(&mut pair).await;
    remove(&mut pair, &key).await;
    let devices = iam.list_virtual_mfa_devices().send().await.unwrap();
    assert_eq!(devices.virtual_mfa_devices().len(), 0);
}

fn alice() -> Principal {
    Principal::User("bg-alice".to_owned())
}

fn admin() -> Principal {
    Principal::Role("Admin".to_owned())
}

/// A managed policy that is not ours.
fn outside() -> String {
    format!("arn:aws:iam::{PROD_PAY}:policy/team/outside")
}

/// Puts things into the account that no operation makes.
async fn furnish(iam: &Client) {
    let outside = outside();
    let policy = iam.create_policy().policy_name("outside").path("/team/");
    policy.policy_document(DENY).send().await.unwrap();
    let group = iam.create_group().group_name("auditors");
    group.send().await.unwrap();
    let attach = iam.attach_group_policy().group_name("auditors");
    attach.policy_arn(&outside).send().await.unwrap();
    let user = iam.create_user().user_name("ci").path("/team/");
    user.permissions_boundary(&outside).send().await.unwrap();
    let role = |name: &str| {
        let role = iam.create_role().role_name(name);
        role.assume_role_policy_document(TRUST)
    };
    role("deploy").send().await.unwrap();
    let attach = iam.attach_role_policy().role_name("deploy");
    attach.policy_arn(&outside).send().await.unwrap();
    let linked = role("AWSServiceRoleForX").path("/aws-service-role/x.amazonaws.com/");
    linked.send().await.unwrap();
    // Read in full though elsewhere: the one by its tag, the other by its name.
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    role("tagged")
        .description("tagged as ours")
        .max_session_duration(7200)
        .tags(tag(OWNERSHIP_TAG, "true"))
        .tags(tag("aws:cloudformation:stack-name", "s"))
        .send()
        .await
        .unwrap();
    role("Named").send().await.unwrap();
}

fn expect_furnished(model: &Inventory) {
    assert_eq!(model.roles.keys().collect::<Vec<_>>(), ["Named", "tagged"]);
    assert_eq!(model.roles["tagged"].description, "tagged as ours");
    assert_eq!(model.roles["tagged"].max_session, 7200);
    assert_eq!(model.roles["tagged"].tags, tags(&[(OWNERSHIP_TAG, "true")]));
    assert!(model.policies.is_empty() && model.users.is_empty());
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let others = &model.others;
    assert_eq!(others.policies, set(&["outside"]));
    assert_eq!(others.users, set(&["ci"]));
    assert_eq!(
        others.roles,
        set(&["OrganizationAccountAccessRole", "deploy"])
    );
    let users = set(&["group/auditors", "role/deploy", "user/ci"]);
    let expected = BTreeMap::from([(arn(&outside()), users)]);
    assert_eq!(others.policy_users, expected);
}

async fn make(pair: &mut Pair<'_>) {
    let owned = tags(&[(OWNERSHIP_TAG, "true"), ("owner", "platform+security é")]);
    for (name, description) in [("baseline", "What every role gets."), ("bound", "")] {
        pair.run(Operation::CreatePolicy {
            name: name.to_owned(),
            path: path("/break-glass/"),
            document: PolicyText::new(DENY),
            description: description.to_owned(),
            tags: owned.clone(),
        })
        .await;
    }
    // More versions than a policy can have.
    for version in 0..7 {
        pair.run(Operation::SetPolicyDocument {
            arn: policy_arn("baseline"),
            document: PolicyText::new(DENY.replace("s3", &format!("s{version}"))),
        })
        .await;
    }
    pair.run(Operation::CreateUser {
        name: "bg-alice".to_owned(),
        path: path("/break-glass/"),
        tags: owned.clone(),
        permissions_boundary: Some(policy_arn("bound")),
    })
    .await;
    pair.run(Operation::CreateUser {
        name: "bg-bob".to_owned(),
        path: path("/break-glass/eu/"),
        tags: Tags::new(),
        permissions_boundary: None,
    })
    .await;
    pair.run(Operation::CreateRole {
        name: "Admin".to_owned(),
        path: path("/break-glass/"),
        trust_policy: PolicyText::new(TRUST),
        description: "For the identity provider being down".to_owned(),
        max_session: 3600,
        tags: owned,
        permissions_boundary: Some(policy_arn("bound")),
    })
    .await;
    pair.run(Operation::CreateRole {
        name: "Bare".to_owned(),
        path: path("/break-glass/"),
        trust_policy: PolicyText::new(TRUST),
        description: String::new(),
        max_session: 43_200,
        tags: Tags::new(),
        permissions_boundary: None,
    })
    .await;
}

async fn change(pair: &mut Pair<'_>) {
    for principal in [alice(), admin()] {
        let inline = |document: &str| Operation::PutInlinePolicy {
            principal: principal.clone(),
            name: "deny".to_owned(),
            document: PolicyText::new(document),
        };
        let attach = |policy| Operation::AttachPolicy {
            principal: principal.clone(),
            policy,
        };
        let administrator = arn("arn:aws:iam::aws:policy/AdministratorAccess");
        pair.run(inline(DENY)).await;
        pair.run(inline(&DENY.replace("s3:*", "s3:Get% *+é"))).await;
        pair.run(attach(administrator.clone())).await;
        pair.run(attach(policy_arn("baseline"))).await;
        pair.run(Operation::SetBoundary {
            principal: principal.clone(),
            policy: policy_arn("baseline"),
        })
        .await;
        pair.run(Operation::RemoveBoundary {
            principal: principal.clone(),
        })
        .await;
        pair.run(Operation::Tag {
            principal: principal.clone(),
            tags: tags(&[("owner", ""), ("a b", "c=d")]),
        })
        .await;
        pair.run(Operation::Untag {
            principal: principal.clone(),
            keys: BTreeSet::from(["owner".to_owned()]),
        })
        .await;
        pair.run(Operation::DetachPolicy {
            principal: principal.clone(),
            policy: administrator,
        })
        .await;
    }
    pair.run(Operation::SetUserPath {
        user: "bg-bob".to_owned(),
        path: path("/break-glass/"),
    })
    .await;
    pair.run(Operation::SetTrustPolicy {
        role: "Admin".to_owned(),
        document: PolicyText::new(TRUST.replace(":root", ":user/break-glass/bg-alice")),
    })
    .await;
    for (description, max_session) in [("Other", 3600), ("Other", 7200), ("", 7200)] {
        pair.run(Operation::SetRoleSettings {
            role: "Admin".to_owned(),
            description: description.to_owned(),
            max_session,
        })
        .await;
    }
}

/// A certificate of nobody, signed by itself.
pub const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBdjCCARugAwIBAgIUf0OGD6oihNRBXQoKVkWsBkhlOS4wCgYIKoZIzj0EAwIw\n\
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjUwOTIxMjZaGA8yMTI2MTEwMTA5MjEy\n\
NlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH+Q\n\
SeSenV8UQO08VR1/K6GcqMjUU8Pg5Wcv7C+8AgfeXgjDw6BEeW3MShAZKQExyQig\n\
XGepVmsX0QGVQs/xJsKjUzBRMB0GA1UdDgQWBBRNLNt67ob9vTrkdLb346z0F4Ih\n\
xDAfBgNVHSMEGDAWgBRNLNt67ob9vTrkdLb346z0F4IhxDAPBgNVHRMBAf8EBTAD\n\
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQCZEa3PSxQSVYUI3Ejj/FbjM6FwBAnm0Uvt\n\
whck2gr4dwIhAI5+j8RutnsMNOJmgzSTPBr1Ne6McMYKke2Wod8XNd0E\n\
-----END CERTIFICATE-----";

/// Adds what this tool takes away but never makes, and gives the id of the access key.
async fn add_what_only_others_make(pair: &mut Pair<'_>, iam: &Client) -> String {
    let alice = "bg-alice";
    let group = iam.add_user_to_group().user_name(alice);
    group.group_name("auditors").send().await.unwrap();
    let key = iam.create_access_key().user_name(alice);
    let key = key.send().await.unwrap().access_key.unwrap().access_key_id;
    let ssh = iam.upload_ssh_public_key().user_name(alice);
    let ssh = ssh.ssh_public_key_body("ssh-rsa AAAAB3NzaC1yc2E test");
    let ssh = ssh.send().await.unwrap().ssh_public_key.unwrap();
    let service = iam.create_service_specific_credential().user_name(alice);
    let service = service.service_name("codecommit.amazonaws.com");
    let service = service.send().await.unwrap();
    let service = service.service_specific_credential.unwrap();
    let signing = iam.upload_signing_certificate().user_name(alice);
    let signing = signing.certificate_body(CERTIFICATE).send().await.unwrap();
    let signing = signing.certificate.unwrap();
    let profile = iam.create_login_profile().user_name(alice);
    profile.password("Secret-0123456789").send().await.unwrap();
    let profile = iam.create_instance_profile();
    let profile = profile.instance_profile_name("hook");
    profile.send().await.unwrap();
    let add = iam.add_role_to_instance_profile().role_name("Bare");
    add.instance_profile_name("hook").send().await.unwrap();
    // Devices are no part of a user here, but IAM lets none go that has some.
    let device = iam.create_virtual_mfa_device();
    let device = device.virtual_mfa_device_name("bg-bob").send().await;
    let device = device.unwrap().virtual_mfa_device.unwrap();
    for serial in [device.serial_number(), "GAHT12345678"] {
        let enable = iam.enable_mfa_device().user_name("bg-bob");
        let enable = enable.serial_number(serial);
        let enable = enable.authentication_code1("123456");
        let enable = enable.authentication_code2("654321");
        enable.send().await.unwrap();
    }
    let user = pair.model.users.get_mut(alice).unwrap();
    user.groups.insert("auditors".to_owned());
    user.access_keys.insert(key.clone());
    user.ssh_keys.insert(ssh.ssh_public_key_id);
    let service = service.service_specific_credential_id;
    user.service_credentials.insert(service);
    user.signing_certificates.insert(signing.certificate_id);
    pair.model.login_profiles.insert(alice.to_owned());
    pair.compare("adding what only others make").await;
    key
}

/// Something is in the way of each of these, and stays as it is.
async fn refuse(pair: &mut Pair<'_>) {
    let name = "bg-alice".to_owned();
    let arn = policy_arn("baseline");
    pair.refuse([
        (Operation::DeleteUser { name }, "DeleteConflict"),
        (Operation::DeletePolicy { arn }, "DeleteConflict"),
        (create_role("ADMIN", TRUST), "EntityAlreadyExists"),
        (create_user("BG-Bob"), "EntityAlreadyExists"),
    ])
    .await;
    pair.compare("refusals").await;
}

async fn remove(pair: &mut Pair<'_>, key: &str) {
    let held = pair.model.users["bg-alice"].clone();
    let user = || "bg-alice".to_owned();
    for id in held.ssh_keys {
        pair.run(Operation::DeleteSshKey { user: user(), id }).await;
    }
    for id in held.signing_certificates {
        pair.run(Operation::DeleteSigningCertificate { user: user(), id })
            .await;
    }
    for id in held.service_credentials {
        pair.run(Operation::DeleteServiceCredential { user: user(), id })
            .await;
    }
    let credentials = [
        Operation::RemoveFromGroup {
            user: "bg-alice".to_owned(),
            group: "auditors".to_owned(),
        },
        Operation::DeleteAccessKey {
            user: "bg-alice".to_owned(),
            id: key.to_owned(),
        },
        Operation::DeleteLoginProfile {
            user: "bg-alice".to_owned(),
        },
    ];
    let permissions = [alice(), admin()].map(|principal| {
        [
            Operation::DetachPolicy {
                principal: principal.clone(),
                policy: policy_arn("baseline"),
            },
            Operation::DeleteInlinePolicy {
                principal,
                name: "deny".to_owned(),
            },
        ]
    });
    let user = |name: &str| Operation::DeleteUser { name: name.into() };
    let role = |name: &str| Operation::DeleteRole { name: name.into() };
    let policy = |name: &str| Operation::DeletePolicy {
        arn: policy_arn(name),
    };
    let objects = [
        user("bg-alice"),
        user("bg-bob"),
        role("Admin"),
        role("Bare"),
        policy("baseline"),
        policy("bound"),
    ];
    let removals: Vec<Operation> = credentials
        .into_iter()
        .chain(permissions.into_iter().flatten())
        .chain(objects)
        .collect();
    for operation in removals.clone() {
        pair.run(operation).await;
    }
    // What is gone already is done.
    let gone = [
        Operation::DetachPolicy {
            principal: alice(),
            policy: arn(&outside()),
        },
        Operation::RemoveBoundary { principal: admin() },
    ];
    for operation in removals.into_iter().chain(gone) {
        let done = pair.aws.execute(&account(PROD_PAY), &operation).await;
        assert_eq!(done, Ok(()), "{operation:?}");
    }
    pair.compare("everything").await;
    assert!(pair.model.policies.is_empty() && pair.model.users.is_empty());
}
