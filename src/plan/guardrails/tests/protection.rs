//! The protection policy, compared.

use super::*;
use crate::plan::{Wave, schedule};
use crate::state::{DesiredProtection, GuardrailOperation, OWNERSHIP_TAG, OWNERSHIP_VALUE};

const DEPLOYER: &str = "arn:aws:iam::*:role/Deployer";

/// Denies changes of what lies at the path to all but these.
fn protecting(spared: &[&str]) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "Protect",
        "Effect": "Deny",
        "Action": "iam:*",
        "Resource": "arn:aws:iam::*:role/break-glass/*",
        "Condition": { "ArnNotLike": { "aws:PrincipalArn": spared } },
    }] })
    .to_string()
}

fn owned() -> Tags {
    Tags::from([(OWNERSHIP_TAG.to_owned(), OWNERSHIP_VALUE.to_owned())])
}

/// Wants the policy `guard` at these targets.
fn wanted(targets: &[&str]) -> DesiredGuardrails {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    DesiredGuardrails {
        protection: Some(DesiredProtection {
            name: "guard".to_owned(),
            document: PolicyText::new(protecting(&[ADMIN, DEPLOYER])),
            spared: set(&[ADMIN, DEPLOYER]),
            targets: set(targets),
            tags: owned(),
            origin: Origin {
                file: "breakglass.yaml".to_owned(),
                line: 9,
            },
        }),
        ..desired(&[])
    }
}

fn guard(targets: &[&str]) -> GuardrailPolicy {
    GuardrailPolicy {
        name: "guard".to_owned(),
        tags: owned(),
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        ..scp(&protecting(&[ADMIN, DEPLOYER]))
    }
}

fn none() -> Guardrails {
    Guardrails {
        enabled: GuardrailKind::ALL.into(),
        policies: BTreeMap::new(),
    }
}

/// Holds the policy beside AWS's own, which is attached everywhere.
fn live(policy: GuardrailPolicy) -> Guardrails {
    let full = GuardrailPolicy {
        name: "FullAWSAccess".to_owned(),
        aws_managed: true,
        targets: ["r-root", "ou-root-work"].map(str::to_owned).into(),
        ..scp(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        )
    };
    let mut guardrails = super::live(policy);
    guardrails
        .policies
        .insert("p-FullAWSAccess".to_owned(), full);
    guardrails
}

fn only(diff: &GuardrailDiff) -> &Change {
    match diff.changes.as_slice() {
        [change] => change,
        other => panic!("{other:?}"),
    }
}

fn fields(change: &Change) -> Vec<&str> {
    change
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect()
}

