use super::super::{Format, Style, fixture, render_plan};
use crate::plan::{Kind, Plan};

fn text(plan: &Plan, width: usize, verbose: bool) -> String {
    let style = Style {
        color: false,
        width,
        verbose,
    };
    render_plan(plan, Format::Text, style)
}

#[test]
fn a_plan_begins_with_its_verdict_and_ends_with_how_to_apply_it() {
    insta::assert_snapshot!(text(&fixture::report(Kind::Plan), 100, false), @r#"
    incomplete: 1 of 12 accounts could not be read, so nothing is known of it; unreadable is not in sync
    10 of 12 accounts differ · +1 ~10 −1 · 1 manual · 1 blocked · 1 in sync · 1 unreadable · 1 inactive
      · 0 ignored

    An apply stops here, unless it is let through by name
      --allow adopt: the object is not managed yet and would be taken over
        iam_policy break-glass-baseline in lab (222200000003)

        resource              accounts                    risk      access    change
     ~  iam_role              prod-pay (111122223333)     critical  narrower  trust_policy,
        BreakGlassAdmin                                                       max_session: 12h → 1h,
                                                                              tags.owner
     −  iam_user bg-old       emergency (333300000000)    high      narrower  deleted
     ~  iam_policy            lab (222200000003)          high      both      blocked
        break-glass-baseline
     ~  iam_role              dev-a, dev-b and 6 more     high      narrower  managed_policies −1 +1,
        BreakGlassAdmin                                                       inline_policies.leftover
                                                                              (only live)
     +  iam_role              tools (222200000008)        medium    broader   new
        BreakGlassAudit
     !  credential bg-alice   emergency (333300000000)    medium    –         by hand

    Blocked: apply leaves these until a person mends what is in the way
    ~ iam_policy break-glass-baseline in lab (222200000003)
        high risk · broader and narrower access · already so · breakglass.yaml:28
        blocked: it lies at path / and IAM can't move a policy: keep that path in the spec, or detach
          and delete it by hand
        it exists and is not managed: this adopts it
        path: / → /break-glass/
        document:
          … in statement "Tamper"
                "Effect": "Deny"
                "Action": [
    +             "cloudtrail:StopLogging"
                  "iam:*"
                ]

    Changes (live → spec; in lists and documents - is live only, + is the spec only)
    ~ iam_role BreakGlassAdmin in prod-pay (111122223333)
        critical risk · narrower access · already so · breakglass.yaml:28
        for example, assuming the role without MFA: allowed by the live policy, not by the spec
        trust_policy:
          … in statement "Custodians"
                  "sts:AssumeRole"
                ]
    +           "Condition": {
    +             "Bool": {
    +               "aws:MultiFactorAuthPresent": [
    +                 "true"
    +               ]
    +             }
    +             "NumericLessThan": {
    +               "aws:MultiFactorAuthAge": [
    +                 "43200"
    +               ]
    +             }
    +           }
              }
            ]
        max_session: 12h → 1h
        tags.owner: finance → "platform security"

    − iam_user bg-old in emergency (333300000000)
        high risk · narrower access · already so
        managed, but the spec does not ask for it in this account
        path: /break-glass/
        groups: admins
        access_keys: AKIAEXAMPLE000000001

    ~ iam_role BreakGlassAdmin in dev-a, dev-b and 6 more
        high risk · narrower access · already so · breakglass.yaml:28
        {account} is the id of the account itself
        managed_policies: 1 to remove, 1 to add
    -     arn:aws:iam::aws:policy/PowerUserAccess
    +     arn:aws:iam::{account}:policy/break-glass/baseline
    -   inline_policies.leftover: 2 statements, allows s3:Get*, s3:List* on *; denies
          s3:DeleteBucket on * if aws:RequestedRegion

    + iam_role BreakGlassAudit in tools (222200000008)
        medium risk · broader access · this change · breakglass.yaml:42
        path: /break-glass/
        trust_policy: 1 statement, allows user/bg-alice, user/bg-bob of 333300000000 with MFA
        max_session: 1h 30m
        managed_policies: arn:aws:iam::aws:policy/SecurityAudit
        inline_policies.deny-tamper: 2 statements, allows s3:Get*, s3:List* on *; denies
          cloudtrail:StopLogging on * if aws:RequestedRegion
        tags: breakglass:managed = true, owner = platform-security

    By hand: only a person can do these
    ! credential bg-alice in emergency (333300000000)
        medium risk · already so · breakglass.yaml:28
        it has no password yet: `breakglass credentials issue bg-alice` seals one to its custodian

    Unreadable: nothing is known of these accounts, they are not in sync
      legacy (444455556666): AccessDenied: sts:AssumeRole on
        arn:aws:iam::444455556666:role/OrganizationAccountAccessRole

    Inactive, so not looked at
      old-shop (555500000000): suspended

    Notes
      note: the selector tag:tier=gold matches no account

    10 of 12 accounts differ · +1 ~10 −1 · 1 manual · 1 blocked · 1 in sync · 1 unreadable · 1 inactive
      · 0 ignored
    digest sha256:0f1e2d3c
    to apply exactly this, save it with --out plan.json, then (until 1970-01-01T00:00:00Z):
      breakglass apply plan.json --expect-digest sha256:0f1e2d3c
    it stops at the gates above, unless --allow adopt lets them through
    "#);
}

