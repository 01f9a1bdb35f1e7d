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

/// Proves the role in accounts 3 and 4, under one unit, and tells the verdicts.
fn of_both(world: &mut World, role: impl Fn(&str) -> Value) -> (Verdict, Verdict) {
    let accounts = &mut world.organization.accounts;
    accounts.get_mut(&id("4")).unwrap().parent = "ou-root-prod".to_owned();
    world.accounts = ["3", "4"]
        .map(|digit| (id(digit), role(&digit.repeat(12))))
        .into();
    let (results, situations) = world.prove_all();
    assert_eq!(situations, 2);
    (results[&id("3")].verdict, results[&id("4")].verdict)
}

#[test]
fn a_trusted_role_of_one_account_is_a_stranger_in_another() {
    let mut world = World::new("");
    let trusted = "arn:aws:iam::333333333333:role/ops".parse().unwrap();
    world.spec.spec.roles.as_mut().unwrap()[0]
        .trusted
        .push(trusted);
    let verdicts = of_both(&mut world, |own| {
        let mut trust = trust();
        let own = format!("arn:aws:iam::{own}:role/ops");
        trust["Statement"][0]["Principal"] = json!({ "AWS": [ALICE, own] });
        role(trust)
    });
    assert_eq!(verdicts, (Verdict::NotProven, Verdict::Open));
}

#[test]
fn the_place_in_the_organization_counts_where_a_policy_of_the_role_asks_for_it() {
    let mut world = World::new("must_allow: [\"s3:GetObject\"]");
    let units = &mut world.organization.units;
    let unit = units["ou-root-sand"].clone();
    units.insert(
        "ou-root-prod2".to_owned(),
        crate::org::Unit {
            parent: "ou-root-work".to_owned(),
            ..unit
        },
    );
    let guardrails = world.guardrails.as_mut().unwrap();
    let full = guardrails.policies.get_mut("p-FullAWSAccess").unwrap();
    full.targets.insert("ou-root-prod2".to_owned());
    let accounts = &mut world.organization.accounts;
    accounts.get_mut(&id("3")).unwrap().parent = "ou-root-prod2".to_owned();
    let verdicts = of_both(&mut world, |_| {
        let mut role = role(trust());
        let paths =
            json!({ "aws:PrincipalOrgPaths": "o-exampleorg1/r-root/ou-root-work/ou-root-prod/" });
        let condition = json!({ "ForAnyValue:StringEquals": paths });
        let deny = json!([{ "Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": condition }]);
        role["inline_policies"] = json!({ "own": document(deny) });
        role
    });
    assert_eq!(verdicts, (Verdict::Proven, Verdict::Blocked));
}

#[test]
fn a_part_of_the_own_id_counts() {
    let mut world =
        World::new("must_allow: [{ action: \"s3:GetObject\", resource: \"arn:aws:s3:::logs-*\" }]");
    let verdicts = of_both(&mut world, |own| {
        let mut role = role(trust());
        role["managed_policies"] = json!([]);
        let resources = json!([format!("arn:aws:s3:::logs-{own}"), "arn:aws:s3:::logs-*"]);
        let statements = json!([
            { "Effect": "Allow", "Action": "s3:*", "Resource": resources },
            { "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::logs-3*" },
        ]);
        role["inline_policies"] = json!({ "own": document(statements) });
        role
    });
    assert_eq!(verdicts, (Verdict::Blocked, Verdict::Blocked));
}

#[test]
fn a_resource_of_another_account_needs_the_other_side() {
    let mut world = World::new(
        "must_allow: [{ action: \"sts:AssumeRole\", resource: \"arn:aws:iam::333333333333:role/x\" }]",
    );
    let verdicts = of_both(&mut world, |_| role(trust()));
    assert_eq!(verdicts, (Verdict::Proven, Verdict::NotProven));
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
