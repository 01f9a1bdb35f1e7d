//! Tampering with what break-glass rests on beside its own objects: the organization, and the key of the alerts.

use serde_json::{Value, json};

use super::*;

fn call(service: &str, name: &str, parameters: &Value) -> Value {
    let more = json!({ "userIdentity": stranger("Dev"), "requestParameters": parameters });
    record("05:00:00", service, name, MEMBER, more)
}

#[test]
fn accounts_that_are_moved_or_leave_are_found() {
    let account = json!({ "accountId": "333344445555" });
    let records = [
        call("organizations", "MoveAccount", &account),
        call("organizations", "RemoveAccountFromOrganization", &account),
        call("organizations", "CloseAccount", &account),
        call("organizations", "LeaveOrganization", &Value::Null),
        call("organizations", "CreateAccount", &account),
    ];
    let found: Vec<_> = audit(&records, &[])
        .tampering
        .into_iter()
        .map(|one| (one.action, one.target))
        .collect();
    let account = "account 333344445555 of the organization";
    let expected = [
        ("organizations:CloseAccount", account),
        (
            "organizations:LeaveOrganization",
            "its place in the organization",
        ),
        ("organizations:MoveAccount", account),
        ("organizations:RemoveAccountFromOrganization", account),
    ];
    let expected = expected.map(|(action, target)| (action.to_owned(), target.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn a_topic_whose_key_is_taken_away_is_found() {
    let key = |name: &str, key: &str| call("kms", name, &json!({ "keyId": key }));
    let records = [
        key("DisableKey", "0123-abcd"),
        key(
            "ScheduleKeyDeletion",
            "arn:aws:kms:us-east-1:222233334444:key/0123-abcd",
        ),
        key("PutKeyPolicy", "0123-abcd"),
        key("EnableKey", "0123-abcd"),
        key("DisableKey", "9999-abcd"),
    ];
    let found: Vec<_> = audit(&records, &[])
        .tampering
        .into_iter()
        .map(|one| (one.action, one.target))
        .collect();
    let expected = [
        "kms:DisableKey",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
    ];
    let target = "key 0123-abcd of the alerts' topic";
    let expected = expected.map(|action| (action.to_owned(), target.to_owned()));
    assert_eq!(found, expected);

    let mut watch = watch();
    watch.topic_key = Some("alias/break-glass".to_owned());
    let sieve = Sieve::new(&watch).unwrap();
    for (alias, target) in [
        (
            "alias/break-glass",
            Some("key alias/break-glass of the alerts' topic"),
        ),
        ("alias/break-glass-2", None),
    ] {
        let text = call("kms", "DeleteAlias", &json!({ "aliasName": alias })).to_string();
        assert!(sieve.lets_through(text.as_bytes()), "{text}");
        let trace = classify(text.as_bytes(), &watch).unwrap();
        let tampered = trace.and_then(|trace| trace.tampered);
        assert_eq!(tampered.as_deref(), target);
    }
}

#[test]
fn the_event_history_is_asked_for_accounts_that_leave() {
    let asks = |management: bool| -> Vec<String> {
        let place = HistoryPlace {
            account: &MEMBER.parse().unwrap(),
            partition: &"aws".parse().unwrap(),
            management,
            global: true,
        };
        let questions = first_questions(&watch(), place).into_iter();
        let named = questions.filter(|one| one.attribute == Attribute::EventName);
        let about =
            named.filter(|one| one.value.contains("Account") || one.value.contains("Leave"));
        about.map(|one| one.value).collect()
    };
    assert_eq!(asks(false), ["LeaveOrganization"]);
    let all = [
        "CloseAccount",
        "LeaveOrganization",
        "MoveAccount",
        "RemoveAccountFromOrganization",
    ];
    assert_eq!(asks(true), all);
}
