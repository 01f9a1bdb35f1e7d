//! Pairs whose comparison needs their meaning, one table a rule, each checked in both directions.
//!
//! Sources: IAM User Guide, "IAM JSON policy elements" (Condition operators, multivalued keys, NotAction, NotResource,
//! Principal, variables) and "Policy evaluation logic".

mod bounds;
mod conditions;
mod principals;
mod shapes;

use super::*;
use crate::policy::parse;

/// Writes a document of the current version from statements.
fn document(statements: &[&str]) -> String {
    let statements: Vec<_> = statements.iter().map(|s| format!("{{{s}}}")).collect();
    let statements = statements.join(",");
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn verdict(old: &[&str], new: &[&str]) -> Verdict {
    let (old, new) = (
        parse(&document(old)).unwrap(),
        parse(&document(new)).unwrap(),
    );
    compare(&old, &new, &CanonicalContext::inferred(&[&old, &new]))
}

/// Checks that documents mean the same.
fn same(old: &[&str], new: &[&str]) {
    assert_eq!(verdict(old, new), Verdict::Equal, "{old:?} {new:?}");
    assert_eq!(verdict(new, old), Verdict::Equal, "{new:?} {old:?}");
}

/// Checks that documents differ so, and with a witness that says so.
fn differs(access: Access, old: &[&str], new: &[&str]) {
    let turned = match access {
        Access::Broader => Access::Narrower,
        Access::Narrower => Access::Broader,
        Access::None | Access::Both => access,
    };
    for (access, old, new) in [(access, old, new), (turned, new, old)] {
        match verdict(old, new) {
            Verdict::Different {
                access: found,
                witnesses,
            } => {
                assert_eq!(found, access, "{old:?} {new:?}");
                let number = if access == Access::Both { 2 } else { 1 };
                assert_eq!(witnesses.len(), number, "{old:?} {new:?}");
                for witness in witnesses {
                    assert_ne!(witness.old, witness.new, "{old:?} {new:?}");
                }
            }
            other => panic!("{old:?} {new:?}: {other:?}"),
        }
    }
}

fn allow(rest: &str) -> String {
    format!(r#""Effect":"Allow",{rest}"#)
}

fn deny(rest: &str) -> String {
    format!(r#""Effect":"Deny",{rest}"#)
}

fn on_all(action: &str) -> String {
    format!(r#""Action":{action},"Resource":"*""#)
}

/// Every action on every resource under a condition.
fn under(condition: &str) -> String {
    format!(r#""Action":"*","Resource":"*","Condition":{condition}"#)
}

/// Checks conditions under an Allow and a Deny, one statement per condition.
fn same_conditions(old: &[&str], new: &[&str]) {
    for effect in [allow, deny] {
        let of = |conditions: &[&str]| -> Vec<String> {
            conditions.iter().map(|c| effect(&under(c))).collect()
        };
        let (old, new) = (of(old), of(new));
        same(
            &old.iter().map(String::as_str).collect::<Vec<_>>(),
            &new.iter().map(String::as_str).collect::<Vec<_>>(),
        );
    }
}

/// Checks conditions of which the new ones pass more often.
fn wider_conditions(old: &[&str], new: &[&str]) {
    for (effect, access) in [
        (allow as fn(&str) -> String, Access::Broader),
        (deny, Access::Narrower),
    ] {
        let of = |conditions: &[&str]| -> Vec<String> {
            conditions.iter().map(|c| effect(&under(c))).collect()
        };
        let (old, new) = (of(old), of(new));
        differs(
            access,
            &old.iter().map(String::as_str).collect::<Vec<_>>(),
            &new.iter().map(String::as_str).collect::<Vec<_>>(),
        );
    }
}
