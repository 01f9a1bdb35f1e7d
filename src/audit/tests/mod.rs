//! Records in the shapes that AWS documents, and what the audit makes of them.

mod notice;
mod sessions;
mod tamper;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::spec::IncidentRecord;
use crate::state::AlertNames;

const EMERGENCY: &str = "222233334444";
const MEMBER: &str = "111122223333";
const ADMIN: &str = "arn:aws:iam::111122223333:role/break-glass/BreakGlassAdmin";

fn watch() -> Watch {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Watch {
        emergency_account: EMERGENCY.parse().unwrap(),
        users: set(&["bg-alice", "bg-bob"]),
        roles: BTreeMap::from([(
            "BreakGlassAdmin".to_owned(),
            "/break-glass/".parse().unwrap(),
        )]),
        policies: set(&["break-glass-baseline"]),
        managed_path: "/break-glass/".parse().unwrap(),
        guardrails: true,
        alerts: Some(AlertNames {
            chosen: set(&["central", "uses"]),
            log_group: Some("org-cloudtrail".to_owned()),
        }),
        topic_key: Some("arn:aws:kms:us-east-1:222233334444:key/0123-abcd".to_owned()),
        deployers: BTreeSet::from([Deployer {
            role: "OrganizationAccountAccessRole".to_owned(),
            sessions: set(&["breakglass"]),
        }]),
        deployer_arns: set(&["arn:aws:iam::999999999999:role/Pipeline"]),
    }
}

fn record(at: &str, service: &str, name: &str, account: &str, more: Value) -> Value {
    let mut record = json!({
        "eventTime": format!("2026-11-24T{at}Z"),
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "recipientAccountId": account,
    });
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    record
}

fn user(name: &str, key: &str, began: Option<&str>) -> Value {
    let mut user = json!({
        "type": "IAMUser", "accountId": EMERGENCY, "userName": name, "accessKeyId": key,
        "arn": format!("arn:aws:iam::{EMERGENCY}:user/break-glass/{name}"),
    });
    if let Some(began) = began {
        user["sessionContext"] = json!({ "attributes": {
            "creationDate": format!("2026-11-24T{began}Z"), "mfaAuthenticated": "true" } });
    }
    user
}

fn role(session: &str, key: &str, began: &str) -> Value {
    json!({
        "type": "AssumedRole", "accountId": MEMBER, "accessKeyId": key,
        "arn": format!("arn:aws:sts::{MEMBER}:assumed-role/BreakGlassAdmin/{session}"),
        "sessionContext": {
            "sessionIssuer": { "type": "Role", "arn": ADMIN },
            "attributes": { "creationDate": format!("2026-11-24T{began}Z"), "mfaAuthenticated": "true" },
        },
    })
}

fn stranger(name: &str) -> Value {
    let arn = format!("arn:aws:sts::{MEMBER}:assumed-role/{name}/session");
    let issuer = format!("arn:aws:iam::{MEMBER}:role/{name}");
    json!({ "type": "AssumedRole", "accountId": MEMBER, "arn": arn,
            "sessionContext": { "sessionIssuer": { "arn": issuer } } })
}

fn incident(id: &str, opened: &str, closed: Option<&str>) -> IncidentRecord {
    let time = |at: &str| format!("2026-11-24T{at}Z").parse().unwrap();
    IncidentRecord {
        id: id.to_owned(),
        opened: time(opened),
        closed: closed.map(time),
        accounts: None,
        roles: None,
        users: None,
        reset_at: closed.map(time),
    }
}

fn audit(records: &[Value], incidents: &[IncidentRecord]) -> Audit {
    let mut gatherer = Gatherer::new(None, None);
    let (watch, mut sieve) = (watch(), 0);
    let filter = Sieve::new(&watch).unwrap();
    // Backwards: the order must not matter.
    for record in records.iter().rev() {
        let text = record.to_string();
        let trace = classify(text.as_bytes(), &watch).unwrap();
        let passed = filter.lets_through(text.as_bytes());
        assert!(
            passed || trace.is_none(),
            "the sieve holds back what matters: {text}"
        );
        sieve += usize::from(passed);
        if let Some(trace) = trace {
            gatherer.add(trace);
        }
    }
    let header = AuditHeader {
        organization_id: "o-exampleorg1".to_owned(),
        spec_digest: "sha256:0".to_owned(),
        spec_file: None,
        now: "2026-11-25T12:00:00Z".parse().unwrap(),
        since: None,
        until: None,
        source: RecordSource::Files {
            files: 1,
            skipped: 0,
        },
        records: sieve as u64,
        notes: Vec::new(),
        unreadable: Vec::new(),
        account_names: BTreeMap::new(),
        users: watch.users.clone(),
    };
    judge(gatherer, incidents, header)
}

