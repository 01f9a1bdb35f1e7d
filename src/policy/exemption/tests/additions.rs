//! Letting principals through: into which test their values go, and when none is needed.

use super::*;

#[test]
fn values_go_into_the_test_that_can_take_them() {
    let key = "aws:PrincipalArn";
    let two = json!({ "ArnNotLike": { key: OTHER }, "StringNotEquals": { key: OTHER } });
    let cases = [
        // A new test: one value is a string.
        (json!({}), ADMIN, json!({ "ArnNotLike": { key: ADMIN } })),
        // It is written beside the other tests of its operator.
        (
            json!({ "ArnNotLike": { "aws:SourceArn": "arn:aws:s3:::a" }, "Bool": { "k": "true" } }),
            ANYWHERE,
            json!({
                "ArnNotLike": { "aws:SourceArn": "arn:aws:s3:::a", key: ANYWHERE },
                "Bool": { "k": "true" },
            }),
        ),
        // Spellings that take any value.
        (
            json!({ "ArnNotLike": { key: [OTHER] } }),
            ANYWHERE,
            json!({ "ArnNotLike": { key: [OTHER, ANYWHERE] } }),
        ),
        (
            json!({ "ArnNotEquals": { "AWS:principalARN": OTHER } }),
            ANYWHERE,
            json!({ "ArnNotEquals": { "AWS:principalARN": [OTHER, ANYWHERE] } }),
        ),
        (
            json!({ "ArnNotLikeIfExists": { key: OTHER } }),
            ANYWHERE,
            json!({ "ArnNotLikeIfExists": { key: [OTHER, ANYWHERE] } }),
        ),
        (
            json!({ "ArnNotEqualsIfExists": { key: OTHER } }),
            ADMIN,
            json!({ "ArnNotEqualsIfExists": { key: [OTHER, ADMIN] } }),
        ),
        // As text, a wildcard in the account would match a role path with colons.
        (
            json!({ "StringNotLike": { key: OTHER } }),
            ANYWHERE,
            json!({ "StringNotLike": { key: OTHER }, "ArnNotLike": { key: ANYWHERE } }),
        ),
        (
            json!({ "StringNotLikeIfExists": { key: OTHER } }),
            "arn:aws:iam::111122223333:role/break-glass/*",
            json!({ "StringNotLikeIfExists": { key: [OTHER, "arn:aws:iam::111122223333:role/break-glass/*"] } }),
        ),
        (
            json!({ "StringNotEquals": { key: OTHER } }),
            ADMIN,
            json!({ "StringNotEquals": { key: [OTHER, ADMIN] } }),
        ),
        (
            json!({ "StringNotEqualsIfExists": { key: OTHER } }),
            ANYWHERE,
            json!({ "StringNotEqualsIfExists": { key: OTHER }, "ArnNotLike": { key: ANYWHERE } }),
        ),
        // In either case of letters more would pass; with a set operator other rules hold.
        (
            json!({ "StringNotEqualsIgnoreCase": { key: OTHER } }),
            ADMIN,
            json!({ "StringNotEqualsIgnoreCase": { key: OTHER }, "ArnNotLike": { key: ADMIN } }),
        ),
        (
            json!({ "ForAnyValue:ArnNotLike": { key: OTHER } }),
            ADMIN,
            json!({ "ForAnyValue:ArnNotLike": { key: OTHER }, "ArnNotLike": { key: ADMIN } }),
        ),
        // Of two tests one is enough.
        (
            two,
            ADMIN,
            json!({ "ArnNotLike": { key: [OTHER, ADMIN] }, "StringNotEquals": { key: OTHER } }),
        ),
        (
            json!({ "StringNotEquals": { key: OTHER }, "ArnNotLike": { key: OTHER } }),
            ANYWHERE,
            json!({ "StringNotEquals": { key: OTHER }, "ArnNotLike": { key: [OTHER, ANYWHERE] } }),
        ),
        // A positive test and one on another key stay.
        (
            json!({ "ArnLike": { key: "arn:aws:iam::*:role/*" }, "StringNotEquals": { "aws:RequestedRegion": ["eu-west-1"] } }),
            ADMIN,
            json!({
                "ArnLike": { key: "arn:aws:iam::*:role/*" },
                "StringNotEquals": { "aws:RequestedRegion": ["eu-west-1"] },
                "ArnNotLike": { key: ADMIN },
            }),
        ),
        // A variable in a value stays what it is.
        (
            json!({ "ArnNotLike": { key: "arn:aws:iam::${aws:PrincipalAccount}:role/Other" } }),
            ANYWHERE,
            json!({ "ArnNotLike": { key: ["arn:aws:iam::${aws:PrincipalAccount}:role/Other", ANYWHERE] } }),
        ),
    ];
    for (before, principal, after) in cases {
        let old = deny(&before);
        let new = checked(&old, &sid("D"), &set([principal]), DocumentKind::Scp);
        assert_eq!(minified(&new), minified(&deny(&after)), "{before}");
        assert_eq!(
            unexempt(&new, &sid("D"), &set([principal])),
            old,
            "{before}"
        );
    }
}

