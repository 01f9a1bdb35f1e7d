//! Properties that tie both engines together: what the comparison claims, evaluation confirms.

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::policy::{
    Access, Answer, CanonicalContext, Condition, ConditionValue, Document, Effect, Operator,
    Principal, Selection, Statement, Verdict, Version, compare,
};

const USER: &str = "arn:aws:iam::111122223333:user/x";
const ROLE: &str = "arn:aws:iam::111122223333:role/p/r";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/s";

fn lists(items: &'static [&'static str]) -> impl Strategy<Value = Selection<Vec<String>>> {
    let list = subsequence(items, 1..=3)
        .prop_map(|items| items.into_iter().map(str::to_owned).collect::<Vec<_>>());
    (list, prop::bool::weighted(0.2)).prop_map(|(list, negated)| {
        if negated {
            Selection::Except(list)
        } else {
            Selection::Only(list)
        }
    })
}

/// One test, as operator, key and values that fit each other.
fn condition() -> impl Strategy<Value = Condition> {
    let text = [
        "a",
        "b",
        "a*",
        "*b",
        "A",
        "a?",
        "ab",
        "${aws:PrincipalTag/v}",
    ]
    .as_slice();
    let arns = [
        "arn:aws:iam::1:role/a",
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::?:r*/a",
    ]
    .as_slice();
    let kinds: Vec<(&[&str], &str, &[&str])> = vec![
        (
            &[
                "StringEquals",
                "StringNotEquals",
                "StringLike",
                "StringNotLike",
                "StringLikeIfExists",
            ],
            "aws:PrincipalTag/t",
            text,
        ),
        (
            &[
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringEquals",
            ],
            "aws:PrincipalTag/u",
            &["a", "A", "true", "false"],
        ),
        (
            &["ArnLike", "ArnNotEquals", "StringLike", "ArnLikeIfExists"],
            "aws:SourceArn",
            arns,
        ),
        (
            &[
                "NumericLessThan",
                "NumericGreaterThanEquals",
                "NumericEquals",
                "NumericNotEquals",
            ],
            "aws:MultiFactorAuthAge",
            &["1", "2", "2.0", "10", "-3", "1.5"],
        ),
        (
            &[
                "DateLessThan",
                "DateGreaterThanEquals",
                "DateNotEquals",
                "DateGreaterThanIfExists",
            ],
            "aws:TokenIssueTime",
            &[
                "2020-01-01",
                "2020-01-01T00:00:00Z",
                "1577836801",
                "2021-01-01",
            ],
        ),
        (
            &["IpAddress", "NotIpAddress", "NotIpAddressIfExists"],
            "aws:SourceIp",
            &[
                "10.0.0.0/8",
                "10.128.0.0/9",
                "10.0.0.1",
                "::/0",
                "0.0.0.0/0",
            ],
        ),
        (&["Null"], "aws:PrincipalTag/u", &["true", "False"]),
        (&["Null"], "aws:TagKeys", &["true", "false"]),
        (
            &["Bool", "BoolIfExists", "Null"],
            "aws:MultiFactorAuthPresent",
            &["true", "false"],
        ),
        (
            &[
                "ForAllValues:StringEquals",
                "ForAnyValue:StringLike",
                "ForAllValues:StringNotLike",
                "ForAnyValue:StringNotEquals",
                "ForAnyValue:StringEqualsIfExists",
                "StringLike",
                "StringNotEquals",
            ],
            "aws:TagKeys",
            &["a", "b", "a*", "true"],
        ),
    ];
    select(kinds).prop_flat_map(|(operators, key, values)| {
        (select(operators), subsequence(values, 1..=2)).prop_map(move |(operator, values)| {
            Condition {
                operator: Operator::from_name(operator).unwrap(),
                key: key.to_owned(),
                values: values
                    .into_iter()
                    .map(|value| ConditionValue::String(value.to_owned()))
                    .collect(),
            }
        })
    })
}

fn principals() -> impl Strategy<Value = Selection<Vec<Principal>>> {
    let aws = |name: &str| Principal::Aws(name.to_owned());
    let all = vec![
        aws("arn:aws:iam::111122223333:root"),
        aws(USER),
        aws(ROLE),
        aws(SESSION),
        aws("444455556666"),
        Principal::Service("ec2.amazonaws.com".to_owned()),
        Principal::Star,
    ];
    subsequence(all, 1..=3).prop_map(Selection::Only)
}

fn statement(with_principals: bool) -> impl Strategy<Value = Statement> {
    let conditions = prop::collection::vec(condition(), 0..=2).prop_map(|mut list| {
        list.sort_by_key(|condition| (condition.operator, condition.key.clone()));
        list.dedup_by_key(|condition| (condition.operator, condition.key.clone()));
        list
    });
    (
        prop::bool::weighted(0.6),
        principals(),
        lists(&[
            "s3:Get*",
            "s3:GetObject",
            "s3:*Object",
            "s3:*",
            "iam:?et*",
            "*",
        ]),
        lists(&[
            "*",
            "a*",
            "ab",
            "a?",
            "*b",
            "a${aws:PrincipalTag/v}",
            "${aws:PrincipalTag/v}b*",
        ]),
        conditions,
    )
        .prop_map(
            move |(allow, principals, actions, resources, conditions)| Statement {
                sid: None,
                effect: if allow { Effect::Allow } else { Effect::Deny },
                principals: with_principals.then_some(principals),
                actions,
                resources: Some(resources),
                conditions,
            },
        )
}

