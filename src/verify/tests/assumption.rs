//! Who is trusted gets in with MFA, and not without.

use super::*;

fn check(change: impl FnOnce(&mut World), expected: &[&str]) -> RoleResult {
    let mut world = World::new("");
    change(&mut world);
    let result = world.prove();
    assert_eq!(told(&result), expected);
    result
}

fn deny(sid: &str, rest: Value) -> Value {
    let mut statement = json!({ "Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*" });
    for (key, value) in rest.as_object().unwrap() {
        statement[key] = value.clone();
    }
    document(json!([statement]))
}

#[test]
fn the_scps_of_the_user_and_the_rcps_of_the_role_count() {
    let lock =
        json!({ "Condition": { "StringNotEquals": { "aws:RequestedRegion": "eu-west-1" } } });
    // Above the role alone, an SCP says nothing of who assumes it.
    check(
        |world| world.attach("scp", "lock", &["ou-root-prod"], deny("Lock", lock.clone())),
        &["Proven"],
    );
    let result = check(
        |world| world.attach("scp", "lock", &["222222222222"], deny("Lock", lock.clone())),
        &[
            "Blocked",
            "alice cannot assume it with MFA in us-east-1: statement Lock of SCP lock (p-lock) at emergency (222222222222) denies it",
        ],
    );
    let finding = &proof(&result, "assume").findings[0];
    let exception = &finding.exceptions[0];
    assert_eq!(exception.policy, "lock");
    assert_eq!(exception.statements, ["Lock"]);
    assert!(exception.users.contains("alice") && exception.roles.is_empty());
    assert!(exception.accounts.contains(&id("2")) && exception.accounts.len() == 1);
    let result = check(
        |world| {
            world.attach(
                "rcp",
                "sts",
                &["ou-root-work"],
                deny("Sts", json!({ "Principal": "*" })),
            )
        },
        &[
            "Blocked",
            "alice cannot assume it with MFA: statement Sts of RCP sts (p-sts) at /Workloads (ou-root-work) denies it",
        ],
    );
    let finding = &proof(&result, "assume").findings[0];
    assert!(finding.exceptions[0].accounts.contains(&id("3")));
    // An RCP over the user's account is about resources there.
    check(
        |world| {
            world.attach(
                "rcp",
                "sts",
                &["222222222222"],
                deny("Sts", json!({ "Principal": "*" })),
            )
        },
        &["Proven"],
    );
}

#[test]
fn a_level_without_an_allow_blocks() {
    check(
        |world| world.detach("FullAWSAccess", "222222222222"),
        &[
            "Blocked",
            "alice cannot assume it with MFA: no SCP at emergency (222222222222) allows it",
        ],
    );
}

#[test]
fn exemptions_are_understood() {
    let exempt = |key: &str, operator: &str, value: Value| {
        deny(
            "Only",
            json!({ "Principal": "*", "Condition": { operator: { key: value } } }),
        )
    };
    for (proven, kind, key, operator, value) in [
        (
            true,
            "scp",
            "aws:PrincipalArn",
            "ArnNotLike",
            json!("arn:aws:iam::*:user/break-glass/*"),
        ),
        // Exempting the role does not let its user in.
        (
            false,
            "scp",
            "aws:PrincipalArn",
            "ArnNotLike",
            json!("arn:aws:iam::*:role/break-glass/Admin"),
        ),
        (
            true,
            "scp",
            "aws:PrincipalArn",
            "ArnLike",
            json!("arn:aws:iam::*:root"),
        ),
        (
            true,
            "rcp",
            "aws:PrincipalOrgID",
            "StringNotEqualsIfExists",
            json!("o-exampleorg1"),
        ),
        (
            false,
            "rcp",
            "aws:PrincipalOrgID",
            "StringNotEqualsIfExists",
            json!("o-other"),
        ),
        (
            true,
            "rcp",
            "aws:PrincipalIsAWSService",
            "Bool",
            json!("true"),
        ),
        (
            true,
            "rcp",
            "aws:PrincipalOrgPaths",
            "ForAllValues:StringNotLike",
            json!("o-exampleorg1/r-root/*"),
        ),
        (
            true,
            "scp",
            "aws:MultiFactorAuthPresent",
            "BoolIfExists",
            json!("false"),
        ),
        (
            true,
            "scp",
            "aws:PrincipalTag/team",
            "StringEquals",
            json!("x"),
        ),
        (true, "scp", "aws:AssumedRoot", "Null", json!("false")),
    ] {
        let mut world = World::new("");
        let mut document = exempt(key, operator, value);
        if kind == "scp" {
            document["Statement"][0]
                .as_object_mut()
                .unwrap()
                .remove("Principal");
        }
        world.attach(kind, "guard", &["r-root"], document);
        let result = world.prove();
        assert_eq!(
            result.verdict == Verdict::Proven,
            proven,
            "{key} {operator}: {:?}",
            told(&result)
        );
    }
}

