//! Alerts in every account and Region: applied, read back, and found wherever one of their parts is changed.

use aws_sdk_iam::config::{BehaviorVersion, Region};
use serde_json::{Value, json};

use crate::harness::{EMERGENCY, Emulator, PROD_PAY, changes};

const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "us-west-2"];
pub const HOME: &str = "us-east-1";
pub const LOG_GROUP: &str = "org-cloudtrail";

pub const SPEC: &str = r#"
version: 1
organization: { id: ORGANIZATION, regions: [us-east-1, eu-west-1, us-west-2] }
emergency_account: "EMERGENCY"
users:
  - { name: bg-alice, console: false, access_keys: vaulted }
  - { name: bg-bob, console: false, access_keys: vaulted }
roles:
  - name: BreakGlassAdmin
    accounts: { include: ["*"], exclude: ["ou:/Sandbox"] }
    trusted: ["user:bg-alice", "user:bg-bob"]
    permissions: { managed_policies: ["arn:aws:iam::aws:policy/AdministratorAccess"] }
alerts:
  topic: { name: break-glass-alerts, kms_key: alias/break-glass, subscriptions: ["email:soc@example.com", "email:ciso@example.com"] }
  bus: { account: emergency, region: us-east-1, name: break-glass }
  second_path: { log_group: org-cloudtrail }
"#;

/// Six accounts, each with a trail, and the log group of the second path.
pub async fn organization() -> Emulator {
    let account = |name: &str, ou: &str| json!({ "name": name, "ou": ou });
    let emulator = Emulator::start(&json!({
        "ous": ["/Security", "/Workloads", "/Sandbox"],
        "accounts": [
            { "name": "emergency", "ou": "/Security", "id": EMERGENCY },
            { "name": "prod-pay", "ou": "/Workloads", "id": PROD_PAY },
            account("prod-web", "/Workloads"),
            account("dev", "/Workloads"),
            account("sand", "/Sandbox"),
        ],
    }));
    emulator.write("breakglass.yaml", SPEC);
    let kms = aws_sdk_kms::Client::new(&emulator.sdk("emergency", HOME).await);
    let policy = key_policy("\"events.amazonaws.com\",\"cloudwatch.amazonaws.com\"");
    let key = kms.create_key().policy(policy).send().await.unwrap();
    let alias = kms.create_alias().alias_name("alias/break-glass");
    let alias = alias.target_key_id(key.key_metadata.unwrap().key_id);
    alias.send().await.unwrap();
    for account in [
        "management",
        "emergency",
        "prod-pay",
        "prod-web",
        "dev",
        "sand",
    ] {
        make_trail(&emulator, account).await;
    }
    emulator
}

pub fn key_policy(services: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{EMERGENCY}:root"}},"Action":"kms:*","Resource":"*"}},
            {{"Effect":"Allow","Principal":{{"Service":[{services}]}},"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}}
        ]}}"#
    )
}

async fn make_trail(emulator: &Emulator, account: &str) {
    let s3 = emulator.sdk(account, HOME).await;
    let bucket = format!("trail-{}", emulator.account(account));
    let mut trail = aws_sdk_cloudtrail::Client::new(&s3)
        .create_trail()
        .name("organization")
        .s3_bucket_name(bucket)
        .is_multi_region_trail(true);
    if account == "management" {
        let logs = aws_sdk_cloudwatchlogs::Client::new(&s3);
        let group = logs.create_log_group().log_group_name(LOG_GROUP);
        group.send().await.unwrap();
        let arn = format!(
            "arn:aws:logs:{HOME}:{}:log-group:{LOG_GROUP}:*",
            emulator.management
        );
        trail = trail
            .cloud_watch_logs_log_group_arn(arn)
            .cloud_watch_logs_role_arn("arn:aws:iam::123456789012:role/trail");
    }
    trail.send().await.unwrap();
    let trails = aws_sdk_cloudtrail::Client::new(&s3);
    // What AWS gives a new trail by itself.
    let selector = aws_sdk_cloudtrail::types::EventSelector::builder()
        .include_management_events(true)
        .read_write_type("All".into());
    let selectors = trails.put_event_selectors().trail_name("organization");
    let selectors = selectors.event_selectors(selector.build());
    selectors.send().await.unwrap();
    let logging = trails.start_logging().name("organization");
    logging.send().await.unwrap();
}

pub async fn applied() -> Emulator {
    let emulator = organization().await;
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
    emulator
}

impl Emulator {
    /// What clients for one Region of an account are made of.
    pub async fn sdk(&self, account: &str, region: &str) -> aws_config::SdkConfig {
        use aws_credential_types::provider::SharedCredentialsProvider;
        let credentials = self.credentials(account).await;
        aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .endpoint_url(&self.url)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    pub async fn event_bridge(&self, account: &str, region: &str) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.sdk(account, region).await)
    }
}

