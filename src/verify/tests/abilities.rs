//! What a session can and cannot do.

use super::*;

fn check(spec: &str, change: impl FnOnce(&mut World), expected: &[&str]) {
    let mut world = World::new(spec);
    change(&mut world);
    assert_eq!(told(&world.prove()), expected);
}

fn scp(statement: Value) -> impl FnOnce(&mut World) {
    move |world| {
        world.attach(
            "scp",
            "guard",
            &["ou-root-work"],
            document(json!([statement])),
        )
    }
}

#[test]
fn what_must_be_possible_is_possible_everywhere() {
    check(
        "must_allow: [\"ec2:*\", \"organizations:UpdatePolicy\"]",
        |_| (),
        &["Proven"],
    );
    let lock = json!({
        "Sid": "Lock", "Effect": "Deny", "NotAction": ["organizations:*", "sts:*"], "Resource": "*",
        "Condition": { "StringNotEquals": { "aws:RequestedRegion": ["eu-west-1"] } },
    });
    check(
        "must_allow: [\"ec2:*\", \"organizations:UpdatePolicy\"]",
        scp(lock.clone()),
        &[
            "Blocked",
            "a session cannot do ec2:* (such as ec2:anything) in us-east-1: statement Lock of SCP guard (p-guard) at /Workloads (ou-root-work) denies it",
        ],
    );
    check(
        "must_allow: [{ action: \"ec2:*\", context: { \"aws:RequestedRegion\": eu-west-1 } }]",
        scp(lock),
        &["Proven"],
    );
}