#[test]
fn a_narrow_terminal_breaks_words_but_no_diff() {
    let mut plan = fixture::report(Kind::Plan);
    plan.changes.retain(|change| {
        matches!(
            change.name.as_str(),
            "break-glass-baseline" | "BreakGlassAudit"
        )
    });
    insta::assert_snapshot!(text(&plan, 48, false), @r#"
    incomplete: 1 of 12 accounts could not be read,
      so nothing is known of it; unreadable is not
      in sync
    10 of 12 accounts differ · +1 ~10 −1 · 1 manual
      · 1 blocked · 1 in sync · 1 unreadable
      · 1 inactive · 0 ignored

    An apply stops here, unless it is let through by
      name
      --allow adopt: the object is not managed yet
        and would be taken over
        iam_policy break-glass-baseline in lab
          (222200000003)

    Blocked: apply leaves these until a person mends
      what is in the way
    ~ iam_policy break-glass-baseline in lab
      (222200000003)
        high risk · broader and narrower access
          · already so · breakglass.yaml:28
        blocked: it lies at path / and IAM can't
          move a policy: keep that path in the spec,
          or detach and delete it by hand
        it exists and is not managed: this adopts it
        path: / → /break-glass/
        document:
          … in statement "Tamper"
                "Effect": "Deny"
                "Action": [
    +             "cloudtrail:StopLogging"
                  "iam:*"
                ]

    Changes (live → spec; in lists and documents -
      is live only, + is the spec only)
    + iam_role BreakGlassAudit in tools
      (222200000008)
        medium risk · broader access · this change
          · breakglass.yaml:42
        path: /break-glass/
        trust_policy: 1 statement, allows
          user/bg-alice, user/bg-bob of 333300000000
          with MFA
        max_session: 1h 30m
        managed_policies:
          arn:aws:iam::aws:policy/SecurityAudit
        inline_policies.deny-tamper: 2
          statements, allows s3:Get*, s3:List* on *;
          denies cloudtrail:StopLogging on * if
          aws:RequestedRegion
        tags: breakglass:managed = true, owner =
          platform-security

    Unreadable: nothing is known of these accounts,
      they are not in sync
      legacy (444455556666): AccessDenied:
        sts:AssumeRole on
        arn:aws:iam::444455556666:role/OrganizationAccountAccessRole

    Inactive, so not looked at
      old-shop (555500000000): suspended

    Notes
      note: the selector tag:tier=gold matches no
        account

    10 of 12 accounts differ · +1 ~10 −1 · 1 manual
      · 1 blocked · 1 in sync · 1 unreadable
      · 1 inactive · 0 ignored
    digest sha256:0f1e2d3c
    to apply exactly this, save it with --out
      plan.json, then (until 1970-01-01T00:00:00Z):
      breakglass apply plan.json --expect-digest sha256:0f1e2d3c
    it stops at the gates above, unless --allow
      adopt lets them through
    "#);
}

#[test]
fn drift_is_told_from_the_live_side() {
    let report = text(&fixture::report(Kind::Drift), 100, false);
    assert!(!report.contains("sha256:") && !report.contains("--allow"));
    insta::assert_snapshot!(report, @r#"
    incomplete: 1 of 12 accounts could not be read, so nothing is known of it; unreadable is not in sync
    10 of 12 accounts differ from the spec · 1 extra · 10 changed · 1 missing · 1 manual · 1 blocked
      · 1 in sync · 1 unreadable · 1 inactive · 0 ignored

    Putting this right would stop at a gate
      adopt: the object is not managed yet and would be taken over
        iam_policy break-glass-baseline in lab (222200000003)

        resource              accounts                   risk      access      change
     ~  iam_role              prod-pay (111122223333)    critical  live more   trust_policy,
        BreakGlassAdmin                                                        max_session: 12h → 1h,
                                                                               tags.owner
     −  iam_user bg-old       emergency (333300000000)   high      live more   extra: only live has it
     ~  iam_policy            lab (222200000003)         high      live other  blocked
        break-glass-baseline
     ~  iam_role              dev-a, dev-b and 6 more    high      live more   managed_policies −1 +1,
        BreakGlassAdmin                                                        inline_policies.leftover
                                                                               (only live)
     +  iam_role              tools (222200000008)       medium    live less   missing: only the spec
        BreakGlassAudit                                                        has it
     !  credential bg-alice   emergency (333300000000)   medium    –           by hand

    In the way: a person has to mend these first
    ~ iam_policy break-glass-baseline in lab (222200000003)
        high risk · differs · live allows other things than the spec · breakglass.yaml:28
        blocked: it lies at path / and IAM can't move a policy: keep that path in the spec, or detach
          and delete it by hand
        it exists and is not managed: this adopts it
        path: / → /break-glass/
        document:
          … in statement "Tamper"
                "Effect": "Deny"
                "Action": [
    +             "cloudtrail:StopLogging"
                  "iam:*"
                ]

    Differences (live → spec; - and − is what only live has, + what only the spec has)
    ~ iam_role BreakGlassAdmin in prod-pay (111122223333)
        critical risk · differs · live allows more than the spec · breakglass.yaml:28
        for example, assuming the role without MFA: allowed by the live policy, not by the spec
        trust_policy:
          … in statement "Custodians"
                  "sts:AssumeRole"
                ]
    +           "Condition": {
    +             "Bool": {
    +               "aws:MultiFactorAuthPresent": [
    +                 "true"
    +               ]
    +             }
    +             "NumericLessThan": {
    +               "aws:MultiFactorAuthAge": [
    +                 "43200"
    +               ]
    +             }
    +           }
              }
            ]
        max_session: 12h → 1h
        tags.owner: finance → "platform security"

    − iam_user bg-old in emergency (333300000000)
        high risk · extra: only live has it · live allows more than the spec
        managed, but the spec does not ask for it in this account
        path: /break-glass/
        groups: admins
        access_keys: AKIAEXAMPLE000000001

    ~ iam_role BreakGlassAdmin in dev-a, dev-b and 6 more
        high risk · differs · live allows more than the spec · breakglass.yaml:28
        {account} is the id of the account itself
        managed_policies: live has 1 more than the spec and lacks 1
    -     arn:aws:iam::aws:policy/PowerUserAccess
    +     arn:aws:iam::{account}:policy/break-glass/baseline
    -   inline_policies.leftover: 2 statements, allows s3:Get*, s3:List* on *; denies
          s3:DeleteBucket on * if aws:RequestedRegion

    + iam_role BreakGlassAudit in tools (222200000008)
        medium risk · missing: only the spec has it · live allows less than the spec
          · breakglass.yaml:42
        path: /break-glass/
        trust_policy: 1 statement, allows user/bg-alice, user/bg-bob of 333300000000 with MFA
        max_session: 1h 30m
        managed_policies: arn:aws:iam::aws:policy/SecurityAudit
        inline_policies.deny-tamper: 2 statements, allows s3:Get*, s3:List* on *; denies
          cloudtrail:StopLogging on * if aws:RequestedRegion
        tags: breakglass:managed = true, owner = platform-security

    By hand: only a person can do these
    ! credential bg-alice in emergency (333300000000)
        medium risk · breakglass.yaml:28
        it has no password yet: `breakglass credentials issue bg-alice` seals one to its custodian

    Unreadable: nothing is known of these accounts, they are not in sync
      legacy (444455556666): AccessDenied: sts:AssumeRole on
        arn:aws:iam::444455556666:role/OrganizationAccountAccessRole

    Inactive, so not looked at
      old-shop (555500000000): suspended

    Notes
      note: the selector tag:tier=gold matches no account

    10 of 12 accounts differ from the spec · 1 extra · 10 changed · 1 missing · 1 manual · 1 blocked
      · 1 in sync · 1 unreadable · 1 inactive · 0 ignored
    "#);
}

