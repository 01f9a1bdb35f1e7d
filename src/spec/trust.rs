//! The trust policy that a role of the spec gets.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::types::Role;
use crate::ids::Arn;
use crate::state::PolicyText;

/// Writes a role's trust policy: who may assume it, and on what conditions.
///
/// An Allow demands MFA by `Bool … true`: long-term access keys carry no such key, and `BoolIfExists` would let them
/// in. Source: IAM User Guide, "Secure API access with MFA".
#[must_use]
pub fn trust_policy(role: &Role, principals: &BTreeSet<Arn>) -> PolicyText {
    let mut condition = Map::new();
    let mut require = |operator: &str, test: Value| condition.insert(operator.to_owned(), test);
    if role.mfa.required {
        require("Bool", json!({ "aws:MultiFactorAuthPresent": "true" }));
    }
    if let Some(age) = role.mfa.max_age {
        let seconds = age.seconds().to_string();
        require(
            "NumericLessThanEquals",
            json!({ "aws:MultiFactorAuthAge": seconds }),
        );
    }
    if let Some(incident) = &role.incident {
        let name = &incident.session_name;
        require("StringLike", json!({ "sts:RoleSessionName": name }));
    }
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "BreakGlass",
            "Effect": "Allow",
            "Principal": { "AWS": principals },
            "Action": "sts:AssumeRole",
            "Condition": condition,
        }],
    });
    PolicyText::new(document.to_string())
}
