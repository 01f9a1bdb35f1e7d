//! Specs that say what can't be, each with what is said about it.

use super::*;

#[test]
fn organizations_and_defaults_that_can_not_be() {
    let header = |organization: &str| {
        format!(
            "version: 1\norganization: {{ {organization} }}\nemergency_account: '222233334444'\n"
        )
    };
    for (organization, expected) in [
        (
            "id: exampleorg1",
            "error 2:21 \"exampleorg1\" is not the id of an organization",
        ),
        ("id: o-ABCDEFGHIJ", "error 2:21 \"o-ABCDEFGHIJ\" is not"),
        (
            "id: o-exampleorg1, regions: [Frankfurt]",
            "error 2:46 \"Frankfurt\" is not a Region | write it as us-east-1",
        ),
        (
            "id: o-exampleorg1, regions: [us-east-1, us-east-1]",
            "error 2:57 us-east-1 is listed twice",
        ),
        (
            "id: o-exampleorg1, regions: []",
            "error 2:36 the list of Regions is empty",
        ),
        (
            "id: o-exampleorg1, member_role: \"a b\"",
            "error 2:49 \"a b\" can't be the name of a role",
        ),
        (
            "id: o-exampleorg1, overrides: { \"12\": {} }",
            "error 2:49 \"12\" is not an account id",
        ),
        (
            "id: o-exampleorg1, overrides: { \"111122223333\": { external_id: x } }",
            "error 2:80 \"x\" is not an external id",
        ),
    ] {
        check(&header(organization), &[expected]);
    }
    for (defaults, expected) in [
        (
            "path: /aws-reserved/x/",
            "error 4:19 the path /aws-reserved/x/ is reserved for AWS",
        ),
        (
            "path: /a*/",
            "error 4:19 the path /a*/ has a character that policies give a meaning to",
        ),
        (
            "path: /",
            "warning 4:19 nothing is told apart by the path /",
        ),
        (
            "tags: { \"aws:x\": y }",
            "error 4:30 the tag key \"aws:x\" is reserved",
        ),
        (
            "tags: { \"BreakGlass:managed\": y }",
            "error 4:43 the tag key \"BreakGlass:managed\" is reserved: it begins with breakglass:",
        ),
        (
            "tags: { a: \"<\" }",
            "error 4:24 the value of the tag \"a\" is not one that IAM takes",
        ),
        (
            "tags: { \"a#\": b }",
            "error 4:27 \"a#\" can't be the key of a tag",
        ),
        (
            "tags: { Owner: a, owner: b }",
            "error 4:38 the tag keys \"Owner\" and \"owner\" differ in case only",
        ),
    ] {
        check(&with(&format!("defaults: {{ {defaults} }}")), &[expected]);
    }
}

#[test]
fn users_that_can_not_be() {
    const C: &str = "custodians: { password: p, token: t }";
    for (user, expected) in [
        (format!("name: \"a b\", {C}"), "error 7:13 \"a b\" can't be the name of a user | a name has 1 to 64 characters"),
        (format!("name: {}, {C}", "x".repeat(65)), "error 7:13 \"xxx"),
        (format!("name: ANN, {C}"), "error 7:13 the users \"ann\" and \"ANN\" differ in case only, which IAM doesn't tell apart"),
        (format!("name: ann, {C}"), "error 7:13 the user \"ann\" is declared twice"),
        ("name: cat".to_owned(), "warning 7:5 the user \"cat\" has no custodians"),
        ("name: cat, custodians: { password: Safe, token: \"safe \" }".to_owned(), "error 7:55 \"safe \" keeps both the password and the token"),
        ("name: cat, custodians: { password: { name: p, recipients: [me] }, token: t }".to_owned(), "error 7:66 \"me\" is not a public key"),
        ("name: cat, custodians: { password: { name: p, recipients: [AGE-SECRET-KEY-1XYZ] }, token: t }".to_owned(), "error 7:66 this is a secret key, which must never be in a spec"),
        (format!("name: cat, console: false, {C}"), "warning 7:5 the user \"cat\" can't sign in"),
        (format!("name: cat, mfa: {{ at_least: 9 }}, {C}"), "error 7:35 9 devices can't be asked for | a user has 1 to 8 devices"),
        (format!("name: cat, mfa: {{ kinds: [virtual_totp, virtual_totp] }}, {C}"), "error 7:47 the kind is listed twice"),
        (format!("name: cat, mfa: {{ kinds: [virtual_totp], fido_certification: L2 }}, {C}"), "warning 7:68 a certification is asked of FIDO keys"),
        (format!("name: cat, tags: {{ TEAM: x, team: y }}, {C}"), "error 7:41 the tag keys \"TEAM\" and \"team\""),
    ] {
        check(&with(&format!("{USERS}  - {{ {user} }}")), &[expected]);
    }
    check(
        &with("users: [{ name: ann, custodians: { password: a, token: b } }]"),
        &["warning 4:1 1 of at least 2 users are declared"],
    );
    let many: Vec<String> = (0..50).map(|number| format!("t{number}: x")).collect();
    check(
        &with(&format!(
            "{USERS}  - {{ name: cat, tags: {{ {} }}, {C} }}",
            many.join(", ")
        )),
        &[
            "error 7:18 with defaults.tags and breakglass:managed, breakglass:mfa, breakglass:password-set these are 53 tags; IAM takes 50",
        ],
    );
}