/// The findings as `code: message`.
fn findings(audit: &Audit) -> Vec<String> {
    let told = |finding: &Finding| format!("{}: {}", finding.code.as_str(), finding.message);
    audit.findings.iter().map(told).collect()
}

#[test]
fn a_switch_in_the_console_is_one_use_that_came_from_a_sign_in() {
    let login = json!({
        "userIdentity": { "type": "IAMUser", "accountId": EMERGENCY, "userName": "bg-alice" },
        "responseElements": { "ConsoleLogin": "Success" }, "additionalEventData": { "MFAUsed": "YES" },
    });
    let switch = json!({
        "userIdentity": { "type": "AssumedRole", "accountId": MEMBER,
            "arn": format!("arn:aws:sts::{MEMBER}:assumed-role/BreakGlassAdmin/bg-alice") },
        "responseElements": { "SwitchRole": "Success" },
        "additionalEventData": { "SwitchFrom": format!("arn:aws:iam::{EMERGENCY}:user/break-glass/bg-alice") },
    });
    let records = [
        record("02:10:00", "signin", "ConsoleLogin", EMERGENCY, login),
        record(
            "02:11:00",
            "iam",
            "ListRoles",
            EMERGENCY,
            json!({ "userIdentity": user("bg-alice", "ASIA1", Some("02:10:01")) }),
        ),
        record("02:12:00", "signin", "SwitchRole", MEMBER, switch),
        record(
            "02:15:00",
            "ec2",
            "RebootInstances",
            MEMBER,
            json!({ "userIdentity": role("bg-alice", "ASIA2", "02:12:02"), "errorCode": "Client.UnauthorizedOperation" }),
        ),
    ];
    let incidents = [incident("INC-1", "02:00:00", Some("03:00:00"))];
    let audit = audit(&records, &incidents);
    assert_eq!(findings(&audit), [""; 0], "{audit:#?}");
    let [login, used] = &audit.uses[..] else {
        panic!("{audit:#?}");
    };
    assert_eq!((login.entries, login.calls, login.mfa), (1, 1, Mfa::Yes));
    assert_eq!(used.parent.as_ref(), Some(&login.id));
    assert_eq!((used.who.as_str(), used.entries), ("bg-alice", 1));
    assert_eq!((used.calls, used.writes, used.failed), (1, 1, 1));
    assert_eq!(used.started.to_string(), "2026-11-24T02:12:00Z");
    assert_eq!(used.incidents, ["INC-1"]);
}

#[test]
fn refused_attempts_are_found_whoever_made_them() {
    let mistyped = json!({
        "userIdentity": { "type": "IAMUser", "accountId": EMERGENCY, "userName": "HIDDEN_DUE_TO_SECURITY_REASONS" },
        "responseElements": { "ConsoleLogin": "Failure" }, "errorMessage": "No username found in supplied account",
    });
    let wrong = json!({
        "userIdentity": { "type": "IAMUser", "accountId": EMERGENCY, "userName": "bg-bob" },
        "responseElements": { "ConsoleLogin": "Failure" }, "errorMessage": "Failed authentication",
    });
    let elsewhere = json!({
        "userIdentity": { "type": "IAMUser", "accountId": MEMBER, "userName": "HIDDEN_DUE_TO_SECURITY_REASONS" },
        "responseElements": { "ConsoleLogin": "Failure" },
    });
    let denied = json!({
        "userIdentity": stranger("Developer"), "errorCode": "AccessDenied", "requestParameters": null,
        "errorMessage": format!("User: arn:x is not authorized to perform: sts:AssumeRole on resource: {ADMIN}"),
    });
    let records = [
        record("02:10:00", "signin", "ConsoleLogin", EMERGENCY, mistyped),
        record(
            "02:11:00",
            "signin",
            "ConsoleLogin",
            EMERGENCY,
            wrong.clone(),
        ),
        record("02:12:00", "signin", "ConsoleLogin", EMERGENCY, wrong),
        record("02:13:00", "signin", "ConsoleLogin", MEMBER, elsewhere),
        record("02:14:00", "sts", "AssumeRole", MEMBER, denied),
    ];
    let audit = audit(&records, &[]);
    assert_eq!(
        findings(&audit),
        [
            "failed_attempt: sign-in to 222233334444 as (unknown name) from 203.0.113.7 was refused once",
            "failed_attempt: sign-in to 222233334444 as bg-bob from 203.0.113.7 was refused 2 times",
            "failed_attempt: arn:aws:sts::111122223333:assumed-role/Developer/session was refused role BreakGlassAdmin in 111122223333 once",
        ]
    );
    assert_eq!((audit.summary.uses, audit.summary.refused), (0, 3));
}

