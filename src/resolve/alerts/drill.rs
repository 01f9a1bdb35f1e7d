//! Drill events: for each rule one event that is no use of break-glass, but that the rule takes for one.

use serde_json::{Value, json};

use crate::state::DrillEvent;

/// What a drill's records have in place of a place and a program.
const MARK: &str = "breakglass drill";

/// Makes the event for a rule, by what the rule is called and the first thing that it names.
pub(super) fn event(rule: &str, first: &str) -> DrillEvent {
    let user = || json!({ "type": "IAMUser", "userName": first });
    let sign_in = |name: &str, identity: Value| {
        let mut detail = record("signin", name, identity);
        detail["additionalEventData"] = json!({ "MFAUsed": "Yes" });
        (super::patterns::SIGN_IN, detail)
    };
    let call = |source: &str, name: &str, identity: Value| {
        (super::patterns::CALL, record(source, name, identity))
    };
    let asking = |(kind, mut detail): (&'static str, Value), parameters: Value| {
        detail["requestParameters"] = parameters;
        (kind, detail)
    };
    let nobody = || json!({ "type": "Unknown" });
    let (detail_type, detail) = match rule {
        "login" => sign_in("ConsoleLogin", user()),
        "assume-user" => call("sts", "AssumeRole", user()),
        "assume-role" => asking(
            call("sts", "AssumeRole", json!({ "type": "AWSAccount" })),
            json!({ "roleArn": first, "roleSessionName": MARK }),
        ),
        "switch-user" => sign_in("SwitchRole", user()),
        "switch-role" => {
            let identity = json!({ "type": "AssumedRole", "arn": format!("{first}drill") });
            sign_in("SwitchRole", identity)
        }
        "activity-user" => call("sts", "GetCallerIdentity", user()),
        "activity-role" => {
            let context = json!({ "sessionIssuer": { "type": "Role", "arn": first } });
            let identity = json!({ "type": "AssumedRole", "sessionContext": context });
            call("ec2", "DescribeRegions", identity)
        }
        "root" => call("sts", "GetCallerIdentity", json!({ "type": "Root" })),
        "tamper-roles" => asking(
            call("iam", "UpdateAssumeRolePolicy", nobody()),
            json!({ "roleName": first }),
        ),
        "tamper-users" => asking(
            call("iam", "CreateAccessKey", nobody()),
            json!({ "userName": first }),
        ),
        "tamper-guardrails" => call("organizations", "UpdatePolicy", nobody()),
        // The alerts themselves.
        _ => asking(
            call("events", "DisableRule", nobody()),
            json!({ "name": "break-glass-drill" }),
        ),
    };
    DrillEvent {
        detail_type: detail_type.to_owned(),
        detail,
    }
}

fn record(source: &str, name: &str, identity: Value) -> Value {
    json!({
        "eventSource": format!("{source}.amazonaws.com"),
        "eventName": name,
        "eventType": "AwsApiCall",
        "readOnly": false,
        "sourceIPAddress": MARK,
        "userAgent": MARK,
        "userIdentity": identity,
    })
}
