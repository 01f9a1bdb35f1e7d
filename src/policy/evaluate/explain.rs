//! Why a decision is what it is.

use super::assess::{Assessment, Match};
use super::condition;
use super::decision::{Decision, Evaluation, StatementRef};
use super::facts::{Facts, Lookup, MANAGEMENT_KEY, Regime};
use super::layers::LayerName;
use super::principal;
use super::text;
use super::truth::Truth;
use crate::policy::document::Effect;

/// Tells what a decision rests on. `matters` says of an unknown context key whether the decision depends on it.
pub(super) fn explain(
    assessment: &Assessment<'_>,
    facts: &Facts<'_>,
    matters: impl Fn(&str) -> bool,
) -> Evaluation {
    let (decision, allowed) = assessment.decision(facts.regime);
    let blockers = blockers(assessment, facts.regime, decision);
    let deciding = |found: &&Match<'_>| match (decision, found.statement.effect, found.truth) {
        (Decision::Allowed, Effect::Allow, Truth::True) => {
            contributes(assessment, facts.regime, found.place.layer)
        }
        (Decision::ExplicitDeny, Effect::Deny, Truth::True) => true,
        (Decision::Unknown, Effect::Deny, Truth::Unknown) => true,
        (Decision::Unknown, Effect::Allow, Truth::Unknown) => blockers.contains(&found.place.layer),
        _ => false,
    };
    let deciding: Vec<&Match<'_>> = assessment.matches.iter().filter(deciding).collect();
    let mut reasons = reasons(assessment, facts, decision, &blockers, &deciding);
    let mut blocked_by: Vec<String> = blockers.iter().map(|l| l.as_str().to_owned()).collect();
    if decision == Decision::Unknown {
        if allowed == Some(false) {
            reasons.push("it is not allowed in any case".to_owned());
        }
        let unsure = |found: &&&Match<'_>| {
            let principals = found.statement.principals.as_ref();
            principals.is_some_and(|principals| {
                principal::reach(principals, found.statement.effect, facts).any() == Truth::Unknown
            })
        };
        if deciding.iter().any(|found| unsure(&found)) || reasons.is_empty() {
            let caller = &facts.request.principal;
            reasons.push(format!(
                "AWS does not say for certain how far the principals of these statements reach {caller}"
            ));
        }
        let mut keys = unknown_keys(&deciding, facts);
        let guardrails = [
            (LayerName::ServiceControlPolicies, facts.escapes_scps()),
            (LayerName::ResourceControlPolicies, facts.escapes_rcps()),
        ];
        let open = guardrails
            .iter()
            .any(|(layer, escapes)| *escapes == Truth::Unknown && blockers.contains(layer));
        if open && !keys.iter().any(|k| k.eq_ignore_ascii_case(MANAGEMENT_KEY)) {
            keys.push(MANAGEMENT_KEY.to_owned());
        }
        for key in keys {
            if matters(&key) {
                reasons.push(format!("context key {key} is not known"));
                blocked_by.push(format!("context key {key}"));
            }
        }
    }
    let levels = assessment.scp_levels.iter().enumerate();
    let lacking_levels = levels
        .filter(|(_, allows)| decision != Decision::Allowed && **allows == Truth::False)
        .map(|(level, _)| level + 1)
        .collect();
    Evaluation {
        decision,
        allowed,
        blocked_by,
        lacking_levels,
        statements: deciding.into_iter().map(reference).collect(),
        reasons,
    }
}

fn reference(found: &Match<'_>) -> StatementRef {
    StatementRef {
        layer: found.place.layer,
        level: found.place.level.map(|level| level + 1),
        policy: found.place.policy + 1,
        statement: found.index + 1,
        sid: found.statement.sid.clone().filter(|sid| !sid.is_empty()),
        effect: found.statement.effect.as_str(),
    }
}

/// Tells whether an Allow of a layer is part of what allows a request.
fn contributes(assessment: &Assessment<'_>, regime: Regime, layer: LayerName) -> bool {
    let by_identity = match regime {
        Regime::ResourceOnly => false,
        Regime::SameAccount | Regime::SameAccountByResource | Regime::CrossAccount => {
            assessment.identity_side() == Truth::True
        }
    };
    match layer {
        LayerName::IdentityPolicies => by_identity,
        LayerName::PermissionBoundary | LayerName::SessionPolicy => {
            by_identity || assessment.resource.direct != Truth::True
        }
        LayerName::ResourcePolicy | LayerName::ServiceControlPolicies => true,
        // RCPs only ever deny.
        LayerName::ResourceControlPolicies => false,
    }
}

/// Lists the layers that stand in the way, in the order of their names.
fn blockers(assessment: &Assessment<'_>, regime: Regime, decision: Decision) -> Vec<LayerName> {
    let denying = |wanted: Truth| {
        let denies = assessment
            .matches
            .iter()
            .filter(move |found| found.statement.effect == Effect::Deny && found.truth == wanted);
        denies.map(|found| found.place.layer)
    };
    let mut layers = Vec::new();
    match decision {
        Decision::Allowed => {}
        Decision::ExplicitDeny => layers.extend(denying(Truth::True)),
        Decision::ImplicitDeny => lacking(assessment, regime, &mut layers),
        Decision::Unknown => {
            lacking(assessment, regime, &mut layers);
            layers.extend(denying(Truth::Unknown));
            if assessment.denied == Truth::Unknown {
                layers.extend(assessment.unknown.iter().map(|(place, _)| place.layer));
            }
        }
    }
    layers.sort_unstable();
    layers.dedup();
    layers
}

