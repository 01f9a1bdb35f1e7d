//! Ignore rules: what they leave alone, what they tell of it, and what they do not hide.

use super::*;
use crate::collect::BaseSpec;
use crate::plan::{Action, Cause, Gate, ParsePlanError, parse_plan};
use crate::state::{ResourceType, User};

/// A rule that lasts, as a line of the section.
fn rule(pattern: &str) -> String {
    format!("  - {{ match: \"{pattern}\", reason: theirs, owner: ops, expires: 2027-01-01 }}\n")
}

fn ignoring(rules: &[String]) -> Loaded {
    spec(&format!("{HEAD}{USERS}ignore:\n{}", rules.concat()))
}

fn plain() -> Loaded {
    spec(&format!("{HEAD}{USERS}"))
}

/// Somebody else's tag on every role, and in account 3 a longer session too.
fn tagged(snapshot: &Snapshot) -> Snapshot {
    let mut snapshot = snapshot.clone();
    for (account, reading) in &mut snapshot.accounts {
        let Reading::Complete(live) = reading else {
            continue;
        };
        for role in live.roles.values_mut() {
            role.tags.insert("cost-center".to_owned(), "9".to_owned());
            if *account == id("3") {
                role.max_session = 7_200;
            }
        }
    }
    snapshot
}

fn ignored(plan: &Plan) -> Vec<String> {
    let told = plan.ignored.iter().map(|change| {
        let paths = change.fields.iter().map(|field| field.path.as_str());
        let paths: Vec<&str> = paths.collect();
        let rule = change.ignored_by.as_ref().unwrap();
        format!("{} {} by {}", change.address, paths.join(","), rule.index)
    });
    told.collect()
}

fn addresses(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter();
    changes.map(|change| change.address.to_string()).collect()
}

#[test]
fn an_ignored_field_is_never_written_and_the_others_are() {
    let loaded = ignoring(&[rule("*/iam_role/Admin:tags.cost-*")]);
    let live = tagged(&settled(&plain()));
    assert_eq!(planned(&plain(), &live).changes.len(), 5);
    let plan = planned(&loaded, &live);
    assert_eq!(addresses(&plan), ["333333333333/iam_role/Admin"]);
    let paths: Vec<&str> = plan.changes[0]
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect();
    assert_eq!(paths, ["max_session"]);
    assert_eq!((plan.ignored.len(), plan.summary.ignored), (5, 5));
    let low = |change: &Change| change.risk == crate::plan::Risk::Low;
    assert!(
        plan.ignored.iter().all(low),
        "only what is ignored is weighed"
    );
    let rule = plan.ignored[0].ignored_by.as_ref().unwrap();
    assert_eq!(
        (rule.reason.as_str(), rule.owner.as_deref()),
        ("theirs", Some("ops"))
    );
    assert_eq!(rule.source.as_ref().unwrap().line, 16);
    // Neither in sync nor a difference.
    assert!(
        plan.in_sync
            .iter()
            .all(|address| address.resource_type != ResourceType::IamRole)
    );
    assert_eq!(plan.summary.accounts.different, 1);
    let saved = compared(&loaded, &live, Kind::Drift, &[]);
    let text = serde_json::to_string(&saved).unwrap();
    assert_eq!(
        parse_plan(&text).unwrap(),
        saved,
        "a saved plan carries what is ignored"
    );

    let after = applied(&live, &plan.changes);
    for reading in after.accounts.values() {
        let Reading::Complete(live) = reading else {
            panic!("all can be read")
        };
        let role = &live.roles["Admin"];
        assert_eq!(role.tags["cost-center"], "9");
        assert_eq!(role.max_session, 3_600);
    }
    for kind in [Kind::Plan, Kind::Drift] {
        let plan = compared(&loaded, &after, kind, &[]);
        assert_eq!(
            (plan.outcome, plan.summary.ignored),
            (crate::plan::Outcome::InSync, 5)
        );
    }
}

#[test]
fn a_whole_thing_is_left_as_it_is_whatever_would_become_of_it() {
    let loaded = ignoring(&[rule("333333333333/iam_role/*")]);
    let mut live = settled(&plain());
    if let Some(Reading::Complete(live)) = live.accounts.get_mut(&id("3")) {
        let mut stray = live.roles["Admin"].clone();
        stray.max_session = 7_200;
        live.roles = [("Stray".to_owned(), stray)].into();
    }
    let plan = planned(&loaded, &live);
    assert_eq!(plan.changes, []);
    let actions: Vec<Action> = plan.ignored.iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::Create, Action::Delete]);
    assert_eq!(applied(&live, &plan.changes).accounts, live.accounts);
    // A field is left alone of what stays: what is made or deleted is so as a whole.
    let loaded = ignoring(&[rule("333333333333/iam_role/*:*")]);
    assert_eq!(planned(&loaded, &live).changes.len(), 2);
}

