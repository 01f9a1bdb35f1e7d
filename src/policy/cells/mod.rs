//! Cells: the finitely many kinds of values that some patterns and tests tell apart.
//!
//! No catalogue of actions, resources or keys is needed: the patterns and tests in use cut all values into cells, within
//! which no two are told apart, and each cell has an example. Proofs over all values look at every cell.

mod language;
mod ordered;
mod states;
mod values;

pub(in crate::policy) use language::{Matching, TextCell, Universe, partition};
pub(in crate::policy) use states::{KeyCells, State};
pub(in crate::policy) use values::ValueCells;

/// Holds a set of cells by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::policy) struct Cells(pub(in crate::policy) Box<[u64]>);

impl Cells {
    /// Selects the cells of a dimension of `count` cells for which `selected` holds.
    pub(in crate::policy) fn of(count: usize, mut selected: impl FnMut(usize) -> bool) -> Self {
        let mut words = vec![0; count.div_ceil(64)].into_boxed_slice();
        for (word, bits) in words.iter_mut().enumerate() {
            for bit in 0..64.min(count - word * 64) {
                if selected(word * 64 + bit) {
                    *bits |= 1 << bit;
                }
            }
        }
        Self(words)
    }

    /// Adds cells.
    pub(in crate::policy) fn extend(&mut self, cells: impl IntoIterator<Item = usize>) {
        for cell in cells {
            if let Some(word) = self.0.get_mut(cell / 64) {
                *word |= 1 << (cell % 64);
            }
        }
    }

    pub(in crate::policy) fn contains(&self, cell: usize) -> bool {
        self.0
            .get(cell / 64)
            .is_some_and(|word| word >> (cell % 64) & 1 == 1)
    }

    pub(in crate::policy) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The selected cell with the lowest number.
    pub(in crate::policy) fn first(&self) -> Option<usize> {
        let (index, word) = self.0.iter().enumerate().find(|(_, word)| **word != 0)?;
        Some(index * 64 + word.trailing_zeros() as usize)
    }

    pub(in crate::policy) fn intersect(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    pub(in crate::policy) fn remove(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
    }

    pub(in crate::policy) fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

/// Bounds the work of a proof, so that no pair of documents takes long.
#[derive(Debug)]
pub(in crate::policy) struct Budget(usize);

/// Says that a proof was given up at its bound.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::policy) struct OverBudget;

impl Budget {
    pub(in crate::policy) fn new(steps: usize) -> Self {
        Self(steps)
    }

    /// Takes steps from what is left.
    pub(in crate::policy) fn spend(&mut self, steps: usize) -> Result<(), OverBudget> {
        self.0 = self.0.checked_sub(steps).ok_or(OverBudget)?;
        Ok(())
    }
}
