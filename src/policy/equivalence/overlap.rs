//! Whether one document denies something that another allows.

use super::principals::Reading;
use super::space::Space;
use super::{MAX_STEPS, readings};
use crate::policy::canonical::{Canonical, CanonicalContext, canonicalize};
use crate::policy::cells::{Budget, OverBudget};
use crate::policy::document::Document;

/// Tells whether the Deny statements of one document reach a request that the Allow statements of the other allow. What is
/// too intricate to follow is taken to be reached.
#[must_use]
pub fn denies_some_of(denying: &Document, allowing: &Document) -> bool {
    let context = CanonicalContext::inferred(&[denying, allowing]);
    let forms = [denying, allowing].map(|document| canonicalize(document, &context));
    overlaps(&forms).unwrap_or(true)
}

fn overlaps([denying, allowing]: &[Canonical; 2]) -> Result<bool, OverBudget> {
    let mut budget = Budget::new(MAX_STEPS);
    let space = Space::of(&[denying, allowing], &mut budget)?;
    let reaches = |reading: Reading| {
        let denies = space.regions(denying, reading).deny;
        let allows = space.regions(allowing, reading).allow;
        denies.iter().any(|deny| {
            let mut allows = allows.iter();
            allows.any(|allow| space.layout.intersection(allow, deny).is_some())
        })
    };
    Ok(readings(&[denying, allowing]).into_iter().any(reaches))
}