#[test]
fn roles_that_can_not_be() {
    let many = (10..70)
        .map(|number| format!("\"arn:aws:iam::1111222233{number}:user/ops\""))
        .collect::<Vec<_>>()
        .join(", ");
    let managed = (10..21)
        .map(|number| format!("\"arn:aws:iam::aws:policy/P{number}\""))
        .collect::<Vec<_>>()
        .join(", ");
    for (keys, expected) in [
        (
            "trusted: []",
            "error 9:3 nobody may assume the role \"R\" | trust a user",
        ),
        (
            "trusted: [\"user:anne\"]",
            "error 9:13 the spec has no user \"anne\" | did you mean \"ann\"?",
        ),
        (
            "trusted: [\"user:ann\", \"user:ann\"]",
            "error 9:25 user:ann is trusted twice",
        ),
        (
            "trusted: [\"user:ann\", \"arn:aws:iam::222233334444:user/break-glass/ann\"]",
            "error 9:25 arn:aws:iam::222233334444:user/break-glass/ann is trusted twice",
        ),
        (
            "trusted: [\"*\"]",
            "error 9:13 \"*\" is neither user:NAME nor an ARN",
        ),
        (
            "trusted: [\"arn:aws:iam::222233334444:root\"]",
            "error 9:13 \"arn:aws:iam::222233334444:root\" is not the ARN of an IAM user or role",
        ),
        (
            "trusted: [\"arn:aws:iam::222233334444:user/*\"]",
            "error 9:13 \"arn:aws:iam::222233334444:user/*\" has a wildcard",
        ),
        (
            "trusted: [\"arn:aws:iam::*:user/x\"]",
            "error 9:13 \"arn:aws:iam::*:user/x\" has a wildcard",
        ),
        (
            "trusted: [\"arn:aws:sts::222233334444:assumed-role/x/y\"]",
            "error 9:13 \"arn:aws:sts::222233334444:assumed-role/x/y\" is a session",
        ),
        (
            &format!("trusted: [{many}]"),
            "error 9:3 the trust policy would have 2 … characters; IAM takes 2048",
        ),
        (
            "trusted: [\"user:ann\"]\n  max_session: 30m",
            "error 10:16 a session of 30m is not possible | a role's sessions last 1h to 12h",
        ),
        (
            "trusted: [\"user:ann\"]\n  max_session: 13h",
            "error 10:16 a session of 13h is not possible",
        ),
        (
            "trusted: [\"user:ann\"]\n  mfa: { max_age: 0s }",
            "error 10:19 MFA can't be 0 seconds old",
        ),
        (
            "trusted: [\"arn:aws:iam::999999999999:user/ops\"]\n  mfa: { required: false, max_age: 1h }",
            "error 10:36 an age of MFA is asked for, but MFA is not required",
        ),
        (
            "trusted: [\"arn:aws:iam::999999999999:user/ops\"]\n  incident: { session_name: \"INC-*\" }",
            "warning 10:29 the console can't reach this role",
        ),
        (
            "trusted: [\"arn:aws:iam::999999999999:user/ops\"]\n  incident: { session_name: \"INC *\" }",
            "error 10:29 no session's name can be like \"INC *\"",
        ),
        (
            "trusted: [\"user:ann\"]\n  path: /a-path-that-is-long/and-goes-on-and-on-and-on-for-quite-a-while/",
            "error 8:9 path and name have 66 characters",
        ),
        (
            "trusted: [\"user:ann\"]\n  accounts: { include: [] }",
            "error 10:15 no account is included",
        ),
        (
            "trusted: [\"user:ann\"]\n  accounts: { exclude: [\"ou:Sandbox\"] }",
            "error 10:25 \"ou:Sandbox\" selects no accounts | an OU path begins at the root",
        ),
        (
            "trusted: [\"user:ann\"]\n  must_allow: [StopLogging]",
            "error 10:16 \"StopLogging\" is not an action",
        ),
        (
            "trusted: [\"user:ann\"]\n  must_deny: [\"s3:*\", \"s3:*\"]",
            "error 10:23 s3:* is listed twice",
        ),
        (
            "trusted: [\"user:ann\"]\n  failure_mode: \" \"",
            "error 10:17 the text is empty",
        ),
        (
            "trusted: [\"user:ann\"]\n  description: \"日\"",
            "error 10:16 the description is not one that IAM takes",
        ),
        (
            "trusted: [\"user:ann\"]\n  permissions: { managed_policies: [\"policy:nothing\"] }",
            "error 10:37 the spec has no policy \"nothing\" | none is declared",
        ),
        (
            "trusted: [\"user:ann\"]\n  permissions: { permissions_boundary: \"policy:nothing\" }",
            "error 10:40 the spec has no policy \"nothing\"",
        ),
        (
            "trusted: [\"user:ann\"]\n  permissions: { permissions_boundary: 5 }",
            "error 10:40 expected policy:NAME, the ARN of a managed policy, or null, found a number",
        ),
        (
            "trusted: [\"user:ann\"]\n  permissions: { managed_policies: [\"arn:aws:iam::aws:role/x\"] }",
            "error 10:37 \"arn:aws:iam::aws:role/x\" is not the ARN of a managed policy",
        ),
        (
            &format!("trusted: [\"user:ann\"]\n  permissions: {{ managed_policies: [{managed}] }}"),
            "warning 10:18 11 managed policies are attached; IAM takes 10",
        ),
        (
            "trusted: [\"user:ann\"]\n  permissions: { inline_policies: { breakglass-revoked-sessions: { library: deny-break-glass-tampering } } }",
            "error 10:37 the name \"breakglass-revoked-sessions\" is reserved",
        ),
    ] {
        check(&with_role(keys), &[expected]);
    }
    check(
        &with_role("trusted: [\"user:ann\"]\n- { name: r, trusted: [\"user:ann\"] }"),
        &["error 10:11 the roles \"R\" and \"r\" differ in case only"],
    );
}

