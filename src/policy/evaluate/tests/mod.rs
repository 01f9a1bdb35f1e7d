//! One table per rule, written from AWS's documentation.

mod completions;
mod conditions;
mod flips;
mod guardrails;
mod layers;
mod mfa;
mod policies;
mod principals;
mod properties;
mod resources;
mod sets;
mod statements;
mod variables;
mod wire;

use serde_json::{Value, json};

use super::wire::{ResponseLine, evaluate_json};

const ALICE: &str = "arn:aws:iam::111111111111:user/ops/alice";
const ROLE: &str = "arn:aws:iam::111111111111:role/Admin";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/Admin/alice";
const FEDERATED_USER: &str = "arn:aws:sts::111111111111:federated-user/bob";
const ROOT: &str = "arn:aws:iam::111111111111:root";

/// Evaluates a request, which must be one.
fn evaluate(request: &Value) -> ResponseLine {
    match evaluate_json(&request.to_string()) {
        Ok(response) => response,
        Err(error) => panic!("{request}: {error}"),
    }
}

fn decision(request: &Value) -> &'static str {
    evaluate(request).decision.as_str()
}

/// Makes a document of version 2012-10-17 of one or many statements.
fn policy(statements: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn allow_all() -> Value {
    policy(json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }))
}

fn deny_all() -> Value {
    policy(json!({ "Effect": "Deny", "Action": "*", "Resource": "*" }))
}

/// Allows something that no test asks for.
fn allow_other() -> Value {
    policy(json!({ "Effect": "Allow", "Action": "other:*", "Resource": "*" }))
}

/// Makes a resource policy of one Allow for a principal.
fn allow_principal(principal: Value) -> Value {
    policy(json!({ "Effect": "Allow", "Principal": principal, "Action": "*" }))
}

/// Makes a request of alice for `s3:GetObject` with the given fields added or replaced.
fn request(fields: Value) -> Value {
    let mut request = json!({
        "principal": ALICE,
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::bucket/key",
    });
    let Value::Object(fields) = fields else {
        panic!("not an object: {fields}");
    };
    for (field, value) in fields {
        request[field] = value;
    }
    request
}

/// Names a policy of a table: `+` allows all, `0` allows something else, `!` denies all, `?` is not known.
fn named(cell: &str) -> Value {
    match cell {
        "+" => allow_all(),
        "0" => allow_other(),
        "!" => deny_all(),
        "?" => Value::Null,
        other => panic!("{other}"),
    }
}

/// Splits a table into rows of cells; empty lines and lines that begin with `#` are left out.
fn rows<const N: usize>(table: &str) -> Vec<[&str; N]> {
    let lines = table.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
            match <[&str; N]>::try_from(cells) {
                Ok(row) => row,
                Err(_) => panic!("not {N} cells: {line}"),
            }
        })
        .collect()
}

fn json(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => panic!("{text}: {error}"),
    }
}
