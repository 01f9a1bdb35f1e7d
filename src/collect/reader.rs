//! Reading accounts one by one, until too many can't be read.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::FailureBound;
use crate::cloud::{Cloud, CloudError, ErrorKind};
use crate::ids::AccountId;
use crate::state::{Inventory, ReadScope};

/// Reads accounts; past the bound of failures it reads no more.
pub(super) struct AccountReader<'a> {
    cloud: &'a dyn Cloud,
    scope: ReadScope,
    bound: Option<FailureBound>,
    /// The most failures; not known of a share until it is known of how many.
    most: OnceLock<usize>,
    failures: AtomicUsize,
}

impl<'a> AccountReader<'a> {
    /// Begins; a bound that is a share holds once [`Self::count`] has told of how many accounts.
    pub(super) fn new(cloud: &'a dyn Cloud, scope: ReadScope, bound: Option<FailureBound>) -> Self {
        let most = match bound {
            Some(FailureBound::Count(most)) => OnceLock::from(most),
            Some(FailureBound::Percent(_)) | None => OnceLock::new(),
        };
        Self {
            cloud,
            scope,
            bound,
            most,
            failures: AtomicUsize::new(0),
        }
    }

    /// Tells how many accounts there are to read.
    pub(super) fn count(&self, all: usize) {
        if let Some(bound) = self.bound {
            self.most.get_or_init(|| bound.of(all));
        }
    }

    pub(super) async fn read(&self, id: &AccountId) -> Result<Inventory, CloudError> {
        let failed = self.failures.load(Ordering::Relaxed);
        if self.most.get().is_some_and(|most| failed > *most) {
            return Err(not_read(failed));
        }
        let live = self.cloud.account(id, &self.scope).await;
        if live.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        live
    }

    /// Reads an account that does not count, and of which nobody asks what its alerts are.
    pub(super) async fn read_beside(&self, id: &AccountId) -> Result<Inventory, CloudError> {
        let scope = ReadScope {
            alerts: None,
            ..self.scope.clone()
        };
        self.cloud.account(id, &scope).await
    }
}

/// Says why an account is left unread.
pub(super) fn not_read(failed: usize) -> CloudError {
    CloudError::new(
        ErrorKind::Service,
        "not read",
        format!("{failed} accounts before it could not be read, which is past --max-failures"),
    )
}
