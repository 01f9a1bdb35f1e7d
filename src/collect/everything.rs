//! Reading an organization without a spec, and comparing one with what was read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::discovery::{active, discover};
use super::{CollectError, Progress};
use crate::cloud::Cloud;
use crate::ids::{AccountId, IamPath};
use crate::org::Organization;
use crate::plan::{AccountContext, Unreadable, diff_account};
use crate::resolve::Resolver;
use crate::spec::{Loaded, Problem};
use crate::state::{Address, Inventory, ReadScope};

/// Holds what lies under a path in every account that could be read.
#[derive(Debug)]
pub struct Everything {
    /// The organization.
    pub organization: Organization,
    /// The accounts that could be read.
    pub accounts: BTreeMap<AccountId, Inventory>,
    /// The accounts that could not.
    pub unreadable: Vec<Unreadable>,
}

/// Reads what is managed under a path in every active account.
///
/// # Errors
/// When the organization itself can't be read, or is not the expected one.
pub async fn read_everything(
    cloud: &dyn Cloud,
    expected: Option<&str>,
    managed_path: &IamPath,
    concurrency: usize,
    progress: &Progress<'_>,
) -> Result<Everything, CollectError> {
    let scope = ReadScope {
        managed_path: managed_path.clone(),
        names: Default::default(),
        people: None,
        root: None,
        alerts: None,
    };
    let reading = async |_, found| {
        let all = AtomicUsize::new(0);
        let mut readings = active(found, &all)
            .map(async |(id, account)| {
                let reading = cloud.account(&id, &scope).await;
                (id, account, reading)
            })
            .buffer_unordered(concurrency);
        let (mut accounts, mut unreadable) = (BTreeMap::new(), Vec::new());
        while let Some((id, account, reading)) = readings.next().await {
            match reading {
                Ok(inventory) => drop(accounts.insert(id, inventory)),
                Err(error) => unreadable.push(Unreadable {
                    account: id,
                    account_name: account.name,
                    error: error.to_string(),
                }),
            }
            progress(
                accounts.len() + unreadable.len(),
                all.load(Ordering::Relaxed),
            );
        }
        (accounts, unreadable)
    };
    let (organization, (accounts, mut unreadable)) =
        discover(cloud, expected, false, reading).await?;
    unreadable.sort_by(|a, b| a.account.cmp(&b.account));
    Ok(Everything {
        organization,
        accounts,
        unreadable,
    })
}

/// Names a resource that a spec wants otherwise than it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The resource.
    pub address: Address,
    /// The fields that differ.
    pub fields: Vec<String>,
}

/// Lists where a spec differs from what was read.
///
/// # Errors
/// Every problem, when the spec does not fit the organization.
pub fn differences(
    loaded: &Loaded,
    read: &Everything,
    now: Timestamp,
) -> Result<Vec<Difference>, Vec<Problem>> {
    let (resolver, _) = Resolver::new(loaded, &read.organization)?;
    let mut found = Vec::new();
    for (id, live) in &read.accounts {
        let context = AccountContext {
            id,
            name: "",
            partition: &read.organization.partition,
            managed_path: &loaded.spec.defaults.path,
            strict: false,
            now,
        };
        let diff = diff_account(&context, &resolver.desired(id), live);
        found.extend(diff.changes.into_iter().map(|change| Difference {
            address: change.address,
            fields: change.fields.into_iter().map(|field| field.path).collect(),
        }));
    }
    Ok(found)
}
