//! The SCPs and RCPs above an account, each chain of them read once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::situation::Mentions;
use crate::ids::AccountId;
use crate::org::Organization;
use crate::policy::evaluate::{Policy, mentioned_keys};
use crate::state::{GuardrailKind, Guardrails};

/// Names a policy of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) id: Option<String>,
    /// What an exception names it by: its name, or its id where others have that name, too.
    pub(super) reference: String,
}

/// Holds the policies of one kind from the root to an account.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Tells chains apart.
    pub(super) number: usize,
    pub(super) levels: Vec<Vec<Policy>>,
    pub(super) labels: Vec<Vec<Label>>,
    pub(super) keys: BTreeSet<String>,
    pub(super) mentions: Mentions,
}

struct Read {
    label: Label,
    policy: Policy,
    keys: BTreeSet<String>,
    mentions: Mentions,
}

/// Finds the chain of each account.
pub(super) struct Chains<'a> {
    organization: &'a Organization,
    enabled: BTreeSet<GuardrailKind>,
    policies: BTreeMap<&'a str, Read>,
    /// The policies attached to each node.
    attached: BTreeMap<(GuardrailKind, &'a str), Vec<&'a str>>,
    /// Why nothing is known of them.
    unknown: Option<String>,
    found: BTreeMap<(GuardrailKind, Vec<Vec<&'a str>>), Arc<Chain>>,
}

impl<'a> Chains<'a> {
    pub(super) fn new(
        organization: &'a Organization,
        guardrails: Result<&'a Guardrails, String>,
    ) -> Self {
        let mut chains = Self {
            organization,
            enabled: BTreeSet::new(),
            policies: BTreeMap::new(),
            attached: BTreeMap::new(),
            unknown: None,
            found: BTreeMap::new(),
        };
        let guardrails = match guardrails {
            Ok(guardrails) => guardrails,
            Err(error) => {
                chains.unknown = Some(error);
                return chains;
            }
        };
        chains.enabled.clone_from(&guardrails.enabled);
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for policy in guardrails.policies.values() {
            *names.entry(&policy.name).or_default() += 1;
        }
        for (id, policy) in &guardrails.policies {
            let parsed = policy.document.parse();
            let keys = parsed.as_ref().map(mentioned_keys).unwrap_or_default();
            let read = Read {
                label: Label {
                    name: policy.name.clone(),
                    id: Some(id.clone()),
                    reference: match names.get(policy.name.as_str()) {
                        Some(1) => policy.name.clone(),
                        _ => id.clone(),
                    },
                },
                policy: parsed.map_or(Policy::Unknown, Policy::from),
                keys,
                mentions: Mentions::of(policy.document.as_str()),
            };
            chains.policies.insert(id, read);
            for target in &policy.targets {
                let node = chains.attached.entry((policy.kind, target));
                node.or_default().push(id);
            }
        }
        chains
    }

    /// The chain of a kind above an account. Where the kind is not enabled it has no level and binds nothing.
    pub(super) fn of(&mut self, account: &'a AccountId, kind: GuardrailKind) -> Arc<Chain> {
        if self.unknown.is_none() && !self.enabled.contains(&kind) {
            return self.chain(kind, Vec::new());
        }
        let nodes = match self.organization.levels(account.as_str()) {
            Some(nodes) if self.unknown.is_none() => nodes,
            _ => return Arc::new(unknown(kind)),
        };
        let attached = |node: &'a str| self.attached.get(&(kind, node));
        let ids = nodes.into_iter().map(attached);
        let ids = ids.map(|ids| ids.cloned().unwrap_or_default()).collect();
        self.chain(kind, ids)
    }

    fn chain(&mut self, kind: GuardrailKind, ids: Vec<Vec<&'a str>>) -> Arc<Chain> {
        let key = (kind, ids);
        if let Some(chain) = self.found.get(&key) {
            return Arc::clone(chain);
        }
        let mut chain = Chain {
            number: self.found.len() + 1,
            ..Chain::default()
        };
        for level in &key.1 {
            let read = level.iter().filter_map(|id| self.policies.get(id));
            let (mut policies, mut labels) = (Vec::new(), Vec::new());
            for one in read {
                policies.push(one.policy.clone());
                labels.push(one.label.clone());
                chain.keys.extend(one.keys.iter().cloned());
                chain.mentions.add(&one.mentions);
            }
            chain.levels.push(policies);
            chain.labels.push(labels);
        }
        let chain = Arc::new(chain);
        self.found.insert(key, Arc::clone(&chain));
        chain
    }
}

fn unknown(kind: GuardrailKind) -> Chain {
    Chain {
        levels: vec![vec![Policy::Unknown]],
        labels: vec![vec![Label {
            name: format!("the {kind}s of the organization"),
            id: None,
            reference: String::new(),
        }]],
        ..Chain::default()
    }
}
