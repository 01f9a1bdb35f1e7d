//! The audit of the event history: what is asked of which account and Region, and what comes of it.

use serde_json::{Value, json};

use crate::harness::Emulator;
use crate::spec_without_passwords;

const REGIONS: &str = "organization: { id: ORGANIZATION, regions: [eu-west-1] }";

/// A small organization whose spec names one Region, incidents and a topic.
fn organization(topic: &str) -> Emulator {
    let emulator = Emulator::small();
    let spec = spec_without_passwords().replace("organization: { id: ORGANIZATION }", REGIONS);
    let records = "incidents: { file: incidents.yaml }";
    let alerts = format!("alerts: {{ notify: [{{ sns: \"{topic}\" }}] }}");
    emulator.write("breakglass.yaml", &format!("{spec}{records}\n{alerts}\n"));
    emulator.write("policies/limit.json", crate::LIMIT);
    emulator.write(
        "incidents.yaml",
        "- { id: INC-1, opened: 2026-11-24T02:00:00Z, closed: 2026-11-24T04:00:00Z, reset_at: 2026-11-24T05:00:00Z }",
    );
    emulator
}

fn event(region: &str, account: &str, at: &str, name: (&str, &str), more: Value) -> Value {
    let mut record = json!({
        "eventID": format!("{account}-{at}-{}", name.1),
        "eventTime": format!("2026-11-24T{at}Z"),
        "eventSource": format!("{}.amazonaws.com", name.0),
        "eventName": name.1,
        "awsRegion": region,
        "sourceIPAddress": "203.0.113.7",
        "recipientAccountId": account,
    });
    let fields = record.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    json!({ "account": account, "region": region, "record": record })
}

/// A user assumes a role in one Region, and the session is at work in another.
pub fn events(emulator: &Emulator, account: &str, session: &str) -> Value {
    let emergency = emulator.account("emergency");
    let role = format!("arn:aws:iam::{account}:role/break-glass/BreakGlassAdmin");
    let call = |identity: Value| {
        json!({
            "userIdentity": identity,
            "requestParameters": { "roleArn": role, "roleSessionName": session },
            "responseElements": { "credentials": { "accessKeyId": "ASIAROLE" } },
        })
    };
    let user = json!({
        "type": "IAMUser", "accountId": emergency, "userName": "bg-alice", "accessKeyId": "ASIAUSER",
        "sessionContext": { "attributes": { "creationDate": "2026-11-24T02:10:00Z", "mfaAuthenticated": "true" } },
    });
    let other_side =
        json!({ "type": "AWSAccount", "accountId": emergency, "principalId": "AIDAALICE" });
    let at_work = json!({ "userIdentity": {
        "type": "AssumedRole", "accountId": account, "accessKeyId": "ASIAROLE",
        "arn": format!("arn:aws:sts::{account}:assumed-role/BreakGlassAdmin/{session}"),
        "sessionContext": {
            "sessionIssuer": { "type": "Role", "arn": role },
            "attributes": { "creationDate": "2026-11-24T02:15:00Z", "mfaAuthenticated": "true" },
        },
    }});
    let assume = ("sts", "AssumeRole");
    let mut target = event("us-east-1", account, "02:15:00", assume, call(other_side));
    target["resources"] = json!([role]);
    let mut events = vec![
        event("us-east-1", emergency, "02:15:00", assume, call(user)),
        target,
    ];
    for minute in 20..23 {
        let at = format!("02:{minute}:00");
        let stop = ("ec2", "StopInstances");
        events.push(event("eu-west-1", account, &at, stop, at_work.clone()));
    }
    events.into()
}

pub const SPAN: [&str; 5] = [
    "usage",
    "--since",
    "2026-11-24T00:00:00Z",
    "--until",
    "2026-11-25T00:00:00Z",
];

#[test]
fn a_use_is_followed_over_accounts_and_regions() {
    let emulator = organization("arn:aws:sns:eu-west-1:123456789012:alerts");
    emulator.settings(json!({ "page_size": 2 }));
    let account = emulator.account("management").to_owned();
    emulator.events(events(&emulator, &account, "INC-1"));
    let (code, audit) = emulator.json(&SPAN);
    assert_eq!(code, 0, "{audit:#}");
    let uses = audit["uses"].as_array().unwrap();
    assert_eq!(uses.len(), 2, "{audit:#}");
    assert_eq!(uses[1]["who"], "bg-alice");
    assert_eq!(uses[1]["calls"], 3);
    assert_eq!(uses[1]["incidents"], json!(["INC-1"]));
    let regions = audit["source"]["event_history"]["regions"].clone();
    assert_eq!(regions, json!(["eu-west-1", "us-east-1"]));
}

#[test]
fn an_account_that_can_not_be_read_makes_the_audit_incomplete() {
    let emulator = organization("arn:aws:sns:eu-west-1:123456789012:alerts");
    let emergency = emulator.account("emergency").to_owned();
    emulator.faults(json!([
        { "kind": "access_denied", "action": "cloudtrail:LookupEvents", "account": emergency }
    ]));
    let (code, audit) = emulator.json(&SPAN);
    assert_eq!(code, 3, "{audit:#}");
    // The Region of the spec, and those where a sign-in may be recorded.
    let expected = [
        "ap-southeast-2",
        "eu-north-1",
        "eu-west-1",
        "us-east-1",
        "us-east-2",
    ];
    let unreadable = audit["unreadable"].as_array().unwrap();
    assert_eq!(unreadable.len(), expected.len(), "{audit:#}");
    for (found, region) in unreadable.iter().zip(expected) {
        assert_eq!(found["source"], format!("{emergency} {region}"));
        let error = found["error"].as_str().unwrap();
        assert!(
            error.starts_with("cloudtrail:LookupEvents: AccessDenied"),
            "{error}"
        );
    }
}

#[test]
fn findings_are_handed_on_only_when_asked_for() {
    let emulator = organization("arn:aws:sns:eu-west-1:123456789012:missing");
    let account = emulator.account("management").to_owned();
    emulator.events(events(&emulator, &account, "looking"));
    emulator.write("incidents.yaml", "[]");
    let published = |emulator: &Emulator| {
        let calls = emulator.calls().into_iter();
        calls.filter(|call| call.name() == "sns:Publish").count()
    };
    emulator.run(&SPAN).expect(2);
    assert_eq!(published(&emulator), 0);
    let run = emulator.run(&[&SPAN[..], &["--notify"]].concat()).expect(1);
    assert!(published(&emulator) > 0);
    assert!(run.stdout.contains("no_incident"), "{run:?}");
    assert!(run.stderr.contains("sns:Publish: NotFound"), "{run:?}");
}
