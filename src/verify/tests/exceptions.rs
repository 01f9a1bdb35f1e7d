//! An exception that is proposed opens the path; where exceptions alone don't, that is said.

use super::*;

const ABILITY: &str = "must_allow: [\"ec2:RunInstances\"]";

fn guard(rest: Value) -> Value {
    let mut statement = json!({ "Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*" });
    for (key, value) in rest.as_object().unwrap() {
        statement[key] = value.clone();
    }
    document(json!([statement]))
}

/// Tells which exceptions are proposed, as policy, statements, roles and users.
fn proposed(result: &RoleResult) -> Vec<String> {
    let proofs = result.proofs.iter();
    let findings = proofs.flat_map(|proof| &proof.findings);
    let exceptions = findings.flat_map(|finding| &finding.exceptions);
    exceptions
        .map(|one| {
            format!(
                "{} {:?} {:?} {:?} {:?}",
                one.policy,
                one.statements,
                one.roles,
                one.users,
                one.accounts
                    .iter()
                    .map(AccountId::as_str)
                    .collect::<Vec<_>>()
            )
        })
        .collect()
}

#[test]
fn every_guardrail_in_the_way_is_excepted() {
    let mut world = World::new(ABILITY);
    world.attach("scp", "first", &["r-root"], guard(json!({ "Sid": "One" })));
    // Seen only when the first is out of the way: it may deny.
    let office = json!({ "Sid": "Two", "Action": "ec2:*", "Condition": { "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } } });
    world.attach(
        "scp",
        "second",
        &["ou-root-prod", "ou-root-work"],
        guard(office),
    );
    let result = world.prove();
    let role = |policy: &str, sid: &str| {
        format!("{policy} [\"{sid}\"] {{\"Admin\"}} {{}} [\"333333333333\"]")
    };
    assert_eq!(
        proposed(&result),
        [
            // For the user, whom the second says nothing of.
            "first [\"One\"] {} {\"alice\"} [\"222222222222\"]".to_owned(),
            role("first", "One"),
            role("second", "Two"),
        ]
    );
}

#[test]
fn what_exceptions_leave_in_the_way_is_said() {
    let mut world = World::new(ABILITY);
    world.attach(
        "scp",
        "guard",
        &["ou-root-work"],
        guard(json!({ "Action": "ec2:*" })),
    );
    world.accounts.get_mut(&id("3")).unwrap()["managed_policies"] = json!([]);
    let result = world.prove();
    assert_eq!(
        told(&result),
        [
            "Blocked",
            "a session cannot do ec2:RunInstances: statement No of SCP guard (p-guard) at /Workloads (ou-root-work) denies it; \
             exceptions alone do not open it: none of its own policies allows it",
        ]
    );
    assert!(proposed(&result).is_empty());
    // Nor where what is left is not known.
    world.accounts.get_mut(&id("3")).unwrap()["managed_policies"] =
        json!(["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    let result = world.prove();
    let left = "exceptions alone do not prove it: the document of arn:aws:iam::aws:policy/ReadOnlyAccess is not known";
    assert!(told(&result)[1].ends_with(left), "{:?}", told(&result));
    assert!(proposed(&result).is_empty());
    world.accounts.get_mut(&id("3")).unwrap()["managed_policies"] = json!([]);
    // Where no guardrail denies, exceptions are beside the point.
    world.attach("scp", "guard", &["ou-root-sand"], guard(json!({})));
    let message = "a session cannot do ec2:RunInstances: none of its own policies allows it";
    assert_eq!(told(&world.prove()), ["Blocked", message]);
}

#[test]
fn guardrails_of_control_tower_take_no_exceptions() {
    let mut world = World::new(ABILITY);
    world.attach(
        "scp",
        "aws-guardrails-x",
        &["ou-root-work"],
        guard(json!({ "Action": "ec2:*" })),
    );
    world.attach(
        "scp",
        "own",
        &["ou-root-work"],
        guard(json!({ "Action": "ec2:*" })),
    );
    let result = world.prove();
    assert!(proposed(&result).is_empty());
    let told = told(&result).remove(1);
    let expected = "exceptions alone do not open it: statement No of SCP aws-guardrails-x (p-aws-guardrails-x) at /Workloads \
                    (ou-root-work) denies it (Control Tower sets it: its parameter ExemptedPrincipalArns lets roles through)";
    assert!(told.ends_with(expected), "{told}");
}

#[test]
fn a_name_that_two_policies_have_is_no_reference() {
    let mut world = World::new("");
    let mut rcp = guard(json!({ "Action": "sts:*", "Principal": "*" }));
    rcp["Statement"][0].as_object_mut().unwrap().remove("Sid");
    world.attach("rcp", "guard", &["ou-root-work"], rcp);
    let named = |policy: &str| format!("{policy} [] {{}} {{\"alice\"}} [\"333333333333\"]");
    assert_eq!(proposed(&world.prove()), [named("guard")]);
    world.attach("scp", "other", &[] as &[&str], guard(json!({})));
    let guardrails = world.guardrails.as_mut().unwrap();
    guardrails.policies.get_mut("p-other").unwrap().name = "guard".to_owned();
    assert_eq!(proposed(&world.prove()), [named("p-guard")]);
}

#[test]
fn a_user_that_the_spec_does_not_declare_takes_no_exception() {
    let mut world = World::new("");
    let carol = "arn:aws:iam::222222222222:user/carol";
    world.spec.spec.roles.as_mut().unwrap()[0].trusted = vec![carol.parse().unwrap()];
    let mut own = user();
    own["path"] = json!("/");
    world.emergency = Ok(json!({ "users": { "carol": own } }));
    let mut trust = trust();
    trust["Statement"][0]["Principal"] = json!({ "AWS": carol });
    world.accounts.insert(id("3"), role(trust));
    assert_eq!(told(&world.prove()), ["Proven"]);
    world.attach("scp", "guard", &["222222222222"], guard(json!({})));
    let result = world.prove();
    assert!(proposed(&result).is_empty());
    assert!(
        told(&result)[1].ends_with("(exceptions are for users of the spec, and carol is none)")
    );
}
