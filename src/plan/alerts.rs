//! The coverage of alerts: in which account and Region which use is heard of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::AccountId;
use crate::spec::AlertUse;

/// Tells where uses of break-glass are not heard of, in the accounts whose alerts could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertCoverage {
    /// How many combinations of account, Region and use the spec asks for.
    pub wanted: usize,
    /// The combinations that are not heard of, by account, Region and use.
    pub holes: Vec<AlertHole>,
    /// What is wrong with the one bus and topic that every event goes through, in a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<String>,
}

/// Names a use that is not heard of in a Region of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertHole {
    /// The account's id.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// The Region.
    pub region: String,
    /// The use.
    #[serde(rename = "use")]
    pub what: AlertUse,
    /// Why it is not heard of.
    pub why: String,
}

impl AlertCoverage {
    /// Adds what was found in another account.
    pub(super) fn add(&mut self, other: Self) {
        let Self {
            wanted,
            holes,
            shared,
        } = other;
        self.wanted += wanted;
        self.holes.extend(holes);
        self.shared.extend(shared);
    }

    /// Puts everything in order.
    pub(super) fn sort(&mut self) {
        self.holes.sort();
        self.shared.sort();
    }
}
