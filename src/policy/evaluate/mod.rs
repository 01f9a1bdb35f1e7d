//! Decides requests: may this principal do this action on this resource, given all policies around it?
//!
//! [`evaluate`] puts a [`Request`] to its [`Layers`] and says what comes out and why; [`flips`] says which circumstances
//! would turn it around; [`wire`] reads and writes the same as lines of JSON. Nothing is assumed where something is not
//! known: a policy that could not be read, or a context key whose value nobody knows, leaves the decision
//! [`Decision::Unknown`] unless it comes out the same in every case.
//!
//! # How layers combine
//! 1. A Deny that applies, in any layer, wins.
//! 2. **SCPs** follow the caller's account: every level needs an Allow. They bind users, roles and the root user of member
//!    accounts; not the management account, service-linked roles, services or anonymous callers.
//! 3. **RCPs** follow the resource's account and bind every caller except service-linked roles; only their Denies count,
//!    because RCPFullAWSAccess is always attached.
//! 4. **In one account** the identity policies, within permissions boundary and session policy, or the resource policy must
//!    allow. A resource policy that names the user, the session or the federated user is not limited by an implicit deny of
//!    the others; one that names the role is limited by boundary and session policy; one that names the
//!    account only hands the decision to the identity policies. A role's trust policy and a KMS key's policy must allow in
//!    any case, when they are given.
//! 5. **Across accounts** both sides must allow.
//! 6. **Services, identity providers and anonymous callers** have no identity side: the resource policy must allow.
//! 7. **The root user** may do everything in its account that none of the above takes away.
//!
//! Sources: IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic" and "How AWS enforcement code
//! logic evaluates requests"; AWS Organizations User Guide, "SCP evaluation" and "RCP evaluation".

mod assess;
mod blocking;
mod caller;
mod completions;
mod condition;
mod decision;
mod explain;
mod facts;
mod flips;
mod glob;
mod layers;
mod mentions;
mod principal;
mod representatives;
mod request;
mod statement;
mod text;
mod truth;
pub mod wire;

#[cfg(test)]
mod tests;

pub use blocking::blocking_statements;
pub use caller::{Caller, CallerKind, InvalidCaller};
pub use decision::{Decision, Evaluation, StatementRef};
pub use flips::{ContextChange, Flip, flips};
pub use layers::{LayerName, Layers, Policy};
pub use mentions::{compares_with_earlier, mentioned_keys, resource_variables};
pub use request::{Context, ContextValue, Request};

pub(in crate::policy) use mentions::resource_pattern;
pub(in crate::policy) use text::matches_action;

use assess::assess;
use facts::Facts;

/// Decides a request.
///
/// What is not known is carried through by Kleene's logic of three values; if that leaves the decision open because of
/// context keys, every combination of what they could be is tried, up to a bound, and what they agree on is the decision.
#[must_use]
pub fn evaluate(request: &Request, layers: &Layers) -> Evaluation {
    let facts = Facts::new(request);
    let assessment = assess(&facts, layers);
    match assessment.decision(facts.regime) {
        (Decision::Unknown, _) => completions::settle(request, layers, &facts, &assessment),
        _ => explain::explain(&assessment, &facts, |_| true),
    }
}
