//! Whether a guardrail stops principals at all.

use std::collections::BTreeSet;

use super::tests_on_caller::KEY;
use crate::policy::canonical::CanonicalContext;
use crate::policy::compare::{Access, Verdict, compare};
use crate::policy::condition::{Operator, OperatorKind};
use crate::policy::document::{Condition, ConditionValue, Document, Effect};

/// Finds something that the Deny statements of a document deny to one of the principals, and says what; `None` when it is
/// proven that there is nothing.
///
/// The principals are values for `aws:PrincipalArn`, as for [`exempt`](super::exempt). The equivalence engine decides it,
/// over all requests that they can make; where it can't, that is what is said.
#[must_use]
pub fn denied_to(document: &Document, principals: &BTreeSet<String>) -> Option<String> {
    let only_theirs = Condition {
        operator: Operator {
            qualifier: None,
            kind: OperatorKind::ArnLike,
            if_exists: false,
        },
        key: KEY.to_owned(),
        values: principals
            .iter()
            .cloned()
            .map(ConditionValue::String)
            .collect(),
    };
    let mut theirs = document.clone();
    theirs
        .statements
        .retain(|statement| statement.effect == Effect::Deny);
    for statement in &mut theirs.statements {
        statement.conditions.push(only_theirs.clone());
    }
    let nothing = Document {
        statements: Vec::new(),
        ..document.clone()
    };
    let context = CanonicalContext::inferred(&[document]);
    let verdict = compare(&nothing, &theirs, &context);
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