#[test]
fn keys_and_the_sessions_made_from_them() {
    let token = json!({
        "userIdentity": user("bg-alice", "AKIA1", None),
        "requestParameters": { "serialNumber": "arn:aws:iam::222233334444:mfa/x" },
        "responseElements": { "credentials": { "accessKeyId": "ASIA1" } },
    });
    let assume = json!({
        "userIdentity": user("bg-alice", "ASIA1", Some("02:00:00")),
        "requestParameters": { "roleArn": ADMIN, "roleSessionName": "INC-1" },
        "responseElements": { "credentials": { "accessKeyId": "ASIA2" } },
    });
    let on = json!({
        "userIdentity": role("INC-1", "ASIA2", "02:01:00"),
        "requestParameters": { "roleArn": "arn:aws:iam::111122223333:role/Deploy", "roleSessionName": "x" },
        "responseElements": { "credentials": { "accessKeyId": "ASIA3" } },
    });
    let records = [
        record("02:00:00", "sts", "GetSessionToken", EMERGENCY, token),
        record("02:01:00", "sts", "AssumeRole", EMERGENCY, assume),
        record("02:02:00", "sts", "AssumeRole", MEMBER, on),
        record(
            "02:30:00",
            "s3",
            "ListBuckets",
            EMERGENCY,
            json!({ "userIdentity": user("bg-bob", "AKIA2", None) }),
        ),
    ];
    let incidents = [incident("INC-1", "01:00:00", Some("04:00:00"))];
    let audit = audit(&records, &incidents);
    assert_eq!(
        findings(&audit),
        [
            "went_on: bg-alice used role BreakGlassAdmin in 111122223333, and went on to arn:aws:iam::111122223333:role/Deploy",
            "no_mfa: bg-bob used an access key of 222233334444 without MFA",
        ]
    );
    let parents: Vec<bool> = audit.uses.iter().map(|one| one.parent.is_some()).collect();
    assert_eq!(parents, [false, true, true, false], "{audit:#?}");
}

#[test]
fn root_is_a_use_of_its_own() {
    let assume = json!({
        "userIdentity": stranger("Security"),
        "requestParameters": { "targetPrincipal": MEMBER },
        "responseElements": { "credentials": { "accessKeyId": "ASIA9" } },
    });
    let act = json!({
        "userIdentity": { "type": "Root", "accountId": MEMBER, "accessKeyId": "ASIA9", "sessionContext": {
            "assumedRoot": "true", "attributes": { "creationDate": "2026-11-24T02:00:01Z", "mfaAuthenticated": "false" } } },
    });
    let records = [
        record("02:00:00", "sts", "AssumeRoot", "999999999999", assume),
        record("02:05:00", "s3", "DeleteBucketPolicy", MEMBER, act),
    ];
    let by = "arn:aws:sts::111122223333:assumed-role/Security/session";
    assert_eq!(
        findings(&audit(&records, &[])),
        [format!(
            "root_use: {by} used root of 111122223333 without an open incident"
        )]
    );
    let mut covering = incident("INC-1", "01:00:00", Some("04:00:00"));
    assert_eq!(findings(&audit(&records, &[covering.clone()])), [""; 0]);
    // An incident that is about roles is not about root.
    covering.roles = Some(vec!["BreakGlassAdmin".to_owned()]);
    assert_eq!(audit(&records, &[covering]).findings.len(), 1);
}

