//! Whom roles trust, as they were read.

use std::collections::HashMap;
use std::sync::Arc;

use super::cases::Stack;
use super::principal::{self, PrincipalFacts, Source, policy};
use crate::ids::{AccountId, Arn};
use crate::org::Organization;
use crate::policy::evaluate::Policy;
use crate::spec::{Spec, Trusted};
use crate::state::Inventory;

/// Is somebody whom a role trusts.
#[derive(Clone)]
pub(super) enum TrustedOne {
    /// A user of the emergency account, as it was read.
    User(Arc<Ready>),
    /// A user that is not there.
    Missing(Arn),
    /// A user of an account that could not be read.
    Unread(Arn),
    /// A user or role of another account, whose policies are not read.
    Elsewhere(Arn),
}

/// Holds a user or role with its policies parsed.
pub(super) struct Ready {
    pub(super) facts: PrincipalFacts,
    identity: Vec<Policy>,
    boundary: Vec<Policy>,
}

impl Ready {
    pub(super) fn new(facts: PrincipalFacts) -> Self {
        let read = |source: &Source| policy(source.read().as_ref());
        Self {
            identity: facts.identity.iter().map(read).collect(),
            boundary: facts.boundary.iter().map(read).collect(),
            facts,
        }
    }

    /// Begins a stack with its own policies.
    pub(super) fn stack(&self) -> Stack {
        let label = |source: &Source| source.label.clone();
        let mut stack = Stack {
            identity: self.facts.identity.iter().map(label).collect(),
            boundary: self.facts.boundary.iter().map(label).collect(),
            ..Stack::default()
        };
        stack.layers.identity_policies.clone_from(&self.identity);
        stack.layers.permission_boundary.clone_from(&self.boundary);
        for policy in self.identity.iter().chain(&self.boundary) {
            stack.add_keys_of(policy);
        }
        stack
    }
}

impl TrustedOne {
    pub(super) fn arn(&self) -> &Arn {
        match self {
            Self::User(user) => &user.facts.arn,
            Self::Missing(arn) | Self::Unread(arn) | Self::Elsewhere(arn) => arn,
        }
    }
}

/// Finds whom each role of the spec trusts.
pub(super) fn trusted(
    organization: &Organization,
    spec: &Spec,
    emergency: &Result<&Inventory, String>,
) -> Vec<Vec<TrustedOne>> {
    let mut users: HashMap<String, TrustedOne> = HashMap::new();
    let mut find = |name: &str, arn: Arn| -> TrustedOne {
        let found = users.entry(name.to_owned()).or_insert_with(|| {
            let partition = &organization.partition;
            match emergency {
                Err(_) => TrustedOne::Unread(arn.clone()),
                Ok(inventory) => {
                    principal::user(partition, &spec.emergency_account, inventory, name)
                        .map_or(TrustedOne::Missing(arn.clone()), |facts| {
                            TrustedOne::User(Arc::new(Ready::new(facts)))
                        })
                }
            }
        });
        found.clone()
    };
    spec.roles()
        .iter()
        .map(|role| {
            let trusted = role.trusted.iter();
            let trusted = trusted.filter_map(|trusted| match trusted {
                Trusted::User(name) => Some(find(name, user_arn(organization, spec, name)?)),
                Trusted::Arn(arn) => {
                    let here = arn.account() == spec.emergency_account.as_str();
                    let is_user = here && arn.resource().starts_with("user/");
                    let found = is_user.then(|| find(arn.name(), arn.clone()));
                    let found = found.filter(|found| {
                        found.arn() == arn && !matches!(found, TrustedOne::Missing(_))
                    });
                    Some(found.unwrap_or_else(|| TrustedOne::Elsewhere(arn.clone())))
                }
            });
            trusted.collect()
        })
        .collect()
}

/// The ARN that the spec gives a user.
fn user_arn(organization: &Organization, spec: &Spec, name: &str) -> Option<Arn> {
    let user = spec.users().iter().find(|user| user.name == name)?;
    let path = user.path.as_ref().unwrap_or(&spec.defaults.path);
    let (partition, account) = (&organization.partition, &spec.emergency_account);
    Some(Arn::iam(partition, account, "user", path, name))
}

/// The organization's own copy of an account's id.
pub(super) fn known_id<'a>(
    organization: &'a Organization,
    account: &AccountId,
) -> Option<&'a AccountId> {
    organization
        .accounts
        .get_key_value(account)
        .map(|(id, _)| id)
}
