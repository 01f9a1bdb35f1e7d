//! The protection policy of the library, with exemptions, against requests.

use super::*;
use crate::policy::{library, lint, organizations_size};

const DEPLOYER: &str = "arn:aws:iam::111122223333:role/break-glass-deployer";
const STRANGER: &str = "arn:aws:iam::111122223333:role/Administrator";
const OPERATOR: &str = "arn:aws:iam::111122223333:user/break-glass/ops";

fn template() -> Document {
    let path = "/break-glass/".parse().unwrap();
    let text = library::render("break-glass-protection", &"aws".parse().unwrap(), &path);
    parse(&text.unwrap()).unwrap()
}

fn protection() -> Document {
    let old = template();
    let principals = set([DEPLOYER, ADMIN]);
    let new = exempt(&old, &Chosen::EachDeny, &principals, DocumentKind::Scp).unwrap();
    assert!(prove(&old, &new, &principals).is_ok());
    new
}

fn is_denied(principal: &str, action: &str, resource: &str) -> bool {
    let request = request(principal, action, resource);
    !blocking_statements(&protection(), DocumentKind::Scp, &request).is_empty()
}

#[test]
fn it_is_a_small_scp() {
    let document = protection();
    assert_eq!(lint(&document, DocumentKind::Scp), [""; 0]);
    let size = organizations_size(&minified(&template()));
    assert!(size < 2_000, "{size}");
    let size = organizations_size(&minified(&document));
    assert!(size < 2_500, "{size}");
    // What it lets through by itself: the users' enrolment of their own devices.
    let own: Vec<_> = exempted(&template())
        .into_iter()
        .map(|one| (one.sid, one.principal))
        .collect();
    let sid = Some("ProtectBreakGlassEnrolment".to_owned());
    assert_eq!(own, [(sid, "arn:aws:iam::*:user/break-glass/*".to_owned())]);
}

#[test]
fn changes_are_left_to_the_deployer_and_to_break_glass() {
    let changes = [
        (
            "iam:UpdateAssumeRolePolicy",
            "arn:aws:iam::111122223333:role/break-glass/Admin",
        ),
        (
            "iam:AttachRolePolicy",
            "arn:aws:iam::111122223333:role/break-glass/Admin",
        ),
        (
            "iam:PassRole",
            "arn:aws:iam::111122223333:role/break-glass/Admin",
        ),
        (
            "iam:CreateRole",
            "arn:aws:iam::111122223333:role/break-glass/Other",
        ),
        ("iam:DeleteUser", OPERATOR),
        ("iam:CreateLoginProfile", OPERATOR),
        ("iam:UpdateLoginProfile", OPERATOR),
        ("iam:CreateAccessKey", OPERATOR),
        ("iam:UpdateAccessKey", OPERATOR),
        ("iam:AddUserToGroup", OPERATOR),
        ("iam:DeactivateMFADevice", OPERATOR),
        ("iam:EnableMFADevice", OPERATOR),
        ("iam:ResyncMFADevice", OPERATOR),
        ("iam:UploadSSHPublicKey", OPERATOR),
        ("iam:ResetServiceSpecificCredential", OPERATOR),
        (
            "iam:CreatePolicyVersion",
            "arn:aws:iam::111122223333:policy/break-glass/base",
        ),
        (
            "iam:SetDefaultPolicyVersion",
            "arn:aws:iam::111122223333:policy/break-glass/base",
        ),
        (
            "iam:CreateVirtualMFADevice",
            "arn:aws:iam::111122223333:mfa/break-glass/ops",
        ),
        (
            "iam:DeleteVirtualMFADevice",
            "arn:aws:iam::111122223333:mfa/break-glass/ops",
        ),
        (
            "events:DisableRule",
            "arn:aws:events:eu-west-1:111122223333:rule/break-glass-login",
        ),
        (
            "events:RemoveTargets",
            "arn:aws:events:eu-west-1:111122223333:rule/break-glass/login",
        ),
        (
            "events:PutRule",
            "arn:aws:events:eu-west-1:111122223333:rule/break-glass-login",
        ),
        (
            "events:PutTargets",
            "arn:aws:events:eu-west-1:111122223333:rule/break-glass-login",
        ),
        (
            "events:DeleteEventBus",
            "arn:aws:events:eu-west-1:111122223333:event-bus/break-glass",
        ),
        (
            "events:PutPermission",
            "arn:aws:events:eu-west-1:111122223333:event-bus/break-glass",
        ),
        (
            "sns:DeleteTopic",
            "arn:aws:sns:eu-west-1:111122223333:break-glass-alerts",
        ),
        (
            "sns:SetTopicAttributes",
            "arn:aws:sns:eu-west-1:111122223333:break-glass-alerts",
        ),
        (
            "sns:Unsubscribe",
            "arn:aws:sns:eu-west-1:111122223333:break-glass-alerts",
        ),
    ];
    for (action, resource) in changes {
        for (principal, denied) in [
            (STRANGER, true),
            ("arn:aws:iam::111122223333:root", true),
            ("arn:aws:iam::111122223333:user/break-glass-2/ops", true),
            ("arn:aws:iam::999999999999:role/break-glass/Admin", true),
            (DEPLOYER, false),
            (ADMIN, false),
            (
                "arn:aws:iam::111122223333:role/aws-service-role/x/AWSServiceRoleForX",
                false,
            ),
            ("events.amazonaws.com", false),
        ] {
            assert_eq!(
                is_denied(principal, action, resource),
                denied,
                "{principal} {action} {resource}"
            );
        }
    }
}

