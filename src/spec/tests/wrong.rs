//! Texts that don't become a spec, each with what is said about it.

use super::*;

#[test]
fn text_that_is_no_spec() {
    for (text, expected) in [
        (
            "",
            "error 1:1 the file is empty | a spec begins with `version: 1`",
        ),
        ("# nothing\n", "error 1:1 the file is empty"),
        ("[]", "error 1:1 a spec is a mapping of sections"),
        ("hello", "error 1:1 a spec is a mapping of sections"),
        ("{}", "error 1:1 the key `version` is missing"),
        ("a: [\n", "error 2:1 this is not YAML: "),
        ("a: b: c\n", "error 1:5 this is not YAML: "),
        ("a: \"x\n", "error  … this is not YAML: "),
        (
            "version: 1\n---\nversion: 1\n",
            "error 2:1 a second document begins here | put it into a file of its own",
        ),
    ] {
        check(text, &[expected]);
    }
}

#[test]
fn yaml_that_says_more_than_it_shows() {
    let cases: &[(&str, &[&str])] = &[
        (
            "drills: { file: drills.yaml }\ndrills: { file: drills.yaml }",
            &["error 5:1 the key \"drills\" is written twice | keep one of them"],
        ),
        (
            "defaults: { tags: { a: b, 'a': c } }",
            &["error 4:27 the key \"a\" is written twice"],
        ),
        (
            "defaults: !!map { path: /x/ }",
            &["error 4:11 tags have no meaning in a spec"],
        ),
        (
            "defaults: { path: !secret /x/ }",
            &["error 4:19 tags have no meaning"],
        ),
        (
            "defaults: &d { path: /x/ }\nsafety: { <<: *d }",
            &["error 5:11 merge keys (`<<`) are not part of YAML 1.2"],
        ),
        (
            "defaults: { tags: { [a]: b } }",
            &["error 4:21 a key must be text"],
        ),
        (
            "defaults: { tags: { 1: b, true: c } }",
            &[
                "error 4:21 the key 1 is not text | quote it: \"1\"",
                "error 4:27 the key true is not text | quote it",
            ],
        ),
        (
            "organization: {id: o-exampleorg1}",
            &["error 4:1 the key \"organization\" is written twice"],
        ),
    ];
    for (sections, expected) in cases {
        check(&with(sections), expected);
    }
    check(&with("defaults: { tags: { a: !!str 12 } }"), &[]);
}

#[test]
fn values_of_the_wrong_type() {
    let cases: &[(&str, &[&str])] = &[
        (
            "version: 1",
            &["error 4:1 the key \"version\" is written twice"],
        ),
        (
            "usrs: []",
            &["error 4:1 unknown key `usrs` | did you mean `users`?"],
        ),
        (
            "zzz: []",
            &["error 4:1 unknown key `zzz` | known are version, organization"],
        ),
        ("users: {}", &["error 4:8 expected a list, found a mapping"]),
        (
            "users:",
            &["error 4:1 expected a value, found nothing | write a value, or leave the key out"],
        ),
        (
            "users: [ann]",
            &["error 4:9 expected a mapping, found the text \"ann\""],
        ),
        (
            "users: [{ name: 12 }]",
            &["error 4:17 expected text, found the number 12 | quote it: \"12\""],
        ),
        (
            "users: [{ name: true }]",
            &["error 4:17 expected text, found true | quote it: \"true\""],
        ),
        ("users: [{}]", &["error 4:9 the key `name` is missing"]),
        (
            "users: [{ name: a, console: \"true\" }]",
            &[
                "error 4:29 expected true or false, found the text \"true\" | write true or false, without quotes",
            ],
        ),
        (
            "users: [{ name: a, access_keys: vault }]",
            &["error 4:33 unknown value `vault` | did you mean `vaulted`?"],
        ),
        (
            "users: [{ name: a, mfa: { kinds: [fido] } }]",
            &["error 4:35 unknown value `fido` | did you mean `fido2`?"],
        ),
        (
            "users: [{ name: a, mfa: { at_least: two } }]",
            &["error 4:37 expected a whole number, found the text \"two\""],
        ),
        (
            "users: [{ name: a, mfa: { at_least: \"2\" } }]",
            &["error 4:37 expected a whole number, found the text \"2\" | write it without quotes"],
        ),
        (
            "users: [{ name: a, mfa: { at_least: -1 } }]",
            &["error 4:37 -1 is not from 0 to 4294967295"],
        ),
        (
            "users: [{ name: a, custodians: { password: { nam: x }, token: y } }]",
            &[
                "error 4:44 the key `name` is missing",
                "error 4:46 unknown key `nam` | did you mean `name`?",
            ],
        ),
        (
            "users: [{ name: a, custodians: { password: 5, token: y } }]",
            &[
                "error 4:44 expected the name of a custodian … found a number | if text is meant, quote it: \"5\"",
            ],
        ),
        (
            "defaults: { path: break-glass }",
            &["error 4:19 \"break-glass\" is not an IAM path"],
        ),
        (
            "safety: { max_removals: 25 }",
            &["error 4:25 the number 25 has no unit | write 25%"],
        ),
        (
            "safety: { max_removals: 120% }",
            &["error 4:25 \"120%\" is not a share"],
        ),
        (
            "drills: { file: drills.yaml, max_age: 90 }",
            &["error 4:39 the number 90 has no unit | write 90s"],
        ),
        (
            "drills: { file: drills.yaml, max_age: 3 months }",
            &["error 4:39 \"3 months\" is not a duration | write a number and a unit"],
        ),
        (
            "ignore: [{ match: 1/iam_role/x, reason: r, expires: 2027-02-30 }]",
            &["error 4:53 \"2027-02-30\" is not a day | write it as 2027-06-30"],
        ),
        (
            "ignore: [{ match: 1/iam_role/x, reason: r }]",
            &["error 4:10 the key `expires` is missing"],
        ),
        (
            "alerts: { notify: [{ mail: x }] }",
            &["error 4:22 unknown value `mail` | known are sns, webhook"],
        ),
        (
            "alerts: { notify: [{ sns: x }] }",
            &["warning 4:27 \"x\" is not the ARN of a topic"],
        ),
        (
            "alerts: { bus: { account: 123456789012, name: b } }",
            &["error 4:27 expected text, found the number 123456789012 | quote it"],
        ),
        (
            "alerts: { bus: { account: root, name: b } }",
            &["error 4:27 \"root\" names no account | write emergency, management"],
        ),
        (
            "alerts: { uses: [logon] }",
            &["error 4:18 unknown value `logon` | did you mean `login`?"],
        ),
        (
            "root_access: { mfa: optional }",
            &["error 4:21 unknown value `optional` | known are required"],
        ),
        (
            "policies: { p: { document: { a: 1.50 } } }",
            &["error 4:33 the number 1.50 can't be kept exactly | if text is meant, quote it"],
        ),
        (
            "coverage: { required: [R], exempt: [{ accounts: { include: [prod] }, reason: r }] }",
            &["error 4:61 \"prod\" selects no accounts | a selector is"],
        ),
    ];
    for (sections, expected) in cases {
        check(&with(sections), expected);
    }
    check(
        "version: 2\norganization: { id: o-exampleorg1 }\nemergency_account: '222233334444'",
        &[
            "error 1:10 version 2 of the spec's format is not known | this breakglass reads version 1",
        ],
    );
    check(
        "version: '1'\norganization: { id: o-exampleorg1 }\nemergency_account: '222233334444'",
        &["error 1:10 expected a whole number, found the text \"1\" | write it without quotes"],
    );
    check(
        "version: 1\norganization: { id: o-exampleorg1 }\nemergency_account: 012345678901",
        &["error 3:20 expected text, found the number 012345678901 | quote it: \"012345678901\""],
    );
    check(
        "version: 1\norganization: { id: o-exampleorg1 }\nemergency_account: '2222'",
        &["error 3:20 \"2222\" is not an account id (12 digits)"],
    );
}

