//! Findings in words, with their places by name.

use super::circumstances::REGION;
use super::result::{
    Blocker, BlockerKind, Finding, Obligation, OpenCaller, Proof, Remainder, Verdict,
};
use crate::ids::{AccountId, Arn};
use crate::org::Organization;
use crate::policy::evaluate::LayerName;

/// Knows what a proof is about, to tell it to people.
pub(super) struct Telling<'a> {
    pub(super) organization: &'a Organization,
    pub(super) emergency: &'a AccountId,
    pub(super) account: &'a AccountId,
}

impl Telling<'_> {
    /// Adds the words and the places.
    pub(super) fn told(&self, mut proof: Proof) -> Proof {
        let Proof {
            obligation,
            principal,
            action,
            findings,
            ..
        } = &mut proof;
        let user = principal.as_deref().and_then(|arn| arn.parse::<Arn>().ok());
        let user = user.as_ref().map_or("", Arn::name);
        for finding in findings.iter_mut() {
            let left = finding.remainder.iter_mut();
            let left = left.flat_map(|remainder| &mut remainder.blockers);
            for blocker in finding.blockers.iter_mut().chain(left) {
                self.place(*obligation, blocker);
            }
            // The proof may be that of an equal account, whose id sorts elsewhere.
            finding.blockers.sort();
            finding.callers.sort();
            if let Some(remainder) = &mut finding.remainder {
                remainder.blockers.sort();
            }
            let action = action.as_deref().unwrap_or_default();
            finding.message =
                self.message(*obligation, (user, principal.as_deref()), action, finding);
        }
        findings.sort_by(|one, other| {
            let worst_first = other.verdict.cmp(&one.verdict);
            worst_first.then_with(|| one.message.cmp(&other.message))
        });
        proof
    }

    /// The account whose SCPs or RCPs count: RCPs follow the role, SCPs whoever acts.
    fn governed(&self, obligation: Obligation, layer: LayerName) -> &AccountId {
        let by_user = matches!(
            obligation,
            Obligation::Assume | Obligation::ClosedWithoutMfa
        );
        if by_user && layer == LayerName::ServiceControlPolicies {
            self.emergency
        } else {
            self.account
        }
    }

    fn place(&self, obligation: Obligation, blocker: &mut Blocker) {
        let Some(level) = blocker.level else { return };
        let account = self.governed(obligation, blocker.layer);
        let nodes = self.organization.levels(account.as_str());
        let nodes = nodes.unwrap_or_default();
        let Some(node) = level.checked_sub(1).and_then(|index| nodes.get(index)) else {
            return;
        };
        let name = if node.starts_with("r-") {
            "root".to_owned()
        } else if node.starts_with("ou-") {
            self.organization.unit_path(node)
        } else {
            let account = self.organization.accounts.get(account);
            account
                .map(|account| account.name.clone())
                .unwrap_or_default()
        };
        blocker.node = Some((*node).to_owned());
        blocker.node_name = Some(name);
    }

    fn message(
        &self,
        obligation: Obligation,
        (user, arn): (&str, Option<&str>),
        action: &str,
        finding: &Finding,
    ) -> String {
        let unknown = finding.verdict == Verdict::NotProven;
        let act = act(action, finding);
        let claim = match (obligation, finding.verdict) {
            (Obligation::Present, Verdict::Missing) => return "the role is not there".to_owned(),
            (Obligation::Present, _) => "the account could not be read".to_owned(),
            (_, Verdict::Missing) => {
                return format!("the user {} is not there", arn.unwrap_or(user));
            }
            (Obligation::Assume, _) if unknown => {
                format!("it is not known whether {user} can assume it with MFA")
            }
            (Obligation::Assume, _) => format!("{user} cannot assume it with MFA"),
            (Obligation::ClosedWithoutMfa, _) if unknown => {
                format!("it is not known whether {user} can assume it without MFA")
            }
            (Obligation::ClosedWithoutMfa, _) => format!("{user} can assume it without MFA"),
            (Obligation::ClosedToOthers, _) if unknown => {
                "it is not known whether others can assume it".to_owned()
            }
            (Obligation::ClosedToOthers, _) => "others can assume it".to_owned(),
            (Obligation::MustAllow, _) if unknown => {
                format!("it is not known whether a session can do {act}")
            }
            (Obligation::MustAllow, _) => format!("a session cannot do {act}"),
            (Obligation::MustDeny, _) if unknown => {
                format!("it is not known whether a session, which must not, can do {act}")
            }
            (Obligation::MustDeny, _) => format!("a session must not, but can do {act}"),
        };
        let regions: Vec<&str> = finding.regions.iter().map(String::as_str).collect();
        let place = if regions.is_empty() {
            String::new()
        } else {
            format!(" in {}", regions.join(", "))
        };
        let mut reasons: Vec<String> = finding.callers.iter().map(caller).collect();
        reasons.extend(reasons_of(
            obligation,
            &finding.unknown_keys,
            &finding.unknown_policies,
            &finding.blockers,
        ));
        if let Some(Remainder {
            blockers,
            unknown_keys,
            unknown_policies,
        }) = &finding.remainder
        {
            let left = reasons_of(obligation, unknown_keys, unknown_policies, blockers);
            let is_known = unknown_keys.is_empty() && unknown_policies.is_empty();
            let open = if is_known { "open" } else { "prove" };
            reasons.push(format!(
                "exceptions alone do not {open} it: {}",
                left.join(", and ")
            ));
        }
        if reasons.is_empty() {
            format!("{claim}{place}")
        } else {
            format!("{claim}{place}: {}", reasons.join("; "))
        }
    }
}

