//! Which records are joined to one session, and which never are.

use serde_json::{Value, json};

use super::*;

fn from(mut record: Value, address: &str) -> Value {
    record["sourceIPAddress"] = json!(address);
    record
}

fn login(at: &str, mfa: &str) -> Value {
    let more = json!({
        "userIdentity": { "type": "IAMUser", "accountId": EMERGENCY, "userName": "bg-alice" },
        "responseElements": { "ConsoleLogin": "Success" }, "additionalEventData": { "MFAUsed": mfa },
    });
    record(at, "signin", "ConsoleLogin", EMERGENCY, more)
}

fn assume(at: &str, caller: Value, account: &str, key: &str, device: Option<&str>) -> Value {
    let more = json!({
        "userIdentity": caller,
        "requestParameters": { "roleArn": ADMIN, "roleSessionName": "INC-1", "serialNumber": device },
        "responseElements": { "credentials": { "accessKeyId": key } },
    });
    record(at, "sts", "AssumeRole", account, more)
}

fn mfa(audit: &Audit) -> Vec<Mfa> {
    audit.uses.iter().map(|one| one.mfa).collect()
}

#[test]
fn a_sign_in_without_mfa_is_not_hidden_by_one_with_it() {
    let other = "198.51.100.9";
    let act = record(
        "02:10:09",
        "iam",
        "ListRoles",
        EMERGENCY,
        json!({ "userIdentity": user("bg-alice", "ASIA1", Some("02:10:01")) }),
    );
    for second in ["02:10:00", "02:10:08"] {
        let records = [login("02:10:00", "Yes"), from(login(second, "No"), other)];
        let apart = audit(&records, &[]);
        let mut found = mfa(&apart);
        found.sort_by_key(|mfa| *mfa == Mfa::No);
        assert_eq!(found, [Mfa::Yes, Mfa::No], "{apart:#?}");
        assert_ne!(apart.uses[0].id, apart.uses[1].id);
        let told = findings(&apart);
        let without = told.iter().filter(|told| told.starts_with("no_mfa"));
        assert_eq!(without.count(), 1, "{told:?}");
    }
    // From two addresses it is two sign-ins, and the session belongs to the one from its own.
    let records = [
        from(login("02:09:59", "Yes"), other),
        login("02:10:05", "Yes"),
        act,
    ];
    let apart = audit(&records, &[]);
    let told: Vec<_> = apart
        .uses
        .iter()
        .map(|one| (one.addresses.join(" "), one.entries, one.calls))
        .collect();
    let expected = [(other.to_owned(), 1, 0), ("203.0.113.7".to_owned(), 1, 1)];
    assert_eq!(told, expected);
}

#[test]
fn sessions_of_one_name_and_second_are_told_apart_by_their_keys() {
    let caller = || user("bg-alice", "AKIA1", None);
    let act = |key: &str, mfa: &str| {
        let mut by = role("INC-1", key, "02:10:00");
        by["sessionContext"]["attributes"]["mfaAuthenticated"] = json!(mfa);
        record(
            "02:11:00",
            "ec2",
            "StopInstances",
            MEMBER,
            json!({ "userIdentity": by }),
        )
    };
    let records = [
        assume("02:10:00", caller(), EMERGENCY, "ASIA2", Some("mfa")),
        assume("02:10:00", caller(), EMERGENCY, "ASIA3", None),
        act("ASIA2", "true"),
        act("ASIA3", "false"),
        // What a service does in the first of them has a key of its own.
        act("ASIA4", "true"),
    ];
    let audit = audit(&records, &[]);
    let used = audit.uses.iter().filter(|one| one.session.is_some());
    let told: Vec<_> = used.map(|one| (one.mfa, one.entries, one.calls)).collect();
    assert_eq!(told, [(Mfa::Yes, 1, 2), (Mfa::No, 1, 1)], "{audit:#?}");
}

