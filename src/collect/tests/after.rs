//! `verify` on the state that a plan leads to.

use super::*;

const LOCK: &str = r#"
    must_allow: ["ec2:RunInstances"]
"#;
const EXCEPTION: &str = r#"
guardrails:
  exceptions:
    - id: lock
      policy: lock
      roles: [Admin]
      accounts: { include: ["333333333333"] }
      reason: r
      owner: security
      ticket: SEC-1
      expires: 2027-01-01
"#;

fn locked(loaded: &Loaded) -> Snapshot {
    let mut snapshot = settled(loaded);
    deny(
        &mut snapshot,
        "lock",
        "333333333333",
        json!({ "Action": "ec2:*" }),
    );
    snapshot
}

#[test]
fn roles_that_a_plan_makes_are_proven() {
    let loaded = spec(&format!("{HEAD}{USERS}"));
    let snapshot = empty();
    let plan = planned(&loaded, &snapshot);
    let live = verified(&loaded, &snapshot, None, &[]).unwrap();
    assert!(
        live.results
            .iter()
            .all(|one| one.verdict == Verdict::Missing)
    );
    let after = verified(&loaded, &snapshot, Some(&plan), &[]).unwrap();
    assert!(
        after
            .results
            .iter()
            .all(|one| one.verdict == Verdict::Proven)
    );
    assert_eq!(after.results.len(), 5);
    assert_eq!(after.after_plan, Some(plan.digest));
}

#[test]
fn what_the_plan_makes_of_guardrails_counts() {
    let loaded = spec(&format!("{HEAD}{LOCK}{USERS}{EXCEPTION}"));
    let snapshot = locked(&spec(&format!("{HEAD}{LOCK}{USERS}")));
    let plan = planned(&loaded, &snapshot);
    let only = ["333333333333", "444444444444"];
    let live = verified(&loaded, &snapshot, None, &only).unwrap();
    let expected = [
        ("prod-pay", Verdict::Blocked),
        ("prod-web", Verdict::Proven),
    ];
    assert_eq!(verdicts(&live), expected);
    let after = verified(&loaded, &snapshot, Some(&plan), &only).unwrap();
    let expected = [("prod-pay", Verdict::Proven), ("prod-web", Verdict::Proven)];
    assert_eq!(verdicts(&after), expected);
    // Also where the plan is carried out already.
    let done = applied(&snapshot, &plan.changes);
    let again = verified(&loaded, &done, Some(&plan), &only).unwrap();
    assert_eq!(verdicts(&again), expected);
}

#[test]
fn a_plan_that_live_state_has_left_behind_is_refused() {
    let loaded = spec(&format!("{HEAD}{LOCK}{USERS}{EXCEPTION}"));
    let snapshot = locked(&spec(&format!("{HEAD}{USERS}")));
    let plan = planned(&loaded, &snapshot);
    let refusal = |snapshot: &Snapshot, plan: &Plan| {
        let error = verified(&loaded, snapshot, Some(plan), &[]).unwrap_err();
        assert!(matches!(error, CollectError::Stale(_)), "{error}");
        error.to_string()
    };
    let mut moved = snapshot.clone();
    deny(
        &mut moved,
        "lock",
        "333333333333",
        json!({ "Action": "s3:*" }),
    );
    assert_eq!(
        refusal(&moved, &plan),
        "org/guardrail_exception/lock changed since the plan was made; make a new plan"
    );
    let nothing = empty();
    let creation = planned(&loaded, &nothing);
    let mut moved = nothing;
    let Some(Reading::Complete(live)) = moved.accounts.get_mut(&id("3")) else {
        panic!("it can be read");
    };
    let role = json!({ "path": "/break-glass/", "max_session": 3600, "trust_policy": { "Version": "2012-10-17", "Statement": [] } });
    live.roles
        .insert("Admin".to_owned(), serde_json::from_value(role).unwrap());
    assert_eq!(
        refusal(&moved, &creation),
        "333333333333/iam_role/Admin changed since the plan was made; make a new plan"
    );
}