#[test]
fn nothing_is_added_for_whom_the_statement_lets_through() {
    let key = "aws:PrincipalArn";
    for condition in [
        json!({ "ArnNotLike": { key: ANYWHERE } }),
        json!({ "ArnNotLike": { key: [ADMIN, "arn:aws:iam::*:role/**"] } }),
        json!({ "StringNotLike": { key: "*/Admin" } }),
        json!({ "StringNotEquals": { key: OTHER }, "ArnNotLike": { "AWS:PRINCIPALARN": ADMIN } }),
        json!({ "StringNotEqualsIgnoreCase": { key: ADMIN.to_uppercase() } }),
        json!({ "ForAnyValue:ArnNotLike": { key: ADMIN } }),
        json!({ "ForAllValues:StringNotLike": { key: ADMIN } }),
        // The Deny is about others: root users, requests without the key, a part of the roles.
        json!({ "ArnLike": { key: "arn:aws:iam::*:root" } }),
        json!({ "StringLike": { key: ["arn:aws:iam::*:root"] } }),
        json!({ "Null": { key: "true" } }),
        json!({ "StringEquals": { key: OTHER } }),
    ] {
        let old = deny(&condition);
        let new = exempt(&old, &sid("D"), &set([ADMIN]), DocumentKind::Scp).unwrap();
        assert_eq!(new, old, "{condition}");
        assert!(is_exempted(&old, 1, ADMIN), "{condition}");
        let proof = prove(&old, &new, &set([ADMIN])).unwrap();
        assert_eq!(proof.to_string(), "nobody gains or loses anything");
    }
    for condition in [
        json!({}),
        json!({ "ArnNotLike": { key: "arn:aws:iam::*:user/break-glass/Admin" } }),
        json!({ "ArnLike": { key: "arn:aws:iam::*:role/*" } }),
        json!({ "ArnNotLike": { "aws:SourceArn": ADMIN } }),
        json!({ "ArnNotLike": { key: "arn:aws:iam::${aws:PrincipalAccount}:role/break-glass/Admin" } }),
        json!({ "ArnNotLike": { key: [] } }),
    ] {
        assert!(!is_exempted(&deny(&condition), 1, ADMIN), "{condition}");
    }
    let old = deny(&json!({ "ArnNotLike": { key: ADMIN } }));
    assert!(!is_exempted(&old, 1, ANYWHERE), "only one account of all");
    assert!(!is_exempted(&old, 0, ADMIN) && !is_exempted(&old, 2, ADMIN));
    // Several values together cover a pattern.
    let halves = [
        "arn:aws:iam::1*:role/x",
        "arn:aws:iam::11*:role/*",
        "arn:aws:iam::2*:role/x",
    ];
    let old = deny(&json!({ "ArnNotLike": { key: halves } }));
    assert!(
        is_exempted(&old, 1, "arn:aws:iam::1*:role/x")
            && !is_exempted(&old, 1, "arn:aws:iam::*:role/x")
    );
}

#[test]
fn of_the_principals_themselves_only_the_widest_are_added() {
    let narrow = "arn:aws:iam::111122223333:role/break-glass/Adm?n";
    let all = set([
        ADMIN,
        ANYWHERE,
        narrow,
        "arn:aws:iam::**:role/break-glass/Admin",
    ]);
    let new = checked(&deny(&json!({})), &sid("D"), &all, DocumentKind::Scp);
    let values: Vec<_> = exempted(&new)
        .into_iter()
        .map(|one| one.principal)
        .collect();
    assert_eq!(values, ["arn:aws:iam::**:role/break-glass/Admin", narrow]);
    let none = exempt(&new, &sid("D"), &BTreeSet::new(), DocumentKind::Scp).unwrap();
    assert_eq!(none, new);
}