#[track_caller]
pub fn expect_drift(emulator: &Emulator, expected: &[String]) -> Value {
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(changes(&drift), expected);
    assert_eq!(code, 2);
    drift
}

#[track_caller]
pub fn holes(drift: &Value) -> Vec<String> {
    let holes = drift["alerts"]["holes"].as_array().unwrap().iter();
    let text = |hole: &Value, field: &str| hole[field].as_str().unwrap().to_owned();
    holes
        .map(|hole| {
            ["account_name", "region", "use"]
                .map(|field| text(hole, field))
                .join(" ")
        })
        .collect()
}

#[tokio::test]
async fn alerts_are_planned_applied_and_clean() {
    let emulator = organization().await;
    let (code, plan) = emulator.json(&["plan"]);
    assert_eq!(code, 0);
    let rules = changes(&plan)
        .into_iter()
        .filter(|change| change.contains("/alert_rule/"))
        .count();
    // Root and the alerts' own tampering everywhere, more where users, roles and the topic's key are; and four on the central bus.
    let (sand, plain, emergency, management) = (2 + 1, 2 + 4, 2 + 4 + 6, 2 + 4 + 1);
    assert_eq!(rules, 3 * (sand + 3 * plain + emergency + management) + 4);
    let pages = plan["alerts"]["holes"].as_array().unwrap().len();
    assert_eq!(plan["alerts"]["wanted"], pages);
    let text = emulator.run(&["plan"]).expect(0).stdout;
    assert!(text.contains("Uses that raise no alert"), "{text}");
    // Saved, checked change by change, and applied; a second time there is nothing left to do.
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    emulator.forget_calls();
    emulator.run(&["apply", "plan.json"]).expect(0);
    let again = emulator.run(&["apply", "plan.json"]).expect(0).stdout;
    assert!(again.contains(" so already"), "{again}");
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!((code, changes(&drift)), (0, Vec::new()));
    assert_eq!(holes(&drift), Vec::<String>::new());
    // Alerts come before the access they watch.
    let calls = emulator.writes();
    let first = |name: &str| calls.iter().position(|call| call.name() == name).unwrap();
    let last = |name: &str| calls.iter().rposition(|call| call.name() == name).unwrap();
    assert!(last("events:PutTargets") < first("iam:CreateUser"));
    emulator.forget_calls();
    emulator.run(&["drift"]).expect(0);
    let calls = emulator.calls();
    let count = |name: &str| calls.iter().filter(|call| call.name() == name).count();
    // One listing for each account and Region, and one for the bus; one call for each rule; one session for an account.
    assert_eq!(count("events:ListRules"), 6 * 3 + 1);
    assert_eq!(count("events:ListTargetsByRule"), rules);
    assert_eq!(count("cloudtrail:DescribeTrails"), 6);
    assert_eq!(count("sts:AssumeRole"), 5);
}

