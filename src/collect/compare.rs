//! The main job: every account is read, compared with the spec, and forgotten.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{CollectError, FailureBound, Progress, ScopeFilter};
use crate::cloud::{Cloud, CloudError, ErrorKind};
use crate::org::{AccountState, Organization};
use crate::plan::{
    AccountContext, Entry, GuardrailContext, Kind, Plan, PlanBuilder, PlanHeader, SafetyRules,
    Skipped, closes_last_path, diff_account, diff_guardrails,
};
use crate::resolve::{Resolver, alert_scope, needs_tags, read_scope};
use crate::spec::{At, Loaded, Problem, Spec, no_effect_yet};
use crate::state::{ReadScope, Reading, ResourceType};

/// Says what is to be compared, and how.
#[derive(Debug, Clone)]
pub struct CompareRequest {
    /// Whether a plan or a report of drift is made.
    pub kind: Kind,
    /// What part of the organization is looked at.
    pub filter: ScopeFilter,
    /// How many accounts are read at once.
    pub concurrency: usize,
    /// How many accounts may be unreadable before the others are not read either; `None` for no bound.
    pub max_failures: Option<FailureBound>,
    /// Whether names without effect count as differences.
    pub strict: bool,
    /// The time at which it is made.
    pub now: Timestamp,
    /// When a plan may no longer be applied.
    pub expires_at: Option<Timestamp>,
}

/// Compares the organization with the spec.
///
/// # Errors
/// When the organization itself can't be read or the spec does not fit it. An account that can't be read is no error:
/// it is in the plan, as unreadable.
pub async fn compare(
    cloud: &dyn Cloud,
    loaded: &Loaded,
    request: &CompareRequest,
    progress: &Progress<'_>,
) -> Result<Plan, CollectError> {
    let spec = &loaded.spec;
    let with_tags = needs_tags(spec) || request.filter.needs_tags();
    let organization = cloud
        .organization(Some(&spec.organization.id), with_tags)
        .await?;
    let (resolver, warnings) = Resolver::new(loaded, &organization).map_err(CollectError::Spec)?;
    let accounts = request
        .filter
        .accounts(&organization, &spec.emergency_account)?;
    let alerts = alert_scope(spec, &organization);
    let read_scope = ReadScope {
        alerts: alerts.filter(|_| {
            let mut kinds = ResourceType::ALL.into_iter().filter(|kind| kind.is_alert());
            kinds.any(|kind| request.filter.covers_type(kind))
        }),
        ..read_scope(spec)
    };
    let all = accounts.len();
    let most = request.max_failures.map(|bound| bound.of(all));
    let failures = AtomicUsize::new(0);
    let readings = accounts.iter().map(async |id| {
        let name = organization
            .accounts
            .get(id)
            .map_or("", |account| &account.name);
        let failed = failures.load(Ordering::Relaxed);
        let live = if most.is_some_and(|most| failed > most) {
            Err(not_read(failed))
        } else {
            cloud.account(id, &read_scope).await
        };
        let diff = live.map(|live| {
            let context = AccountContext {
                id,
                name,
                partition: &organization.partition,
                managed_path: &spec.defaults.path,
                strict: request.strict,
            };
            let mut diff = diff_account(&context, &resolver.desired(id), &live);
            diff.changes
                .retain(|change| request.filter.covers(&change.address));
            diff.cosmetic
                .retain(|cosmetic| request.filter.covers(&cosmetic.address));
            let closes = closes_last_path(&diff.changes, &live, &spec.defaults.path);
            let unread = match live.alerts {
                Some(Reading::Unreadable { error }) => Some(error),
                Some(Reading::Complete(_)) | None => None,
            };
            (diff, closes, unread)
        });
        (id, name, diff)
    });
    let mut readings = stream::iter(readings).buffer_unordered(request.concurrency);
    let mut builder = PlanBuilder::default();
    let mut done = 0;
    // Organizations is read and changed in the management account: whoever leaves that out leaves out guardrails.
    let management = &organization.management_account;
    let guardrails = resolver.guardrails().filter(|_| {
        accounts.contains(management)
            && [
                ResourceType::GuardrailException,
                ResourceType::GuardrailPolicy,
            ]
            .iter()
            .any(|kind| request.filter.covers_type(*kind))
    });
    let reading_guardrails = async {
        let desired = guardrails.as_ref()?;
        Some((desired, cloud.guardrails().await))
    };
    let reading_accounts = async {
        while let Some((id, name, diff)) = readings.next().await {
            match diff {
                Ok((diff, closes, unread)) => {
                    builder.add(id, diff, closes);
                    if let Some(error) = unread {
                        builder.add_unreadable_part(id, name, error);
                    }
                }
                Err(error) => {
                    failures.fetch_add(1, Ordering::Relaxed);
                    builder.add_unreadable(id, name, error.to_string());
                }
            }
            done += 1;
            progress(done, all);
        }
    };
    let ((), live) = join(reading_accounts, reading_guardrails).await;
    drop(readings);
    match live {
        Some((desired, Ok(live))) => {
            let context = GuardrailContext {
                organization: &organization,
                managed_path: &spec.defaults.path,
                strict: request.strict,
                today: request.now.to_zoned(TimeZone::UTC).date(),
                covers: &|address| request.filter.covers(address),
            };
            builder.add_guardrails(diff_guardrails(&context, desired, &live));
        }
        Some((_, Err(error))) => {
            let account = organization.accounts.get(management);
            let name = account.map_or("", |account| &account.name);
            builder.add_unreadable_part(management, name, error.to_string());
        }
        None => {}
    }
    let header = PlanHeader {
        kind: request.kind,
        organization_id: organization.id.clone(),
        spec_digest: loaded.digest.clone(),
        created_at: request.now,
        expires_at: request.expires_at,
        entry: (request.kind == Kind::Plan).then(|| Entry::of(spec)),
        scope: request.filter.scope(),
        notes: notes(loaded, &[warnings, resolver.alert_warnings()].concat()),
        skipped: skipped(&organization),
    };
    Ok(builder.finish(header, &rules(spec)))
}

