use std::collections::{BTreeMap, BTreeSet};

mod people;

use super::*;
use crate::plan::Step;
use crate::state::{
    DesiredPolicy, DesiredUser, OWNERSHIP_VALUE, Policy, PolicyText, Role, User, Wanted,
};

mod left;
mod revocations;
mod ways_in;

const NOON: Timestamp = Timestamp::constant(1_800_014_400, 0);
const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*"}}"#;
const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const READ: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn trust(user: &str, mfa: bool) -> PolicyText {
    let condition = if mfa {
        r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#
    } else {
        ""
    };
    PolicyText::new(format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::222233334444:user/{user}"}},"Action":"sts:AssumeRole"{condition}}}]}}"#
    ))
}

fn owned() -> Tags {
    Tags::from([(OWNERSHIP_TAG.to_owned(), OWNERSHIP_VALUE.to_owned())])
}

fn role() -> Role {
    Role {
        path: "/break-glass/".parse().unwrap(),
        trust_policy: trust("alice", true),
        description: String::new(),
        max_session: 3_600,
        tags: owned(),
        permissions_boundary: None,
        managed_policies: BTreeSet::from([ADMIN.parse().unwrap()]),
        inline_policies: BTreeMap::from([("guard".to_owned(), PolicyText::new(DENY))]),
    }
}

fn user() -> User {
    User {
        path: "/break-glass/".parse().unwrap(),
        tags: owned(),
        permissions_boundary: None,
        managed_policies: BTreeSet::new(),
        inline_policies: BTreeMap::new(),
        groups: BTreeSet::new(),
        access_keys: BTreeSet::new(),
        ssh_keys: BTreeSet::new(),
        service_credentials: BTreeSet::new(),
        signing_certificates: BTreeSet::new(),
    }
}

fn wanted<T>(value: T) -> Wanted<T> {
    let origin = Origin {
        file: "breakglass.yaml".to_owned(),
        line: 7,
    };
    Wanted { value, origin }
}

fn want_role(role: Role) -> Desired {
    Desired {
        roles: Some(BTreeMap::from([("Admin".to_owned(), wanted(role))])),
        ..Desired::default()
    }
}

fn want_user(user: User, console: bool, vaulted_keys: bool) -> Desired {
    let user = DesiredUser {
        user,
        console,
        vaulted_keys,
        mfa: None,
        reset_at: None,
        spared_inline_policies: BTreeSet::new(),
    };
    Desired {
        users: Some(BTreeMap::from([("alice".to_owned(), wanted(user))])),
        ..Desired::default()
    }
}

fn have_role(name: &str, role: Role) -> Inventory {
    Inventory {
        roles: BTreeMap::from([(name.to_owned(), role)]),
        ..Inventory::default()
    }
}

fn have_user(user: User) -> Inventory {
    Inventory {
        users: BTreeMap::from([("alice".to_owned(), user)]),
        ..Inventory::default()
    }
}

fn diff(desired: &Desired, live: &Inventory, strict: bool) -> AccountDiff {
    let id = "111122223333".parse().unwrap();
    let context = AccountContext {
        id: &id,
        name: "prod",
        partition: &Partition::commercial(),
        managed_path: &"/break-glass/".parse().unwrap(),
        strict,
        now: NOON,
    };
    diff_account(&context, desired, live)
}

fn changes(desired: &Desired, live: &Inventory) -> Vec<Change> {
    diff(desired, live, false).changes
}

fn only_change(desired: &Desired, live: &Inventory) -> Change {
    let mut changes = changes(desired, live);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    changes.remove(0)
}

fn actions(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().map(|step| step.operation.action()).collect()
}

fn fields(change: &Change) -> Vec<&str> {
    change
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect()
}

#[test]
fn a_role_is_made_with_its_trust_policy_and_denies_come_before_allows() {
    let change = only_change(&want_role(role()), &Inventory::default());
    assert_eq!(change.action, Action::Create);
    assert_eq!(
        actions(&change.operations),
        [
            "iam:CreateRole",
            "iam:PutRolePolicy",
            "iam:AttachRolePolicy"
        ]
    );
    assert_eq!((change.risk, change.reason), (Risk::Medium, None));
    assert_eq!(change.source.unwrap().line, 7);
}

#[test]
fn a_new_role_that_needs_no_mfa_is_critical_and_says_so() {
    let open = Role {
        trust_policy: trust("alice", false),
        ..role()
    };
    let change = only_change(&want_role(open), &Inventory::default());
    assert_eq!(
        (change.action, change.risk),
        (Action::Create, Risk::Critical)
    );
    assert_eq!(
        change.reason.as_deref(),
        Some("the spec lets it be assumed without MFA")
    );
}

