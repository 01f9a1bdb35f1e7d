//! What is left alone: no operation touches it, and everything else is put right.

use super::*;
use crate::state::{
    AlarmSettings, AlertBus, AlertRule, AlertTopic, Alerts, Confirmation, DesiredAlerts,
    EventPattern, MetricAlarm, MetricFilter, Reading,
};

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn leaving(desired: &Desired, live: &Inventory, left: &Left) -> Vec<Change> {
    let context = AccountContext {
        id: &account(),
        name: "prod",
        partition: &Partition::commercial(),
        managed_path: &IamPath::break_glass(),
        strict: false,
        now: NOON,
    };
    diff_leaving(&context, desired, live, left).changes
}

/// Leaves each field alone by itself, and applies the rest to the model.
///
/// The rest must be what it was without that field, lead to a state that only that field tells from the spec, and leave
/// that field as it is.
fn each_field_alone(desired: &Desired, live: &Inventory) {
    let all = leaving(desired, live, &Left::default());
    let [change] = &all[..] else {
        panic!("{all:?}")
    };
    assert!(change.fields.len() > 1, "{all:?}");
    for field in &change.fields {
        let mut left = Left::default();
        let paths = BTreeSet::from([field.path.clone()]);
        left.fields.insert(change.address.clone(), paths);
        let rest = leaving(desired, live, &left);
        let [part] = &rest[..] else {
            panic!("{}: {rest:?}", field.path)
        };
        let others: Vec<&Field> = change
            .fields
            .iter()
            .filter(|other| *other != field)
            .collect();
        assert_eq!(part.fields.iter().collect::<Vec<_>>(), others);
        assert_eq!(part.fingerprint, change.fingerprint);
        let mut after = live.clone();
        for step in &part.operations {
            after.apply(&step.operation).unwrap();
        }
        let pending = leaving(desired, &after, &Left::default());
        let [pending] = &pending[..] else {
            panic!("{}: {pending:?}", field.path)
        };
        assert_eq!(pending.fields, std::slice::from_ref(field));
        // And nothing at all is left to do where the field is left alone.
        assert_eq!(leaving(desired, &after, &left), []);
        let turned = leaving(desired, live, &left.turned(&all));
        assert_eq!(turned[0].fields, std::slice::from_ref(field));
    }
}

#[test]
fn each_field_of_a_role_can_be_left_alone() {
    let live = Role {
        trust_policy: trust("mallory", false),
        description: "old".to_owned(),
        max_session: 7_200,
        tags: Tags::from([
            (OWNERSHIP_TAG.to_owned(), OWNERSHIP_VALUE.to_owned()),
            ("cost-center".to_owned(), "9".to_owned()),
            ("mine".to_owned(), "old".to_owned()),
        ]),
        permissions_boundary: Some(READ.parse().unwrap()),
        managed_policies: BTreeSet::from([READ.parse().unwrap()]),
        inline_policies: BTreeMap::from([
            ("guard".to_owned(), PolicyText::new(ALLOW)),
            ("stray".to_owned(), PolicyText::new(ALLOW)),
        ]),
        ..role()
    };
    let mut spec = role();
    spec.inline_policies
        .insert("more".to_owned(), PolicyText::new(DENY));
    spec.tags.insert("mine".to_owned(), "new".to_owned());
    each_field_alone(&want_role(spec), &have_role("Admin", live));
}

#[test]
fn each_field_of_a_user_can_be_left_alone() {
    let ids = |id: &str| BTreeSet::from([id.to_owned()]);
    let live = User {
        path: "/elsewhere/".parse().unwrap(),
        managed_policies: BTreeSet::from([READ.parse().unwrap()]),
        inline_policies: BTreeMap::from([("stray".to_owned(), PolicyText::new(ALLOW))]),
        tags: Tags::from([
            (OWNERSHIP_TAG.to_owned(), OWNERSHIP_VALUE.to_owned()),
            ("cost-center".to_owned(), "9".to_owned()),
        ]),
        groups: ids("staff"),
        access_keys: ids("AKIA1"),
        ssh_keys: ids("APKA1"),
        service_credentials: ids("ACCA1"),
        signing_certificates: ids("C1"),
        permissions_boundary: Some(READ.parse().unwrap()),
    };
    each_field_alone(&want_user(user(), false, false), &have_user(live));
}

