//! Errors of the edge: which call failed, and how.

/// Tells what kind of failure a call met, as far as it matters to what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There are no credentials, or they are expired or wrong.
    Credentials,
    /// The credentials do not allow the call.
    AccessDenied,
    /// The endpoint could not be reached, or broke off.
    Network,
    /// AWS kept throttling.
    Throttled,
    /// The credentials belong to another organization than the spec names, or to none.
    OtherOrganization,
    /// The snapshot was taken without what is asked for.
    NotHeld,
    /// Anything else that AWS answered.
    Service,
}

/// Reports a call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {message}")]
pub struct CloudError {
    /// What kind of failure it was.
    pub kind: ErrorKind,
    /// The call, such as `iam:GetRole`.
    pub call: String,
    /// The error code and message as AWS gave them, such as `AccessDenied: User … is not authorized …`.
    pub message: String,
}

impl CloudError {
    /// Reports a failed call.
    #[must_use]
    pub fn new(kind: ErrorKind, call: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            call: call.into(),
            message: message.into(),
        }
    }

    /// Reports that the tree of units was read with a hole in it.
    #[must_use]
    pub fn hole_in_tree(orphan: &str) -> Self {
        Self::new(
            ErrorKind::Service,
            "organizations:ListOrganizationalUnitsForParent",
            format!(
                "{orphan} lies in a unit that was not listed; if units were just changed, try again"
            ),
        )
    }

    /// Reports that the organization is another one than the spec's.
    #[must_use]
    pub fn other_organization(expected: &str, found: &str) -> Self {
        Self::new(
            ErrorKind::OtherOrganization,
            "organizations:DescribeOrganization",
            format!("the organization is {found}, not {expected}"),
        )
    }
}
