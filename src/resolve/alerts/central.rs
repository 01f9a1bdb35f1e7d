//! What there is once: the central bus, the topic, the rules that write the messages, and the second path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::patterns::numbered;
use crate::state::{
    ALARM, AlarmSettings, AlertRule, AlertTarget, EventPattern, InputTransformer, MetricAlarm,
    MetricFilter, PolicyText, USE_METRIC,
};

/// The id of the one target that each rule has.
pub(super) const TARGET: &str = "break-glass";
/// The rules of the central bus, which send to the topic.
pub const NOTIFY_RULES: [&str; 4] = [
    "break-glass-notify-sign-in",
    "break-glass-notify-switch",
    "break-glass-notify-session",
    "break-glass-notify-call",
];
/// The role whose session acts.
const ROLE: (&str, &str) = (
    "role",
    "$.detail.userIdentity.sessionContext.sessionIssuer.arn",
);
/// Whether a session was made with MFA.
const MFA: (&str, &str) = (
    "mfa",
    "$.detail.userIdentity.sessionContext.attributes.mfaAuthenticated",
);
/// The most characters of a filter pattern. Source: CloudWatch Logs API, `PutMetricFilter`.
const FILTER_LIMIT: usize = 1024;

/// Lets every account of the organization put events on the central bus.
pub(super) fn bus_policy(arn: &str, organization: &str) -> PolicyText {
    PolicyText::new(
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "BreakGlassOrganization",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "events:PutEvents",
                "Resource": arn,
                "Condition": { "StringEquals": { "aws:PrincipalOrgID": organization } },
            }],
        })
        .to_string(),
    )
}

/// Lets the rules of the central bus publish, and the alarm of the second path.
///
/// What is for EventBridge has no condition: one may stop every message. Source: EventBridge User Guide, "Using
/// resource-based policies", "Amazon SNS permissions".
pub(super) fn topic_policy(topic: &str, alarm: Option<&str>) -> PolicyText {
    let mut statements = vec![json!({
        "Sid": "BreakGlassRules",
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sns:Publish",
        "Resource": topic,
    })];
    if let Some(alarm) = alarm {
        statements.push(json!({
            "Sid": "BreakGlassAlarm",
            "Effect": "Allow",
            "Principal": { "Service": "cloudwatch.amazonaws.com" },
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": { "ArnLike": { "aws:SourceArn": alarm } },
        }));
    }
    PolicyText::new(json!({ "Version": "2012-10-17", "Statement": statements }).to_string())
}

/// Lets EventBridge act for the rules of one account.
pub(super) fn events_trust(account: &str) -> PolicyText {
    PolicyText::new(
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "events.amazonaws.com" },
                "Action": "sts:AssumeRole",
                "Condition": { "StringEquals": { "aws:SourceAccount": account } },
            }],
        })
        .to_string(),
    )
}

/// Lets the role put events on the central bus, and do nothing else.
pub(super) fn events_permissions(bus: &str) -> PolicyText {
    PolicyText::new(
        json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus }],
        })
        .to_string(),
    )
}

