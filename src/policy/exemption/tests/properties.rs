//! What holds of every edit, over generated guardrails.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::policy::evaluate::ContextValue;
use crate::policy::{
    CanonicalContext, Condition, ConditionValue, Document, DocumentKind, Effect, Operator,
    Selection, Statement, Verdict, Version, compare, minified, parse,
};

/// Values for `aws:PrincipalArn`; a role's path may contain colons.
const VALUES: [&str; 9] = [
    "arn:aws:iam::111122223333:role/bg/Admin",
    "arn:aws:iam::444455556666:role/bg/Admin",
    "arn:aws:iam::111122223333:role/x:role/bg/Admin",
    "arn:aws:iam::111122223333:role/Other",
    "arn:aws:iam::111122223333:user/bg/ops",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::*:role/bg/Admin",
    "arn:aws:iam::111122223333:role/bg/*",
    "arn:aws:iam::4*:role/*",
];

fn condition() -> impl Strategy<Value = Condition> {
    let on_caller = (
        select(vec![
            "ArnNotLike",
            "ArnNotEquals",
            "ArnNotLikeIfExists",
            "StringNotLike",
            "StringNotLikeIfExists",
            "StringNotEquals",
            "StringNotEqualsIgnoreCase",
            "ForAnyValue:ArnNotLike",
            "ForAllValues:StringNotLike",
            "ArnLike",
            "StringLikeIfExists",
        ]),
        select(vec!["aws:PrincipalArn", "AWS:principalarn"]),
        subsequence(&VALUES[..], 1..=3),
    );
    let on_region = (
        select(vec![
            "StringEquals",
            "StringNotEquals",
            "StringNotLike",
            "ArnNotLike",
        ]),
        Just("aws:RequestedRegion"),
        subsequence(&["eu-west-1", "us-east-1", "eu-*"][..], 1..=2),
    );
    prop_oneof![2 => on_caller, 1 => on_region].prop_map(|(operator, key, values)| Condition {
        operator: Operator::from_name(operator).unwrap(),
        key: key.to_owned(),
        values: values
            .into_iter()
            .map(|value| ConditionValue::String(value.to_owned()))
            .collect(),
    })
}

