//! Properties over generated documents.

use proptest::prelude::*;
use proptest::sample::select;

use super::{
    CanonicalContext, Condition, ConditionValue, Document, Effect, Operator, Principal, Selection,
    Statement, Version, canonical_pretty, canonicalize, compare, minified, parse, pretty,
};
use crate::ids::Partition;

fn context() -> CanonicalContext {
    CanonicalContext {
        partition: Some(Partition::commercial()),
    }
}

fn selection<T: std::fmt::Debug + Clone>(
    item: impl Strategy<Value = T>,
) -> impl Strategy<Value = Selection<Vec<T>>> {
    (any::<bool>(), prop::collection::vec(item, 0..4)).prop_map(|(negated, list)| {
        if negated {
            Selection::Except(list)
        } else {
            Selection::Only(list)
        }
    })
}

/// Text with everything that has a meaning somewhere.
fn text() -> impl Strategy<Value = String> {
    let part = select(vec![
        "a",
        "B",
        ":",
        "*",
        "?",
        "${aws:username}",
        "${*}",
        "$",
        "{",
        "}",
        "\\",
        "\"",
        "é",
        "\n",
        "10.0.0.1/8",
        "2020-01-01",
        "1.50",
        "true",
    ]);
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

fn action() -> impl Strategy<Value = String> {
    select(vec![
        "s3:Get*",
        "s3:GetObject",
        "S3:getobject",
        "s3:**",
        "s3:*?",
        "ec2:?*",
        "*",
    ])
    .prop_map(str::to_owned)
}

fn principals() -> impl Strategy<Value = Selection<Vec<Principal>>> {
    let kinds = [
        Principal::Aws,
        Principal::Service,
        Principal::Federated,
        Principal::CanonicalUser,
    ];
    let name = select(vec![
        "*",
        "123456789012",
        "arn:aws:iam::123456789012:root",
        "x",
    ]);
    let some = (select(kinds.to_vec()), name).prop_map(|(kind, name)| kind(name.to_owned()));
    prop_oneof![
        4 => selection(some).prop_map(|principals| {
            // A document groups its principals by kind.
            principals.map(|list| {
                let mut list = list.clone();
                list.sort_by_key(|principal| principal.entry().0);
                list
            })
        }),
        1 => Just(Selection::Only(vec![Principal::Star])),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let operators: Vec<_> = Operator::all().collect();
    let value = prop_oneof![
        text().prop_map(ConditionValue::String),
        select(vec!["1", "1.0", "-1e2"]).prop_map(|n| ConditionValue::Number(n.to_owned())),
        any::<bool>().prop_map(ConditionValue::Bool),
    ];
    let key = select(vec!["aws:PrincipalArn", "aws:principalarn", "k:t/Tag"]);
    (select(operators), key, prop::collection::vec(value, 0..3)).prop_map(
        |(operator, key, values)| Condition {
            operator,
            key: key.to_owned(),
            values,
        },
    )
}

fn statement() -> impl Strategy<Value = Statement> {
    let conditions = prop::collection::vec(condition(), 0..3).prop_map(|mut list| {
        list.sort_by_key(|condition| (condition.operator, condition.key.clone()));
        list.dedup_by_key(|condition| (condition.operator, condition.key.clone()));
        list
    });
    (
        any::<bool>(),
        prop::option::of(principals()),
        selection(action()),
        prop::option::of(selection(text())),
        conditions,
    )
        .prop_map(
            |(allow, principals, actions, resources, conditions)| Statement {
                sid: None,
                effect: if allow { Effect::Allow } else { Effect::Deny },
                principals,
                actions,
                resources,
                conditions,
            },
        )
}

fn document() -> impl Strategy<Value = Document> {
    let version = select(vec![None, Some(Version::V2008), Some(Version::V2012)]);
    let id = prop::option::of(text());
    (
        version,
        id,
        prop::collection::vec(statement(), 1..4),
        any::<bool>(),
    )
        .prop_map(|(version, id, mut statements, named)| {
            for (index, statement) in statements.iter_mut().enumerate() {
                statement.sid = named.then(|| format!("S{index}"));
            }
            Document {
                version,
                id,
                statements,
            }
        })
}

/// Writes the same document another way: other orders, repetitions, cases, wildcards, quotes and operators.
fn respelt(document: &Document) -> Document {
    let mut other = document.clone();
    other.statements.reverse();
    other.statements.push(other.statements[0].clone());
    for statement in &mut other.statements {
        statement.sid = None;
        statement.conditions.reverse();
        let (Selection::Only(actions) | Selection::Except(actions)) = &mut statement.actions;
        actions.reverse();
        actions.extend(actions.clone());
        for action in actions.iter_mut() {
            *action = action.to_uppercase().replace('*', "***");
        }
        if let Some(Selection::Only(list) | Selection::Except(list)) = &mut statement.principals {
            list.reverse();
            for principal in list {
                if *principal == Principal::Aws("123456789012".to_owned()) {
                    *principal = Principal::Aws("arn:aws:iam::123456789012:root".to_owned());
                }
            }
        }
        for condition in &mut statement.conditions {
            condition.key = condition.key.to_uppercase();
            condition.values.reverse();
            for value in &mut condition.values {
                *value = ConditionValue::String(value.as_str().to_owned());
            }
            let name = condition.operator.to_string();
            let name = name
                .replace("ArnEquals", "ArnLike")
                .replace("ArnNotLike", "ArnNotEquals");
            condition.operator = Operator::from_name(&name).unwrap();
        }
    }
    other
}

proptest! {
    #[test]
    fn printing_then_parsing_is_the_identity(document in document()) {
        prop_assert_eq!(&parse(&minified(&document)).unwrap(), &document);
        prop_assert_eq!(&parse(&pretty(&document)).unwrap(), &document);
    }

    #[test]
    fn sorting_for_a_diff_keeps_the_meaning(document in document()) {
        let sorted = parse(&canonical_pretty(&document)).unwrap();
        prop_assert_eq!(canonicalize(&sorted, &context()), canonicalize(&document, &context()));
        prop_assert_eq!(canonical_pretty(&sorted), canonical_pretty(&document));
    }

    #[test]
    fn a_respelt_document_has_the_same_form(document in document()) {
        let other = respelt(&document);
        let (a, b) = (canonicalize(&document, &context()), canonicalize(&other, &context()));
        prop_assert_eq!(a.to_text(), b.to_text());
        prop_assert_eq!(a, b);
    }

    #[test]
    fn forms_and_their_texts_agree(a in document(), b in document()) {
        let (a, b) = (canonicalize(&a, &context()), canonicalize(&b, &context()));
        prop_assert_eq!(a == b, a.to_text() == b.to_text());
    }

    #[test]
    fn a_direction_turns_round_with_the_sides(a in document(), b in document()) {
        use super::Access::{Both, Broader, Narrower, None};
        let turned = match compare(&b, &a, &context()).access() {
            Broader => Narrower,
            Narrower => Broader,
            same @ (None | Both) => same,
        };
        prop_assert_eq!(compare(&a, &b, &context()).access(), turned);
    }

    #[test]
    fn the_parser_never_panics(text in "\\PC*", json in "[\\[\\]{}\":,0-9eE.+\\\\u \\-a-z\n]*") {
        let _ = parse(&text);
        let _ = parse(&json);
    }

    #[test]
    fn the_parser_never_panics_on_a_broken_document(
        document in document(),
        at in any::<prop::sample::Index>(),
        junk in "[\\[\\]{}\":,\\\\x0]?",
    ) {
        let mut characters: Vec<char> = pretty(&document).chars().collect();
        let at = at.index(characters.len());
        characters.splice(at..=at, junk.chars());
        let text: String = characters.into_iter().collect();
        if let Err(error) = parse(&text) {
            prop_assert!(error.line >= 1 && error.line <= text.lines().count() + 1);
            prop_assert!(error.column >= 1);
        }
    }
}
