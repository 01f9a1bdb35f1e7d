//! The tree as a report keeps it: enough to show where each account is, and which roles the spec declares there.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Organization;
use crate::ids::AccountId;

/// Holds the accounts of a report under the units they are in: context for a reader, of which nothing is decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// The root (`r-…`) and the units (`ou-…`) that lead to these accounts, by id.
    pub units: BTreeMap<String, TreeUnit>,
    /// The declared roles that were looked at, in the order of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<TreeRole>,
}

/// Describes the root or a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TreeUnit {
    /// The name; empty for the root.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The id of the unit above or the root; absent for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The names of the accounts directly in it, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<AccountId, String>,
}

/// Tells in which of the tree's accounts a role is declared: in all, if neither list says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TreeRole {
    /// The role's name.
    pub name: String,
    /// In these alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<BTreeSet<AccountId>>,
    /// In all but these.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<AccountId>,
}

impl TreeRole {
    /// Tells whether the role is declared in an account of the tree.
    #[must_use]
    pub fn is_declared_in(&self, account: &AccountId) -> bool {
        match &self.only {
            Some(only) => only.contains(account),
            None => !self.except.contains(account),
        }
    }

    /// Notes the accounts of a role by the shorter of the two lists.
    fn new(name: String, declared: BTreeSet<AccountId>, all: &BTreeSet<AccountId>) -> Self {
        let short = declared.len() * 2 < all.len();
        Self {
            name,
            except: if short {
                BTreeSet::new()
            } else {
                all - &declared
            },
            only: short.then_some(declared),
        }
    }
}

impl Tree {
    /// Takes these accounts out of an organization, with the roles that are declared in them.
    #[must_use]
    pub fn of(
        organization: &Organization,
        accounts: &BTreeSet<AccountId>,
        roles: impl IntoIterator<Item = (String, BTreeSet<AccountId>)>,
    ) -> Self {
        let mut tree = Self::default();
        for id in accounts {
            let Some(account) = organization.accounts.get(id) else {
                continue;
            };
            let unit = tree.unit(organization, &account.parent);
            unit.accounts.insert(id.clone(), account.name.clone());
        }
        let roles = roles.into_iter();
        tree.roles = roles
            .map(|(name, declared)| TreeRole::new(name, &declared & accounts, accounts))
            .collect();
        tree
    }

    /// Finds a unit, adding it and all above it where they are not there yet.
    fn unit(&mut self, organization: &Organization, id: &str) -> &mut TreeUnit {
        let mut at = id;
        while !self.units.contains_key(at) {
            let unit = organization.units.get(at);
            let noted = TreeUnit {
                name: unit.map_or_else(String::new, |unit| unit.name.clone()),
                parent: unit.map(|unit| unit.parent.clone()),
                accounts: BTreeMap::new(),
            };
            self.units.insert(at.to_owned(), noted);
            match unit {
                Some(unit) => at = &unit.parent,
                None => break,
            }
        }
        self.units.entry(id.to_owned()).or_default()
    }

    /// Iterates over the accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.units.values().flat_map(|unit| unit.accounts.keys())
    }

    /// Takes in the tree of another shard of the same organization and spec.
    pub fn absorb(&mut self, other: Self) {
        let [own, others] = [&*self, &other].map(|tree| tree.accounts().cloned().collect());
        let all: BTreeSet<AccountId> = &own | &others;
        let declared = |role: &TreeRole, accounts: &BTreeSet<AccountId>| -> BTreeSet<AccountId> {
            let accounts = accounts.iter();
            let here = accounts.filter(|account| role.is_declared_in(account));
            here.cloned().collect()
        };
        for (role, same) in self.roles.iter_mut().zip(&other.roles) {
            let both = &declared(role, &own) | &declared(same, &others);
            *role = TreeRole::new(role.name.clone(), both, &all);
        }
        for (id, unit) in other.units {
            let accounts = unit.accounts.clone();
            let known = self.units.entry(id).or_insert(unit);
            known.accounts.extend(accounts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    fn ids(digits: &str) -> BTreeSet<AccountId> {
        let ids = digits
            .chars()
            .map(|digit| digit.to_string().repeat(12).parse());
        ids.map(Result::unwrap).collect()
    }

    fn tree(accounts: &str) -> Tree {
        let roles = [("Admin", "12345"), ("Audit", "3"), ("Network", "1245")];
        let roles = roles.map(|(name, accounts)| (name.to_owned(), ids(accounts)));
        Tree::of(&sample(), &ids(accounts), roles)
    }

    #[test]
    fn it_holds_the_units_that_lead_to_its_accounts_and_no_others() {
        let tree = tree("13");
        let units: Vec<&str> = tree.units.keys().map(String::as_str).collect();
        assert_eq!(units, ["ou-root-prod", "ou-root-work", "r-root"]);
        assert_eq!(tree.units["r-root"].parent, None);
        assert_eq!(tree.units["ou-root-prod"].name, "Prod");
        assert_eq!(tree.accounts().count(), 2);
    }

    #[test]
    fn roles_are_noted_by_the_shorter_list() {
        let tree = tree("12345");
        let text = serde_json::to_string(&tree.roles).unwrap();
        assert_eq!(
            text,
            r#"[{"name":"Admin"},{"name":"Audit","only":["333333333333"]},{"name":"Network","except":["333333333333"]}]"#
        );
        let declared: Vec<bool> = ids("13")
            .iter()
            .flat_map(|id| tree.roles.iter().map(|role| role.is_declared_in(id)))
            .collect();
        assert_eq!(declared, [true, false, true, true, true, false]);
    }

    #[test]
    fn the_trees_of_shards_make_the_whole() {
        for (one, other) in [("135", "24"), ("3", "1245"), ("12", "345")] {
            let mut merged = tree(one);
            merged.absorb(tree(other));
            assert_eq!(merged, tree("12345"));
        }
    }

    #[test]
    fn a_tree_that_loops_ends() {
        let mut organization = sample();
        let top = organization.units.get_mut("ou-root-work").unwrap();
        top.parent = "ou-root-prod".to_owned();
        let tree = Tree::of(&organization, &ids("3"), []);
        assert_eq!(tree.units.len(), 2);
    }
}
