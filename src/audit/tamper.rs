//! Tampering: changes to the objects of break-glass, and to what watches over them.

use super::record::Record;
use super::sieve::GUARDRAIL_CALLS;
use super::watch::Watch;

/// The calls that keep a trail from recording.
pub(super) const TRAIL_CALLS: [&str; 4] = [
    "StopLogging",
    "DeleteTrail",
    "UpdateTrail",
    "PutEventSelectors",
];

/// Services of alert resources: rules, topics, alarms, metric filters.
const ALERT_SERVICES: [&str; 4] = ["events", "sns", "monitoring", "logs"];

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
        service if ALERT_SERVICES.contains(&service) => {
            let parameters = record.get("/requestParameters")?.to_string();
            let parameters = parameters.to_ascii_lowercase();
            let name = watch
                .alert_names
                .iter()
                .find(|name| parameters.contains(&name.to_ascii_lowercase()))?;
            Some(format!("alert resource {name}"))
        }
        _ => None,
    }
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
    let policy = record.text("/requestParameters/policyArn");
    let (_, path) = policy.split_once(":policy")?;
    let (path, name) = path.rsplit_once('/')?;
    let managed = watch.managed_path.as_str();
    let under = managed != "/" && format!("{path}/").starts_with(managed);
    // Attaching one of them elsewhere changes nothing of it.
    let changes = record.name().contains("Policy") && !record.name().starts_with("Attach");
    (changes && (under || watch.policies.contains(name))).then(|| format!("policy {name}"))
}
