//! A spec imported from a state that a spec made is in sync with it.

use std::collections::BTreeMap;

use breakglass::apply::{ApplyOptions, apply};
use breakglass::cloud::{Cloud as _, Offline};
use breakglass::collect::{CompareRequest, Everything, ScopeFilter, compare, differences};
use breakglass::ids::{AccountId, Partition};
use breakglass::import::{ImportSettings, import};
use breakglass::org::{Account, AccountState, Organization};
use breakglass::plan::Kind;
use breakglass::spec::{Loaded, MemberRole, load_texts};
use breakglass::state::{Inventory, People, Reading, Snapshot};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

fn organization() -> Organization {
    let accounts = [
        "111111111111",
        "222222222222",
        "333333333333",
        "444444444444",
    ];
    Organization {
        id: "o-exampleorg1".to_owned(),
        partition: Partition::commercial(),
        management_account: "111111111111".parse().unwrap(),
        units: BTreeMap::new(),
        accounts: accounts
            .iter()
            .map(|id| {
                let account = Account {
                    name: format!("account-{id}"),
                    state: AccountState::Active,
                    parent: "r-root".to_owned(),
                    tags: None,
                };
                (id.parse().unwrap(), account)
            })
            .collect(),
    }
}

/// The spec of one role, from a few choices each.
fn role() -> impl Strategy<Value = String> {
    (
        select(vec![r#"["*"]"#, r#"["111111111111"]"#, r#"["222222222222", "333333333333"]"#]),
        select(vec![r#"["user:bg-a"]"#, r#"["user:bg-a", "user:bg-b"]"#, r#"["arn:aws:iam::999999999999:role/x/Ops", "user:bg-b"]"#]),
        select(vec!["{ required: true }", "{ required: true, max_age: 2h }", "{ required: false }"]),
        select(vec!["1h", "90m", "12h"]),
        select(vec!["", "incident: { session_name: \"INC-*\" }"]),
        select(vec!["[]", r#"["policy:p-one"]"#, r#"["arn:aws:iam::aws:policy/ReadOnlyAccess", "policy:p-one"]"#]),
        select(vec!["{}", "{ a: { library: deny-break-glass-tampering } }", r#"{ b: { document: { Version: "2012-10-17", Statement: [{ Effect: Deny, Action: "s3:*", Resource: "*" }] } } }"#]),
        select(vec!["null", "policy:p-two"]),
        select(vec!["{}", "{ severity: high }"]),
    )
        .prop_map(|(accounts, trusted, mfa, session, incident, managed, inline, boundary, tags)| {
            format!(
                "    accounts: {{ include: {accounts} }}\n    trusted: {trusted}\n    mfa: {mfa}\n    max_session: {session}\n    {incident}\n    permissions: {{ managed_policies: {managed}, inline_policies: {inline}, permissions_boundary: {boundary} }}\n    tags: {tags}\n"
            )
        })
}

fn spec() -> impl Strategy<Value = String> {
    (proptest::collection::vec(role(), 1..4), select(vec!["{}", "{ owner: sec }"])).prop_map(|(roles, tags)| {
        let roles: String = roles
            .iter()
            .enumerate()
            .map(|(index, role)| format!("  - name: Role{index}\n{role}"))
            .collect();
        format!(
            r#"version: 1
organization: {{ id: o-exampleorg1 }}
emergency_account: "222222222222"
defaults: {{ tags: {tags} }}
users:
  - {{ name: bg-a, custodians: {{ password: a, token: b }}, console: false }}
  - {{ name: bg-b, custodians: {{ password: c, token: d }}, console: false }}
policies:
  p-one: {{ library: break-glass-baseline }}
  p-two: {{ document: {{ Version: "2012-10-17", Statement: [{{ Effect: Allow, Action: "*", Resource: "*" }}] }} }}
roles:
{roles}"#
        )
    })
}

fn load(text: String) -> Loaded {
    let none = |_: &str, _: &str| Err("no files here".to_owned());
    match load_texts(vec![("spec.yaml".to_owned(), text)], &none) {
        Ok(loaded) => loaded,
        Err(error) => panic!("{}", error.render(false)),
    }
}

/// Applies a spec to an empty organization, on a snapshot.
async fn apply_to_nothing(loaded: &Loaded) -> Snapshot {
    let organization = organization();
    let accounts = organization.accounts.keys();
    let nothing = Inventory {
        people: Some(People::default()),
        ..Inventory::default()
    };
    let cloud = Offline::new(Snapshot {
        format_version: "1.0".to_owned(),
        kind: "snapshot".to_owned(),
        shard: None,
        created_at: Timestamp::UNIX_EPOCH,
        managed_path: "/break-glass/".parse().unwrap(),
        accounts: accounts
            .map(|id| (id.clone(), Reading::Complete(nothing.clone())))
            .collect(),
        organization,
        guardrails: None,
    });
    let request = CompareRequest {
        strict: false,
        kind: Kind::Plan,
        filter: ScopeFilter::default(),
        concurrency: 4,
        max_failures: None,
        now: Timestamp::UNIX_EPOCH,
        expires_at: None,
        base: None,
    };
    let plan = compare(&cloud, loaded, &request, &|_, _| {}).await.unwrap();
    let partition = cloud.partition("o-exampleorg1").await.unwrap();
    let options = ApplyOptions {
        concurrency: 4,
        max_failures: None,
        resumes: false,
        settle: std::time::Duration::ZERO,
        canary: None,
    };
    let stop = std::sync::atomic::AtomicBool::new(false);
    let report = apply(&plan, &partition, &cloud, &options, &stop, &|_| {}, || {
        Timestamp::UNIX_EPOCH
    })
    .await;
    assert_eq!(report.summary.failed, 0, "{report:?}");
    cloud.into_snapshot()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_imported_spec_differs_in_nothing(text in spec()) {
        let loaded = load(text);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let snapshot = runtime.block_on(apply_to_nothing(&loaded));
        let accounts: BTreeMap<AccountId, Inventory> = snapshot
            .accounts
            .into_iter()
            .filter_map(|(id, reading)| match reading {
                Reading::Complete(inventory) => Some((id, inventory)),
                Reading::Unreadable { .. } => None,
            })
            .collect();
        let settings = ImportSettings {
            managed_path: "/break-glass/".parse().unwrap(),
            emergency_account: None,
            member_role: MemberRole::default(),
            plain_users: Default::default(),
        };
        let imported = import(&snapshot.organization, &accounts, &settings).unwrap();
        let imported = load(serde_yaml::to_string(&imported).unwrap());
        let read = Everything { organization: snapshot.organization, accounts, unreadable: Vec::new() };
        prop_assert_eq!(differences(&imported, &read, jiff::Timestamp::UNIX_EPOCH).unwrap(), Vec::new());
    }
}