#[test]
fn the_first_rule_in_order_gives_the_reason_and_one_behind_it_is_idle() {
    let live = tagged(&settled(&plain()));
    let rules = [
        rule("*/iam_role/*:max_session"),
        rule("3*/*/*"),
        rule("3*/iam_role/Admin:tags.*"),
        rule("*/iam_role/*:tags.*"),
        rule("*/iam_policy/*"),
    ];
    let plan = planned(&ignoring(&rules), &live);
    let of_3 = |line: &String| line.starts_with('3');
    let told: Vec<String> = ignored(&plan).into_iter().filter(of_3).collect();
    assert_eq!(
        told,
        [
            "333333333333/iam_role/Admin max_session by 0",
            "333333333333/iam_role/Admin tags.cost-center by 1",
        ]
    );
    assert_eq!(plan.changes, []);
    let idle: Vec<&String> = plan
        .notes
        .iter()
        .filter(|note| note.contains("leaves nothing alone"))
        .collect();
    assert_eq!(idle.len(), 2, "{idle:?}");
    assert!(
        idle[0].starts_with("ignore[2] (3*/iam_role/Admin:tags.*)"),
        "{idle:?}"
    );
    assert!(
        idle[1].starts_with("ignore[4] (*/iam_policy/*)"),
        "{idle:?}"
    );
    // Whoever has not looked everywhere can't say so.
    let narrow = compared(&ignoring(&rules), &live, Kind::Plan, &["333333333333"]);
    let mut unread = live;
    let error = "AccessDenied".to_owned();
    unread
        .accounts
        .insert(id("3"), Reading::Unreadable { error });
    let unread = compared(&ignoring(&rules), &unread, Kind::Drift, &[]);
    assert_eq!(unread.outcome, crate::plan::Outcome::Incomplete);
    for plan in [narrow, unread] {
        assert!(
            !plan
                .notes
                .iter()
                .any(|note| note.contains("leaves nothing alone"))
        );
    }
}

#[test]
fn a_rule_that_is_over_hides_nothing_and_one_that_soon_is_says_so() {
    let live = tagged(&settled(&plain()));
    let until = |day: &str| rule("*/iam_role/*:tags.*").replace("2027-01-01", day);
    let note = |day: &str| {
        let plan = planned(&ignoring(&[until(day)]), &live);
        let notes = plan
            .notes
            .iter()
            .filter(|note| note.starts_with("ignore[0]"));
        (
            plan.summary.ignored,
            notes.cloned().collect::<Vec<_>>().concat(),
        )
    };
    let (count, over) = note("2026-05-31");
    assert!(
        count == 0 && over.contains("expired on 2026-05-31"),
        "{over}"
    );
    let (count, last) = note("2026-06-01");
    assert!(
        count == 5 && last.ends_with("expires on 2026-06-01"),
        "{last}"
    );
    assert_eq!(
        note("2026-07-01").1,
        "ignore[0] (*/iam_role/*:tags.*) expires on 2026-07-01"
    );
    assert_eq!(note("2026-07-02"), (5, String::new()));
}

#[test]
fn a_user_that_is_left_missing_is_missing_to_roles_and_gates() {
    let users = format!(
        "{USERS}  - {{ name: bob, custodians: {{ password: c, token: d }}, console: false }}\n"
    );
    let text = format!(
        "{}{users}",
        HEAD.replace("user:alice\"", "user:alice\", \"user:bob\"")
    );
    let loaded = spec(&format!("{text}ignore:\n{}", rule("*/iam_user/alice")));
    let plan = planned(&loaded, &empty());
    let blocked: Vec<&str> = plan
        .changes
        .iter()
        .filter_map(|change| change.blocked.as_deref())
        .collect();
    assert_eq!(
        blocked.len(),
        5,
        "every role trusts her: {:?}",
        addresses(&plan)
    );
    assert!(
        blocked[0].contains("user/break-glass/alice, which is not there"),
        "{blocked:?}"
    );
    assert_eq!(ignored(&plan).len(), 1);

    let mut live = empty();
    if let Some(Reading::Complete(emergency)) = live.accounts.get_mut(&id("2")) {
        let old: User = serde_json::from_value(json!({ "path": "/break-glass/" })).unwrap();
        emergency.users.insert("old".to_owned(), old);
    }
    let few = |loaded: &Loaded| {
        let gates = planned(loaded, &live).gates;
        gates.iter().any(|finding| finding.gate == Gate::Lockout)
    };
    assert!(
        few(&loaded),
        "of the two users that the spec declares one is not there"
    );
    assert!(!few(&spec(&text)));
}

