//! Pairs whose comparison needs their meaning, one table a rule, each checked in both directions.
//!
//! Sources: IAM User Guide, "IAM JSON policy elements" (Condition operators, multivalued keys, NotAction, NotResource,
//! Principal, variables) and "Policy evaluation logic".

use super::*;
use crate::policy::parse;

/// Writes a document of the current version from statements.
fn document(statements: &[&str]) -> String {
    let statements: Vec<_> = statements.iter().map(|s| format!("{{{s}}}")).collect();
    let statements = statements.join(",");
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn verdict(old: &[&str], new: &[&str]) -> Verdict {
    let (old, new) = (
        parse(&document(old)).unwrap(),
        parse(&document(new)).unwrap(),
    );
    compare(&old, &new, &CanonicalContext::inferred(&[&old, &new]))
}

/// Checks that documents mean the same.
fn same(old: &[&str], new: &[&str]) {
    assert_eq!(verdict(old, new), Verdict::Equal, "{old:?} {new:?}");
    assert_eq!(verdict(new, old), Verdict::Equal, "{new:?} {old:?}");
}

/// Checks that documents differ so, and with a witness that says so.
fn differs(access: Access, old: &[&str], new: &[&str]) {
    let turned = match access {
        Access::Broader => Access::Narrower,
        Access::Narrower => Access::Broader,
        Access::None | Access::Both => access,
    };
    for (access, old, new) in [(access, old, new), (turned, new, old)] {
        match verdict(old, new) {
            Verdict::Different {
                access: found,
                witnesses,
            } => {
                assert_eq!(found, access, "{old:?} {new:?}");
                let number = if access == Access::Both { 2 } else { 1 };
                assert_eq!(witnesses.len(), number, "{old:?} {new:?}");
                for witness in witnesses {
                    assert_ne!(witness.old, witness.new, "{old:?} {new:?}");
                }
            }
            other => panic!("{old:?} {new:?}: {other:?}"),
        }
    }
}

fn allow(rest: &str) -> String {
    format!(r#""Effect":"Allow",{rest}"#)
}

fn deny(rest: &str) -> String {
    format!(r#""Effect":"Deny",{rest}"#)
}

fn on_all(action: &str) -> String {
    format!(r#""Action":{action},"Resource":"*""#)
}

/// Every action on every resource under a condition.
fn under(condition: &str) -> String {
    format!(r#""Action":"*","Resource":"*","Condition":{condition}"#)
}

/// Checks conditions under an Allow and a Deny, one statement per condition.
fn same_conditions(old: &[&str], new: &[&str]) {
    for effect in [allow, deny] {
        let of = |conditions: &[&str]| -> Vec<String> {
            conditions.iter().map(|c| effect(&under(c))).collect()
        };
        let (old, new) = (of(old), of(new));
        same(
            &old.iter().map(String::as_str).collect::<Vec<_>>(),
            &new.iter().map(String::as_str).collect::<Vec<_>>(),
        );
    }
}

/// Checks conditions of which the new ones pass more often.
fn wider_conditions(old: &[&str], new: &[&str]) {
    for (effect, access) in [
        (allow as fn(&str) -> String, Access::Broader),
        (deny, Access::Narrower),
    ] {
        let of = |conditions: &[&str]| -> Vec<String> {
            conditions.iter().map(|c| effect(&under(c))).collect()
        };
        let (old, new) = (of(old), of(new));
        differs(
            access,
            &old.iter().map(String::as_str).collect::<Vec<_>>(),
            &new.iter().map(String::as_str).collect::<Vec<_>>(),
        );
    }
}

#[test]
fn patterns_cover_and_overlap_as_languages() {
    for (old, new) in [
        (r#"["s3:Get*","s3:GetObject"]"#, r#""s3:Get*""#),
        (
            r#"["s3:*Object","s3:Get*","s3:GetObject"]"#,
            r#"["s3:Get*","s3:*Object"]"#,
        ),
        (r#"["s3:?*","s3:Get"]"#, r#""s3:*""#),
        (r#"["*","iam:Pass*"]"#, r#""*:*""#),
        (r#"["s3:*a*","s3:*ab*"]"#, r#""s3:*a*""#),
        (r#"["s3:G?t","s3:Get","s3:Got"]"#, r#""s3:g?t""#),
    ] {
        same(&[&allow(&on_all(old))], &[&allow(&on_all(new))]);
        same(&[&deny(&on_all(old))], &[&deny(&on_all(new))]);
    }
    for (old, new) in [
        (r#""s3:Get*""#, r#"["s3:Get*","s3:*Object"]"#),
        (r#""s3:?et""#, r#""s3:*et""#),
        (r#"["s3:a*","s3:*b"]"#, r#"["s3:a*","s3:*b","s3:ca"]"#),
        (r#""iam:*""#, r#""i*""#),
    ] {
        differs(
            Access::Broader,
            &[&allow(&on_all(old))],
            &[&allow(&on_all(new))],
        );
    }
}

#[test]
fn statements_may_be_split_along_one_axis_only() {
    let of = |actions: &str, resources: &str| {
        allow(&format!(r#""Action":{actions},"Resource":{resources}"#))
    };
    let (a, b) = (r#""arn:aws:s3:::a""#, r#""arn:aws:s3:::b""#);
    let whole = of(r#"["s3:Get*","s3:Put*"]"#, &format!("[{a},{b}]"));
    same(
        &[&whole],
        &[
            &of(r#""s3:Get*""#, &format!("[{a},{b}]")),
            &of(r#""s3:Put*""#, &format!("[{a},{b}]")),
        ],
    );
    same(
        &[&whole],
        &[
            &of(r#"["s3:Get*","s3:Put*"]"#, a),
            &of(r#""s3:Get*""#, b),
            &of(r#""s3:Put*""#, b),
        ],
    );
    differs(
        Access::Narrower,
        &[&whole],
        &[&of(r#""s3:Get*""#, a), &of(r#""s3:Put*""#, b)],
    );
}

#[test]
fn complements_are_followed() {
    let not = r#""NotAction":"iam:*","Resource":"*""#;
    same(
        &[&allow(not), &allow(&on_all(r#""iam:*""#))],
        &[&allow(&on_all(r#""*""#))],
    );
    same(
        &[
            &deny(r#""Action":"*","NotResource":"arn:aws:s3:::a*""#),
            &deny(r#""Action":"*","Resource":["arn:aws:s3:::a*","arn:aws:s3:::ab"]"#),
        ],
        &[&deny(&on_all(r#""*""#))],
    );
    // Allowing all but something says nothing of it; denying it overrides what others allow.
    differs(
        Access::Narrower,
        &[&allow(not)],
        &[&allow(&on_all(r#""*""#)), &deny(&on_all(r#""iam:*""#))],
    );
    same(
        &[&allow(r#""NotAction":["iam:*","iam:Get*"],"Resource":"*""#)],
        &[&allow(not)],
    );
}

#[test]
fn a_deny_masks_what_the_same_document_allows() {
    let (get, all) = (on_all(r#""s3:Get*""#), on_all(r#""s3:*""#));
    same(&[&allow(&get), &deny(&all)], &[&deny(&all)]);
    same(
        &[&allow(&all), &deny(&get)],
        &[&allow(&on_all(r#"["s3:*","s3:GetObject"]"#)), &deny(&get)],
    );
    differs(
        Access::Narrower,
        &[&allow(&all)],
        &[&allow(&all), &deny(&get)],
    );
    // What is not allowed any more, but is not denied either, may be allowed elsewhere.
    differs(
        Access::Broader,
        &[&allow(&all), &deny(&get)],
        &[&allow(r#""Action":"s3:*","Resource":"*""#)],
    );
}

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
fn principals_are_callers() {
    let trust = |effect: &str, element: &str, principals: &str| {
        format!(r#""Effect":"{effect}","{element}":{principals},"Action":"sts:AssumeRole""#)
    };
    let allow = |principals: &str| trust("Allow", "Principal", principals);
    let deny = |principals: &str| trust("Deny", "Principal", principals);
    let (root, user) = (
        r#""arn:aws:iam::111122223333:root""#,
        r#""arn:aws:iam::111122223333:user/x""#,
    );
    let aws = |names: &[&str]| format!(r#"{{"AWS":[{}]}}"#, names.join(","));
    same(
        &[&allow(&aws(&[root, "\"111122223333\""]))],
        &[&allow(&aws(&[root]))],
    );
    // A user that is named needs no policy of its own; one of a trusted account does.
    differs(
        Access::Broader,
        &[&allow(&aws(&[root]))],
        &[&allow(&aws(&[root, user]))],
    );
    same(&[&deny(&aws(&[root]))], &[&deny(&aws(&[root, user]))]);
    same(
        &[&allow("\"*\"")],
        &[&allow("\"*\""), &allow(&aws(&[root, user]))],
    );
    differs(
        Access::Broader,
        &[&allow(&aws(&[user]))],
        &[&allow(&aws(&["\"*\""]))],
    );
    // A session belongs to its role; named itself, it is not held to boundary and session policy.
    let (role, session) = (
        r#""arn:aws:iam::111122223333:role/p/r""#,
        r#""arn:aws:sts::111122223333:assumed-role/r/s""#,
    );
    differs(
        Access::Broader,
        &[&allow(&aws(&[role]))],
        &[&allow(&aws(&[role, session]))],
    );
    differs(
        Access::Broader,
        &[&allow(&aws(&[session]))],
        &[&allow(&aws(&[role, session]))],
    );
    same(&[&deny(&aws(&[role, session]))], &[&deny(&aws(&[role]))]);
    same(
        &[&allow(&aws(&[session])), &deny(&aws(&[role]))],
        &[&deny(&aws(&[role]))],
    );
    differs(
        Access::Narrower,
        &[&deny(&aws(&[session]))],
        &[&deny(&aws(&[role]))],
    );
    differs(
        Access::Both,
        &[&allow(&aws(&[role]))],
        &[&allow(r#"{"Service":"ec2.amazonaws.com"}"#)],
    );
    // What is attached to a principal is no resource policy.
    differs(
        Access::Both,
        &[r#""Effect":"Allow","Action":"s3:*","Resource":"*""#],
        &[r#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*""#],
    );
}

#[test]
fn what_is_not_documented_is_not_proven() {
    let trust = |effect: &str, element: &str, principals: &str| {
        format!(r#""Effect":"{effect}","{element}":{principals},"Action":"sts:AssumeRole""#)
    };
    for (old, new, access) in [
        (
            trust("Allow", "Principal", r#"{"AWS":"*"}"#),
            trust("Allow", "Principal", r#""*""#),
            Access::Broader,
        ),
        (
            trust(
                "Deny",
                "NotPrincipal",
                r#"{"AWS":"arn:aws:iam::111122223333:user/x"}"#,
            ),
            trust("Deny", "Principal", r#""*""#),
            Access::Narrower,
        ),
    ] {
        match verdict(&[&old], &[&new]) {
            Verdict::Unproven { access: found, .. } => assert_eq!(found, access, "{old} {new}"),
            other => panic!("{old} {new}: {other:?}"),
        }
    }
    // Where both readings agree there is a verdict.
    differs(
        Access::Broader,
        &[
            &trust("Deny", "NotPrincipal", r#"{"AWS":"*"}"#),
            &trust("Deny", "Principal", r#""*""#),
        ],
        &[&trust("Allow", "Principal", r#"{"AWS":"*"}"#)],
    );
}

#[test]
fn what_is_not_understood_equals_itself_alone() {
    let of = |condition: &str| deny(&under(condition));
    for (old, new) in [
        // A threshold that is no date for sure, or hangs on a variable, still has a direction.
        (
            r#"{"DateLessThan":{"aws:CurrentTime":"2020"}}"#,
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2020"}}"#,
        ),
        (
            r#"{"NumericLessThan":{"k":"05"}}"#,
            r#"{"NumericGreaterThanEquals":{"k":"05"}}"#,
        ),
        (
            r#"{"NumericLessThan":{"k":"${v}"}}"#,
            r#"{"NumericGreaterThan":{"k":"${v}"}}"#,
        ),
        // A variable may hold colons, which moves the segments of an ARN.
        (
            r#"{"ArnLike":{"aws:SourceArn":["arn:aws:iam::${aws:PrincipalTag/v}:role/x","arn:aws:iam::*:role/x"]}}"#,
            r#"{"ArnLike":{"aws:SourceArn":"arn:aws:iam::*:role/x"}}"#,
        ),
        // Bytes and text, an empty list, a Null of something else than a boolean.
        (
            r#"{"BinaryEquals":{"k":"YQ=="}}"#,
            r#"{"StringEquals":{"k":"YQ=="}}"#,
        ),
        (
            r#"{"StringEquals":{"k":[]}}"#,
            r#"{"StringEquals":{"l":[]}}"#,
        ),
        (r#"{"Null":{"k":"yes"}}"#, r#"{"Null":{"k":"no"}}"#),
    ] {
        let (old, new) = (of(old), of(new));
        for (one, other) in [(&old, &new), (&new, &old)] {
            let found = verdict(&[one], &[other]);
            assert!(
                matches!(found, Verdict::Different { .. } | Verdict::Unproven { .. }),
                "{one} {other}: {found:?}"
            );
        }
        same(&[&old], &[&old]);
        same(&[&old, &new], &[&new, &old]);
    }
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

#[test]
fn there_is_always_another_character() {
    let resources: Vec<String> = (' '..='~')
        .chain('\u{a1}'..='\u{ff}')
        .filter(|first| !matches!(first, '"' | '\\' | '*' | '?' | '$'))
        .map(|first| format!("\"{first}*\""))
        .collect();
    let list = format!(r#"["",{}]"#, resources.join(","));
    let of = |resources: &str| allow(&format!(r#""Action":"*","Resource":{resources}"#));
    differs(Access::Broader, &[&of(&list)], &[&of(r#""*""#)]);
    // Actions match in either case, so that a capital letter is no further one.
    let letters: Vec<String> = ('a'..='z')
        .map(|first| format!("\"s3:{first}*\""))
        .collect();
    let Verdict::Different { witnesses, .. } = verdict(
        &[&allow(&on_all(&format!("[{}]", letters.join(","))))],
        &[&allow(&on_all(r#""s3:*""#))],
    ) else {
        panic!("they differ");
    };
    let verb = witnesses[0].action.strip_prefix("s3:").unwrap();
    assert!(
        !verb.starts_with(|first: char| first.is_ascii_alphabetic()),
        "{verb}"
    );
}

#[test]
fn a_request_that_can_not_be_shown_is_no_difference_for_certain() {
    // No value is both a number and a text here, or a user's name and not it.
    let (number, text) = (
        r#"{"NumericEquals":{"k":5}}"#,
        r#"{"StringEquals":{"k":5}}"#,
    );
    let found = verdict(
        &[&allow(&under(number)), &deny(&under(text))],
        &[&deny(&under(text))],
    );
    assert!(
        matches!(
            found,
            Verdict::Unproven {
                access: Access::Narrower,
                ..
            }
        ),
        "{found:?}"
    );
}

#[test]
fn a_sid_in_another_form_is_still_cosmetic() {
    let old = allow(r#""Sid":"A","Action":["s3:Get*","s3:GetObject"],"Resource":"*""#);
    let new = allow(r#""Sid":"B","Action":"s3:Get*","Resource":"*""#);
    assert_eq!(verdict(&[&old], &[&new]), Verdict::Cosmetic);
    same(&[&old], &[&new.replace("\"B\"", "\"A\"")]);
}

/// Documents that are large and nasty in one way each; all are answered at the bound or before.
#[test]
fn nasty_documents_are_answered_within_the_bound() {
    let list = |count: usize, item: &dyn Fn(usize) -> String| {
        let items: Vec<String> = (0..count).map(|n| format!("\"{}\"", item(n))).collect();
        format!("[{}]", items.join(","))
    };
    let grid = |statement: usize, extra: &str| {
        allow(&format!(
            r#""Action":{},"Resource":{}"#,
            list(22, &|n| format!("s{statement}:*{n}a*")),
            list(23, &|n| format!("arn:aws:s3:::{statement}{extra}{n}*b")),
        ))
    };
    let statements = |extra: &str| -> Vec<String> { (0..20).map(|s| grid(s, extra)).collect() };
    let (old, new) = (statements(""), statements("*"));
    let of = |list: &[String]| {
        let statements: Vec<&str> = list.iter().map(String::as_str).collect();
        parse(&document(&statements)).unwrap()
    };
    let context = CanonicalContext::default();
    assert_ne!(compare(&of(&old), &of(&new), &context), Verdict::Equal);

    let long = |n: usize| format!("{}${{aws:username}}{n}", "a".repeat(1_400));
    let variables = under(&format!(r#"{{"StringLike":{{"k":{}}}}}"#, list(8, &long)));
    let any = under(r#"{"StringLike":{"k":"*"}}"#);
    assert_ne!(
        verdict(&[&allow(&variables)], &[&allow(&any)]),
        Verdict::Equal
    );

    let users = |from: usize| {
        let names = list(2_000, &|n| {
            format!("arn:aws:iam::111122223333:user/{}", from + n)
        });
        format!(r#""Effect":"Allow","Principal":{{"AWS":{names}}},"Action":"sts:AssumeRole""#)
    };
    assert_ne!(verdict(&[&users(0)], &[&users(1)]), Verdict::Equal);
}

#[test]
fn past_the_bound_nothing_is_called_equal_that_is_not_plain() {
    let patterns = |letters: std::ops::RangeInclusive<char>| {
        let patterns: Vec<_> = letters
            .map(|letter| format!(r#""s3:*{letter}*""#))
            .collect();
        on_all(&format!("[{}]", patterns.join(",")))
    };
    let (all, fewer) = (patterns('a'..='z'), patterns('b'..='z'));
    assert!(matches!(
        verdict(&[&deny(&all)], &[&deny(&fewer)]),
        Verdict::Unproven {
            access: Access::Broader,
            ..
        }
    ));
    same(
        &[&deny(&all)],
        &[&deny(&patterns('a'..='m')), &deny(&patterns('n'..='z'))],
    );
}

#[test]
fn a_witness_gives_variables_a_value() {
    let on = |resources: &str| allow(&format!(r#""Action":"*","Resource":{resources}"#));
    let old = on(r#""a/${aws:username}""#);
    let new = on(r#"["a/${aws:username}","b/${aws:username}/x"]"#);
    let Verdict::Different { witnesses, .. } = verdict(&[&old], &[&new]) else {
        panic!("they differ");
    };
    let [witness] = witnesses.as_slice() else {
        panic!("one way: {witnesses:?}");
    };
    assert!(witness.exact);
    let resource = witness.resource.as_deref().unwrap();
    let name = &witness.context["aws:username"][0];
    assert_eq!(resource, format!("b/{name}/x"));
}

#[test]
fn a_witness_reads_as_one_line() {
    let trust = |condition: &str| {
        format!(
            r#""Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:user/ops"}},"Action":"sts:AssumeRole"{condition}"#
        )
    };
    let mfa = trust(r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#);
    let Verdict::Different { witnesses, .. } = verdict(&[&mfa], &[&trust("")]) else {
        panic!("they differ");
    };
    assert_eq!(
        witnesses[0].to_string(),
        "sts:AssumeRole by arn:aws:iam::111122223333:user/ops without MFA: not allowed → allowed"
    );
}
