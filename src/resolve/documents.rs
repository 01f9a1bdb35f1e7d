//! The documents that the tool writes for its users.

use std::collections::BTreeSet;

use serde_json::json;

use crate::ids::{IamPath, Partition};
use crate::policy;
use crate::state::PolicyText;

/// Writes what lets a user assume roles, inside its organization only: their trust policies are the exact side.
pub(super) fn assume_roles(roles: &BTreeSet<String>, organization: &str) -> PolicyText {
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "AssumeBreakGlassRoles",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": roles,
            "Condition": { "StringEquals": { "aws:ResourceOrgID": organization } },
        }],
    });
    PolicyText::new(document.to_string())
}

/// Writes what lets a user enrol a device, and denies everything else without MFA.
pub(super) fn user_mfa(partition: &Partition, path: &IamPath) -> PolicyText {
    PolicyText::new(policy::library::render(super::MFA_POLICY, partition, path).unwrap_or_default())
}
