//! Notices: their id, their size.

use serde_json::json;

use super::*;

#[test]
fn a_notice_has_an_id_that_stays_while_the_findings_do() {
    let one = record(
        "02:00:00",
        "ec2",
        "StopInstances",
        MEMBER,
        json!({ "userIdentity": role("x", "ASIA2", "02:00:00") }),
    );
    let first = audit(&[one], &[]);
    let notice = Notice::of(&first).unwrap();
    let later = Audit {
        created_at: "2026-11-26T00:00:00Z".parse().unwrap(),
        ..first.clone()
    };
    assert_eq!(notice.id, Notice::of(&later).unwrap().id);
    assert_eq!((notice.findings.len(), notice.uses.len()), (1, 1));
    assert_eq!(Notice::of(&audit(&[], &[])), None);
}