#[test]
fn many_mistakes_are_found_in_one_run() {
    let text = "\
version: 1
emergency_account: '2222'
organization: { id: 7, member_role: { plan: R }, overides: {} }
users:
  - { name: 1, consol: true }
  - { nam: b }
  - 5
roles:
  - { name: R, trusted: [ann, \"user:b c\"], max_session: 1, permissions: { managed_policies: [x] } }
";
    check(
        text,
        &[
            "error 2:20 \"2222\" is not an account id",
            "error 3:21 expected text, found the number 7",
            "error 3:37 the key `apply` is missing",
            "error 3:50 unknown key `overides` | did you mean `overrides`?",
            "error 5:13 expected text, found the number 1",
            "error 5:16 unknown key `consol` | did you mean `console`?",
            "error 6:5 the key `name` is missing",
            "error 6:7 unknown key `nam`",
            "error 7:5 expected a mapping, found the number 5",
            "error 9:26 \"ann\" is neither user:NAME nor an ARN | write user:NAME",
            "error 9:31 \"b c\" can't be the name of a user",
            "error 9:57 the number 1 has no unit",
            "error 9:94 \"x\" is neither policy:NAME nor an ARN",
        ],
    );
}

#[test]
fn files_that_say_the_same_thing_twice() {
    let told = |first: &str, second: &str| {
        let error = load_all(&[("a.yaml", first), ("b.yaml", second)]).unwrap_err();
        error.render(false)
    };
    let emergency = told(SMALL, "emergency_account: \"222233334444\"");
    assert!(
        emergency.contains("the key \"emergency_account\" is given in two files"),
        "{emergency}"
    );
    assert!(
        emergency.contains("--> b.yaml:1:1") && emergency.contains("a.yaml:3:1"),
        "{emergency}"
    );
    let id = told(SMALL, "organization: { id: o-exampleorg2 }");
    assert!(
        id.contains("the key \"id\" is given in two files") && id.contains("b.yaml:1:17"),
        "{id}"
    );
    let kind = told(SMALL, "organization: []");
    assert!(
        kind.contains("the key \"organization\" is given in two files"),
        "{kind}"
    );
    let version = told(SMALL, "version: 2");
    assert!(
        version.contains("the key \"version\" is given in two files"),
        "{version}"
    );
    let both_empty = told("", "[");
    assert!(
        both_empty.contains("a.yaml:1:1") && both_empty.contains("b.yaml:1:"),
        "{both_empty}"
    );
}
