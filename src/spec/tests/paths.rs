//! Ways in that rest on what they should survive, or lead nowhere.

use super::*;

const CUSTODIANS: &str = "custodians: { password: p, token: t }";

#[test]
fn a_way_in_is_told_by_what_it_relies_on() {
    let centre =
        "arn:aws:iam::222233334444:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_01";
    let pipeline = "arn:aws:iam::222233334444:role/ci";
    let dead = "warning 9:13 nobody gets in this way: credentials of an assumed role carry no MFA, which mfa.required asks for";
    for (keys, expected) in [
        (
            "trusted: [\"user:ann\"]\n  failure_mode: identity_provider_down".to_owned(),
            vec![],
        ),
        (
            "trusted: [\"arn:aws:iam::222233334444:user/other\"]".to_owned(),
            vec![],
        ),
        (
            format!("trusted: [\"{centre}\"]\n  failure_mode: identity_provider_down"),
            vec![
                dead.to_owned(),
                format!(
                    "warning 9:13 it relies on IAM Identity Center ({centre}), so it is not sure to survive identity_provider_down | trust a user"
                ),
            ],
        ),
        (
            format!("trusted: [\"{pipeline}\"]"),
            vec![
                dead.to_owned(),
                format!(
                    "warning 9:13 it is a chained hop: it relies on the role {pipeline} … and fails with it"
                ),
            ],
        ),
        (
            format!("trusted: [\"{pipeline}\"]\n  mfa: {{ required: false }}"),
            vec![format!(
                "warning 9:13 it is a chained hop: it relies on the role {pipeline}"
            )],
        ),
    ] {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(&with_role(&keys), &expected);
    }
}

#[test]
fn fido_devices_are_not_enough_for_the_command_line() {
    let user = |mfa: &str| {
        format!(
            "{USERS}  - {{ name: cat, mfa: {{ {mfa} }}, access_keys: vaulted, {CUSTODIANS} }}\n"
        )
    };
    let certified = "fido_certification: L1";
    check(
        &with(&user(&format!(
            "kinds: [fido2, hardware_totp], {certified}"
        ))),
        &[],
    );
    check(&with(&user("at_least: 2")), &[]);
    let alone = "no hardware token is asked for beside FIDO, which the command line can't use | add hardware_totp";
    check(
        &with(&user(&format!("kinds: [fido2], {certified}"))),
        &[&format!("warning 7:25 {alone}")],
    );
    check(
        &with(&user("kinds: [fido2, hardware_totp]")),
        &["warning 7:25 a passkey that is synced counts as fido2 … | set fido_certification: L1"],
    );
    let role =
        "roles:\n- { name: R, incident: { session_name: \"INC-*\" }, trusted: [\"user:cat\"] }\n";
    let console = "warning 9:40 the console can't reach this role";
    check(
        &with(&(user(&format!("kinds: [fido2, hardware_totp], {certified}")) + role)),
        &[console],
    );
    check(
        &with(&(user(&format!("kinds: [fido2], {certified}")) + role)),
        &[
            &format!("warning 7:25 {alone}"),
            console,
            "warning 9:61 cat does not get in this way: incident is for the command line only",
        ],
    );
}

#[test]
fn a_user_without_a_key_does_not_get_into_a_role_for_the_command_line() {
    let role =
        "roles:\n- { name: R, incident: { session_name: \"INC-*\" }, trusted: [\"user:ann\"] }\n";
    check(
        &with(&format!("{USERS}{role}")),
        &[
            "warning 8:40 the console can't reach this role",
            "warning 8:61 ann does not get in this way: … it has no access key | write access_keys: vaulted",
        ],
    );
}
