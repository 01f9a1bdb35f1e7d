//! What can be wrong with a use, and how bad that is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tells how bad a finding is, the worst first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody may be taking break-glass over.
    Critical,
    /// Break-glass was used, and should not have been.
    High,
    /// A rule of using it was not kept.
    Medium,
    /// To be known.
    Low,
}

/// Names what is wrong.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Break-glass objects, or what watches over them, were changed by somebody other than the deployer.
    Tampering,
    /// A root user was used, and no incident covers it.
    RootUse,
    /// A user or role was used, and no incident covers it.
    NoIncident,
    /// The incident named by the session does not cover this account, role or user.
    OutsideScope,
    /// Nothing shows that MFA was used.
    NoMfa,
    /// The use began before its incident was opened, or went on after it was closed.
    OutsideWindow,
    /// Somebody tried to get in and was refused.
    FailedAttempt,
    /// The incident was never closed, or the credentials used for it were not reset.
    NeverClosed,
    /// The session went on to a role that is no break-glass role, where this audit does not follow it.
    WentOn,
}

impl Code {
    /// Lists every code.
    pub const ALL: [Self; 9] = [
        Self::Tampering,
        Self::RootUse,
        Self::NoIncident,
        Self::OutsideScope,
        Self::NoMfa,
        Self::OutsideWindow,
        Self::FailedAttempt,
        Self::NeverClosed,
        Self::WentOn,
    ];

    /// The code as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tampering => "tampering",
            Self::RootUse => "root_use",
            Self::NoIncident => "no_incident",
            Self::OutsideScope => "outside_scope",
            Self::NoMfa => "no_mfa",
            Self::OutsideWindow => "outside_window",
            Self::FailedAttempt => "failed_attempt",
            Self::NeverClosed => "never_closed",
            Self::WentOn => "went_on",
        }
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Tampering => Severity::Critical,
            Self::RootUse | Self::NoIncident | Self::OutsideScope | Self::NoMfa => Severity::High,
            Self::OutsideWindow | Self::FailedAttempt | Self::NeverClosed => Severity::Medium,
            Self::WentOn => Severity::Low,
        }
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Tampering => {
                "break-glass objects, or what watches over them, were changed by somebody other than the deployer"
            }
            Self::RootUse => "a root user was used, and no incident covers it",
            Self::NoIncident => "a user or role was used, and no incident covers it",
            Self::OutsideScope => {
                "the incident named by the session does not cover this account, role or user"
            }
            Self::NoMfa => "nothing shows that MFA was used",
            Self::OutsideWindow => {
                "the use began before its incident was opened, or went on after it was closed"
            }
            Self::FailedAttempt => "somebody tried to get in and was refused",
            Self::NeverClosed => {
                "the incident was never closed, or the credentials used for it were not reset"
            }
            Self::WentOn => {
                "the session went on to a role that is no break-glass role, where this audit does not follow it"
            }
        }
    }
}
