//! The organization, as the AWS backend reads it.

use breakglass::cloud::{Cloud as _, ErrorKind};
use breakglass::org::AccountState;
use breakglass::state::Tags;
use serde_json::json;

use crate::backend::{CREDENTIALS, account, isolated, tags};
use crate::harness::{Emulator, MANAGEMENT, PROD_PAY, SAND};

#[test]
fn it_is_read_whole() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::small();
        let id = &emulator.organization_id;
        let aws = emulator.connect().await;
        let plain = aws.organization(Some(id), false).await.unwrap();
        assert_eq!(plain.id, *id);
        assert_eq!(plain.partition.as_str(), "aws");
        assert_eq!(plain.management_account, account(MANAGEMENT));
        assert_eq!(plain.accounts.len(), 5);
        let member = &plain.accounts[&account(PROD_PAY)];
        assert_eq!(member.name, "prod-pay");
        assert_eq!(plain.account_path(member), "/Workloads/Prod");
        let management = &plain.accounts[&account(MANAGEMENT)];
        assert_eq!(plain.account_path(management), "/");
        let mut accounts = plain.accounts.values();
        let old = accounts.find(|account| account.name == "old").unwrap();
        assert_eq!(old.state, AccountState::Suspended);
        let mut accounts = plain.accounts.values();
        assert!(accounts.all(|account| account.tags.is_none()));

        let mut tagged = aws.organization(Some(id), true).await.unwrap();
        let tags_of = |id| tagged.accounts[&account(id)].tags.clone();
        assert_eq!(tags_of(PROD_PAY), Some(tags(&[("tier", "1")])));
        assert_eq!(tags_of(SAND), Some(Tags::new()));
        for account in tagged.accounts.values_mut() {
            account.tags = None;
        }
        assert_eq!(tagged, plain);

        emulator.settings(json!({ "page_size": 1, "empty_pages": true }));
        let paged = aws.organization(Some(id), false).await;
        assert_eq!(paged.as_ref(), Ok(&plain));
        emulator.settings(json!({ "account_paths": true }));
        emulator.forget_calls();
        let with_paths = aws.organization(Some(id), false).await;
        assert_eq!(with_paths.as_ref(), Ok(&plain));
        let calls = emulator.take_calls();
        let asks_parents = |call: &String| call.contains("AccountsForParent");
        assert!(!calls.iter().any(asks_parents), "{calls:?}");
    });
}

#[test]
fn another_one_is_refused_unread() {
    isolated(CREDENTIALS, async || {
        let emulator = Emulator::small();
        let id = &emulator.organization_id;
        let aws = emulator.connect().await;
        emulator.forget_calls();
        let refused = aws.organization(Some("o-exampleorg1"), false).await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::OtherOrganization);
        assert_eq!(emulator.take_calls(), Vec::<String>::new());
        assert_eq!(aws.partition(id).await.unwrap().as_str(), "aws");
    });
}
