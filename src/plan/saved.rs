//! Saved plans: reading one back, and telling whether it may still be applied.

use jiff::Timestamp;
use serde::Deserialize;

use super::told::is_told;
use super::{Cause, Change, FORMAT_VERSION, IgnoreRule, Kind, Plan};
use crate::org::Shard;
use crate::state::{Address, Operation, ResourceKey, sha256};

/// Says why a text is no plan that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParsePlanError {
    /// It is not a plan: truncated, or something else.
    #[error("not a plan or report that can be read: {0}")]
    Format(String),
    /// It is of a newer format, of which something that matters could be overlooked.
    #[error(
        "its format {0:?} is not known to this version, which reads {FORMAT_VERSION}; use a newer breakglass"
    )]
    Version(String),
    /// It says of a change what it does not do.
    #[error("{0} is not what its operations are about: the file was edited; make a new plan")]
    Inconsistent(Address),
    /// It was changed after it was written.
    #[error("its content does not fit its digest: the file was edited or damaged; make a new plan")]
    Digest,
}

/// Reads a saved plan or drift report and checks that it is whole.
///
/// # Errors
/// When the text is damaged, was edited, or is of a newer format.
pub fn parse_plan(text: &str) -> Result<Plan, ParsePlanError> {
    #[derive(Deserialize)]
    struct Head {
        format_version: Option<String>,
        kind: Option<Kind>,
    }
    let format = |error: serde_json::Error| ParsePlanError::Format(error.to_string());
    let head: Head = serde_json::from_str(text).map_err(format)?;
    let version = head.format_version.unwrap_or_default();
    if version != FORMAT_VERSION {
        return Err(ParsePlanError::Version(version));
    }
    if head.kind.is_none() {
        return Err(ParsePlanError::Format("it has no kind".to_owned()));
    }
    let plan: Plan = serde_json::from_str(text).map_err(format)?;
    if plan.digest != plan.compute_digest() {
        return Err(ParsePlanError::Digest);
    }
    if plan.kind == Kind::Plan && plan.expires_at.is_none() {
        return Err(ParsePlanError::Format("it has no expires_at".to_owned()));
    }
    if plan.scope.shard.is_some() != plan.share.is_some() {
        return Err(ParsePlanError::Format(
            "its shard and its share do not fit".to_owned(),
        ));
    }
    // Whoever edits a plan can digest it anew; what is shown must still be what is done.
    let is_sound = |change: &Change| is_consistent(change) && is_told(change, &plan.changes);
    let mut changes = plan.changes.iter();
    let edited = changes.find(|change| change.ignored_by.is_some() || !is_sound(change));
    let mut ignored = plan.ignored.iter();
    let done = ignored.find(|change| change.ignored_by.is_none() || !change.operations.is_empty());
    match edited.or(done) {
        Some(change) => Err(ParsePlanError::Inconsistent(change.address.clone())),
        None => Ok(plan),
    }
}

/// Tells whether a change's operations change that very resource, in that very account.
fn is_consistent(change: &Change) -> bool {
    let key = ResourceKey::new(change.resource_type, &change.name);
    let address = Address::new(&change.account, change.resource_type, &change.name);
    let elsewhere = |operation: &Operation| {
        matches!(
            operation,
            Operation::SetPolicyDocument { arn, .. } | Operation::DeletePolicy { arn }
                if arn.account() != change.account.as_str()
        )
    };
    change.address == address
        && change
            .operations
            .iter()
            .all(|step| step.operation.target() == key && !elsewhere(&step.operation))
}

/// Says why a plan may not be applied any more, or not here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Staleness {
    /// It is a report of drift.
    #[error("the file is a report of drift, not a plan; make one with `breakglass plan --out`")]
    NotAPlan,
    /// It is a part of a plan.
    #[error(
        "the plan is that of shard {0} alone; put those of all shards together with `breakglass merge`"
    )]
    Shard(Shard),
    /// It is too old.
    #[error("the plan expired at {0}; make a new one")]
    Expired(Timestamp),
    /// Its digest is not the one that was approved.
    #[error("the plan's digest is {found}, not the expected {expected}")]
    Digest {
        /// The plan's digest.
        found: String,
        /// The digest that was asked for.
        expected: String,
    },
    /// The spec is not the one it was made from.
    #[error("the plan was made from another spec ({found}) than the one given ({expected})")]
    Spec {
        /// The digest in the plan.
        found: String,
        /// The digest of the spec given.
        expected: String,
    },
    /// Live state is no longer what it was made from.
    #[error("{0} changed since the plan was made; make a new plan")]
    Moved(Address),
    /// It is for another organization.
    #[error("the plan is for organization {found}, the credentials are for {expected}")]
    Organization {
        /// The organization of the plan.
        found: String,
        /// The organization there is.
        expected: String,
    },
}

/// Checks that a plan may be applied now, whatever live state is.
///
/// # Errors
/// When it is no plan, is one of a shard, is expired, or is not the approved one.
pub fn check_fresh(
    plan: &Plan,
    now: Timestamp,
    expected_digest: Option<&str>,
) -> Result<(), Staleness> {
    if plan.kind != Kind::Plan {
        return Err(Staleness::NotAPlan);
    }
    // What shards rest on, users and guardrails, only one of them changes.
    if let Some(shard) = plan.scope.shard {
        return Err(Staleness::Shard(shard));
    }
    if let Some(expected) = expected_digest.filter(|expected| *expected != plan.digest) {
        return Err(Staleness::Digest {
            found: plan.digest.clone(),
            expected: expected.to_owned(),
        });
    }
    match plan.expires_at {
        Some(end) if now >= end => Err(Staleness::Expired(end)),
        _ => Ok(()),
    }
}

impl Plan {
    /// Digests everything but the times, the digest itself, where in which file the spec asks for a change, and why.
    ///
    /// What is ignored, and by whose word, is part of what a reviewer saw; where the rule stands is not.
    #[must_use]
    pub fn compute_digest(&self) -> String {
        let timeless = |changes: &[Change]| {
            let changes = changes.iter().map(|change| Change {
                source: None,
                cause: Cause::Live,
                ignored_by: change.ignored_by.clone().map(|rule| IgnoreRule {
                    index: 0,
                    source: None,
                    ..rule
                }),
                ..change.clone()
            });
            changes.collect()
        };
        let plan = Plan {
            digest: String::new(),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            spec_file: None,
            base: None,
            cosmetic: Vec::new(),
            in_sync: Vec::new(),
            tree: None,
            changes: timeless(&self.changes),
            ignored: timeless(&self.ignored),
            ..self.clone()
        };
        // Keys stand in the order of the types' fields, maps are sorted: the bytes are canonical. Serializing these
        // types into memory can't fail; were it to, the digest would fit no plan.
        serde_json::to_vec(&plan)
            .map(|bytes| sha256(&bytes))
            .unwrap_or_default()
    }
}
