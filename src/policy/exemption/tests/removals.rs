//! Taking exemptions back, and listing them.

use super::*;

#[test]
fn only_tests_that_could_be_ours_are_removed_whole() {
    let key = "aws:PrincipalArn";
    let cases = [
        (json!({ "ArnNotLike": { key: ADMIN } }), json!({})),
        (
            json!({ "ArnNotLike": { "aws:principalarn": ADMIN } }),
            json!({}),
        ),
        (
            json!({ "Bool": { "k": "true" }, "ArnNotLike": { key: [ADMIN], "aws:SourceArn": ADMIN } }),
            json!({ "Bool": { "k": "true" }, "ArnNotLike": { "aws:SourceArn": ADMIN } }),
        ),
        // In whatever spelling, a value is taken out beside others.
        (
            json!({ "StringNotEquals": { key: [OTHER, ADMIN] } }),
            json!({ "StringNotEquals": { key: OTHER } }),
        ),
        (
            json!({ "ForAllValues:ArnNotLike": { key: [ADMIN, OTHER] } }),
            json!({ "ForAllValues:ArnNotLike": { key: OTHER } }),
        ),
        (
            json!({ "ArnNotLike": { key: [OTHER, ADMIN] }, "StringNotLike": { key: [ADMIN, OTHER] } }),
            json!({ "ArnNotLike": { key: OTHER }, "StringNotLike": { key: OTHER } }),
        ),
    ];
    for (before, after) in cases {
        let new = unexempt(&deny(&before), &sid("D"), &set([ADMIN]));
        assert_eq!(new, deny(&after), "{before}");
    }
    for kept in [
        json!({ "StringNotEquals": { key: ADMIN } }),
        json!({ "ArnNotLikeIfExists": { key: [ADMIN, ADMIN] } }),
        json!({ "ArnNotEquals": { key: ADMIN } }),
        json!({ "ForAnyValue:ArnNotLike": { key: ADMIN } }),
        json!({ "ArnLike": { key: [ADMIN, OTHER] } }),
        json!({ "ArnNotLike": { key: [ANYWHERE, OTHER] } }),
        json!({ "ArnNotLike": { "aws:SourceArn": [ADMIN, OTHER] } }),
        json!({ "ArnNotLike": { key: [] } }),
    ] {
        let old = deny(&kept);
        assert_eq!(
            unexempt(&old, &Chosen::EachDeny, &set([ADMIN])),
            old,
            "{kept}"
        );
    }
    // What is spelled otherwise but says the same is taken out.
    let spelled = deny(&json!({ "ArnNotLike": { key: "arn:aws:iam::**:role/break-glass/Admin" } }));
    assert_eq!(
        unexempt(&spelled, &Chosen::EachDeny, &set([ANYWHERE])),
        deny(&json!({}))
    );
    // Only the chosen statements; those that do not exist, or allow, are passed over.
    let old = guardrails();
    let new = unexempt(&old, &sid("ProtectTrails"), &set([OTHER]));
    assert!(
        new.statements[3].conditions[0].values.len() == 1 && new.statements[4] == old.statements[4]
    );
    let new = unexempt(&old, &Chosen::Numbers(vec![1, 5, 9]), &set([OTHER]));
    assert_eq!(exempted(&new).len(), exempted(&old).len() - 1);
}

#[test]
fn whom_some_deny_lets_through_is_listed() {
    let mut old = guardrails();
    old.statements[2].conditions.push(
        deny(&json!({ "ForAnyValue:StringNotLike": { "AWS:PRINCIPALARN": "*x" } })).statements[0]
            .conditions[0]
            .clone(),
    );
    let found: Vec<String> = exempted(&old)
        .iter()
        .map(|one| {
            let sid = one.sid.as_deref().unwrap_or("-");
            format!("{} {sid} {} {}", one.statement, one.operator, one.principal)
        })
        .collect();
    assert_eq!(
        found,
        [
            "3 DenyRoot ForAnyValue:StringNotLike *x".to_owned(),
            format!("4 ProtectTrails ArnNotLikeIfExists {OTHER}"),
            "5 - ArnNotLike arn:aws:iam::*:role/Quarantine".to_owned(),
            format!("5 - ArnNotLike {OTHER}"),
        ]
    );
    let allows = document(&json!([{
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": { "ArnNotLike": { "aws:PrincipalArn": ADMIN } },
    }]));
    assert_eq!(exempted(&allows), []);
    assert!(!is_exempted(&allows, 1, ADMIN));
}