/// Alerts of which everything differs.
fn alerts() -> (DesiredAlerts, Alerts) {
    let name = |name: &str| format!("us-east-1:{name}");
    let pattern = |text: &str| EventPattern::new(json!({ "source": [text] }).to_string());
    let target = |arn: &str| crate::state::AlertTarget {
        arn: arn.to_owned(),
        ..Default::default()
    };
    let rule = |source: &str, state: &str, description: &str, targets: &[(&str, &str)]| AlertRule {
        pattern: pattern(source),
        state: state.to_owned(),
        description: format!("{}{description}", crate::state::RULE_MARK),
        targets: targets
            .iter()
            .map(|(id, arn)| ((*id).to_owned(), target(arn)))
            .collect(),
    };
    let topic = |policy: &str, key: &str, receivers: &[&str]| AlertTopic {
        policy: Some(PolicyText::new(policy)),
        kms_key: Some(key.to_owned()),
        subscriptions: receivers
            .iter()
            .map(|receiver| ((*receiver).to_owned(), Confirmation::Confirmed))
            .collect(),
        ..AlertTopic::default()
    };
    let filter = |pattern: &str| MetricFilter {
        log_group: "trail".to_owned(),
        pattern: pattern.to_owned(),
        value: "1".to_owned(),
        dimensions: BTreeMap::new(),
    };
    let settings = |threshold: &str, periods: i32, unit: Option<&str>| AlarmSettings {
        metric: ("BreakGlass".to_owned(), "Use".to_owned()),
        dimensions: BTreeMap::new(),
        unit: unit.map(str::to_owned),
        statistic: "Sum".to_owned(),
        comparison: "GreaterThanOrEqualToThreshold".to_owned(),
        threshold: threshold.to_owned(),
        period: 60,
        periods,
        datapoints: None,
        missing: "notBreaching".to_owned(),
        actions_enabled: true,
        actions: BTreeSet::new(),
    };
    let alarm = |filters: &[(&str, &str)], settings| MetricAlarm {
        filters: filters
            .iter()
            .map(|(name, pattern)| ((*name).to_owned(), filter(pattern)))
            .collect(),
        alarm: Some(settings),
    };
    let desired = DesiredAlerts {
        central: BTreeMap::from([(
            name("break-glass-use"),
            wanted(rule(
                "new",
                "ENABLED",
                "new",
                &[("a", "arn:new"), ("b", "arn:b")],
            )),
        )]),
        topics: BTreeMap::from([(
            name("alerts"),
            wanted(topic(ALLOW, "alias/new", &["email:a@b", "email:c@d"])),
        )]),
        alarms: BTreeMap::from([(
            name("break-glass"),
            wanted(alarm(&[("f", "new"), ("g", "new")], settings("1", 1, None))),
        )]),
        ..DesiredAlerts::default()
    };
    let mut live_topic = topic(DENY, "alias/old", &["email:c@d", "sms:1"]);
    live_topic
        .subscription_filters
        .insert("email:c@d".to_owned(), "{}".to_owned());
    let live = Alerts {
        rules: BTreeMap::from([(
            name("break-glass-use"),
            rule(
                "old",
                "DISABLED",
                "old",
                &[("a", "arn:old"), ("c", "arn:c")],
            ),
        )]),
        topics: BTreeMap::from([(name("alerts"), live_topic)]),
        alarms: BTreeMap::from([(
            name("break-glass"),
            alarm(
                &[("f", "old"), ("h", "old")],
                settings("2", 5, Some("Bytes")),
            ),
        )]),
        ..Alerts::default()
    };
    (desired, live)
}

#[test]
fn each_field_of_alerts_can_be_left_alone() {
    let (desired, live) = alerts();
    let none = Alerts::default;
    for (desired, live) in [
        (
            DesiredAlerts {
                central: desired.central,
                ..DesiredAlerts::default()
            },
            Alerts {
                rules: live.rules,
                ..none()
            },
        ),
        (
            DesiredAlerts {
                topics: desired.topics,
                ..DesiredAlerts::default()
            },
            Alerts {
                topics: live.topics,
                ..none()
            },
        ),
        (
            DesiredAlerts {
                alarms: desired.alarms,
                ..DesiredAlerts::default()
            },
            Alerts {
                alarms: live.alarms,
                ..none()
            },
        ),
    ] {
        let desired = Desired {
            alerts: Some(desired),
            ..Desired::default()
        };
        let live = Inventory {
            alerts: Some(Reading::Complete(live)),
            ..Inventory::default()
        };
        each_field_alone(&desired, &live);
    }
    let bus = |policy: &str| AlertBus {
        policy: Some(PolicyText::new(policy)),
    };
    let name = "us-east-1:break-glass".to_owned();
    let desired = Desired {
        alerts: Some(DesiredAlerts {
            buses: BTreeMap::from([(name.clone(), wanted(bus(ALLOW)))]),
            ..DesiredAlerts::default()
        }),
        ..Desired::default()
    };
    let live = Inventory {
        alerts: Some(Reading::Complete(Alerts {
            buses: BTreeMap::from([(name.clone(), bus(DENY))]),
            ..Alerts::default()
        })),
        ..Inventory::default()
    };
    let mut left = Left::default();
    let address = Address::new(&account(), ResourceType::AlertBus, &name);
    left.fields
        .insert(address, BTreeSet::from(["policy".to_owned()]));
    assert_eq!(leaving(&desired, &live, &Left::default()).len(), 1);
    assert_eq!(leaving(&desired, &live, &left), []);
}

