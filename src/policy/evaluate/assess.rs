//! All layers against a request: what each says, and what follows.

use super::caller::CallerKind;
use super::decision::Decision;
use super::facts::{Facts, Regime};
use super::layers::{LayerName, Layers, Place, Policy, defect};
use super::principal::Reach;
use super::statement;
use super::truth::Truth;
use crate::policy::document::{Document, Effect, Statement, Version};

/// Holds what the layers say of a request.
pub(super) struct Assessment<'a> {
    pub(super) identity: Truth,
    pub(super) boundary: Truth,
    pub(super) session: Truth,
    pub(super) resource: Reach,
    pub(super) has_resource_policy: bool,
    /// Of each level of SCPs whether it lets the request pass.
    pub(super) scp_levels: Vec<Truth>,
    pub(super) denied: Truth,
    /// The statements that apply, or may apply.
    pub(super) matches: Vec<Match<'a>>,
    /// The policies that are unknown, or not what AWS takes there.
    pub(super) unknown: Vec<(Place, Option<String>)>,
}

/// Is a statement that applies to the request, or may.
pub(super) struct Match<'a> {
    pub(super) place: Place,
    pub(super) index: usize,
    pub(super) statement: &'a Statement,
    pub(super) version: Version,
    pub(super) truth: Truth,
}

/// What the policies of a layer, or of one level of it, say together.
struct Verdict {
    allowed: Reach,
    denied: Truth,
}

/// Puts all layers to a request.
///
/// Layers that don't apply to the caller are left out: identity-side layers for services, identity providers and anonymous
/// callers, SCPs and RCPs for whoever escapes them.
pub(super) fn assess<'a>(facts: &Facts<'_>, layers: &'a Layers) -> Assessment<'a> {
    let mut assessor = Assessor {
        facts,
        binding: Truth::True,
        matches: Vec::new(),
        unknown: Vec::new(),
    };
    let mut denied = Truth::False;
    let (mut identity, mut boundary, mut session) = (Truth::False, Truth::True, Truth::True);
    let caller = &facts.request.principal;
    if facts.regime != Regime::ResourceOnly {
        let policies = &layers.identity_policies;
        let verdict = assessor.weigh(LayerName::IdentityPolicies, None, policies);
        denied = denied.or(verdict.denied);
        let is_root = caller.kind() == CallerKind::Root;
        identity = verdict.allowed.any().or(Truth::from(is_root));

        let (allowed, denied_there) = assessor.boundary(&layers.permission_boundary);
        denied = denied.or(denied_there);
        boundary = allowed;

        if !layers.session_policy.is_empty() {
            let policies = &layers.session_policy;
            let verdict = assessor.weigh(LayerName::SessionPolicy, None, policies);
            denied = denied.or(verdict.denied);
            session = verdict.allowed.any();
        }
    }

    let policy = layers.resource_policy.as_slice();
    let verdict = assessor.weigh(LayerName::ResourcePolicy, None, policy);
    denied = denied.or(verdict.denied);
    let resource = verdict.allowed;

    let mut scp_levels = Vec::new();
    let escapes = facts.escapes_scps();
    assessor.binding = escapes.negated();
    if escapes != Truth::True {
        for (level, policies) in layers.service_control_policies.iter().enumerate() {
            let layer = LayerName::ServiceControlPolicies;
            let verdict = assessor.weigh(layer, Some(level), policies);
            denied = denied.or(verdict.denied);
            scp_levels.push(verdict.allowed.any().or(escapes));
        }
    }

    let escapes = facts.escapes_rcps();
    assessor.binding = escapes.negated();
    if escapes != Truth::True {
        for (level, policies) in layers.resource_control_policies.iter().enumerate() {
            let layer = LayerName::ResourceControlPolicies;
            let verdict = assessor.weigh(layer, Some(level), policies);
            denied = denied.or(verdict.denied);
        }
    }

    Assessment {
        identity,
        boundary,
        session,
        resource,
        has_resource_policy: layers.resource_policy.is_some(),
        scp_levels,
        denied,
        matches: assessor.matches,
        unknown: assessor.unknown,
    }
}

struct Assessor<'a, 'f> {
    facts: &'f Facts<'f>,
    /// Whether the layer at hand binds the caller, so that a Deny in it counts.
    binding: Truth,
    matches: Vec<Match<'a>>,
    unknown: Vec<(Place, Option<String>)>,
}

