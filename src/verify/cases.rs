//! One request after another is put to the policies around it; and what stands in the way is named.

use std::collections::BTreeSet;

use super::guardrails::{Chain, Label};
use super::opening::{Caller, opening};
use super::result::{Blocker, BlockerKind, Finding, Verdict};
use crate::policy::Document;
use crate::policy::evaluate::{
    Decision, Evaluation, LayerName, Layers, Policy, Request, StatementRef, evaluate,
    mentioned_keys,
};

/// Holds the policies around a request, with what each is called.
#[derive(Debug, Default)]
pub(super) struct Stack {
    pub(super) layers: Layers,
    pub(super) identity: Vec<String>,
    pub(super) boundary: Vec<String>,
    pub(super) scps: Vec<Vec<Label>>,
    pub(super) rcps: Vec<Vec<Label>>,
    /// The context keys that some policy asks for.
    pub(super) keys: BTreeSet<String>,
}

/// Says what a request must come to.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// Allowed; the caller is told for the exceptions that would let it through.
    Allowed(&'a Caller<'a>),
    Denied,
}

impl Stack {
    /// Puts the SCPs of the caller's account on top.
    pub(super) fn add_scps(&mut self, chain: &Chain) {
        self.layers
            .service_control_policies
            .clone_from(&chain.levels);
        self.scps.clone_from(&chain.labels);
        self.keys.extend(chain.keys.iter().cloned());
    }

    /// Puts the RCPs of the resource's account on top.
    pub(super) fn add_rcps(&mut self, chain: &Chain) {
        self.layers
            .resource_control_policies
            .clone_from(&chain.levels);
        self.rcps.clone_from(&chain.labels);
        self.keys.extend(chain.keys.iter().cloned());
    }

    /// Takes note of the context keys of a policy.
    pub(super) fn add_keys_of(&mut self, policy: &Policy) {
        if let Policy::Known(document) = policy {
            self.keys.extend(mentioned_keys(document));
        }
    }

    /// The documents that are known.
    pub(super) fn documents(&self) -> Vec<&Document> {
        let layers = &self.layers;
        let guardrails = [
            &layers.service_control_policies,
            &layers.resource_control_policies,
        ];
        let guardrails = guardrails.into_iter().flatten().flatten();
        let own = layers
            .identity_policies
            .iter()
            .chain(&layers.permission_boundary);
        own.chain(layers.resource_policy.as_slice())
            .chain(guardrails)
            .filter_map(|policy| match policy {
                Policy::Known(document) => Some(document.as_ref()),
                Policy::Unknown => None,
            })
            .collect()
    }

    /// Names a policy by its place: its name or ARN, and the id of an SCP or RCP.
    fn name(&self, layer: LayerName, level: Option<usize>, policy: usize) -> Label {
        let plain = |name: &str| Label {
            name: name.to_owned(),
            id: None,
            reference: String::new(),
        };
        let of = |labels: &[Vec<Label>]| {
            let level = labels.get(level.unwrap_or_default().checked_sub(1)?)?;
            level.get(policy.checked_sub(1)?).cloned()
        };
        let listed = |names: &[String]| names.get(policy.checked_sub(1)?).map(|name| plain(name));
        match layer {
            LayerName::IdentityPolicies => listed(&self.identity),
            LayerName::PermissionBoundary => listed(&self.boundary),
            LayerName::ServiceControlPolicies => of(&self.scps),
            LayerName::ResourceControlPolicies => of(&self.rcps),
            LayerName::ResourcePolicy => Some(plain("the trust policy")),
            LayerName::SessionPolicy => None,
        }
        .unwrap_or_else(|| plain(layer.as_str()))
    }

    /// Names the policies of a layer that are not known.
    fn unknown_of(&self, layer: LayerName) -> Vec<String> {
        let flat = |policies: &[Policy]| -> Vec<(Option<usize>, usize)> {
            places(policies).map(|policy| (None, policy)).collect()
        };
        let leveled = |levels: &[Vec<Policy>]| -> Vec<(Option<usize>, usize)> {
            let levels = levels.iter().enumerate();
            levels
                .flat_map(|(level, policies)| {
                    places(policies).map(move |policy| (Some(level + 1), policy))
                })
                .collect()
        };
        let layers = &self.layers;
        let places = match layer {
            LayerName::IdentityPolicies => flat(&layers.identity_policies),
            LayerName::PermissionBoundary => flat(&layers.permission_boundary),
            LayerName::SessionPolicy => flat(&layers.session_policy),
            LayerName::ResourcePolicy => flat(layers.resource_policy.as_slice()),
            LayerName::ServiceControlPolicies => leveled(&layers.service_control_policies),
            LayerName::ResourceControlPolicies => leveled(&layers.resource_control_policies),
        };
        places
            .into_iter()
            .map(|(level, policy)| match self.name(layer, level, policy) {
                Label {
                    name, id: Some(id), ..
                } => format!("the document of {name} ({id})"),
                Label { name, id: None, .. } => name,
            })
            .collect()
    }
}

