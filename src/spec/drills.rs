//! The record of drills: when each path was last tried with success.

use jiff::Timestamp;
use serde::Deserialize;

use super::records::time_or_day;
use crate::ids::AccountId;

/// Describes a drill that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillRecord {
    /// The role that was used, by name.
    pub role: String,
    /// The account it was used in.
    pub account: AccountId,
    /// The user who used it, by name.
    pub user: String,
    /// When; a day stands for its beginning in UTC.
    #[serde(deserialize_with = "time_or_day")]
    pub at: Timestamp,
}