impl<'a> Assessor<'a, '_> {
    /// Weighs policies of which any may allow.
    fn weigh(&mut self, layer: LayerName, level: Option<usize>, policies: &'a [Policy]) -> Verdict {
        let mut verdict = Verdict {
            allowed: Reach::NONE,
            denied: Truth::False,
        };
        for (policy, document) in policies.iter().enumerate() {
            let place = Place {
                layer,
                level,
                policy,
            };
            let one = self.weigh_one(place, document);
            verdict.allowed = verdict.allowed.or(one.allowed);
            verdict.denied = verdict.denied.or(one.denied);
        }
        verdict
    }

    /// Weighs the permissions boundary: AWS knows one, so that several decide only where they agree.
    fn boundary(&mut self, policies: &'a [Policy]) -> (Truth, Truth) {
        let (mut every, mut any, mut denied) = (Truth::True, Truth::False, Truth::False);
        for (policy, document) in policies.iter().enumerate() {
            let place = Place {
                layer: LayerName::PermissionBoundary,
                level: None,
                policy,
            };
            let one = self.weigh_one(place, document);
            every = every.and(one.allowed.any());
            any = any.or(one.allowed.any());
            denied = denied.or(one.denied);
        }
        let allowed = if policies.is_empty() || every == any {
            every
        } else {
            Truth::Unknown
        };
        (allowed, denied)
    }

    fn weigh_one(&mut self, place: Place, policy: &'a Policy) -> Verdict {
        let problem = match policy {
            Policy::Unknown => None,
            Policy::Known(document) => match defect(document, place.layer, self.facts) {
                None => return self.weigh_document(place, document),
                problem => problem,
            },
        };
        self.unknown.push((place, problem));
        Verdict {
            allowed: Reach {
                delegated: Truth::Unknown,
                limited: Truth::Unknown,
                direct: Truth::Unknown,
            },
            denied: Truth::Unknown,
        }
    }

    fn weigh_document(&mut self, place: Place, document: &'a Document) -> Verdict {
        let version = document.effective_version();
        let mut verdict = Verdict {
            allowed: Reach::NONE,
            denied: Truth::False,
        };
        for (index, statement) in document.statements.iter().enumerate() {
            let mut reach = statement::applies(statement, version, self.facts);
            if statement.effect == Effect::Deny {
                reach = reach.and(self.binding);
            }
            if reach == Reach::NONE {
                continue;
            }
            match statement.effect {
                Effect::Allow => verdict.allowed = verdict.allowed.or(reach),
                Effect::Deny => verdict.denied = verdict.denied.or(reach.any()),
            }
            self.matches.push(Match {
                place,
                index,
                statement,
                version,
                truth: reach.any(),
            });
        }
        verdict
    }
}

impl Assessment<'_> {
    /// Whether the identity side allows: policies, within the boundary and the session policy.
    pub(super) fn identity_side(&self) -> Truth {
        self.identity.and(self.boundary).and(self.session)
    }

    /// Whether the resource policy allows by itself, which as a role it does within boundary and session policy.
    pub(super) fn resource_alone(&self) -> Truth {
        let limited = self.resource.limited.and(self.boundary).and(self.session);
        self.resource.direct.or(limited)
    }

    /// Whether the identity side and the resource policy together allow.
    pub(super) fn granted(&self, regime: Regime) -> Truth {
        match regime {
            Regime::ResourceOnly => self.resource.any(),
            Regime::CrossAccount => self.identity_side().and(self.resource.any()),
            Regime::SameAccountByResource if self.has_resource_policy => {
                let delegated = self.resource.delegated.and(self.identity_side());
                self.resource_alone().or(delegated)
            }
            Regime::SameAccount | Regime::SameAccountByResource => {
                self.identity_side().or(self.resource_alone())
            }
        }
    }

    /// Whether every level of SCPs lets the request pass.
    pub(super) fn passes_scps(&self) -> Truth {
        Truth::all(self.scp_levels.iter().copied())
    }

    /// Whether something allows and no guardrail lacks an Allow; a Deny is not looked at.
    pub(super) fn allowed(&self, regime: Regime) -> Truth {
        self.granted(regime).and(self.passes_scps())
    }

    /// The decision, and whether the request is allowed where that is known.
    pub(super) fn decision(&self, regime: Regime) -> (Decision, Option<bool>) {
        match (self.denied, self.allowed(regime)) {
            (Truth::True, _) => (Decision::ExplicitDeny, Some(false)),
            (Truth::False, Truth::True) => (Decision::Allowed, Some(true)),
            (Truth::False, Truth::False) => (Decision::ImplicitDeny, Some(false)),
            (Truth::Unknown, Truth::False) => (Decision::Unknown, Some(false)),
            (Truth::Unknown, _) | (Truth::False, Truth::Unknown) => (Decision::Unknown, None),
        }
    }
}