#[test]
fn tampering_is_what_others_than_the_deployer_change() {
    let on_role = |by: Value, name: &str| {
        let parameters = json!({ "roleName": "breakglassadmin" });
        record(
            "05:00:00",
            "iam",
            name,
            MEMBER,
            json!({ "userIdentity": by, "requestParameters": parameters }),
        )
    };
    let mut deployer = stranger("OrganizationAccountAccessRole");
    deployer["arn"] = json!(format!(
        "arn:aws:sts::{MEMBER}:assumed-role/OrganizationAccountAccessRole/breakglass"
    ));
    let mut pipeline = stranger("Pipeline");
    pipeline["sessionContext"]["sessionIssuer"]["arn"] =
        json!("arn:aws:iam::999999999999:role/Pipeline");
    let more = |parameters: Value| json!({ "userIdentity": stranger("Dev"), "requestParameters": parameters });
    let records = [
        on_role(stranger("Dev"), "UpdateAssumeRolePolicy"),
        on_role(stranger("OrganizationAccountAccessRole"), "DeleteRole"),
        on_role(stranger("Dev"), "GetRole"),
        on_role(deployer, "DeleteRole"),
        on_role(pipeline, "DeleteRole"),
        record(
            "05:01:00",
            "cloudtrail",
            "StopLogging",
            MEMBER,
            more(json!({ "name": "org-trail" })),
        ),
        record(
            "05:02:00",
            "organizations",
            "DetachPolicy",
            MEMBER,
            more(json!({ "policyId": "p-1" })),
        ),
        record(
            "05:03:00",
            "sns",
            "DeleteTopic",
            MEMBER,
            more(json!({ "topicArn": "arn:aws:sns:us-east-1:1:uses" })),
        ),
        record(
            "05:03:01",
            "events",
            "RemoveTargets",
            MEMBER,
            more(json!({ "rule": "break-glass-root", "ids": ["break-glass"] })),
        ),
        record(
            "05:03:02",
            "events",
            "DeleteEventBus",
            MEMBER,
            more(json!({ "name": "central" })),
        ),
        record(
            "05:03:03",
            "monitoring",
            "DeleteAlarms",
            MEMBER,
            more(json!({ "alarmNames": ["other", "break-glass-use"] })),
        ),
        record(
            "05:03:04",
            "logs",
            "DeleteLogGroup",
            MEMBER,
            more(json!({ "logGroupName": "org-cloudtrail" })),
        ),
        record(
            "05:03:05",
            "iam",
            "DeleteRolePolicy",
            MEMBER,
            more(json!({ "roleName": "break-glass-events", "policyName": "send-events" })),
        ),
        // What is somebody else's, though it speaks of them or is named nearly so.
        record(
            "05:03:06",
            "events",
            "PutTargets",
            MEMBER,
            more(
                json!({ "rule": "mine", "targets": [{ "arn": "arn:aws:events:us-east-1:1:event-bus/central" }] }),
            ),
        ),
        record(
            "05:03:07",
            "logs",
            "CreateLogStream",
            MEMBER,
            more(json!({ "logGroupName": "org-cloudtrail", "logStreamName": "1" })),
        ),
        record(
            "05:03:08",
            "sns",
            "DeleteTopic",
            MEMBER,
            more(json!({ "topicArn": "arn:aws:sns:us-east-1:1:uses-of-mine" })),
        ),
        record(
            "05:04:00",
            "iam",
            "CreatePolicyVersion",
            MEMBER,
            more(json!({ "policyArn": "arn:aws:iam::1:policy/break-glass/limit" })),
        ),
        record(
            "05:05:00",
            "iam",
            "AttachRolePolicy",
            MEMBER,
            more(
                json!({ "roleName": "Other", "policyArn": "arn:aws:iam::1:policy/break-glass/limit" }),
            ),
        ),
    ];
    let dev = "arn:aws:sts::111122223333:assumed-role/Dev/session";
    let own = "arn:aws:sts::111122223333:assumed-role/OrganizationAccountAccessRole/session";
    assert_eq!(
        findings(&audit(&records, &[])),
        [
            format!(
                "tampering: {dev} called iam:UpdateAssumeRolePolicy on role BreakGlassAdmin in 111122223333"
            ),
            format!(
                "tampering: {own} called iam:DeleteRole on role BreakGlassAdmin in 111122223333"
            ),
            format!(
                "tampering: {dev} called cloudtrail:StopLogging on trail org-trail in 111122223333"
            ),
            format!(
                "tampering: {dev} called organizations:DetachPolicy on control policy p-1 in 111122223333"
            ),
            format!(
                "tampering: {dev} called sns:DeleteTopic on alert resource uses in 111122223333"
            ),
            format!(
                "tampering: {dev} called events:RemoveTargets on alert resource break-glass-root in 111122223333"
            ),
            format!(
                "tampering: {dev} called events:DeleteEventBus on alert resource central in 111122223333"
            ),
            format!(
                "tampering: {dev} called monitoring:DeleteAlarms on alert resource break-glass-use in 111122223333"
            ),
            format!(
                "tampering: {dev} called logs:DeleteLogGroup on alert resource org-cloudtrail in 111122223333"
            ),
            format!(
                "tampering: {dev} called iam:DeleteRolePolicy on role break-glass-events in 111122223333"
            ),
            format!(
                "tampering: {dev} called iam:CreatePolicyVersion on policy limit in 111122223333"
            ),
        ]
    );
}