/// Makes the rules that turn whatever arrives on the central bus into a message.
///
/// Each event matches exactly one: sign-ins, switches of role, calls that ask for a session, and all other calls.
pub(super) fn notify_rules(topic: &str) -> Vec<(String, AlertRule)> {
    let sign_in = "AWS Console Sign In via CloudTrail";
    let sessions = json!([
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "AssumeRoot",
        "GetSessionToken",
        "GetFederationToken",
    ]);
    let rules = [
        (
            json!({
                "detail-type": [sign_in],
                "detail": { "eventName": [{ "anything-but": ["SwitchRole"] }] },
            }),
            message(
                &[
                    ROLE,
                    ("mfa", "$.detail.additionalEventData.MFAUsed"),
                    ("kind", "$.detail.additionalEventData.MfaType"),
                    ("login", "$.detail.responseElements.ConsoleLogin"),
                    ("factor", "$.detail.responseElements.CheckMfa"),
                ],
                &[
                    "role: <role>",
                    "incident (session name): with a role, the last part of <arn>",
                    "MFA: <mfa> <kind>",
                    "result: <login> <factor> <error>",
                ],
            ),
        ),
        (
            json!({
                "detail-type": [sign_in],
                "detail": { "eventName": ["SwitchRole"] },
            }),
            message(
                // One shape is recorded at the role, the other at the user.
                &[
                    ROLE,
                    MFA,
                    ("to", "$.detail.additionalEventData.SwitchTo"),
                    ("switched", "$.detail.additionalEventData.SwitchFrom"),
                    ("result", "$.detail.responseElements.SwitchRole"),
                ],
                &[
                    "role: <role> <to>",
                    "switched from: <switched> <user>",
                    "incident (session name): none, the console gives the user's name",
                    "MFA: <mfa>",
                    "result: <result> <error>",
                ],
            ),
        ),
        (
            json!({
                "detail-type": [{ "anything-but": [sign_in] }],
                "detail": { "eventName": sessions },
            }),
            message(
                &[
                    ("role", "$.detail.requestParameters.roleArn"),
                    ("incident", "$.detail.requestParameters.roleSessionName"),
                    ("target", "$.detail.requestParameters.targetPrincipal"),
                    ("serial", "$.detail.requestParameters.serialNumber"),
                    MFA,
                ],
                &[
                    "role: <role> <target>",
                    "incident (session name): <incident>",
                    "MFA: <mfa> <serial>",
                    "result: <error>",
                ],
            ),
        ),
        (
            json!({
                "detail-type": [{ "anything-but": [sign_in] }],
                "detail": { "eventName": [{ "anything-but": sessions }] },
            }),
            message(
                &[ROLE, MFA],
                &[
                    "role: <role>",
                    "incident (session name): the last part of <arn>",
                    "MFA: <mfa>",
                    "result: <error>",
                ],
            ),
        ),
    ];
    NOTIFY_RULES
        .iter()
        .zip(rules)
        .map(|(name, (pattern, transformer))| {
            let rule = AlertRule {
                pattern: EventPattern::new(pattern.to_string()),
                state: "ENABLED".to_owned(),
                description: "breakglass: tells of what arrives on this bus".to_owned(),
                targets: BTreeMap::from([(
                    TARGET.to_owned(),
                    AlertTarget {
                        arn: topic.to_owned(),
                        transformer: Some(transformer),
                        ..AlertTarget::default()
                    },
                )]),
            };
            ((*name).to_owned(), rule)
        })
        .collect()
}