/// Collects the layers for want of whose Allow the request is not allowed, or not surely.
fn lacking(assessment: &Assessment<'_>, regime: Regime, layers: &mut Vec<LayerName>) {
    let allowed = assessment.allowed(regime);
    if allowed == Truth::True {
        return;
    }
    if assessment.passes_scps() == allowed {
        layers.push(LayerName::ServiceControlPolicies);
    }
    let resource = assessment.resource;
    let named = resource.limited == Truth::True || resource.direct == Truth::True;
    let perhaps_named = resource.limited == Truth::Unknown || resource.direct == Truth::Unknown;
    let needs_identity = (LayerName::IdentityPolicies, assessment.identity);
    let needs_resource = (LayerName::ResourcePolicy, resource.any());
    let mut path = vec![
        (LayerName::PermissionBoundary, assessment.boundary),
        (LayerName::SessionPolicy, assessment.session),
    ];
    match regime {
        Regime::ResourceOnly => path = vec![needs_resource],
        Regime::CrossAccount => path.extend([needs_identity, needs_resource]),
        Regime::SameAccountByResource if assessment.has_resource_policy => {
            if resource.any() == Truth::False {
                path.clear();
            } else if !named {
                path.push(needs_identity);
            }
            path.push(needs_resource);
            if perhaps_named {
                path.push((LayerName::ResourcePolicy, Truth::Unknown));
            }
        }
        Regime::SameAccount | Regime::SameAccountByResource => {
            if !named {
                path.push(needs_identity);
            }
            if perhaps_named {
                path.push((LayerName::ResourcePolicy, Truth::Unknown));
            }
        }
    }
    let wanting = path.into_iter().filter(|(_, truth)| *truth == allowed);
    layers.extend(wanting.map(|(layer, _)| layer));
}

fn reasons(
    assessment: &Assessment<'_>,
    facts: &Facts<'_>,
    decision: Decision,
    blockers: &[LayerName],
    deciding: &[&Match<'_>],
) -> Vec<String> {
    let mut reasons = Vec::new();
    for found in deciding {
        let does = match (found.statement.effect, found.truth) {
            (Effect::Allow, Truth::True) => "allows it",
            (Effect::Deny, Truth::True) => "denies it",
            (Effect::Allow, _) => "may allow it",
            (Effect::Deny, _) => "may deny it",
        };
        let (place, number) = (found.place, found.index + 1);
        reasons.push(match found.statement.sid.as_deref() {
            Some(sid) if !sid.is_empty() => {
                format!("{place} statement {number} ({sid}) {does}")
            }
            _ => format!("{place} statement {number} {does}"),
        });
    }
    if decision == Decision::Allowed && deciding.is_empty() {
        reasons.push("the root user of the account may do everything".to_owned());
    }
    if matches!(decision, Decision::ImplicitDeny | Decision::Unknown) {
        for &layer in blockers {
            lack_of(assessment, facts, layer, &mut reasons);
        }
        let unknown = assessment.unknown.iter();
        for (place, problem) in unknown.filter(|(place, _)| blockers.contains(&place.layer)) {
            reasons.push(match problem {
                None => format!("{place} is not known"),
                Some(problem) => format!("{place} is not what AWS takes there: {problem}"),
            });
        }
    }
    reasons
}

/// Says that a layer surely lacks an Allow, if it does.
fn lack_of(
    assessment: &Assessment<'_>,
    facts: &Facts<'_>,
    layer: LayerName,
    reasons: &mut Vec<String>,
) {
    let allowed = match layer {
        LayerName::IdentityPolicies => assessment.identity,
        LayerName::PermissionBoundary => assessment.boundary,
        LayerName::SessionPolicy => assessment.session,
        LayerName::ResourcePolicy => assessment.resource.any(),
        LayerName::ServiceControlPolicies => {
            for (level, allowed) in assessment.scp_levels.iter().enumerate() {
                if *allowed == Truth::False {
                    let level = level + 1;
                    let layer = layer.as_str();
                    reasons.push(format!("no statement of {layer} level {level} allows it"));
                }
            }
            return;
        }
        LayerName::ResourceControlPolicies => return,
    };
    if allowed != Truth::False {
        return;
    }
    if layer == LayerName::ResourcePolicy && !assessment.has_resource_policy {
        reasons.push(match facts.regime {
            Regime::ResourceOnly => {
                "the caller belongs to no account, and there is no resource_policy to allow it"
                    .to_owned()
            }
            _ => "the resource is in another account, and there is no resource_policy to allow it"
                .to_owned(),
        });
        return;
    }
    reasons.push(format!("no statement of {} allows it", layer.as_str()));
}

/// Lists the context keys for want of which statements only may apply, each once, as the policies first write them.
pub(super) fn unknown_keys(matches: &[&Match<'_>], facts: &Facts<'_>) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let mut note = |key: &str| {
        let unknown = matches!(facts.lookup(key), Lookup::Unknown) || facts.lacks_path(key);
        if unknown && !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            keys.push(key.to_owned());
        }
    };
    for found in matches {
        let resources = found.statement.resources.iter();
        let resources = resources.flat_map(|resources| resources.list());
        resources
            .flat_map(|text| text::variables(text))
            .for_each(&mut note);
        for condition in &found.statement.conditions {
            if condition::passes(condition, found.version, facts) == Truth::Unknown {
                note(&condition.key);
                let values = condition.values.iter().map(|value| value.as_str());
                values.flat_map(text::variables).for_each(&mut note);
            }
        }
    }
    keys
}