#[test]
fn incidents_are_matched_by_name_then_by_time() {
    let used = |session: &str| {
        [
            record(
                "02:00:00",
                "ec2",
                "StopInstances",
                MEMBER,
                json!({ "userIdentity": role(session, "ASIA2", "02:00:00") }),
            ),
            record(
                "02:30:00",
                "ec2",
                "StopInstances",
                MEMBER,
                json!({ "userIdentity": role(session, "ASIA2", "02:00:00") }),
            ),
        ]
    };
    let by = "bg-alice used role BreakGlassAdmin in 111122223333";
    let check = |session: &str, incidents: &[IncidentRecord], expected: &[String]| {
        let audit = audit(&used(session), incidents);
        assert_eq!(findings(&audit), expected, "{session} {incidents:?}");
    };
    let named = "unknown used role BreakGlassAdmin in 111122223333";
    check(
        "bg-alice",
        &[incident("INC-1", "02:31:00", None)],
        &[format!("no_incident: {by} without an open incident")],
    );
    check(
        "INC-12",
        &[incident("INC-1", "02:40:00", None)],
        &[format!("no_incident: {named} without an open incident")],
    );
    check(
        "bg-alice",
        &[incident("INC-1", "02:10:00", Some("03:00:00"))],
        &[format!(
            "outside_window: {by} 10 min before incident INC-1 was opened"
        )],
    );
    check(
        "inc-1.x",
        &[incident("INC-1", "01:00:00", Some("02:20:00"))],
        &[
            format!("outside_window: {named} until 10 min after incident INC-1 was closed"),
            "never_closed: incident INC-1 is closed, but unknown used credentials after they were reset".to_owned(),
        ],
    );
    let mut narrow = incident("INC-1", "01:00:00", Some("03:00:00"));
    narrow.accounts = Some(vec![EMERGENCY.parse().unwrap()]);
    check(
        "INC-1",
        &[narrow.clone()],
        &[format!(
            "outside_scope: {named}, which incident INC-1, named by the session, does not cover"
        )],
    );
    check(
        "bg-alice",
        &[narrow],
        &[format!("no_incident: {by} without an open incident")],
    );
    check(
        "bg-alice",
        &[incident("INC-1", "01:00:00", None)],
        &[
            "never_closed: incident INC-1 is still open, 33 h after its last use by bg-alice"
                .to_owned(),
        ],
    );
}

#[test]
fn names_are_found_behind_escapes_and_in_every_wrapping() {
    let watch = watch();
    let sieve = Sieve::new(&watch).unwrap();
    let record = record(
        "02:00:00",
        "ec2",
        "StopInstances",
        MEMBER,
        json!({ "userIdentity": role("x", "ASIA2", "02:00:00") }),
    );
    let plain = record.to_string();
    let escaped = plain.replace("BreakGlass", "\\u0042reakGlass");
    let slashes = plain.replace('/', "\\/");
    let bridge = json!({ "detail-type": "x", "detail": record }).to_string();
    let looked_up = json!({ "EventId": "x", "CloudTrailEvent": plain }).to_string();
    for text in [&plain, &escaped, &slashes, &bridge, &looked_up] {
        assert!(sieve.lets_through(text.as_bytes()), "{text}");
        assert!(
            classify(text.as_bytes(), &watch).unwrap().is_some(),
            "{text}"
        );
    }
    assert!(
        !sieve.lets_through(
            plain
                .replace("reakGlass", "")
                .replace("break-glass", "")
                .as_bytes()
        )
    );
    for other in [
        r#"{"detail-type":"x","detail":{"name":"BreakGlassAdmin"}}"#,
        r#"{"eventType":"AwsCloudTrailInsight","insightDetails":{"eventName":"a"}}"#,
    ] {
        assert_eq!(classify(other.as_bytes(), &watch), Ok(None), "{other}");
    }
    for strange in [
        r#"{"BreakGlassAdmin":1}"#.to_owned(),
        r#"{"eventName":null,"eventSource":"BreakGlassAdmin"}"#.to_owned(),
        format!(r#"{{"x":{{"Records":[{plain}]}}}}"#),
        json!({ "logEvents": [{ "message": plain }] }).to_string(),
    ] {
        let error = classify(strange.as_bytes(), &watch);
        assert_eq!(error, Err(NO_RECORD.to_owned()), "{strange}");
    }
    assert!(classify(b"{\"eventName\":\"a\",\"eventSource\":\"b\"}", &watch).is_err());
}
