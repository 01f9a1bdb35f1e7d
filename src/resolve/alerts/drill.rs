//! Drill events: for each rule one event that is no use of break-glass, but that the rule takes for one.

use serde_json::{Value, json};

use super::patterns::{CALL, SIGN_IN};
use crate::state::{ALERT_PREFIX, DrillEvent};

/// What a drill's records have in place of a place and a program.
const MARK: &str = "breakglass drill";

/// Makes the event for a rule, by what the rule is called and the first thing that it names.
pub(super) fn event(rule: &str, first: &str) -> DrillEvent {
    let user = || json!({ "type": "IAMUser", "userName": first });
    let nobody = || json!({ "type": "Unknown" });
    let none = Value::Null;
    let sign_in = |name, identity| (SIGN_IN, record("signin", name, identity, Value::Null));
    let call =
        |source, name, identity, parameters| (CALL, record(source, name, identity, parameters));
    let (detail_type, detail) = match rule {
        "login" => sign_in("ConsoleLogin", user()),
        "assume-user" => call("sts", "AssumeRole", user(), none),
        "assume-role" => {
            let parameters = json!({ "roleArn": first, "roleSessionName": MARK });
            call(
                "sts",
                "AssumeRole",
                json!({ "type": "AWSAccount" }),
                parameters,
            )
        }
        "switch-user" => sign_in("SwitchRole", user()),
        "switch-role" => {
            let identity = json!({ "type": "AssumedRole", "arn": format!("{first}drill") });
            sign_in("SwitchRole", identity)
        }
        "activity-user" => call("sts", "GetCallerIdentity", user(), none),
        "activity-role" => {
            let context = json!({ "sessionIssuer": { "type": "Role", "arn": first } });
            let identity = json!({ "type": "AssumedRole", "sessionContext": context });
            call("ec2", "DescribeRegions", identity, none)
        }
        "root" => call("sts", "GetCallerIdentity", json!({ "type": "Root" }), none),
        "tamper-roles" => {
            let parameters = json!({ "roleName": first });
            call("iam", "UpdateAssumeRolePolicy", nobody(), parameters)
        }
        "tamper-users" => {
            let parameters = json!({ "userName": first });
            call("iam", "CreateAccessKey", nobody(), parameters)
        }
        "tamper-key" => {
            let alias = first.rsplit(':').next();
            match alias.filter(|name| name.starts_with("alias/")) {
                Some(alias) => {
                    let parameters = json!({ "aliasName": alias });
                    call("kms", "UpdateAlias", nobody(), parameters)
                }
                None => {
                    let parameters = json!({ "keyId": first.rsplit('/').next() });
                    call("kms", "DisableKey", nobody(), parameters)
                }
            }
        }
        "tamper-guardrails" => call("organizations", "UpdatePolicy", nobody(), none),
        // The alerts themselves.
        _ => {
            let parameters = json!({ "name": format!("{ALERT_PREFIX}-drill") });
            call("events", "DisableRule", nobody(), parameters)
        }
    };
    DrillEvent {
        detail_type: detail_type.to_owned(),
        detail,
    }
}

fn record(source: &str, name: &str, identity: Value, parameters: Value) -> Value {
    json!({
        "eventSource": format!("{source}.amazonaws.com"),
        "eventName": name,
        "eventType": "AwsApiCall",
        "readOnly": false,
        "sourceIPAddress": MARK,
        "userAgent": MARK,
        "userIdentity": identity,
        "requestParameters": parameters,
    })
}