#[test]
fn users_serve_themselves_but_change_nothing_else() {
    let device = "arn:aws:iam::111122223333:mfa/break-glass/ops";
    for (action, resource) in [
        ("iam:ChangePassword", OPERATOR),
        ("iam:CreateVirtualMFADevice", device),
        (
            "iam:CreateVirtualMFADevice",
            "arn:aws:iam::111122223333:mfa/ops",
        ),
        ("iam:EnableMFADevice", OPERATOR),
        ("iam:ResyncMFADevice", OPERATOR),
        ("iam:GetUser", OPERATOR),
        ("sts:AssumeRole", ADMIN),
    ] {
        assert!(!is_denied(OPERATOR, action, resource), "{action}");
    }
    for (action, resource) in [
        ("iam:DeactivateMFADevice", OPERATOR),
        ("iam:DeleteVirtualMFADevice", device),
        ("iam:CreateAccessKey", OPERATOR),
        ("iam:DeleteLoginProfile", OPERATOR),
        ("iam:PutUserPolicy", OPERATOR),
    ] {
        assert!(is_denied(OPERATOR, action, resource), "{action}");
    }
}

#[test]
fn what_is_not_break_glass_stays_untouched() {
    for (action, resource) in [
        ("iam:CreateRole", "arn:aws:iam::111122223333:role/app/web"),
        (
            "iam:CreateRole",
            "arn:aws:iam::111122223333:role/break-glass-2/x",
        ),
        ("iam:CreateUser", "arn:aws:iam::111122223333:user/ann"),
        ("iam:EnableMFADevice", "arn:aws:iam::111122223333:user/ann"),
        (
            "iam:CreateVirtualMFADevice",
            "arn:aws:iam::111122223333:mfa/ann",
        ),
        (
            "iam:CreateServiceLinkedRole",
            "arn:aws:iam::111122223333:role/aws-service-role/x/AWSServiceRoleForX",
        ),
        (
            "iam:DeleteServiceLinkedRole",
            "arn:aws:iam::111122223333:role/aws-service-role/x/AWSServiceRoleForX",
        ),
        ("iam:GetRole", ADMIN),
        ("iam:ListAttachedRolePolicies", ADMIN),
        ("sts:AssumeRole", ADMIN),
        (
            "events:PutRule",
            "arn:aws:events:eu-west-1:111122223333:rule/other",
        ),
        (
            "events:DescribeRule",
            "arn:aws:events:eu-west-1:111122223333:rule/break-glass-login",
        ),
        // Rules of member accounts send their events on under a role of the account.
        (
            "events:PutEvents",
            "arn:aws:events:eu-west-1:111122223333:event-bus/break-glass",
        ),
        (
            "sns:Publish",
            "arn:aws:sns:eu-west-1:111122223333:break-glass-alerts",
        ),
        (
            "sns:ConfirmSubscription",
            "arn:aws:sns:eu-west-1:111122223333:break-glass-alerts",
        ),
        (
            "sns:DeleteTopic",
            "arn:aws:sns:eu-west-1:111122223333:other",
        ),
    ] {
        assert!(
            !is_denied(STRANGER, action, resource),
            "{action} {resource}"
        );
    }
}