fn actions(items: &'static [&'static str]) -> impl Strategy<Value = Selection<Vec<String>>> {
    let list = subsequence(items, 1..=2);
    (list, prop::bool::weighted(0.3)).prop_map(|(list, negated)| {
        let list = list.into_iter().map(str::to_owned).collect();
        if negated {
            Selection::Except(list)
        } else {
            Selection::Only(list)
        }
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    let conditions = prop::collection::vec(condition(), 0..4).prop_map(|mut list| {
        list.sort_by_key(|condition| (condition.operator, condition.key.to_ascii_lowercase()));
        list.dedup_by_key(|condition| (condition.operator, condition.key.to_ascii_lowercase()));
        list
    });
    (
        prop::bool::weighted(0.15),
        actions(&["s3:*", "s3:Get*", "ec2:*", "*"]),
        actions(&["arn:aws:s3:::a", "arn:aws:s3:::*", "*"]),
        conditions,
    )
        .prop_map(|(allow, actions, resources, conditions)| Statement {
            sid: None,
            effect: if allow { Effect::Allow } else { Effect::Deny },
            principals: None,
            actions,
            resources: Some(resources),
            conditions,
        })
}

fn document() -> impl Strategy<Value = Document> {
    prop::collection::vec(statement(), 1..4).prop_map(|statements| Document {
        version: Some(Version::V2012),
        id: None,
        statements,
    })
}

fn principals() -> impl Strategy<Value = BTreeSet<String>> {
    subsequence(&VALUES[..], 0..=3)
        .prop_map(|values| values.into_iter().map(str::to_owned).collect())
}

/// Chooses some of the Deny statements.
fn chosen(document: &Document, mask: u8) -> Chosen {
    let statements = document.statements.iter().enumerate();
    let chosen = statements
        .filter(|(index, statement)| statement.effect == Effect::Deny && mask >> index & 1 == 1);
    Chosen::Numbers(chosen.map(|(index, _)| index + 1).collect())
}

fn denies(document: &Document) -> Document {
    let mut denies = document.clone();
    denies
        .statements
        .retain(|statement| statement.effect == Effect::Deny);
    denies
}

fn is_equal(old: &Document, new: &Document) -> bool {
    let verdict = compare(old, new, &CanonicalContext::default());
    matches!(verdict, Verdict::Equal | Verdict::Cosmetic)
}

proptest! {
    #[test]
    fn an_edit_lets_exactly_the_principals_through(
        old in document(),
        principals in principals(),
        mask in any::<u8>(),
    ) {
        let chosen = chosen(&old, mask);
        let new = exempt(&old, &chosen, &principals, DocumentKind::Scp).unwrap();
        let proof = prove(&old, &new, &principals);
        prop_assert!(proof.is_ok(), "{proof:?}\n{}\n{}", minified(&old), minified(&new));
        // The Denies alone: a set operator in an Allow makes the key one of several values for the whole document.
        prop_assert_eq!(proof.unwrap().changes_access(), !is_equal(&denies(&old), &denies(&new)));
        prop_assert_eq!(exempt(&new, &chosen, &principals, DocumentKind::Scp).unwrap(), new.clone());
        let reread = parse(&minified(&old)).unwrap();
        let edited = exempt(&reread, &chosen, &principals, DocumentKind::Scp).unwrap();
        prop_assert_eq!(parse(&minified(&edited)).unwrap(), edited);
        for index in chosen.resolve(&old).unwrap() {
            for principal in &principals {
                prop_assert!(is_exempted(&new, index + 1, principal), "{principal} {}", minified(&new));
            }
        }

        // What was there in the same words is taken out as well.
        let before = exempted(&old);
        if !before.iter().any(|one| principals.contains(&one.principal)) {
            let back = unexempt(&new, &chosen, &principals);
            prop_assert!(is_equal(&old, &back));
            prop_assert_eq!(back, old);
        }
    }

    #[test]
    fn evaluation_agrees(
        old in document(),
        principals in principals(),
        mask in any::<u8>(),
        caller in select(&VALUES[..6]),
        action in select(vec!["s3:GetObject", "s3:PutObject", "ec2:RunInstances"]),
        region in select(vec!["eu-west-1", "us-east-1"]),
    ) {
        let chosen = chosen(&old, mask);
        let new = exempt(&old, &chosen, &principals, DocumentKind::Scp).unwrap();
        let mut request = request(caller, action, "arn:aws:s3:::a");
        request.context.set("aws:PrincipalArn", ContextValue::one(caller));
        request.context.set("aws:RequestedRegion", ContextValue::one(region));
        let before = blocking_statements(&old, DocumentKind::Scp, &request);
        let after = blocking_statements(&new, DocumentKind::Scp, &request);
        let named = principals.iter().any(|principal| matches(principal, caller));
        let mut expected = before.clone();
        if named {
            let chosen = chosen.resolve(&old).unwrap();
            expected.retain(|number| !chosen.contains(&(number - 1)));
        }
        prop_assert_eq!(after, expected, "{} {}", minified(&old), minified(&new));
        for (index, statement) in old.statements.iter().enumerate() {
            if statement.effect == Effect::Deny && is_exempted(&old, index + 1, caller) {
                prop_assert!(!before.contains(&(index + 1)), "{caller} {}", minified(&old));
            }
        }
    }

    #[test]
    fn a_stranger_who_gains_is_always_found(
        old in document(),
        principals in principals(),
        stranger in select(&VALUES[..6]),
    ) {
        prop_assume!(!principals.iter().any(|principal| matches(principal, stranger)));
        let mut more = principals.clone();
        more.insert(stranger.to_owned());
        let new = exempt(&old, &Chosen::EachDeny, &more, DocumentKind::Scp).unwrap();
        let declared = exempt(&old, &Chosen::EachDeny, &principals, DocumentKind::Scp).unwrap();
        prop_assert_eq!(prove(&old, &new, &principals).is_ok(), is_equal(&declared, &new));
    }
}

/// Matches segment by segment; apart from the last one only accounts have wildcards here.
fn matches(principal: &str, caller: &str) -> bool {
    let (pattern, caller): (Vec<_>, Vec<_>) = (
        principal.splitn(6, ':').collect(),
        caller.splitn(6, ':').collect(),
    );
    pattern
        .iter()
        .zip(&caller)
        .all(|(pattern, part)| match pattern.strip_suffix('*') {
            Some(prefix) => part.starts_with(prefix),
            None => pattern == part,
        })
}
