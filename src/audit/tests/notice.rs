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

#[test]
fn the_id_is_not_made_of_words_that_count_hours() {
    let act = record(
        "02:00:00",
        "ec2",
        "StopInstances",
        MEMBER,
        json!({ "userIdentity": role("x", "ASIA2", "02:00:00") }),
    );
    let open = [incident("INC-1", "01:00:00", None)];
    let first = audit(&[act], &open);
    let mut later = first.clone();
    assert_eq!(first.findings.len(), 1, "{first:#?}");
    later.findings[0].message = "incident INC-1 is still open, 129 h after its last use".to_owned();
    let id = |audit: &Audit| Notice::of(audit).unwrap().id;
    assert_eq!(id(&first), id(&later));
    for change in [
        |audit: &mut Audit| audit.findings[0].code = Code::NoMfa,
        |audit: &mut Audit| audit.findings[0].use_id = Some("use-other".to_owned()),
        |audit: &mut Audit| audit.findings[0].incident = None,
    ] {
        let mut other = first.clone();
        change(&mut other);
        assert_ne!(id(&first), id(&other));
    }
}

#[test]
fn a_notice_always_fits_into_a_message_of_sns() {
    let act = record(
        "02:00:00",
        "ec2",
        "StopInstances",
        MEMBER,
        json!({ "userIdentity": role("x", "ASIA2", "02:00:00") }),
    );
    let mut large = audit(&[act], &[]);
    let (one, finding) = (large.uses[0].clone(), large.findings[0].clone());
    for number in 1..60 {
        let mut next = one.clone();
        next.id = format!("use-{number}");
        next.agents = (0..40)
            .map(|n| format!("{n} {}", "\u{1}é".repeat(500)))
            .collect();
        large.findings.push(Finding {
            use_id: Some(next.id.clone()),
            ..finding.clone()
        });
        large.uses.push(next);
    }
    let notice = Notice::of(&large).unwrap();
    assert!(notice.body().len() <= 256 << 10, "{}", notice.body().len());
    assert_eq!((notice.findings.len(), notice.uses_left_out), (50, 0));
    let all = large.findings.len();
    assert_eq!(notice.findings_left_out, all - 50);
    let last = notice.uses.last().unwrap();
    assert!(last.agents.len() <= 5);
    assert_eq!(last.agents.len() + last.agents_left_out, 40);
    // Where shortening is not enough, uses are left out, and then the rest.
    for number in 0..60 {
        large.unreadable.push(UnreadableSource {
            source: format!("{number}"),
            error: "\u{1}".repeat(1_000),
        });
    }
    for one in &mut large.uses {
        one.who = "\u{1}".repeat(2_000);
    }
    let notice = Notice::of(&large).unwrap();
    assert!(notice.body().len() <= 256 << 10, "{}", notice.body().len());
    assert!(notice.uses_left_out > 0);
    assert_eq!(notice.unreadable_left_out, 10);
    assert_eq!(notice.findings.len(), 50);
}
