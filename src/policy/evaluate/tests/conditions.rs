//! Condition operators: what matches, what does not, what an absent key and a wrong type do.

use super::*;

/// Tells what a condition does: `yes` when it lets the request through, `no`, or `?`. `-` is an absent key.
pub(super) fn outcome(operator: &str, values: &str, given: &str) -> &'static str {
    let mut context = json!({});
    if given != "-" {
        context["k:Key"] = json(given);
    }
    let statement = json!({
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": { operator: { "K:kEY": json(values) } },
    });
    let request = request(json!({
        "context": context,
        "identity_policies": [policy(statement)],
    }));
    match decision(&request) {
        "allowed" => "yes",
        "implicit_deny" => "no",
        "unknown" => "?",
        other => panic!("{other}"),
    }
}

pub(super) fn check(table: &str) {
    for [operator, values, given, expected] in rows(table) {
        let found = outcome(operator, values, given);
        assert_eq!(found, expected, "{operator} {values} with {given}");
    }
}

#[test]
fn strings() {
    check(
        r#"
        StringEquals | "a" | "a" | yes
        StringEquals | "a" | "A" | no
        StringEquals | "a" | "b" | no
        StringEquals | ["b", "a"] | "a" | yes
        StringEquals | "a*" | "ab" | no
        StringEquals | "a*" | "a*" | yes
        StringEquals | "" | "" | yes
        StringEquals | "10" | 10 | yes
        StringEquals | "10" | 10.0 | no
        StringEquals | "true" | true | yes
        StringEquals | true | "true" | yes
        StringEquals | "a" | - | no
        StringEquals | [] | "a" | no
        StringEquals | "a" | null | ?
        StringNotEquals | "a" | "b" | yes
        StringNotEquals | "a" | "a" | no
        StringNotEquals | "a" | "A" | yes
        StringNotEquals | ["a", "b"] | "b" | no
        StringNotEquals | ["a", "b"] | "c" | yes
        StringNotEquals | "a" | - | yes
        StringNotEquals | [] | "a" | yes
        StringEqualsIgnoreCase | "aB" | "Ab" | yes
        StringEqualsIgnoreCase | "aB" | "Abc" | no
        StringEqualsIgnoreCase | "a*" | "ab" | no
        StringEqualsIgnoreCase | "é" | "É" | no
        StringEqualsIgnoreCase | "a" | - | no
        StringNotEqualsIgnoreCase | "aB" | "Ab" | no
        StringNotEqualsIgnoreCase | "aB" | "c" | yes
        StringNotEqualsIgnoreCase | "aB" | - | yes
        StringLike | "a*" | "abc" | yes
        StringLike | "a*" | "a" | yes
        StringLike | "a*" | "ba" | no
        StringLike | "a*" | "Abc" | no
        StringLike | "a?c" | "abc" | yes
        StringLike | "a?c" | "aéc" | yes
        StringLike | "a?c" | "ac" | no
        StringLike | "*" | "" | yes
        StringLike | "*" | - | no
        StringLike | "?" | "" | no
        StringLike | "*a*b*" | "xxaxxbxx" | yes
        StringLike | "*a*b*" | "xxbxxaxx" | no
        StringLike | "arn:aws:*/x" | "arn:aws:iam::1:role/a/x" | yes
        StringLike | ["x*", "a*"] | "abc" | yes
        StringNotLike | "a*" | "abc" | no
        StringNotLike | "a*" | "b" | yes
        StringNotLike | ["a*", "b*"] | "bcd" | no
        StringNotLike | "a*" | - | yes
        "#,
    );
}

