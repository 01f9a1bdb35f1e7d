//! Lines of JSON in and out.

use super::*;
use crate::policy::evaluate::wire::{RequestLine, ResponseLine};

fn refused(line: &str) -> String {
    match evaluate_json(line) {
        Ok(response) => panic!("{line}: {response:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_response_has_the_form_of_the_contract() {
    let response = evaluate(&request(json!({
        "id": "case 1",
        "identity_policies": [allow_all()],
        "service_control_policies": [[allow_other()]],
    })));
    assert_eq!(
        serde_json::to_value(&response).unwrap(),
        json!({
            "id": "case 1",
            "decision": "implicit_deny",
            "blocked_by": ["service_control_policies"],
            "statements": [],
            "reasons": ["no statement of service_control_policies level 1 allows it"],
        })
    );
}

#[test]
fn the_id_is_echoed_as_it_is() {
    for id in [
        "\"a\"",
        "1",
        "12345678901234567890123",
        "1.50",
        "true",
        "null",
    ] {
        let line = format!(r#"{{"id":{id},"principal":"{ALICE}","action":"s3:GetObject"}}"#);
        let text = serde_json::to_string(&evaluate_json(&line).unwrap()).unwrap();
        assert!(
            text.starts_with(&format!(r#"{{"id":{id},"decision":"#)),
            "{text}"
        );
    }
    let line = format!(r#"{{"principal":"{ALICE}","action":"s3:GetObject"}}"#);
    let text = serde_json::to_string(&evaluate_json(&line).unwrap()).unwrap();
    assert!(text.starts_with(r#"{"decision":"#), "{text}");
}

#[test]
fn lines_that_are_no_requests() {
    let with =
        |fields: &str| format!(r#"{{"principal":"{ALICE}","action":"s3:GetObject",{fields}}}"#);
    for (line, part) in [
        ("".to_owned(), "the request cannot be read"),
        ("[]".to_owned(), "the request cannot be read"),
        ("{}".to_owned(), "missing field `principal`"),
        (
            format!(r#"{{"principal":"{ALICE}"}}"#),
            "missing field `action`",
        ),
        (
            with(r#""resourse":"*""#),
            r#"unknown field "resourse" in the request (did you mean "resource"?)"#,
        ),
        (
            with(r#""identity_policy":[]"#),
            r#"(did you mean "identity_policies"?)"#,
        ),
        (
            with(r#""scps":[]"#),
            r#"unknown field "scps" in the request (the fields are id, "#,
        ),
        (with(r#""action":"x""#), "duplicate field `action`"),
        (with(r#""resource":1"#), "invalid type: integer"),
        (
            with(r#""id":{}"#),
            "the id must be a text, number, boolean or null",
        ),
        (
            with(r#""resource_account":"12""#),
            "resource_account: \"12\" is not an account id",
        ),
        (
            with(r#""management_account":"x""#),
            "management_account: \"x\" is not",
        ),
        (
            with(r#""context":[]"#),
            "the context cannot be read: invalid type: sequence",
        ),
        (
            with(r#""context":null"#),
            "the context cannot be read: invalid type: null",
        ),
        (
            with(r#""context":{"a":{}}"#),
            "a value must be a text, number or boolean",
        ),
        (
            with(r#""context":{"a":[null]}"#),
            "a value must be a text, number or boolean",
        ),
        (
            with(r#""context":{"a":1,"A":2}"#),
            r#"context key "A" is given twice"#,
        ),
        (
            with(r#""identity_policies":3"#),
            "identity_policies policy 1 must be a policy document",
        ),
        (
            with(r#""identity_policies":[[]]"#),
            "identity_policies policy 1 must be a policy document",
        ),
        (
            with(r#""resource_policy":[null,null]"#),
            "a resource has one policy",
        ),
        (
            with(r#""service_control_policies":{}"#),
            "service_control_policies must be a list of levels",
        ),
        (
            with(r#""service_control_policies":[{}]"#),
            "service_control_policies level 1 must be a list of policies",
        ),
        (
            r#"{"principal":"arn:aws:s3:::b","action":"x"}"#.to_owned(),
            "is no principal that makes requests",
        ),
        (
            r#"{"principal":"111111111111","action":"x"}"#.to_owned(),
            "its root user is arn:aws:iam::ACCOUNT:root",
        ),
        (
            r#"{"principal":{"type":"User"},"action":"x"}"#.to_owned(),
            r#"must be a text or {"type": "Anonymous"}"#,
        ),
        (
            r#"{"principal":null,"action":"x"}"#.to_owned(),
            "must be a text or",
        ),
    ] {
        let said = refused(&line);
        assert!(said.contains(part), "{line}: {said}");
    }
    let error = evaluate_json(r#"{"id":7,"principal":"x"}"#).unwrap_err();
    assert_eq!(error.id.unwrap().get(), "7");
}

#[test]
fn an_unknown_context_key_is_named() {
    let found = evaluate(&request(json!({
        "context": { "AWS:multifactorauthpresent": null },
        "identity_policies": [policy(json!({
            "Sid": "Mfa", "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } },
        }))],
    })));
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        json!({
            "decision": "unknown",
            "blocked_by": ["identity_policies", "context key aws:MultiFactorAuthPresent"],
            "statements": [
                { "layer": "identity_policies", "policy": 1, "statement": 1, "sid": "Mfa", "effect": "Allow" },
            ],
            "reasons": [
                "identity_policies policy 1 statement 1 (Mfa) may allow it",
                "context key aws:MultiFactorAuthPresent is not known",
            ],
        })
    );
}

#[test]
fn the_schemas_have_the_fields_that_are_read() {
    let schema = serde_json::to_value(schemars::schema_for!(RequestLine<'_>)).unwrap();
    let fields: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(fields, crate::policy::evaluate::wire::FIELDS);
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["required"], json!(["principal", "action"]));
    assert_eq!(schema["title"], json!("EvaluateRequest"));
    let schema = serde_json::to_value(schemars::schema_for!(ResponseLine)).unwrap();
    let required = json!(["decision", "blocked_by", "statements", "reasons"]);
    assert_eq!(schema["required"], required);
}

#[test]
fn request_lines_are_written_as_they_were_read() {
    let line = request(json!({
        "id": 1,
        "context": { "a": null },
        "identity_policies": null,
        "resource_policy": allow_principal(json!("*")),
    }))
    .to_string();
    let read: RequestLine<'_> = serde_json::from_str(&line).unwrap();
    let written = serde_json::to_value(&read).unwrap();
    assert_eq!(written, json(&line));
}