fn document(with_principals: bool) -> impl Strategy<Value = Document> {
    prop::collection::vec(statement(with_principals), 1..=4).prop_map(|statements| Document {
        version: Some(Version::V2012),
        id: None,
        statements,
    })
}

/// Documents that are often related, so that equal and nested ones are common.
fn pair() -> impl Strategy<Value = (Document, Document)> {
    any::<bool>().prop_flat_map(|with_principals| {
        (
            document(with_principals),
            statement(with_principals),
            any::<Index>(),
            0..6u8,
        )
            .prop_map(|(old, other, at, how)| {
                let mut new = old.clone();
                let at = at.index(new.statements.len());
                match how {
                    0 => new.statements.push(other),
                    1 => new.statements[at] = other,
                    2 => {
                        new.statements[at].conditions.pop();
                    }
                    3 => new.statements[at].actions = other.actions,
                    4 => new.statements[at].resources = other.resources,
                    _ => new = rewritten(&new),
                }
                (old, new)
            })
    })
}

/// Says the same with other statements: lists split, patterns and statements repeated, a Deny with `IfExists` in two.
fn rewritten(document: &Document) -> Document {
    let mut statements = Vec::new();
    for statement in document.statements.iter().rev() {
        match &statement.actions {
            Selection::Only(list) => statements.extend(list.iter().map(|action| Statement {
                actions: Selection::Only(vec![action.clone(), action.replace("s3:G", "S3:g")]),
                ..statement.clone()
            })),
            Selection::Except(_) => statements.push(statement.clone()),
        }
    }
    let optional = |statement: &Statement| {
        let mut conditions = statement.conditions.iter();
        conditions.position(|condition| condition.operator.if_exists)
    };
    let split = statements.into_iter().flat_map(|statement| {
        let Some(at) = optional(&statement) else {
            return vec![statement];
        };
        let (mut given, mut absent) = (statement.clone(), statement);
        let condition = &mut given.conditions[at];
        condition.operator.if_exists = false;
        let null = Condition {
            operator: Operator::from_name("Null").unwrap(),
            key: condition.key.clone(),
            values: vec![ConditionValue::Bool(true)],
        };
        absent.conditions.remove(at);
        // A second test of the key with Null would be the same operator and key twice.
        let mut others = absent.conditions.iter();
        if others.any(|other| other.operator == null.operator && other.key == null.key) {
            given.conditions[at].operator.if_exists = true;
            return vec![given];
        }
        absent.conditions.push(null);
        vec![given, absent]
    });
    Document {
        statements: split.collect(),
        ..document.clone()
    }
}

fn turned(access: Access) -> Access {
    match access {
        Access::Broader => Access::Narrower,
        Access::Narrower => Access::Broader,
        Access::None | Access::Both => access,
    }
}

proptest! {
    #[test]
    fn a_witness_is_answered_as_it_says((old, new) in pair()) {
        let context = CanonicalContext::inferred(&[&old, &new]);
        if let Verdict::Different { access, witnesses } = compare(&old, &new, &context) {
            prop_assert!(!witnesses.is_empty());
            for witness in witnesses.iter().filter(|witness| witness.exact) {
                // A root user has every permission of its own; beside that, both engines agree.
                let is_root = witness.principal.ends_with(":root");
                let (was, is) = (witness.answer_of(&old), witness.answer_of(&new));
                prop_assert!(is_root || (was, is) == (Some(witness.old), Some(witness.new)), "{witness}: {was:?} {is:?}");
                let gains = witness.new == Answer::Allowed
                    || (witness.old == Answer::Denied && witness.new == Answer::NotAllowed);
                let expected = if gains { Access::Broader } else { Access::Narrower };
                prop_assert!(access == Access::Both || access == expected, "{witness}: {access:?}");
            }
            prop_assert_eq!(compare(&new, &old, &context).access(), turned(access));
        }
    }

    #[test]
    fn a_rewritten_document_means_the_same(document in any::<bool>().prop_flat_map(document)) {
        let context = CanonicalContext::default();
        prop_assert_eq!(compare(&document, &rewritten(&document), &context), Verdict::Equal);
    }

    /// The witnesses of other pairs are probes: they lie where documents of this kind tell requests apart.
    #[test]
    fn equal_documents_answer_every_probe_alike((old, new) in pair(), others in prop::collection::vec(pair(), 8)) {
        let context = CanonicalContext::default();
        if compare(&old, &new, &context) == Verdict::Equal {
            for (one, other) in others {
                if let Verdict::Different { witnesses, .. } = compare(&one, &other, &context) {
                    for probe in witnesses {
                        prop_assert_eq!(probe.answer_of(&old), probe.answer_of(&new), "{}", probe);
                    }
                }
            }
        }
    }

    /// What takes a condition, an exception or a Deny away, or adds an Allow or a pattern, never narrows.
    #[test]
    fn a_mutation_that_gives_is_never_taken_for_one_that_takes(
        document in any::<bool>().prop_flat_map(document),
        at in any::<Index>(),
    ) {
        let at = at.index(document.statements.len());
        let mut wider = document.clone();
        let effect = wider.statements[at].effect;
        if effect == Effect::Deny {
            wider.statements.remove(at);
        } else if wider.statements[at].conditions.pop().is_none() {
            match &mut wider.statements[at].actions {
                Selection::Only(list) => list.push("ec2:*".to_owned()),
                Selection::Except(list) => {
                    list.pop();
                }
            }
        }
        let access = compare(&document, &wider, &CanonicalContext::default()).access();
        prop_assert!(matches!(access, Access::None | Access::Broader), "{access:?}");
    }
}
