//! A generated day of CloudTrail logs with 40 break-glass sessions in it, 6 of them bad, is audited exactly.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod generate;

use std::collections::BTreeSet;

use breakglass::audit::{Audit, AuditOutcome};
use breakglass::collect::{UsageRequest, audit_logs};
use breakglass::spec::{Loaded, load_texts};

use generate::{BAD, GOOD, INCIDENTS, SESSIONS, SPEC, day};

fn loaded() -> Loaded {
    let files = vec![("breakglass.yaml".to_owned(), SPEC.to_owned())];
    load_texts(files, &|_, _| Ok(INCIDENTS.to_owned())).unwrap()
}

fn request() -> UsageRequest {
    UsageRequest {
        since: None,
        until: None,
        deployers: BTreeSet::new(),
        now: "2026-11-25T08:00:00Z".parse().unwrap(),
        concurrency: 1,
        max_failures: None,
    }
}

fn audited(records: usize, to_a_file: usize) -> (Audit, usize) {
    let folder = tempfile::tempdir().unwrap();
    let written = day(folder.path(), records, to_a_file).unwrap();
    let paths = [folder.path().to_owned()];
    let audit = audit_logs(&loaded(), &paths, None, &request(), &|_, _| {}).unwrap();
    (audit, written)
}

#[test]
fn a_generated_day_is_audited_exactly() {
    let (audit, written) = audited(6_000, 700);
    assert_eq!(audit.outcome, AuditOutcome::Findings);
    assert_eq!(audit.summary.records, u64::try_from(written).unwrap());
    assert_eq!(audit.summary.uses, SESSIONS, "{:#?}", audit.uses);
    assert_eq!(audit.summary.matched, SESSIONS - 2);
    let found: BTreeSet<[String; 4]> = audit
        .findings
        .iter()
        .map(|finding| {
            let id = finding.use_id.as_ref().unwrap();
            let one = audit.uses.iter().find(|one| one.id == *id).unwrap();
            [
                finding.code.as_str().to_owned(),
                one.principal.name.clone(),
                one.principal.account.to_string(),
                one.session.clone().unwrap_or_default(),
            ]
        })
        .collect();
    assert_eq!(found, BAD.map(|bad| bad.map(str::to_owned)).into());
    assert_eq!(audit.findings.len(), BAD.len(), "{:#?}", audit.findings);
    // Every call is counted once, though each record is there twice.
    let calls: u64 = audit
        .uses
        .iter()
        .filter(|one| one.principal.name.starts_with("BreakGlass"))
        .map(|one| one.calls)
        .sum();
    let good = u64::try_from(GOOD).unwrap();
    assert_eq!(calls, 5 * good + good * (good - 1) / 2 + 5 * 4);
    for one in &audit.uses {
        let role = one.principal.name.starts_with("BreakGlass");
        let alone = one.session.as_deref() == Some("just-looking");
        assert_eq!(one.parent.is_some(), role && !alone, "{one:#?}");
        let user = ["bg-alice", "bg-bob"].contains(&one.who.as_str());
        assert_eq!(user, !alone && one.principal.name != "root", "{one:#?}");
        assert_eq!(one.addresses, ["203.0.113.7"]);
    }
}

#[test]
fn the_order_of_records_and_files_changes_nothing() {
    let (mut one, _) = audited(3_000, 100);
    let (other, _) = audited(3_000, 2_999);
    one.source = other.source.clone();
    assert_eq!(one, other);
}

#[test]
fn shapes_that_are_not_known_are_never_clean() {
    let folder = tempfile::tempdir().unwrap();
    let record = r#"{"eventTime":"2026-11-24T13:10:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","recipientAccountId":"222233334444","userIdentity":{"type":"IAMUser","accountId":"222233334444","userName":"bg-alice"},"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"Yes"}}"#;
    let event =
        r#"{"detail-type":"EC2 Instance State-change Notification","detail":{"state":"stopped"}}"#;
    let message = serde_json::json!({ "message": record });
    let read = |text: String| {
        let path = folder.path().join("log.json");
        std::fs::write(&path, text).unwrap();
        let paths = [path];
        let audit = audit_logs(&loaded(), &paths, None, &request(), &|_, _| {}).unwrap();
        (audit.outcome, audit.summary.uses)
    };
    // An event that is no record is left out alone.
    for text in [
        format!("{event}\n{{\"detail-type\":\"x\",\"detail\":{record}}}\n"),
        format!("{record}\n{event}\n"),
    ] {
        assert_eq!(read(text.clone()), (AuditOutcome::Findings, 1), "{text}");
    }
    // What is around an object of no known shape counts, but the file is not taken as read.
    for (text, uses) in [
        (format!("{{\"level\":\"info\"}}\n{record}\n"), 1),
        (format!("{record}\n{{\"level\":\"info\"}}\n"), 1),
        (format!("{{\"x\":{{\"Records\":[{record}]}}}}"), 0),
        (format!("{{\"logEvents\":[{message}]}}"), 0),
        (serde_json::json!([record]).to_string(), 0),
        (event.to_owned(), 0),
    ] {
        assert_eq!(
            read(text.clone()),
            (AuditOutcome::Incomplete, uses),
            "{text}"
        );
    }
}

#[test]
fn files_that_can_not_be_read_are_named_and_the_rest_is_audited() {
    let folder = tempfile::tempdir().unwrap();
    day(folder.path(), 3_000, 500).unwrap();
    let at = |name: &str| folder.path().join(name);
    let cut = at("CloudTrail_00003.json.gz");
    let packed = std::fs::read(&cut).unwrap();
    std::fs::write(&cut, &packed[..packed.len() / 2]).unwrap();
    std::fs::write(at("a.json"), "").unwrap();
    std::fs::write(at("b.json"), "<html>").unwrap();
    std::fs::write(at("c.json"), r#"{"some":"thing else"}"#).unwrap();
    std::fs::write(at("d.txt"), "notes").unwrap();
    std::fs::write(
        at("e.json"),
        r#"{"eventName":"x","eventSource":"BreakGlassAdmin"}"#,
    )
    .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let named = elsewhere.path().join("c.json");
    std::fs::copy(at("c.json"), &named).unwrap();
    let paths = [
        folder.path().to_owned(),
        named.clone(),
        elsewhere.path().join("none"),
    ];
    let audit = audit_logs(&loaded(), &paths, None, &request(), &|_, _| {}).unwrap();
    assert_eq!(audit.outcome, AuditOutcome::Incomplete);
    let told = audit.unreadable.iter().map(|source| {
        let name = source.source.rsplit('/').next().unwrap();
        let error = source.error.split(':').next().unwrap();
        (name, error)
    });
    let told: BTreeSet<_> = told.collect();
    let expected = [
        ("CloudTrail_00003.json.gz", "it is damaged"),
        ("a.json", "it is empty"),
        ("b.json", "byte 0 is not JSON that holds records"),
        ("c.json", "it holds no records of CloudTrail"),
        ("e.json", "a record has no eventTime that can be read"),
        ("none", "No such file or directory (os error 2)"),
    ];
    assert_eq!(told, expected.into());
    let skipped = breakglass::audit::RecordSource::Files {
        files: 5,
        skipped: 2,
    };
    assert_eq!(audit.source, skipped);
    // What the damaged file held before the damage counts, too.
    assert!(audit.summary.records > 2_500, "{}", audit.summary.records);
    assert!(audit.summary.uses > 30, "{}", audit.summary.uses);
}
