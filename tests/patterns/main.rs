//! Every rule's pattern, proven against CloudTrail records as they come and against near misses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod matcher;

use std::collections::{BTreeMap, BTreeSet};

use breakglass::ids::AccountId;
use breakglass::org::Organization;
use breakglass::resolve::{Resolver, alert_names};
use breakglass::spec::{Loaded, load_texts};
use breakglass::state::{AlertRule, EventPattern, split_regional, split_rule};
use serde::Deserialize;
use serde_json::{Value, json};

use matcher::matches;

const MANAGEMENT: &str = "111111111111";
const EMERGENCY: &str = "222222222222";
const PROD: &str = "333333333333";
const SAND: &str = "444444444444";

const SPEC: &str = r#"
version: 1
organization: { id: o-exampleorg1, regions: [us-east-1] }
emergency_account: "222222222222"
users:
  - { name: bg-alice }
  - { name: bg-bob }
roles:
  - name: BreakGlassAdmin
    accounts: { include: ["333333333333", emergency] }
    trusted: ["user:bg-alice", "user:bg-bob"]
alerts:
  topic: { name: break-glass-alerts, kms_key: alias/break-glass }
  bus: { account: emergency, name: break-glass }
  second_path: { log_group: org-cloudtrail }
"#;

/// A record as EventBridge delivers it, and the rules of its account that match it.
#[derive(Deserialize)]
struct Record {
    title: String,
    rules: BTreeSet<String>,
    event: Value,
}

fn records() -> Vec<Record> {
    serde_json::from_str(include_str!("records.json")).unwrap()
}

fn loaded(text: &str) -> Loaded {
    let none = |_: &str, _: &str| Err("no files".to_owned());
    let texts = vec![("breakglass.yaml".to_owned(), text.to_owned())];
    load_texts(texts, &none).unwrap_or_else(|error| panic!("{}", error.render(false)))
}

fn organization() -> Organization {
    let account = |name: &str| json!({ "name": name, "state": "active", "parent": "r-1" });
    serde_json::from_value(json!({
        "id": "o-exampleorg1",
        "partition": "aws",
        "management_account": MANAGEMENT,
        "units": {},
        "accounts": {
            MANAGEMENT: account("management"),
            EMERGENCY: account("emergency"),
            PROD: account("prod"),
            SAND: account("sand"),
        },
    }))
    .unwrap()
}

fn rules(resolver: &Resolver<'_>, account: &str) -> BTreeMap<String, AlertRule> {
    let account: AccountId = account.parse().unwrap();
    let alerts = resolver.desired(&account).alerts.unwrap();
    let rules = alerts.everywhere.into_iter();
    rules.map(|(name, wanted)| (name, wanted.value)).collect()
}

fn matching(rules: &BTreeMap<String, AlertRule>, event: &Value) -> BTreeSet<String> {
    rules
        .iter()
        .filter(|(_, rule)| matches(&rule.pattern.value(), event))
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn each_record_raises_just_the_alerts_that_it_shall() {
    let (loaded, organization) = (loaded(SPEC), organization());
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    let mut proven = BTreeSet::new();
    for Record {
        title,
        rules: expected,
        event,
    } in records()
    {
        let found = matching(
            &rules(&resolver, event["account"].as_str().unwrap()),
            &event,
        );
        assert_eq!(found, expected, "{title}");
        proven.extend(found);
    }
    // No rule is without a record that proves it.
    let all = [MANAGEMENT, EMERGENCY, PROD, SAND].map(|account| rules(&resolver, account));
    let all: BTreeSet<String> = all.into_iter().flat_map(BTreeMap::into_keys).collect();
    assert_eq!(proven, all);
}

#[test]
fn whatever_reaches_the_bus_becomes_one_message() {
    let (loaded, organization) = (loaded(SPEC), organization());
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    let emergency = EMERGENCY.parse().unwrap();
    let central = resolver.desired(&emergency).alerts.unwrap().central;
    assert_eq!(central.len(), 4);
    for Record { title, event, .. } in records() {
        let told = central.values();
        let told = told.filter(|rule| matches(&rule.value.pattern.value(), &event));
        assert_eq!(told.count(), 1, "{title}");
    }
}

/// The message that an event becomes: a path that leads nowhere leaves nothing.
fn message(central: &BTreeMap<String, AlertRule>, event: &Value) -> String {
    let mut told = central.values();
    let rule = told.find(|rule| matches(&rule.pattern.value(), event));
    let target = rule.unwrap().targets.values().next().unwrap();
    let transformer = target.transformer.as_ref().unwrap();
    let mut text = transformer.template.replace('"', "");
    for (name, path) in &transformer.paths {
        let pointer = path.trim_start_matches('$').replace('.', "/");
        let value = event.pointer(&pointer).and_then(Value::as_str);
        text = text.replace(&format!("<{name}>"), value.unwrap_or_default());
    }
    assert!(!text.contains('<'), "{text}");
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.join(" ") + "\n"
    });
    lines.collect()
}