/// Names the action of a session, with an example where the spec names many.
fn act(action: &str, finding: &Finding) -> String {
    let mut act = action.to_owned();
    if let Some(example) = &finding.action {
        act.push_str(&format!(" (such as {example})"));
    }
    if let Some(resource) = &finding.resource {
        act.push_str(&format!(" on {resource}"));
    }
    act
}

/// Says what stands in the way, or may, and what is not known.
fn reasons_of(
    obligation: Obligation,
    keys: &[String],
    policies: &[String],
    blockers: &[Blocker],
) -> Vec<String> {
    let keys = keys.iter().map(|key| match (key.as_str(), obligation) {
        (REGION, Obligation::Assume | Obligation::MustAllow) => {
            format!("context key {key} is not known (organization.regions says which it may be)")
        }
        _ => format!("context key {key} is not known"),
    });
    let policies = policies.iter().map(|policy| not_known(obligation, policy));
    keys.chain(policies)
        .chain(blockers.iter().map(blocker))
        .collect()
}

fn not_known(obligation: Obligation, what: &str) -> String {
    if obligation == Obligation::Present || what.contains(": ") {
        what.to_owned()
    } else if what.ends_with(" of the organization") || what.starts_with("the policies") {
        format!("{what} are not known")
    } else {
        format!("{what} is not known")
    }
}

fn caller(caller: &OpenCaller) -> String {
    let OpenCaller {
        who,
        what,
        statement,
        sid,
        ..
    } = caller;
    let statement = match sid {
        Some(sid) => format!("statement {sid}"),
        None => format!("statement {statement}"),
    };
    format!("{who} ({what}), by {statement} of the trust policy")
}

fn blocker(blocker: &Blocker) -> String {
    let kind = match blocker.layer {
        LayerName::ServiceControlPolicies => "SCP ",
        LayerName::ResourceControlPolicies => "RCP ",
        LayerName::PermissionBoundary => "permissions boundary ",
        LayerName::IdentityPolicies | LayerName::SessionPolicy | LayerName::ResourcePolicy => "",
    };
    let place = match (&blocker.node, &blocker.node_name) {
        (Some(node), Some(name)) if name == "root" || name.is_empty() => format!(" at {node}"),
        (Some(node), Some(name)) => format!(" at {name} ({node})"),
        _ => String::new(),
    };
    if blocker.kind == BlockerKind::NoAllow {
        return match blocker.layer {
            LayerName::IdentityPolicies => "none of its own policies allows it".to_owned(),
            LayerName::ServiceControlPolicies => format!("no SCP{place} allows it"),
            LayerName::PermissionBoundary => {
                "its permissions boundary does not allow it".to_owned()
            }
            LayerName::ResourcePolicy => "the trust policy does not allow it".to_owned(),
            LayerName::SessionPolicy | LayerName::ResourceControlPolicies => {
                format!("{} does not allow it", blocker.layer.as_str())
            }
        };
    }
    let does = match blocker.kind {
        BlockerKind::Deny => "denies it",
        BlockerKind::MayDeny => "may deny it",
        BlockerKind::Allow | BlockerKind::NoAllow => "allows it",
        BlockerKind::MayAllow => "may allow it",
    };
    let name = blocker.policy.as_deref().unwrap_or_default();
    let id = blocker.policy_id.as_ref().map(|id| format!(" ({id})"));
    let id = id.unwrap_or_default();
    let statement = match (&blocker.sid, blocker.statement) {
        (Some(sid), _) => format!("statement {sid} of "),
        (None, Some(number)) => format!("statement {number} of "),
        (None, None) => String::new(),
    };
    let refusal = blocker.refusal.as_ref().map(|why| format!(" ({why})"));
    let refusal = refusal.unwrap_or_default();
    format!("{statement}{kind}{name}{id}{place} {does}{refusal}")
}
