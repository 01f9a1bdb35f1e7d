//! The part of an organization that options choose.

use std::collections::BTreeSet;

use globset::GlobMatcher;

use super::CollectError;
use crate::ids::AccountId;
use crate::org::{Account, Organization, Selection, Selector, Severity, Shard};
use crate::plan::Scope;
use crate::state::{Address, ResourceType};

/// Chooses accounts and resources; everything when nothing is given.
#[derive(Debug, Clone, Default)]
pub struct ScopeFilter {
    /// The accounts taken in; every one when empty.
    pub include: Vec<Selector>,
    /// The accounts left out.
    pub exclude: Vec<Selector>,
    /// The resources looked at, by type and a glob of their name; every one when empty.
    pub resources: Vec<(ResourceType, GlobMatcher)>,
    /// The options as they were given.
    pub given: Vec<String>,
    /// The share of the chosen accounts that is reported on; all of them when there are no shards.
    pub shard: Option<Shard>,
}

impl ScopeFilter {
    /// Tells whether deciding needs the accounts' tags.
    #[must_use]
    pub fn needs_tags(&self) -> bool {
        self.include
            .iter()
            .chain(&self.exclude)
            .any(Selector::needs_tags)
    }

    /// Tells whether an account is reported on here, if it is chosen at all.
    pub(super) fn is_own(&self, account: &AccountId) -> bool {
        self.shard.is_none_or(|shard| shard.holds(account))
    }

    /// Lists the chosen accounts, those of other shards too.
    ///
    /// # Errors
    /// [`CollectError::Scope`] when a selector matches nothing, or nothing is left.
    pub fn accounts(
        &self,
        organization: &Organization,
        emergency: &AccountId,
    ) -> Result<BTreeSet<AccountId>, CollectError> {
        let (accounts, problems) = self.selection().resolve(organization, emergency);
        if let Some(problem) = problems
            .into_iter()
            .find(|problem| problem.severity == Severity::Error)
        {
            let message = problem.message;
            let message = format!("{message}; name it as the organization does, globs allowed");
            return Err(CollectError::Scope(message));
        }
        if accounts.is_empty() && !self.given.is_empty() {
            let message = format!("no active account is left by {}", self.given.join(" "));
            return Err(CollectError::Scope(message));
        }
        Ok(accounts)
    }

    /// Tells whether an account is one of those that [`Self::accounts`] finds, when no other account is known.
    pub(super) fn takes(
        &self,
        organization: &Organization,
        emergency: &AccountId,
        id: &AccountId,
        account: &Account,
    ) -> bool {
        self.selection()
            .selects(organization, emergency, id, account)
    }

    /// Tells whether no option chooses accounts.
    pub(super) fn takes_every_account(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// What the options select: every account where none says which.
    fn selection(&self) -> Selection {
        let everything = || "*".parse().into_iter().collect();
        Selection {
            include: if self.include.is_empty() {
                everything()
            } else {
                self.include.clone()
            },
            exclude: self.exclude.clone(),
        }
    }

    pub(super) fn covers(&self, address: &Address) -> bool {
        self.resources.is_empty()
            || self.resources.iter().any(|(resource_type, name)| {
                *resource_type == address.resource_type && name.is_match(&address.name)
            })
    }

    /// Tells whether things of a type are looked at.
    pub(super) fn covers_type(&self, resource_type: ResourceType) -> bool {
        self.resources.is_empty()
            || self
                .resources
                .iter()
                .any(|(covered, _)| *covered == resource_type)
    }

    pub(super) fn scope(&self) -> Scope {
        Scope {
            partial: !self.given.is_empty() || self.shard.is_some(),
            filters: self.given.clone(),
            shard: self.shard,
        }
    }
}
