//! Shards, put together, say what a single run says.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::collect::take_snapshot;
use crate::merge::{Part, merge_plans, merge_snapshots, merge_verifications};
use crate::org::{Account, AccountState, Shard};
use crate::plan::{Gate, parse_plan};

/// A spec that gives something for every kind of thing that a plan tells of all accounts together.
const FULL: &str = r#"
guardrails:
  exceptions:
    - id: lock
      policy: lock
      roles: [Admin]
      accounts: { include: ["ou:/Workloads", "tag:no=such"] }
      reason: r
      owner: security
      ticket: SEC-1
      expires: 2027-01-01
  protection: { policy: protect, attach: [root] }
"#;
const EXPIRED: &str = r#"
guardrails:
  exceptions:
    - id: lock
      policy: lock
      roles: [Admin]
      accounts: { include: ["ou:/Workloads"] }
      reason: r
      owner: security
      ticket: SEC-1
      expires: 2026-01-01
"#;
const CAN: &str = "    must_allow: [\"ec2:RunInstances\"]\n";
const CANNOT: &str = r#"      inline_policies:
        never: { document: { Version: "2012-10-17", Statement: { Sid: Never, Effect: Deny, Action: "ec2:*", Resource: "*" } } }
    must_allow: ["ec2:RunInstances"]
"#;
const TAGGED: &str =
    "    accounts: { include: [\"ou:/Workloads\", \"tag:tier=gold\", \"account:extra-1*\"] }\n";
const NO_MFA: &str = "    mfa: { required: false }\n";
const IGNORE: &str = r#"
ignore:
  - { match: "*/iam_role/*:max_session", reason: r, expires: 2030-01-01 }
  - { match: "*/iam_role/Admin", reason: r, expires: 2026-06-10 }
  - { match: "*/iam_user/*", reason: r, expires: 2026-06-10 }
  - { match: "org/*/*", reason: r, expires: 2026-01-01 }
"#;
const NOBODY: &str = "users: []\n";

fn specs() -> impl Strategy<Value = (String, String)> {
    let before = select(vec![CAN, ""]);
    let after = select(vec![CAN, CANNOT, TAGGED, NO_MFA, ""]);
    let guardrails = select(vec!["", FULL, EXPIRED]);
    let users = select(vec![USERS, USERS, NOBODY]);
    let ignore = select(vec!["", IGNORE]);
    (before, guardrails.clone(), after, guardrails, users, ignore).prop_map(
        |(before, old, after, new, users, ignore)| {
            let after = match users {
                // Nobody is left to be trusted.
                NOBODY => format!(
                    "{}{NOBODY}",
                    HEAD.split("roles:").next().unwrap_or_default()
                ),
                users => format!("{HEAD}{after}{users}{new}{ignore}"),
            };
            (format!("{HEAD}{before}{USERS}{old}"), after)
        },
    )
}

/// What happens to an account after it was settled.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Nothing,
    Emptied,
    Unreadable,
    Tampered,
    Suspended,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = select(vec![
        Fate::Nothing,
        Fate::Nothing,
        Fate::Nothing,
        Fate::Emptied,
        Fate::Unreadable,
        Fate::Tampered,
        Fate::Suspended,
    ]);
    vec(fate, 5..20)
}

