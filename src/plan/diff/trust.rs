//! The comparison of trust policies: who may become a break-glass principal, and whether that needs MFA.

use std::collections::BTreeSet;

use super::difference::{Difference, Documents, Rules, compare_documents, document_value};
use super::steps::Stage;
use crate::plan::Risk;
use crate::policy::{self, Access, Document, Effect, Selection};
use crate::state::{Operation, PolicyText};

/// Compares trust policies, and tells whether everyone trusted is exchanged for others.
pub(super) fn compare_trust(
    difference: &mut Difference,
    role: &str,
    (live, spec): (&PolicyText, &PolicyText),
    rules: &Rules,
) -> bool {
    let (access, witness) = match compare_documents(live, spec, rules) {
        Documents::Same => return false,
        Documents::Cosmetic => {
            difference.cosmetic.push("trust_policy".to_owned());
            return false;
        }
        Documents::Different { access, witness } => (access, witness),
    };
    let risk = match (live.parse(), spec.parse()) {
        _ if access == Access::None => Risk::Low,
        (Ok(live), Ok(spec)) => risk(&live, &spec),
        _ => Risk::Critical,
    };
    difference
        .field("trust_policy", document_value(live), document_value(spec))
        .witness(witness)
        .weigh(risk, access);
    let set = |document: PolicyText| Operation::SetTrustPolicy {
        role: role.to_owned(),
        document,
    };
    let (stage, swapped) = match access {
        Access::None | Access::Narrower => (Stage::Narrow, false),
        Access::Broader => (Stage::Trust, false),
        Access::Both => match remaining(live, spec) {
            // First only those who stay, then, when everything is as the spec says, the newcomers.
            Some(document) => {
                if !matches!(compare_documents(&document, spec, rules), Documents::Same) {
                    difference.step(Stage::Narrow, set(document));
                    (Stage::Trust, false)
                } else {
                    (Stage::Narrow, false)
                }
            }
            None => (Stage::Swap, true),
        },
    };
    difference.step(stage, set(spec.clone()));
    swapped
}

/// Writes the spec's trust policy for those alone whom the live one trusts too; `None` when there are none.
fn remaining(live: &PolicyText, spec: &PolicyText) -> Option<PolicyText> {
    let (live, mut document) = (live.parse().ok()?, spec.parse().ok()?);
    let live = trusted(&live);
    for statement in &mut document.statements {
        if let Some(Selection::Only(principals)) = &mut statement.principals {
            principals.retain(|principal| live.contains(principal.entry().1));
        }
    }
    document.statements.retain(|statement| {
        let principals = statement.principals.as_ref();
        principals.is_some_and(|principals| !principals.list().is_empty())
    });
    (!document.statements.is_empty()).then(|| PolicyText::new(policy::minified(&document)))
}

/// Tells how grave a difference of trust is: whether MFA is demanded, or who is trusted, differs.
fn risk(live: &Document, spec: &Document) -> Risk {
    let same_mfa = policy::requires_mfa(live) == policy::requires_mfa(spec);
    if same_mfa && trusted(live) == trusted(spec) {
        Risk::High
    } else {
        Risk::Critical
    }
}

/// Tells whether nobody can become the role without MFA.
pub(super) fn demands_mfa(trust: &PolicyText) -> bool {
    trust
        .parse()
        .is_ok_and(|document| policy::requires_mfa(&document))
}

/// Lists whom the Allow statements of a trust policy name.
fn trusted(document: &Document) -> BTreeSet<&str> {
    document
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
        .filter_map(|statement| statement.principals.as_ref())
        .flat_map(|principals| principals.list())
        .map(|principal| principal.entry().1)
        .collect()
}
