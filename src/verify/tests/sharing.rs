//! Equal situations are proven once, and only equal ones.

use super::*;

#[test]
fn equal_situations_are_proven_once() {
    let mut world = World::new("must_allow: [\"ec2:RunInstances\"]");
    world.accounts = ["3", "4"].map(|digit| (id(digit), role(trust()))).into();
    // Below one guardrail, and under units with the same policies.
    let (results, situations) = world.prove_all();
    assert_eq!(
        situations, 2,
        "the levels above 3 are four, those above 4 three"
    );
    assert!(
        results
            .values()
            .all(|result| result.verdict == Verdict::Proven)
    );
    world
        .organization
        .accounts
        .get_mut(&id("4"))
        .unwrap()
        .parent = "ou-root-prod".to_owned();
    assert_eq!(world.prove_all().1, 1);
}

#[test]
fn what_is_found_is_told_of_each_account() {
    let mut world = World::new("must_allow: [\"s3:GetObject\"]");
    world
        .organization
        .accounts
        .get_mut(&id("4"))
        .unwrap()
        .parent = "ou-root-prod".to_owned();
    world.accounts = ["3", "4"]
        .map(|digit| {
            let own = digit.repeat(12);
            let mut role = role(trust());
            let deny = json!([{ "Effect": "Deny", "Action": "s3:*", "Resource": format!("arn:aws:s3:::logs-{own}") }]);
            role["inline_policies"] = json!({ "own": document(deny) });
            (id(digit), role)
        })
        .into();
    let (results, situations) = world.prove_all();
    assert_eq!(situations, 1);
    for (account, result) in &results {
        let message = &proof(result, "must_allow").findings[0].message;
        assert!(message.contains(&format!("logs-{account}")), "{message}");
        assert_eq!(result.address.account.as_ref(), Some(account));
    }
}

#[test]
fn an_account_that_a_guardrail_names_is_proven_by_itself() {
    let mut world = World::new("must_allow: [\"s3:GetObject\"]");
    world
        .organization
        .accounts
        .get_mut(&id("4"))
        .unwrap()
        .parent = "ou-root-prod".to_owned();
    world.accounts = ["3", "4"].map(|digit| (id(digit), role(trust()))).into();
    for exempt in ["333333333333", "3333*", "????????3333"] {
        let arn = format!("arn:aws:iam::{exempt}:role/break-glass/Admin");
        let deny = json!([{
            "Effect": "Deny", "Action": "s3:*", "Resource": "*",
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": arn } },
        }]);
        world.attach("scp", "guard", &["r-root"], document(deny));
        let (results, situations) = world.prove_all();
        assert_eq!(situations, 2, "{exempt}");
        assert_eq!(results[&id("3")].verdict, Verdict::Proven, "{exempt}");
        assert_eq!(results[&id("4")].verdict, Verdict::Blocked, "{exempt}");
    }
}

#[test]
fn the_emergency_account_is_a_situation_of_its_own() {
    let mut world = World::new("");
    world.accounts = ["2", "3"].map(|digit| (id(digit), role(trust()))).into();
    let (results, situations) = world.prove_all();
    assert_eq!(situations, 2);
    assert!(
        results
            .values()
            .all(|result| result.verdict == Verdict::Proven)
    );
}

#[test]
fn the_order_in_which_accounts_are_read_makes_no_difference() {
    let mut world = World::new("must_allow: [\"s3:GetObject\", \"ec2:*\"]");
    let accounts = &mut world.organization.accounts;
    accounts.get_mut(&id("4")).unwrap().parent = "ou-root-prod".to_owned();
    // The own id stands before that of a third account in one of the two, and behind it in the other.
    world.accounts = ["3", "4"]
        .map(|digit| {
            let own = digit.repeat(12);
            let mut trust = trust();
            let others = json!([
                format!("arn:aws:iam::{own}:role/ops"),
                "arn:aws:iam::355555555555:role/ops"
            ]);
            trust["Statement"][0]["Principal"]["AWS"] = others;
            let mut role = role(trust);
            let resources = json!([
                format!("arn:aws:s3:::logs-{own}"),
                "arn:aws:s3:::logs-355555555555"
            ]);
            let deny = json!([{ "Effect": "Deny", "Action": "s3:*", "Resource": resources }]);
            role["inline_policies"] = json!({ "own": document(deny) });
            (id(digit), role)
        })
        .into();
    let deny = json!([{ "Sid": "No", "Effect": "Deny", "Action": "ec2:*", "Resource": "*" }]);
    world.attach("scp", "guard", &["ou-root-prod"], document(deny));
    let (forwards, situations) = world.prove_all();
    assert_eq!(situations, 1);
    let (backwards, _) = world.prove_in(world.accounts.keys().rev());
    assert_eq!(forwards, backwards);
    for (account, result) in &forwards {
        let exceptions = &proof(result, "must_allow").findings;
        assert!(exceptions.iter().all(|one| one.exceptions.is_empty()));
        let proofs = result.proofs.iter().flat_map(|proof| &proof.findings);
        let accounts = proofs.flat_map(|finding| &finding.exceptions);
        let accounts: Vec<_> = accounts.flat_map(|one| &one.accounts).collect();
        assert_eq!(accounts, [account]);
    }
}
