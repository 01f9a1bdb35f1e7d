//! The audit of uses: from log files, or from the event history of every account and Region.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use super::logs::LogFiles;
use super::{CollectError, FailureBound, Progress};
use crate::audit::{
    Audit, AuditHeader, Deployer, Gatherer, RecordSource, Sieve, UnreadableSource, Watch, judge,
};
use crate::ids::AccountId;
use crate::org::Organization;
use crate::resolve::alert_names;
use crate::spec::{Loaded, MemberRole, Spec};

/// Says what time is audited, and how.
#[derive(Debug, Clone)]
pub struct UsageRequest {
    /// The beginning of the time span; from the beginning of the logs when absent.
    pub since: Option<Timestamp>,
    /// The end of the time span, not included; to the end of the logs when absent.
    pub until: Option<Timestamp>,
    /// The users and roles that may change break-glass objects beside the member role, by ARN.
    pub deployers: BTreeSet<String>,
    /// The time at which it is made.
    pub now: Timestamp,
    /// How many accounts and Regions are asked at once.
    pub concurrency: usize,
    /// How many accounts and Regions may be unreadable before the others are not read either; `None` for no bound.
    pub max_failures: Option<FailureBound>,
}

/// Audits log files, or folders of them; the organization, where it is known, gives accounts their names.
///
/// # Errors
/// When the spec names more than can be searched for. A file that can't be read is no error: it is in the audit.
pub fn audit_logs(
    loaded: &Loaded,
    paths: &[PathBuf],
    organization: Option<&Organization>,
    request: &UsageRequest,
    progress: &Progress<'_>,
) -> Result<Audit, CollectError> {
    let watch = watch(&loaded.spec, &request.deployers);
    let sieve = Sieve::new(&watch).map_err(|error| CollectError::Scope(error.to_string()))?;
    let mut gatherer = Gatherer::new(request.since, request.until);
    let read = LogFiles::find(paths).read(&watch, &sieve, &mut gatherer, progress);
    let found = Found {
        source: RecordSource::Files {
            files: read.files,
            skipped: read.skipped,
        },
        records: read.records,
        unreadable: read.unreadable,
        notes: Vec::new(),
    };
    Ok(finish(loaded, organization, request, gatherer, found))
}

/// Holds what was found beside traces.
pub(super) struct Found {
    pub(super) source: RecordSource,
    pub(super) records: u64,
    pub(super) unreadable: Vec<UnreadableSource>,
    pub(super) notes: Vec<String>,
}

/// Judges what was gathered.
pub(super) fn finish(
    loaded: &Loaded,
    organization: Option<&Organization>,
    request: &UsageRequest,
    gatherer: Gatherer,
    found: Found,
) -> Audit {
    let spec = &loaded.spec;
    let names = organization
        .into_iter()
        .flat_map(|organization| &organization.accounts);
    let mut notes = found.notes;
    if spec.incidents.is_none() {
        notes.push(
            "the spec names no incidents.file, so every use is one without an incident".to_owned(),
        );
    }
    let header = AuditHeader {
        organization_id: spec.organization.id.clone(),
        spec_digest: loaded.digest.clone(),
        spec_file: loaded.sources.first_file().map(str::to_owned),
        now: request.now,
        since: request.since,
        until: request.until,
        source: found.source,
        records: found.records,
        notes,
        unreadable: found.unreadable,
        account_names: names
            .map(|(id, account)| (id.clone(), account.name.clone()))
            .collect::<BTreeMap<AccountId, String>>(),
        users: spec.users().iter().map(|user| user.name.clone()).collect(),
    };
    judge(gatherer, &loaded.records.incidents, header)
}

/// Names what a spec has watched.
pub(super) fn watch(spec: &Spec, deployers: &BTreeSet<String>) -> Watch {
    let path = &spec.defaults.path;
    let settings = &spec.organization;
    let own_roles = settings
        .overrides
        .values()
        .filter_map(|entry| entry.member_role.as_ref());
    Watch {
        emergency_account: spec.emergency_account.clone(),
        users: spec.users().iter().map(|user| user.name.clone()).collect(),
        roles: spec
            .roles()
            .iter()
            .map(|role| {
                let path = role.path.as_ref().unwrap_or(path);
                (role.name.clone(), path.clone())
            })
            .collect(),
        policies: spec.policies().map(|(name, _)| name.clone()).collect(),
        managed_path: path.clone(),
        guardrails: spec.guardrails.is_some(),
        alerts: alert_names(spec),
        topic_key: spec
            .alerts
            .as_ref()
            .and_then(|alerts| alerts.topic.as_ref()?.kms_key.clone()),
        deployers: std::iter::once(&settings.member_role)
            .chain(own_roles)
            .map(deployer)
            .collect(),
        deployer_arns: deployers.clone(),
    }
}

/// The sessions in which this tool changes things; see `cloud::aws`.
fn deployer(role: &MemberRole) -> Deployer {
    let name = role.apply.rsplit('/').next().unwrap_or_default();
    let session = if role.plan == role.apply {
        "breakglass"
    } else {
        "breakglass-apply"
    };
    Deployer {
        role: name.to_owned(),
        sessions: BTreeSet::from([session.to_owned()]),
    }
}
