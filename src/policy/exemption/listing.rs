//! Who is let through.

use std::collections::BTreeSet;

use super::choice::sid;
use super::tests_on_caller::{let_through, spares_callers};
use crate::policy::condition::Operator;
use crate::policy::document::{Document, Effect};

/// Names principals that a Deny statement lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExemptedPrincipal {
    /// The number of the statement, counted from 1.
    pub statement: usize,
    /// Its Sid, if it has one.
    pub sid: Option<String>,
    /// The value of its test on `aws:PrincipalArn`, as it is written.
    pub principal: String,
    /// The operator of the test, which says how the value is read.
    pub operator: Operator,
}

/// Lists every value by which some Deny statement lets principals through: those of its negated tests on
/// `aws:PrincipalArn`, in whatever spelling and also with a set operator, in the order of the document.
#[must_use]
pub fn exempted(document: &Document) -> Vec<ExemptedPrincipal> {
    let mut found = Vec::new();
    for (index, statement) in document.statements.iter().enumerate() {
        if statement.effect != Effect::Deny {
            continue;
        }
        for test in statement
            .conditions
            .iter()
            .filter(|test| spares_callers(test))
        {
            found.extend(test.values.iter().map(|value| ExemptedPrincipal {
                statement: index + 1,
                sid: sid(statement).map(str::to_owned),
                principal: value.as_str().to_owned(),
                operator: test.operator,
            }));
        }
    }
    found
}

/// Tells whether a Deny statement, by its number counted from 1, surely denies nothing to a principal because of what it
/// tests of `aws:PrincipalArn`: then [`exempt`](super::exempt) has nothing to add for it.
///
/// This is decided in meaning: by a wider value, by several together, or by a positive test that names only others, such as
/// root users. Of a principal with wildcards everything it matches must be let through.
#[must_use]
pub fn is_exempted(document: &Document, statement: usize, principal: &str) -> bool {
    let index = statement.checked_sub(1);
    let statement = index.and_then(|index| document.statements.get(index));
    statement.is_some_and(|statement| {
        let principals = BTreeSet::from([principal]);
        statement.effect == Effect::Deny
            && !let_through(statement, document.effective_version(), &principals).is_empty()
    })
}
