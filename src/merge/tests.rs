//! What does not make a whole is refused.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;
use crate::plan::{
    Entry, Kind, Notes, Outcome, Plan, PlanBuilder, PlanHeader, SafetyRules, Scope, Staleness,
    check_fresh,
};

fn header(shard: &str) -> PlanHeader {
    PlanHeader {
        spec_file: None,
        base: None,
        kind: Kind::Plan,
        organization_id: "o-exampleorg1".to_owned(),
        spec_digest: "sha256:00".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        expires_at: Some("2026-01-02T00:00:00Z".parse().unwrap()),
        entry: Some(Entry::default()),
        scope: Scope {
            partial: true,
            filters: Vec::new(),
            shard: shard.parse().ok(),
        },
        strict: false,
        notes: Notes::default(),
        skipped: Vec::new(),
        tree: None,
    }
}

fn rules() -> SafetyRules {
    SafetyRules {
        max_removals: 25,
        min_users: 2,
        declared_users: None,
        member_roles: BTreeSet::new(),
        callers: BTreeSet::new(),
    }
}

fn plan(shard: &str, change: impl FnOnce(&mut PlanHeader)) -> Part<Plan> {
    let mut header = header(shard);
    change(&mut header);
    Part {
        file: format!("{shard}.json"),
        report: PlanBuilder::default().finish(header, &rules()),
    }
}

fn refused(parts: Vec<Part<Plan>>) -> String {
    merge_plans(parts).unwrap_err().to_string()
}

#[test]
fn each_shard_is_there_once() {
    let same = |shard: &str| plan(shard, |_| ());
    assert_eq!(
        refused(vec![same("1/2")]),
        "the reports of these shards are missing: 2/2"
    );
    assert_eq!(
        refused(vec![same("11/13")]),
        "the reports of these shards are missing: 1/13, 2/13, 3/13, 4/13, 5/13, 6/13, 7/13, 8/13, 9/13, 10/13, 2 more"
    );
    assert_eq!(
        refused(vec![same("1/2"), same("2/2"), same("1/2")]),
        "1/2.json and 1/2.json are both of shard 1/2"
    );
    assert_eq!(
        refused(vec![same("1/2"), same("2/3")]),
        "1/2.json and 2/3.json differ in the number of shards: they are not of one run"
    );
    assert_eq!(
        refused(vec![same("1/2"), same("whole")]),
        "whole.json is not the report of a shard, so nothing can be put to it"
    );
    // One that is whole is all there is.
    let whole = same("whole").report;
    assert_eq!(merge_plans(vec![same("whole")]).unwrap(), whole);
    assert_eq!(merge_plans(vec![same("1/1")]).unwrap().scope.shard, None);
}

#[test]
fn reports_of_two_runs_are_refused() {
    type Other = fn(&mut PlanHeader);
    let others: [(&str, Other); 6] = [
        ("their kind", |header| header.kind = Kind::Drift),
        ("their organization", |header| {
            header.organization_id.push('2')
        }),
        ("their spec", |header| header.spec_digest.push('1')),
        ("their spec", |header| header.entry = None),
        ("the options they were made with", |header| {
            header.strict = true
        }),
        ("the options they were made with", |header| {
            header.scope.filters.push("--ou /Sandbox".to_owned());
        }),
    ];
    for (what, other) in others {
        assert_eq!(
            refused(vec![plan("2/2", other), plan("1/2", |_| ())]),
            format!("1/2.json and 2/2.json differ in {what}: they are not of one run")
        );
    }
}

#[test]
fn the_whole_is_of_the_earliest_of_all_times() {
    let early: Timestamp = "1960-01-01T00:00:00Z".parse().unwrap();
    let merged = merge_plans(vec![
        plan("1/2", |_| ()),
        plan("2/2", |header| {
            header.created_at = early;
            header.expires_at = Some(early);
        }),
    ]);
    let merged = merged.unwrap();
    assert_eq!((merged.created_at, merged.expires_at), (early, Some(early)));
}

#[test]
fn what_one_shard_could_not_read_stays_unreadable() {
    let account: AccountId = "111122223333".parse().unwrap();
    let shard = Shard::of(&account, 2).unwrap().to_string();
    let other = if shard == "1/2" { "2/2" } else { "1/2" };
    let with = |shard: &str| {
        let mut builder = PlanBuilder::default();
        builder.add_unreadable(&account, "legacy", "AccessDenied".to_owned());
        Part {
            file: format!("{shard}.json"),
            report: builder.finish(header(shard), &rules()),
        }
    };
    let merged = merge_plans(vec![with(&shard), plan(other, |_| ())]).unwrap();
    assert_eq!(merged.outcome, Outcome::Incomplete);
    assert_eq!(merged.unreadable[0].account, account);
    assert_eq!(merged.summary.accounts.unreadable, 1);
    assert_eq!(
        refused(vec![with(other), plan(&shard, |_| ())]),
        format!(
            "{other}.json is of shard {other}, which account 111122223333 is not in: it was edited"
        )
    );
}

#[test]
fn the_plan_of_a_shard_is_not_applied_alone() {
    let one = plan("1/2", |_| ()).report;
    let refused = check_fresh(&one, Timestamp::UNIX_EPOCH, None).unwrap_err();
    assert!(matches!(refused, Staleness::Shard(_)), "{refused}");
    let merged = merge_plans(vec![plan("1/2", |_| ()), plan("2/2", |_| ())]).unwrap();
    assert_eq!(check_fresh(&merged, Timestamp::UNIX_EPOCH, None), Ok(()));
}