#[test]
fn numbers() {
    check(
        r#"
        NumericEquals | "10" | 10 | yes
        NumericEquals | 10 | "10.0" | yes
        NumericEquals | "1e1" | "10" | yes
        NumericEquals | "10" | "11" | no
        NumericEquals | ["1", "10"] | "10" | yes
        NumericEquals | "10" | "ten" | no
        NumericEquals | "ten" | "ten" | no
        NumericEquals | "10" | - | no
        NumericEquals | [] | 10 | no
        NumericEquals | "0" | "-0.0" | yes
        NumericNotEquals | "10" | "10.00" | no
        NumericNotEquals | "10" | "9" | yes
        NumericNotEquals | ["9", "10"] | "9" | no
        NumericNotEquals | "10" | "ten" | yes
        NumericNotEquals | "ten" | "ten" | yes
        NumericNotEquals | "10" | - | yes
        NumericLessThan | "10" | "9" | yes
        NumericLessThan | "10" | "10" | no
        NumericLessThan | "10" | "9.999999999999999999999999" | yes
        NumericLessThan | "10" | "-11" | yes
        NumericLessThan | "-10" | "-11" | yes
        NumericLessThan | "-10" | "-9.5" | no
        NumericLessThan | "100" | "20" | yes
        NumericLessThan | ["1", "100"] | "20" | yes
        NumericLessThan | "1e999999999" | "1e999999998" | yes
        NumericLessThan | "1e-999999999" | "0" | yes
        NumericLessThan | "10" | "x" | no
        NumericLessThan | "10" | - | no
        NumericLessThanEquals | "10" | "10.0" | yes
        NumericLessThanEquals | "10" | "10.1" | no
        NumericLessThanEquals | "10" | - | no
        NumericGreaterThan | "10" | "10.1" | yes
        NumericGreaterThan | "10" | "10" | no
        NumericGreaterThan | "9" | "10" | yes
        NumericGreaterThan | "10" | - | no
        NumericGreaterThanEquals | "10" | "10" | yes
        NumericGreaterThanEquals | "10" | "9" | no
        NumericGreaterThanEquals | "10" | - | no
        NumericLessThanIfExists | "10" | - | yes
        NumericLessThanIfExists | "10" | "11" | no
        "#,
    );
}

#[test]
fn dates() {
    check(
        r#"
        DateEquals | "2020-01-01T00:00:00Z" | "2020-01-01T01:00:00+01:00" | yes
        DateEquals | "1577836800" | "2020-01-01T00:00:00Z" | yes
        DateEquals | "2020-01-01" | 1577836800 | yes
        DateEquals | "2020-01-01" | "2020-01-02" | no
        DateEquals | "2020-01-01" | "soon" | no
        DateEquals | "soon" | "soon" | no
        DateEquals | "2020-01-01" | - | no
        DateNotEquals | "2020-01-01" | "2020-01-01" | no
        DateNotEquals | "2020-01-01" | "2020-01-02" | yes
        DateNotEquals | "2020-01-01" | "soon" | yes
        DateNotEquals | "2020-01-01" | - | yes
        DateLessThan | "2020-01-01" | "2019-12-31T23:59:59.9Z" | yes
        DateLessThan | "2020-01-01" | "2020-01-01" | no
        DateLessThan | "2020-01-01" | - | no
        DateLessThanEquals | "2020-01-01" | "2020-01-01" | yes
        DateLessThanEquals | "2020-01-01" | "2020-01-02" | no
        DateGreaterThan | "2020-01-01" | "2020-01-01T00:00:00.1Z" | yes
        DateGreaterThan | "2020-01-01" | "2020-01-01" | no
        DateGreaterThan | ["2030-01-01", "2020-01-01"] | "2025-01-01" | yes
        DateGreaterThanEquals | "2020-01-01" | "1577836800" | yes
        DateGreaterThanEquals | "2020-01-01" | "1577836799" | no
        DateGreaterThanIfExists | "2020-01-01" | - | yes
        "#,
    );
}

#[test]
fn booleans_and_bytes() {
    check(
        r#"
        Bool | "true" | "true" | yes
        Bool | "true" | true | yes
        Bool | true | "TRUE" | yes
        Bool | "True" | "true" | yes
        Bool | "true" | "false" | no
        Bool | "false" | false | yes
        Bool | ["true", "false"] | false | yes
        Bool | "true" | "yes" | no
        Bool | "yes" | "yes" | no
        Bool | "true" | 1 | no
        Bool | "false" | - | no
        Bool | "true" | - | no
        BoolIfExists | "true" | - | yes
        BoolIfExists | "false" | - | yes
        BoolIfExists | "true" | "false" | no
        BinaryEquals | "QmluYXJ5" | "QmluYXJ5" | yes
        BinaryEquals | "QmluYXJ5" | "qmluYXJ5" | no
        BinaryEquals | "QmluYXJ5" | - | no
        BinaryEqualsIfExists | "QmluYXJ5" | - | yes
        "#,
    );
}

