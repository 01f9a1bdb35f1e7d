//! Actions and resources.

use super::*;

fn allowed(statement: &Value, action: &str, resource: &str) -> bool {
    let decision = decision(&request(json!({
        "action": action,
        "resource": resource,
        "identity_policies": [policy(statement.clone())],
    })));
    assert!(
        matches!(decision, "allowed" | "implicit_deny"),
        "{decision}"
    );
    decision == "allowed"
}

#[test]
fn actions_match_in_either_case() {
    for [element, patterns, action, expected] in rows(
        r#"
        Action | "s3:GetObject" | s3:GetObject | yes
        Action | "S3:getobject" | s3:GetObject | yes
        Action | "s3:GetObject" | S3:GETOBJECT | yes
        Action | "s3:Get*" | s3:GetObject | yes
        Action | "s3:*Object" | s3:GetObject | yes
        Action | "s3:Get?bject" | s3:GetObject | yes
        Action | "s3:Get" | s3:GetObject | no
        Action | "s3:*" | ec2:RunInstances | no
        Action | "*" | ec2:RunInstances | yes
        Action | "*:*" | ec2:RunInstances | yes
        Action | ["ec2:*", "s3:*"] | s3:GetObject | yes
        Action | [] | s3:GetObject | no
        NotAction | "s3:*" | s3:GetObject | no
        NotAction | "S3:*" | iam:GetUser | yes
        NotAction | ["s3:*", "iam:*"] | iam:GetUser | no
        NotAction | "*" | iam:GetUser | no
        Action | "${aws:username}" | alice | no
        "#,
    ) {
        let statement = json!({ "Effect": "Allow", element: json(patterns), "Resource": "*" });
        let found = allowed(&statement, action, "*");
        assert_eq!(found, expected == "yes", "{element} {patterns} {action}");
    }
}

#[test]
fn resources_match_over_the_whole_text() {
    for [element, patterns, resource, expected] in rows(
        r#"
        Resource | "arn:aws:s3:::bucket/*" | arn:aws:s3:::bucket/a/b | yes
        Resource | "arn:aws:s3:::bucket/*" | arn:aws:s3:::bucket | no
        Resource | "arn:aws:s3:::Bucket/*" | arn:aws:s3:::bucket/a | no
        Resource | "arn:aws:s3:::bucket/?" | arn:aws:s3:::bucket/é | yes
        Resource | "arn:aws:s3:::bucket/?" | arn:aws:s3:::bucket/ab | no
        Resource | "arn:aws:*" | arn:aws:sns:eu-west-1:1:topic | yes
        Resource | "arn:aws:sns:*:topic" | arn:aws:sns:eu-west-1:1:topic | yes
        Resource | "*" | * | yes
        Resource | "*" | arn:aws:s3:::bucket | yes
        Resource | "arn:aws:s3:::bucket" | * | no
        Resource | ["arn:aws:s3:::a", "arn:aws:s3:::b"] | arn:aws:s3:::b | yes
        Resource | [] | arn:aws:s3:::b | no
        NotResource | "arn:aws:s3:::a*" | arn:aws:s3:::b | yes
        NotResource | "arn:aws:s3:::a*" | arn:aws:s3:::ab | no
        NotResource | ["arn:aws:s3:::a", "arn:aws:s3:::b"] | arn:aws:s3:::b | no
        "#,
    ) {
        let statement = json!({ "Effect": "Allow", "Action": "*", element: json(patterns) });
        let found = allowed(&statement, "s3:GetObject", resource);
        assert_eq!(found, expected == "yes", "{element} {patterns} {resource}");
    }
}

#[test]
fn hostile_globs_take_no_time() {
    let pattern = "a*".repeat(2_000) + "b";
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": pattern });
    assert!(!allowed(&statement, "s3:GetObject", &"a".repeat(20_000)));
}

#[test]
fn the_resource_is_a_star_when_not_given() {
    let mut request = request(json!({
        "action": "s3:ListAllMyBuckets",
        "identity_policies": [allow_all()],
    }));
    request.as_object_mut().unwrap().remove("resource");
    assert_eq!(decision(&request), "allowed");
}