#[test]
fn coverage_is_not_for_a_rule_to_hide() {
    let narrow = HEAD.replace(
        "trusted:",
        "accounts: { exclude: [\"333333333333\"] }\n    trusted:",
    );
    let text = format!("{narrow}{USERS}coverage: {{ required: [Admin] }}\n");
    let loaded = spec(&format!("{text}ignore:\n{}", rule("*/*/*")));
    let plan = planned(&loaded, &settled(&plain()));
    let told: Vec<(&str, Action)> = plan
        .changes
        .iter()
        .map(|change| (change.fields[0].path.as_str(), change.action))
        .collect();
    assert_eq!(told, [("coverage", Action::Manual)]);
    assert_eq!(plan.ignored[0].action, Action::Delete);
}

#[test]
fn a_rule_that_leaves_the_spec_is_the_cause_of_what_comes_back() {
    let live = tagged(&settled(&plain()));
    let told = |now: &Loaded, base: &Loaded| {
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
                spec: Ok(Box::new(base.clone())),
            }),
        };
        let cloud = Offline::new(live.clone());
        let plan = run(compare(&cloud, now, &request, &|_, _| ())).unwrap();
        plan.changes
            .iter()
            .map(|change| change.cause)
            .collect::<Vec<_>>()
    };
    let rules = ignoring(&[rule("*/iam_role/*")]);
    let over = ignoring(&[rule("*/iam_role/*").replace("2027", "2026")]);
    assert_eq!(told(&plain(), &rules), [Cause::Spec; 5]);
    assert_eq!(told(&plain(), &plain()), [Cause::Live; 5]);
    assert_eq!(told(&over, &over), [Cause::Live; 5]);
    assert_eq!(told(&rules, &plain()), []);
}

#[test]
fn what_is_ignored_is_part_of_what_was_reviewed() {
    let live = tagged(&settled(&plain()));
    let plan = planned(&ignoring(&[rule("*/iam_role/*")]), &live);
    let moved = planned(
        &ignoring(&[rule("*/iam_policy/x"), rule("*/iam_role/*")]),
        &live,
    );
    assert_ne!(plan.digest, moved.digest, "another spec");
    let mut elsewhere = plan.clone();
    for change in &mut elsewhere.ignored {
        let rule = change.ignored_by.as_mut().unwrap();
        (rule.index, rule.source) = (7, None);
    }
    assert_eq!(elsewhere.compute_digest(), plan.digest);
    elsewhere.ignored.clear();
    assert_ne!(elsewhere.compute_digest(), plan.digest);

    // An edited plan can't pass a change off as ignored, nor have an ignored one carried out.
    let drift = planned(&plain(), &live);
    let mut done = plan.clone();
    done.ignored[0].operations = drift.changes[0].operations.clone();
    let mut hidden = drift.clone();
    hidden.changes[0].ignored_by = plan.ignored[0].ignored_by.clone();
    for mut edited in [done, hidden] {
        edited.expires_at = Some(edited.created_at);
        edited.digest = edited.compute_digest();
        let text = serde_json::to_string(&edited).unwrap();
        let error = parse_plan(&text).unwrap_err();
        assert!(matches!(error, ParsePlanError::Inconsistent(_)), "{error}");
    }
}

#[test]
fn proofs_are_of_what_there_is() {
    let mut live = settled(&plain());
    for reading in live.accounts.values_mut() {
        if let Reading::Complete(live) = reading {
            live.roles.clear();
        }
    }
    let all = ignoring(&[rule("*/*/*")]);
    assert_eq!(planned(&all, &live).changes, []);
    let (with, without) = (
        verified(&all, &live, None, &[]).unwrap(),
        verified(&plain(), &live, None, &[]).unwrap(),
    );
    assert_eq!(verdicts(&with), verdicts(&without));
    assert!(
        verdicts(&with)
            .iter()
            .all(|(_, verdict)| *verdict != Verdict::Proven)
    );
}
