//! Tables of verdicts, each checked in both directions.

use super::*;
use crate::ids::Partition;
use crate::policy::parse;

fn verdict(live: &str, spec: &str) -> Verdict {
    let context = CanonicalContext {
        partition: Some(Partition::commercial()),
    };
    compare(&parse(live).unwrap(), &parse(spec).unwrap(), &context)
}

fn mirrored(access: Access) -> Access {
    match access {
        Access::Broader => Access::Narrower,
        Access::Narrower => Access::Broader,
        Access::None | Access::Both => access,
    }
}

/// Compares lists of statements, `Version` 2012-10-17, from live to spec and back.
fn check(cases: &[(Access, &[&str], &[&str])]) {
    for (access, live, spec) in cases {
        let document = |statements: &[&str]| {
            let statements: Vec<_> = statements.iter().map(|s| format!("{{{s}}}")).collect();
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
                statements.join(",")
            )
        };
        let (live, spec) = (document(live), document(spec));
        assert_eq!(verdict(&live, &spec).access(), *access, "{live} -> {spec}");
        assert_eq!(
            verdict(&spec, &live).access(),
            mirrored(*access),
            "{spec} -> {live}"
        );
    }
}

const ALLOW: &str = r#""Effect":"Allow","Action":"s3:Get*","Resource":"*""#;
const DENY: &str = r#""Effect":"Deny","Action":"s3:*","Resource":"*""#;
const OTHER: &str = r#""Effect":"Allow","Action":"ec2:*","Resource":"*""#;

