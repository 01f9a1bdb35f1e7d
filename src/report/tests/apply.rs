use super::super::{Format, Style, fixture, render_apply};
use crate::apply::{ApplyOutcome, ApplyReport};

fn render(report: &ApplyReport, format: Format) -> String {
    let style = Style {
        color: false,
        width: 100,
        verbose: false,
    };
    render_apply(report, format, style)
}

#[test]
fn failures_come_first_and_what_to_do_next_last() {
    insta::assert_snapshot!(render(&fixture::applied(), Format::Text), @r#"
    not finished: 2 of 13 changes failed
    7 done · 2 so already · 2 failed · 1 blocked · 1 manual · 1 unreadable

    Failed
      ~ iam_role BreakGlassAdmin in dev-a (222200000001), dev-b (222200000002)
        iam:DetachRolePolicy in {account}: AccessDenied; after 1 write ({account} is the id of the
          account itself)

    Blocked: a person has to mend what is in the way
      ~ iam_policy break-glass-baseline in lab (222200000003)
        it lies at path / and IAM can't move a policy: keep that path in the spec, or detach and delete
          it by hand

    By hand: only a person can do these
      ! credential bg-alice in emergency (333300000000)
        it has no password yet: `breakglass credentials issue bg-alice` seals one to its custodian

    Done
      − iam_user bg-old in emergency (333300000000)
      ~ iam_role BreakGlassAdmin in lab, prod-data and 4 more

    Was so already
      ~ iam_role BreakGlassAdmin in tools (222200000008)
      + iam_role BreakGlassAudit in tools (222200000008)

    Unreadable: nothing is known of these accounts, they are not in sync
      legacy (444455556666): AccessDenied: sts:AssumeRole on
        arn:aws:iam::444455556666:role/OrganizationAccountAccessRole

    7 done · 2 so already · 2 failed · 1 blocked · 1 manual · 1 unreadable
    plan sha256:0f1e2d3c
    next: run it again to finish: what is done is not done twice
    "#);
}

#[test]
fn a_pull_request_sees_what_is_done_folded_away() {
    insta::assert_snapshot!(render(&fixture::applied(), Format::Markdown), @r#"
    <!-- breakglass apply o-exampleorg1 -->

    ## 🔴 Break-glass apply: not finished: 2 of 13 changes failed

    **7 done · 2 so already · 2 failed · 1 blocked · 1 manual · 1 unreadable**

    Next: run it again to finish: what is done is not done twice.

    ### Failed

    - `~ iam_role BreakGlassAdmin` in `dev-a (222200000001)`, `dev-b (222200000002)`: `iam:DetachRolePolicy` in `{account}`: AccessDenied; after 1 write (`{account}` is the id of the account itself)

    ### Blocked: a person has to mend what is in the way

    - `~ iam_policy break-glass-baseline` in `lab (222200000003)`: it lies at path `/` and IAM can't move a policy: keep that path in the spec, or detach and delete it by hand

    ### By hand: only a person can do these

    - `! credential bg-alice` in `emergency (333300000000)`: it has no password yet: `breakglass credentials issue bg-alice` seals one to its custodian

    ### Unreadable: nothing is known of these accounts, they are not in sync

    - `legacy (444455556666)`: AccessDenied: `sts:AssumeRole` on `arn:aws:iam::444455556666:role/OrganizationAccountAccessRole`

    <details>
    <summary>Done</summary>

    - `− iam_user bg-old` in `emergency (333300000000)`
    - `~ iam_role BreakGlassAdmin` in `lab`, `prod-data` and 4 more

    </details>

    <details>
    <summary>Was so already</summary>

    - `~ iam_role BreakGlassAdmin` in `tools (222200000008)`
    - `+ iam_role BreakGlassAudit` in `tools (222200000008)`

    </details>

    Plan `sha256:0f1e2d3c`
    "#);
}

#[test]
fn every_outcome_has_its_words() {
    let mut report = fixture::applied();
    for (outcome, begins) in [
        (ApplyOutcome::Done, "done: "),
        (ApplyOutcome::Partial, "not finished: "),
        (ApplyOutcome::Stale, "stopped: "),
        (ApplyOutcome::Interrupted, "interrupted: "),
        (ApplyOutcome::Blocked, "done as far as it goes: "),
        (ApplyOutcome::Incomplete, "incomplete: "),
    ] {
        report.outcome = outcome;
        let text = render(&report, Format::Text);
        assert!(text.starts_with(begins), "{outcome:?}: {text}");
        assert_eq!(text.contains("next: "), outcome != ApplyOutcome::Done);
    }
}

#[test]
fn json_is_the_report_itself() {
    let report = fixture::applied();
    let text = render(&report, Format::Json);
    assert!(text.ends_with("}\n"));
    assert_eq!(serde_json::from_str::<ApplyReport>(&text).unwrap(), report);
}
