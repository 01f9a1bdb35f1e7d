//! The record beside a sealed password: what was tried and what came of it. It holds no secret.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::AccountId;

/// The newest format of records; readers take every `1.N`.
pub const RECORD_FORMAT: &str = "1.0";

/// Records the passwords of one user that were sealed: the one in force, and those of which that isn't known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the format, `1.N`.
    pub format_version: String,
    /// Always `credential`.
    pub kind: String,
    /// The account that the user lives in.
    pub account: AccountId,
    /// The user.
    pub user: String,
    /// The last password that AWS took for certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Sealing>,
    /// Passwords that were sent to AWS since, with no answer so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Sealing>,
}

/// Describes one sealed password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealing {
    /// The file it is sealed in.
    pub file: String,
    /// The digest of that file, `sha256:…`.
    pub sha256: String,
    /// When it was made.
    pub at: Timestamp,
    /// Who keeps it.
    pub custodian: String,
    /// The public keys it is sealed to.
    pub recipients: Vec<String>,
}

impl Record {
    /// Begins the record of a user.
    #[must_use]
    pub fn new(account: &AccountId, user: &str) -> Self {
        Self {
            format_version: RECORD_FORMAT.to_owned(),
            kind: "credential".to_owned(),
            account: account.clone(),
            user: user.to_owned(),
            issued: None,
            tried: Vec::new(),
        }
    }
}
