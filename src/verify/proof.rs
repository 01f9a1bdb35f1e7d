//! Proofs that are told without a request.

use super::result::{Finding, Obligation, Proof, Verdict};
use crate::ids::{AccountId, Arn};

/// Says that a role is not there, or could not be looked at.
pub(super) fn absent(verdict: Verdict, error: &str) -> Proof {
    let mut finding = Finding::new(verdict);
    if !error.is_empty() {
        finding.unknown_policies.push(error.to_owned());
    }
    Proof {
        findings: vec![finding],
        ..Proof::plain(Obligation::Present, verdict)
    }
}

/// Says that it can't be proven that a trusted principal gets in.
pub(super) fn unproven(arn: &Arn, verdict: Verdict, what: Option<String>) -> Proof {
    let mut finding = Finding::new(verdict);
    finding.unknown_policies.extend(what);
    Proof {
        principal: Some(arn.to_string()),
        findings: vec![finding],
        ..Proof::plain(Obligation::Assume, verdict)
    }
}

impl Proof {
    pub(super) fn plain(obligation: Obligation, verdict: Verdict) -> Self {
        Self {
            obligation,
            principal: None,
            action: None,
            verdict,
            findings: Vec::new(),
        }
    }

    /// Tells the same of an equal situation in another account.
    pub(super) fn of_account(&self, from: &AccountId, to: &AccountId) -> Self {
        let mut proof = self.clone();
        let swap = |text: &mut String| {
            if text.contains(from.as_str()) {
                *text = text.replace(from.as_str(), to.as_str());
            }
        };
        for finding in &mut proof.findings {
            finding.resource.iter_mut().for_each(swap);
            finding.unknown_policies.iter_mut().for_each(swap);
            let left = finding.remainder.iter_mut();
            let left = left.flat_map(|one| {
                one.unknown_policies.iter_mut().for_each(swap);
                &mut one.blockers
            });
            let policies = finding.blockers.iter_mut().chain(left);
            policies
                .filter_map(|one| one.policy.as_mut())
                .for_each(swap);
            for caller in &mut finding.callers {
                swap(&mut caller.who);
                swap(&mut caller.request);
            }
            for exception in &mut finding.exceptions {
                if exception.accounts.remove(from) {
                    exception.accounts.insert(to.clone());
                }
            }
        }
        proof
    }
}
