//! The organization: its accounts, their states, and the tree of organizational units (OUs) above them.
//!
//! Pure data. Reading it is the work of `cloud`; choosing accounts from it that of [`Selection`].

mod selector;
mod shard;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Partition};

pub use selector::{Selection, Selector, SelectorProblem, Severity};
pub use shard::Shard;
pub use tree::{Tree, TreeRole, TreeUnit};

/// Holds an organization as AWS Organizations describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Organization {
    /// The organization's id, such as `o-exampleorg1`.
    pub id: String,
    /// The partition that every account of it lives in.
    pub partition: Partition,
    /// The management account, which no SCP or RCP binds.
    pub management_account: AccountId,
    /// The organizational units, by id (`ou-…`).
    pub units: BTreeMap<String, Unit>,
    /// Every account, whatever its state.
    pub accounts: BTreeMap<AccountId, Account>,
}

/// Describes an organizational unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unit {
    /// The name, unique among its siblings only.
    pub name: String,
    /// The id of the parent: another unit (`ou-…`) or the root (`r-…`).
    pub parent: String,
}

/// Describes an account of the organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Account {
    /// The name, which need not be unique.
    pub name: String,
    /// The state in the account's life cycle.
    pub state: AccountState,
    /// The id of the parent: a unit (`ou-…`) or the root (`r-…`).
    pub parent: String,
    /// The tags; absent when nothing asked for them to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// Tells where an account is in its life cycle.
///
/// Source: Organizations API reference, `Account.State`, which replaced `Account.Status` on 2026-09-09.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Being set up: it can't be entered yet.
    PendingActivation,
    /// In use. Only active accounts are ever selected.
    Active,
    /// Suspended by AWS.
    Suspended,
    /// On its way to being closed.
    PendingClosure,
    /// Closed.
    Closed,
    /// A state that this version does not know; treated as one that can't be entered.
    Unknown,
}

impl AccountState {
    /// The state as words for a person.
    #[must_use]
    pub fn as_words(self) -> &'static str {
        match self {
            Self::PendingActivation => "pending activation",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::PendingClosure => "pending closure",
            Self::Closed => "closed",
            Self::Unknown => "in an unknown state",
        }
    }
}

impl Organization {
    /// Lists the ids of the units above an account, the nearest first.
    ///
    /// A tree that loops, which only a damaged snapshot can hold, ends at the first unit met twice.
    #[must_use]
    pub fn units_above<'a>(&'a self, account: &'a Account) -> Vec<&'a str> {
        self.units_from(&account.parent)
    }

