//! The end of the exceptions that were made for an incident: taken out of the guardrails, unless a gate stops it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use globset::{Glob, escape};
use jiff::Timestamp;

use super::report::{CloseStep, OpenException, StepKind, StepStatus};
use crate::apply::{ApplyOptions, ApplyReport, ChangeStatus, apply};
use crate::cloud::Cloud;
use crate::collect::{CollectError, CompareRequest, ScopeFilter, compare_listed};
use crate::org::Organization;
use crate::plan::{Change, Gate, Kind, Plan};
use crate::spec::{Exception, Loaded, element};
use crate::state::{Origin, ResourceType};

/// The exceptions of a spec whose ticket is an incident, each with its place in the list.
fn tied<'a>(loaded: &'a Loaded, incident: &'a str) -> impl Iterator<Item = (usize, &'a Exception)> {
    let guardrails = loaded.spec.guardrails.as_ref();
    let exceptions = guardrails.map_or(&[][..], |guardrails| &guardrails.exceptions);
    let exceptions = exceptions.iter().enumerate();
    exceptions.filter(move |(_, exception)| exception.ticket == incident)
}

/// Lists the exceptions that were made for an incident and that the spec still wants.
#[must_use]
pub fn open_exceptions(loaded: &Loaded, incident: &str) -> Vec<OpenException> {
    let records = &loaded.records.incidents;
    if records
        .iter()
        .any(|record| record.id == incident && record.closed.is_some())
    {
        return Vec::new();
    }
    tied(loaded, incident)
        .map(|(index, exception)| {
            let at = element("guardrails.exceptions", index);
            let location = loaded.sources.location_of(&at);
            OpenException {
                id: exception.id.clone(),
                source: Origin {
                    file: location
                        .as_ref()
                        .map_or("", |location| location.file)
                        .to_owned(),
                    line: location.map_or(0, |location| location.line),
                },
            }
        })
        .collect()
}

/// Says which exceptions come to their end.
pub struct Ending<'a> {
    /// The spec; the incident is closed in its record, so that its exceptions are over.
    pub loaded: &'a Loaded,
    /// The organization.
    pub organization: &'a Organization,
    /// The incident's id.
    pub incident: &'a str,
    /// The safety gates that are let through; what the others guard is left to a person.
    pub allow: BTreeSet<Gate>,
    /// Asks it to end before the next change.
    pub stop: &'a AtomicBool,
}

/// Takes the exceptions that were made for an incident out of the guardrails; gives what became of each.
///
/// # Errors
/// When the organization can't be read.
pub async fn end_exceptions(
    cloud: &dyn Cloud,
    ending: &Ending<'_>,
    request: CompareRequest,
    now: impl Fn() -> Timestamp,
) -> Result<Vec<CloseStep>, CollectError> {
    let Ending {
        loaded,
        organization,
        incident,
        allow,
        stop,
    } = ending;
    let ids: BTreeSet<&str> = tied(loaded, incident)
        .map(|(_, exception)| exception.id.as_str())
        .collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let management = &organization.management_account;
    let step = |id: &str, status, message| {
        let known = organization.accounts.get(management);
        CloseStep {
            step: StepKind::Exception,
            account: management.clone(),
            account_name: known.map_or_else(String::new, |known| known.name.clone()),
            name: id.to_owned(),
            status,
            message,
        }
    };
    if stop.load(Ordering::Relaxed) {
        let skipped = ids.into_iter();
        return Ok(skipped
            .map(|id| step(id, StepStatus::Skipped, None))
            .collect());
    }
    let globs = ids.iter().filter_map(|id| Glob::new(&escape(id)).ok());
    let resources = globs.map(|glob| (ResourceType::GuardrailException, glob.compile_matcher()));
    let concurrency = request.concurrency;
    let request = CompareRequest {
        kind: Kind::Plan,
        filter: ScopeFilter {
            include: "management".parse().into_iter().collect(),
            resources: resources.collect(),
            given: vec![format!("incident {incident}")],
            ..ScopeFilter::default()
        },
        ..request
    };
    let plan = compare_listed(cloud, loaded, organization, &request, &|_, _| {}).await?;
    let done = match gate(&plan, allow) {
        Some(_) => None,
        None => {
            let options = ApplyOptions {
                concurrency,
                max_failures: None,
                resumes: false,
                settle: Duration::ZERO,
                canary: None,
            };
            let partition = &organization.partition;
            let done = apply(&plan, partition, cloud, &options, stop, &|_| {}, now).await;
            Some(done)
        }
    };
    let ended = ids.into_iter().map(|id| {
        let change = plan.changes.iter().find(|change| change.name == id);
        let (status, message) = match (change, &done) {
            (None, _) if !plan.unreadable.is_empty() => (
                StepStatus::Failed,
                plan.unreadable.first().map(|unread| unread.error.clone()),
            ),
            (None, _) => (StepStatus::AlreadyDone, None),
            (Some(change), Some(done)) => became(change, done),
            (Some(_), None) => (StepStatus::Manual, gate(&plan, allow)),
        };
        step(id, status, message)
    });
    Ok(ended.collect())
}

/// Says which gates stop a plan, and how a person lets it through.
fn gate(plan: &Plan, allow: &BTreeSet<Gate>) -> Option<String> {
    let closed = plan.closed_gates(allow, None);
    let reasons: Vec<&str> = closed
        .iter()
        .map(|finding| finding.reason.as_str())
        .collect();
    let gates: BTreeSet<String> = closed
        .iter()
        .map(|finding| finding.gate.to_string())
        .collect();
    (!closed.is_empty()).then(|| {
        let gates = gates.into_iter().collect::<Vec<_>>().join(",");
        format!(
            "{}; if that is meant, run it again with --allow {gates}",
            reasons.join("; ")
        )
    })
}

fn became(change: &Change, done: &ApplyReport) -> (StepStatus, Option<String>) {
    let result = done
        .results
        .iter()
        .find(|result| result.address == change.address);
    let message = result.and_then(|result| result.message.clone());
    let status = match result.map(|result| result.status) {
        Some(ChangeStatus::Done) => StepStatus::Done,
        Some(ChangeStatus::AlreadyDone) => StepStatus::AlreadyDone,
        Some(ChangeStatus::Skipped) | None => StepStatus::Skipped,
        Some(ChangeStatus::Manual | ChangeStatus::Blocked) => StepStatus::Manual,
        Some(ChangeStatus::Failed | ChangeStatus::Stale) => StepStatus::Failed,
    };
    (status, message)
}
