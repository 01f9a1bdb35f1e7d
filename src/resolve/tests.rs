use super::*;
use crate::org::{Account, Unit};
use crate::spec::{At, load_texts};

const SPEC: &str = r#"
version: 1
organization: { id: o-exampleorg1 }
emergency_account: "222222222222"
defaults: { tags: { owner: security, stage: any } }
users:
  - { name: bg-alice, custodians: { password: a, token: b } }
  - { name: bg-bob, custodians: { password: c, token: d }, path: /break-glass/eu/, access_keys: vaulted }
policies:
  base: { library: break-glass-baseline }
  unused: { library: break-glass-baseline }
roles:
  - name: Admin
    accounts: { include: ["ou:/Workloads"] }
    trusted: ["user:bg-alice", "user:bg-bob"]
    mfa: { required: true, max_age: 2h }
    incident: { session_name: "INC-*" }
    max_session: 90m
    description: Everything
    permissions: { managed_policies: ["policy:base"], permissions_boundary: "policy:base" }
    tags: { stage: prod }
  - name: Read
    path: /break-glass/read/
    accounts: { include: [emergency] }
    trusted: ["user:bg-bob", "arn:aws:iam::999999999999:role/Ops"]
    mfa: { required: false }
"#;

fn loaded(text: &str) -> Loaded {
    let none = |_: &str, _: &str| Err("no files".to_owned());
    load_texts(vec![("breakglass.yaml".to_owned(), text.to_owned())], &none)
        .unwrap_or_else(|error| panic!("{}", error.render(false)))
}

fn id(digit: &str) -> AccountId {
    digit.repeat(12).parse().unwrap()
}

fn organization() -> Organization {
    let account = |parent: &str, state| Account {
        name: parent.to_owned(),
        state,
        parent: parent.to_owned(),
        tags: None,
    };
    Organization {
        id: "o-exampleorg1".to_owned(),
        partition: "aws-cn".parse().unwrap(),
        management_account: id("1"),
        units: BTreeMap::from([(
            "ou-1-workload".to_owned(),
            Unit {
                name: "Workloads".to_owned(),
                parent: "r-1".to_owned(),
            },
        )]),
        accounts: BTreeMap::from([
            (id("1"), account("r-1", AccountState::Active)),
            (id("2"), account("r-1", AccountState::Active)),
            (id("3"), account("ou-1-workload", AccountState::Active)),
            (id("4"), account("ou-1-workload", AccountState::Suspended)),
        ]),
    }
}

fn desired(text: &str, account: &str) -> Desired {
    let (loaded, organization) = (loaded(text), organization());
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    resolver.desired(&id(account))
}

