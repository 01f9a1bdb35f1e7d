//! Findings in words, with their places by name and the exceptions that would mend them.

use std::collections::{BTreeMap, BTreeSet};

use super::circumstances::REGION;
use super::result::{
    Blocker, BlockerKind, ExceptionProposal, Finding, Obligation, OpenCaller, Proof, Verdict,
};
use crate::ids::{AccountId, Arn};
use crate::org::Organization;
use crate::policy::evaluate::LayerName;

/// Guardrails of Control Tower, which are set there and not edited.
const CONTROL_TOWER: &str = "aws-guardrails-";

/// Knows what a proof is about, to tell it to people.
pub(super) struct Telling<'a> {
    pub(super) organization: &'a Organization,
    pub(super) emergency: &'a AccountId,
    pub(super) account: &'a AccountId,
    pub(super) role: &'a str,
}

impl Telling<'_> {
    /// Adds the words, the places and the exceptions.
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
            for blocker in &mut finding.blockers {
                self.place(*obligation, blocker);
            }
            finding.exceptions = self.exceptions(*obligation, user, finding);
            let action = action.as_deref().unwrap_or_default();
            finding.message =
                self.message(*obligation, (user, principal.as_deref()), action, finding);
        }
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

    fn exceptions(
        &self,
        obligation: Obligation,
        user: &str,
        finding: &Finding,
    ) -> Vec<ExceptionProposal> {
        let opens = matches!(obligation, Obligation::Assume | Obligation::MustAllow);
        let mut by_policy: BTreeMap<(&str, &str, LayerName), Vec<&Blocker>> = BTreeMap::new();
        for blocker in finding.blockers.iter().filter(|_| opens) {
            let denies = matches!(blocker.kind, BlockerKind::Deny | BlockerKind::MayDeny);
            let (Some(name), Some(id)) = (&blocker.policy, &blocker.policy_id) else {
                continue;
            };
            if denies && !name.starts_with(CONTROL_TOWER) {
                let key = (name.as_str(), id.as_str(), blocker.layer);
                by_policy.entry(key).or_default().push(blocker);
            }
        }
        let proposals = by_policy.into_iter().map(|((name, _, layer), blockers)| {
            let sids: Option<BTreeSet<String>> =
                blockers.iter().map(|blocker| blocker.sid.clone()).collect();
            let assumes = obligation == Obligation::Assume;
            let who = if assumes { user } else { self.role };
            let one = BTreeSet::from([who.to_owned()]);
            ExceptionProposal {
                id: slug(&format!("{who}-{name}")),
                policy: name.to_owned(),
                statements: sids.unwrap_or_default().into_iter().collect(),
                roles: if assumes {
                    BTreeSet::new()
                } else {
                    one.clone()
                },
                users: if assumes { one } else { BTreeSet::new() },
                accounts: BTreeSet::from([self.governed(obligation, layer).clone()]),
            }
        });
        proposals.collect()
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
        let keys = finding.unknown_keys.iter();
        reasons.extend(keys.map(|key| match (key.as_str(), obligation) {
            (REGION, Obligation::Assume | Obligation::MustAllow) => {
                format!(
                    "context key {key} is not known (organization.regions says which it may be)"
                )
            }
            _ => format!("context key {key} is not known"),
        }));
        let policies = finding.unknown_policies.iter();
        reasons.extend(policies.map(|policy| not_known(obligation, policy)));
        reasons.extend(finding.blockers.iter().map(blocker));
        let managed_elsewhere = finding.blockers.iter().any(|blocker| {
            let name = blocker.policy.as_deref().unwrap_or_default();
            blocker.policy_id.is_some() && name.starts_with(CONTROL_TOWER)
        });
        if managed_elsewhere {
            reasons.push(
                "Control Tower sets this one: its parameter ExemptedPrincipalArns lets roles through"
                    .to_owned(),
            );
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
    format!("{statement}{kind}{name}{id}{place} {does}")
}

/// Writes a name as an id: lower case, with hyphens.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