#[test]
fn documents_that_mean_the_same_are_no_difference() {
    let guard = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Deny","Action":["iam:Get*","iam:GetRole"],"Resource":"*"},
        {"Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#;
    let live = Role {
        inline_policies: BTreeMap::from([("guard".to_owned(), PolicyText::new(guard))]),
        ..role()
    };
    for strict in [false, true] {
        let diff = diff(
            &want_role(role()),
            &have_role("Admin", live.clone()),
            strict,
        );
        assert_eq!((diff.changes, diff.cosmetic), (vec![], vec![]));
    }
}

#[test]
fn a_sid_is_cosmetic_and_a_difference_only_when_asked_for() {
    let named = DENY.replace(r#"{"Effect""#, r#"{"Sid":"Guard","Effect""#);
    let live = Role {
        inline_policies: BTreeMap::from([("guard".to_owned(), PolicyText::new(named))]),
        ..role()
    };
    let (desired, live) = (want_role(role()), have_role("Admin", live));
    let lenient = diff(&desired, &live, false);
    assert_eq!(lenient.changes, []);
    assert_eq!(lenient.cosmetic.len(), 1);
    assert_eq!(lenient.cosmetic[0].fields, ["inline_policies.guard"]);
    let strict = diff(&desired, &live, true);
    assert_eq!(strict.cosmetic, []);
    let [change] = strict.changes.as_slice() else {
        panic!("one change: {strict:#?}");
    };
    assert_eq!((change.risk, change.access), (Risk::Low, Access::None));
    assert_eq!(actions(&change.operations), ["iam:PutRolePolicy"]);
    // The fingerprint tells the two apart, so that the change is not taken for done.
    assert_ne!(change.target(), &change.fingerprint);
}

#[test]
fn a_document_that_differs_carries_direction_and_witness() {
    let live = Role {
        trust_policy: trust("alice", false),
        inline_policies: BTreeMap::new(),
        ..role()
    };
    let change = only_change(&want_role(role()), &have_role("Admin", live));
    let told: Vec<_> = change
        .fields
        .iter()
        .map(|field| (field.path.as_str(), field.access, field.witness.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "trust_policy",
                Access::Narrower,
                Some(
                    "sts:AssumeRole by arn:aws:iam::222233334444:user/alice without MFA: \
                     allowed live, not allowed by the spec"
                )
            ),
            (
                "inline_policies.guard",
                Access::Narrower,
                Some("iam:anything: not allowed live, denied by the spec")
            ),
        ]
    );
    assert_eq!(change.risk, Risk::Critical);
}

#[test]
fn what_is_too_much_goes_before_a_newcomer_is_trusted_and_grants_come_last() {
    let live = Role {
        trust_policy: trust("mallory", true),
        managed_policies: BTreeSet::from([READ.parse().unwrap()]),
        inline_policies: BTreeMap::from([
            ("extra".to_owned(), PolicyText::new(ALLOW)),
            ("old-guard".to_owned(), PolicyText::new(DENY)),
        ]),
        ..role()
    };
    let change = only_change(&want_role(role()), &have_role("Admin", live));
    let steps: Vec<String> = change
        .operations
        .iter()
        .map(|step| match &step.operation {
            Operation::PutInlinePolicy { name, .. } => format!("put {name}"),
            Operation::DeleteInlinePolicy { name, .. } => format!("delete {name}"),
            other => other.action().to_owned(),
        })
        .collect();
    assert_eq!(
        steps,
        [
            "iam:DetachRolePolicy",
            "delete extra",
            "put guard",
            "iam:UpdateAssumeRolePolicy",
            "iam:AttachRolePolicy",
            "delete old-guard",
        ]
    );
}

#[test]
fn a_leftover_role_loses_what_it_may_before_what_it_may_not() {
    let change = only_change(
        &Desired {
            roles: Some(BTreeMap::new()),
            ..Desired::default()
        },
        &have_role("Old", role()),
    );
    assert_eq!(change.action, Action::Delete);
    assert_eq!(
        actions(&change.operations),
        [
            "iam:DetachRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:DeleteRole"
        ]
    );
}

#[test]
fn losing_mfa_is_critical_and_has_a_witness() {
    let live = Role {
        trust_policy: trust("alice", false),
        ..role()
    };
    let change = only_change(&want_role(role()), &have_role("Admin", live));
    assert_eq!(fields(&change), ["trust_policy"]);
    assert_eq!(
        (change.risk, change.access),
        (Risk::Critical, Access::Narrower)
    );
    assert!(
        change.fields[0]
            .witness
            .as_ref()
            .unwrap()
            .contains("without MFA")
    );
}

#[test]
fn a_role_of_the_same_name_that_is_not_managed_can_be_adopted_only_where_it_lies() {
    let elsewhere = Role {
        path: "/".parse().unwrap(),
        tags: Tags::new(),
        ..role()
    };
    let change = only_change(&want_role(role()), &have_role("Admin", elsewhere.clone()));
    assert!(change.adoption && change.operations.is_empty());
    assert!(change.blocked.unwrap().contains("path: /"));

    let there = Role {
        path: "/".parse().unwrap(),
        ..role()
    };
    let change = only_change(&want_role(there), &have_role("Admin", elsewhere));
    assert!(change.adoption && change.blocked.is_none());
    assert_eq!(change.risk, Risk::High);
    assert_eq!(actions(&change.operations), ["iam:TagRole"]);
}

#[test]
fn a_name_in_another_case_is_in_the_way() {
    let change = only_change(&want_role(role()), &have_role("ADMIN", role()));
    assert!(change.blocked.unwrap().contains("case"));
}

#[test]
fn a_managed_role_at_another_path_is_replaced_and_a_user_is_moved() {
    let moved = Role {
        path: "/break-glass/eu/".parse().unwrap(),
        ..role()
    };
    let change = only_change(&want_role(moved), &have_role("Admin", role()));
    assert_eq!(change.action, Action::Update);
    assert_eq!(
        actions(&change.operations),
        [
            "iam:DetachRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:DeleteRole",
            "iam:CreateRole",
            "iam:PutRolePolicy",
            "iam:AttachRolePolicy",
        ]
    );
    assert!(change.replacement && change.reason.unwrap().starts_with("replaced"));

    let moved = User {
        path: "/break-glass/eu/".parse().unwrap(),
        ..user()
    };
    let change = only_change(&want_user(moved, false, false), &have_user(user()));
    assert_eq!(actions(&change.operations), ["iam:UpdateUser"]);
}

#[test]
fn the_ownership_tag_may_be_missing_only_where_the_spec_says_so() {
    let untagged = Role {
        tags: Tags::new(),
        ..role()
    };
    let live = have_role("Admin", untagged);
    assert_eq!(
        fields(&only_change(&want_role(role()), &live)),
        ["tags.breakglass:managed"]
    );
    let desired = Desired {
        ownership_tag_optional: true,
        ..want_role(role())
    };
    assert!(changes(&desired, &live).is_empty());
}

#[test]
fn access_keys_go_unless_they_are_vaulted() {
    let live = User {
        access_keys: BTreeSet::from(["AKIAEXAMPLE".to_owned()]),
        ..user()
    };
    let change = only_change(&want_user(user(), false, false), &have_user(live.clone()));
    assert_eq!(fields(&change), ["access_keys"]);
    assert_eq!(actions(&change.operations), ["iam:DeleteAccessKey"]);
    assert!(changes(&want_user(user(), false, true), &have_user(live)).is_empty());
}

#[test]
fn a_missing_password_is_left_to_a_person_and_one_too_many_is_deleted() {
    let change = only_change(&want_user(user(), true, false), &have_user(user()));
    assert_eq!(change.address.to_string(), "111122223333/credential/alice");
    assert_eq!(change.action, Action::Manual);
    assert!(change.operations.is_empty());

    let mut live = have_user(user());
    live.login_profiles.insert("alice".to_owned());
    assert!(changes(&want_user(user(), true, false), &live).is_empty());
    let change = only_change(&want_user(user(), false, false), &live);
    assert_eq!(actions(&change.operations), ["iam:DeleteLoginProfile"]);
}

#[test]
fn a_leftover_user_loses_its_password_first_and_then_the_rest() {
    let mut live = have_user(User {
        groups: BTreeSet::from(["admins".to_owned()]),
        access_keys: BTreeSet::from(["AKIAEXAMPLE".to_owned()]),
        managed_policies: BTreeSet::from([ADMIN.parse().unwrap()]),
        ..user()
    });
    live.login_profiles.insert("alice".to_owned());
    let desired = Desired {
        users: Some(BTreeMap::new()),
        ..Desired::default()
    };
    let mut changes = changes(&desired, &live);
    changes.sort_by_key(|change| crate::plan::schedule(change)[0].wave);
    let steps: Vec<_> = changes
        .iter()
        .flat_map(|change| actions(&change.operations))
        .collect();
    assert_eq!(
        steps,
        [
            "iam:DeleteLoginProfile",
            "iam:RemoveUserFromGroup",
            "iam:DeleteAccessKey",
            "iam:DetachUserPolicy",
            "iam:DeleteUser",
        ]
    );
}

#[test]
fn the_password_of_a_user_that_is_not_managed_is_left_alone() {
    let mut live = have_user(User {
        path: "/ops/".parse().unwrap(),
        tags: Tags::new(),
        ..user()
    });
    live.login_profiles.insert("alice".to_owned());
    let change = only_change(&want_user(user(), false, false), &live);
    assert!(change.blocked.is_some() && change.operations.is_empty());
}

#[test]
fn a_user_that_is_taken_over_loses_a_password_it_shall_not_have_in_the_same_plan() {
    let mut live = have_user(User {
        tags: Tags::new(),
        path: "/ops/".parse().unwrap(),
        ..user()
    });
    live.login_profiles.insert("alice".to_owned());
    let wanted = User {
        path: "/ops/".parse().unwrap(),
        ..user()
    };
    let changes = changes(&want_user(wanted, false, false), &live);
    let steps = changes
        .iter()
        .flat_map(|change| actions(&change.operations));
    assert_eq!(
        steps.collect::<BTreeSet<_>>(),
        BTreeSet::from(["iam:DeleteLoginProfile", "iam:TagUser"])
    );
    assert!(changes.iter().all(|change| change.adoption));
}

#[test]
fn newcomers_are_trusted_last_when_someone_stays() {
    let both = |one: &str, other: &str| {
        PolicyText::new(
            trust(one, true)
                .as_str()
                .replace(
                    &format!("user/{one}\""),
                    &format!("user/{one}\",\"arn:aws:iam::222233334444:user/{other}\""),
                )
                .replace("\"AWS\":\"", "\"AWS\":[\"")
                .replace(&format!("user/{other}\"}}"), &format!("user/{other}\"]}}")),
        )
    };
    let live = Role {
        trust_policy: both("alice", "mallory"),
        managed_policies: BTreeSet::from([READ.parse().unwrap()]),
        ..role()
    };
    let spec = Role {
        trust_policy: both("alice", "bob"),
        ..role()
    };
    let change = only_change(&want_role(spec), &have_role("Admin", live));
    let steps = actions(&change.operations);
    assert_eq!(
        steps,
        [
            "iam:UpdateAssumeRolePolicy",
            "iam:DetachRolePolicy",
            "iam:AttachRolePolicy",
            "iam:UpdateAssumeRolePolicy",
        ]
    );
    let Operation::SetTrustPolicy { document, .. } = &change.operations[0].operation else {
        panic!("{:?}", change.operations[0]);
    };
    assert!(document.as_str().contains("alice"));
    assert!(!document.as_str().contains("bob") && !document.as_str().contains("mallory"));
}

#[test]
fn what_refers_to_a_policy_that_is_not_there_is_not_half_made() {
    let missing = Role {
        managed_policies: BTreeSet::from(["arn:aws:iam::111122223333:policy/break-glass/none"
            .parse()
            .unwrap()]),
        ..role()
    };
    for live in [Inventory::default(), have_role("Admin", role())] {
        let change = only_change(&want_role(missing.clone()), &live);
        assert!(change.operations.is_empty());
        assert!(change.blocked.unwrap().contains("policy/break-glass/none"));
    }
}

#[test]
fn a_leftover_policy_that_something_unmanaged_uses_is_not_deleted() {
    let arn: Arn = "arn:aws:iam::111122223333:policy/break-glass/old"
        .parse()
        .unwrap();
    let policy = Policy {
        path: "/break-glass/".parse().unwrap(),
        document: PolicyText::new(ALLOW),
    };
    let mut live = Inventory {
        policies: BTreeMap::from([("old".to_owned(), policy)]),
        ..Inventory::default()
    };
    let desired = Desired {
        policies: Some(BTreeMap::new()),
        ..Desired::default()
    };
    let change = only_change(&desired, &live);
    assert_eq!(actions(&change.operations), ["iam:DeletePolicy"]);

    let users = BTreeSet::from(["role/ci".to_owned()]);
    live.others.policy_users.insert(arn, users);
    let change = only_change(&desired, &live);
    assert!(change.operations.is_empty());
    assert!(change.blocked.unwrap().contains("role/ci"));
}

#[test]
fn a_policy_is_compared_by_what_it_says() {
    let policy = |text: &str| Policy {
        path: "/break-glass/".parse().unwrap(),
        document: PolicyText::new(text),
    };
    let desired = DesiredPolicy {
        policy: policy(ALLOW),
        description: "any".to_owned(),
        tags: owned(),
    };
    let desired = Desired {
        policies: Some(BTreeMap::from([("base".to_owned(), wanted(desired))])),
        ..Desired::default()
    };
    let live = |text| Inventory {
        policies: BTreeMap::from([("base".to_owned(), policy(text))]),
        ..Inventory::default()
    };
    let respelt = r#"{"Statement":[{"Resource":["*","*"],"Action":["*"],"Effect":"Allow","Sid":"X"}],"Version":"2008-10-17"}"#;
    assert!(changes(&desired, &live(respelt)).is_empty());
    assert_eq!(fields(&only_change(&desired, &live(DENY))), ["document"]);
    let broken = only_change(&desired, &live("{"));
    assert_eq!(
        broken.access,
        Access::Both,
        "what can't be read is never equal"
    );
}
