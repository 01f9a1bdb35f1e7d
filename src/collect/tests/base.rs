//! What a change of the spec causes, told by the spec before it.

use super::*;
use crate::collect::BaseSpec;
use crate::plan::{Cause, Gate};

fn written(trusted: &str, session: &str) -> Loaded {
    let text = HEAD.replace("[\"user:alice\"]", trusted);
    let text = text.replace("trusted:", &format!("max_session: {session}\n    trusted:"));
    let users = USERS.replace("users:\n", "").replace("alice", "bob");
    spec(&format!("{text}{USERS}{users}"))
}

fn told(loaded: &Loaded, base: Result<&Loaded, &str>, snapshot: &Snapshot) -> Plan {
    let request = CompareRequest {
        kind: Kind::Plan,
        filter: ScopeFilter::default(),
        concurrency: 4,
        max_failures: None,
        strict: false,
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
        expires_at: None,
        base: Some(BaseSpec {
            revision: "0123abcd".to_owned(),
            spec: base
                .map(|loaded| Box::new(loaded.clone()))
                .map_err(str::to_owned),
        }),
    };
    let cloud = Offline::new(snapshot.clone());
    run(compare(&cloud, loaded, &request, &|_, _| ())).unwrap()
}

fn causes(plan: &Plan) -> BTreeSet<(String, Cause)> {
    let changes = plan.changes.iter();
    changes
        .map(|change| {
            (
                format!("{}/{}", change.resource_type, change.name),
                change.cause,
            )
        })
        .collect()
}

fn widens(plan: &Plan) -> bool {
    plan.gates.iter().any(|finding| finding.gate == Gate::Widen)
}

/// Takes the role's policies away behind the spec's back.
fn drifted(snapshot: &Snapshot) -> Snapshot {
    let mut snapshot = snapshot.clone();
    for reading in snapshot.accounts.values_mut() {
        if let Reading::Complete(live) = reading
            && let Some(role) = live.roles.get_mut("Admin")
        {
            role.managed_policies.clear();
        }
    }
    snapshot
}

const ROLE: &str = "iam_role/Admin";

#[test]
fn what_was_so_already_is_no_change_of_the_spec_and_passes_no_gate() {
    let now = written("[\"user:alice\"]", "1h");
    let live = drifted(&settled(&now));
    let plan = told(&now, Ok(&now), &live);
    assert_eq!(
        causes(&plan),
        BTreeSet::from([(ROLE.to_owned(), Cause::Live)])
    );
    assert!(!widens(&plan), "putting drift back is not gated");
    assert_eq!(plan.base.as_deref(), Some("0123abcd"));
}

#[test]
fn broader_access_that_the_spec_newly_asks_for_stops_at_a_gate() {
    let before = written("[\"user:alice\"]", "1h");
    let now = written("[\"user:alice\", \"user:bob\"]", "1h");
    let live = settled(&before);
    let plan = told(&now, Ok(&before), &live);
    assert!(causes(&plan).contains(&(ROLE.to_owned(), Cause::Spec)));
    assert!(widens(&plan));
    // Asked for the other way round, it takes access away.
    let plan = told(&before, Ok(&now), &settled(&now));
    assert!(causes(&plan).contains(&(ROLE.to_owned(), Cause::Spec)));
    assert!(!widens(&plan));
}

#[test]
fn drift_on_what_the_spec_changes_harmlessly_is_not_taken_for_widening() {
    let before = written("[\"user:alice\"]", "1h");
    let now = written("[\"user:alice\"]", "1h\n    tags: { a: b }");
    let plan = told(&now, Ok(&before), &drifted(&settled(&before)));
    assert_eq!(
        causes(&plan),
        BTreeSet::from([(ROLE.to_owned(), Cause::Spec)])
    );
    assert_eq!(plan.changes[0].access, crate::policy::Access::Broader);
    assert!(!widens(&plan));
}

#[test]
fn without_a_spec_to_compare_with_everything_counts_as_changed() {
    let now = written("[\"user:alice\"]", "1h");
    let plan = told(
        &now,
        Err("it has no breakglass.yaml"),
        &drifted(&settled(&now)),
    );
    assert_eq!(
        causes(&plan),
        BTreeSet::from([(ROLE.to_owned(), Cause::Spec)])
    );
    assert!(widens(&plan));
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("it has no breakglass.yaml"))
    );
}

#[test]
fn a_base_leaves_the_digest_of_what_it_does_not_gate_as_it_is() {
    let now = written("[\"user:alice\"]", "1h");
    let live = drifted(&settled(&now));
    let told = told(&now, Ok(&now), &live);
    assert_eq!(told.digest, planned(&now, &live).digest);
}

#[test]
fn what_is_as_the_spec_says_is_listed() {
    let now = written("[\"user:alice\"]", "1h");
    let live = settled(&now);
    let named = |plan: &Plan| -> BTreeSet<String> {
        let names = plan.in_sync.iter();
        names
            .map(|address| format!("{}/{}", address.resource_type, address.name))
            .collect()
    };
    let all = ["iam_role/Admin", "iam_user/alice", "iam_user/bob"].map(str::to_owned);
    let plan = planned(&now, &live);
    assert_eq!(named(&plan), BTreeSet::from(all));
    let differing = planned(&now, &drifted(&live));
    assert!(!named(&differing).contains(ROLE));
}