/// Makes a message: a few lines of what, where and who, with those that are this message's own in the middle.
fn message(own: &[(&str, &str)], lines: &[&str]) -> InputTransformer {
    let common = [
        ("event", "$.detail.eventName"),
        ("service", "$.detail.eventSource"),
        ("account", "$.account"),
        ("region", "$.region"),
        ("source", "$.source"),
        ("time", "$.detail.eventTime"),
        ("type", "$.detail.userIdentity.type"),
        ("arn", "$.detail.userIdentity.arn"),
        ("user", "$.detail.userIdentity.userName"),
        ("ip", "$.detail.sourceIPAddress"),
        ("error", "$.detail.errorMessage"),
        ("id", "$.detail.eventID"),
    ];
    let first = [
        "break-glass: <event> in account <account>, <region>",
        "who: <type> <user> <arn>",
    ];
    let last = [
        "from: <ip>",
        "time: <time>",
        "event: <service> <event> <id>, source <source>",
    ];
    let lines = first.iter().chain(lines).chain(&last);
    InputTransformer {
        paths: common
            .iter()
            .chain(own)
            .map(|(name, path)| ((*name).to_owned(), (*path).to_owned()))
            .collect(),
        // EventBridge wants each line of a text in quotes of its own.
        template: lines
            .map(|line| format!("\"{line}\""))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// Makes the second path: filters over the trail's log group that count uses, and an alarm that rings at the first.
pub(super) fn second_path(
    log_group: &str,
    users: &BTreeSet<&str>,
    roles: &BTreeSet<(&str, &str)>,
    topic: &str,
) -> MetricAlarm {
    let root = "($.userIdentity.type = \"Root\" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != \"AwsServiceEvent\")";
    let issuer = "$.userIdentity.sessionContext.sessionIssuer";
    // A user may act by itself, or with a session that it got by `GetFederationToken`.
    let users = users.iter().flat_map(|user| {
        [
            format!("($.userIdentity.type = \"IAMUser\" && $.userIdentity.userName = \"{user}\")"),
            format!("({issuer}.type = \"IAMUser\" && {issuer}.userName = \"{user}\")"),
        ]
    });
    // A sign-in with a role's session may name no more than the session.
    let roles = roles.iter().flat_map(|(path, name)| {
        let role = format!("*:role{path}{name}");
        [
            format!("({issuer}.arn = \"{role}\")"),
            format!("($.requestParameters.roleArn = \"{role}\")"),
            format!("($.userIdentity.arn = \"*:assumed-role/{name}/*\")"),
        ]
    });
    let mut patterns: Vec<String> = Vec::new();
    for term in [root.to_owned()].into_iter().chain(users).chain(roles) {
        match patterns.last_mut() {
            Some(last) if last.len() + term.len() + 8 <= FILTER_LIMIT => {
                last.push_str(" || ");
                last.push_str(&term);
            }
            _ => patterns.push(term),
        }
    }
    let filters = patterns.into_iter().enumerate().map(|(index, pattern)| {
        let filter = MetricFilter {
            log_group: log_group.to_owned(),
            pattern: format!("{{ {pattern} }}"),
            value: "1".to_owned(),
            dimensions: BTreeMap::new(),
        };
        (numbered(ALARM, index), filter)
    });
    MetricAlarm {
        filters: filters.collect(),
        alarm: Some(AlarmSettings {
            metric: (USE_METRIC.0.to_owned(), USE_METRIC.1.to_owned()),
            dimensions: BTreeMap::new(),
            unit: None,
            statistic: "Sum".to_owned(),
            comparison: "GreaterThanOrEqualToThreshold".to_owned(),
            threshold: "1".to_owned(),
            period: 60,
            periods: 1,
            datapoints: None,
            missing: "notBreaching".to_owned(),
            actions_enabled: true,
            actions: BTreeSet::from([topic.to_owned()]),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_path_counts_sessions_of_users_and_sign_ins_of_roles() {
        let users = BTreeSet::from(["bg-alice"]);
        let roles = BTreeSet::from([("/break-glass/", "Admin")]);
        let made = second_path("trail", &users, &roles, "arn:aws:sns:::alerts");
        let patterns: Vec<&str> = made
            .filters
            .values()
            .map(|filter| filter.pattern.as_str())
            .collect();
        for term in [
            r#"($.userIdentity.type = "IAMUser" && $.userIdentity.userName = "bg-alice")"#,
            r#"($.userIdentity.sessionContext.sessionIssuer.type = "IAMUser" && $.userIdentity.sessionContext.sessionIssuer.userName = "bg-alice")"#,
            r#"($.userIdentity.sessionContext.sessionIssuer.arn = "*:role/break-glass/Admin")"#,
            r#"($.requestParameters.roleArn = "*:role/break-glass/Admin")"#,
            r#"($.userIdentity.arn = "*:assumed-role/Admin/*")"#,
        ] {
            assert!(patterns.iter().any(|one| one.contains(term)), "{term}");
        }
        assert!(patterns.iter().all(|one| one.len() <= FILTER_LIMIT));
    }

    #[test]
    fn no_condition_stands_between_eventbridge_and_the_topic() {
        let alarm = "arn:aws:cloudwatch:us-east-1:111111111111:alarm:break-glass-use";
        let policy = topic_policy("arn:aws:sns:us-east-1:222222222222:alerts", Some(alarm));
        let policy: serde_json::Value = serde_json::from_str(policy.as_str()).unwrap();
        let statements = &policy["Statement"];
        assert_eq!(
            statements[0]["Principal"]["Service"],
            "events.amazonaws.com"
        );
        assert!(statements[0].get("Condition").is_none());
        assert_eq!(
            statements[1]["Condition"]["ArnLike"]["aws:SourceArn"],
            alarm
        );
    }
}