#[test]
fn a_key_that_nobody_knows_is_named() {
    let office = json!({ "Condition": { "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } } });
    check(
        |world| world.attach("scp", "office", &["r-root"], deny("Office", office)),
        &[
            "NotProven",
            "it is not known whether alice can assume it with MFA: context key aws:SourceIp is not known; statement Office of SCP \
             office (p-office) at r-root may deny it",
        ],
    );
}

#[test]
fn the_own_policies_of_the_user_count() {
    check(
        |world| world.emergency.as_mut().unwrap()["users"]["alice"]["inline_policies"] = json!({}),
        &[
            "Blocked",
            "alice cannot assume it with MFA: none of its own policies allows it",
        ],
    );
    check(
        |world| world.emergency.as_mut().unwrap()["users"]["alice"]["groups"] = json!(["ops"]),
        &[
            "NotProven",
            "it is not known whether alice can assume it with MFA: the policies of group ops are not known",
        ],
    );
    check(
        |world| {
            world.emergency.as_mut().unwrap()["users"]["alice"]["permissions_boundary"] =
                json!("arn:aws:iam::aws:policy/ReadOnlyAccess");
        },
        &[
            "NotProven",
            "it is not known whether alice can assume it with MFA: the document of arn:aws:iam::aws:policy/ReadOnlyAccess is not known",
        ],
    );
}

#[test]
fn what_is_open_without_mfa_is_found() {
    let mut open = trust();
    open["Statement"][0]
        .as_object_mut()
        .unwrap()
        .remove("Condition");
    check(
        |world| drop(world.accounts.insert(id("3"), role(open.clone()))),
        &[
            "Open",
            "alice can assume it without MFA: statement 1 of assume allows it; statement BreakGlass of the trust policy allows it",
        ],
    );
    // Asked for by the spec: then it is as it should be.
    let mut world = World::new("mfa: { required: false }");
    world.accounts.insert(id("3"), role(open));
    assert_eq!(told(&world.prove()), ["Proven"]);
    // `BoolIfExists` lets those in who lack the key.
    let mut hole = trust();
    hole["Statement"][0]["Condition"] =
        json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "true" } });
    let mut world = World::new("");
    world.accounts.insert(id("3"), role(hole));
    assert_eq!(world.prove().verdict, Verdict::Open);
}

#[test]
fn a_name_of_the_session_is_no_mfa() {
    let mut named = trust();
    named["Statement"][0]["Condition"] =
        json!({ "StringLike": { "sts:RoleSessionName": "INC-*" } });
    let mut world = World::new("incident: { session_name: \"INC-*\" }");
    world.accounts.insert(id("3"), role(named));
    assert_eq!(world.prove().verdict, Verdict::Open);
}

#[test]
fn without_regions_in_the_spec_the_region_is_not_known() {
    let mut world = World::new("");
    world.spec.spec.organization.regions = None;
    let lock = json!({ "Condition": { "StringEquals": { "aws:RequestedRegion": "eu-west-1" } } });
    world.attach("scp", "lock", &["r-root"], deny("Lock", lock));
    assert_eq!(
        told(&world.prove()),
        [
            "NotProven",
            "it is not known whether alice can assume it with MFA: context key aws:RequestedRegion is not known \
             (organization.regions says which it may be); statement Lock of SCP lock (p-lock) at r-root may deny it"
        ]
    );
}

#[test]
fn the_name_of_the_session_is_that_of_the_spec_or_of_the_user() {
    let mut named = trust();
    named["Statement"][0]["Condition"]["StringLike"] = json!({ "sts:RoleSessionName": "INC-*" });
    check(
        |world| drop(world.accounts.insert(id("3"), role(named.clone()))),
        &[
            "Blocked",
            "alice cannot assume it with MFA: the trust policy does not allow it",
        ],
    );
    let mut world = World::new("incident: { session_name: \"INC-*\" }");
    world.accounts.insert(id("3"), role(named.clone()));
    assert_eq!(told(&world.prove()), ["Proven"]);
    named["Statement"][0]["Condition"]["StringLike"] =
        json!({ "sts:RoleSessionName": "${aws:username}" });
    check(
        |world| drop(world.accounts.insert(id("3"), role(named))),
        &["Proven"],
    );
}

#[test]
fn somebody_elsewhere_is_not_proven() {
    let ops = "arn:aws:iam::333333333333:role/ops";
    let mut world = World::new("");
    world.spec = spec(&format!(
        "description: x\n  - name: Other\n    trusted: [\"{ops}\"]"
    ));
    let mut trust = trust();
    trust["Statement"][0]["Principal"] = json!({ "AWS": [ALICE, ops] });
    world.spec.spec.roles.as_mut().unwrap()[0]
        .trusted
        .push(ops.parse().unwrap());
    world.accounts.insert(id("3"), role(trust));
    assert_eq!(
        told(&world.prove()),
        [
            "NotProven".to_owned(),
            format!(
                "it is not known whether ops can assume it with MFA: what {ops} may do: its own policies are not read"
            ),
        ]
    );
}

#[test]
fn a_user_signs_in_anew() {
    let revoked = |operator: &str, time: &str| {
        let condition = json!({ operator: { "aws:TokenIssueTime": time } });
        deny("Revoked", json!({ "Condition": condition }))
    };
    for (operator, time, verdict) in [
        ("DateLessThan", "2026-05-31T00:00:00Z", Verdict::Proven),
        // With access keys the key is absent.
        (
            "DateLessThanIfExists",
            "2026-05-31T00:00:00Z",
            Verdict::Blocked,
        ),
        ("DateGreaterThan", "2026-05-31T00:00:00Z", Verdict::Blocked),
        ("DateLessThan", "2026-07-01T00:00:00Z", Verdict::NotProven),
    ] {
        let mut world = World::new("");
        let alice = &mut world.emergency.as_mut().unwrap()["users"]["alice"];
        alice["inline_policies"]["revoked"] = revoked(operator, time);
        let result = world.prove();
        assert_eq!(
            result.verdict,
            verdict,
            "{operator} {time}: {:?}",
            told(&result)
        );
    }
}
