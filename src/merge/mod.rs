//! Reports of shards, put together into the one that a single run would have given.
//!
//! Nothing is read again: what a whole report says of all accounts together, its gates, notes and digest, is made anew from
//! what the shards know.

mod plans;
mod snapshots;
mod verifications;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::ids::AccountId;
use crate::org::{Shard, Tree};

pub use plans::merge_plans;
pub use snapshots::merge_snapshots;
pub use verifications::merge_verifications;

/// Holds a report and the name of the file it is from.
#[derive(Debug, Clone)]
pub struct Part<T> {
    /// The file, for messages.
    pub file: String,
    /// The report.
    pub report: T,
}

/// Says why reports do not make a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// One of several is not the report of a shard.
    #[error("{file} is not the report of a shard, so nothing can be put to it")]
    Whole {
        /// The file.
        file: String,
    },
    /// Two are of different runs.
    #[error("{file} and {other} differ in {difference}: they are not of one run")]
    Differ {
        /// A file.
        file: String,
        /// Another.
        other: String,
        /// In what they differ.
        difference: Difference,
    },
    /// Two are of the same shard.
    #[error("{file} and {other} are both of shard {shard}")]
    Twice {
        /// A file.
        file: String,
        /// Another.
        other: String,
        /// The shard.
        shard: Shard,
    },
    /// A shard's is not there.
    #[error("the reports of these shards are missing: {}", shards(.0))]
    Missing(Vec<Shard>),
    /// One is about an account of another shard.
    #[error("{file} is of shard {shard}, which account {account} is not in: it was edited")]
    Foreign {
        /// The file.
        file: String,
        /// Its shard.
        shard: Shard,
        /// The account.
        account: AccountId,
    },
}

/// Names in what two reports differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// In the organization.
    Organization,
    /// In the spec, or what it came to.
    Spec,
    /// In what kind of report they are.
    Kind,
    /// In how many shards there are.
    Count,
    /// In the options they were made with.
    Options,
    /// In the plan whose result they are about.
    Plan,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Organization => "their organization",
            Self::Spec => "their spec",
            Self::Kind => "their kind",
            Self::Count => "the number of shards",
            Self::Options => "the options they were made with",
            Self::Plan => "the plan whose result they are about",
        })
    }
}

fn shards(shards: &[Shard]) -> String {
    const SHOWN: usize = 10;
    let mut names: Vec<String> = shards.iter().take(SHOWN).map(Shard::to_string).collect();
    if shards.len() > SHOWN {
        names.push(format!("{} more", shards.len() - SHOWN));
    }
    names.join(", ")
}

/// Puts reports together; a single one that is whole stays as it is.
fn put_together<T>(
    parts: Vec<Part<T>>,
    shard: impl Fn(&T) -> Option<Shard>,
    merge: impl FnOnce(Vec<(Shard, Part<T>)>) -> Result<T, MergeError>,
) -> Result<T, MergeError> {
    match <[Part<T>; 1]>::try_from(parts) {
        Ok([one]) if shard(&one.report).is_none() => Ok(one.report),
        Ok(one) => merge(complete(one.into(), shard)?),
        Err(parts) => merge(complete(parts, shard)?),
    }
}

/// Sorts reports by shard, and checks that there is exactly one of each.
fn complete<T>(
    parts: Vec<Part<T>>,
    shard: impl Fn(&T) -> Option<Shard>,
) -> Result<Vec<(Shard, Part<T>)>, MergeError> {
    let mut found = Vec::with_capacity(parts.len());
    for part in parts {
        match shard(&part.report) {
            Some(shard) => found.push((shard, part)),
            None => return Err(MergeError::Whole { file: part.file }),
        }
    }
    all_alike(&found, Difference::Count, |shard, _| shard.count())?;
    found.sort_by_key(|(shard, _)| *shard);
    for pair in found.windows(2) {
        if let [(shard, one), (other_shard, other)] = pair
            && shard == other_shard
        {
            return Err(MergeError::Twice {
                file: one.file.clone(),
                other: other.file.clone(),
                shard: *shard,
            });
        }
    }
    let all = found.first().map(|(shard, _)| shard.all());
    let missing = all.into_iter().flatten();
    let missing: Vec<Shard> = missing
        .filter(|shard| !found.iter().any(|(there, _)| there == shard))
        .collect();
    if missing.is_empty() {
        Ok(found)
    } else {
        Err(MergeError::Missing(missing))
    }
}

/// Checks that something is the same in all reports.
fn all_alike<'a, T, V: PartialEq>(
    parts: &'a [(Shard, Part<T>)],
    difference: Difference,
    value: impl Fn(Shard, &'a T) -> V,
) -> Result<(), MergeError> {
    for pair in parts.windows(2) {
        if let [(shard, one), (other_shard, other)] = pair
            && value(*shard, &one.report) != value(*other_shard, &other.report)
        {
            return Err(MergeError::Differ {
                file: one.file.clone(),
                other: other.file.clone(),
                difference,
            });
        }
    }
    Ok(())
}

/// Puts the tree of another shard to what is there.
fn absorb(all: &mut Option<Tree>, more: Option<Tree>) {
    match (all, more) {
        (Some(all), Some(more)) => all.absorb(more),
        (all, more) => *all = all.take().or(more),
    }
}

/// Checks that a report is about accounts of its shard only.
fn within<'a>(
    shard: Shard,
    file: &str,
    mut accounts: impl Iterator<Item = &'a AccountId>,
) -> Result<(), MergeError> {
    match accounts.find(|account| !shard.holds(account)) {
        None => Ok(()),
        Some(account) => Err(MergeError::Foreign {
            file: file.to_owned(),
            shard,
            account: account.clone(),
        }),
    }
}