#[test]
fn a_policy_that_is_left_alone_is_missing_to_those_that_refer_to_it() {
    let policy = Policy {
        path: "/break-glass/".parse().unwrap(),
        document: PolicyText::new(ALLOW),
    };
    let arn: Arn = "arn:aws:iam::111122223333:policy/break-glass/base"
        .parse()
        .unwrap();
    let mut admin = role();
    admin.managed_policies.insert(arn.clone());
    let desired = Desired {
        policies: Some(BTreeMap::from([(
            "base".to_owned(),
            wanted(DesiredPolicy {
                policy: policy.clone(),
                description: String::new(),
                tags: Tags::new(),
            }),
        )])),
        ..want_role(admin.clone())
    };
    let address = Address::new(&account(), ResourceType::IamPolicy, "base");
    let left = |action| Left {
        whole: BTreeSet::from([(address.clone(), action)]),
        ..Left::default()
    };
    for live in [Inventory::default(), have_role("Admin", role())] {
        let changes = leaving(&desired, &live, &left(Action::Create));
        let [change] = &changes[..] else {
            panic!("{changes:?}")
        };
        let why = change.blocked.as_deref().unwrap();
        assert!(
            why.contains("an ignore rule of the spec leaves it so"),
            "{why}"
        );
        assert_eq!(change.operations, []);
    }
    // One that nothing wants stays as long as a role that is left alone has it.
    let live = Inventory {
        policies: BTreeMap::from([("base".to_owned(), policy)]),
        ..have_role("Old", admin)
    };
    let nothing = Desired {
        policies: Some(BTreeMap::new()),
        roles: Some(BTreeMap::new()),
        ..Desired::default()
    };
    assert!(
        leaving(&nothing, &live, &Left::default())
            .iter()
            .all(|change| change.blocked.is_none())
    );
    let old = Address::new(&account(), ResourceType::IamRole, "Old");
    let left = Left {
        whole: BTreeSet::from([(old, Action::Delete)]),
        ..Left::default()
    };
    let changes = leaving(&nothing, &live, &left);
    let [change] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert!(
        change.blocked.as_deref().unwrap().contains("Old"),
        "{change:?}"
    );
}

#[test]
fn no_role_comes_to_trust_a_user_that_is_left_missing() {
    let user: Arn = "arn:aws:iam::222233334444:user/alice".parse().unwrap();
    let left = Left {
        absent: BTreeSet::from([user]),
        ..Left::default()
    };
    let desired = want_role(role());
    let other = Role {
        trust_policy: trust("mallory", true),
        ..role()
    };
    for live in [Inventory::default(), have_role("Admin", other)] {
        let changes = leaving(&desired, &live, &left);
        let why = changes[0].blocked.as_deref().unwrap();
        assert!(
            why.starts_with("it trusts arn:aws:iam::222233334444:user/alice"),
            "{why}"
        );
        assert_eq!(changes[0].operations, []);
    }
    let longer = Role {
        max_session: 7_200,
        ..role()
    };
    let changes = leaving(&desired, &have_role("Admin", longer), &left);
    assert_eq!(changes[0].blocked, None, "its trust policy stays as it is");
}

#[test]
fn a_user_stays_as_long_as_its_password_is_left_alone() {
    let mut live = have_user(user());
    live.login_profiles.insert("alice".to_owned());
    let desired = Desired {
        users: Some(BTreeMap::new()),
        ..Desired::default()
    };
    let password = Address::new(&account(), ResourceType::Credential, "alice");
    let left = Left {
        whole: BTreeSet::from([(password, Action::Delete)]),
        ..Left::default()
    };
    let changes = leaving(&desired, &live, &left);
    let [change] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(change.resource_type, ResourceType::IamUser);
    assert!(change.blocked.is_some() && change.operations.is_empty());
}

#[test]
fn a_user_that_is_not_taken_over_keeps_its_password_and_its_path() {
    let stranger = User {
        tags: Tags::new(),
        groups: BTreeSet::from(["staff".to_owned()]),
        ..user()
    };
    let mut live = have_user(stranger.clone());
    live.users.get_mut("alice").unwrap().path = "/".parse().unwrap();
    live.login_profiles.insert("alice".to_owned());
    let desired = want_user(user(), false, false);
    let address = Address::new(&account(), ResourceType::IamUser, "alice");
    // What lies elsewhere and is not managed is in the way, whatever is said of its path.
    let mut left = Left::default();
    left.fields
        .insert(address.clone(), BTreeSet::from(["path".to_owned()]));
    let changes = leaving(&desired, &live, &left);
    let [change] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert!(change.blocked.is_some() && change.operations.is_empty());
    let mut live = have_user(User {
        path: "/elsewhere/".parse().unwrap(),
        ..stranger
    });
    live.login_profiles.insert("alice".to_owned());
    let mut spec = user();
    spec.path = "/elsewhere/".parse().unwrap();
    let desired = want_user(spec, false, false);
    assert_eq!(leaving(&desired, &live, &Left::default()).len(), 2);
    let left = Left {
        whole: BTreeSet::from([(address, Action::Update)]),
        ..Left::default()
    };
    assert_eq!(leaving(&desired, &live, &left), []);
}
