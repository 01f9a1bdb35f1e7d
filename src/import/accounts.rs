//! Sets of accounts, as selectors a person would write.

use std::collections::BTreeSet;

use crate::ids::AccountId;
use crate::org::Organization;
use crate::spec::{AccountSelector, Accounts};

/// Describes a set of active accounts: all of them, all but a few, or one by one.
pub(super) fn describe(organization: &Organization, accounts: &[AccountId]) -> Accounts {
    let chosen: BTreeSet<&AccountId> = accounts.iter().collect();
    let others: Vec<&AccountId> = organization
        .active_accounts()
        .map(|(id, _)| id)
        .filter(|id| !chosen.contains(id))
        .collect();
    let by_id = |ids: &mut dyn Iterator<Item = &AccountId>| -> Vec<AccountSelector> {
        ids.filter_map(|id| id.as_str().parse().ok()).collect()
    };
    if others.len() < chosen.len() {
        Accounts {
            include: "*".parse().into_iter().collect(),
            exclude: by_id(&mut others.into_iter()),
        }
    } else {
        Accounts {
            include: by_id(&mut chosen.into_iter()),
            exclude: Vec::new(),
        }
    }
}
