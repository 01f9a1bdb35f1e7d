//! The sieve in front of the parser: which records may have to do with break-glass, by their bytes alone.

use aho_corasick::{AhoCorasick, BuildError};
use memchr::memmem;

use super::tamper::bare_key;
use super::watch::Watch;
use crate::state::ALERT_PREFIX;

/// Names that CloudTrail writes, whatever the spec: root users, mistyped user names, trails.
///
/// No closing quote, so that they are found in JSON that is itself written as a string of JSON, too.
const ALWAYS: [&str; 7] = [
    "\"Root",
    "AssumeRoot",
    HIDDEN_NAME,
    "StopLogging",
    "DeleteTrail",
    "UpdateTrail",
    "PutEventSelectors",
];

/// What CloudTrail writes in place of a user name that is none.
pub(super) const HIDDEN_NAME: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The calls that change what control policies do.
pub(super) const GUARDRAIL_CALLS: [&str; 5] = [
    "AttachPolicy",
    "DetachPolicy",
    "UpdatePolicy",
    "DeletePolicy",
    "DisablePolicyType",
];

/// The calls that take an account out of the organization, or out of where its control policies come from.
pub(super) const ACCOUNT_CALLS: [&str; 3] = [
    "MoveAccount",
    "RemoveAccountFromOrganization",
    "CloseAccount",
];

/// The call by which an account leaves the organization by itself.
pub(super) const LEAVE_CALL: &str = "LeaveOrganization";

/// Decides by its bytes whether a record is worth parsing.
#[derive(Debug, Clone)]
pub struct Sieve {
    names: AhoCorasick,
    escape: memmem::Finder<'static>,
    escaped_slash: memmem::Finder<'static>,
}

impl Sieve {
    /// Makes the sieve for what is watched.
    ///
    /// # Errors
    /// When there are more names than can be searched for at once.
    pub fn new(watch: &Watch) -> Result<Self, BuildError> {
        let mut names: Vec<&str> = ALWAYS.to_vec();
        names.extend(watch.users.iter().map(String::as_str));
        names.extend(watch.roles.keys().map(String::as_str));
        names.extend(watch.policies.iter().map(String::as_str));
        if let Some(alerts) = &watch.alerts {
            names.push(ALERT_PREFIX);
            names.extend(alerts.chosen.iter().map(String::as_str));
            names.extend(alerts.log_group.as_deref());
        }
        if watch.managed_path.as_str() != "/" {
            names.push(watch.managed_path.as_str());
        }
        if watch.guardrails {
            names.extend(GUARDRAIL_CALLS);
        }
        if watch.organization() {
            names.extend(ACCOUNT_CALLS);
            names.push(LEAVE_CALL);
        }
        names.extend(watch.topic_key.as_deref().map(bare_key));
        Ok(Self {
            names: AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(names)?,
            escape: memmem::Finder::new(b"\\u"),
            escaped_slash: memmem::Finder::new(b"\\/"),
        })
    }

    /// Tells whether a record may have to do with break-glass; where a name might be written with escapes, it may.
    #[must_use]
    pub fn lets_through(&self, record: &[u8]) -> bool {
        self.names.is_match(record)
            || self.escape.find(record).is_some()
            || self.escaped_slash.find(record).is_some()
    }
}