#[test]
fn one_action_or_resource_among_many_is_found() {
    check(
        "must_allow: [\"ec2:*\"]",
        scp(json!({ "Effect": "Deny", "Action": "ec2:Terminate*", "Resource": "*" })),
        &[
            "Blocked",
            "a session cannot do ec2:* (such as ec2:terminateanything): statement 1 of SCP guard (p-guard) at /Workloads (ou-root-work) denies it",
        ],
    );
    check(
        "must_allow: [\"s3:GetObject\"]",
        scp(json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::secret/*" })),
        &[
            "Blocked",
            "a session cannot do s3:GetObject on arn:aws:s3:::secret/anything: statement 1 of SCP guard (p-guard) at /Workloads (ou-root-work) denies it",
        ],
    );
    check(
        "must_allow: [{ action: \"s3:GetObject\", resource: \"arn:aws:s3:::open/*\" }]",
        scp(json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::secret/*" })),
        &["Proven"],
    );
}

#[test]
fn a_variable_is_what_the_session_has_for_it() {
    let deny =
        |resource: &str| scp(json!({ "Effect": "Deny", "Action": "s3:*", "Resource": resource }));
    let ability = "must_allow: [\"s3:GetObject\"]";
    // The role has no such tag: the statement names nothing.
    check(
        ability,
        deny("arn:aws:s3:::${aws:PrincipalTag/team}/*"),
        &["Proven"],
    );
    let blocked = |on: &str| {
        format!(
            "a session cannot do s3:GetObject on {on}: statement 1 of SCP guard (p-guard) at /Workloads (ou-root-work) denies it"
        )
    };
    for (resource, on) in [
        (
            "arn:aws:s3:::${aws:PrincipalTag/team, 'none'}/*",
            "arn:aws:s3:::none/anything",
        ),
        (
            "arn:aws:s3:::logs-${aws:PrincipalAccount}",
            "arn:aws:s3:::logs-333333333333",
        ),
        ("arn:aws:s3:::${*}x", "arn:aws:s3:::*x"),
    ] {
        check(ability, deny(resource), &["Blocked", &blocked(on)]);
    }
    check(
        ability,
        deny("arn:aws:s3:::${aws:userid}/*"),
        &[
            "NotProven",
            "it is not known whether a session can do s3:GetObject on arn:aws:s3:::/: context key aws:userid is \
             not known; statement 1 of SCP guard (p-guard) at /Workloads (ou-root-work) may deny it",
        ],
    );
    check(
        "must_allow: [{ action: \"s3:GetObject\", resource: \"arn:aws:s3:::open/*\" }]",
        deny("arn:aws:s3:::home/${aws:userid}/*"),
        &["Proven"],
    );
    // Alike in both Regions but for the example.
    check(
        ability,
        deny("arn:aws:s3:::${aws:RequestedRegion}/*"),
        &["Blocked", &blocked("arn:aws:s3:::eu-west-1/anything")],
    );
}

#[test]
fn a_session_is_new_and_its_calls_are_its_own() {
    let ability = "must_allow: [\"ec2:RunInstances\"]";
    let deny = |operator: &str, key: &str, value: &str| {
        let condition = json!({ operator: { key: value } });
        scp(
            json!({ "Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition }),
        )
    };
    // What revoked older sessions does not touch those that are made from now on.
    for (operator, key, value) in [
        ("DateLessThan", "aws:TokenIssueTime", "2026-05-31T23:59:59Z"),
        ("Null", "aws:TokenIssueTime", "true"),
        ("DateLessThan", "aws:CurrentTime", "2026-01-01"),
        ("DateLessThan", "aws:EpochTime", "1700000000"),
        ("Bool", "aws:ViaAWSService", "true"),
        ("Bool", "aws:PrincipalIsAWSService", "true"),
        ("NumericGreaterThan", "aws:MultiFactorAuthAge", "3600"),
        ("Null", "aws:SourceAccount", "false"),
        (
            "ForAnyValue:StringEquals",
            "aws:CalledVia",
            "athena.amazonaws.com",
        ),
        ("Null", "aws:FederatedProvider", "false"),
    ] {
        check(ability, deny(operator, key, value), &["Proven"]);
    }
    for (operator, key, value) in [
        ("DateLessThan", "aws:TokenIssueTime", "2026-06-01T00:00:01Z"),
        ("DateGreaterThan", "aws:CurrentTime", "2027-01-01T00:00:00Z"),
        ("StringLike", "aws:TokenIssueTime", "2026*"),
        ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"),
        ("StringNotEquals", "aws:SourceVpc", "vpc-1"),
        ("StringEquals", "aws:ResourceTag/stage", "prod"),
    ] {
        let message = format!(
            "it is not known whether a session can do ec2:RunInstances: context key {key} is not known; statement No of SCP \
             guard (p-guard) at /Workloads (ou-root-work) may deny it"
        );
        check(
            ability,
            deny(operator, key, value),
            &["NotProven", &message],
        );
    }
    check(
        ability,
        deny(
            "DateGreaterThan",
            "aws:TokenIssueTime",
            "2026-01-01T00:00:00Z",
        ),
        &[
            "Blocked",
            "a session cannot do ec2:RunInstances: statement No of SCP guard (p-guard) at /Workloads (ou-root-work) denies it",
        ],
    );
}

#[test]
fn tags_that_a_session_may_bring_are_not_known() {
    let spec = "must_deny: [\"ec2:RunInstances\"]";
    let deny = json!({
        "Sid": "No", "Effect": "Deny", "Action": "ec2:*", "Resource": "*",
        "Condition": { "StringNotEquals": { "aws:PrincipalTag/team": "cloud" } },
    });
    check(spec, scp(deny.clone()), &["Proven"]);
    let mut world = World::new(spec);
    scp(deny)(&mut world);
    let mut trust = trust();
    trust["Statement"][0]["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
    world.accounts.insert(id("3"), role(trust));
    let result = told(&world.prove());
    assert_eq!(result[0], "NotProven", "{result:?}");
    assert!(
        result[1].contains("context key aws:PrincipalTag/team is not known"),
        "{result:?}"
    );
}

#[test]
fn a_session_has_no_mfa_and_the_arn_of_its_role() {
    let quarantine = |exempt: &str| {
        json!({
            "Sid": "Quarantine", "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": exempt } },
        })
    };
    let ability = "must_allow: [\"ec2:RunInstances\"]";
    check(
        ability,
        scp(quarantine("arn:aws:iam::*:role/break-glass/Admin")),
        &["Proven"],
    );
    check(
        ability,
        scp(quarantine("arn:aws:iam::*:role/Admin")),
        &[
            "Blocked",
            "a session cannot do ec2:RunInstances: statement Quarantine of SCP guard (p-guard) at /Workloads (ou-root-work) denies it",
        ],
    );
    check(
        ability,
        scp(json!({
            "Sid": "Mfa", "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } },
        })),
        &[
            "Blocked",
            "a session cannot do ec2:RunInstances: statement Mfa of SCP guard (p-guard) at /Workloads (ou-root-work) denies it",
        ],
    );
}

#[test]
fn an_allow_list_must_have_it() {
    check(
        "must_allow: [\"ec2:RunInstances\", \"route53:ListHostedZones\"]",
        |world| {
            world.detach("FullAWSAccess", "ou-root-work");
            scp(json!({ "Effect": "Allow", "Action": ["ec2:*", "s3:*"], "Resource": "*" }))(world);
        },
        &[
            "Blocked",
            "a session cannot do route53:ListHostedZones: no SCP at /Workloads (ou-root-work) allows it",
        ],
    );
}

#[test]
fn the_management_account_escapes_scps() {
    let mut world = World::new("must_allow: [\"ec2:RunInstances\"]");
    world.accounts = BTreeMap::from([(id("1"), role(trust())), (id("3"), role(trust()))]);
    let deny = json!([{ "Effect": "Deny", "Action": "ec2:*", "Resource": "*" }]);
    world.attach("scp", "guard", &["r-root"], document(deny));
    let (results, _) = world.prove_all();
    assert_eq!(results[&id("1")].verdict, Verdict::Proven);
    assert_eq!(results[&id("3")].verdict, Verdict::Blocked);
}

#[test]
fn what_must_be_denied_is_denied_in_every_case() {
    let spec = "must_deny: [\"cloudtrail:StopLogging\"]";
    check(
        spec,
        |_| (),
        &[
            "Open",
            "a session must not, but can do cloudtrail:StopLogging: statement 1 of arn:aws:iam::aws:policy/AdministratorAccess allows it",
        ],
    );
    check(
        spec,
        scp(json!({ "Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*" })),
        &["Proven"],
    );
    check(
        spec,
        scp(json!({
            "Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*",
            "Condition": { "StringEquals": { "aws:RequestedRegion": "eu-west-1" } },
        })),
        &[
            "Open",
            "a session must not, but can do cloudtrail:StopLogging in us-east-1: statement 1 of \
             arn:aws:iam::aws:policy/AdministratorAccess allows it",
            "it is not known whether a session, which must not, can do cloudtrail:StopLogging: context key aws:RequestedRegion is not known; \
             statement 1 of SCP guard (p-guard) at /Workloads (ou-root-work) may deny it",
        ],
    );
    check(
        spec,
        scp(
            json!({ "Effect": "Deny", "Action": "cloudtrail:*", "NotResource": "arn:aws:cloudtrail:*:*:trail/own" }),
        ),
        &[
            "Open",
            "a session must not, but can do cloudtrail:StopLogging on arn:aws:cloudtrail:::trail/own: statement 1 of \
             arn:aws:iam::aws:policy/AdministratorAccess allows it",
        ],
    );
}

#[test]
fn the_documents_of_aws_are_not_known_unless_they_do_not_matter() {
    let read_only = |role: &mut Value| {
        role["managed_policies"] = json!(["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    };
    let mut world = World::new("must_deny: [\"cloudtrail:StopLogging\"]");
    read_only(world.accounts.get_mut(&id("3")).unwrap());
    assert_eq!(
        told(&world.prove()),
        [
            "NotProven",
            "it is not known whether a session, which must not, can do cloudtrail:StopLogging: the document of \
             arn:aws:iam::aws:policy/ReadOnlyAccess is not known",
        ]
    );
    let inline =
        document(json!([{ "Effect": "Deny", "Action": "cloudtrail:Stop*", "Resource": "*" }]));
    world.accounts.get_mut(&id("3")).unwrap()["inline_policies"] = json!({ "never": inline });
    assert_eq!(told(&world.prove()), ["Proven"]);
}

#[test]
fn a_boundary_bounds() {
    let mut world = World::new("must_allow: [\"ec2:RunInstances\", \"s3:GetObject\"]");
    let role = world.accounts.get_mut(&id("3")).unwrap();
    role["permissions_boundary"] = json!("arn:aws:iam::333333333333:policy/break-glass/bound");
    let bound = document(json!([{ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" }]));
    role["policies"] = json!({ "bound": { "path": "/break-glass/", "document": bound } });
    assert_eq!(
        told(&world.prove()),
        [
            "Blocked",
            "a session cannot do s3:GetObject: its permissions boundary does not allow it"
        ]
    );
}

#[test]
fn every_level_must_allow_and_binds_all_but_the_management_account() {
    let spec = "must_allow: [\"ec2:RunInstances\"]";
    for level in ["r-root", "ou-root-work", "ou-root-prod", "333333333333"] {
        let mut world = World::new(spec);
        world.detach("FullAWSAccess", level);
        let result = world.prove();
        assert_eq!(result.verdict, Verdict::Blocked, "{level}");
        let message = &proof(&result, "must_allow").findings[0].message;
        let expected = format!("no SCP at {level} allows it");
        let named = message.contains(&expected) || message.contains(&format!("({level}) allows"));
        assert!(named, "{message}");
    }
    let mut world = World::new(spec);
    world.accounts = BTreeMap::from([(id("1"), role(trust())), (id("3"), role(trust()))]);
    let rcp = json!([{ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" }]);
    world.attach("rcp", "guard", &["r-root"], document(rcp));
    let (results, _) = world.prove_all();
    assert_eq!(results[&id("1")].verdict, Verdict::Proven);
    let bound = &results[&id("3")];
    for obligation in ["assume", "must_allow"] {
        assert_eq!(
            proof(bound, obligation).verdict,
            Verdict::Blocked,
            "{obligation}"
        );
    }
}
