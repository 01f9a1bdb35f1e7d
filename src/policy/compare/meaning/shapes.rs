//! How statements are written: patterns, splits, complements, masks, names, witnesses.

use super::*;

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
fn a_sid_in_another_form_is_still_cosmetic() {
    let old = allow(r#""Sid":"A","Action":["s3:Get*","s3:GetObject"],"Resource":"*""#);
    let new = allow(r#""Sid":"B","Action":"s3:Get*","Resource":"*""#);
    assert_eq!(verdict(&[&old], &[&new]), Verdict::Cosmetic);
    same(&[&old], &[&new.replace("\"B\"", "\"A\"")]);
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
    let lately = trust(
        r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}"#,
    );
    for (old, new, request) in [
        (&mfa, &trust(""), "without MFA"),
        // With MFA, but nobody knows how long ago.
        (
            &lately,
            &mfa,
            "with aws:MultiFactorAuthPresent = true without aws:MultiFactorAuthAge",
        ),
    ] {
        let Verdict::Different { witnesses, .. } = verdict(&[old], &[new]) else {
            panic!("they differ");
        };
        assert_eq!(
            witnesses[0].to_string(),
            format!(
                "sts:AssumeRole by arn:aws:iam::111122223333:user/ops {request}: not allowed → allowed"
            )
        );
    }
}
