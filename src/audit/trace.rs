//! What one record says of break-glass.

use jiff::Timestamp;

use super::watch::Principal;

/// Holds what one record says of break-glass: something done in a session, a way into one, or tampering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Tells records apart: several files may hold the same one.
    pub(super) id: Option<[u8; 16]>,
    pub(super) at: Timestamp,
    pub(super) event: Event,
    pub(super) activity: Option<Activity>,
    pub(super) entry: Option<Entry>,
    /// What was tampered with.
    pub(super) tampered: Option<String>,
}

/// Describes the call that a record is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Such as `iam:GetUser`.
    pub(super) action: String,
    /// The account whose trail the record is of.
    pub(super) account: String,
    pub(super) region: String,
    pub(super) address: String,
    pub(super) agent: String,
    /// The error code; empty for success.
    pub(super) error: String,
    pub(super) read_only: bool,
    /// Who called, by ARN or whatever else the record has.
    pub(super) caller: String,
}

/// Tells sessions of one principal apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// By when the session began, which each of its records repeats, and the access key: two may begin in one second.
    Began(Timestamp, String),
    /// By the access key and the day, where there is no session: long-term keys.
    Key(String, String),
    /// By when it was entered, and the access key that this gave out.
    Entered(Timestamp, String),
    /// By when somebody signed in or switched, from which address, and with or without MFA.
    SignedIn(Timestamp, String, Option<bool>),
    /// None came of it: by the day and, where that is known, who tried.
    Refused(String, String),
}

/// Names a session, or the part of one that a record tells of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionKey {
    pub(super) principal: Principal,
    /// The role session's name; empty for users and root.
    pub(super) session: String,
    pub(super) mark: Mark,
}

/// Describes what was done in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Activity {
    pub(super) key: SessionKey,
    pub(super) access_key: String,
    pub(super) mfa: Option<bool>,
    pub(super) source_identity: String,
    /// The role that was gone on to, by ARN, and the name of that session.
    pub(super) went_on_to: Option<(String, String)>,
}

/// Describes a way into a session: a sign-in, an assumed role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: SessionKey,
    pub(super) caller: Option<Caller>,
    pub(super) mfa: Option<bool>,
    pub(super) source_identity: String,
}

/// Names who entered a session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Caller {
    /// The break-glass principal that it is, if it is one.
    pub(super) principal: Option<Principal>,
    /// Its name in words, or its ARN.
    pub(super) name: String,
    pub(super) access_key: String,
}
