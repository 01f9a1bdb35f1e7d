//! One table per rule of the canonical form.

use super::*;
use crate::policy::parse;

fn form(text: &str) -> Canonical {
    let context = CanonicalContext {
        partition: Some(Partition::commercial()),
    };
    canonicalize(&parse(text).unwrap(), &context)
}

fn check(same: bool, left: &str, right: &str) {
    let (a, b) = (form(left), form(right));
    assert_eq!(a == b, same, "{left}\n{right}\n{a:#?}\n{b:#?}");
    assert_eq!(
        a.to_text() == b.to_text(),
        same,
        "{}\n{}",
        a.to_text(),
        b.to_text()
    );
    assert!(!a.to_text().contains('\n'));
}

/// Compares documents that differ in a part of their only statement.
fn statements(cases: &[(bool, &str, &str)]) {
    for (same, left, right) in cases {
        let document = |part: &str| {
            format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{part}}}}}"#)
        };
        check(*same, &document(left), &document(right));
    }
}

/// Compares documents that differ in their condition.
fn conditions(cases: &[(bool, &str, &str)]) {
    for (same, left, right) in cases {
        let document = |part: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{part}}}}}"#
            )
        };
        check(*same, &document(left), &document(right));
    }
}

#[test]
fn statements_are_a_set() {
    let a = r#"{"Effect":"Allow","Action":"a:b","Resource":"*"}"#;
    let b = r#"{"Effect":"Deny","Action":"a:b","Resource":"*"}"#;
    let named = r#"{"Sid":"Name","Effect":"Allow","Action":["a:b"],"Resource":["*"]}"#;
    let list = |items: &[&str]| format!(r#"{{"Statement":[{}]}}"#, items.join(","));
    check(true, &format!(r#"{{"Statement":{a}}}"#), &list(&[a]));
    check(true, &list(&[a, b]), &list(&[b, a]));
    check(true, &list(&[a, b, named]), &list(&[a, b]));
    check(
        true,
        &list(&[a]),
        &format!(r#"{{"Id":"i","Statement":{named}}}"#),
    );
    check(false, &list(&[a]), &list(&[b]));
    check(false, &list(&[a, b]), &list(&[a]));
}

#[test]
fn lists_are_sets() {
    statements(&[
        (true, r#""Action":"a:b""#, r#""Action":["a:b"]"#),
        (
            true,
            r#""Action":["a:b","c:d","a:b"]"#,
            r#""Action":["c:d","a:b"]"#,
        ),
        (
            true,
            r#""NotAction":["a:b","c:d"]"#,
            r#""NotAction":["c:d","a:b"]"#,
        ),
        (false, r#""Action":["a:b"]"#, r#""NotAction":["a:b"]"#),
        (
            true,
            r#""Action":"*","Resource":["a","b"]"#,
            r#""Action":"*","Resource":["b","a","b"]"#,
        ),
        (
            false,
            r#""Action":"*","Resource":"a""#,
            r#""Action":"*","NotResource":"a""#,
        ),
        (false, r#""Action":"*","Resource":"*""#, r#""Action":"*""#),
        (true, r#""Action":"*","Condition":{}"#, r#""Action":"*""#),
        (
            true,
            r#""Action":"*","Condition":{"Bool":{}}"#,
            r#""Action":"*""#,
        ),
        (
            false,
            r#""Action":"*","Condition":{"Bool":{"k":[]}}"#,
            r#""Action":"*""#,
        ),
    ]);
}

#[test]
fn actions_ignore_case_and_resources_do_not() {
    statements(&[
        (
            true,
            r#""Action":"S3:getOBJECT""#,
            r#""Action":["s3:GetObject","s3:getobject"]"#,
        ),
        (true, r#""Action":"s3:Get**""#, r#""Action":"s3:Get*""#),
        (true, r#""Action":"s3:*?""#, r#""Action":"s3:?*""#),
        (false, r#""Action":"s3:?""#, r#""Action":"s3:*""#),
        (false, r#""Action":"*:*""#, r#""Action":"*""#),
        (
            true,
            r#""Action":"*","Resource":"a**?""#,
            r#""Action":"*","Resource":"a?*""#,
        ),
        (
            false,
            r#""Action":"*","Resource":"a""#,
            r#""Action":"*","Resource":"A""#,
        ),
        (
            true,
            r#""Action":"*","Resource":"${AWS:UserName}""#,
            r#""Action":"*","Resource":"${aws:username}""#,
        ),
        (
            false,
            r#""Action":"*","Resource":"${*}""#,
            r#""Action":"*","Resource":"*""#,
        ),
    ]);
}

#[test]
fn an_account_is_its_root_within_the_partition() {
    let aws = |names: &str| format!(r#""Action":"*","Principal":{{"AWS":{names}}}"#);
    let root = aws(r#""arn:aws:iam::123456789012:root""#);
    statements(&[
        (true, &aws(r#""123456789012""#), &root),
        (
            true,
            &aws(r#"["123456789012","arn:aws:iam::123456789012:root"]"#),
            &root,
        ),
        (false, &aws(r#""arn:aws-cn:iam::123456789012:root""#), &root),
        (
            false,
            &aws(r#""12345678901""#),
            &aws(r#""arn:aws:iam::12345678901:root""#),
        ),
        (false, &root.replace("AWS", "Federated"), &root),
        (false, &root.replace("\"Principal", "\"NotPrincipal"), &root),
    ]);
    let document = |principal: &str| {
        parse(&format!(
            r#"{{"Statement":{{"Effect":"Allow","Action":"*","Principal":{{"AWS":"{principal}"}}}}}}"#
        ))
        .unwrap()
    };
    let id = document("123456789012");
    let root = document("arn:aws:iam::123456789012:root");
    let unknown = CanonicalContext::default();
    assert_ne!(canonicalize(&id, &unknown), canonicalize(&root, &unknown));
}

#[test]
fn everyone_is_not_assumed_to_be_every_aws_principal() {
    statements(&[
        (
            false,
            r#""Action":"*","Principal":"*""#,
            r#""Action":"*","Principal":{"AWS":"*"}"#,
        ),
        (false, r#""Action":"*","Principal":"*""#, r#""Action":"*""#),
        (
            false,
            r#""Action":"*","Principal":{"Service":"*"}"#,
            r#""Action":"*","Principal":{"AWS":"*"}"#,
        ),
        (
            true,
            r#""Action":"*","Principal":{"AWS":"a","Service":["c","b"]}"#,
            r#""Action":"*","Principal":{"Service":["b","c"],"AWS":["a"]}"#,
        ),
    ]);
}

#[test]
fn condition_keys_ignore_case_and_atoms_are_anded() {
    conditions(&[
        (
            true,
            r#"{"StringEquals":{"AWS:PrincipalTag/Team":"A"}}"#,
            r#"{"StringEquals":{"aws:principaltag/team":["A"]}}"#,
        ),
        (
            false,
            r#"{"StringEquals":{"k":"A"}}"#,
            r#"{"StringEquals":{"k":"a"}}"#,
        ),
        (
            true,
            r#"{"StringEquals":{"k":"a","K":"a"}}"#,
            r#"{"StringEquals":{"k":"a"}}"#,
        ),
        (
            false,
            r#"{"StringEquals":{"k":"a","K":"b"}}"#,
            r#"{"StringEquals":{"k":["a","b"]}}"#,
        ),
        (
            true,
            r#"{"StringEquals":{"k":"a"},"StringLike":{"k":"a"}}"#,
            r#"{"StringEquals":{"k":"a"}}"#,
        ),
        (
            false,
            r#"{"StringEquals":{"k":"a"},"StringLike":{"k":"b"}}"#,
            r#"{"StringEquals":{"k":["a","b"]}}"#,
        ),
        (
            false,
            r#"{"StringEquals":{"k":"a"},"StringLike":{"k":"b"}}"#,
            r#"{"StringEquals":{"k":"a"}}"#,
        ),
        (
            true,
            r#"{"Bool":{"b":"true"},"StringEquals":{"k":["x","y"]}}"#,
            r#"{"StringEquals":{"k":["y","x","x"]},"Bool":{"b":"true"}}"#,
        ),
        (
            false,
            r#"{"ForAnyValue:StringEquals":{"k":"a"}}"#,
            r#"{"StringEquals":{"k":"a"}}"#,
        ),
        (
            false,
            r#"{"ForAnyValue:StringEquals":{"k":"a"}}"#,
            r#"{"ForAllValues:StringEquals":{"k":"a"}}"#,
        ),
        (
            true,
            r#"{"StringEqualsIgnoreCase":{"k":["A","a"]}}"#,
            r#"{"StringEqualsIgnoreCase":{"k":"a"}}"#,
        ),
        (
            false,
            r#"{"StringEqualsIgnoreCase":{"k":"a"}}"#,
            r#"{"StringEquals":{"k":"a"}}"#,
        ),
        (
            false,
            r#"{"StringEqualsIgnoreCase":{"k":"É"}}"#,
            r#"{"StringEqualsIgnoreCase":{"k":"é"}}"#,
        ),
        (
            true,
            r#"{"StringEquals":{"k":[1,true]}}"#,
            r#"{"StringEquals":{"k":["true","1"]}}"#,
        ),
        (
            false,
            r#"{"StringEquals":{"k":"1.0"}}"#,
            r#"{"StringEquals":{"k":1}}"#,
        ),
    ]);
}

#[test]
fn operators_that_do_the_same_are_the_same() {
    conditions(&[
        (
            true,
            r#"{"ArnEquals":{"k":"arn:*"}}"#,
            r#"{"ArnLike":{"k":"arn:**"}}"#,
        ),
        (
            true,
            r#"{"ArnNotEquals":{"k":"a"}}"#,
            r#"{"ArnNotLikeIfExists":{"k":"a"}}"#,
        ),
        (
            false,
            r#"{"ArnEquals":{"k":"a"}}"#,
            r#"{"StringEquals":{"k":"a"}}"#,
        ),
        (
            true,
            r#"{"StringLike":{"k":["a","b"]}}"#,
            r#"{"StringEquals":{"k":["b","a"]}}"#,
        ),
        (
            false,
            r#"{"StringLike":{"k":"a*"}}"#,
            r#"{"StringEquals":{"k":"a*"}}"#,
        ),
        (
            false,
            r#"{"StringLike":{"k":["a*","b"]}}"#,
            r#"{"StringEquals":{"k":["a*","b"]}}"#,
        ),
        (
            true,
            r#"{"StringNotLike":{"k":"a"}}"#,
            r#"{"StringNotEqualsIfExists":{"k":"a"}}"#,
        ),
        (
            true,
            r#"{"StringLike":{"k":"a${*}"}}"#,
            r#"{"StringEquals":{"k":"a*"}}"#,
        ),
        (
            true,
            r#"{"StringEquals":{"k":"a${*}${?}"}}"#,
            r#"{"StringEquals":{"k":"a*?"}}"#,
        ),
        (
            true,
            r#"{"ForAllValues:StringLike":{"k":"a"}}"#,
            r#"{"ForAllValues:StringEquals":{"k":"a"}}"#,
        ),
        (
            true,
            r#"{"StringLikeIfExists":{"k":"a"}}"#,
            r#"{"StringEqualsIfExists":{"k":"a"}}"#,
        ),
    ]);
}

#[test]
fn if_exists_is_idle_on_negated_operators_alone() {
    let negated = [
        ("StringNotEquals", "a"),
        ("StringNotEqualsIgnoreCase", "a"),
        ("StringNotLike", "a*"),
        ("NumericNotEquals", "1"),
        ("DateNotEquals", "2020-01-01"),
        ("NotIpAddress", "10.0.0.0/8"),
        ("ArnNotEquals", "arn:a"),
        ("ArnNotLike", "arn:a"),
    ];
    for (name, value) in negated {
        let plain = format!(r#"{{"{name}":{{"k":"{value}"}}}}"#);
        let if_exists = format!(r#"{{"{name}IfExists":{{"k":"{value}"}}}}"#);
        conditions(&[(true, &plain, &if_exists)]);
        let any = |text: &str| text.replace(name, &format!("ForAnyValue:{name}"));
        conditions(&[(false, &any(&plain), &any(&if_exists))]);
        let all = |text: &str| text.replace(name, &format!("ForAllValues:{name}"));
        conditions(&[(true, &all(&plain), &all(&if_exists))]);
    }
    conditions(&[
        (
            false,
            r#"{"StringEquals":{"k":"a"}}"#,
            r#"{"StringEqualsIfExists":{"k":"a"}}"#,
        ),
        (
            false,
            r#"{"Bool":{"k":"true"}}"#,
            r#"{"BoolIfExists":{"k":"true"}}"#,
        ),
        (
            false,
            r#"{"IpAddress":{"k":"::/0"}}"#,
            r#"{"IpAddressIfExists":{"k":"::/0"}}"#,
        ),
    ]);
}

#[test]
fn values_are_compared_as_values() {
    conditions(&[
        (true, r#"{"Bool":{"k":true}}"#, r#"{"Bool":{"k":["true"]}}"#),
        (true, r#"{"Bool":{"k":"true"}}"#, r#"{"Bool":{"k":"True"}}"#),
        (true, r#"{"Null":{"k":"TRUE"}}"#, r#"{"Null":{"k":true}}"#),
        (true, r#"{"Null":{"k":false}}"#, r#"{"Null":{"k":"false"}}"#),
        (false, r#"{"Null":{"k":true}}"#, r#"{"Bool":{"k":true}}"#),
        (
            true,
            r#"{"NumericLessThan":{"k":1.0}}"#,
            r#"{"NumericLessThan":{"k":["1","10e-1"]}}"#,
        ),
        (
            false,
            r#"{"NumericEquals":{"k":9007199254740993}}"#,
            r#"{"NumericEquals":{"k":9007199254740992}}"#,
        ),
        (
            false,
            r#"{"NumericEquals":{"k":"10"}}"#,
            r#"{"NumericEquals":{"k":"1O"}}"#,
        ),
        (
            true,
            r#"{"DateLessThan":{"k":"2020-01-01T01:00:00+01:00"}}"#,
            r#"{"DateLessThan":{"k":[1577836800,"2020-01-01T00:00Z"]}}"#,
        ),
        (
            false,
            r#"{"DateLessThan":{"k":"2020"}}"#,
            r#"{"DateLessThan":{"k":"2020-01-01"}}"#,
        ),
        (
            true,
            r#"{"IpAddress":{"k":"10.0.0.0"}}"#,
            r#"{"IpAddress":{"k":"10.0.0.0/32"}}"#,
        ),
        (
            true,
            r#"{"NotIpAddress":{"k":["10.1.2.3/8"]}}"#,
            r#"{"NotIpAddress":{"k":"10.0.0.0/8"}}"#,
        ),
        (
            true,
            r#"{"IpAddress":{"k":"2001:DB8::1"}}"#,
            r#"{"IpAddress":{"k":"2001:db8:0::1/128"}}"#,
        ),
        (
            false,
            r#"{"IpAddress":{"k":"10.0.0.0/8"}}"#,
            r#"{"IpAddress":{"k":"10.0.0.0/9"}}"#,
        ),
        (
            false,
            r#"{"BinaryEquals":{"k":"QQ=="}}"#,
            r#"{"BinaryEquals":{"k":"qq=="}}"#,
        ),
        (
            false,
            r#"{"NumericEquals":{"k":"1"}}"#,
            r#"{"StringEquals":{"k":"1"}}"#,
        ),
    ]);
}

#[test]
fn the_version_matters_where_a_variable_occurs() {
    let document = |version: &str, rest: &str| {
        format!(r#"{{{version}"Statement":{{"Effect":"Allow","Action":"*",{rest}}}}}"#)
    };
    let (new, old, none) = (
        r#""Version":"2012-10-17","#,
        r#""Version":"2008-10-17","#,
        "",
    );
    for (same, rest) in [
        (true, r#""Resource":"a*""#),
        (true, r#""Resource":"$a{b}""#),
        (false, r#""Resource":"${aws:username}""#),
        (false, r#""Resource":"${*}""#),
        (
            false,
            r#""Resource":"*","Condition":{"StringLike":{"k":"${aws:username}"}}"#,
        ),
        (
            false,
            r#""Resource":"*","Condition":{"ArnLike":{"k":"${aws:username}"}}"#,
        ),
        (
            false,
            r#""Resource":"*","Condition":{"Bool":{"k":"${aws:username}"}}"#,
        ),
        (
            true,
            r#""Resource":"*","Condition":{"StringLike":{"${k}":"a"}}"#,
        ),
    ] {
        check(same, &document(new, rest), &document(old, rest));
        check(true, &document(none, rest), &document(old, rest));
    }
    let literal = document(old, r#""Resource":"${aws:username}""#);
    check(
        true,
        &literal,
        &document(new, r#""Resource":"${$}{aws:username}""#),
    );
}

#[test]
fn the_text_tells_look_alikes_apart() {
    statements(&[
        (
            false,
            r#""Action":["a:b","c"]"#,
            r#""Action":["a:b\",\"c"]"#,
        ),
        (
            false,
            r#""Action":"*","Resource":"\\*""#,
            r#""Action":"*","Resource":"\\${*}""#,
        ),
    ]);
    conditions(&[
        (
            false,
            r#"{"StringEquals":{"k":"true"}}"#,
            r#"{"Bool":{"k":"true"}}"#,
        ),
        (
            false,
            r#"{"DateEquals":{"k":"0"}}"#,
            r#"{"NumericEquals":{"k":"0"}}"#,
        ),
    ]);
    let text = form(
        r#"{"Version":"2012-10-17","Statement":{"Sid":"x","Effect":"Allow","Principal":"*","Action":"STS:AssumeRole","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":true}}}}"#,
    );
    assert_eq!(
        text.to_text(),
        r#"[["Allow",["in",["*"]],["in",["sts:assumerole"]],null,[["BoolIfExists","aws:multifactorauthpresent",[true]]]]]"#
    );
}