#[test]
fn a_message_tells_who_by_which_role_and_what_came_of_it() {
    let (loaded, organization) = (loaded(SPEC), organization());
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    let emergency = EMERGENCY.parse().unwrap();
    let central = resolver.desired(&emergency).alerts.unwrap().central;
    let central = central
        .into_iter()
        .map(|(name, wanted)| (name, wanted.value))
        .collect();
    let user = "arn:aws:iam::222222222222:user/break-glass/bg-alice";
    let role = "arn:aws:iam::333333333333:role/break-glass/BreakGlassAdmin";
    let session = "arn:aws:sts::333333333333:assumed-role/BreakGlassAdmin/bg-alice";
    let console = "incident (session name): none, the console gives the user's name\n";
    for (title, parts) in [
        (
            "a break-glass user signs in",
            vec![
                format!("who: IAMUser bg-alice {user}\nrole:\n"),
                "MFA: Yes\nresult: Success\n".to_owned(),
            ],
        ),
        (
            "a failed sign-in, which has no ARN",
            vec!["MFA: No\nresult: Failure Failed authentication\n".to_owned()],
        ),
        (
            "the second factor of a break-glass user is asked for",
            vec!["MFA: U2F MFA\nresult: Success\n".to_owned()],
        ),
        (
            "a switch to a break-glass role, as seen at the role",
            vec![format!(
                "who: AssumedRole {session}\nrole: {role}\nswitched from: {user}\n{console}MFA: true\nresult: Success\n"
            )],
        ),
        (
            "a switch to a break-glass role, as seen at the user",
            vec![format!(
                "who: IAMUser bg-alice {user}\nrole: {session}\nswitched from: bg-alice\n{console}MFA:\nresult: Success\n"
            )],
        ),
    ] {
        let record = records().into_iter().find(|record| record.title == title);
        let text = message(&central, &record.unwrap().event);
        for part in parts {
            assert!(text.contains(&part), "{title}: {text}");
        }
    }
}

#[test]
fn a_drill_goes_the_way_of_a_real_event_and_only_a_drill_has_its_source() {
    let (loaded, organization) = (loaded(SPEC), organization());
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    for account in [MANAGEMENT, EMERGENCY, PROD, SAND] {
        let rules = rules(&resolver, account);
        let drills = resolver.drills(&account.parse().unwrap());
        assert!(rules.keys().eq(drills.keys()));
        for (name, drill) in drills {
            let event = json!({
                "source": "breakglass.drill",
                "detail-type": drill.detail_type,
                "detail": drill.detail,
            });
            assert_eq!(matching(&rules, &event), BTreeSet::from([name]), "{event}");
        }
    }
}