#[test]
fn names_alone_are_cosmetic() {
    let document = |head: &str, sid: &str, action: &str| {
        format!(
            r#"{{{head}"Statement":{{{sid}"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#
        )
    };
    let plain = document("", "", "s3:Get*");
    for (verdict_expected, other) in [
        (Verdict::Equal, plain.clone()),
        (Verdict::Equal, document("", r#""Sid":"","#, "S3:GET**")),
        (
            Verdict::Equal,
            document(r#""Version":"2012-10-17","#, "", "s3:get*"),
        ),
        (Verdict::Cosmetic, document("", r#""Sid":"A","#, "s3:get*")),
        (Verdict::Cosmetic, document(r#""Id":"A","#, "", "s3:get*")),
    ] {
        assert_eq!(verdict(&plain, &other), verdict_expected, "{other}");
        assert_eq!(verdict(&other, &plain), verdict_expected, "{other}");
    }
    let two = |first: &str, second: &str| {
        format!(r#"{{"Statement":[{{"Sid":"{first}",{ALLOW}}},{{"Sid":"{second}",{OTHER}}}]}}"#)
    };
    assert_eq!(verdict(&two("A", "B"), &two("B", "A")), Verdict::Cosmetic);
    let swapped = format!(r#"{{"Statement":[{{"Sid":"B",{OTHER}}},{{"Sid":"A",{ALLOW}}}]}}"#);
    assert_eq!(verdict(&two("A", "B"), &swapped), Verdict::Equal);
}

#[test]
fn whole_statements_have_a_direction() {
    check(&[
        (Access::Broader, &[ALLOW], &[ALLOW, OTHER]),
        (Access::Narrower, &[ALLOW], &[ALLOW, DENY]),
        (Access::Both, &[ALLOW], &[ALLOW, OTHER, DENY]),
        (Access::Both, &[ALLOW], &[OTHER]),
        (Access::Narrower, &[ALLOW], &[DENY]),
        (Access::Broader, &[ALLOW, DENY], &[ALLOW, OTHER]),
    ]);
}

#[test]
fn lists_have_a_direction_that_not_and_deny_turn_round() {
    let allow = |rest: &str| format!(r#""Effect":"Allow",{rest}"#);
    let deny = |rest: &str| format!(r#""Effect":"Deny",{rest}"#);
    for (access, less, more) in [
        (
            Access::Broader,
            r#""Action":"a:b","Resource":"*""#,
            r#""Action":["a:b","a:c"],"Resource":"*""#,
        ),
        (
            Access::Broader,
            r#""Action":"a:bc","Resource":"*""#,
            r#""Action":"A:b*","Resource":"*""#,
        ),
        (
            Access::Broader,
            r#""NotAction":["a:b","a:c"],"Resource":"*""#,
            r#""NotAction":"a:b","Resource":"*""#,
        ),
        (
            Access::Broader,
            r#""NotAction":["a:*"],"Resource":"*""#,
            r#""NotAction":"a:b","Resource":"*""#,
        ),
        (
            Access::Broader,
            r#""NotAction":"a:b","Resource":"*""#,
            r#""Action":"*","Resource":"*""#,
        ),
        (
            Access::Both,
            r#""NotAction":"a:b","Resource":"*""#,
            r#""Action":"a:*","Resource":"*""#,
        ),
        (
            Access::Broader,
            r#""Action":"*","Resource":"arn:aws:s3:::a""#,
            r#""Action":"*","Resource":["arn:aws:s3:::a","arn:aws:s3:::b"]"#,
        ),
        (
            Access::Broader,
            r#""Action":"*","Resource":"arn:aws:s3:::a""#,
            r#""Action":"*","Resource":"*""#,
        ),
        (
            Access::Broader,
            r#""Action":"*","Resource":"arn:aws:s3:::a""#,
            r#""Action":"*","Resource":"arn:*:s3:::*""#,
        ),
        (
            Access::Broader,
            r#""Action":"*","NotResource":["arn:aws:s3:::a*"]"#,
            r#""Action":"*","NotResource":"arn:aws:s3:::ab""#,
        ),
        (
            Access::Broader,
            r#""Action":"*","Resource":"arn:aws:s3:::${aws:username}/a""#,
            r#""Action":"*","Resource":"arn:aws:s3:::${aws:username}/*""#,
        ),
        (
            Access::Broader,
            r#""Action":"*","NotResource":"*""#,
            r#""Action":"*","NotResource":"arn:aws:s3:::${aws:username}""#,
        ),
        (
            Access::Both,
            r#""Action":"*","Resource":"arn:aws:s3:::a""#,
            r#""Action":"*""#,
        ),
        (
            Access::Broader,
            r#""Action":"*","Principal":{"AWS":"arn:a"}"#,
            r#""Action":"*","Principal":{"AWS":["arn:a","arn:b"]}"#,
        ),
        (
            Access::Broader,
            r#""Action":"*","Principal":{"AWS":"arn:a"}"#,
            r#""Action":"*","Principal":{"AWS":"*"}"#,
        ),
        (
            Access::Broader,
            r#""Action":"*","Principal":{"AWS":"*"}"#,
            r#""Action":"*","Principal":"*""#,
        ),
        (
            Access::Broader,
            r#""Action":"*","Principal":{"Service":"a"}"#,
            r#""Action":"*","Principal":"*""#,
        ),
        (
            Access::Both,
            r#""Action":"*","Principal":{"AWS":"arn:a"}"#,
            r#""Action":"*","Principal":{"AWS":"arn:b"}"#,
        ),
        (
            Access::Broader,
            r#""Action":"*","NotPrincipal":{"AWS":["arn:a","arn:b"]}"#,
            r#""Action":"*","NotPrincipal":{"AWS":"arn:a"}"#,
        ),
        (
            Access::Both,
            r#""Action":"*","Principal":"*""#,
            r#""Action":"*""#,
        ),
        (
            Access::Both,
            r#""Action":["a:b","a:c"],"Resource":"arn:aws:s3:::a""#,
            r#""Action":"a:b","Resource":"*""#,
        ),
    ] {
        check(&[
            (access, &[&allow(less)], &[&allow(more)]),
            (mirrored(access), &[&deny(less)], &[&deny(more)]),
        ]);
    }
}

#[test]
fn what_lists_say_twice_changes_no_access() {
    let both = r#""Effect":"Allow","Action":["s3:Get*","s3:GetObject"],"Resource":"*""#;
    check(&[(Access::None, &[ALLOW], &[both])]);
}

#[test]
fn conditions_have_a_direction() {
    for (access, live, spec) in [
        (Access::Broader, r#"{"Bool":{"k":"true"}}"#, "{}"),
        (
            Access::Broader,
            r#"{"Bool":{"k":"true"},"StringEquals":{"k":"a"}}"#,
            r#"{"Bool":{"k":"true"}}"#,
        ),
        (
            Access::Both,
            r#"{"Bool":{"k":"true"}}"#,
            r#"{"Bool":{"k":"false"}}"#,
        ),
        (
            Access::Both,
            r#"{"Bool":{"k":"true"}}"#,
            r#"{"Bool":{"l":"true"}}"#,
        ),
        (
            Access::Broader,
            r#"{"Bool":{"k":"true"}}"#,
            r#"{"BoolIfExists":{"k":"true"}}"#,
        ),
        (
            Access::Broader,
            r#"{"StringEquals":{"k":"a"}}"#,
            r#"{"StringEquals":{"k":["a","b"]}}"#,
        ),
        (
            Access::Broader,
            r#"{"StringEquals":{"k":"ab"}}"#,
            r#"{"StringLike":{"k":"a*"}}"#,
        ),
        (
            Access::Broader,
            r#"{"StringNotEquals":{"k":["a","b"]}}"#,
            r#"{"StringNotEquals":{"k":"a"}}"#,
        ),
        (
            Access::Broader,
            r#"{"StringNotLike":{"k":"a*"}}"#,
            r#"{"StringNotEquals":{"k":"ab"}}"#,
        ),
        (
            Access::Broader,
            r#"{"ForAllValues:StringEquals":{"k":"a"}}"#,
            r#"{"ForAllValues:StringEquals":{"k":["a","b"]}}"#,
        ),
        (
            Access::Narrower,
            r#"{"ForAnyValue:StringNotEquals":{"k":"a"}}"#,
            r#"{"ForAnyValue:StringNotEquals":{"k":["a","b"]}}"#,
        ),
        (
            Access::Both,
            r#"{"ForAllValues:StringEquals":{"k":"a"}}"#,
            r#"{"StringEquals":{"k":"a"}}"#,
        ),
        (
            Access::Broader,
            r#"{"ArnLike":{"k":"arn:aws:iam::1:role/a"}}"#,
            r#"{"ArnEquals":{"k":"arn:aws:iam::1:role/*"}}"#,
        ),
        (
            Access::Both,
            r#"{"ArnLike":{"k":"arn:aws:iam::1:role/a"}}"#,
            r#"{"ArnLike":{"k":"arn:*"}}"#,
        ),
        (
            Access::Broader,
            r#"{"StringEquals":{"k":"a"}}"#,
            r#"{"StringEquals":{"k":["a","${aws:username}"]}}"#,
        ),
        (
            Access::Both,
            r#"{"StringEquals":{"k":"a"}}"#,
            r#"{"StringEquals":{"k":[]}}"#,
        ),
        (
            Access::Broader,
            r#"{"NumericLessThan":{"k":1}}"#,
            r#"{"NumericLessThan":{"k":2}}"#,
        ),
        (
            Access::Broader,
            r#"{"StringEquals":{"k":"a"}}"#,
            r#"{"StringEqualsIgnoreCase":{"k":"a"}}"#,
        ),
    ] {
        let statement = |effect: &str, condition: &str| {
            format!(r#""Effect":"{effect}","Action":"*","Resource":"*","Condition":{condition}"#)
        };
        check(&[
            (
                access,
                &[&statement("Allow", live)],
                &[&statement("Allow", spec)],
            ),
            (
                mirrored(access),
                &[&statement("Deny", live)],
                &[&statement("Deny", spec)],
            ),
        ]);
    }
}

#[test]
fn an_exemption_list_split_into_two_denies_denies_more() {
    let deny = |values: &str| {
        format!(
            r#""Effect":"Deny","Action":"*","Resource":"*","Condition":{{"ArnNotLike":{{"aws:PrincipalArn":{values}}}}}"#
        )
    };
    let (a, b) = (r#""arn:aws:iam::1:role/a""#, r#""arn:aws:iam::1:role/b""#);
    let together = deny(&format!("[{a},{b}]"));
    check(&[(Access::Narrower, &[&together], &[&deny(a), &deny(b)])]);
}

#[test]
fn access_is_written_in_lower_case() {
    let all = [
        Access::None,
        Access::Broader,
        Access::Narrower,
        Access::Both,
    ];
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(text, r#"["none","broader","narrower","both"]"#);
    assert_eq!(serde_json::from_str::<Vec<Access>>(&text).unwrap(), all);
}