#[test]
fn policies_that_can_not_be() {
    let referring = "trusted: [\"user:ann\"]\n  permissions: { managed_policies: [\"policy:p\"] }\npolicies:\n  p: ";
    let long = |size: usize| {
        format!(
            "{{ document: {{ Version: 2012-10-17, Statement: {{ Effect: Allow, Action: \"s3:{}\", Resource: \"*\" }} }} }}",
            "x".repeat(size)
        )
    };
    for (policy, expected) in [
        (
            "{}",
            "error 12:3 a policy has exactly one of file, document and library",
        ),
        (
            "{ library: break-glass-baseline, file: x }",
            "error 12:3 a policy has exactly one of",
        ),
        (
            "{ library: break-glass-protection }",
            "error 12:17 break-glass-protection is a guardrail, which no user, role or customer managed policy can have | those that it can have are break-glass-baseline, break-glass-mfa, deny-break-glass-tampering",
        ),
        (
            "{ library: break-glas-baseline }",
            "error 12:17 the library has no policy \"break-glas-baseline\" | did you mean \"break-glass-baseline\"?",
        ),
        (
            "{ file: none.json }",
            "error 12:14 \"none.json\" can't be read: no such file | the path is relative to the spec file",
        ),
        ("{ document: [] }", "error 12:8 a policy document"),
        (
            "{ document: { Version: 2012-10-17, Statement: [] } }",
            "error 12:41 \"Statement\" is empty",
        ),
        (
            "{ document: { Version: 2012-10-17, Statement: { Effect: Alow, Action: \"*\", Resource: \"*\" } } }",
            "error 12:62 \"Effect\" in statement 1 must be",
        ),
        (
            "{ document: { Version: 2012-10-17, Statement: { Effect: Allow, Action: \"*\", Resorce: \"*\" } } }",
            "error 12:91 unknown element \"Resorce\"",
        ),
        (
            "{ document: { Version: 2012-10-17, Statement: { Effect: Allow, Action: \"*\", Principal: \"*\", Resource: \"*\" } } }",
            "error 12:3 statement 1: an identity policy must not have Principal or NotPrincipal | IAM would refuse this policy",
        ),
        (
            &long(6_144),
            "error 12:3 the policy has 62 … characters; IAM takes 6144 (white space is not counted)",
        ),
        (
            "{ library: break-glass-baseline, path: /elsewhere/ }",
            "warning 12:45 the policy is not under /break-glass/",
        ),
    ] {
        check(&with_role(&format!("{referring}{policy}")), &[expected]);
    }
    check(
        &with("policies: { p: { library: break-glass-baseline } }"),
        &["warning 4:13 nothing refers to the policy \"p\", so it is not created"],
    );
    let inline = |size: usize| {
        format!(
            "trusted: [\"user:ann\"]\n  permissions: {{ inline_policies: {{ a: {}, b: {} }} }}",
            long(size),
            long(size)
        )
    };
    check(&with_role(&inline(5_000)), &[]);
    check(
        &with_role(&inline(5_100)),
        &["error 10:18 the inline policies together have 10 … characters; IAM takes 10240"],
    );
    check(
        &with(&format!(
            "{USERS}  - {{ name: cat, custodians: {{ password: p, token: t }}, permissions: {{ inline_policies: {{ a: {} }} }} }}",
            long(2_000)
        )),
        &["error 7:72 the inline policies together have 20 … characters; IAM takes 2048"],
    );
}