    fn units_from<'a>(&'a self, start: &'a str) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        let mut above = Vec::new();
        let mut at = start;
        while let Some(unit) = self.units.get(at) {
            if !seen.insert(at) {
                break;
            }
            above.push(at);
            at = &unit.parent;
        }
        above
    }

    /// The id of the root (`r-…`): the topmost parent. `None` when the tree leads to none, which only a damaged snapshot
    /// can be like.
    #[must_use]
    pub fn root(&self) -> Option<&str> {
        let accounts = self.accounts.values().map(|account| &account.parent);
        let units = self.units.values().map(|unit| &unit.parent);
        let mut parents = accounts.chain(units).map(String::as_str);
        parents.find(|parent| parent.starts_with("r-"))
    }

    /// Lists the nodes that lead from the root to a node, both included: `r-…`, `ou-…`, …, and the unit or account.
    ///
    /// `None` when there is no such node, or no way to it from the root, which only a damaged snapshot can be like: a
    /// list that began further down would lack the levels above.
    #[must_use]
    pub fn levels<'a>(&'a self, node: &'a str) -> Option<Vec<&'a str>> {
        if self.is_root(node) {
            return Some(vec![node]);
        }
        let account = self.account(node);
        let units = self.units_from(account.map_or(node, |account| &account.parent));
        let top = match units.last() {
            Some(topmost) => &self.units.get(*topmost)?.parent,
            None => &account?.parent,
        };
        // A unit would be one that is missing, or one of a loop.
        top.starts_with("r-").then(|| {
            let units = units.into_iter().rev();
            let account = account.map(|_| node);
            std::iter::once(top.as_str())
                .chain(units)
                .chain(account)
                .collect()
        })
    }

    /// Tells whether an id is that of the root, of a unit or of an account.
    #[must_use]
    pub fn has_node(&self, id: &str) -> bool {
        self.units.contains_key(id) || self.account(id).is_some() || self.is_root(id)
    }

    fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.get(&id.parse::<AccountId>().ok()?)
    }

    /// Writes where a unit is by names, such as `/Workloads/Prod`.
    #[must_use]
    pub fn unit_path(&self, unit: &str) -> String {
        self.units_from(unit)
            .iter()
            .rev()
            .filter_map(|id| self.units.get(*id))
            .fold(String::new(), |path, unit| path + "/" + &unit.name)
    }

    /// Writes where an account is by the names of the units above it; `/` for one directly under the root.
    #[must_use]
    pub fn account_path(&self, account: &Account) -> String {
        let path = self.unit_path(&account.parent);
        if path.is_empty() {
            "/".to_owned()
        } else {
            path
        }
    }

    /// Tells whether an id is that of the root.
    #[must_use]
    pub fn is_root(&self, id: &str) -> bool {
        let accounts = self.accounts.values().map(|account| &account.parent);
        let units = self.units.values().map(|unit| &unit.parent);
        id.starts_with("r-") && accounts.chain(units).any(|parent| parent == id)
    }

    /// Finds an account or unit whose parent is neither a unit nor a root: the tree has a hole, so that selecting by
    /// unit would miss what lies below it.
    #[must_use]
    pub fn orphan(&self) -> Option<&str> {
        let accounts = self.accounts.iter();
        let accounts = accounts.map(|(id, account)| (id.as_str(), &account.parent));
        let units = self.units.iter();
        let units = units.map(|(id, unit)| (id.as_str(), &unit.parent));
        accounts
            .chain(units)
            .find(|(_, parent)| !parent.starts_with("r-") && !self.units.contains_key(*parent))
            .map(|(id, _)| id)
    }

    /// Iterates over the accounts that can be entered.
    pub fn active_accounts(&self) -> impl Iterator<Item = (&AccountId, &Account)> {
        self.accounts
            .iter()
            .filter(|(_, account)| account.state == AccountState::Active)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An organization of six accounts: `/Workloads/Prod` and `/Sandbox`, one account suspended.
    pub(crate) fn sample() -> Organization {
        let unit = |name: &str, parent: &str| Unit {
            name: name.to_owned(),
            parent: parent.to_owned(),
        };
        let account = |name: &str, parent: &str, state, tags: &[(&str, &str)]| Account {
            name: name.to_owned(),
            state,
            parent: parent.to_owned(),
            tags: Some(
                tags.iter()
                    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                    .collect(),
            ),
        };
        let id = |digit: &str| digit.repeat(12).parse::<AccountId>().unwrap();
        Organization {
            id: "o-exampleorg1".to_owned(),
            partition: Partition::commercial(),
            management_account: id("1"),
            units: BTreeMap::from([
                ("ou-root-work".to_owned(), unit("Workloads", "r-root")),
                ("ou-root-prod".to_owned(), unit("Prod", "ou-root-work")),
                ("ou-root-sand".to_owned(), unit("Sandbox", "r-root")),
                ("ou-root-none".to_owned(), unit("Empty", "r-root")),
            ]),
            accounts: BTreeMap::from([
                (
                    id("1"),
                    account("management", "r-root", AccountState::Active, &[]),
                ),
                (
                    id("2"),
                    account("emergency", "r-root", AccountState::Active, &[]),
                ),
                (
                    id("3"),
                    account(
                        "prod-pay",
                        "ou-root-prod",
                        AccountState::Active,
                        &[("tier", "1")],
                    ),
                ),
                (
                    id("4"),
                    account("prod-web", "ou-root-work", AccountState::Active, &[]),
                ),
                (
                    id("5"),
                    account("sand-1", "ou-root-sand", AccountState::Active, &[]),
                ),
                (
                    id("6"),
                    account("old", "ou-root-sand", AccountState::Suspended, &[]),
                ),
            ]),
        }
    }

    #[test]
    fn paths_are_told_by_name_from_the_root() {
        let organization = sample();
        assert_eq!(organization.unit_path("ou-root-prod"), "/Workloads/Prod");
        let paths: Vec<String> = organization
            .accounts
            .values()
            .map(|account| organization.account_path(account))
            .collect();
        assert_eq!(
            paths,
            [
                "/",
                "/",
                "/Workloads/Prod",
                "/Workloads",
                "/Sandbox",
                "/Sandbox"
            ]
        );
    }

    #[test]
    fn a_hole_in_the_tree_is_found() {
        let mut organization = sample();
        assert_eq!(organization.orphan(), None);
        organization.units.remove("ou-root-work");
        assert_eq!(organization.orphan(), Some("444444444444"));
    }

    #[test]
    fn a_tree_that_loops_ends() {
        let mut organization = sample();
        organization.units.insert(
            "ou-root-work".to_owned(),
            Unit {
                name: "Workloads".to_owned(),
                parent: "ou-root-prod".to_owned(),
            },
        );
        assert_eq!(organization.unit_path("ou-root-prod"), "/Workloads/Prod");
        assert_eq!(organization.levels("ou-root-prod"), None);
        assert_eq!(organization.levels("333333333333"), None);
    }

    #[test]
    fn levels_lead_from_the_root_to_a_node() {
        let mut organization = sample();
        let told = |organization: &Organization, node: &str| {
            let levels = organization.levels(node);
            levels.map(|levels| levels.join(" "))
        };
        assert_eq!(organization.root(), Some("r-root"));
        for (node, expected) in [
            ("r-root", Some("r-root")),
            ("ou-root-sand", Some("r-root ou-root-sand")),
            ("111111111111", Some("r-root 111111111111")),
            (
                "333333333333",
                Some("r-root ou-root-work ou-root-prod 333333333333"),
            ),
            ("r-else", None),
            ("ou-root-else", None),
            ("999999999999", None),
            ("", None),
        ] {
            let levels = told(&organization, node);
            assert_eq!(levels.as_deref(), expected, "{node}");
            assert_eq!(organization.has_node(node), expected.is_some(), "{node}");
        }
        organization.units.remove("ou-root-work");
        assert_eq!(told(&organization, "333333333333"), None);
    }
}
