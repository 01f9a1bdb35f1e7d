//! Exit codes.

use std::process::ExitCode;

use crate::plan::{Kind, Outcome, Plan};
use crate::verify::{Verification, VerificationOutcome};

/// Tells a script how a command ended. The numbers are part of the public contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; in sync; plan made.
    Success,
    /// An error.
    Error,
    /// Differences were found.
    Differences,
    /// Something could not be read.
    Incomplete,
    /// The plan is stale, expired, for another organization, or not the expected one.
    Stale,
    /// Stopped by a safety gate; nothing was written.
    Gate,
    /// Apply ended part way; run it again to finish.
    Partial,
    /// Wrong usage.
    Usage,
    /// Bad spec.
    Spec,
}

impl Exit {
    /// Lists every exit, by its number.
    pub(super) const ALL: [Self; 9] = [
        Self::Success,
        Self::Error,
        Self::Differences,
        Self::Incomplete,
        Self::Stale,
        Self::Gate,
        Self::Partial,
        Self::Usage,
        Self::Spec,
    ];

    /// What the number tells, in a sentence.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Success => "Done: in sync, proven, nothing found, or made as asked.",
            Self::Error => "An error, which is told with what to do next.",
            Self::Differences => {
                "Differences or findings: something is not as the spec says, or not proven."
            }
            Self::Incomplete => "Something could not be read, so that nothing is said of it.",
            Self::Stale => {
                "The plan is stale, expired, for another organization or not the expected one, or another apply is at work."
            }
            Self::Gate => "Stopped by a safety gate; nothing was written.",
            Self::Partial => "Ended part way; run it again to finish.",
            Self::Usage => "Wrong usage.",
            Self::Spec => "The spec is wrong, or does not fit the organization.",
        }
    }

    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error => 1,
            Self::Differences => 2,
            Self::Incomplete => 3,
            Self::Stale => 4,
            Self::Gate => 5,
            Self::Partial => 6,
            Self::Usage => 64,
            Self::Spec => 65,
        }
    }

    /// The code for a plan or report of drift; differences count for drift always, for a plan when asked for.
    pub(super) fn of(plan: &Plan, detailed: bool) -> Self {
        match plan.outcome {
            Outcome::Incomplete => Self::Incomplete,
            Outcome::Differences if detailed || plan.kind == Kind::Drift => Self::Differences,
            Outcome::Differences | Outcome::InSync => Self::Success,
        }
    }

    /// The code for a verification.
    pub(super) fn of_verification(verification: &Verification) -> Self {
        match verification.outcome {
            VerificationOutcome::Proven => Self::Success,
            VerificationOutcome::Findings => Self::Differences,
            VerificationOutcome::Incomplete => Self::Incomplete,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