#[tokio::test]
async fn what_is_changed_behind_the_tools_back_is_found_at_its_address() {
    let emulator = applied().await;
    let dev = emulator.account("dev").to_owned();
    let web = emulator.account("prod-web").to_owned();
    let management = emulator.management.clone();

    let events = emulator.event_bridge("prod-pay", "eu-west-1").await;
    let remove = events.remove_targets().rule("break-glass-assume-role");
    remove.ids("break-glass").send().await.unwrap();

    let events = emulator.event_bridge("emergency", "us-west-2").await;
    let disable = events.disable_rule().name("break-glass-login");
    disable.send().await.unwrap();

    let events = emulator.event_bridge("dev", HOME).await;
    let rule = events
        .describe_rule()
        .name("break-glass-root")
        .send()
        .await
        .unwrap();
    let narrower = r#"{"detail-type":["AWS API Call via CloudTrail"],"detail":{"userIdentity":{"type":["Root"]},"awsRegion":["us-east-1"]}}"#;
    let put = events
        .put_rule()
        .name("break-glass-root")
        .event_pattern(narrower)
        .set_description(rule.description)
        .set_state(rule.state);
    put.send().await.unwrap();

    let events = emulator.event_bridge("prod-web", "us-west-2").await;
    let rule = events.describe_rule().name("break-glass-activity-role");
    let rule = rule.send().await.unwrap();
    let put = events
        .put_rule()
        .name("break-glass-activity-role")
        .set_event_pattern(rule.event_pattern)
        .set_description(rule.description)
        .state("ENABLED".into());
    put.send().await.unwrap();

    let sns = aws_sdk_sns::Client::new(&emulator.sdk("emergency", HOME).await);
    let arn = format!("arn:aws:sns:{HOME}:{EMERGENCY}:break-glass-alerts");
    let listed = sns.list_subscriptions_by_topic().topic_arn(&arn);
    let listed = listed.send().await.unwrap();
    let soc = listed
        .subscriptions()
        .iter()
        .find(|subscription| subscription.endpoint() == Some("soc@example.com"))
        .unwrap();
    let unsubscribe = sns
        .unsubscribe()
        .subscription_arn(soc.subscription_arn().unwrap());
    unsubscribe.send().await.unwrap();

    let trails = aws_sdk_cloudtrail::Client::new(&emulator.sdk("sand", HOME).await);
    trails
        .stop_logging()
        .name("organization")
        .send()
        .await
        .unwrap();

    let cloudwatch = aws_sdk_cloudwatch::Client::new(&emulator.sdk("management", HOME).await);
    let disable = cloudwatch
        .disable_alarm_actions()
        .alarm_names("break-glass-use");
    disable.send().await.unwrap();

    let sand = emulator.account("sand").to_owned();
    let mut expected = vec![
        format!(
            "{PROD_PAY}/alert_rule/eu-west-1:break-glass-assume-role update targets.break-glass"
        ),
        format!("{EMERGENCY}/alert_rule/us-west-2:break-glass-login update state"),
        format!("{dev}/alert_rule/us-east-1:break-glass-root update pattern"),
        format!("{web}/alert_rule/us-west-2:break-glass-activity-role update state"),
        format!(
            "{EMERGENCY}/alert_topic/us-east-1:break-glass-alerts update subscriptions.email:soc@example.com"
        ),
        format!("{management}/metric_alarm/us-east-1:break-glass-use update alarm.actions_enabled"),
        format!("{sand}/trail/us-east-1:organization manual logging"),
    ];
    expected.sort();
    let (code, drift) = emulator.json(&["drift"]);
    let mut found = changes(&drift);
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(code, 2);
    let mut sandbox: Vec<String> = REGIONS
        .iter()
        .flat_map(|region| ["root", "tamper"].map(|what| format!("sand {region} {what}")))
        .collect();
    sandbox.extend([
        "prod-pay eu-west-1 assume".to_owned(),
        "emergency us-west-2 login".to_owned(),
        "dev us-east-1 root".to_owned(),
        "prod-web us-west-2 activity".to_owned(),
    ]);
    sandbox.sort();
    let mut found = holes(&drift);
    found.sort();
    assert_eq!(found, sandbox);
    let markdown = emulator
        .run(&["drift", "--format", "markdown"])
        .expect(2)
        .stdout;
    assert!(markdown.contains("| dev"), "{markdown}");
    // Everything but the trail is put right; a trail is nobody's to change here.
    emulator.run(&["apply", "--yes"]).expect(0);
    expect_drift(
        &emulator,
        &[format!(
            "{sand}/trail/us-east-1:organization manual logging"
        )],
    );
}

