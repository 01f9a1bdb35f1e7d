use super::super::{Format, Style, fixture, render_plan};
use crate::plan::{Kind, Plan, Risk};
use crate::policy::Access;

fn markdown(plan: &Plan) -> String {
    render_plan(plan, Format::Markdown, Style::default())
}

#[test]
fn a_pull_request_shows_danger_then_a_table_then_details() {
    insta::assert_snapshot!(markdown(&fixture::report(Kind::Plan)), @r#"
    <!-- breakglass plan o-exampleorg1 -->

    ## ⚠️ Break-glass plan: incomplete

    **incomplete: 1 of 12 accounts could not be read, so nothing is known of it; unreadable is not in sync**

    **10 of 12 accounts differ** · +1 ~10 −1 · 1 manual · 1 blocked · 1 in sync · 1 unreadable · 1 inactive · 0 ignored

    > [!CAUTION]
    > **critical** – `prod-pay (111122223333)` · `iam_role BreakGlassAdmin`: assuming the role without MFA: allowed by the live policy, not by the spec; narrower access

    | Risk | Account | Resource | Change | Access | Cause |
    |--|--|--|--|--|--|
    | 🔴 critical | `prod-pay (111122223333)` | `iam_role BreakGlassAdmin` | ~ `trust_policy, max_session: 12h → 1h, tags.owner` | narrower | already so, `breakglass.yaml:28` |
    | 🟠 high | `emergency (333300000000)` | `iam_user bg-old` | − deleted | narrower | already so |
    | 🟠 high | `lab (222200000003)` | `iam_policy break-glass-baseline` | ~ `path: / → /break-glass/, document` (blocked) | both | already so, `breakglass.yaml:28` |
    | 🟠 high | `dev-a`, `dev-b` and 6 more | `iam_role BreakGlassAdmin` | ~ `managed_policies −1 +1, inline_policies.leftover (only live)` | narrower | already so, `breakglass.yaml:28` |
    | 🟡 medium | `tools (222200000008)` | `iam_role BreakGlassAudit` | + new | broader | this change, `breakglass.yaml:42` |
    | 🟡 medium | `emergency (333300000000)` | `credential bg-alice` | ! by hand | – | already so, `breakglass.yaml:28` |

    ### An apply stops here, unless it is let through by name

    - **`--allow adopt`** – the object is not managed yet and would be taken over (`iam_policy break-glass-baseline` in `lab (222200000003)`)

    ### Blocked: apply leaves these until a person mends what is in the way

    - `lab (222200000003)` · `iam_policy break-glass-baseline`: it lies at path `/` and IAM can't move a policy: keep that path in the spec, or detach and delete it by hand

    ### By hand: only a person can do these

    - `emergency (333300000000)` · `credential bg-alice`: it has no password yet: `breakglass credentials issue bg-alice` seals one to its custodian

    ### Changes

    In a diff, `-` is what AWS holds and `+` what the spec says; an arrow goes from live to spec.

    <details>
    <summary>🔴 ~ <code>iam&#95;role BreakGlassAdmin</code> in <code>prod-pay (111122223333)</code></summary>

    critical risk · narrower access · already so · `breakglass.yaml:28`

    For example, assuming the role without MFA: allowed by the live policy, not by the spec

    ```diff
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
    ```

    </details>

    <details>
    <summary>🟠 − <code>iam&#95;user bg-old</code> in <code>emergency (333300000000)</code></summary>

    high risk · narrower access · already so

    managed, but the spec does not ask for it in this account

    ```diff
    -   path: /break-glass/
    -   groups: admins
    -   access_keys: AKIAEXAMPLE000000001
    ```

    </details>

    <details>
    <summary>🟠 ~ <code>iam&#95;policy break-glass-baseline</code> in <code>lab (222200000003)</code></summary>

    high risk · broader and narrower access · already so · `breakglass.yaml:28`

    **Blocked:** it lies at path `/` and IAM can't move a policy: keep that path in the spec, or detach and delete it by hand

    it exists and is not managed: this adopts it

    ```diff
        path: / → /break-glass/
        document:
          … in statement "Tamper"
                "Effect": "Deny"
                "Action": [
    +             "cloudtrail:StopLogging"
                  "iam:*"
                ]
    ```

    </details>

    <details>
    <summary>🟠 ~ <code>iam&#95;role BreakGlassAdmin</code> in <code>dev-a</code>, <code>dev-b</code> and 6 more</summary>

    high risk · narrower access · already so · `breakglass.yaml:28`

    8 accounts: `dev-a (222200000001)` `dev-b (222200000002)` `lab (222200000003)` `prod-data (222200000004)` `prod-web (222200000005)` `stage-a (222200000006)` `stage-b (222200000007)` `tools (222200000008)`

    `{account}` is the id of the account itself

    ```diff
        managed_policies: 1 to remove, 1 to add
    -     arn:aws:iam::aws:policy/PowerUserAccess
    +     arn:aws:iam::{account}:policy/break-glass/baseline
    -   inline_policies.leftover: 2 statements, allows s3:Get*, s3:List* on *; denies s3:DeleteBucket on * if aws:RequestedRegion
    -     {
    -       "Version": "2012-10-17",
    -       "Statement": [
    -         {
    -           "Sid": "ReadOnly",
    -           "Effect": "Allow",
    -           "Action": [
    -             "s3:Get*",
    -             "s3:List*"
    -           ],
    -           "Resource": [
    -             "*"
    -           ]
    -         },
    -         {
    -           "Sid": "Tamper",
    -           "Effect": "Deny",
    -           "Action": [
    -             "s3:DeleteBucket"
    -           ],
    -           "Resource": [
    -             "*"
    -           ],
    -           "Condition": {
    -             "StringNotEquals": {
    -               "aws:RequestedRegion": [
    -                 "eu-west-1"
    -               ]
    -             }
    -           }
    -         }
    -       ]
    -     }
    ```

    </details>

    <details>
    <summary>🟡 + <code>iam&#95;role BreakGlassAudit</code> in <code>tools (222200000008)</code></summary>

    medium risk · broader access · this change · `breakglass.yaml:42`

    ```diff
    +   path: /break-glass/
    +   trust_policy: 1 statement, allows user/bg-alice, user/bg-bob of 333300000000 with MFA
    +     {
    +       "Version": "2012-10-17",
    +       "Statement": [
    +         {
    +           "Sid": "Custodians",
    +           "Effect": "Allow",
    +           "Principal": {
    +             "AWS": [
    +               "arn:aws:iam::333300000000:user/break-glass/bg-alice",
    +               "arn:aws:iam::333300000000:user/break-glass/bg-bob"
    +             ]
    +           },
    +           "Action": [
    +             "sts:AssumeRole"
    +           ],
    +           "Condition": {
    +             "Bool": {
    +               "aws:MultiFactorAuthPresent": [
    +                 "true"
    +               ]
    +             },
    +             "NumericLessThan": {
    +               "aws:MultiFactorAuthAge": [
    +                 "43200"
    +               ]
    +             }
    +           }
    +         }
    +       ]
    +     }
    +   max_session: 1h 30m
    +   managed_policies: arn:aws:iam::aws:policy/SecurityAudit
    +   inline_policies.deny-tamper: 2 statements, allows s3:Get*, s3:List* on *; denies cloudtrail:StopLogging on * if aws:RequestedRegion
    +     {
    +       "Version": "2012-10-17",
    +       "Statement": [
    +         {
    +           "Sid": "ReadOnly",
    +           "Effect": "Allow",
    +           "Action": [
    +             "s3:Get*",
    +             "s3:List*"
    +           ],
    +           "Resource": [
    +             "*"
    +           ]
    +         },
    +         {
    +           "Sid": "Tamper",
    +           "Effect": "Deny",
    +           "Action": [
    +             "cloudtrail:StopLogging"
    +           ],
    +           "Resource": [
    +             "*"
    +           ],
    +           "Condition": {
    +             "StringNotEquals": {
    +               "aws:RequestedRegion": [
    +                 "eu-west-1"
    +               ]
    +             }
    +           }
    +         }
    +       ]
    +     }
    +   tags: breakglass:managed = true, owner = platform-security
    ```

    </details>

    <details>
    <summary>🟡 ! <code>credential bg-alice</code> in <code>emergency (333300000000)</code></summary>

    medium risk · already so · `breakglass.yaml:28`

    it has no password yet: `breakglass credentials issue bg-alice` seals one to its custodian

    ```diff
        login_profile: no → yes
    ```

    </details>

    ### Unreadable: nothing is known of these accounts, they are not in sync

    - `legacy (444455556666)`: AccessDenied: `sts:AssumeRole` on `arn:aws:iam::444455556666:role/OrganizationAccountAccessRole`

    ### Inactive, so not looked at

    - `old-shop (555500000000)`: suspended

    ### Notes

    - the selector `tag:tier=gold` matches no account

    ---

    **10 of 12 accounts differ** · +1 ~10 −1 · 1 manual · 1 blocked · 1 in sync · 1 unreadable · 1 inactive · 0 ignored  
    Digest `sha256:0f1e2d3c`

    To apply exactly this plan, saved with `--out plan.json`:

    ```sh
    breakglass apply plan.json --expect-digest sha256:0f1e2d3c
    ```

    it stops at the gates above, unless `--allow` adopt lets them through
    "#);
}

#[test]
fn drift_has_no_digest_to_approve() {
    let report = markdown(&fixture::report(Kind::Drift));
    assert!(!report.contains("sha256:") && !report.contains("--allow"));
    let before_details = report.split("### Differences").next().unwrap();
    insta::assert_snapshot!(before_details, @r#"
    <!-- breakglass drift o-exampleorg1 -->

    ## ⚠️ Break-glass drift: incomplete

    **incomplete: 1 of 12 accounts could not be read, so nothing is known of it; unreadable is not in sync**

    **10 of 12 accounts differ from the spec** · 1 extra · 10 changed · 1 missing · 1 manual · 1 blocked · 1 in sync · 1 unreadable · 1 inactive · 0 ignored

    > [!CAUTION]
    > **critical** – `prod-pay (111122223333)` · `iam_role BreakGlassAdmin`: assuming the role without MFA: allowed by the live policy, not by the spec; live allows more than the spec

    | Risk | Account | Resource | Change | Access | Spec |
    |--|--|--|--|--|--|
    | 🔴 critical | `prod-pay (111122223333)` | `iam_role BreakGlassAdmin` | ~ `trust_policy, max_session: 12h → 1h, tags.owner` | live more | `breakglass.yaml:28` |
    | 🟠 high | `emergency (333300000000)` | `iam_user bg-old` | − extra: only live has it | live more |  |
    | 🟠 high | `lab (222200000003)` | `iam_policy break-glass-baseline` | ~ `path: / → /break-glass/, document` (blocked) | live other | `breakglass.yaml:28` |
    | 🟠 high | `dev-a`, `dev-b` and 6 more | `iam_role BreakGlassAdmin` | ~ `managed_policies −1 +1, inline_policies.leftover (only live)` | live more | `breakglass.yaml:28` |
    | 🟡 medium | `tools (222200000008)` | `iam_role BreakGlassAudit` | + missing: only the spec has it | live less | `breakglass.yaml:42` |
    | 🟡 medium | `emergency (333300000000)` | `credential bg-alice` | ! by hand | – | `breakglass.yaml:28` |

    ### Putting this right would stop at a gate

    - **`adopt`** – the object is not managed yet and would be taken over (`iam_policy break-glass-baseline` in `lab (222200000003)`)

    ### In the way: a person has to mend these first

    - `lab (222200000003)` · `iam_policy break-glass-baseline`: it lies at path `/` and IAM can't move a policy: keep that path in the spec, or detach and delete it by hand

    ### By hand: only a person can do these

    - `emergency (333300000000)` · `credential bg-alice`: it has no password yet: `breakglass credentials issue bg-alice` seals one to its custodian
    "#);
}

#[test]
fn nothing_to_do_is_short() {
    insta::assert_snapshot!(markdown(&fixture::in_sync(Kind::Plan)), @r#"
    <!-- breakglass plan o-exampleorg1 -->

    ## ✅ Break-glass plan: in sync

    in sync: 11 accounts are as the spec says · 0 ignored.
    "#);
}

#[test]
fn what_is_ignored_is_folded_away_with_its_reason() {
    let mut plan = fixture::in_sync(Kind::Plan);
    fixture::ignore(&mut plan, "tags.owner");
    insta::assert_snapshot!(markdown(&plan), @r#"
    <!-- breakglass plan o-exampleorg1 -->

    ## ✅ Break-glass plan: in sync

    in sync: 11 accounts are as the spec says · 1 ignored.

    <details>
    <summary>Ignored by rules of the spec: 1</summary>

    - `prod-pay (111122223333)` · `iam_role BreakGlassIgnored`: `tags.owner` · low risk · theirs (ops, until `2027-01-31`) · `breakglass.yaml:79`

    </details>
    "#);
}

/// Makes a plan of so many times the changes of the fixture.
fn large(times: usize) -> Plan {
    let mut plan = fixture::report(Kind::Plan);
    let changes = plan.changes.clone();
    plan.changes = (0..times)
        .flat_map(|number| {
            changes.iter().cloned().map(move |mut change| {
                change.name = format!("{}-{number:04}", change.name);
                change
            })
        })
        .collect();
    plan.notes = vec!["wörds 🔴 ".repeat(100); 5_000];
    plan
}

#[test]
fn a_report_of_any_size_fits_and_names_what_it_leaves_out() {
    for (format, times) in [(Format::Markdown, 400), (Format::StepSummary, 1_500)] {
        let report = render_plan(&large(times), format, Style::default());
        match format {
            Format::Markdown => assert!(report.encode_utf16().count() <= 65_000),
            _ => assert!(report.len() <= 1 << 20 && report.len() > 500_000),
        }
        for said in [
            "more: `prod-pay (111122223333)` · `iam_role BreakGlassAdmin-",
            "Left out, so that this fits: the details of `prod-pay (111122223333)` · `iam_role",
            "breakglass apply plan.json",
        ] {
            assert!(report.contains(said), "{said}");
        }
    }
}

#[test]
fn one_endless_document_leaves_room_for_the_others() {
    let mut plan = fixture::report(Kind::Plan);
    let actions: Vec<String> = (0..9_000).map(|number| format!("s3:Get{number}")).collect();
    let statement = serde_json::json!({ "Effect": "Deny", "Action": actions, "Resource": "*" });
    let critical = plan
        .changes
        .iter_mut()
        .find(|change| change.account_name == "prod-pay");
    critical.unwrap().fields[0].spec = serde_json::json!({ "Statement": [statement] });
    let report = markdown(&plan);
    assert!(report.contains("more lines: `--format text --verbose` has them all."));
    assert!(report.contains("<summary>🟡 ! <code>credential bg-alice</code>"));
    assert!(report.encode_utf16().count() <= 65_000);
}

#[test]
fn of_two_critical_changes_the_one_that_lets_more_in_comes_first_and_names_whom() {
    for (kind, access, said) in [
        (
            Kind::Plan,
            Access::Broader,
            "also trusts `role/Vendor` of 999999999999; ",
        ),
        (
            Kind::Drift,
            Access::Narrower,
            "live also trusts `role/Vendor` of 999999999999; ",
        ),
    ] {
        let mut plan = fixture::report(kind);
        for change in &mut plan.changes {
            if change.account_name == "prod-pay" {
                change.access = match kind {
                    Kind::Plan => Access::Narrower,
                    Kind::Drift => Access::Broader,
                };
            }
        }
        let mut opening = plan.changes[0].clone();
        opening.account_name = "zz-last".to_owned();
        opening.access = access;
        let trust = &mut opening.fields[0];
        let more = match kind {
            Kind::Plan => &mut trust.spec,
            Kind::Drift => &mut trust.live,
        };
        more["Statement"][0]["Principal"]["AWS"] =
            serde_json::json!(["arn:aws:iam::999999999999:role/Vendor"]);
        plan.changes.push(opening);
        let report = markdown(&plan);
        let first = report
            .lines()
            .find(|line| line.starts_with("> **critical**"));
        let first = first.unwrap();
        assert!(first.contains("zz-last") && first.contains(said), "{first}");
        let row = report.lines().find(|line| line.starts_with("| 🔴"));
        assert!(row.unwrap().contains("zz-last"));
        let annotations = render_plan(&plan, Format::Github, Style::default());
        let error = annotations
            .lines()
            .find(|line| line.contains("title=iam_role"));
        assert!(error.unwrap().contains("zz-last"), "{annotations}");
    }
}

#[test]
fn a_verdict_says_that_something_critical_is_ignored() {
    let mut plan = fixture::in_sync(Kind::Drift);
    fixture::ignore(&mut plan, "tags.owner");
    fixture::ignore(&mut plan, "trust_policy");
    plan.ignored[1].risk = Risk::Critical;
    assert!(markdown(&plan).contains("as the spec says · 2 ignored, 1 of them critical."));
}

#[test]
fn a_report_begins_with_the_mark_that_a_later_one_finds() {
    let mut plan = fixture::report(Kind::Drift);
    plan.organization_id = "o-x--> <b>".to_owned();
    assert!(markdown(&plan).starts_with("<!-- breakglass drift o-x-b -->\n\n## "));
}
