//! Errors as the command line tells them: what failed, and what to do about it.

use crate::cloud::{CloudError, ErrorKind, SnapshotError};
use crate::collect::CollectError;
use crate::credentials::StoreError;
use crate::merge::{Difference, MergeError};
use crate::plan::{ParsePlanError, Staleness};
use crate::spec::{LoadError, Problem, SourceMap};
use crate::text::visible;

use super::exit::Exit;

/// Reports why a command ended, with its exit code.
#[derive(Debug)]
pub struct CliError {
    exit: Exit,
    /// Whether the message is a rendered text of its own, which needs no "error:" before it.
    rendered: bool,
    message: String,
    hints: Vec<String>,
}

impl CliError {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            rendered: false,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    pub(super) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The code that the process ends with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The error as a person reads it.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let mut text = if self.rendered {
            self.message.clone()
        } else {
            let lines: Vec<_> = self.message.lines().map(visible).collect();
            let message = lines.join("\n");
            if color {
                format!("\u{1b}[1;31merror:\u{1b}[0m {message}")
            } else {
                format!("error: {message}")
            }
        };
        for hint in &self.hints {
            text.push_str("\n  hint: ");
            text.push_str(&visible(hint));
        }
        text
    }

    /// Reports a spec that can't be read.
    pub(super) fn load(error: &LoadError, color: bool) -> Self {
        Self {
            exit: Exit::Spec,
            rendered: true,
            message: format!("{}\n\nerror: {error}", error.render(color)),
            hints: Vec::new(),
        }
    }

    /// Reports a spec that does not fit the organization.
    pub(super) fn problems(problems: &[Problem], sources: &SourceMap, color: bool) -> Self {
        let texts: Vec<String> = problems
            .iter()
            .map(|problem| problem.render(sources, color))
            .collect();
        Self {
            exit: Exit::Spec,
            rendered: true,
            message: format!(
                "{}\n\nerror: the spec does not fit the organization",
                texts.join("\n\n")
            ),
            hints: Vec::new(),
        }
    }

    /// Reports a spec that lacks what a command needs.
    pub(super) fn lacking(problems: &[Problem], sources: &SourceMap, color: bool) -> Self {
        let texts = problems
            .iter()
            .map(|problem| problem.render(sources, color));
        Self {
            exit: Exit::Spec,
            rendered: true,
            message: texts.collect::<Vec<_>>().join("\n\n"),
            hints: Vec::new(),
        }
    }

    /// Reports that an organization could not be read.
    pub(super) fn collect(error: CollectError, sources: &SourceMap, color: bool) -> Self {
        match error {
            CollectError::Cloud(error) => error.into(),
            CollectError::Spec(problems) => Self::problems(&problems, sources, color),
            CollectError::Scope(message) => Self::new(Exit::Usage, message),
            CollectError::Stale(staleness) => staleness.into(),
        }
    }

    pub(super) fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(
            Exit::Error,
            format!("failed to {doing} {}: {error}", path.display()),
        )
    }
}

impl From<CloudError> for CliError {
    fn from(error: CloudError) -> Self {
        let exit = match error.kind {
            ErrorKind::OtherOrganization => Exit::Stale,
            ErrorKind::Credentials
            | ErrorKind::AccessDenied
            | ErrorKind::Network
            | ErrorKind::Throttled
            | ErrorKind::NotHeld
            | ErrorKind::Service => Exit::Error,
        };
        let hint = match error.kind {
            ErrorKind::OtherOrganization => Some(
                "use credentials of the spec's organization, or correct `organization.id` in the spec",
            ),
            ErrorKind::Credentials => Some(
                "set AWS_PROFILE or log in again, then check with `aws sts get-caller-identity`",
            ),
            ErrorKind::AccessDenied => Some(
                "the organization is read with the credentials of its management account or a delegated administrator",
            ),
            ErrorKind::Network => Some("check the network, the proxy settings and --endpoint-url"),
            ErrorKind::Throttled => Some("try again later, or with a lower --concurrency"),
            ErrorKind::NotHeld => Some("take a new snapshot with this version"),
            ErrorKind::Service => None,
        };
        let failed = Self::new(exit, error.to_string());
        match hint {
            Some(hint) => failed.hinted(hint),
            None => failed,
        }
    }
}

impl From<SnapshotError> for CliError {
    fn from(error: SnapshotError) -> Self {
        Self::new(Exit::Error, error.to_string())
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::new(Exit::Error, error.to_string())
    }
}

impl From<MergeError> for CliError {
    fn from(error: MergeError) -> Self {
        let exit = match &error {
            MergeError::Differ {
                difference: Difference::Organization | Difference::Spec | Difference::Plan,
                ..
            } => Exit::Stale,
            MergeError::Differ {
                difference: Difference::Kind | Difference::Count | Difference::Options,
                ..
            }
            | MergeError::Whole { .. }
            | MergeError::Twice { .. }
            | MergeError::Missing(_)
            | MergeError::Foreign { .. } => Exit::Error,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<ParsePlanError> for CliError {
    fn from(error: ParsePlanError) -> Self {
        Self::new(Exit::Error, error.to_string())
    }
}

impl From<Staleness> for CliError {
    fn from(error: Staleness) -> Self {
        let exit = match error {
            Staleness::NotAPlan | Staleness::Shard(_) => Exit::Error,
            Staleness::Expired(_)
            | Staleness::Digest { .. }
            | Staleness::Spec { .. }
            | Staleness::Moved(_)
            | Staleness::Organization { .. } => Exit::Stale,
        };
        Self::new(exit, error.to_string())
    }
}