#[test]
fn addresses() {
    check(
        r#"
        IpAddress | "10.0.0.0/8" | "10.255.255.255" | yes
        IpAddress | "10.0.0.0/8" | "11.0.0.0" | no
        IpAddress | "10.0.0.5/8" | "10.1.2.3" | yes
        IpAddress | "10.0.0.1" | "10.0.0.1" | yes
        IpAddress | "10.0.0.1" | "10.0.0.2" | no
        IpAddress | "0.0.0.0/0" | "255.255.255.255" | yes
        IpAddress | "0.0.0.0/0" | "::1" | no
        IpAddress | "::/0" | "2001:db8::1" | yes
        IpAddress | "::/0" | "10.0.0.1" | no
        IpAddress | "2001:DB8:1234:5678::/64" | "2001:db8:1234:5678:9::1" | yes
        IpAddress | "2001:DB8:1234:5678::/64" | "2001:db8:1234:5679::1" | no
        IpAddress | "10.0.0.0/8" | "::ffff:10.0.0.1" | no
        IpAddress | ["10.0.0.0/8", "192.168.0.0/16"] | "192.168.9.9" | yes
        IpAddress | "10.0.0.0/8" | "10.0.0.0/8" | no
        IpAddress | "10.0.0.0/8" | "host" | no
        IpAddress | "host" | "host" | no
        IpAddress | "10.0.0.0/8" | - | no
        IpAddressIfExists | "10.0.0.0/8" | - | yes
        NotIpAddress | "10.0.0.0/8" | "10.1.1.1" | no
        NotIpAddress | "10.0.0.0/8" | "11.1.1.1" | yes
        NotIpAddress | "10.0.0.0/8" | "::1" | yes
        NotIpAddress | ["10.0.0.0/8", "11.0.0.0/8"] | "11.1.1.1" | no
        NotIpAddress | "10.0.0.0/8" | "host" | yes
        NotIpAddress | "10.0.0.0/8" | - | yes
        "#,
    );
}

#[test]
fn arns_match_segment_by_segment() {
    check(
        r#"
        ArnLike | "arn:aws:iam::*:role/Admin" | "arn:aws:iam::1:role/Admin" | yes
        ArnEquals | "arn:aws:iam::*:role/Admin" | "arn:aws:iam::1:role/Admin" | yes
        ArnLike | "arn:aws:iam::*:role/*" | "arn:aws:iam::1:role/a/b:c" | yes
        ArnLike | "arn:aws:iam::1:role/A?min" | "arn:aws:iam::1:role/Admin" | yes
        ArnLike | "arn:aws:iam::1:role/admin" | "arn:aws:iam::1:role/Admin" | no
        ArnLike | "arn:*:role/Admin" | "arn:aws:iam::1:role/Admin" | no
        ArnLike | "arn:aws:iam::*" | "arn:aws:iam::1:role/Admin" | no
        ArnLike | "arn:*:*:*:*:*" | "arn:aws:iam::1:role/Admin" | yes
        ArnLike | "*:*:*:*:*:*" | "arn:aws:iam::1:role/Admin" | yes
        ArnLike | "*" | "arn:aws:iam::1:role/Admin" | ?
        ArnLike | "**" | "arn:aws:iam::1:role/Admin" | ?
        ArnLike | "*" | "Admin" | no
        ArnLike | "arn:aws:iam::*:role/Admin" | "arn:aws:iam::1:2:role/Admin" | no
        ArnLike | "arn:aws:s3:::b*:x" | "arn:aws:s3:::bucket:x" | yes
        ArnLike | ["arn:aws:iam::2:root", "arn:aws:iam::1:root"] | "arn:aws:iam::1:root" | yes
        ArnLike | "arn:aws:iam::1:root" | - | no
        ArnLikeIfExists | "arn:aws:iam::1:root" | - | yes
        ArnNotLike | "arn:aws:iam::*:role/Admin" | "arn:aws:iam::1:role/Admin" | no
        ArnNotLike | "arn:aws:iam::*:role/Admin" | "arn:aws:iam::1:role/Other" | yes
        ArnNotLike | "*" | "Admin" | yes
        ArnNotLike | "arn:aws:iam::1:root" | - | yes
        ArnNotEquals | "arn:aws:iam::*:root" | "arn:aws:iam::1:root" | no
        ArnNotEquals | "arn:aws:iam::*:root" | - | yes
        # the same with a string operator crosses colons
        StringLike | "arn:*:role/Admin" | "arn:aws:iam::1:role/Admin" | yes
        StringLike | "arn:aws:iam::*" | "arn:aws:iam::1:role/Admin" | yes
        "#,
    );
}

#[test]
fn null_asks_for_absence() {
    check(
        r#"
        Null | "true" | - | yes
        Null | "true" | "x" | no
        Null | "false" | - | no
        Null | "false" | "x" | yes
        Null | true | [] | yes
        Null | ["true", "false"] | "x" | yes
        Null | ["true", "false"] | null | yes
        Null | [] | - | no
        Null | "maybe" | - | no
        Null | "TRUE" | - | yes
        Null | "true" | null | ?
        ForAllValues:Null | "true" | - | yes
        ForAnyValue:Null | "true" | - | no
        ForAllValues:Null | "true" | ["a", "b"] | yes
        "#,
    );
}