fn operations(change: &Change) -> Vec<&GuardrailOperation> {
    let operations = change.operations.iter();
    operations
        .map(|step| match &step.operation {
            Operation::ChangeGuardrail(operation) => operation,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn actions(change: &Change) -> Vec<&str> {
    operations(change)
        .into_iter()
        .map(GuardrailOperation::action)
        .collect()
}

/// Carries a change out, and expects nothing to be left.
#[track_caller]
fn expect_settled(desired: &DesiredGuardrails, live: &Guardrails, change: &Change) {
    let mut after = live.clone();
    for operation in operations(change) {
        after.apply(operation).unwrap();
    }
    assert_eq!(diff(desired, &after).changes, []);
    let canonical = CanonicalContext {
        partition: Some(sample().partition),
    };
    let policy = after.named(GuardrailKind::Scp, &change.name);
    let now = Fingerprint::of_guardrail(policy.map(|(_, policy)| policy), &canonical);
    assert_eq!(now, *change.target());
}

fn gates(diff: &GuardrailDiff) -> Vec<Gate> {
    diff.findings.iter().map(|finding| finding.gate).collect()
}

#[test]
fn it_is_made_and_attached_after_everything_that_it_might_stop() {
    let desired = wanted(&["ou-root-work", "r-root"]);
    let diff = diff(&desired, &none());
    let change = only(&diff);
    assert_eq!(change.address.to_string(), "org/guardrail_policy/guard");
    assert_eq!(change.access, crate::policy::Access::Narrower);
    assert_eq!(
        actions(change),
        [
            "organizations:CreatePolicy",
            "organizations:AttachPolicy",
            "organizations:AttachPolicy",
        ]
    );
    let parts = schedule(change);
    assert_eq!(parts.len(), 1);
    assert_eq!(
        (parts[0].wave, parts[0].steps.clone()),
        (Wave::NewGuardrails, 0..3)
    );
    assert_eq!(gates(&diff), []);
    expect_settled(&desired, &none(), change);
}

#[test]
fn what_it_should_be_is_no_difference_and_counts() {
    let diff = diff(&wanted(&["r-root"]), &live(guard(&["r-root"])));
    assert_eq!((diff.changes.len(), diff.managed), (0, 1));
}

#[test]
fn a_stranger_in_its_list_and_a_lost_tag_are_found_and_put_right_at_once() {
    let desired = wanted(&["r-root"]);
    let stranger = "arn:aws:iam::*:role/Stranger";
    let live = live(GuardrailPolicy {
        tags: Tags::from([("team".to_owned(), "x".to_owned())]),
        ..scp(&protecting(&[ADMIN, DEPLOYER, stranger]))
    });
    let mut named = live.clone();
    named.policies.get_mut("p-deny").unwrap().name = "guard".to_owned();
    named.policies.get_mut("p-deny").unwrap().targets = BTreeSet::from(["r-root".to_owned()]);
    let diff = diff(&desired, &named);
    let change = only(&diff);
    assert_eq!(
        fields(change),
        ["document", "tags.breakglass:managed", "tags.team"]
    );
    assert!(change.adoption, "it has no ownership tag");
    assert!(
        change.fields[0]
            .witness
            .as_ref()
            .unwrap()
            .contains("Stranger")
    );
    let waves: Vec<_> = schedule(change).iter().map(|part| part.wave).collect();
    assert_eq!(waves, [Wave::Guardrails]);
    expect_settled(&desired, &named, change);
}

#[test]
fn it_comes_to_other_targets_before_it_goes_from_one() {
    let desired = wanted(&["ou-root-work"]);
    let live = live(guard(&["r-root"]));
    let diff = diff(&desired, &live);
    let change = only(&diff);
    assert_eq!(fields(change), ["attached"]);
    assert_eq!(
        actions(change),
        ["organizations:AttachPolicy", "organizations:DetachPolicy"]
    );
    let waves: Vec<_> = schedule(change).iter().map(|part| part.wave).collect();
    assert_eq!(waves, [Wave::NewGuardrails, Wave::GuardrailRemovals]);
    assert_eq!(
        gates(&diff),
        [Gate::Widen],
        "accounts outside of the unit lose it"
    );
    expect_settled(&desired, &live, change);
}

#[test]
fn a_target_too_many_goes_without_a_gate_where_all_below_stays_protected() {
    let diff = diff(
        &wanted(&["r-root"]),
        &live(guard(&["r-root", "ou-root-work"])),
    );
    assert_eq!(actions(only(&diff)), ["organizations:DetachPolicy"]);
    assert_eq!(gates(&diff), []);
}

#[test]
fn one_that_left_the_spec_goes_by_the_gate() {
    let before = live(guard(&["r-root"]));
    let desired = desired(&[]);
    let found = diff(&desired, &before);
    let change = only(&found);
    assert_eq!(change.action, Action::Delete);
    assert_eq!(
        actions(change),
        ["organizations:DetachPolicy", "organizations:DeletePolicy"]
    );
    assert_eq!(gates(&found), [Gate::Widen]);
    expect_settled(&desired, &before, change);
    let foreign = GuardrailPolicy {
        tags: Tags::new(),
        document: PolicyText::new(protecting(&[CI])),
        ..guard(&["r-root"])
    };
    assert_eq!(diff(&desired, &live(foreign)).changes, []);
}

#[test]
fn one_that_would_stop_break_glass_or_can_not_be_is_not_made() {
    let mut harmful = wanted(&["r-root"]);
    let protection = harmful.protection.as_mut().unwrap();
    protection.document = PolicyText::new(protecting(&[ADMIN]));
    let blocked = |desired: &DesiredGuardrails, live: &Guardrails| {
        let diff = diff(desired, live);
        let change = only(&diff);
        assert_eq!(change.operations, []);
        change.blocked.clone().unwrap()
    };
    let why = blocked(&harmful, &none());
    assert!(
        why.contains("stop break-glass") && why.contains("Deployer"),
        "{why}"
    );

    let off = Guardrails::default();
    assert!(blocked(&wanted(&["r-root"]), &off).contains("not enabled"));

    let mut full = none();
    for number in 0..10 {
        let policy = GuardrailPolicy {
            name: format!("deny-{number}"),
            targets: BTreeSet::from(["r-root".to_owned()]),
            ..scp(&document(&[], &[]))
        };
        full.policies.insert(format!("p-{number}"), policy);
    }
    let why = blocked(&wanted(&["r-root"]), &full);
    assert!(why.contains("10 SCPs"), "{why}");
}

#[test]
fn whom_it_lets_through_is_no_exception() {
    let stranger = "arn:aws:iam::*:role/break-glass/Stranger";
    let desired = wanted(&["r-root"]);
    let policy = GuardrailPolicy {
        document: PolicyText::new(protecting(&[ADMIN, DEPLOYER, stranger])),
        ..guard(&["r-root"])
    };
    let diff = diff(&desired, &live(policy));
    assert_eq!(told(&diff), ["Update org/guardrail_policy/guard"]);
}
