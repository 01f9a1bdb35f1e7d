//! Errors as the command line tells them: what failed, and what to do about it.

use std::io;
use std::path::Path;

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

    /// Reports a file that could not be read or written.
    pub(super) fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        let message = format!("failed to {doing} {}: {error}", path.display());
        let failed = Self::new(Exit::Error, message);
        match file_hint(doing, error.kind()) {
            Some(hint) => failed.hinted(hint),
            None => failed,
        }
    }

    /// Reports a file that holds no plan or report that can be used.
    pub(super) fn plan(path: &Path, error: &ParsePlanError) -> Self {
        let failed = Self::new(Exit::Error, format!("{}: {error}", path.display()));
        match error {
            ParsePlanError::Format(_) => failed.hinted(SAVED_BY),
            // These say what to do.
            ParsePlanError::Version(_)
            | ParsePlanError::Inconsistent(_)
            | ParsePlanError::Digest => failed,
        }
    }

    /// Reports a file that holds no report that can be used.
    pub(super) fn report(path: &Path, why: &str) -> Self {
        let message = format!("{}: not a report that can be read: {why}", path.display());
        Self::new(Exit::Error, message).hinted(SAVED_BY)
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
        let way_in = way_in();
        let hint = match error.kind {
            ErrorKind::OtherOrganization => Some(
                "use credentials, or a snapshot, of the organization that is named; or correct its id in the spec or in --organization-id",
            ),
            ErrorKind::Credentials => Some(&*way_in),
            ErrorKind::AccessDenied => Some(
                "the organization is read with credentials of its management account or of a delegated administrator; \
                 `breakglass policy library` prints what they need: docs/aws-permissions.md says where",
            ),
            ErrorKind::Network => Some("check the network, the proxy settings and --endpoint-url"),
            ErrorKind::Throttled => Some("try again later, or with a lower --concurrency"),
            ErrorKind::NotHeld => Some(
                "take a new snapshot with this spec and version, or work on AWS, without --org",
            ),
            ErrorKind::Service => Some("run it again with -vv, which logs the calls"),
        };
        let failed = Self::new(exit, error.to_string());
        match hint {
            Some(hint) => failed.hinted(hint),
            None => failed,
        }
    }
}

/// Says how to get credentials that are taken.
fn way_in() -> String {
    let start = match std::env::var("AWS_PROFILE") {
        Ok(profile) if !profile.is_empty() => {
            format!("see that `aws configure list-profiles` has AWS_PROFILE, which is {profile:?},")
        }
        _ => "set AWS_PROFILE".to_owned(),
    };
    format!(
        "{start} or log in again with `aws sso login`; then check with `aws sts get-caller-identity`"
    )
}

/// How plans and reports come into files.
const SAVED_BY: &str = "a plan is saved by `breakglass plan --out FILE`, a report by --report json=FILE of its command";

/// Says what to do about a file that could not be read or written.
fn file_hint(doing: &str, kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::NotFound if doing == "write" => Some("make its folder first"),
        io::ErrorKind::NotFound => Some("look for it with `ls`, and mind the folder you are in"),
        io::ErrorKind::AlreadyExists => Some("name another file, or move that one away"),
        io::ErrorKind::PermissionDenied => {
            Some("look with `ls -l` at who may read and write it and its folder")
        }
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => {
            Some("name a file in a folder that is there")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::ReadOnlyFilesystem => {
            Some("name a file on another disk")
        }
        _ => None,
    }
}

impl From<SnapshotError> for CliError {
    fn from(error: SnapshotError) -> Self {
        const TAKEN_BY: &str = "a snapshot is taken by `breakglass snapshot --out FILE`";
        match &error {
            SnapshotError::Io {
                doing,
                path,
                source,
            } => {
                let failed = Self::io(doing, path, source);
                if *doing == "read" && source.kind() == io::ErrorKind::NotFound {
                    failed.hinted(TAKEN_BY)
                } else {
                    failed
                }
            }
            SnapshotError::Format {
                path: _,
                message: _,
            } => Self::new(Exit::Error, error.to_string()).hinted(TAKEN_BY),
        }
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
        let hint = match error {
            Staleness::Digest { .. } => Some(
                "apply the plan that was reviewed; or review this one with `breakglass show`, and give its digest",
            ),
            Staleness::Spec { .. } => Some(
                "make a new plan of this spec, or name with --spec the one that the plan was made from",
            ),
            Staleness::Organization { .. } => Some(
                "use credentials of the plan's organization, such as those of another AWS_PROFILE",
            ),
            // These say what to do.
            Staleness::NotAPlan
            | Staleness::Shard(_)
            | Staleness::Expired(_)
            | Staleness::Moved(_) => None,
        };
        let failed = Self::new(exit, error.to_string());
        match hint {
            Some(hint) => failed.hinted(hint),
            None => failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_the_edge_says_what_failed_and_what_to_do_next() {
        for kind in [
            ErrorKind::Credentials,
            ErrorKind::AccessDenied,
            ErrorKind::Network,
            ErrorKind::Throttled,
            ErrorKind::OtherOrganization,
            ErrorKind::NotHeld,
            ErrorKind::Service,
        ] {
            let error = CliError::from(CloudError::new(kind, "iam:GetRole", "no"));
            let text = error.render(false);
            let start = "error: iam:GetRole: no\n  hint: ";
            assert!(text.starts_with(start), "{kind:?}: {text}");
        }
    }

    #[test]
    fn every_stale_plan_says_what_to_do_next() {
        let text = || "x".to_owned();
        for staleness in [
            Staleness::NotAPlan,
            Staleness::Shard("1/2".parse().unwrap()),
            Staleness::Expired(jiff::Timestamp::UNIX_EPOCH),
            Staleness::Digest {
                found: text(),
                expected: text(),
            },
            Staleness::Spec {
                found: text(),
                expected: text(),
            },
            Staleness::Moved("111122223333/iam_role/x".parse().unwrap()),
            Staleness::Organization {
                found: text(),
                expected: text(),
            },
        ] {
            let text = CliError::from(staleness).render(false);
            let next = ["; make ", "; put ", "\n  hint: "];
            assert!(next.iter().any(|next| text.contains(next)), "{text}");
        }
    }

    #[test]
    fn every_file_that_fails_is_named_with_what_to_do_next() {
        for (doing, kind) in [
            ("read", io::ErrorKind::NotFound),
            ("write", io::ErrorKind::NotFound),
            ("write", io::ErrorKind::AlreadyExists),
            ("read", io::ErrorKind::PermissionDenied),
            ("read", io::ErrorKind::IsADirectory),
            ("write", io::ErrorKind::ReadOnlyFilesystem),
            ("write", io::ErrorKind::StorageFull),
        ] {
            let text = CliError::io(doing, Path::new("a.json"), &kind.into()).render(false);
            assert!(
                text.starts_with(&format!("error: failed to {doing} a.json: ")),
                "{text}"
            );
            assert!(text.contains("\n  hint: "), "{text}");
        }
    }
}