fn places(policies: &[Policy]) -> impl Iterator<Item = usize> {
    policies
        .iter()
        .enumerate()
        .filter(|(_, policy)| **policy == Policy::Unknown)
        .map(|(index, _)| index + 1)
}

/// Puts a request to the policies; `None` when it surely comes to what is wanted.
pub(super) fn judge(request: &Request, stack: &Stack, wanted: Wanted<'_>) -> Option<Finding> {
    let evaluation = evaluate(request, &stack.layers);
    let verdict = match (wanted, evaluation.allowed) {
        (Wanted::Allowed(_), Some(true)) | (Wanted::Denied, Some(false)) => return None,
        (Wanted::Allowed(_), Some(false)) => Verdict::Blocked,
        (Wanted::Denied, Some(true)) => Verdict::Open,
        (_, None) => Verdict::NotProven,
    };
    let mut finding = Finding::new(verdict);
    finding.blockers = blockers_of(&evaluation, stack);
    (finding.unknown_keys, finding.unknown_policies) = unknown_of(&evaluation, stack);
    if let Wanted::Allowed(caller) = wanted {
        (finding.exceptions, finding.remainder) = opening(request, stack, caller, &evaluation);
    }
    Some(finding)
}

/// Lists the context keys and the policies that leave a decision open.
pub(super) fn unknown_of(evaluation: &Evaluation, stack: &Stack) -> (Vec<String>, Vec<String>) {
    if evaluation.allowed.is_some() {
        return (Vec::new(), Vec::new());
    }
    let keys = evaluation.blocked_by.iter();
    let keys = keys.filter_map(|one| one.strip_prefix("context key "));
    let keys: Vec<String> = keys.map(str::to_owned).collect();
    let layers = layers_of(evaluation).into_iter();
    let mut policies: Vec<String> = layers.flat_map(|layer| stack.unknown_of(layer)).collect();
    if keys.is_empty() && policies.is_empty() {
        // What AWS does not document, in the engine's words.
        policies.extend(evaluation.reasons.last().cloned());
    }
    (keys, policies)
}

fn layers_of(evaluation: &Evaluation) -> Vec<LayerName> {
    [
        LayerName::IdentityPolicies,
        LayerName::PermissionBoundary,
        LayerName::SessionPolicy,
        LayerName::ResourcePolicy,
        LayerName::ServiceControlPolicies,
        LayerName::ResourceControlPolicies,
    ]
    .into_iter()
    .filter(|layer| {
        evaluation
            .blocked_by
            .iter()
            .any(|one| one == layer.as_str())
    })
    .collect()
}

/// Names what stands in the way, or may.
pub(super) fn blockers_of(evaluation: &Evaluation, stack: &Stack) -> Vec<Blocker> {
    let mut found = Vec::new();
    for statement in &evaluation.statements {
        let kind = match (statement.effect, evaluation.decision) {
            ("Deny", Decision::ExplicitDeny) => BlockerKind::Deny,
            ("Deny", _) => BlockerKind::MayDeny,
            // Every level of SCPs has its Allow: what lets somebody in stands in the policies themselves.
            _ if statement.layer == LayerName::ServiceControlPolicies => continue,
            (_, Decision::Allowed) => BlockerKind::Allow,
            _ => BlockerKind::MayAllow,
        };
        found.push(stack.blocker(statement, kind));
    }
    if evaluation.allowed == Some(false) && evaluation.decision != Decision::ExplicitDeny {
        for layer in layers_of(evaluation) {
            let mut statements = evaluation.statements.iter();
            if layer == LayerName::ServiceControlPolicies {
                let levels = evaluation.lacking_levels.iter();
                found.extend(levels.map(|level| lack(layer, Some(*level))));
            } else if statements.all(|statement| statement.layer != layer)
                && stack.unknown_of(layer).is_empty()
            {
                found.push(lack(layer, None));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn lack(layer: LayerName, level: Option<usize>) -> Blocker {
    Blocker {
        layer,
        kind: BlockerKind::NoAllow,
        level,
        node: None,
        node_name: None,
        policy: None,
        policy_id: None,
        statement: None,
        sid: None,
        refusal: None,
    }
}

impl Stack {
    /// Names the policy of a statement.
    pub(super) fn label(&self, statement: &StatementRef) -> Label {
        self.name(statement.layer, statement.level, statement.policy)
    }

    fn blocker(&self, statement: &StatementRef, kind: BlockerKind) -> Blocker {
        let Label { name, id, .. } = self.label(statement);
        Blocker {
            level: statement.level,
            policy: Some(name),
            policy_id: id,
            statement: Some(statement.statement),
            sid: statement.sid.clone(),
            kind,
            ..lack(statement.layer, None)
        }
    }
}
