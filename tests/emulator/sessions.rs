//! How the AWS backend enters accounts, and what it waits for in them.

use breakglass::cloud::Cloud as _;
use breakglass::cloud::aws::{MemberRole, Override, connect};
use breakglass::state::{ResourceKey, ResourceType};
use futures_util::future::join;
use serde_json::{Value, json};

use crate::backend::{
    CREDENTIALS, TRUST, account, create_role, create_user, isolated, one_role, scope,
};
use crate::harness::{Emulator, IDENTIFIED, MANAGEMENT, PROD_PAY, SAND};

#[test]
fn an_account_takes_three_calls() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::small();
        let aws = emulator.connect().await;
        let mut identified = emulator.take_calls();
        identified.sort();
        let expected = IDENTIFIED.map(|call| format!("{MANAGEMENT} {call}"));
        assert_eq!(identified, expected);
        let member = account(PROD_PAY);
        let create = create_role("Admin", TRUST);
        aws.execute(&member, &create).await.unwrap();

        let aws = emulator.connect().await;
        emulator.forget_calls();
        let inventory = aws.account(&member, &scope()).await.unwrap();
        assert_eq!(inventory.roles.len(), 1);
        let mut calls = emulator.take_calls();
        calls.sort();
        let expected = [
            format!("{PROD_PAY} iam:GetAccountAuthorizationDetails"),
            format!("{PROD_PAY} iam:ListRoles"),
            format!("{MANAGEMENT} sts:AssumeRole"),
        ];
        assert_eq!(calls, expected);

        // The session is there now, and the caller's own account needs none.
        for id in [PROD_PAY, MANAGEMENT] {
            aws.account(&account(id), &scope()).await.unwrap();
        }
        let calls = emulator.take_calls();
        let enters = |call: &String| call.contains("AssumeRole");
        assert!(!calls.iter().any(enters), "{calls:?}");
        assert_eq!(calls.len(), 4);
    });
}

#[test]
fn every_account_is_entered_once_and_as_told() {
    isolated(CREDENTIALS, async || {
        // More than the SDK's own cache of sessions would hold.
        let ids: Vec<String> = (500..600).map(|number| format!("{number:012}")).collect();
        let accounts = ids.iter().map(|id| json!({ "name": id, "id": id }));
        let accounts: Vec<Value> = accounts.collect();
        let emulator = Emulator::start(&json!({ "accounts": accounts }));
        let mut settings = emulator.backend_settings();
        settings.member_role = MemberRole {
            plan: "deep/er/Reader".to_owned(),
            apply: "Writer".to_owned(),
        };
        let special = Override {
            member_role: Some(one_role("Own")),
            external_id: Some("abc".to_owned()),
        };
        settings.overrides.insert(account(&ids[0]), special);
        let aws = connect(settings).await.unwrap();
        for _ in 0..2 {
            for id in &ids {
                aws.account(&account(id), &scope()).await.unwrap();
            }
        }
        let key = ResourceKey::new(ResourceType::IamRole, "absent");
        for id in &ids[..2] {
            assert_eq!(aws.resource(&account(id), &key).await, Ok(None));
        }
        let mut assumed = emulator.calls();
        assumed.retain(|call| call.action == "AssumeRole");
        assert_eq!(assumed.len(), 101);
        let role = |index: usize| assumed[index].params["RoleArn"].as_str().unwrap();
        let session = |index: usize| &assumed[index].params["RoleSessionName"];
        let external_id = |index: usize| &assumed[index].params["ExternalId"];
        assert_eq!(role(0), "arn:aws:iam::000000000500:role/Own");
        assert_eq!(external_id(0), "abc");
        assert_eq!(role(1), "arn:aws:iam::000000000501:role/deep/er/Reader");
        assert_eq!(session(1), "breakglass-plan");
        assert_eq!(*external_id(1), Value::Null);
        assert_eq!(role(100), "arn:aws:iam::000000000501:role/Writer");
        assert_eq!(session(100), "breakglass-apply");
    });
}

#[test]
fn a_fresh_principal_is_waited_for() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::small();
        emulator.settings(json!({ "check_principals": true, "fresh_principal_seconds": 3 }));
        let aws = emulator.connect().await;
        let alice = create_user("bg-alice");
        aws.execute(&account(MANAGEMENT), &alice).await.unwrap();
        let trusting = |principal: &str| create_role("Admin", &TRUST.replace("root", principal));
        let trusts_alice = trusting("user/break-glass/bg-alice");
        let trusts_nobody = trusting("user/nobody");
        let (prod, sand) = (account(PROD_PAY), account(SAND));
        let attempts = join(
            aws.execute(&prod, &trusts_alice),
            aws.execute(&sand, &trusts_nobody),
        );
        let (made, refused) = attempts.await;
        made.unwrap();
        let refused = refused.unwrap_err();
        assert_eq!(refused.call, "iam:CreateRole");
        let nobody = format!("arn:aws:iam::{MANAGEMENT}:user/nobody");
        assert!(refused.message.contains(&nobody), "{refused}");
        assert!(refused.message.contains("after 15 s"), "{refused}");
    });
}