#[test]
fn a_mistake_in_a_policy_file_is_shown_there() {
    let text = with("policies: { p: { file: broken.json } }");
    let error = load_text(&text).unwrap_err();
    let finding = error
        .problems
        .iter()
        .map(|problem| problem.finding(&error.sources))
        .find(|finding| finding.severity == Severity::Error)
        .unwrap();
    assert_eq!(finding.file.as_deref(), Some("broken.json"));
    assert_eq!((finding.line, finding.column), (Some(3), Some(3)));
    assert_eq!(finding.text.as_deref(), Some("  \"Statment\": []"));
    assert!(
        finding.message.contains("did you mean \"Statement\"?"),
        "{}",
        finding.message
    );
    let shown = error.render(false);
    assert!(
        shown.contains("--> broken.json:3:3") && shown.contains("breakglass.yaml:4:24"),
        "{shown}"
    );
}

#[test]
fn sections_that_can_not_be() {
    let exception = |keys: &str| format!("guardrails:\n  exceptions:\n  - {{ {keys} }}\n");
    let cases: Vec<(String, &str)> = vec![
        (
            exception("id: x, policy: p, reason: r, owner: o, ticket: t, expires: 2027-01-01"),
            "error 6:5 the exception lets nobody through",
        ),
        (
            exception(
                "id: a/b, policy: p, reason: r, owner: o, ticket: t, expires: 2027-01-01, users: [ann]",
            ),
            "error 6:11 \"a/b\" can't be the id of an exception",
        ),
        (
            exception(
                "id: x, policy: p, reason: r, owner: o, ticket: t, expires: 2027-01-01, users: [an]",
            ),
            "error 6:86 the spec has no user \"an\" | did you mean \"ann\"?",
        ),
        (
            exception(
                "id: x, policy: p, reason: r, owner: o, ticket: t, expires: 2027-01-01, roles: [R]",
            ),
            "error 6:86 the spec has no role \"R\" | none is declared",
        ),
        (
            exception(
                "id: x, policy: \"\", reason: r, owner: o, ticket: t, expires: 2027-01-01, users: [ann]",
            ),
            "error 6:22 the text is empty",
        ),
        (
            exception(
                "id: x, policy: p, reason: r, owner: o, ticket: t, expires: 2027-01-01, users: [ann], statements: []",
            ),
            "error 6:92 no statement is excepted",
        ),
        (
            "guardrails: { protection: { policy: p, attach: [] } }".to_owned(),
            "error 4:40 the policy is attached to nothing",
        ),
        (
            "guardrails: { protection: { policy: p, attach: [everywhere] } }".to_owned(),
            "error 4:49 a policy can't be attached to \"everywhere\"",
        ),
        (
            "coverage: { required: [R] }".to_owned(),
            "error 4:24 the spec has no role \"R\"",
        ),
        (
            "alerts: { topic: { name: \"a b\" } }".to_owned(),
            "error 4:26 \"a b\" can't be a name here",
        ),
        (
            "alerts: { topic: { name: a, subscriptions: [soc@example.com] } }".to_owned(),
            "error 4:45 \"soc@example.com\" is not a subscription",
        ),
        (
            "alerts: { bus: { account: emergency, name: b, region: x } }".to_owned(),
            "error 4:55 \"x\" is not a Region",
        ),
        (
            "alerts: { uses: [] }".to_owned(),
            "error 4:11 no use raises an alert",
        ),
        (
            "alerts: { notify: [{ sns: \"arn:aws:sqs:us-east-1:222233334444:x\" }] }".to_owned(),
            "warning 4:27 \"arn:aws:sqs:us-east-1:222233334444:x\" is not the ARN of a topic",
        ),
        (
            "alerts: { notify: [{ webhook: { url: \"http://x\" } }] }".to_owned(),
            "error 4:38 the address does not begin with https://HOST",
        ),
        (
            "alerts: { notify: [{ webhook: { url: \"https://me:pw@x/\" } }] }".to_owned(),
            "error 4:38 the address holds a user name or a password",
        ),
        (
            "alerts: { notify: [{ webhook: { url: \"https://x\", secret_env: \"a b\" } }] }"
                .to_owned(),
            "error 4:63 this can't be the name of an environment variable",
        ),
        (
            "drills: { file: drills.yaml, max_age: 0d }".to_owned(),
            "error 4:39 a drill can't be 0 seconds old",
        ),
        (
            "ignore: [{ match: iam_role/x, reason: r, expires: 2027-01-01 }]".to_owned(),
            "error 4:19 \"iam_role/x\" matches no address",
        ),
        (
            "ignore: [{ match: \"*/iam_role/*:tags\", reason: \"\", expires: 2027-01-01 }]"
                .to_owned(),
            "error 4:48 the text is empty",
        ),
    ];
    for (sections, expected) in cases {
        let text = if sections.contains("users") {
            // The users come last, so that lines stay what they are.
            with(&format!("{sections}{USERS}"))
        } else {
            with(&sections)
        };
        check(&text, &[expected]);
    }
    let twice = with(&format!(
        "{}  - {{ id: X, policy: p, reason: r, owner: o, ticket: t, expires: 2027-01-01, users: [ann] }}\n{USERS}",
        exception(
            "id: x, policy: p, reason: r, owner: o, ticket: t, expires: 2027-01-01, users: [ann]"
        )
    ));
    check(
        &twice,
        &["error 7:11 the exceptions \"x\" and \"X\" differ in case only"],
    );
}

#[test]
fn what_is_only_worth_a_warning() {
    check(
        &with("incidents: { file: none.yaml }"),
        &["warning 4:20 \"none.yaml\" can't be read: no such file"],
    );
    check(
        &with_role("trusted: [\"user:ann\"]\n  mfa: { required: false }"),
        &["warning 10:20 users can assume this role without MFA"],
    );
}

#[test]
fn what_may_be_a_secret_is_never_shown() {
    let secrets = [
        "alerts: { notify: [{ webhook: { url: \"https://joe:hunter2@example.com/x\" } }] }",
        "users:\n- { name: ann, custodians: { password: { name: a, recipients: [AGE-SECRET-KEY-HUNTER2] }, token: b } }",
    ];
    for text in secrets {
        let none = |_: &str, _: &str| Err("no files".to_owned());
        let error = load_texts(vec![("spec.yaml".to_owned(), with(text))], &none).unwrap_err();
        let findings: Vec<_> = error
            .problems
            .iter()
            .map(|problem| problem.finding(&error.sources))
            .collect();
        let told = error.render(false) + &serde_json::to_string(&findings).unwrap();
        assert!(!told.to_lowercase().contains("hunter2"), "{told}");
        assert!(told.contains("****"), "{told}");
    }
}
