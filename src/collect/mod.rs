//! Reading an organization account by account: read, compare, forget; or read and keep, for a snapshot.

mod compare;
mod everything;
mod failures;
mod scope;
mod snapshot;

use crate::cloud::CloudError;
use crate::spec::Problem;

pub use compare::{CompareRequest, compare};
pub use everything::{Difference, Everything, differences, read_everything};
pub use failures::FailureBound;
pub use scope::ScopeFilter;
pub use snapshot::take_snapshot;

/// Says why an organization could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A call that everything else rests on failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The spec can't be meant for this organization.
    #[error("the spec does not fit the organization")]
    Spec(Vec<Problem>),
    /// An option names accounts that are not there.
    #[error("{0}")]
    Scope(String),
}

/// Hears how far the reading is: accounts done, accounts in all.
pub type Progress<'a> = dyn Fn(usize, usize) + Sync + 'a;
