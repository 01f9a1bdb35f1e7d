//! Saved plans of guardrails that were edited: what is shown must still be what is done.

use super::*;
use crate::plan::told::is_told;
use crate::state::{
    DesiredProtection, Exemption, GuardrailOperation, OWNERSHIP_TAG, OWNERSHIP_VALUE,
};

const EVIL: &str = "arn:aws:iam::*:role/Evil";

fn all_told(changes: &[Change]) -> bool {
    changes.iter().all(|change| is_told(change, changes))
}

fn edit_mut(change: &mut Change) -> &mut ExemptionEdit {
    match &mut change.operations[0].operation {
        Operation::SetExemptions(edit) => edit,
        other => panic!("{other:?}"),
    }
}

/// An addition, and a removal that rests on it.
fn planned() -> Vec<Change> {
    let stranger = "arn:aws:iam::*:role/break-glass/Stranger";
    let live = live(scp(&document(&[CI], &[CI, stranger])));
    let changes = diff(&desired(&[exception("a", &["3", "4"])]), &live).changes;
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(all_told(&changes));
    changes
}

#[test]
fn nobody_comes_in_as_a_neighbour_that_no_change_tells_of() {
    let mut changes = planned();
    let edit = edit_mut(&mut changes[0]);
    edit.neighbours.insert(Exemption {
        statement: 1,
        principal: EVIL.to_owned(),
    });
    assert!(!all_told(&changes));
}

#[test]
fn an_exemption_stays_in_the_statement_that_is_told() {
    let mut changes = planned();
    let edit = edit_mut(&mut changes[0]);
    edit.add = edit
        .add
        .iter()
        .map(|added| Exemption {
            statement: 3 - added.statement,
            ..added.clone()
        })
        .filter(|added| added.statement == 1)
        .collect();
    assert!(!all_told(&changes));
}

#[test]
fn what_is_told_to_go_is_not_in_the_document_nor_in_a_later_one() {
    for index in [0, 1] {
        let mut changes = planned();
        let stays = PolicyText::new(document(
            &[ADMIN, CI],
            &[ADMIN, CI, "arn:aws:iam::*:role/break-glass/Stranger"],
        ));
        assert_eq!(changes[1].action, Action::Delete);
        edit_mut(&mut changes[index]).document = stays;
        assert_eq!(all_told(&changes), index == 0, "only the last one counts");
    }
    let mut changes = planned();
    edit_mut(&mut changes[1]).document = PolicyText::new(document(&[CI], &[CI]));
    assert!(
        !all_told(&changes),
        "the removal would take back the addition"
    );
}

#[test]
fn an_edit_sets_no_tag_but_its_own() {
    for key in ["breakglass:managed", "breakglass:exception/other"] {
        let mut changes = planned();
        let value = OWNERSHIP_VALUE.to_owned();
        edit_mut(&mut changes[0])
            .remember
            .insert(key.to_owned(), value);
        assert!(!all_told(&changes), "{key}");
    }
    let mut changes = planned();
    edit_mut(&mut changes[1])
        .forget
        .insert(OWNERSHIP_TAG.to_owned());
    assert!(!all_told(&changes));
}

#[test]
fn a_value_does_not_move_into_a_test_that_lets_more_through_than_it_says() {
    let changes = planned();
    let live = scp(&document(
        &[CI],
        &[CI, "arn:aws:iam::*:role/break-glass/Stranger"],
    ));
    let mut edit = edit(&changes[0]).clone();
    assert!(edit.keeps_the_rest(&live, &canonical()));
    // Without the key, which an anonymous call does not have, such a test never passes.
    let mut value: serde_json::Value = serde_json::from_str(edit.document.as_str()).unwrap();
    value["Statement"][0]["Condition"] = json!({
        "ArnNotLike": { "aws:PrincipalArn": CI },
        "ForAnyValue:ArnNotLike": { "aws:PrincipalArn": ADMIN },
    });
    edit.document = PolicyText::new(value.to_string());
    assert!(!edit.keeps_the_rest(&live, &canonical()));
}

#[test]
fn the_protection_policy_is_written_attached_and_tagged_as_told() {
    let owned = Tags::from([(OWNERSHIP_TAG.to_owned(), OWNERSHIP_VALUE.to_owned())]);
    let wanted = DesiredGuardrails {
        protection: Some(DesiredProtection {
            name: "guard".to_owned(),
            document: PolicyText::new(document(&[ADMIN], &[ADMIN])),
            spared: BTreeSet::from([ADMIN.to_owned()]),
            targets: BTreeSet::from(["r-root".to_owned(), "ou-root-work".to_owned()]),
            tags: owned.clone(),
            origin: Origin {
                file: "breakglass.yaml".to_owned(),
                line: 9,
            },
        }),
        ..desired(&[])
    };
    // Beside it there is another one everywhere, so that it may be detached.
    let mut none = live(GuardrailPolicy {
        targets: ["r-root", "111111111111"].map(str::to_owned).into(),
        ..scp(&document(&[CI], &[CI]))
    });
    let created = diff(&wanted, &none).changes;
    let weaker = GuardrailPolicy {
        name: "guard".to_owned(),
        tags: Tags::from([("team".to_owned(), "x".to_owned())]),
        targets: ["r-root", "111111111111"].map(str::to_owned).into(),
        ..scp(&document(&[ADMIN, EVIL], &[ADMIN]))
    };
    none.policies.insert("p-guard".to_owned(), weaker.clone());
    let updated = diff(&wanted, &none).changes;
    let mut left = none.clone();
    left.policies.get_mut("p-guard").unwrap().tags = owned;
    let deleted = diff(&desired(&[]), &left).changes;
    for (changes, count) in [(&created, 3), (&updated, 5), (&deleted, 3)] {
        assert!(all_told(changes), "{changes:?}");
        let [change] = changes.as_slice() else {
            panic!("{changes:?}")
        };
        assert_eq!(change.operations.len(), count);
        for index in 0..count {
            let mut edited = change.clone();
            let step = &mut edited.operations[index].operation;
            let Operation::ChangeGuardrail(operation) = step else {
                panic!("{step:?}")
            };
            let other = PolicyText::new(document(&[EVIL], &[EVIL]));
            match operation {
                GuardrailOperation::CreatePolicy { document, .. }
                | GuardrailOperation::UpdatePolicy { document, .. } => *document = other,
                GuardrailOperation::DeletePolicy { .. } => edited.action = Action::Update,
                GuardrailOperation::Attach { target, .. }
                | GuardrailOperation::Detach { target, .. } => "ou-other".clone_into(target),
                GuardrailOperation::Tag { tags, .. } => {
                    tags.insert("more".to_owned(), String::new());
                }
                GuardrailOperation::Untag { keys, .. } => {
                    keys.insert(OWNERSHIP_TAG.to_owned());
                }
            }
            assert!(!all_told(&[edited]), "{index}");
        }
    }
}