#[test]
fn what_two_accounts_tell_of_is_counted_once() {
    let caller = user("bg-alice", "AKIA1", None);
    let target = json!({ "type": "AWSAccount", "principalId": "AIDA1", "accountId": EMERGENCY });
    for second in ["02:10:00", "02:10:01"] {
        let records = [
            assume("02:10:00", caller.clone(), EMERGENCY, "ASIA2", Some("mfa")),
            assume(second, target.clone(), MEMBER, "ASIA2", Some("mfa")),
        ];
        let audit = audit(&records, &[]);
        let used: Vec<_> = audit
            .uses
            .iter()
            .filter(|one| one.session.is_some())
            .collect();
        assert_eq!(used.len(), 1, "{audit:#?}");
        assert_eq!((used[0].entries, used[0].who.as_str()), (1, "bg-alice"));
    }
}

#[test]
fn the_console_opened_with_a_session_is_a_way_in() {
    let open = |mfa: &str| {
        let mut by = role("x", "ASIA2", "02:09:00");
        by["sessionContext"]["attributes"]["mfaAuthenticated"] = json!(mfa);
        let more = json!({
            "userIdentity": by, "responseElements": { "ConsoleLogin": "Success" },
            "additionalEventData": { "MFAUsed": "No" },
        });
        record("02:10:00", "signin", "ConsoleLogin", MEMBER, more)
    };
    let alone = audit(&[open("false")], &[]);
    assert_eq!(
        findings(&alone),
        [
            "no_incident: unknown used role BreakGlassAdmin in 111122223333 without an open incident",
            "no_mfa: unknown used role BreakGlassAdmin in 111122223333 without MFA",
        ]
    );
    let act = json!({ "userIdentity": role("x", "ASIA2", "02:09:00") });
    let records = [
        open("true"),
        record("02:11:00", "ec2", "StopInstances", MEMBER, act),
    ];
    let used = audit(&records, &[]);
    let [one] = &used.uses[..] else {
        panic!("{used:#?}");
    };
    assert_eq!((one.entries, one.calls, one.mfa), (1, 1, Mfa::Yes));
}

#[test]
fn attempts_from_ever_new_places_are_one_use_with_short_lists() {
    let failed = |number: usize| {
        let more = json!({
            "userIdentity": { "type": "IAMUser", "accountId": EMERGENCY, "userName": "bg-bob" },
            "responseElements": { "ConsoleLogin": "Failure" }, "userAgent": format!("agent {number:03}"),
        });
        let at = format!("02:{:02}:{:02}", number / 60, number % 60);
        from(
            record(&at, "signin", "ConsoleLogin", EMERGENCY, more),
            &format!("2001:db8::{number:03}"),
        )
    };
    let denied = |number: usize| {
        let mut by = stranger("Developer");
        by["arn"] = json!(format!(
            "arn:aws:sts::{MEMBER}:assumed-role/Developer/{number:03}"
        ));
        let more = json!({
            "userIdentity": by, "errorCode": "AccessDenied",
            "requestParameters": { "roleArn": ADMIN, "roleSessionName": format!("{number}") },
        });
        record("03:00:00", "sts", "AssumeRole", MEMBER, more)
    };
    let records: Vec<Value> = (0..250).map(failed).chain((0..250).map(denied)).collect();
    let audit = audit(&records, &[]);
    let role = "arn:aws:sts::111122223333:assumed-role/Developer/000";
    assert_eq!(
        findings(&audit),
        [
            "failed_attempt: sign-in to 222233334444 as bg-bob from 2001:db8::000, 2001:db8::001, 2001:db8::002 and 247 more was refused 250 times".to_owned(),
            format!("failed_attempt: {role} and others were refused role BreakGlassAdmin in 111122223333 250 times"),
        ]
    );
    let one = &audit.uses[0];
    assert_eq!((one.addresses.len(), one.addresses_left_out), (100, 150));
    assert_eq!((one.agents.len(), one.agents_left_out), (100, 150));
}