/// An organization of the sample's accounts and others, settled and then visited by fate.
fn organization(before: &Loaded, fates: &[Fate], salt: u64, guardrails_known: bool) -> Snapshot {
    let mut snapshot = empty();
    let template = snapshot.accounts[&id("3")].clone();
    for (number, _) in fates.iter().enumerate().skip(5) {
        let new = salt.wrapping_mul(7_919 + number as u64) % 1_000_000_000_000;
        let new: AccountId = format!("{new:012}").parse().unwrap();
        let account = Account {
            name: format!("extra-{number}"),
            state: AccountState::Active,
            parent: select_parent(number).to_owned(),
            tags: None,
        };
        snapshot
            .organization
            .accounts
            .entry(new.clone())
            .or_insert(account);
        snapshot
            .accounts
            .entry(new)
            .or_insert_with(|| template.clone());
    }
    for (number, account) in snapshot.organization.accounts.values_mut().enumerate() {
        let tier = if number % 3 == 0 { "gold" } else { "iron" };
        account.tags = Some([("tier".to_owned(), tier.to_owned())].into());
    }
    deny(
        &mut snapshot,
        "lock",
        "ou-root-work",
        json!({ "Action": "ec2:*" }),
    );
    let plan = planned(before, &snapshot);
    let mut snapshot = applied(&snapshot, &plan.changes);
    let ids: Vec<AccountId> = snapshot.accounts.keys().cloned().collect();
    for (account, fate) in ids.iter().zip(fates) {
        match (fate, snapshot.accounts.get_mut(account)) {
            (Fate::Emptied, Some(Reading::Complete(live))) => {
                live.roles.clear();
                live.users.clear();
            }
            (Fate::Tampered, Some(Reading::Complete(live))) => {
                for (name, role) in live.roles.clone() {
                    live.roles.insert(format!("{name}-copy"), role);
                }
                live.roles
                    .values_mut()
                    .for_each(|role| role.max_session = 7_200);
            }
            (Fate::Unreadable, Some(reading)) => {
                let error = "sts:AssumeRole: AccessDenied".to_owned();
                *reading = Reading::Unreadable { error };
            }
            // One account of the OU that runs are narrowed to stays.
            (Fate::Suspended, _) if !["1", "2", "3"].map(id).contains(account) => {
                let account = snapshot.organization.accounts.get_mut(account);
                account.unwrap().state = AccountState::Suspended;
            }
            _ => {}
        }
    }
    if !guardrails_known {
        let error = "organizations:ListPolicies: AccessDenied".to_owned();
        snapshot.guardrails = Some(Reading::Unreadable { error });
    }
    snapshot
}

fn select_parent(number: usize) -> &'static str {
    ["r-root", "ou-root-work", "ou-root-prod", "ou-root-sand"][number % 4]
}

fn shards(count: u16) -> Vec<Option<Shard>> {
    let first: Shard = format!("1/{count}").parse().unwrap();
    let mut shards: Vec<Option<Shard>> = first.all().map(Some).collect();
    // The order of the files makes no difference.
    shards.rotate_left(usize::from(count) / 2);
    shards
}

