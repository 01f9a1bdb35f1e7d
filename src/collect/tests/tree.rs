//! The tree that plans and verifications hold.

use super::*;
use crate::plan::parse_plan;

const TWO_ROLES: &str = r#"
  - name: Audit
    accounts: { include: ["ou:/Sandbox"] }
    trusted: ["user:alice"]
    permissions: { managed_policies: ["arn:aws:iam::aws:policy/SecurityAudit"] }
"#;

fn loaded() -> Loaded {
    spec(&format!("{HEAD}{TWO_ROLES}{USERS}"))
}

#[test]
fn every_report_holds_the_tree_of_what_was_looked_at() {
    let (loaded, snapshot) = (loaded(), empty());
    let expected = json!({
        "units": {
            "ou-root-prod": { "name": "Prod", "parent": "ou-root-work", "accounts": { "333333333333": "prod-pay" } },
            "ou-root-sand": { "name": "Sandbox", "parent": "r-root", "accounts": { "555555555555": "sand-1" } },
            "ou-root-work": { "name": "Workloads", "parent": "r-root", "accounts": { "444444444444": "prod-web" } },
            "r-root": { "accounts": { "111111111111": "management", "222222222222": "emergency" } },
        },
        "roles": [{ "name": "Admin" }, { "name": "Audit", "only": ["555555555555"] }],
    });
    for kind in [Kind::Plan, Kind::Drift] {
        let plan = compared(&loaded, &snapshot, kind, &[]);
        assert_eq!(serde_json::to_value(&plan.tree).unwrap(), expected);
    }
    let verification = verified(&loaded, &snapshot, None, &[]).unwrap();
    assert_eq!(serde_json::to_value(&verification.tree).unwrap(), expected);

    let part = compared(&loaded, &snapshot, Kind::Drift, &["555555555555"]);
    let tree = part.tree.unwrap();
    assert_eq!(tree.accounts().collect::<Vec<_>>(), [&id("5")]);
    assert!(tree.roles.iter().all(|role| role.is_declared_in(&id("5"))));
}

#[test]
fn no_digest_hangs_on_the_tree() {
    let mut plan = planned(&loaded(), &empty());
    plan.expires_at = Some("2026-06-02T00:00:00Z".parse().unwrap());
    // A plan of before there were trees reads as it was.
    plan.tree = None;
    assert_eq!(plan.digest, plan.compute_digest());
    let text = serde_json::to_string(&plan).unwrap();
    assert!(!text.contains("\"tree\""));
    assert_eq!(parse_plan(&text).unwrap(), plan);
}
