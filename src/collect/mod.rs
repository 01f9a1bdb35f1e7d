//! Reading an organization account by account: read, compare or prove, forget; or read and keep, for a snapshot.

mod compare;
mod discovery;
mod drift;
mod drill;
mod everything;
mod failures;
mod history;
mod logs;
mod reader;
mod scope;
mod side;
mod snapshot;
mod usage;
mod verify;

use crate::cloud::CloudError;
use crate::plan::Staleness;
use crate::spec::Problem;

pub use compare::{CompareRequest, compare, compare_listed};
pub use drill::{
    DRILL_FORMAT, DrillOutcome, DrillReport, DrillRequest, DrillResult, DrillStatus, drill,
};
pub use everything::{Difference, Everything, differences, read_everything};
pub use failures::FailureBound;
pub use history::audit_history;
pub use scope::ScopeFilter;
pub use side::BaseSpec;
pub use snapshot::take_snapshot;
pub use usage::{UsageRequest, audit_logs};
pub use verify::{VerifyRequest, verify};

/// Says why an organization could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A call that everything else rests on failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The spec can't be meant for this organization.
    #[error("the spec does not fit the organization")]
    Spec(Vec<Problem>),
    /// The plan whose result was asked for is not for this state.
    #[error(transparent)]
    Stale(#[from] Staleness),
    /// An option names accounts that are not there.
    #[error("{0}")]
    Scope(String),
}

/// Hears how far the reading is: accounts done, accounts in all.
pub type Progress<'a> = dyn Fn(usize, usize) + Sync + 'a;

#[cfg(test)]
mod tests;
