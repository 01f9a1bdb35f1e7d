//! Snapshots: the live state of an organization at one moment, as a file holds it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Guardrails, Inventory};
use crate::ids::{AccountId, IamPath};
use crate::org::{Organization, Shard};

/// Holds the live state of an organization. It holds no secret: IAM never gives one out in the reads it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Snapshot {
    /// The version of the format, `1.N`.
    pub format_version: String,
    /// Always `snapshot`.
    pub kind: String,
    /// When it was taken.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// The shard, such as `2/8`, when only its share of the accounts was read; one of them holds the guardrails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub shard: Option<Shard>,
    /// The path of what was read in full in every account.
    pub managed_path: IamPath,
    /// The organization's accounts and units.
    pub organization: Organization,
    /// What was read of each active account.
    pub accounts: BTreeMap<AccountId, Reading>,
    /// What was read of the organization's SCPs and RCPs; absent from snapshots of before format 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardrails: Option<Reading<Guardrails>>,
}

/// Tells what was read of an account, or of something else that can be read whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T = Inventory> {
    /// Everything that was asked for.
    Complete(T),
    /// Not everything, so nothing is known: it is neither in sync nor different.
    Unreadable {
        /// Which call failed, and how.
        error: String,
    },
}
