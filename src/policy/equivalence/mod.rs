//! Level 2 of equivalence: whether two documents mean the same, and if not, how they differ.
//!
//! Two sets of requests are compared: what a document effectively allows (its Allow less its Deny), and what it denies,
//! because a Deny also overrides other policies. The space of requests is cut into finitely many cells by the patterns
//! and tests in use, no catalogue of services needed, so that the comparison is exact: each condition key may be absent,
//! each pattern overlaps others just where their languages do. What is not known of a test (a policy variable, a value
//! of the wrong type) is left free, which never makes two different documents equal.

mod overlap;
mod principals;
mod region;
mod space;
mod trust;
mod witness;

#[cfg(test)]
mod properties;

pub use self::overlap::denies_some_of;
use self::principals::Reading;
use self::region::{Layout, Region};
use self::space::{Regions, Space};
pub use self::trust::{allowed_callers, requires_mfa};
pub use self::witness::{Answer, Backing, Witness};
use super::canonical::Canonical;
use super::cells::{Budget, OverBudget};
use super::document::{Effect, Principal, Selection};

/// Bounds the steps of one comparison; a step takes less than a microsecond.
pub(super) const MAX_STEPS: usize = 400_000;

/// Says how what two documents mean relates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The new document allows more or denies less (`grows`), the other way round (`shrinks`), both, or neither.
    Known {
        grows: bool,
        shrinks: bool,
        /// Whether every test in the documents is understood, so that the witnesses surely are what they say.
        exact: bool,
        /// Shows a request that is gained, and one that is lost, where there is one.
        witnesses: Vec<Witness>,
    },
    /// Whether they differ, or which way, hangs on how something is read that AWS does not document.
    Undocumented { grows: bool, shrinks: bool },
    /// Their patterns and tests overlap in more ways than are followed.
    TooLarge,
}

/// Compares what two documents mean.
pub(super) fn compare_meaning(old: &Canonical, new: &Canonical) -> Meaning {
    compare_within(old, new, &mut Budget::new(MAX_STEPS)).unwrap_or(Meaning::TooLarge)
}

fn compare_within(
    old: &Canonical,
    new: &Canonical,
    budget: &mut Budget,
) -> Result<Meaning, OverBudget> {
    let space = Space::of(&[old, new], budget)?;
    let mut found = Vec::new();
    for reading in readings(&[old, new]) {
        let (old, new) = (space.regions(old, reading), space.regions(new, reading));
        found.push(differences(&space, &old, &new, budget)?);
    }
    let grows = found.iter().any(|difference| difference.grows);
    let shrinks = found.iter().any(|difference| difference.shrinks);
    let agrees =
        |difference: &Difference| (difference.grows, difference.shrinks) == (grows, shrinks);
    if !found.iter().all(agrees) {
        return Ok(Meaning::Undocumented { grows, shrinks });
    }
    Ok(Meaning::Known {
        grows,
        shrinks,
        exact: space.is_exact(),
        // Of the ways to read them, the one in which less differs shows the surest.
        witnesses: found
            .into_iter()
            .map(|difference| difference.witnesses)
            .min_by_key(Vec::len)
            .unwrap_or_default(),
    })
}

/// The ways to read the documents between which the documentation leaves the choice.
fn readings(documents: &[&Canonical]) -> Vec<Reading> {
    let has =
        |wanted: &dyn Fn(Effect, &Selection<std::collections::BTreeSet<Principal>>) -> bool| {
            let statements = documents.iter().flat_map(|document| &document.statements);
            let mut elements = statements
                .filter_map(|statement| Some((statement.effect, statement.principals.as_ref()?)));
            elements.any(|(effect, principals)| wanted(effect, principals))
        };
    let star = Principal::Aws("*".to_owned());
    let star = has(&|_, principals| principals.list().contains(&star));
    let spared = has(&|effect, principals| effect == Effect::Deny && principals.is_negated());
    let mut readings = Vec::new();
    for aws_star_is_star in [false, true] {
        for any_listed_is_spared in [true, false] {
            if (star || !aws_star_is_star) && (spared || any_listed_is_spared) {
                readings.push(Reading {
                    aws_star_is_star,
                    any_listed_is_spared,
                });
            }
        }
    }
    readings
}

/// Holds what a comparison under one reading finds.
struct Difference {
    grows: bool,
    shrinks: bool,
    witnesses: Vec<Witness>,
}

fn differences(
    space: &Space<'_>,
    old: &Regions,
    new: &Regions,
    budget: &mut Budget,
) -> Result<Difference, OverBudget> {
    let layout = &space.layout;
    let undenied = not_covered(layout, &old.deny, &new.deny, budget)?;
    let denied = not_covered(layout, &new.deny, &old.deny, budget)?;
    // What is allowed is shown rather than what is denied.
    let gained = more(space, new, old, budget)?.or(undenied);
    let lost = more(space, old, new, budget)?.or(denied);
    let shown = [&gained, &lost].into_iter().flatten();
    Ok(Difference {
        grows: gained.is_some(),
        shrinks: lost.is_some(),
        witnesses: shown
            .filter_map(|region| space.witness(region, old, new))
            .collect(),
    })
}

/// Finds requests that `a` effectively allows and `b` does not; if there are some without MFA, those.
fn more(
    space: &Space<'_>,
    a: &Regions,
    b: &Regions,
    budget: &mut Budget,
) -> Result<Option<Region>, OverBudget> {
    if space.tests_mfa()
        && let Some(found) = beyond(&space.layout, &space.without_mfa(a), b, budget)?
    {
        return Ok(Some(found));
    }
    beyond(&space.layout, a, b, budget)
}

/// Finds requests that `a` effectively allows and `b` does not.
fn beyond(
    layout: &Layout,
    a: &Regions,
    b: &Regions,
    budget: &mut Budget,
) -> Result<Option<Region>, OverBudget> {
    let denied: Vec<&Region> = a.deny.iter().collect();
    let covers: Vec<&Region> = b.allow.iter().chain(&a.deny).collect();
    for allow in &a.allow {
        if let Some(found) = layout.uncovered(allow, &covers, budget)? {
            return Ok(Some(found));
        }
        for deny in &b.deny {
            let Some(shared) = layout.intersection(allow, deny) else {
                continue;
            };
            if let Some(found) = layout.uncovered(&shared, &denied, budget)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

fn not_covered(
    layout: &Layout,
    regions: &[Region],
    by: &[Region],
    budget: &mut Budget,
) -> Result<Option<Region>, OverBudget> {
    let by: Vec<&Region> = by.iter().collect();
    for region in regions {
        if let Some(found) = layout.uncovered(region, &by, budget)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
