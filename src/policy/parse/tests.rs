//! One table per rule of strict parsing.

use super::*;

/// Wraps the text of a statement's elements into a document on one line.
fn document(elements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{elements}}}]}}"#)
}

fn refused(text: &str) -> String {
    match parse(text) {
        Ok(document) => panic!("{text} parses: {document:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn reads_everything_as_written() {
    let text = r#"{
      "Statement": {
        "Condition": {
          "StringLike": {"aws:PrincipalTag/Team": ["b", "a*"], "AWS:userid": "x"},
          "Bool": {},
          "ForAnyValue:NumericLessThanIfExists": {"k:n": [1.50, "2", true]}
        },
        "NotResource": ["b", "a", "b"],
        "NotAction": "s3:*",
        "NotPrincipal": {"Service": "ec2.amazonaws.com", "AWS": ["*", "123456789012"], "Federated": [], "CanonicalUser": "c"},
        "Effect": "Deny",
        "Sid": "One"
      },
      "Id": "An id",
      "Version": "2008-10-17"
    }"#;
    let condition = |name: &str, key: &str, values: Vec<ConditionValue>| Condition {
        operator: Operator::from_name(name).unwrap(),
        key: key.to_owned(),
        values,
    };
    let string = |text: &str| ConditionValue::String(text.to_owned());
    let expected = Document {
        version: Some(Version::V2008),
        id: Some("An id".to_owned()),
        statements: vec![Statement {
            sid: Some("One".to_owned()),
            effect: Effect::Deny,
            principals: Some(Selection::Except(vec![
                Principal::Service("ec2.amazonaws.com".to_owned()),
                Principal::Aws("*".to_owned()),
                Principal::Aws("123456789012".to_owned()),
                Principal::CanonicalUser("c".to_owned()),
            ])),
            actions: Selection::Except(vec!["s3:*".to_owned()]),
            resources: Some(Selection::Except(
                ["b", "a", "b"].map(str::to_owned).to_vec(),
            )),
            conditions: vec![
                condition(
                    "StringLike",
                    "aws:PrincipalTag/Team",
                    vec![string("b"), string("a*")],
                ),
                condition("StringLike", "AWS:userid", vec![string("x")]),
                condition(
                    "ForAnyValue:NumericLessThanIfExists",
                    "k:n",
                    vec![
                        ConditionValue::Number("1.50".to_owned()),
                        string("2"),
                        ConditionValue::Bool(true),
                    ],
                ),
            ],
        }],
    };
    assert_eq!(parse(text).unwrap(), expected);
}

#[test]
fn errors_name_the_place() {
    let text = "{\n  \"Statement\": [{\n    \"Effect\": \"Allow\", \"Action\": \"*\",\n      \"Conditions\": {}\n  }]\n}";
    assert_eq!(
        refused(text),
        r#"unknown element "Conditions" in statement 1 (did you mean "Condition"?) at line 4, column 7"#
    );
    let text = "{\"Id\": \"é\", \"Ié\": \"\"}";
    assert_eq!(
        refused(text),
        r#"unknown element "Ié" in the document (did you mean "Id"?) at line 1, column 13"#
    );
    assert_eq!(
        refused("{\r\n\t\"Version\": 1}"),
        "\"Version\" must be a string, not a number at line 2, column 13"
    );
}

#[test]
fn refuses_wrong_documents() {
    for (text, part) in [
        ("", "expected a value"),
        ("[]", "a policy document must be an object, not a list"),
        ("null", "a policy document must be an object, not null"),
        ("{}", "missing element \"Statement\""),
        (r#"{"Statement": []}"#, "\"Statement\" is empty"),
        (
            r#"{"Statement": "x"}"#,
            "statement 1 must be an object, not a string",
        ),
        (
            r#"{"Statement": [[]]}"#,
            "statement 1 must be an object, not a list",
        ),
        (r#"{"statement": {}}"#, "(did you mean \"Statement\"?)"),
        (
            r#"{"Whatever": {}}"#,
            "unknown element \"Whatever\" in the document at",
        ),
        (
            r#"{"Version": "2012-10-18"}"#,
            "unknown Version \"2012-10-18\"",
        ),
        (
            r#"{"Version": "2012-10-17", "Version": "2012-10-17"}"#,
            "duplicate key \"Version\"",
        ),
        (r#"{"Id": 1}"#, "\"Id\" must be a string, not a number"),
        (r#"{"Id": "Ā"}"#, "character U+0100 is not allowed"),
        (r#"{"Statement": {}} x"#, "unexpected text after the end"),
    ] {
        assert!(refused(text).contains(part), "{text}: {}", refused(text));
    }
}

#[test]
fn refuses_wrong_statements() {
    for (elements, part) in [
        (
            r#""Action":"*""#,
            "missing element \"Effect\" in statement 1",
        ),
        (
            r#""Effect":"Allow""#,
            "missing element \"Action\" or \"NotAction\" in statement 1",
        ),
        (
            r#""Effect":"allow","Action":"*""#,
            "must be \"Allow\" or \"Deny\", not \"allow\"",
        ),
        (
            r#""Effect":true,"Action":"*""#,
            "\"Effect\" in statement 1 must be a string, not a boolean",
        ),
        (
            r#""Effect":["Allow"],"Action":"*""#,
            "must be a string, not a list",
        ),
        (
            r#""Effect":"Allow","Action":"*","NotAction":"*""#,
            "both \"Action\" and \"NotAction\"",
        ),
        (
            r#""Effect":"Allow","NotResource":"*","Resource":"*","Action":"*""#,
            "both \"Resource\" and \"NotResource\"",
        ),
        (
            r#""Principal":"*","NotPrincipal":"*""#,
            "both \"Principal\" and \"NotPrincipal\"",
        ),
        (
            r#""Effect":"Allow","Action":"*","action":"*""#,
            "unknown element \"action\" in statement 1 (did you mean \"Action\"?)",
        ),
        (r#""Actions":"*""#, "(did you mean \"Action\"?)"),
        (
            r#""Action":1"#,
            "\"Action\" in statement 1 must be a string or a list of strings, not a number",
        ),
        (r#""Action":["*",null]"#, "a list of strings, not null"),
        (r#""Resource":[["*"]]"#, "a list of strings, not a list"),
        (r#""Resource":{}"#, "a list of strings, not an object"),
        (r#""Sid":1"#, "\"Sid\" in statement 1 must be a string"),
    ] {
        let text = document(elements);
        assert!(refused(&text).contains(part), "{text}: {}", refused(&text));
    }
}

#[test]
fn refuses_wrong_principals() {
    for (principal, part) in [
        (
            r#""arn:aws:iam::1:root""#,
            "\"Principal\" in statement 1 must be \"*\" or an object",
        ),
        (r#"["*"]"#, "must be an object, not a list"),
        (
            r#"{"aws":"*"}"#,
            "unknown principal type \"aws\" in \"Principal\" in statement 1 (did you mean \"AWS\"?)",
        ),
        (
            r#"{"AWS":123456789012}"#,
            "\"AWS\" of \"Principal\" in statement 1 must be a string or a list",
        ),
        ("null", "must be an object, not null"),
    ] {
        let text = document(&format!(r#""Principal":{principal}"#));
        assert!(refused(&text).contains(part), "{text}: {}", refused(&text));
    }
}

#[test]
fn refuses_wrong_conditions() {
    for (condition, part) in [
        (
            "[]",
            "\"Condition\" in statement 1 must be an object, not a list",
        ),
        (
            r#"{"Bool":"x"}"#,
            "\"Bool\" in statement 1 must be an object, not a string",
        ),
        (
            r#"{"bool":{}}"#,
            "unknown condition operator \"bool\" in statement 1 (did you mean \"Bool\"?)",
        ),
        (
            r#"{"StringEqualIfExists":{}}"#,
            "(did you mean \"StringEqualsIfExists\"?)",
        ),
        (
            r#"{"NullIfExists":{}}"#,
            "unknown condition operator \"NullIfExists\"",
        ),
        (
            r#"{"aws:SourceIp":{}}"#,
            "unknown condition operator \"aws:SourceIp\" in statement 1 at",
        ),
        (
            r#"{"Bool":{"k":null}}"#,
            "condition key \"k\" in statement 1 must be strings, numbers or booleans, not null",
        ),
        (r#"{"Bool":{"k":[{}]}}"#, "not an object"),
        (r#"{"Bool":{"k":"a","k":"b"}}"#, "duplicate key \"k\""),
        (r#"{"Bool":{"k":01}}"#, "must not begin with 0"),
    ] {
        let text = document(&format!(r#""Condition":{condition}"#));
        assert!(refused(&text).contains(part), "{text}: {}", refused(&text));
    }
    let long = document(&format!(
        r#""Condition":{{"{}":{{}}}}"#,
        "S".repeat(1_000_000)
    ));
    assert!(refused(&long).len() < 300);
}

#[test]
fn sids_must_differ_unless_they_are_empty() {
    let two = |first: &str, second: &str| {
        let rest = r#""Effect":"Allow","Action":"*""#;
        format!(r#"{{"Statement":[{{"Sid":{first},{rest}}},{{"Sid":{second},{rest}}}]}}"#)
    };
    let error = refused(&two("\"A\"", "\"\\u0041\""));
    assert!(
        error.contains("repeated Sid \"A\" in statement 2"),
        "{error}"
    );
    assert!(parse(&two("\"A\"", "\"a\"")).is_ok());
    assert!(parse(&two("\"\"", "\"\"")).is_ok());
    assert!(parse(&two("\"with space\"", "\"é!\"")).is_ok());
}

#[test]
fn accepts_what_lives_in_aws_although_it_is_odd() {
    for elements in [
        r#""Effect":"Allow","Action":[]"#,
        r#""Effect":"Allow","Action":"*","Resource":[]"#,
        r#""Effect":"Allow","Action":"*","Principal":{}"#,
        r#""Effect":"Allow","Action":"*","Principal":{"AWS":[]}"#,
        r#""Effect":"Allow","Action":"*","Condition":{}"#,
        r#""Effect":"Allow","Action":"*","Condition":{"Bool":{"k":[]}}"#,
    ] {
        assert!(parse(&document(elements)).is_ok(), "{elements}");
    }
}
