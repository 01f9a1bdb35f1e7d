//! The edge: where live state is read and operations are carried out, on AWS or on a snapshot file.
//!
//! Nothing behind [`Cloud`] can tell which of the two it is.

pub mod aws;
mod error;
mod offline;

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::ids::{AccountId, Partition};
use crate::org::{Account, Organization};
use crate::state::{
    Address, DrillEvent, GuardrailOperation, GuardrailPolicy, Guardrails, Inventory, Metric,
    Operation, PolicyReference, ReadScope, Resource, ResourceKey,
};

pub use error::{CloudError, ErrorKind};
pub use offline::{
    Offline, SNAPSHOT_FORMAT, SnapshotError, parse_snapshot, read_snapshot, write_snapshot,
};

/// Answers a call to a [`Cloud`].
pub type Answer<'a, T> = BoxFuture<'a, Result<T, CloudError>>;

/// Tells what became known of an organization while it is listed.
#[derive(Debug, Clone)]
pub enum Found {
    /// Everything but the accounts. It comes first, and once.
    Tree(Organization),
    /// Accounts that were not told of before.
    Accounts(BTreeMap<AccountId, Account>),
}

/// Hears of an organization while it is listed.
pub type Finding<'a> = dyn Fn(Found) + Send + Sync + 'a;

/// Gives access to the live state of an organization.
pub trait Cloud: Send + Sync {
    /// Reads the organization's accounts and units, and the accounts' tags if asked for.
    ///
    /// Fails with [`ErrorKind::OtherOrganization`], having read nothing else, when its id is not the expected one.
    fn organization<'a>(
        &'a self,
        expected: Option<&'a str>,
        with_tags: bool,
    ) -> Answer<'a, Organization> {
        self.discover(expected, with_tags, &|_| ())
    }

    /// Does the same, and tells of it part by part as it becomes known, so that accounts can be read meanwhile.
    ///
    /// What was told is only certain once this has succeeded.
    fn discover<'a>(
        &'a self,
        expected: Option<&'a str>,
        with_tags: bool,
        found: &'a Finding<'a>,
    ) -> Answer<'a, Organization>;

    /// Reads everything of an account that concerns this tool, in as few calls as the API allows.
    fn account<'a>(&'a self, account: &'a AccountId, scope: &'a ReadScope)
    -> Answer<'a, Inventory>;

    /// Reads one resource as it is now, with the credentials that would write it; `None` when there is none.
    fn resource<'a>(
        &'a self,
        account: &'a AccountId,
        key: &'a ResourceKey,
    ) -> Answer<'a, Option<Resource>>;

    /// Carries out one operation.
    fn execute<'a>(&'a self, account: &'a AccountId, operation: &'a Operation) -> Answer<'a, ()>;

    /// Reads how short the account's password policy lets a password be, in characters.
    fn shortest_password<'a>(&'a self, account: &'a AccountId) -> Answer<'a, u32>;

    /// Gives a user a password for the console, which need not be changed at the next sign-in, and a login profile if
    /// it has none.
    ///
    /// A password can't be read back: after [`ErrorKind::Network`] it isn't known whether the user has it, after every
    /// other error the user does not.
    fn set_password<'a>(
        &'a self,
        account: &'a AccountId,
        user: &'a str,
        password: &'a SecretString,
    ) -> Answer<'a, ()>;

    /// Reads the organization's SCPs and RCPs, and what each is attached to, in calls per policy and none per account.
    ///
    /// Fails when any of it can't be read: guardrails known in part are not known. Fails with [`ErrorKind::NotHeld`]
    /// on a snapshot that was taken without them.
    fn guardrails(&self) -> Answer<'_, Guardrails>;

    /// Reads one SCP or RCP as it is now; `None` when there is none of this id or name.
    fn guardrail<'a>(&'a self, policy: &'a PolicyReference) -> Answer<'a, Option<GuardrailPolicy>>;

    /// Carries out one operation on the guardrails. On AWS they are carried out one after the other, however many are
    /// asked for at a time, and what is found done already is done.
    fn change_guardrails<'a>(&'a self, operation: &'a GuardrailOperation) -> Answer<'a, ()>;

    /// Puts an event on the default bus of a Region, to try the alert rules there.
    ///
    /// Fails with [`ErrorKind::NotHeld`] where nothing happens, such as in a snapshot.
    fn send_event<'a>(
        &'a self,
        _account: &'a AccountId,
        _region: &'a str,
        _event: &'a DrillEvent,
    ) -> Answer<'a, ()> {
        nothing_happens("events:PutEvents")
    }

    /// Sums what each metric has counted since a time, in their order.
    ///
    /// Fails with [`ErrorKind::NotHeld`] where nothing happens, such as in a snapshot.
    fn counted<'a>(
        &'a self,
        _account: &'a AccountId,
        _region: &'a str,
        _metrics: &'a [Metric],
        _since: Timestamp,
    ) -> Answer<'a, Vec<u64>> {
        nothing_happens("cloudwatch:GetMetricData")
    }

    /// Names the role or user that the credentials are of; `None` for the root user, and on a snapshot.
    fn caller(&self) -> Option<Address>;

    /// Checks that the credentials are for the organization `expected`, and tells its partition.
    ///
    /// Fails with [`ErrorKind::OtherOrganization`] when they are not.
    fn partition<'a>(&'a self, expected: &'a str) -> Answer<'a, Partition>;
}

fn nothing_happens<'a, T: Send + 'a>(call: &str) -> Answer<'a, T> {
    let message = "nothing happens in a snapshot: try alerts on AWS";
    ready(Err(CloudError::new(ErrorKind::NotHeld, call, message))).boxed()
}