#[tokio::test]
async fn rules_go_after_the_access_that_they_watched() {
    let emulator = applied().await;
    emulator.write(
        "breakglass.yaml",
        &SPEC.replace(
            "exclude: [\"ou:/Sandbox\"]",
            "exclude: [\"ou:/Sandbox\", \"account:dev\"]",
        ),
    );
    emulator.forget_calls();
    emulator
        .run(&["apply", "--yes", "--allow", "removals,lockout"])
        .expect(0);
    let writes: Vec<String> = emulator.writes().iter().map(|call| call.name()).collect();
    let first = |name: &str| writes.iter().position(|write| write == name).unwrap();
    assert!(
        first("iam:DeleteRole") < first("events:DeleteRule"),
        "{writes:?}"
    );
    emulator.run(&["drift"]).expect(0);
    // A rule of someone else keeps its name and its place.
    let events = emulator.event_bridge("dev", "us-west-2").await;
    let foreign = events.put_rule().name("break-glass-of-someone-else");
    let foreign = foreign.event_pattern(r#"{"source":["aws.ec2"]}"#);
    foreign.send().await.unwrap();
    emulator.run(&["drift"]).expect(0);
}

#[tokio::test]
async fn new_access_waits_for_its_alerts_and_these_for_their_role() {
    let emulator = organization().await;
    emulator.write(
        "breakglass.yaml",
        &SPEC.replace("[us-east-1, eu-west-1, us-west-2]", "[us-east-1]"),
    );
    let dev = emulator.account("dev").to_owned();
    let young = "Provided role 'x' cannot be assumed by principal 'events.amazonaws.com'.";
    emulator.faults(json!([
        { "action": "events:PutRule", "account": dev, "kind": "access_denied" },
        { "action": "events:PutTargets", "account": PROD_PAY, "times": 2,
          "kind": "error", "code": "ValidationException", "message": young },
    ]));
    emulator.run(&["apply", "--yes"]).expect(6);
    assert_eq!(emulator.fired()[1], 2);
    let (_, drift) = emulator.json(&["drift"]);
    let left = changes(&drift).into_iter();
    let roles: Vec<String> = left
        .filter(|change| change.contains("/iam_role/"))
        .collect();
    assert_eq!(roles.len(), 1, "{roles:?}");
    let held_back = format!("{dev}/iam_role/BreakGlassAdmin create ");
    assert!(roles[0].starts_with(&held_back), "{roles:?}");
    emulator.faults(json!([]));
    emulator.run(&["apply", "--yes"]).expect(0);
    emulator.run(&["drift"]).expect(0);
}

#[tokio::test]
async fn a_region_that_can_not_be_read_is_unknown_and_the_rest_is_told() {
    let emulator = applied().await;
    emulator.faults(
        json!([{ "action": "events:ListRules", "account": PROD_PAY, "kind": "access_denied" }]),
    );
    let (code, drift) = emulator.json(&["drift"]);
    assert_eq!(code, 3);
    let unreadable = drift["unreadable"].as_array().unwrap();
    assert_eq!(unreadable.len(), 1);
    assert_eq!(unreadable[0]["account"], PROD_PAY);
    let error = unreadable[0]["error"].as_str().unwrap();
    assert!(
        error.starts_with("events:ListRules: AccessDenied"),
        "{error}"
    );
    assert_eq!(changes(&drift), Vec::<String>::new());
}

#[tokio::test]
async fn a_snapshot_holds_alerts_and_can_rehearse_them() {
    let emulator = organization().await;
    emulator.run(&["snapshot", "--out", "org.json"]).expect(0);
    emulator
        .run(&["apply", "--yes", "--org", "org.json"])
        .expect(0);
    emulator.run(&["drift", "--org", "org.json"]).expect(0);
    // A snapshot that was taken without alerts does not know them.
    let without = SPEC.split("alerts:").next().unwrap();
    emulator.write("without.yaml", without);
    let take = [
        "snapshot",
        "--out",
        "without.json",
        "--spec",
        "without.yaml",
    ];
    emulator.run(&take).expect(0);
    let (code, drift) = emulator.json(&["drift", "--org", "without.json"]);
    assert_eq!(code, 3);
    let error = drift["unreadable"][0]["error"].as_str().unwrap();
    assert!(error.contains("taken without alerts"), "{error}");
}

#[tokio::test]
async fn without_regions_every_enabled_region_has_rules() {
    let emulator = organization().await;
    emulator.write(
        "breakglass.yaml",
        &SPEC.replace(", regions: [us-east-1, eu-west-1, us-west-2]", ""),
    );
    let (_, plan) = emulator.json(&["plan"]);
    let holes = holes(&plan).into_iter();
    let logins: Vec<String> = holes.filter(|hole| hole.ends_with(" login")).collect();
    assert_eq!(
        logins,
        ["emergency eu-west-1 login", "emergency us-east-1 login"]
    );
}

#[tokio::test]
async fn a_spec_without_alerts_leaves_them_alone_and_proofs_are_the_same_with_them() {
    let emulator = applied().await;
    let proofs = |run: crate::harness::Run| {
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        (
            run.code,
            report["summary"].clone(),
            report["findings"].clone(),
        )
    };
    let verify = ["verify", "--format", "json"];
    let with = proofs(emulator.run(&verify));
    // What becomes of a rule is no matter for a proof.
    let events = emulator.event_bridge("dev", HOME).await;
    let disable = events.disable_rule().name("break-glass-root");
    disable.send().await.unwrap();
    emulator.run(&["plan", "--out", "plan.json"]).expect(0);
    let after = [&verify[..], &["--after", "plan.json"]].concat();
    assert_eq!(with, proofs(emulator.run(&after)));
    let without = SPEC.split("alerts:").next().unwrap();
    emulator.write("breakglass.yaml", without);
    assert_eq!(with, proofs(emulator.run(&verify)));
    emulator.forget_calls();
    emulator.run(&["drift"]).expect(0);
    let calls = emulator.calls();
    assert!(
        calls
            .iter()
            .all(|call| ["sts", "iam", "organizations"].contains(&call.service.as_str()))
    );
    // The role that rules send with is part of the alerts, which no import writes.
    emulator
        .run(&["import", "--out", "imported.yaml"])
        .expect(0);
    assert!(
        !emulator
            .read("imported.yaml")
            .contains("break-glass-events")
    );
    emulator
        .run(&["drift", "--spec", "imported.yaml"])
        .expect(0);
}
