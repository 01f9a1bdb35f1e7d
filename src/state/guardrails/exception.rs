//! Exceptions that guardrails make: what is wanted, and the edit of a document that one change is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{DesiredProtection, GuardrailOperation, GuardrailPolicy, PolicyReference};
use crate::ids::{AccountId, Arn, IamPath};
use crate::policy::exemption::{exempted, without};
use crate::policy::{CanonicalContext, Document, fingerprint_text};
use crate::state::{Fingerprint, Origin, PolicyText, Tags};

/// Holds what the spec wants of the guardrails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DesiredGuardrails {
    /// The exceptions, past their last day or not, in the order of the spec.
    pub exceptions: Vec<DesiredException>,
    /// Every role of the spec.
    pub roles: BTreeSet<(IamPath, String)>,
    /// Every user of the spec.
    pub users: BTreeSet<(IamPath, String)>,
    /// The policy that protects the break-glass objects: whom that one lets through is no exception.
    pub protection: Option<DesiredProtection>,
}

/// Says whom a guardrail shall let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredException {
    /// Its id, unique in the spec.
    pub id: String,
    /// The name or id of the policy.
    pub policy: String,
    /// The Sids of the statements; each Deny statement when absent.
    pub statements: Option<Vec<String>>,
    /// The roles.
    pub roles: Vec<ExceptedRole>,
    /// The users.
    pub users: Vec<ExceptedUser>,
    /// Why it is needed.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it was agreed.
    pub ticket: String,
    /// The last day it holds.
    pub expires: Date,
    /// The day on which the incident that is its ticket was closed, by the record of incidents.
    pub closed: Option<Date>,
    /// Where the spec has it.
    pub origin: Origin,
}

impl DesiredException {
    /// Tells why it no longer holds; `None` as long as it does.
    #[must_use]
    pub fn ended(&self, today: Date) -> Option<String> {
        if let Some(closed) = self.closed.filter(|closed| *closed <= today) {
            return Some(format!("incident {} was closed on {closed}", self.ticket));
        }
        (self.expires < today).then(|| format!("expired on {}", self.expires))
    }
}

/// Names a role that a guardrail shall let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptedRole {
    /// Its path.
    pub path: IamPath,
    /// Its name.
    pub name: String,
    /// The accounts where it is let through.
    pub accounts: BTreeSet<AccountId>,
    /// Who is trusted to assume it.
    pub callers: BTreeSet<Arn>,
}

/// Names a user that a guardrail shall let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptedUser {
    /// Its path.
    pub path: IamPath,
    /// Its name.
    pub name: String,
    /// The account where it lives.
    pub account: AccountId,
    /// The policies that say what it may do; none where not all of them are known.
    pub policies: Option<Vec<PolicyText>>,
}

/// Names a value by which a statement of a guardrail lets principals through.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// The number of the Deny statement, counted from 1.
    pub statement: usize,
    /// The value of its test on `aws:PrincipalArn`.
    pub principal: String,
}

/// States which exemptions a change adds to a guardrail and takes out of it, with the document that it writes.
///
/// Changes of one policy are carried out one after the other, and each document holds what those before it did. So that
/// one does not make the next stale, the fingerprint leaves out what its neighbours edit, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExemptionEdit {
    /// The exception, as its address names it.
    pub exception: String,
    /// The id of the policy.
    pub policy: String,
    /// What is added.
    pub add: BTreeSet<Exemption>,
    /// What is taken out.
    pub remove: BTreeSet<Exemption>,
    /// What the other changes of the plan add to the same policy or take out of it.
    pub neighbours: BTreeSet<Exemption>,
    /// The document that is written.
    pub document: PolicyText,
    /// The tag by which the policy remembers from then on what it was made to let through; none where it remembers so already.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remember: Tags,
    /// The keys of such tags that go with the exception.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub forget: BTreeSet<String>,
}

impl ExemptionEdit {
    /// The operations on the policy that carry it out, in order.
    ///
    /// What an apply that dies in between was allowed to let through is remembered by then. What it takes back is forgotten
    /// first: the document alone tells the next one what is left to take back, and nothing would tell it of a tag.
    #[must_use]
    pub fn operations(&self) -> Vec<GuardrailOperation> {
        let policy = PolicyReference::Id(self.policy.clone());
        let remember = (!self.remember.is_empty()).then(|| GuardrailOperation::Tag {
            policy: policy.clone(),
            tags: self.remember.clone(),
        });
        let update = GuardrailOperation::UpdatePolicy {
            policy: policy.clone(),
            document: self.document.clone(),
        };
        let forget = (!self.forget.is_empty()).then(|| GuardrailOperation::Untag {
            policy,
            keys: self.forget.clone(),
        });
        forget.into_iter().chain(remember).chain([update]).collect()
    }

    /// Tells whether the document that is written differs from a policy in nothing but what this change and its
    /// neighbours edit.
    #[must_use]
    pub fn keeps_the_rest(&self, policy: &GuardrailPolicy, context: &CanonicalContext) -> bool {
        match (policy.document.parse(), self.document.parse()) {
            (Ok(live), Ok(written)) => self.rest(live, context) == self.rest(written, context),
            _ => false,
        }
    }

    /// Takes the fingerprint of a policy as far as it concerns this change.
    #[must_use]
    pub fn fingerprint(
        &self,
        policy: Option<&GuardrailPolicy>,
        context: &CanonicalContext,
    ) -> Fingerprint {
        let Some(policy) = policy else {
            return Fingerprint::absent();
        };
        let Ok(document) = policy.document.parse() else {
            let text = policy.document.as_str();
            return Fingerprint::of_value(&serde_json::json!([self.policy, "unreadable", text]));
        };
        let own: BTreeSet<Exemption> = exempted(&document)
            .into_iter()
            .map(|found| Exemption {
                statement: found.statement,
                principal: found.principal,
            })
            .filter(|found| self.add.contains(found) || self.remove.contains(found))
            .collect();
        let rest = self.rest(document, context);
        Fingerprint::of_value(&serde_json::json!([self.policy, rest, own]))
    }

    /// What a document says beside what this change and its neighbours edit.
    fn rest(&self, mut document: Document, context: &CanonicalContext) -> String {
        let mut edited: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let all = self.add.iter().chain(&self.remove).chain(&self.neighbours);
        for exemption in all {
            let principals = edited.entry(exemption.statement).or_default();
            principals.insert(exemption.principal.clone());
        }
        for (statement, principals) in &edited {
            document = without(&document, *statement, principals);
        }
        fingerprint_text(&document, context)
    }
}
