//! Regions: sets of requests as products of cells, and whether some cover another.
//!
//! Every dimension of a request (its action, resource, principal, each condition key) is cut into finitely many cells.
//! A region selects cells in each dimension and holds every request whose coordinates are all selected, so that a
//! statement of a policy is one region.

use crate::policy::cells::{Budget, Cells, OverBudget};

/// Knows where the cells of each dimension lie in the words of a region.
#[derive(Debug)]
pub(super) struct Layout {
    /// For each dimension, the first word and the number of words.
    spans: Vec<(usize, usize)>,
    counts: Vec<usize>,
    full: Region,
}

/// Selects cells in every dimension of a [`Layout`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region(Box<[u64]>);

impl Layout {
    /// Lays out dimensions with these numbers of cells, in this order.
    pub(super) fn new(counts: &[usize]) -> Self {
        let mut spans = Vec::with_capacity(counts.len());
        let mut full = Vec::new();
        for &count in counts {
            let cells = Cells::of(count, |_| true);
            spans.push((full.len(), cells.0.len()));
            full.extend_from_slice(&cells.0);
        }
        Self {
            spans,
            counts: counts.to_vec(),
            full: Region(full.into_boxed_slice()),
        }
    }

    /// The region of all requests.
    pub(super) fn full(&self) -> Region {
        self.full.clone()
    }

    /// How many cells a dimension has.
    pub(super) fn count(&self, dimension: usize) -> usize {
        self.counts.get(dimension).copied().unwrap_or(0)
    }

    /// The cells that a region selects in a dimension.
    pub(super) fn cells(&self, region: &Region, dimension: usize) -> Cells {
        Cells(self.slice(region, dimension).into())
    }

    /// Keeps only these cells in a dimension.
    pub(super) fn restrict(&self, region: &mut Region, dimension: usize, cells: &Cells) {
        let Some(&(start, length)) = self.spans.get(dimension) else {
            return;
        };
        let words = region.0.iter_mut().skip(start).take(length);
        for (word, other) in words.zip(&cells.0) {
            *word &= other;
        }
    }

    /// Tells whether a region holds every cell of a dimension.
    pub(super) fn is_full_in(&self, region: &Region, dimension: usize) -> bool {
        self.slice(region, dimension) == self.slice(&self.full, dimension)
    }

    /// Tells whether a region holds no request.
    pub(super) fn is_empty(&self, region: &Region) -> bool {
        self.dimensions()
            .any(|dimension| self.slice(region, dimension).iter().all(|word| *word == 0))
    }

    /// The requests that two regions share, if any.
    pub(super) fn intersection(&self, a: &Region, b: &Region) -> Option<Region> {
        let words = a.0.iter().zip(&b.0).map(|(a, b)| a & b);
        let both = Region(words.collect());
        (!self.is_empty(&both)).then_some(both)
    }

    fn dimensions(&self) -> std::ops::Range<usize> {
        0..self.spans.len()
    }

    fn slice<'a>(&self, region: &'a Region, dimension: usize) -> &'a [u64] {
        let span = self.spans.get(dimension).copied();
        span.and_then(|(start, length)| region.0.get(start..start + length))
            .unwrap_or_default()
    }

    fn intersects(&self, a: &Region, b: &Region) -> bool {
        self.dimensions().all(|dimension| {
            let pairs = self
                .slice(a, dimension)
                .iter()
                .zip(self.slice(b, dimension));
            pairs.into_iter().any(|(a, b)| a & b != 0)
        })
    }

    /// In how many dimensions `inner` reaches beyond `outer`.
    fn excess(&self, outer: &Region, inner: &Region) -> usize {
        let beyond = |dimension: &usize| {
            let outer = self.slice(outer, *dimension);
            let inner = self.slice(inner, *dimension);
            inner
                .iter()
                .zip(outer)
                .any(|(inner, outer)| inner & !outer != 0)
        };
        self.dimensions().filter(beyond).count()
    }

    /// Finds a part of `region` that no region of `covers` reaches; `None` when together they cover it.
    ///
    /// # Errors
    /// [`OverBudget`] when the answer would take more steps than are left.
    pub(super) fn uncovered(
        &self,
        region: &Region,
        covers: &[&Region],
        budget: &mut Budget,
    ) -> Result<Option<Region>, OverBudget> {
        // A step looks at a few words of each region.
        budget.spend(1 + covers.len() * (1 + self.full.0.len() / 16))?;
        let mut best: Option<(usize, usize)> = None;
        let mut near = Vec::with_capacity(covers.len());
        for &cover in covers {
            if !self.intersects(region, cover) {
                continue;
            }
            let excess = self.excess(cover, region);
            if excess == 0 {
                return Ok(None);
            }
            if best.is_none_or(|(least, _)| excess < least) {
                best = Some((excess, near.len()));
            }
            near.push(cover);
        }
        let Some((_, chosen)) = best else {
            return Ok(Some(region.clone()));
        };
        let cover = near.swap_remove(chosen);
        let mut rest = region.clone();
        for (dimension, &(start, length)) in self.spans.iter().enumerate() {
            let mut beyond = self.cells(&rest, dimension);
            beyond.remove(&self.cells(cover, dimension));
            if beyond.is_empty() {
                continue;
            }
            let mut piece = rest.clone();
            let words = piece.0.iter_mut().skip(start).take(length);
            words.zip(&beyond.0).for_each(|(word, bits)| *word = *bits);
            if let Some(found) = self.uncovered(&piece, &near, budget)? {
                return Ok(Some(found));
            }
            self.restrict(&mut rest, dimension, &self.cells(cover, dimension));
        }
        Ok(None)
    }
}
