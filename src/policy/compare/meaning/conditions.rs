//! Conditions: absent keys, text, ARNs, orders, sets of values, variables.

use super::*;

#[test]
fn one_exemption_list_is_not_two_denies() {
    let exempt = |roles: &[&str]| {
        let roles: Vec<_> = roles
            .iter()
            .map(|role| format!(r#""arn:aws:iam::111122223333:role/{role}""#))
            .collect();
        deny(&under(&format!(
            r#"{{"ArnNotLike":{{"aws:PrincipalArn":[{}]}}}}"#,
            roles.join(",")
        )))
    };
    differs(
        Access::Narrower,
        &[&exempt(&["a", "b"])],
        &[&exempt(&["a"]), &exempt(&["b"])],
    );
    differs(Access::Broader, &[&exempt(&["a"])], &[&exempt(&["a", "b"])]);
    same(&[&exempt(&["a", "a*"])], &[&exempt(&["a*"])]);
    // The same exemption beside another condition, or in a statement of its own.
    let region = r#""StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}"#;
    let role = r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/a"}"#;
    let both = deny(&under(&format!("{{{region},{role}}}")));
    differs(
        Access::Broader,
        &[&deny(&under(&format!("{{{region}}}")))],
        &[&both],
    );
    differs(
        Access::Narrower,
        &[&both],
        &[
            &deny(&under(&format!("{{{region}}}"))),
            &deny(&under(&format!("{{{role}}}"))),
        ],
    );
}

#[test]
fn booleans_are_values_in_any_case() {
    for (old, new) in [
        (r#"{"Null":{"k":"True"}}"#, r#"{"Null":{"k":true}}"#),
        (r#"{"Bool":{"k":"TRUE"}}"#, r#"{"Bool":{"k":"true"}}"#),
        (
            r#"{"BoolIfExists":{"k":"False"}}"#,
            r#"{"BoolIfExists":{"k":false}}"#,
        ),
    ] {
        same_conditions(&[old], &[new]);
    }
    differs(
        Access::Broader,
        &[&deny(&on_all(r#""x:y""#))],
        &[
            &deny(&on_all(r#""x:y""#)),
            &allow(&under(r#"{"Null":{"k":"True"}}"#)),
        ],
    );
}

#[test]
fn an_absent_key_is_a_state_of_its_own() {
    for key in ["aws:MultiFactorAuthPresent", "k"] {
        let of = |operator: &str, value: &str| format!(r#"{{"{operator}":{{"{key}":{value}}}}}"#);
        same_conditions(
            &[&of("BoolIfExists", "false")],
            &[&of("Bool", r#""false""#), &of("Null", "true")],
        );
        wider_conditions(&[&of("Bool", "true")], &[&of("BoolIfExists", "true")]);
        same_conditions(&[&of("Null", "true"), &of("Null", "false")], &["{}"]);
        same_conditions(
            &[&of("StringNotLike", r#""a*""#)],
            &[&of("StringNotLikeIfExists", r#""a*""#)],
        );
        same_conditions(
            &[&of("StringNotEquals", r#""a""#)],
            &[
                &of("Null", "true"),
                &format!(r#"{{"StringNotEquals":{{"{key}":"a"}},"Null":{{"{key}":"false"}}}}"#),
            ],
        );
    }
    let mfa = |operator: &str, value: &str| {
        format!(r#"{{"{operator}":{{"aws:MultiFactorAuthPresent":{value}}}}}"#)
    };
    // A boolean key has no third value, and its operators tell that it is one.
    same_conditions(
        &[&mfa("Bool", r#"["true","false"]"#)],
        &[&mfa("Null", "false")],
    );
    same_conditions(
        &[r#"{"Bool":{"k":"true"}}"#, r#"{"Bool":{"k":"false"}}"#],
        &[r#"{"Null":{"k":"false"}}"#],
    );
    wider_conditions(
        &[r#"{"StringEquals":{"k":["true","false"]}}"#],
        &[r#"{"Null":{"k":"false"}}"#],
    );
}

#[test]
fn text_is_matched_by_language_and_case() {
    for (old, new) in [
        (r#"{"StringLike":{"k":"*"}}"#, r#"{"Null":{"k":"false"}}"#),
        (r#"{"StringLikeIfExists":{"k":"*"}}"#, "{}"),
        (
            r#"{"StringNotEquals":{"k":["a","b"]}}"#,
            r#"{"StringNotEquals":{"k":"a"},"StringNotLike":{"k":"b"}}"#,
        ),
        (
            r#"{"StringEqualsIgnoreCase":{"k":["ab","AB"]}}"#,
            r#"{"StringEqualsIgnoreCase":{"K":"aB"}}"#,
        ),
        (
            r#"{"StringLike":{"k":["a*","*a"]},"StringNotLike":{"k":"a*"}}"#,
            r#"{"StringLike":{"k":"*a"},"StringNotLike":{"k":"a*"}}"#,
        ),
        (
            r#"{"StringEquals":{"k":"a"},"StringLike":{"k":"a*"}}"#,
            r#"{"StringEquals":{"k":"a"}}"#,
        ),
    ] {
        same_conditions(&[old], &[new]);
    }
    same_conditions(
        &[
            r#"{"StringEquals":{"k":"Ab"}}"#,
            r#"{"StringEqualsIgnoreCase":{"k":"ab"}}"#,
        ],
        &[r#"{"StringEqualsIgnoreCase":{"k":"AB"}}"#],
    );
    same_conditions(
        &[
            r#"{"StringEquals":{"k":"a"}}"#,
            r#"{"StringNotEquals":{"k":"a"}}"#,
        ],
        &["{}"],
    );
    wider_conditions(
        &[r#"{"StringEquals":{"k":"a"}}"#],
        &[r#"{"StringEqualsIgnoreCase":{"k":"a"}}"#],
    );
    wider_conditions(
        &[r#"{"StringLike":{"k":"a?"}}"#],
        &[r#"{"StringLike":{"k":"a*"}}"#],
    );
    wider_conditions(
        &[r#"{"StringEquals":{"k":"a*"}}"#],
        &[r#"{"StringLike":{"k":"a*"}}"#],
    );
}

#[test]
fn arns_are_matched_segment_by_segment() {
    let key = |operator: &str, value: &str| {
        format!(r#"{{"{operator}":{{"aws:PrincipalArn":"{value}"}}}}"#)
    };
    wider_conditions(
        &[&key("ArnLike", "arn:aws:iam::*:role/x")],
        &[&key("StringLike", "arn:aws:iam::*:role/x")],
    );
    same_conditions(
        &[&key("ArnEquals", "arn:aws:iam::*:role/*")],
        &[
            &key("ArnLike", "arn:aws:iam::*:role/*"),
            &key("ArnLike", "arn:aws:iam::1*:role/x*"),
        ],
    );
    wider_conditions(
        &[&key("ArnLike", "arn:aws:iam::1:role/x")],
        &[&key("ArnLike", "arn:aws:iam::?:role/x")],
    );
    // What fewer than six segments match is not documented, so that it equals itself alone.
    differs(
        Access::Both,
        &[&allow(&under(&key("ArnLike", "arn:aws:iam::1:role/x")))],
        &[&allow(&under(&key("ArnLike", "arn:*")))],
    );
}

#[test]
fn numbers_dates_and_addresses_are_ordered() {
    for (old, new) in [
        (
            &[
                r#"{"NumericLessThan":{"k":"5"}}"#,
                r#"{"NumericEquals":{"k":"5.0"}}"#,
            ][..],
            &[r#"{"NumericLessThanEquals":{"k":5}}"#][..],
        ),
        (
            &[r#"{"NumericLessThan":{"k":[5,9]}}"#],
            &[r#"{"NumericLessThan":{"k":9}}"#],
        ),
        (
            &[
                r#"{"NumericLessThan":{"k":5},"NumericGreaterThan":{"k":9}}"#,
                r#"{"Null":{"k":"true"}}"#,
            ],
            &[r#"{"Null":{"k":"true"}}"#],
        ),
        (
            &[
                r#"{"DateLessThan":{"k":"2020-01-01T00:00:00Z"}}"#,
                r#"{"DateGreaterThanEquals":{"k":"1577836800"},"DateLessThan":{"k":"2021-01-01"}}"#,
            ],
            &[r#"{"DateLessThan":{"k":"2021-01-01T01:00:00+01:00"}}"#],
        ),
        (
            &[r#"{"IpAddress":{"k":["10.0.0.0/25","10.0.0.128/25"]}}"#],
            &[r#"{"IpAddress":{"k":"10.0.0.0/24"}}"#],
        ),
        (
            &[r#"{"IpAddress":{"k":["10.0.0.0/8","10.1.0.0/16"]}}"#],
            &[r#"{"IpAddress":{"k":"10.0.0.0/8"}}"#],
        ),
        (
            &[r#"{"IpAddress":{"aws:SourceIp":["0.0.0.0/0","::/0"]}}"#],
            &[r#"{"Null":{"aws:SourceIp":"false"}}"#],
        ),
    ] {
        same_conditions(old, new);
    }
    wider_conditions(
        &[r#"{"NumericLessThan":{"k":5}}"#],
        &[r#"{"NumericLessThanEquals":{"k":5}}"#],
    );
    wider_conditions(
        &[r#"{"DateLessThan":{"k":"2020-01-01"}}"#],
        &[r#"{"DateLessThan":{"k":"2020-01-01T00:00:00.5Z"}}"#],
    );
    wider_conditions(
        &[r#"{"IpAddress":{"k":"10.0.0.0/24"}}"#],
        &[r#"{"IpAddress":{"k":"10.0.0.0/23"}}"#],
    );
    wider_conditions(
        &[r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#],
        &[r#"{"Null":{"aws:SourceIp":"false"}}"#],
    );
}

#[test]
fn sets_of_values_are_told_apart() {
    let all = |values: &str| format!(r#"{{"ForAllValues:StringEquals":{{"k":{values}}}}}"#);
    let any = |values: &str| format!(r#"{{"ForAnyValue:StringEquals":{{"k":{values}}}}}"#);
    same_conditions(&[&any(r#"["a","b"]"#)], &[&any(r#""a""#), &any(r#""b""#)]);
    wider_conditions(&[&all(r#""a""#), &all(r#""b""#)], &[&all(r#"["a","b"]"#)]);
    same_conditions(
        &[
            &all(r#""a""#),
            r#"{"ForAnyValue:StringNotEquals":{"k":"a"}}"#,
        ],
        &["{}"],
    );
    wider_conditions(&[&any(r#""a""#)], &[&any(r#"["a","b"]"#)]);
    // Without the key one passes, the other does not.
    differs(
        Access::Both,
        &[&allow(&under(&all(r#""a""#)))],
        &[&allow(&under(&any(r#""a""#)))],
    );
    wider_conditions(
        &[r#"{"ForAllValues:StringEquals":{"k":"a"},"Null":{"k":"false"}}"#],
        &[&all(r#""a""#)],
    );
    same_conditions(&[r#"{"ForAllValues:Null":{"k":"true"}}"#], &["{}"]);
}

#[test]
fn variables_stand_for_anything_and_each_for_itself() {
    let on = |resources: &str| allow(&format!(r#""Action":"*","Resource":{resources}"#));
    for (old, new) in [
        (
            r#"["arn:aws:s3:::b/${aws:username}/*","arn:aws:s3:::b/${AWS:UserName}/x"]"#,
            r#""arn:aws:s3:::b/${aws:username}/*""#,
        ),
        (
            r#"["arn:aws:s3:::b/${aws:username}/*","arn:aws:s3:::b/*"]"#,
            r#""arn:aws:s3:::b/*""#,
        ),
        (r#""a/${*}""#, r#""a/${*}""#),
    ] {
        same(&[&on(old)], &[&on(new)]);
    }
    differs(
        Access::Both,
        &[&on(r#""arn:aws:s3:::b/${aws:username}""#)],
        &[&on(r#""arn:aws:s3:::b/bob""#)],
    );
    differs(
        Access::Both,
        &[&on(r#""arn:aws:s3:::b/${aws:username}""#)],
        &[&on(r#""arn:aws:s3:::b/${aws:userid}""#)],
    );
    // `bob` and the user's name can be one text, so that both together are not nothing.
    let both = r#"{"StringEquals":{"k":"bob"},"StringLike":{"k":"${aws:username}"}}"#;
    differs(
        Access::Narrower,
        &[&allow(&under(both)), &allow(&on_all(r#""s3:*""#))],
        &[&allow(&on_all(r#""s3:*""#))],
    );
    same_conditions(
        &[r#"{"StringEquals":{"k":["a","${aws:username}"]}}"#],
        &[
            r#"{"StringEquals":{"k":"a"}}"#,
            r#"{"StringEquals":{"k":"${aws:username}"}}"#,
        ],
    );
    same_conditions(
        &[
            r#"{"StringEquals":{"k":"${aws:username}"}}"#,
            r#"{"StringNotEquals":{"k":"${aws:username}"}}"#,
        ],
        &["{}"],
    );
}

#[test]
fn a_key_with_many_values_may_have_several_at_once() {
    let both = r#"{"StringEquals":{"aws:TagKeys":"a"},"StringLike":{"aws:TagKeys":"b*"}}"#;
    differs(
        Access::Broader,
        &[&allow(&on_all(r#""*""#)), &deny(&under(both))],
        &[&allow(&on_all(r#""*""#))],
    );
}