pub(super) fn not_read(failed: usize) -> CloudError {
    CloudError::new(
        ErrorKind::Service,
        "not read",
        format!("{failed} accounts before it could not be read, which is past --max-failures"),
    )
}

pub(super) fn notes(loaded: &Loaded, warnings: &[Problem]) -> Vec<String> {
    let mut notes = Vec::new();
    let silent = no_effect_yet(&loaded.spec);
    if !silent.is_empty() {
        notes.push(format!(
            "this version gives no effect to: {}",
            silent.join(", ")
        ));
    }
    // By symbolic path, which does not change with the folder that the spec was read from.
    let told = warnings.iter().map(|warning| match &warning.at {
        At::Path(path) => format!("{path}: {}", warning.message),
        At::Place(_) | At::Nowhere => warning.message.clone(),
    });
    notes.extend(told);
    notes
}

pub(super) fn skipped(organization: &Organization) -> Vec<Skipped> {
    organization
        .accounts
        .iter()
        .filter(|(_, account)| account.state != AccountState::Active)
        .map(|(id, account)| Skipped {
            account: id.clone(),
            account_name: account.name.clone(),
            state: account.state,
        })
        .collect()
}

fn rules(spec: &Spec) -> SafetyRules {
    let settings = &spec.organization;
    let overrides = settings.overrides.values();
    SafetyRules {
        max_removals: spec.safety.max_removals.get(),
        min_users: usize::try_from(spec.safety.min_users).unwrap_or(usize::MAX),
        declared_users: spec.users.as_ref().map(Vec::len),
        member_roles: overrides
            .filter_map(|account| account.member_role.as_ref())
            .chain([&settings.member_role])
            .flat_map(|role| [&role.plan, &role.apply])
            .map(|role| role.rsplit('/').next().unwrap_or(role).to_owned())
            .collect(),
    }
}