#[track_caller]
fn problems(text: &str) -> Vec<(String, String)> {
    let (loaded, organization) = (loaded(text), organization());
    let problems = Resolver::new(&loaded, &organization).unwrap_err();
    problems
        .into_iter()
        .map(|problem| match problem.at {
            At::Path(path) => (path, problem.message),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_role_gets_what_the_spec_says_in_the_partition_there_is() {
    let desired = desired(SPEC, "3");
    let roles = desired.roles.unwrap();
    assert_eq!(roles.keys().collect::<Vec<_>>(), ["Admin"]);
    let Wanted {
        value: role,
        origin,
    } = &roles["Admin"];
    assert_eq!((origin.file.as_str(), origin.line), ("breakglass.yaml", 13));
    assert_eq!(
        role.trust_policy.as_str(),
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"BreakGlass","Effect":"Allow","Principal":{"AWS":["arn:aws-cn:iam::222222222222:user/break-glass/bg-alice","arn:aws-cn:iam::222222222222:user/break-glass/eu/bg-bob"]},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThanEquals":{"aws:MultiFactorAuthAge":"7200"},"StringLike":{"sts:RoleSessionName":"INC-*"}}}]}"#
    );
    let base = "arn:aws-cn:iam::333333333333:policy/break-glass/base";
    assert_eq!(role.permissions_boundary.as_ref().unwrap().as_str(), base);
    assert_eq!(role.managed_policies.first().unwrap().as_str(), base);
    assert_eq!(
        (role.max_session, role.description.as_str()),
        (5_400, "Everything")
    );
    let tags: Vec<String> = role
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        tags,
        ["breakglass:managed=true", "owner=security", "stage=prod"]
    );
    let policies = desired.policies.unwrap();
    assert_eq!(
        policies.keys().collect::<Vec<_>>(),
        ["base"],
        "only what is referred to"
    );
    assert!(
        desired.users.unwrap().is_empty(),
        "users live in one account"
    );
}

#[test]
fn users_may_assume_exactly_the_roles_that_trust_them() {
    let users = desired(SPEC, "2").users.unwrap();
    let assume = |user: &str| {
        users[user].value.user.inline_policies[ASSUME_POLICY]
            .as_str()
            .to_owned()
    };
    assert_eq!(
        assume("bg-alice"),
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"AssumeBreakGlassRoles","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws-cn:iam::*:role/break-glass/Admin","Condition":{"StringEquals":{"aws:ResourceOrgID":"o-exampleorg1"}}}]}"#
    );
    assert!(assume("bg-bob").contains(r#""Resource":["arn:aws-cn:iam::*:role/break-glass/Admin","arn:aws-cn:iam::*:role/break-glass/read/Read"]"#));
    let mfa = users["bg-bob"].value.user.inline_policies[MFA_POLICY].as_str();
    assert!(mfa.contains("arn:aws-cn:iam::*:user/break-glass/eu/${aws:username}"));
    assert!(users["bg-alice"].value.console && !users["bg-alice"].value.vaulted_keys);
    assert!(users["bg-bob"].value.vaulted_keys);
}

#[test]
fn a_role_without_mfa_has_no_condition_at_all() {
    let roles = desired(SPEC, "2").roles.unwrap();
    let trust = roles["Read"].value.trust_policy.as_str();
    assert!(!trust.contains("Condition"), "{trust}");
    assert!(trust.contains("arn:aws:iam::999999999999:role/Ops"));
}

#[test]
fn a_section_that_is_absent_is_not_desired_and_an_empty_one_is() {
    let bare =
        "version: 1\norganization: { id: o-exampleorg1 }\nemergency_account: \"222222222222\"\n";
    assert_eq!(desired(bare, "2"), Desired::default());
    let empty = format!("{bare}users: []\nroles: []\npolicies: {{}}\n");
    let desired = desired(&empty, "2");
    assert!(desired.users.is_some() && desired.roles.is_some() && desired.policies.is_some());
}

#[test]
fn what_does_not_fit_the_organization_is_said_where_it_stands() {
    let elsewhere = SPEC.replace("\"222222222222\"", "\"999999999999\"");
    assert_eq!(
        problems(&elsewhere)[0],
        (
            "emergency_account".to_owned(),
            "999999999999 is not an account of o-exampleorg1".to_owned()
        )
    );
    let suspended = SPEC.replace("\"222222222222\"", "\"444444444444\"");
    assert!(problems(&suspended)[0].1.contains("suspended"));
    let nowhere = SPEC.replace("ou:/Workloads", "ou:/Nowhere");
    assert_eq!(
        problems(&nowhere),
        [(
            "roles[0].accounts.include[0]".to_owned(),
            "ou:/Nowhere matches no account of o-exampleorg1".to_owned()
        )]
    );
}

#[test]
fn inline_policies_that_outgrow_a_user_with_what_is_added_are_refused() {
    let actions: Vec<String> = (0..60)
        .map(|number| format!("\"ec2:DescribeThing{number}\""))
        .collect();
    let document = format!(
        r#"permissions: {{ inline_policies: {{ big: {{ document: {{ Version: "2012-10-17", Statement: [{{ Effect: Allow, Resource: "*", Action: [{}] }}] }} }} }} }}"#,
        actions.join(", ")
    );
    let spec = SPEC.replace(
        "{ name: bg-alice,",
        &format!("{{ name: bg-alice, {document},"),
    );
    let problems = problems(&spec);
    assert_eq!(problems[0].0, "users[0]");
    assert!(
        problems[0].1.contains("IAM takes 2048"),
        "{}",
        problems[0].1
    );
}

#[test]
fn an_exception_is_for_the_accounts_that_it_selects_and_that_have_the_role() {
    let text = format!(
        "{SPEC}guardrails: {{ protection: {{ policy: keep, attach: [root] }}, exceptions: [\n\
         {{ id: a, policy: p-1, roles: [Admin, Read], accounts: {{ include: [\"*\"] }}, reason: r, owner: o, ticket: t, expires: 2027-06-30 }},\n\
         {{ id: b, policy: x, statements: [S], roles: [Admin], users: [bg-bob], accounts: {{ include: [emergency] }}, reason: r, owner: o, ticket: t, expires: 2027-06-30 }}\n] }}\n"
    );
    let (loaded, organization) = (loaded(&text), organization());
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    let desired = resolver.guardrails().unwrap();
    let told: Vec<_> = desired
        .exceptions
        .iter()
        .map(|exception| {
            let roles = exception.roles.iter();
            let roles = roles.map(|role| {
                (
                    role.name.as_str(),
                    role.path.as_str(),
                    role.accounts.clone(),
                )
            });
            let users = exception.users.iter();
            let users =
                users.map(|user| (user.name.as_str(), user.path.as_str(), user.account.clone()));
            (
                exception.id.as_str(),
                roles.collect::<Vec<_>>(),
                users.collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "a",
                vec![
                    ("Admin", "/break-glass/", BTreeSet::from([id("3")])),
                    ("Read", "/break-glass/read/", BTreeSet::from([id("2")])),
                ],
                vec![],
            ),
            (
                "b",
                vec![("Admin", "/break-glass/", BTreeSet::new())],
                vec![("bg-bob", "/break-glass/eu/", id("2"))],
            ),
        ]
    );
    assert_eq!(desired.exceptions[1].statements, Some(vec!["S".to_owned()]));
    assert_eq!(desired.protection.unwrap().name, "keep");
    assert_eq!((desired.roles.len(), desired.users.len()), (2, 2));
    let wrong = text.replace(
        "include: [emergency] }, reason",
        "include: [\"account:none\"] }, reason",
    );
    let found = problems(&wrong);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "guardrails.exceptions[1].accounts.include[0]");
}

