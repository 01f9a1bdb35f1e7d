//! The units of a tree as they are nested on the page, whatever a file holds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::ids::AccountId;
use crate::org::Tree;

/// How deep units are nested on the page: more than Organizations allows, and what is deeper stands beside the last.
const DEEPEST: usize = 8;

/// Holds a unit with what is below it.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// The name.
    pub(super) name: String,
    /// The names of it and all units above, such as `/Workloads/Prod`.
    pub(super) path: String,
    /// The accounts directly in it.
    pub(super) accounts: Vec<AccountId>,
    /// The units below it, by name.
    pub(super) below: Vec<Unit>,
}

/// Nests the units of a tree; those of a loop, which only a damaged file can hold, stand at the top.
pub(super) fn nest(tree: &Tree) -> Vec<Unit> {
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut tops = Vec::new();
    for (id, unit) in &tree.units {
        let above = unit.parent.as_deref();
        match above.filter(|above| tree.units.contains_key(*above)) {
            Some(above) => children.entry(above).or_default().push(id),
            None => tops.push(id.as_str()),
        }
    }
    let mut nesting = Nesting {
        tree,
        children,
        seen: BTreeSet::new(),
    };
    let mut units: Vec<Unit> = tops.into_iter().flat_map(|id| nesting.unit(id)).collect();
    for id in tree.units.keys() {
        units.extend(nesting.unit(id));
    }
    units
}

/// Holds a unit until all that is below it is met.
struct Met {
    unit: Unit,
    /// The number of the one that it is shown in.
    parent: usize,
    depth: usize,
}

struct Nesting<'a> {
    tree: &'a Tree,
    children: BTreeMap<&'a str, Vec<&'a str>>,
    seen: BTreeSet<&'a str>,
}

impl<'a> Nesting<'a> {
    /// Makes a unit with what is below it; `None` when it was met before.
    fn unit(&mut self, id: &'a str) -> Option<Unit> {
        let mut met = vec![Met {
            unit: self.single(id, "")?,
            parent: 0,
            depth: 0,
        }];
        let mut waiting: VecDeque<(usize, &'a str)> = self.below(id, 0);
        while let Some((parent, id)) = waiting.pop_front() {
            let Some((path, depth)) = met.get(parent).map(|met| (&met.unit.path, met.depth + 1))
            else {
                continue;
            };
            let Some(unit) = self.single(id, path) else {
                continue;
            };
            let own = met.len();
            met.push(Met {
                unit,
                parent,
                depth,
            });
            let above = if depth < DEEPEST { own } else { parent };
            waiting.extend(self.below(id, above));
        }
        // Parents come before children, so that from the end each is complete when it goes to its own.
        while let Some(Met {
            mut unit, parent, ..
        }) = met.pop()
        {
            unit.below
                .sort_by(|one, other| (&one.name, &one.path).cmp(&(&other.name, &other.path)));
            match met.get_mut(parent) {
                Some(above) => above.unit.below.push(unit),
                None => return Some(unit),
            }
        }
        None
    }

    fn below(&self, id: &str, parent: usize) -> VecDeque<(usize, &'a str)> {
        let below = self.children.get(id).into_iter().flatten();
        below.map(|id| (parent, *id)).collect()
    }

    /// Makes a unit without what is below it, the first time that it is met.
    fn single(&mut self, id: &'a str, above: &str) -> Option<Unit> {
        let unit = self.tree.units.get(id)?;
        if !self.seen.insert(id) {
            return None;
        }
        let (name, path) = match (unit.name.as_str(), &unit.parent) {
            ("", None) => ("Root".to_owned(), String::new()),
            ("", Some(_)) => (id.to_owned(), format!("{above}/{id}")),
            (name, _) => (name.to_owned(), format!("{above}/{name}")),
        };
        Some(Unit {
            name,
            path,
            accounts: unit.accounts.keys().cloned().collect(),
            below: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::org::TreeUnit;

    fn tree(units: impl IntoIterator<Item = (String, Option<String>)>) -> Tree {
        let units = units.into_iter().map(|(id, parent)| {
            let unit = TreeUnit {
                name: id.to_uppercase(),
                parent,
                accounts: BTreeMap::new(),
            };
            (id, unit)
        });
        Tree {
            units: units.collect(),
            roles: Vec::new(),
        }
    }

    fn told(units: &[Unit]) -> String {
        let units: Vec<String> = units
            .iter()
            .map(|unit| match unit.below.as_slice() {
                [] => unit.name.clone(),
                below => format!("{}({})", unit.name, told(below)),
            })
            .collect();
        units.join(" ")
    }

    #[test]
    fn units_are_nested_and_a_loop_or_a_hole_loses_none() {
        let unit = |id: &str, parent: Option<&str>| (id.to_owned(), parent.map(str::to_owned));
        let whole = [
            unit("r", None),
            unit("b", Some("r")),
            unit("a", Some("r")),
            unit("c", Some("a")),
        ];
        assert_eq!(told(&nest(&tree(whole))), "R(A(C) B)");
        let damaged = [
            unit("a", Some("b")),
            unit("b", Some("a")),
            unit("c", Some("gone")),
            unit("d", Some("d")),
        ];
        assert_eq!(told(&nest(&tree(damaged))), "C A(B) D");
    }

    #[test]
    fn what_lies_too_deep_stands_beside_the_last() {
        let units = (0..20_000_usize).map(|number| {
            let parent = number.checked_sub(1).map(|above| format!("u{above:06}"));
            (format!("u{number:06}"), parent)
        });
        let mut at = &nest(&tree(units))[0];
        let mut depth = 0;
        while at.below.len() == 1 {
            at = &at.below[0];
            depth += 1;
        }
        assert_eq!(depth, DEEPEST - 1);
        assert_eq!(at.below.len(), 20_000 - DEEPEST);
    }
}
