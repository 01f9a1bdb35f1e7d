//! The exceptions to guardrails by which a blocked call comes through: each is tried before it is proposed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cases::{Stack, blockers_of, unknown_of};
use super::guardrails::Label;
use super::result::{Blocker, BlockerKind, ExceptionProposal, Remainder};
use crate::ids::AccountId;
use crate::policy::DocumentKind;
use crate::policy::evaluate::{Evaluation, LayerName, Layers, Policy, Request, evaluate};
use crate::policy::exemption::{Chosen, exempt};

/// Guardrails of Control Tower, which are set there and not edited.
const CONTROL_TOWER: &str = "aws-guardrails-";

/// Says who makes the call, and how an exception would name it.
pub(super) struct Caller<'a> {
    /// What `aws:PrincipalArn` holds.
    pub(super) arn: &'a str,
    pub(super) name: &'a str,
    pub(super) kind: CallerKind,
    /// The account whose SCPs bind it.
    pub(super) account: &'a AccountId,
    /// The account whose RCPs bind what it calls.
    pub(super) resource_account: &'a AccountId,
}

/// Tells what the caller is to the spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallerKind {
    Role,
    User,
    /// A user that the spec trusts by its ARN, and does not declare.
    Stranger,
}

/// Names a statement of a guardrail, by the id of the policy.
type Place = (LayerName, String, usize);

/// Finds the exceptions that open the way, or says what they leave in it; neither where no guardrail denies.
pub(super) fn opening(
    request: &Request,
    stack: &Stack,
    caller: &Caller<'_>,
    first: &Evaluation,
) -> (Vec<ExceptionProposal>, Option<Remainder>) {
    let mut layers = stack.layers.clone();
    let mut excepted: BTreeMap<Place, (Label, Option<String>)> = BTreeMap::new();
    let mut refused: BTreeMap<Place, String> = BTreeMap::new();
    let mut evaluation = first.clone();
    while evaluation.allowed != Some(true) {
        let mut progress = false;
        for statement in &evaluation.statements {
            let label = stack.label(statement);
            let (Some(id), "Deny") = (&label.id, statement.effect) else {
                continue;
            };
            let place = (statement.layer, id.clone(), statement.statement);
            if excepted.contains_key(&place) || refused.contains_key(&place) {
                continue;
            }
            match except(&mut layers, stack, &label, &place, caller) {
                Ok(()) => {
                    excepted.insert(place, (label, statement.sid.clone()));
                    progress = true;
                }
                Err(why) => drop(refused.insert(place, why)),
            }
        }
        if !progress {
            break;
        }
        evaluation = evaluate(request, &layers);
    }
    if evaluation.allowed == Some(true) {
        return (proposals(excepted, caller), None);
    }
    if excepted.is_empty() && refused.is_empty() {
        return (Vec::new(), None);
    }
    let mut blockers = blockers_of(&evaluation, stack);
    for blocker in &mut blockers {
        blocker.refusal = place_of(blocker).and_then(|place| refused.get(&place).cloned());
    }
    let (unknown_keys, unknown_policies) = unknown_of(&evaluation, stack);
    let remainder = Remainder {
        blockers,
        unknown_keys,
        unknown_policies,
    };
    (Vec::new(), Some(remainder))
}

fn place_of(blocker: &Blocker) -> Option<Place> {
    let denies = matches!(blocker.kind, BlockerKind::Deny | BlockerKind::MayDeny);
    let id = blocker.policy_id.clone().filter(|_| denies)?;
    Some((blocker.layer, id, blocker.statement?))
}

/// Lets the caller through by one statement, wherever its policy is attached.
fn except(
    layers: &mut Layers,
    stack: &Stack,
    label: &Label,
    (layer, id, statement): &Place,
    caller: &Caller<'_>,
) -> Result<(), String> {
    if label.name.starts_with(CONTROL_TOWER) {
        return Err(
            "Control Tower sets it: its parameter ExemptedPrincipalArns lets roles through"
                .to_owned(),
        );
    }
    if caller.kind == CallerKind::Stranger {
        return Err(format!(
            "exceptions are for users of the spec, and {} is none",
            caller.name
        ));
    }
    let (levels, labels, kind) = match layer {
        LayerName::ServiceControlPolicies => (
            &mut layers.service_control_policies,
            &stack.scps,
            DocumentKind::Scp,
        ),
        _ => (
            &mut layers.resource_control_policies,
            &stack.rcps,
            DocumentKind::Rcp,
        ),
    };
    let principals = BTreeSet::from([caller.arn.to_owned()]);
    let chosen = Chosen::Numbers(vec![*statement]);
    let places = labels.iter().flatten();
    for (label, policy) in places.zip(levels.iter_mut().flatten()) {
        if let (true, Policy::Known(document)) = (label.id.as_deref() == Some(id), &mut *policy) {
            let edited = exempt(document, &chosen, &principals, kind);
            *policy = Policy::Known(Arc::new(edited.map_err(|error| error.to_string())?));
        }
    }
    Ok(())
}

/// Puts the statements of each policy into one exception.
fn proposals(
    excepted: BTreeMap<Place, (Label, Option<String>)>,
    caller: &Caller<'_>,
) -> Vec<ExceptionProposal> {
    let policies: BTreeMap<(LayerName, String), Label> = excepted
        .iter()
        .map(|((layer, id, _), (label, _))| ((*layer, id.clone()), label.clone()))
        .collect();
    let proposals = policies.into_iter().map(|((layer, id), label)| {
        let of_policy = excepted
            .iter()
            .filter(|((of_layer, of_id, _), _)| (*of_layer, of_id) == (layer, &id));
        // A statement without a Sid can't be named: then all that deny are meant.
        let sids: Option<BTreeSet<String>> = of_policy.map(|(_, (_, sid))| sid.clone()).collect();
        let one = BTreeSet::from([caller.name.to_owned()]);
        let (roles, users) = match caller.kind {
            CallerKind::Role => (one, BTreeSet::new()),
            CallerKind::User | CallerKind::Stranger => (BTreeSet::new(), one),
        };
        let account = match layer {
            LayerName::ServiceControlPolicies => caller.account,
            _ => caller.resource_account,
        };
        ExceptionProposal {
            id: slug(&format!("{}-{}", caller.name, label.name)),
            policy: label.reference,
            statements: sids.unwrap_or_default().into_iter().collect(),
            roles,
            users,
            accounts: BTreeSet::from([account.clone()]),
        }
    });
    let mut proposals: Vec<ExceptionProposal> = proposals.collect();
    proposals.sort();
    proposals
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