fn parts<T>(count: u16, run: impl Fn(Option<Shard>) -> T) -> Vec<Part<T>> {
    let named = |shard| Part {
        file: format!("{shard:?}"),
        report: run(shard),
    };
    shards(count).into_iter().map(named).collect()
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn one_of(
    loaded: &Loaded,
    snapshot: &Snapshot,
    kind: Kind,
    only: &[&str],
    shard: Option<Shard>,
) -> Plan {
    let request = CompareRequest {
        base: None,
        kind,
        filter: ScopeFilter {
            shard,
            ..filter(only)
        },
        concurrency: 4,
        max_failures: None,
        strict: false,
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
        expires_at: (kind == Kind::Plan).then(|| "2026-06-02T00:00:00Z".parse().unwrap()),
    };
    let cloud = Offline::new(snapshot.clone());
    let plan = run(compare(&cloud, loaded, &request, &|_, _| ())).unwrap();
    // As `merge` gets it: from a file.
    parse_plan(&text(&plan)).unwrap()
}

fn proven(
    loaded: &Loaded,
    snapshot: &Snapshot,
    after: Option<&Plan>,
    shard: Option<Shard>,
) -> Verification {
    let request = VerifyRequest {
        filter: ScopeFilter {
            shard,
            ..ScopeFilter::default()
        },
        concurrency: 4,
        max_failures: None,
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
        after: after.cloned(),
    };
    let cloud = Offline::new(snapshot.clone());
    run(verify(&cloud, loaded, &request, &|_, _| ())).unwrap()
}

fn snapped(loaded: &Loaded, snapshot: &Snapshot, shard: Option<Shard>) -> Snapshot {
    let cloud = Offline::new(snapshot.clone());
    let now = Timestamp::UNIX_EPOCH;
    run(take_snapshot(
        &cloud,
        &loaded.spec,
        shard,
        4,
        now,
        &|_, _| (),
    ))
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shards_say_together_what_a_single_run_says(
        (before, after) in specs(),
        fates in fates(),
        salt in 1_000_000_u64..1_000_000_000_000,
        guardrails_known in prop::bool::weighted(0.9),
        count in 1..=7_u16,
        only in select(vec![&[][..], &["ou:/Workloads"], &["emergency", "management"]]),
    ) {
        let (before, after) = (spec(&before), spec(&after));
        let snapshot = organization(&before, &fates, salt, guardrails_known);
        for kind in [Kind::Plan, Kind::Drift] {
            let run = |shard| one_of(&after, &snapshot, kind, only, shard);
            let merged = merge_plans(parts(count, run)).unwrap();
            prop_assert_eq!(text(&merged), text(&run(None)));
        }
        let run = |shard| proven(&after, &snapshot, None, shard);
        let mut merged = merge_verifications(parts(count, run)).unwrap();
        let single = run(None);
        merged.summary.situations = single.summary.situations;
        prop_assert_eq!(text(&merged), text(&single));
        let run = |shard| snapped(&after, &snapshot, shard);
        let merged = merge_snapshots(parts(count, run)).unwrap();
        prop_assert_eq!(text(&merged), text(&run(None)));
    }
}

/// The spec as it was and as it is, and an organization that is as it was.
fn settled_before(before: &str, after: &str) -> (Loaded, Snapshot) {
    let fates = [Fate::Nothing; 12];
    let before = spec(before);
    (spec(after), organization(&before, &fates, 1_234_567, true))
}

#[test]
fn notes_of_lost_paths_and_of_guardrails_count_all_accounts() {
    let (after, snapshot) = settled_before(
        &format!("{HEAD}{CAN}{USERS}{FULL}"),
        &format!("{HEAD}{CANNOT}{USERS}{EXPIRED}"),
    );
    let run = |shard| one_of(&after, &snapshot, Kind::Plan, &[], shard);
    let shard = run(shards(3)[0]);
    assert!(
        shard.notes[0].starts_with("after this plan Admin"),
        "{:?}",
        shard.notes
    );
    let merged = merge_plans(parts(3, run)).unwrap();
    assert!(
        merged.notes[0].contains("in 6 accounts ("),
        "{:?}",
        merged.notes
    );
    assert_eq!(merged, run(None));
    let after_plan = |shard| proven(&after, &snapshot, Some(&merged), shard);
    let whole = merge_verifications(parts(3, after_plan)).unwrap();
    assert_eq!(whole.after_plan.as_ref(), Some(&merged.digest));
    assert_eq!(whole.results, after_plan(None).results);
}

#[test]
fn gates_are_those_of_the_whole() {
    let roles = HEAD.split("roles:").next().unwrap();
    let (after, snapshot) = settled_before(
        &format!("{HEAD}{USERS}"),
        &format!("{roles}roles: []\nsafety: {{ max_removals: 90% }}\n{USERS}"),
    );
    let run = |shard| one_of(&after, &snapshot, Kind::Plan, &[], shard);
    let gates = |plan: &Plan| plan.gates.iter().map(|gate| gate.gate).collect::<Vec<_>>();
    // In a share without the user, every managed object goes; of all objects it is fewer than the bound.
    let alone: Vec<_> = parts(2, run)
        .iter()
        .map(|part| gates(&part.report))
        .collect();
    assert!(
        alone.contains(&vec![Gate::Removals, Gate::Lockout]),
        "{alone:?}"
    );
    let merged = merge_plans(parts(2, run)).unwrap();
    assert_eq!(merged, run(None));
    let addresses: usize = merged.gates.iter().map(|gate| gate.addresses.len()).sum();
    assert_eq!(
        (gates(&merged), addresses),
        (vec![Gate::Removals, Gate::Lockout], 24)
    );
}
