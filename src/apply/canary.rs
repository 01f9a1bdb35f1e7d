//! Which accounts come first, and what comes with them.

use std::collections::BTreeSet;

use crate::ids::AccountId;
use crate::plan::{Change, Wave};
use crate::state::ResourceType;

/// Names the accounts that an apply tries itself on before it goes on to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// The units they are below, as they were given.
    pub given: Vec<String>,
    /// The accounts.
    pub accounts: BTreeSet<AccountId>,
}

/// Says whose turn a stretch of an apply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turns {
    /// That of the accounts that come first, and of what theirs rest on.
    Canary,
    /// That of everything else.
    Others,
    /// Everybody's.
    All,
}

/// Waves that make and change, which each account goes through by itself.
const MAKING: [Wave; 7] = [
    Wave::Guardrails,
    Wave::AlertPaths,
    Wave::Alerts,
    Wave::Foundations,
    Wave::Restrictions,
    Wave::Policies,
    Wave::Roles,
];
/// Waves that join all accounts: users come to reach roles anywhere, a guardrail to bind them anywhere.
const JOINING: [Wave; 2] = [Wave::Users, Wave::NewGuardrails];
/// Waves that remove, each of which rests on the one before it in every account.
const REMOVING: [Wave; 2] = [Wave::RoleRemovals, Wave::Removals];
/// Waves that come when nothing else is left.
const LAST: [Wave; 2] = [Wave::GuardrailRemovals, Wave::AlertRemovals];

/// Lists the stretches of an apply in order.
///
/// With a canary, its accounts are made and changed before others are; then all are joined; then its removals come before
/// those of others. Removals can't come sooner: the roles that go may be the only ones that users reach until then.
pub(super) fn stretches(canary: Option<&Canary>) -> Vec<(Wave, Turns)> {
    let of = |turns: Turns| move |wave: Wave| (wave, turns);
    if canary.is_none() {
        return Wave::ALL.map(of(Turns::All)).into();
    }
    let making = MAKING.map(of(Turns::Canary)).into_iter();
    let making = making.chain(MAKING.map(of(Turns::Others)));
    let joining = JOINING.map(of(Turns::All)).into_iter();
    let removing = REMOVING.into_iter();
    let removing = removing.flat_map(|wave| [(wave, Turns::Canary), (wave, Turns::Others)]);
    let last = LAST.map(of(Turns::All));
    making.chain(joining).chain(removing).chain(last).collect()
}

/// Tells which changes come with the canary: those of its accounts, and what roles there rest on.
pub(super) struct First<'a> {
    canary: &'a Canary,
    /// Where users live; known by the users that change, for without one nothing there comes first.
    homes: BTreeSet<&'a AccountId>,
}

impl<'a> First<'a> {
    pub(super) fn new(canary: &'a Canary, changes: &'a [Change]) -> Self {
        let users = changes
            .iter()
            .filter(|change| change.resource_type == ResourceType::IamUser);
        Self {
            canary,
            homes: users.map(|change| &change.account).collect(),
        }
    }

    pub(super) fn takes(&self, change: &Change, wave: Wave) -> bool {
        let own = || self.canary.accounts.contains(&change.account);
        let home = || self.homes.contains(&change.account);
        match wave {
            Wave::Guardrails => true,
            // The one bus and topic are there before any rule sends to them.
            Wave::AlertPaths => own() || change.resource_type.is_alert(),
            // Users are there, and have lost what is too much, before any role trusts them.
            Wave::Foundations | Wave::Restrictions => own() || home(),
            Wave::Alerts
            | Wave::Policies
            | Wave::Roles
            | Wave::Users
            | Wave::NewGuardrails
            | Wave::RoleRemovals
            | Wave::Removals
            | Wave::GuardrailRemovals
            | Wave::AlertRemovals => own(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wave_has_its_turns_in_the_order_of_waves() {
        let canary = Canary {
            given: Vec::new(),
            accounts: BTreeSet::new(),
        };
        let stretches = stretches(Some(&canary));
        for turns in [Turns::Canary, Turns::Others] {
            let own = stretches
                .iter()
                .filter(|(_, of)| [turns, Turns::All].contains(of));
            let waves: Vec<Wave> = own.map(|(wave, _)| *wave).collect();
            assert_eq!(waves, Wave::ALL, "{turns:?}");
        }
    }
}
