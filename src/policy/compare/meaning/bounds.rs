//! What is not understood, and what is too large.

use super::*;

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