#[test]
fn verbose_text_names_every_account_and_spreads_documents_out() {
    let plan = fixture::report(Kind::Plan);
    let (short, verbose) = (text(&plan, 100, false), text(&plan, 100, true));
    for whole in [
        "stage-b (222200000007)",
        "+       \"Version\": \"2012-10-17\",",
        "-             \"s3:DeleteBucket\"",
    ] {
        assert!(verbose.contains(whole) && !short.contains(whole), "{whole}");
    }
}

#[test]
fn nothing_to_do_is_one_line() {
    for kind in [Kind::Plan, Kind::Drift] {
        let mut plan = fixture::in_sync(kind);
        assert_eq!(
            text(&plan, 100, false),
            "in sync: 11 accounts are as the spec says · 0 ignored\n"
        );
        plan.summary.ignored = 2;
        plan.scope.partial = true;
        plan.scope.filters = vec!["--ou /Sandbox".to_owned()];
        assert_eq!(
            text(&plan, 100, false),
            "in sync: 11 accounts are as the spec says · 2 ignored\n\
             only a part of the organization was looked at: --ou /Sandbox\n"
        );
    }
}

#[test]
fn what_is_ignored_is_counted_and_listed_when_asked_for() {
    for mut plan in [fixture::in_sync(Kind::Drift), fixture::report(Kind::Drift)] {
        fixture::ignore(&mut plan, "tags.owner");
        let (short, verbose) = (text(&plan, 100, false), text(&plan, 100, true));
        assert!(short.contains("1 ignored") && !short.contains("Ignored by"));
        let listed = "Ignored by rules of the spec\n\
             ~ iam_role BreakGlassIgnored in prod-pay (111122223333)\n    \
               tags.owner · low risk · theirs (ops, until 2027-01-31) · breakglass.yaml:79\n";
        assert!(verbose.contains(listed), "{verbose}");
    }
}

#[test]
fn unreadable_accounts_alone_are_not_in_sync() {
    let plan = fixture::report_of(Kind::Plan, Vec::new());
    let report = text(&plan, 0, false);
    assert!(report.starts_with("incomplete: 1 of 12 accounts could not be read"));
    assert!(!report.contains("breakglass apply"));
}
