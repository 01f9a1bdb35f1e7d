//! Whether a guardrail stops principals at all.

use std::collections::BTreeSet;

use super::tests_on_caller::{KEY, spares_callers};
use crate::policy::canonical::CanonicalContext;
use crate::policy::compare::{Access, Verdict, compare};
use crate::policy::condition::{Operator, OperatorKind};
use crate::policy::document::{Condition, ConditionValue, Document, Effect, Statement};
use crate::policy::equivalence::denies_some_of;

/// Finds something that the Deny statements of a document deny to one of the principals, and says what; `None` when it is
/// proven that there is nothing.
///
/// The principals are values for `aws:PrincipalArn`, as for [`exempt`](super::exempt). The equivalence engine decides it,
/// over all requests that they can make; where it can't, that is what is said.
#[must_use]
pub fn denied_to(document: &Document, principals: &BTreeSet<String>) -> Option<String> {
    let denies = document.statements.iter();
    let denies = denies.filter(|statement| statement.effect == Effect::Deny);
    let theirs = denies.cloned().map(|mut statement| {
        statement.conditions.push(made_by(principals));
        statement
    });
    let nothing = with_statements(document, Vec::new());
    let denied = with_statements(document, theirs.collect());
    let verdict = compare(&nothing, &denied, &CanonicalContext::inferred(&[document]));
    if verdict.access() == Access::None {
        return None;
    }
    Some(match verdict {
        Verdict::Different { witnesses, .. } => witnesses.first().map_or_else(
            || "something is denied".to_owned(),
            |witness| format!("{} is denied", witness.request()),
        ),
        Verdict::Unproven { reason, .. } => format!("not proven that nothing is denied: {reason}"),
        Verdict::Equal | Verdict::Cosmetic => "something is denied".to_owned(),
    })
}

/// Tells whether a Deny statement, by its number counted from 1, would stop one of these principals in a call that it may
/// make if the statement let nobody through.
///
/// The principals are of this organization and no services, which conditions may ask for. `calls` says what they may do
/// by their own policies. What can't be decided counts as stopped.
#[must_use]
pub fn would_stop(
    document: &Document,
    statement: usize,
    principals: &BTreeSet<String>,
    organization: &str,
    calls: &Document,
) -> bool {
    let index = statement.checked_sub(1);
    let statement = index.and_then(|index| document.statements.get(index));
    let Some(statement) = statement.filter(|statement| statement.effect == Effect::Deny) else {
        return false;
    };
    let mut deny = Statement {
        // A guardrail's Deny is for everybody; the calls name nobody either.
        principals: None,
        ..statement.clone()
    };
    deny.conditions
        .retain(|condition| !spares_callers(condition));
    deny.conditions.push(made_by(principals));
    for (kind, key, value) in [
        (
            OperatorKind::StringEquals,
            "aws:PrincipalOrgID",
            organization,
        ),
        (OperatorKind::Bool, "aws:PrincipalIsAWSService", "false"),
    ] {
        deny.conditions.push(test(kind, key, [value.to_owned()]));
    }
    denies_some_of(&with_statements(document, vec![deny]), calls)
}

/// The test that a call is made by one of these principals.
fn made_by(principals: &BTreeSet<String>) -> Condition {
    test(OperatorKind::ArnLike, KEY, principals.iter().cloned())
}

fn test(kind: OperatorKind, key: &str, values: impl IntoIterator<Item = String>) -> Condition {
    Condition {
        operator: Operator {
            qualifier: None,
            kind,
            if_exists: false,
        },
        key: key.to_owned(),
        values: values.into_iter().map(ConditionValue::String).collect(),
    }
}

fn with_statements(document: &Document, statements: Vec<Statement>) -> Document {
    Document {
        statements,
        ..document.clone()
    }
}
