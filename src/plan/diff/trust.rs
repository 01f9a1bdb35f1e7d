//! The comparison of trust policies: who may become a break-glass principal, and whether that needs MFA.

use std::collections::BTreeSet;

use super::difference::{Difference, compare_documents, document_value};
use super::steps::Stage;
use crate::plan::Risk;
use crate::policy::{self, Access, CanonicalContext, Document, Effect, Selection};
use crate::state::{Operation, PolicyText};

/// Compares trust policies, and tells whether everyone trusted is exchanged for others.
pub(super) fn compare_trust(
    difference: &mut Difference,
    role: &str,
    (live, spec): (&PolicyText, &PolicyText),
    context: &CanonicalContext,
) -> bool {
    let Some(access) = compare_documents(live, spec, context) else {
        return false;
    };
    let (risk, witness) = match (live.parse(), spec.parse()) {
        (Ok(live), Ok(spec)) => weigh(&live, &spec),
        _ => (Risk::Critical, None),
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
                if compare_documents(&document, spec, context).is_some() {
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

/// Tells how grave a difference of trust is, and what shows it best.
fn weigh(live: &Document, spec: &Document) -> (Risk, Option<String>) {
    match (policy::requires_mfa(live), policy::requires_mfa(spec)) {
        (false, true) => {
            let witness =
                "assuming the role without MFA: allowed by the live policy, not by the spec";
            return (Risk::Critical, Some(witness.to_owned()));
        }
        (true, false) => {
            let witness =
                "assuming the role without MFA: allowed by the spec, not by the live policy";
            return (Risk::Critical, Some(witness.to_owned()));
        }
        (true, true) | (false, false) => {}
    }
    let (live, spec) = (trusted(live), trusted(spec));
    let stranger = live.difference(&spec).next();
    let newcomer = spec.difference(&live).next();
    match (stranger, newcomer) {
        (Some(name), _) => (
            Risk::Critical,
            Some(format!(
                "{name} may assume the role now, but not by the spec"
            )),
        ),
        (None, Some(name)) => (
            Risk::Critical,
            Some(format!(
                "{name} may assume the role by the spec, but not now"
            )),
        ),
        (None, None) => (Risk::High, None),
    }
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
