//! A set that stays small, however many names are put into it.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// How many names are kept.
const MOST: usize = 100;
/// How many characters of a name are kept.
const LONGEST: usize = 300;

/// Keeps the first names in their order, and counts the others, of which it keeps eight bytes each.
///
/// What it holds depends on what was put in, and not on the order of that.
#[derive(Debug, Clone, Default)]
pub(super) struct Capped {
    kept: BTreeSet<String>,
    others: HashSet<u64>,
}

impl Capped {
    /// Puts a name in; one that is empty says nothing.
    pub(super) fn add(&mut self, name: &str) {
        let name = match name.char_indices().nth(LONGEST) {
            Some((end, _)) => name.get(..end).unwrap_or_default(),
            None => name,
        };
        if !name.is_empty() && !self.kept.contains(name) {
            self.keep(name.to_owned());
        }
    }

    fn keep(&mut self, name: String) {
        self.kept.insert(name);
        if self.kept.len() > MOST {
            self.others
                .extend(self.kept.pop_last().map(|last| hash(&last)));
        }
    }

    /// Puts in what another one holds.
    pub(super) fn extend(&mut self, other: Self) {
        let Self { kept, others } = other;
        self.others.extend(others);
        for name in kept {
            self.keep(name);
        }
    }

    /// Whether a name was put in.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.kept.contains(name) || (!self.others.is_empty() && self.others.contains(&hash(name)))
    }

    /// Whether a name that it keeps was put into another one, too.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.kept.iter().any(|name| other.contains(name))
    }

    /// Iterates over the names that are kept.
    pub(super) fn iter(&self) -> impl Iterator<Item = &String> {
        self.kept.iter()
    }

    /// Counts the names that are not kept.
    pub(super) fn left_out(&self) -> usize {
        self.others.len()
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: impl Iterator<Item = usize>) -> Capped {
        let mut capped = Capped::default();
        for name in names {
            capped.add(&format!("{name:04}"));
        }
        capped
    }

    #[test]
    fn what_is_kept_does_not_depend_on_the_order() {
        let forward = of((0..250).chain(0..250));
        let mut parts = of((125..250).rev());
        parts.extend(of((0..130).rev()));
        for capped in [&forward, &parts] {
            let kept: Vec<_> = capped.iter().cloned().collect();
            let expected: Vec<_> = (0..100).map(|name| format!("{name:04}")).collect();
            assert_eq!((kept, capped.left_out()), (expected, 150));
            assert!(capped.contains("0000") && capped.contains("0249"));
            assert!(!capped.contains("0250"));
        }
        let mut long = Capped::default();
        long.add(&"é".repeat(LONGEST + 1));
        long.add("");
        assert_eq!(
            long.iter().map(|name| name.chars().count()).sum::<usize>(),
            LONGEST
        );
    }
}
