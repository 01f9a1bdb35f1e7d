//! Tables of edits and of breaches, and what holds of every edit.

mod additions;
mod documents;
mod proofs;
mod properties;
mod protection;
mod refusals;
mod removals;
mod values;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Breach, Chosen, ExemptionError, blocking_statements, exempt, exempted, is_exempted,
    principal_values, prove, unexempt, user_value,
};
use crate::policy::evaluate::{Context, ContextValue, Request};
use crate::policy::{Answer, Document, DocumentKind, Selection, minified, parse};

const ADMIN: &str = "arn:aws:iam::111122223333:role/break-glass/Admin";
const ANYWHERE: &str = "arn:aws:iam::*:role/break-glass/Admin";
const OTHER: &str = "arn:aws:iam::111122223333:role/Other";

fn set<const N: usize>(principals: [&str; N]) -> BTreeSet<String> {
    principals.map(str::to_owned).into()
}

fn document(statements: &Value) -> Document {
    let text = json!({ "Version": "2012-10-17", "Statement": statements });
    parse(&text.to_string()).unwrap()
}

/// A Deny of everything with a Condition, which is left out when it is empty.
fn deny(condition: &Value) -> Document {
    let mut statement = json!({ "Sid": "D", "Effect": "Deny", "Action": "*", "Resource": "*" });
    if condition != &json!({}) {
        statement["Condition"] = condition.clone();
    }
    document(&json!([statement]))
}

fn sid(name: &str) -> Chosen {
    Chosen::Sids(vec![name.to_owned()])
}

/// Makes a request of a caller, whose session ARN, if it has one, is left to `aws:PrincipalArn`.
fn request(principal: &str, action: &str, resource: &str) -> Request {
    let mut context = Context::new();
    let principal = match principal.split_once(":role/") {
        None => principal.to_owned(),
        Some((account, path)) => {
            context.set("aws:PrincipalArn", ContextValue::one(principal));
            let name = path.rsplit('/').next().unwrap();
            let account = account.replace(":iam:", ":sts:");
            format!("{account}:assumed-role/{name}/session")
        }
    };
    Request {
        principal: principal.parse().unwrap(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        resource_account: None,
        context,
        management_account: None,
    }
}

/// Exempts, and checks what must hold of every such edit.
fn checked(
    old: &Document,
    chosen: &Chosen,
    principals: &BTreeSet<String>,
    kind: DocumentKind,
) -> Document {
    let new = exempt(old, chosen, principals, kind).unwrap();
    let text = minified(&new);
    assert_eq!(parse(&text).unwrap(), new, "{text}");
    assert_eq!(
        exempt(&new, chosen, principals, kind).unwrap(),
        new,
        "{text}"
    );
    let proof = prove(old, &new, principals);
    assert!(proof.is_ok(), "{text}: {proof:?}");
    for index in chosen.resolve(old).unwrap() {
        for principal in principals {
            assert!(
                is_exempted(&new, index + 1, principal),
                "{principal}: {text}"
            );
        }
    }
    new
}

/// Guardrails as organizations have them.
fn guardrails() -> Document {
    document(&json!([
        { "Sid": "FullAccess", "Effect": "Allow", "Action": "*", "Resource": "*" },
        {
            "Sid": "DenyOutsideEU", "Effect": "Deny",
            "NotAction": ["iam:*", "organizations:*", "sts:*", "support:*"], "Resource": "*",
            "Condition": { "StringNotEquals": { "aws:RequestedRegion": ["eu-west-1", "eu-central-1"] } },
        },
        {
            "Sid": "DenyRoot", "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {
                "StringLike": { "aws:PrincipalArn": "arn:aws:iam::*:root" },
                "Null": { "aws:AssumedRoot": "true" },
            },
        },
        {
            "Sid": "ProtectTrails", "Effect": "Deny", "Action": ["cloudtrail:Delete*", "cloudtrail:StopLogging"],
            "NotResource": "arn:aws:cloudtrail:*:*:trail/sandbox-*",
            "Condition": { "ArnNotLikeIfExists": { "aws:PrincipalArn": [OTHER] } },
        },
        {
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": ["arn:aws:iam::*:role/Quarantine", OTHER] } },
        },
    ]))
}
