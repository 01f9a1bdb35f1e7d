//! Which statements of one document stand in the way of a request.

use super::facts::Facts;
use super::request::Request;
use super::statement;
use super::truth::Truth;
use crate::policy::document::{Document, Effect};
use crate::policy::lint::DocumentKind;

/// Lists the Deny statements of a document that apply to a request, or may as far as is known; counted from 1.
///
/// An SCP or RCP that does not bind the request blocks nothing: SCPs leave the management account, service-linked roles and
/// callers without an account alone, RCPs resources of the management account and service-linked roles. Each statement is
/// looked at by itself, so that an unknown context key on which it depends makes it one that may apply.
#[must_use]
pub fn blocking_statements(
    document: &Document,
    kind: DocumentKind,
    request: &Request,
) -> Vec<usize> {
    let facts = Facts::new(request);
    let binding = match kind {
        DocumentKind::Identity | DocumentKind::Trust => Truth::True,
        DocumentKind::Scp => facts.escapes_scps().negated(),
        DocumentKind::Rcp => facts.escapes_rcps().negated(),
    };
    let version = document.effective_version();
    let statements = document.statements.iter().enumerate();
    let denies = statements.filter(|(_, statement)| statement.effect == Effect::Deny);
    let blocking = denies.filter(|(_, statement)| {
        let applies = statement::applies(statement, version, &facts).any();
        applies.and(binding) != Truth::False
    });
    blocking.map(|(index, _)| index + 1).collect()
}
