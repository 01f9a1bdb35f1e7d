//! What stands between the rules and the people: the bus, the topic, its key, and the second path.

use serde_json::{Value, json};

use crate::alerts::{
    HOME, LOG_GROUP, SPEC, applied, expect_drift, holes, key_policy, organization,
};
use crate::harness::{EMERGENCY, Emulator, PROD_PAY, changes};

#[tokio::test]
async fn what_stands_between_the_rules_and_the_people_is_found_too() {
    let emulator = applied().await;
    let home = emulator.sdk("emergency", HOME).await;
    let events = aws_sdk_eventbridge::Client::new(&home);
    let removed = events.remove_permission().event_bus_name("break-glass");
    let removed = removed.remove_all_permissions(true);
    removed.send().await.unwrap();
    let other = events
        .put_targets()
        .rule("break-glass-notify-call")
        .event_bus_name("break-glass")
        .targets(
            aws_sdk_eventbridge::types::Target::builder()
                .id("other")
                .arn(format!("arn:aws:sqs:{HOME}:{EMERGENCY}:elsewhere"))
                .build()
                .unwrap(),
        );
    other.send().await.unwrap();
    let sns = aws_sdk_sns::Client::new(&home);
    let arn = format!("arn:aws:sns:{HOME}:{EMERGENCY}:break-glass-alerts");
    let open = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"{arn}"}}]}}"#
    );
    let policy = sns.set_topic_attributes().topic_arn(&arn);
    let policy = policy.attribute_name("Policy").attribute_value(open);
    policy.send().await.unwrap();
    let iam = emulator.iam("dev").await;
    let role = iam.delete_role_policy().role_name("break-glass-events");
    role.policy_name("send-events").send().await.unwrap();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&emulator.sdk("management", HOME).await);
    let filter = logs.delete_metric_filter().log_group_name(LOG_GROUP);
    filter.filter_name("break-glass-use").send().await.unwrap();

    let dev = emulator.account("dev");
    let mut expected = vec![
        format!("{EMERGENCY}/alert_bus/us-east-1:break-glass update policy"),
        format!(
            "{EMERGENCY}/alert_rule/us-east-1:break-glass/break-glass-notify-call update targets.other"
        ),
        format!("{EMERGENCY}/alert_topic/us-east-1:break-glass-alerts update policy"),
        format!("{dev}/iam_role/break-glass-events update inline_policies.send-events"),
        format!(
            "{}/metric_alarm/us-east-1:break-glass-use update filters.break-glass-use",
            emulator.management
        ),
    ];
    expected.sort();
    let (_, drift) = emulator.json(&["drift"]);
    let mut found = changes(&drift);
    found.sort();
    assert_eq!(found, expected);
    let shared = drift["alerts"]["shared"].as_array().unwrap();
    assert_eq!(
        shared,
        &[json!("bus us-east-1:break-glass: its policy is another")]
    );
    let mute = holes(&drift);
    assert!(!mute.is_empty() && mute.iter().all(|hole| hole.starts_with("dev ")));
    let why = drift["alerts"]["holes"][0]["why"].as_str().unwrap();
    assert!(why.contains("break-glass-events is another"), "{why}");
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
    // A key is nobody's to change here.
    let kms = aws_sdk_kms::Client::new(&home);
    let key = kms.describe_key().key_id("alias/break-glass");
    let key = key.send().await.unwrap().key_metadata.unwrap().key_id;
    let put = kms.put_key_policy().key_id(&key).policy_name("default");
    let put = put.policy(key_policy("\"cloudwatch.amazonaws.com\""));
    put.send().await.unwrap();
    let address = format!("{EMERGENCY}/alert_topic/us-east-1:break-glass-alerts");
    let drift = expect_drift(&emulator, &[format!("{address} manual key_policy")]);
    let reason = drift["changes"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("must let events.amazonaws.com use it"),
        "{reason}"
    );
    let services = "\"events.amazonaws.com\",\"cloudwatch.amazonaws.com\"";
    let put = kms.put_key_policy().key_id(&key).policy_name("default");
    let put = put.policy(key_policy(services));
    put.send().await.unwrap();
    emulator.run(&["drift"]).expect(0);
    let disable = kms.disable_key().key_id(&key);
    disable.send().await.unwrap();
    let drift = expect_drift(&emulator, &[format!("{address} manual key_state")]);
    let reason = drift["changes"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("is Disabled"), "{reason}");
    assert_eq!(
        drift["alerts"]["shared"],
        json!(["topic us-east-1:break-glass-alerts: its key is Disabled"])
    );
}

