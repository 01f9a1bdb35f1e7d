//! What goes wrong while AWS is written: lost answers, principals that are not there yet, and those that never will be.

use serde_json::{Value, json};

use crate::harness::{MANAGEMENT, PROD_PAY, changes};
use crate::{small_organization, spec_without_passwords};

#[test]
fn a_lost_answer_is_no_failure() {
    let emulator = small_organization();
    let rules = |actions: &[&str]| -> Vec<Value> {
        let broken = ["lost_answer", "half_body", "malformed"];
        let pairs = actions
            .iter()
            .flat_map(|action| broken.map(|kind| (action, kind)));
        let rules =
            pairs.map(|(action, kind)| json!({ "kind": kind, "action": action, "times": 1 }));
        rules.collect()
    };
    let making = [
        "iam:CreateUser",
        "iam:CreateRole",
        "iam:CreatePolicy",
        "iam:PutUserPolicy",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
    ];
    emulator.faults(json!(rules(&making)));
    emulator.run(&["apply", "--yes"]).expect(0);
    assert_eq!(emulator.fired(), [1; 18]);
    emulator.no_faults();
    emulator.run(&["drift"]).expect(0);

    let spec = spec_without_passwords();
    let (without_read, _) = spec.split_once("  - name: BreakGlassRead").unwrap();
    emulator.write("breakglass.yaml", without_read);
    let removing = ["iam:DetachRolePolicy", "iam:DeleteRole", "iam:DeletePolicy"];
    emulator.faults(json!(rules(&removing)));
    emulator
        .run(&["apply", "--yes", "--allow", "removals,lockout"])
        .expect(0);
    assert_eq!(emulator.fired(), [1; 9]);
    emulator.no_faults();
    emulator.run(&["drift"]).expect(0);
}

#[test]
fn users_that_are_no_principals_yet_are_waited_for() {
    let emulator = small_organization();
    emulator.settings(json!({ "check_principals": true, "fresh_principal_seconds": 3 }));
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
    let calls = emulator.calls();
    let attempts = calls
        .iter()
        .filter(|call| call.action == "CreateRole")
        .count();
    assert!(attempts > 7, "7 roles were made at the first attempt");
}

#[test]
fn a_principal_that_does_not_exist_is_named_and_the_rest_is_done() {
    let emulator = small_organization();
    let nobody = format!("arn:aws:iam::{MANAGEMENT}:user/nobody");
    let role = format!(
        "  - name: BreakGlassNobody\n    accounts: {{ include: [\"{PROD_PAY}\"] }}\n    trusted: [\"{nobody}\"]\n"
    );
    emulator.write("breakglass.yaml", &(spec_without_passwords() + &role));
    emulator.settings(json!({ "check_principals": true }));
    let (code, report) = emulator.json(&["apply", "--yes"]);
    assert_eq!(code, 6);
    let results = report["results"].as_array().unwrap();
    let failed: Vec<&Value> = results
        .iter()
        .filter(|result| result["status"] != "done")
        .collect();
    let [failed] = failed[..] else {
        panic!("{results:?}")
    };
    let address = format!("{PROD_PAY}/iam_role/BreakGlassNobody");
    assert_eq!(
        (&failed["address"], &failed["status"]),
        (&json!(address), &json!("failed"))
    );
    let message = failed["message"].as_str().unwrap();
    assert!(
        message.starts_with("iam:CreateRole: MalformedPolicyDocument: "),
        "{message}"
    );
    assert!(message.contains(&nobody), "{message}");
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(code, 2);
    let [left] = &changes(&drift)[..] else {
        panic!("{drift}")
    };
    assert!(left.starts_with(&address), "{left}");
}