/// The protection policy of this spec.
fn protection(text: &str) -> crate::state::DesiredProtection {
    let (loaded, organization) = (loaded(text), organization());
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    resolver.guardrails().unwrap().protection.unwrap()
}

#[test]
fn the_protection_policy_protects_what_lies_elsewhere_and_those_who_may_change_it() {
    let text = format!(
        "{SPEC}guardrails: {{ protection: {{ policy: keep, attach: [root, \"ou:/Workloads/\", \"333333333333\"] }} }}\n"
    );
    let text = text.replace(
        "organization: { id: o-exampleorg1 }",
        "organization: { id: o-exampleorg1, member_role: { plan: Look, apply: Deployer }, overrides: { \"333333333333\": { member_role: Invited } } }",
    );
    let protection = protection(&text);
    let set = |texts: &[&str]| -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    };
    assert_eq!(
        protection.targets,
        set(&["r-1", "ou-1-workload", "333333333333"])
    );
    let deployers = [
        "arn:aws-cn:iam::*:role/Deployer",
        "arn:aws-cn:iam::333333333333:role/Invited",
    ];
    let roles = [
        "arn:aws-cn:iam::*:role/break-glass/Admin",
        "arn:aws-cn:iam::*:role/break-glass/read/Read",
    ];
    assert_eq!(protection.spared, &set(&deployers) | &set(&roles));
    let document = protection.document.parse().unwrap();
    let identities = document.statements[0].resources.as_ref().unwrap();
    for deployer in deployers {
        assert!(
            identities
                .list()
                .iter()
                .any(|resource| resource == deployer)
        );
    }
    assert_eq!(
        crate::policy::exemption::denied_to(&document, &protection.spared),
        None
    );
    let others = set(&["arn:aws-cn:iam::*:role/Look"]);
    assert!(crate::policy::exemption::denied_to(&document, &others).is_some());

    let wrong = text.replace("ou:/Workloads/", "ou:/Nowhere");
    assert_eq!(problems(&wrong)[0].0, "guardrails.protection.attach[1]");
}

#[test]
fn at_the_path_of_everybody_the_protection_policy_protects_by_name() {
    let text = format!("{SPEC}guardrails: {{ protection: {{ policy: keep, attach: [root] }} }}\n");
    let text = text.replace("defaults: { ", "defaults: { path: /, ");
    let protection = protection(&text);
    let document = protection.document.parse().unwrap();
    let denied = |action: &str, resource: &str, principal: &str| {
        let request = serde_json::json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": action, "Resource": resource },
        ] });
        (1..=document.statements.len()).any(|number| {
            let calls = crate::policy::parse(&request.to_string()).unwrap();
            let principals = BTreeSet::from([principal.to_owned()]);
            !crate::policy::exemption::is_exempted(&document, number, principal)
                && crate::policy::exemption::would_stop(
                    &document,
                    number,
                    &principals,
                    "o-exampleorg1",
                    &calls,
                )
        })
    };
    let developer = "arn:aws-cn:iam::333333333333:role/Developer";
    let at = |what: &str| format!("arn:aws-cn:iam::333333333333:{what}");
    assert!(denied("iam:UpdateRole", &at("role/Admin"), developer));
    assert!(!denied("iam:UpdateRole", &at("role/App"), developer));
    assert!(!denied("iam:CreatePolicy", &at("policy/app"), developer));
    assert!(!denied(
        "iam:DeleteVirtualMFADevice",
        &at("mfa/phone"),
        developer
    ));
    let alice = "arn:aws-cn:iam::222222222222:user/bg-alice";
    assert!(denied("iam:EnableMFADevice", alice, developer));
    assert!(!denied("iam:EnableMFADevice", alice, alice));
    assert!(!denied(
        "iam:EnableMFADevice",
        &at("user/app"),
        &at("user/app")
    ));
}