#[test]
fn whatever_is_made_is_known_by_its_name() {
    let spec = SPEC
        .replace("name: break-glass-alerts", "name: soc")
        .replace("name: break-glass }", "name: uses }");
    let notify = "  notify: [{ sns: \"arn:aws:sns:us-east-1:222222222222:findings\" }]\n";
    let (loaded, organization) = (loaded(&format!("{spec}{notify}")), organization());
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    let names = alert_names(&loaded.spec).unwrap();
    let mut made = BTreeSet::new();
    for account in [MANAGEMENT, EMERGENCY, PROD, SAND] {
        let alerts = resolver.desired(&account.parse().unwrap()).alerts.unwrap();
        made.extend(alerts.everywhere.into_keys());
        let central = alerts.central.keys();
        made.extend(central.map(|rule| split_rule(rule).2.to_owned()));
        for (alarm, wanted) in alerts.alarms {
            made.insert(split_regional(&alarm).1.to_owned());
            made.extend(wanted.value.filters.into_keys());
        }
        let (buses, topics) = (alerts.buses.keys(), alerts.topics.keys());
        made.extend(
            buses
                .chain(topics)
                .map(|key| split_regional(key).1.to_owned()),
        );
    }
    assert!(made.len() > 15);
    for name in made {
        assert!(names.contains(&name), "{name}");
    }
    assert!(names.contains("findings") && !names.contains("soc-of-others"));
    assert_eq!(names.log_group.as_deref(), Some("org-cloudtrail"));
}

#[test]
fn a_bus_in_an_account_that_is_not_there_is_refused() {
    let organization = organization();
    let elsewhere = SPEC.replace("account: emergency", "account: \"555555555555\"");
    let problems = Resolver::new(&loaded(&elsewhere), &organization).unwrap_err();
    let messages: Vec<&str> = problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(
        messages,
        ["555555555555 is not an active account of o-exampleorg1"]
    );
}

#[test]
fn a_key_that_is_named_by_its_arn_is_watched_alone_where_it_is() {
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    let arn = format!("arn:aws:kms:us-east-1:{PROD}:key/{id}");
    let (loaded, organization) = (
        loaded(&SPEC.replace("alias/break-glass", &arn)),
        organization(),
    );
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    let name = "break-glass-tamper-key";
    assert!(!rules(&resolver, EMERGENCY).contains_key(name));
    let rules = rules(&resolver, PROD);
    let disabled = |key: &str| {
        json!({
            "source": "aws.kms",
            "detail-type": "AWS API Call via CloudTrail",
            "detail": { "eventName": "DisableKey", "requestParameters": { "keyId": key } },
        })
    };
    let found = BTreeSet::from([name.to_owned()]);
    assert_eq!(matching(&rules, &disabled(id)), found);
    assert_eq!(matching(&rules, &disabled(&arn)), found);
    assert!(matching(&rules, &disabled("another")).is_empty());
    let drills = resolver.drills(&PROD.parse().unwrap());
    let drill = &drills[name];
    let event = json!({
        "source": "breakglass.drill",
        "detail-type": drill.detail_type,
        "detail": drill.detail,
    });
    assert_eq!(matching(&rules, &event), found);
}

#[test]
fn many_roles_make_more_rules_and_none_that_is_too_long() {
    let roles: String = (0..60)
        .map(|number| format!("  - {{ name: BreakGlassRoleNumber{number}, trusted: [\"arn:aws:iam::222222222222:role/Ops\"] }}\n"))
        .collect();
    let spec = SPEC.split("roles:").next().unwrap();
    let alerts = SPEC.split("alerts:").nth(1).unwrap();
    let spec = format!("{spec}roles:\n{roles}alerts:{alerts}");
    let (loaded, organization) = (loaded(&spec), organization());
    let (resolver, _) = Resolver::new(&loaded, &organization).unwrap();
    let rules = rules(&resolver, PROD);
    for (name, rule) in &rules {
        assert!(rule.pattern.as_str().len() <= EventPattern::LIMIT, "{name}");
    }
    assert!(rules.contains_key("break-glass-assume-role-2"));
    for number in 0..60 {
        let role = format!("arn:aws:iam::{PROD}:role/break-glass/BreakGlassRoleNumber{number}");
        let event = json!({
            "source": "aws.sts",
            "detail-type": "AWS API Call via CloudTrail",
            "detail": { "eventName": "AssumeRole", "requestParameters": { "roleArn": role } },
        });
        assert_eq!(matching(&rules, &event).len(), 1, "{role}");
    }
}
