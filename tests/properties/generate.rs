//! Arbitrary accounts and desired states, from small pools so that names clash and things overlap.

use std::collections::{BTreeMap, BTreeSet};

use breakglass::ids::{AccountId, Arn, IamPath};
use breakglass::state::{
    Desired, DesiredPolicy, DesiredRoot, DesiredUser, Inventory, OWNERSHIP_TAG, OWNERSHIP_VALUE,
    Origin, Others, Paths, Policy, PolicyText, Role, RootAccess, RootFeature, Tags, User, Wanted,
};
use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub const ACCOUNT: &str = "111122223333";
pub const MANAGED: &str = "/break-glass/";

pub fn account() -> AccountId {
    ACCOUNT.parse().unwrap()
}

fn path() -> impl Strategy<Value = IamPath> {
    select(vec![
        MANAGED,
        MANAGED,
        MANAGED,
        "/break-glass/eu/",
        "/",
        "/other/",
    ])
    .prop_map(|path| path.parse().unwrap())
}

fn document() -> impl Strategy<Value = PolicyText> {
    select(vec![
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Resource":["*"],"Action":["S3:*"],"Effect":"Allow"}]}"#,
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#,
        "not a document",
    ])
    .prop_map(PolicyText::new)
}

/// A spec never holds a document that does not parse.
fn wanted_document() -> impl Strategy<Value = PolicyText> {
    document().prop_filter("a spec's documents parse", |text| text.parse().is_ok())
}

fn trust() -> impl Strategy<Value = PolicyText> {
    let principals = btree_set(select(vec!["alice", "bob", "carol"]), 1..3);
    (principals, any::<bool>()).prop_map(|(names, mfa)| {
        let arns: Vec<String> = names
            .iter()
            .map(|name| format!("arn:aws:iam::222233334444:user/{name}"))
            .collect();
        let mut statement = serde_json::json!({
            "Effect": "Allow", "Principal": { "AWS": arns }, "Action": "sts:AssumeRole",
        });
        if mfa {
            statement["Condition"] =
                serde_json::json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
        }
        let document = serde_json::json!({ "Version": "2012-10-17", "Statement": statement });
        PolicyText::new(document.to_string())
    })
}

fn arns() -> impl Strategy<Value = BTreeSet<Arn>> {
    let pool = vec![
        "arn:aws:iam::aws:policy/AdministratorAccess".to_owned(),
        "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
        format!("arn:aws:iam::{ACCOUNT}:policy/break-glass/guard"),
        format!("arn:aws:iam::{ACCOUNT}:policy/break-glass/open"),
    ];
    btree_set(select(pool).prop_map(|arn| arn.parse().unwrap()), 0..3)
}

fn tags() -> impl Strategy<Value = Tags> {
    btree_map(
        select(vec!["owner", "severity", OWNERSHIP_TAG]).prop_map(str::to_owned),
        select(vec!["a", "b", OWNERSHIP_VALUE]).prop_map(str::to_owned),
        0..3,
    )
}

fn wanted_tags() -> impl Strategy<Value = Tags> {
    tags().prop_map(|mut tags| {
        tags.insert(OWNERSHIP_TAG.to_owned(), OWNERSHIP_VALUE.to_owned());
        tags
    })
}

fn boundary() -> impl Strategy<Value = Option<Arn>> {
    option::of(
        select(vec![
            "arn:aws:iam::aws:policy/PowerUserAccess",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
        ])
        .prop_map(|arn| arn.parse().unwrap()),
    )
}

fn inline<S: Strategy<Value = PolicyText>>(
    document: S,
) -> impl Strategy<Value = BTreeMap<String, PolicyText>> {
    let names = select(vec!["one", "two", "three"]).prop_map(str::to_owned);
    btree_map(names, document, 0..3)
}

fn role<T, D>(tags: T, document: D) -> impl Strategy<Value = Role>
where
    T: Strategy<Value = Tags>,
    D: Strategy<Value = PolicyText>,
{
    let settings = (
        path(),
        trust(),
        select(vec!["", "why"]),
        select(vec![3_600, 43_200]),
    );
    (settings, tags, boundary(), arns(), inline(document)).prop_map(
        |((path, trust_policy, description, max_session), tags, boundary, managed, inline)| Role {
            path,
            trust_policy,
            description: description.to_owned(),
            max_session,
            tags,
            permissions_boundary: boundary,
            managed_policies: managed,
            inline_policies: inline,
        },
    )
}

