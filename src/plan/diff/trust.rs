//! The comparison of trust policies: who may become a break-glass principal, and whether that needs MFA.

use std::collections::BTreeSet;

use super::difference::{Difference, compare_documents, document_value, replacement_stage};
use super::steps::{Effects, Stage};
use crate::plan::Risk;
use crate::policy::{self, CanonicalContext, Document, Effect};
use crate::state::{Operation, PolicyText};

pub(super) fn compare_trust(
    difference: &mut Difference,
    role: &str,
    (live, spec): (&PolicyText, &PolicyText),
    context: &CanonicalContext,
) {
    let Some(access) = compare_documents(live, spec, context) else {
        return;
    };
    let (risk, witness) = match (live.parse(), spec.parse()) {
        (Ok(live), Ok(spec)) => weigh(&live, &spec),
        _ => (Risk::Critical, None),
    };
    let stage = if replacement_stage(access, Effects::of(spec)) == Stage::Narrow {
        Stage::Narrow
    } else {
        Stage::Trust
    };
    difference
        .field("trust_policy", document_value(live), document_value(spec))
        .witness(witness)
        .weigh(risk, access)
        .step(
            stage,
            Operation::SetTrustPolicy {
                role: role.to_owned(),
                document: spec.clone(),
            },
        );
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
