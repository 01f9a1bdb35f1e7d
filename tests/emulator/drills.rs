//! Events sent through the alerts: drills, and records as CloudTrail writes them.

use serde_json::{Value, json};

use crate::alerts::{HOME, SPEC, applied, organization};
use crate::harness::Emulator;

impl Emulator {
    /// What the stand-in for CloudWatch has counted, by `ACCOUNT/REGION/NAMESPACE/METRIC/RULE`.
    fn counts(&self) -> Value {
        self.control("GET", "counts", None)
    }

    fn forget_counts(&self) {
        self.control("DELETE", "counts", None);
    }
}

#[tokio::test]
async fn a_drill_goes_the_real_way_and_tells_what_did_not_arrive() {
    let emulator = applied().await;
    let test = ["alerts", "test", "--wait", "0s"];
    let (code, report) = emulator.json(&test);
    assert_eq!(
        (code, &report["outcome"]),
        (0, &json!("arrived")),
        "{report:#}"
    );
    let sent = report["rules"].as_array().unwrap().len();
    assert_eq!(sent, 3 * (3 + 3 * 6 + 12 + 7));
    assert_eq!(report["on_the_bus"], sent);
    assert_eq!(report["published"], sent);
    assert_eq!(
        report["to_ask"],
        json!(["email:soc@example.com", "email:ciso@example.com"])
    );
    // A rule that is off, and one that sends nowhere.
    let events = emulator.event_bridge("emergency", "eu-west-1").await;
    events
        .disable_rule()
        .name("break-glass-login")
        .send()
        .await
        .unwrap();
    let events = emulator.event_bridge("dev", "us-west-2").await;
    let remove = events.remove_targets().rule("break-glass-root");
    remove.ids("break-glass").send().await.unwrap();
    emulator.forget_counts();
    let (code, report) = emulator.json(&test);
    assert_eq!((code, &report["outcome"]), (2, &json!("missing")));
    let unseen = report["rules"].as_array().unwrap().iter();
    let unseen: Vec<&Value> = unseen.filter(|rule| rule["status"] == "not_seen").collect();
    assert_eq!(unseen.len(), 1);
    assert_eq!(unseen[0]["region"], "eu-west-1");
    assert_eq!(unseen[0]["rule"], "break-glass-login");
    assert_eq!(report["on_the_bus"], sent - 2);
    let text = emulator.run(&["alerts", "test", "--wait", "0s", "--account", "dev"]);
    let text = text.expect(0).stdout;
    assert!(text.contains("ask email:soc@example.com"), "{text}");
    emulator
        .run(&[&test[..], &["--format", "markdown"]].concat())
        .expect(2);
}

#[tokio::test]
async fn the_emulators_own_matcher_agrees_on_every_record() {
    let emulator = organization().await;
    let spec = SPEC
        .replace("[us-east-1, eu-west-1, us-west-2]", "[us-east-1]")
        .replace(
            "{ include: [\"*\"], exclude: [\"ou:/Sandbox\"] }",
            "{ include: [emergency, \"account:prod-pay\"] }",
        );
    emulator.write("breakglass.yaml", &spec);
    emulator.run(&["apply", "--yes"]).expect(0);
    let accounts = [
        ("111111111111", "management"),
        ("222222222222", "emergency"),
        ("333333333333", "prod-pay"),
        ("444444444444", "sand"),
    ];
    let records = include_str!("../patterns/records.json");
    let records = accounts
        .iter()
        .fold(records.to_owned(), |text, (id, name)| {
            text.replace(id, emulator.account(name))
        });
    let records: Vec<Value> = serde_json::from_str(&records).unwrap();
    let rules: std::collections::BTreeSet<&str> = records
        .iter()
        .flat_map(|record| record["rules"].as_array().unwrap())
        .map(|rule| rule.as_str().unwrap())
        .collect();
    for record in &records {
        let event = &record["event"];
        let (_, account) = accounts
            .iter()
            .find(|(_, name)| event["account"] == emulator.account(name))
            .unwrap();
        emulator.forget_counts();
        let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
            .source(event["source"].as_str().unwrap())
            .detail_type(event["detail-type"].as_str().unwrap())
            .detail(event["detail"].to_string());
        let put = emulator.event_bridge(account, HOME).await.put_events();
        put.entries(entry.build()).send().await.unwrap();
        let counts = emulator.counts();
        let matched = rules.iter().filter(|rule| {
            let key = format!(
                "{}/{HOME}/AWS/Events/MatchedEvents/{rule}",
                emulator.account(account)
            );
            counts.get(&key).is_some()
        });
        let matched: Vec<&str> = matched.copied().collect();
        assert_eq!(json!(matched), record["rules"], "{}", record["title"]);
    }
}