fn user<T, D>(tags: T, document: D) -> impl Strategy<Value = User>
where
    T: Strategy<Value = Tags>,
    D: Strategy<Value = PolicyText>,
{
    (path(), tags, boundary(), arns(), inline(document)).prop_map(
        |(path, tags, boundary, managed, inline)| User {
            path,
            tags,
            permissions_boundary: boundary,
            managed_policies: managed,
            inline_policies: inline,
            groups: BTreeSet::new(),
            access_keys: BTreeSet::new(),
            ssh_keys: BTreeSet::new(),
            service_credentials: BTreeSet::new(),
            signing_certificates: BTreeSet::new(),
        },
    )
}

fn names(pool: Vec<&'static str>) -> impl Strategy<Value = String> {
    select(pool).prop_map(str::to_owned)
}

/// A live account, with managed and other objects, keys, groups and login profiles.
pub fn live() -> impl Strategy<Value = Inventory> {
    let policy = (path(), document()).prop_map(|(path, document)| Policy { path, document });
    let hanging = (
        btree_set(names(vec!["admins", "ops"]), 0..2),
        btree_set(names(vec!["AKIAONE", "AKIATWO"]), 0..2),
        btree_set(names(vec!["APKAONE"]), 0..2),
        btree_set(names(vec!["ACCAONE"]), 0..2),
        btree_set(names(vec!["CERTONE"]), 0..2),
    );
    let users = (user(tags(), document()), hanging).prop_map(
        |(user, (groups, access, ssh, service, signing))| User {
            groups,
            access_keys: access,
            ssh_keys: ssh,
            service_credentials: service,
            signing_certificates: signing,
            ..user
        },
    );
    (
        btree_map(names(vec!["guard", "open", "old", "GUARD"]), policy, 0..3),
        btree_map(names(vec!["alice", "bob", "old"]), users, 0..3),
        btree_map(
            names(vec!["Admin", "Read", "old", "admin"]),
            role(tags(), document()),
            0..3,
        ),
        btree_set(names(vec!["alice", "bob", "old"]), 0..3),
        option::of(btree_set(select(RootFeature::ALL.to_vec()), 0..2)),
    )
        .prop_map(|(policies, users, roles, profiles, features)| {
            let login_profiles = profiles
                .into_iter()
                .filter(|name| users.contains_key(name))
                .collect();
            Inventory {
                policies: one_per_name(policies),
                users,
                roles: one_per_name(roles),
                login_profiles,
                root: features.map(|features| RootAccess {
                    credentials: None,
                    features: Some(features),
                }),
                roles_last_used: BTreeMap::new(),
                people: None,
                others: Others::default(),
            }
        })
}

/// IAM holds no two objects whose names differ only in case.
fn one_per_name<T>(objects: BTreeMap<String, T>) -> BTreeMap<String, T> {
    let mut seen = BTreeSet::new();
    objects
        .into_iter()
        .filter(|(name, _)| seen.insert(name.to_ascii_lowercase()))
        .collect()
}

fn wanted<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Wanted<T>> {
    value.prop_map(|value| Wanted {
        value,
        origin: Origin {
            file: "breakglass.yaml".to_owned(),
            line: 1,
        },
    })
}

/// A desired state, some of its sections absent.
pub fn desired() -> impl Strategy<Value = Desired> {
    let policy = wanted_document().prop_map(|document| DesiredPolicy {
        policy: Policy {
            path: MANAGED.parse().unwrap(),
            document,
        },
        description: String::new(),
        tags: Tags::new(),
    });
    let user = (
        user(wanted_tags(), wanted_document()),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(user, console, vaulted_keys)| DesiredUser {
            user,
            console,
            vaulted_keys,
            reset_at: None,
            mfa: None,
            spared_inline_policies: BTreeSet::new(),
        });
    (
        option::weighted(
            0.9,
            btree_map(names(vec!["guard", "open"]), wanted(policy), 0..3),
        ),
        option::weighted(
            0.9,
            btree_map(names(vec!["alice", "bob"]), wanted(user), 0..3),
        ),
        option::weighted(
            0.9,
            btree_map(
                names(vec!["Admin", "Read"]),
                wanted(role(wanted_tags(), wanted_document())),
                0..3,
            ),
        ),
        btree_set(select(RootFeature::ALL.to_vec()), 0..2),
    )
        .prop_map(|(policies, users, roles, features)| Desired {
            policies,
            users,
            roles,
            root: Some(DesiredRoot {
                origin: Origin {
                    file: "breakglass.yaml".to_owned(),
                    line: 2,
                },
                features: features
                    .into_iter()
                    .map(|feature| (feature, true))
                    .collect(),
                management: true,
                mfa: false,
                no_credentials: false,
            }),
            paths: Paths::default(),
            ownership_tag_optional: false,
            spared_policies: BTreeSet::new(),
            uncovered: BTreeMap::new(),
        })
}
