//! What a closing did, folded and worded for every format.

use std::collections::BTreeMap;

use super::group::Accounts;
use crate::close::{CloseOutcome, CloseReport, CloseStep, StepKind, StepStatus};
use crate::ids::AccountId;

/// Holds a step and every account that it is the same in.
#[derive(Debug)]
pub(super) struct StepGroup {
    pub(super) status: StepStatus,
    /// What was to do, such as `sessions of role BreakGlassAdmin`.
    pub(super) title: String,
    pub(super) message: Option<String>,
    pub(super) accounts: Accounts,
}

/// Folds steps, those that need a reader first.
pub(super) fn fold(steps: &[CloseStep]) -> Vec<StepGroup> {
    type Key<'a> = (StepStatus, StepKind, &'a String, &'a Option<String>);
    let mut folded: BTreeMap<Key<'_>, Vec<(String, AccountId)>> = BTreeMap::new();
    for step in steps {
        let key = (step.status, step.step, &step.name, &step.message);
        let account = (step.account_name.clone(), step.account.clone());
        folded.entry(key).or_default().push(account);
    }
    folded
        .into_iter()
        .map(|((status, kind, name, message), accounts)| StepGroup {
            status,
            title: step_title(kind, name),
            message: message.clone(),
            accounts: Accounts::new(accounts),
        })
        .collect()
}

/// Names a step.
pub(super) fn step_title(kind: StepKind, name: &str) -> String {
    match kind {
        StepKind::Password => format!("new password of {name}"),
        StepKind::RootUser => "renewal of the root user".to_owned(),
        StepKind::UserSessions => format!("end of the sessions of user {name}"),
        StepKind::RoleSessions => format!("end of the sessions of role {name}"),
        StepKind::Exception => format!("end of exception {name}"),
    }
}

/// Titles the steps of one status.
pub(super) fn status_title(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Failed => "Failed",
        StepStatus::Skipped => "Not begun",
        StepStatus::Manual => "By hand",
        StepStatus::Done => "Done",
        StepStatus::AlreadyDone => "Done before",
    }
}

/// Titles the exceptions that the spec still wants.
pub(super) const EXCEPTIONS_TITLE: &str =
    "Made for the incident and wanted by the spec until its record says `closed`";

/// Titles the comparison with the spec.
pub(super) const DRIFT_TITLE: &str = "Compared with the spec";

/// Says how it ended, in a line.
pub(super) fn verdict(report: &CloseReport) -> String {
    let incident = &report.incident;
    match report.outcome {
        CloseOutcome::Closed => {
            format!(
                "{incident} is closed: passwords are new, old sessions are denied, all is as the spec says"
            )
        }
        CloseOutcome::Open => {
            format!(
                "{incident} is not closed yet: what could be done is done, the rest is left to people"
            )
        }
        CloseOutcome::Incomplete => {
            format!(
                "{incident} is not closed yet: passwords are new, old sessions are denied, but some accounts could not be compared"
            )
        }
        CloseOutcome::Partial => {
            format!("{incident} is not closed yet: not everything could be done")
        }
    }
}

/// Says which sessions are denied.
pub(super) fn cutoff(report: &CloseReport) -> Option<String> {
    let cutoff = report.cutoff?;
    Some(format!(
        "sessions that began before {cutoff} are denied everything"
    ))
}

/// Says what to do next.
pub(super) fn next_step(report: &CloseReport) -> String {
    match (report.outcome, report.cutoff) {
        (CloseOutcome::Closed, Some(cutoff)) => format!(
            "give the incident `closed: {}` and `reset_at: {cutoff}` in its record; the new passwords go to their custodians",
            report.created_at
        ),
        (CloseOutcome::Open, _) => {
            "mend what is listed, then run it again: what is done is not done twice".to_owned()
        }
        _ => "run it again to finish: what is done is not done twice".to_owned(),
    }
}
