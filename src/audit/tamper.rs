//! Tampering: changes to the objects of break-glass, and to what watches over them.

use serde_json::Value;

use super::record::Record;
use super::sieve::{ACCOUNT_CALLS, GUARDRAIL_CALLS, LEAVE_CALL};
use super::watch::Watch;
use crate::state::{AlertNames, EVENTS_ROLE};

/// The calls that keep a trail from recording.
pub(super) const TRAIL_CALLS: [&str; 4] = [
    "StopLogging",
    "DeleteTrail",
    "UpdateTrail",
    "PutEventSelectors",
];

/// The parameters that name what a call changes of rules and buses, topics, alarms and metric filters, by the service.
const ALERT_PARAMETERS: [(&str, &[&str]); 4] = [
    ("events", &["name", "rule", "eventBusName"]),
    ("sns", &["topicArn", "subscriptionArn"]),
    ("monitoring", &["alarmName", "alarmNames"]),
    ("logs", &["filterName"]),
];

/// Finds what a record changes that only the deployer of break-glass should, tried or done.
pub(super) fn target(record: &Record, watch: &Watch) -> Option<String> {
    let caller = record.text("/userIdentity/arn");
    let issuer = record.text("/userIdentity/sessionContext/sessionIssuer/arn");
    if record.read_only() || watch.is_deployer(caller, issuer) {
        return None;
    }
    match record.service() {
        "iam" => iam_target(record, watch),
        "cloudtrail" if TRAIL_CALLS.contains(&record.name()) => {
            let named = ["/requestParameters/name", "/requestParameters/trailName"]
                .iter()
                .map(|pointer| record.text(pointer))
                .find(|name| !name.is_empty());
            Some(format!("trail {}", named.unwrap_or("(unnamed)")))
        }
        "organizations" if watch.guardrails && GUARDRAIL_CALLS.contains(&record.name()) => {
            let policy = record.text("/requestParameters/policyId");
            Some(if policy.is_empty() {
                "control policies".to_owned()
            } else {
                format!("control policy {policy}")
            })
        }
        "organizations" if watch.organization() && ACCOUNT_CALLS.contains(&record.name()) => {
            let account = record.text("/requestParameters/accountId");
            Some(format!("account {account} of the organization"))
        }
        "organizations" if watch.organization() && record.name() == LEAVE_CALL => {
            Some("its place in the organization".to_owned())
        }
        "kms" => key_target(record, watch.topic_key.as_deref()?),
        service => {
            let name = alert_target(record, service, watch.alerts.as_ref()?)?;
            Some(format!("alert resource {name}"))
        }
    }
}

/// Finds the part of the alerts that a call changes, by its name or ARN.
fn alert_target(record: &Record, service: &str, alerts: &AlertNames) -> Option<String> {
    if record.name() == "DeleteLogGroup" {
        let name = record.text("/requestParameters/logGroupName");
        return (alerts.log_group.as_deref() == Some(name)).then(|| name.to_owned());
    }
    let (_, parameters) = ALERT_PARAMETERS
        .iter()
        .find(|(known, _)| *known == service)?;
    let values = parameters
        .iter()
        .filter_map(|parameter| record.get(&format!("/requestParameters/{parameter}")))
        .flat_map(|value| match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        });
    values
        .filter_map(Value::as_str)
        .flat_map(|value| value.split([':', '/']))
        .find(|part| alerts.contains(part))
        .map(str::to_owned)
}

/// Finds the key of the alerts' topic in a call that stops it from being used; by an alias only the alias is known.
fn key_target(record: &Record, key: &str) -> Option<String> {
    let named = match record.name() {
        "DisableKey" | "ScheduleKeyDeletion" | "PutKeyPolicy" => "/requestParameters/keyId",
        "UpdateAlias" | "DeleteAlias" => "/requestParameters/aliasName",
        _ => return None,
    };
    let key = bare_key(key);
    (bare_key(record.text(named)) == key).then(|| format!("key {key} of the alerts' topic"))
}

/// The id of a key, or its alias with `alias/`, from whichever way it is named.
pub(super) fn bare_key(key: &str) -> &str {
    let name = key.rsplit(':').next().unwrap_or_default();
    name.strip_prefix("key/").unwrap_or(name)
}

fn iam_target(record: &Record, watch: &Watch) -> Option<String> {
    let account = record.text("/recipientAccountId");
    let user = record.text("/requestParameters/userName");
    if let Some(user) = watch.user(account, user) {
        return Some(format!("user {}", user.name));
    }
    let role = record.text("/requestParameters/roleName");
    if let Some((role, _)) = watch.role_named(role) {
        return Some(format!("role {role}"));
    }
    if watch.alerts.is_some() && role.eq_ignore_ascii_case(EVENTS_ROLE) {
        return Some(format!("role {EVENTS_ROLE}"));
    }
    let policy = record.text("/requestParameters/policyArn");
    let (_, path) = policy.split_once(":policy")?;
    let (path, name) = path.rsplit_once('/')?;
    let managed = watch.managed_path.as_str();
    let under = managed != "/" && format!("{path}/").starts_with(managed);
    // Attaching one of them elsewhere changes nothing of it.
    let changes = record.name().contains("Policy") && !record.name().starts_with("Attach");
    (changes && (under || watch.policies.contains(name))).then(|| format!("policy {name}"))
}