#[tokio::test]
async fn what_narrows_a_subscription_a_filter_or_the_alarm_is_found_and_taken_off() {
    let emulator = applied().await;
    let sns = aws_sdk_sns::Client::new(&emulator.sdk("emergency", HOME).await);
    let topic = format!("arn:aws:sns:{HOME}:{EMERGENCY}:break-glass-alerts");
    let listed = sns.list_subscriptions_by_topic().topic_arn(&topic);
    let listed = listed.send().await.unwrap();
    let soc = listed.subscriptions().iter();
    let mut soc = soc.filter(|subscription| subscription.endpoint() == Some("soc@example.com"));
    let set = sns
        .set_subscription_attributes()
        .subscription_arn(soc.next().unwrap().subscription_arn().unwrap())
        .attribute_name("FilterPolicy")
        .attribute_value(r#"{"severity":["none"]}"#);
    set.send().await.unwrap();
    let home = emulator.sdk("management", HOME).await;
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&home);
    let alarms = cloudwatch.describe_alarms().alarm_names("break-glass-use");
    let alarms = alarms.send().await.unwrap();
    let alarm = alarms.metric_alarms().first().unwrap().clone();
    let narrower = cloudwatch
        .put_metric_alarm()
        .alarm_name("break-glass-use")
        .set_namespace(alarm.namespace)
        .set_metric_name(alarm.metric_name)
        .set_statistic(alarm.statistic)
        .set_comparison_operator(alarm.comparison_operator)
        .set_threshold(alarm.threshold)
        .set_period(alarm.period)
        .set_evaluation_periods(alarm.evaluation_periods)
        .set_treat_missing_data(alarm.treat_missing_data)
        .set_alarm_actions(alarm.alarm_actions)
        .actions_enabled(true)
        .unit("Bytes".into())
        .dimensions(
            aws_sdk_cloudwatch::types::Dimension::builder()
                .name("user")
                .value("nobody")
                .build(),
        );
    narrower.send().await.unwrap();
    let topic = format!("{EMERGENCY}/alert_topic/us-east-1:break-glass-alerts");
    let alarm = format!(
        "{}/metric_alarm/us-east-1:break-glass-use",
        emulator.management
    );
    let mut expected = vec![
        format!("{topic} update subscription_filters.email:soc@example.com"),
        format!("{alarm} update alarm.dimensions,alarm.unit"),
    ];
    expected.sort();
    let drift = expect_drift(&emulator, &expected);
    assert_eq!(
        drift["alerts"]["shared"],
        json!([
            "topic us-east-1:break-glass-alerts: email:soc@example.com hears only what its filter passes"
        ])
    );
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
    // What only the second path misses makes no rule deaf.
    let trails = aws_sdk_cloudtrail::Client::new(&home);
    let elsewhere = trails.update_trail().name("organization");
    let elsewhere = elsewhere.cloud_watch_logs_log_group_arn(format!(
        "arn:aws:logs:{HOME}:{}:log-group:elsewhere:*",
        emulator.management
    ));
    let elsewhere = elsewhere.cloud_watch_logs_role_arn("arn:aws:iam::123456789012:role/trail");
    elsewhere.send().await.unwrap();
    let trail = format!("{}/trail/us-east-1:organization", emulator.management);
    let drift = expect_drift(&emulator, &[format!("{trail} manual log_group")]);
    assert_eq!(holes(&drift), Vec::<String>::new());
}

#[tokio::test]
async fn no_access_is_made_anywhere_that_nobody_would_hear_of() {
    let emulator = organization().await;
    emulator.write(
        "breakglass.yaml",
        &SPEC.replace("[us-east-1, eu-west-1, us-west-2]", "[us-east-1]"),
    );
    let made = |emulator: &Emulator| {
        let writes = emulator.writes().into_iter().map(|call| call.name());
        let made =
            writes.filter(|call| ["iam:CreateUser", "iam:CreateRole"].contains(&call.as_str()));
        made.count()
    };
    // Nothing is known of the hub, or of one account.
    let refuse = |action: &str, account: &str| {
        emulator.faults(json!([{ "action": action, "account": account, "kind": "access_denied" }]));
        emulator.forget_calls();
    };
    refuse("events:DescribeEventBus", EMERGENCY);
    let (code, plan) = emulator.json(&["plan"]);
    assert_eq!(code, 3);
    let all = plan["changes"].as_array().unwrap().iter();
    let access: Vec<&Value> = all
        .filter(|change| ["iam_user", "iam_role"].contains(&change["type"].as_str().unwrap()))
        .filter(|change| change["name"] != "break-glass-events")
        .collect();
    assert!(access.len() > 5 && access.iter().all(|change| change["blocked"].is_string()));
    refuse("events:ListRules", PROD_PAY);
    let (_, plan) = emulator.json(&["plan"]);
    let blocked = plan["changes"].as_array().unwrap().iter();
    let blocked: Vec<&Value> = blocked
        .filter(|change| change["blocked"].is_string())
        .collect();
    assert_eq!(blocked.len(), 1);
    assert_eq!(
        blocked[0]["address"],
        format!("{PROD_PAY}/iam_role/BreakGlassAdmin")
    );
    // The bus can't be made: what rules send with is, and no access.
    refuse("events:CreateEventBus", EMERGENCY);
    emulator.run(&["apply", "--yes"]).expect(6);
    let (_, drift) = emulator.json(&["drift"]);
    let roles = changes(&drift).into_iter();
    let roles = roles.filter(|change| change.contains("/iam_role/BreakGlassAdmin create"));
    assert_eq!(roles.count(), 5);
    assert_eq!(made(&emulator), 6);
    emulator.faults(json!([]));
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}
