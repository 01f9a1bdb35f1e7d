//! Working on accounts while the organization is still being listed, which takes a minute where there are thousands.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{ready, try_join};
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::cloud::{Cloud, CloudError, Found};
use crate::ids::AccountId;
use crate::org::{Account, AccountState, Organization};

/// The accounts of an organization, in the order in which they are found.
pub(super) type Accounts = BoxStream<'static, (AccountId, Account)>;

/// Reads an organization and does work meanwhile, which is given the organization without accounts, and the accounts as
/// they are found.
///
/// # Errors
/// When the organization can't be read; the work is given up then, as it is when the organization is another one.
pub(super) async fn discover<T: Default>(
    cloud: &dyn Cloud,
    expected: Option<&str>,
    with_tags: bool,
    work: impl AsyncFnOnce(Organization, Accounts) -> T,
) -> Result<(Organization, T), CloudError> {
    let (tell, mut heard) = unbounded_channel();
    let listing = async move {
        // Nobody hears it any more when the work is over before the listing is.
        let found = |found| drop(tell.send(found));
        cloud.discover(expected, with_tags, &found).await
    };
    let working = async move {
        Ok(match heard.recv().await {
            Some(Found::Tree(tree)) => work(tree, accounts(heard)).await,
            Some(Found::Accounts(_)) | None => T::default(),
        })
    };
    try_join(listing, working).await
}

fn accounts(heard: UnboundedReceiver<Found>) -> Accounts {
    let pages = stream::unfold(heard, |mut heard| async {
        let accounts = match heard.recv().await? {
            Found::Accounts(accounts) => accounts,
            Found::Tree(_) => BTreeMap::new(),
        };
        Some((stream::iter(accounts), heard))
    });
    pages.flatten().boxed()
}

/// Takes the accounts that can be entered, and counts them.
pub(super) fn active(
    accounts: Accounts,
    count: &AtomicUsize,
) -> impl Stream<Item = (AccountId, Account)> {
    accounts.filter(|(_, account)| {
        let active = account.state == AccountState::Active;
        count.fetch_add(usize::from(active), Ordering::Relaxed);
        ready(active)
    })
}
