//! Reading accounts one by one, until too many can't be read.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::FailureBound;
use crate::cloud::{Cloud, CloudError, ErrorKind};
use crate::ids::AccountId;
use crate::state::{Inventory, ReadScope};

/// Reads accounts; past the bound of failures it reads no more.
pub(super) struct AccountReader<'a> {
    cloud: &'a dyn Cloud,
    scope: ReadScope,
    most: Option<usize>,
    failures: AtomicUsize,
}

impl<'a> AccountReader<'a> {
    /// Begins; the bound is of `all` accounts.
    pub(super) fn new(
        cloud: &'a dyn Cloud,
        scope: ReadScope,
        max_failures: Option<FailureBound>,
        all: usize,
    ) -> Self {
        Self {
            cloud,
            scope,
            most: max_failures.map(|bound| bound.of(all)),
            failures: AtomicUsize::new(0),
        }
    }

    pub(super) async fn read(&self, id: &AccountId) -> Result<Inventory, CloudError> {
        let failed = self.failures.load(Ordering::Relaxed);
        if self.most.is_some_and(|most| failed > most) {
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
