//! Proving an organization: every account is read, proven, and forgotten.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, future, stream};
use jiff::Timestamp;

use super::compare::{not_read, notes, skipped};
use super::{CollectError, FailureBound, Progress, ScopeFilter};
use crate::cloud::{Cloud, CloudError};
use crate::ids::AccountId;
use crate::org::Organization;
use crate::plan::{Plan, Staleness};
use crate::policy::CanonicalContext;
use crate::resolve::{
    Exemptions, Resolver, coverage_needs_tags, exemptions, needs_tags, read_scope,
};
use crate::spec::Loaded;
use crate::state::{Address, Inventory, REVOKED_SESSIONS, ReadScope, ResourceType, Revocation};
use crate::verify::{
    CoverageRule, Prover, Setting, Verification, VerificationBuilder, VerificationHeader,
};

/// Says what is to be proven, and how.
#[derive(Debug, Clone)]
pub struct VerifyRequest {
    /// What part of the organization is looked at.
    pub filter: ScopeFilter,
    /// How many accounts are read at once.
    pub concurrency: usize,
    /// How many accounts may be unreadable before the others are not read either; `None` for no bound.
    pub max_failures: Option<FailureBound>,
    /// The time at which it is made.
    pub now: Timestamp,
    /// The plan whose result is proven instead of live state.
    pub after: Option<Plan>,
}

/// Proves the declared roles on live state, or on the state that a plan leads to.
///
/// The emergency account is read first, because its users are what every other account is entered by.
///
/// # Errors
/// When the organization itself can't be read, the spec does not fit it, or the plan is not for this state. An account
/// that can't be read is no error, nor are guardrails: nothing is proven that hangs on them.
pub async fn verify(
    cloud: &dyn Cloud,
    loaded: &Loaded,
    request: &VerifyRequest,
    progress: &Progress<'_>,
) -> Result<Verification, CollectError> {
    let spec = &loaded.spec;
    let with_tags = needs_tags(spec) || coverage_needs_tags(spec) || request.filter.needs_tags();
    let organization = cloud
        .organization(Some(&spec.organization.id), with_tags)
        .await?;
    let (resolver, mut warnings) =
        Resolver::new(loaded, &organization).map_err(CollectError::Spec)?;
    let (exempt, more) = exemptions(spec, &organization).map_err(CollectError::Spec)?;
    warnings.extend(more);
    let emergency = &spec.emergency_account;
    let accounts = request.filter.accounts(&organization, emergency)?;
    let reader = Reader {
        cloud,
        scope: read_scope(spec),
        after: request.after.as_ref(),
        context: CanonicalContext {
            partition: Some(organization.partition.clone()),
        },
        now: request.now,
    };
    let (users, guardrails) = future::join(reader.read(emergency), cloud.guardrails()).await;
    let users = users?;
    let guardrails = guardrails.map_err(|error| error.to_string());
    let text = |error: &CloudError| error.to_string();
    let mut prover = Prover::new(Setting {
        organization: &organization,
        spec,
        guardrails: guardrails.as_ref().map_err(Clone::clone),
        emergency: users.as_ref().map_err(text),
    });
    let coverage = rule(loaded, request, exempt);
    let mut builder = VerificationBuilder::default();
    let mut add = |id: &AccountId, live: Result<&Inventory, String>| {
        let name = account_name(&organization, id);
        if let Err(error) = &live {
            builder.add_unreadable(id, name, error);
        }
        if !accounts.contains(id) {
            return;
        }
        let roles = resolver.roles_of(id).filter(|number| {
            let role = spec.roles().get(*number);
            role.is_some_and(|role| request.filter.covers(&address(id, &role.name)))
        });
        let roles: Vec<usize> = roles.collect();
        let results = prover.prove(
            id,
            live.as_ref().map(|live| *live).map_err(String::as_str),
            &roles,
        );
        builder.add(id, name, results, &coverage);
    };
    add(emergency, users.as_ref().map_err(text));
    let others: Vec<&AccountId> = accounts.iter().filter(|id| *id != emergency).collect();
    let all = others.len() + 1;
    let most = request.max_failures.map(|bound| bound.of(all));
    let failures = AtomicUsize::new(0);
    let readings = others.into_iter().map(async |id| {
        let failed = failures.load(Ordering::Relaxed);
        if most.is_some_and(|most| failed > most) {
            (id, Ok(Err(not_read(failed))))
        } else {
            (id, reader.read(id).await)
        }
    });
    let mut readings = stream::iter(readings).buffer_unordered(request.concurrency);
    let mut done = 1;
    progress(done, all);
    while let Some((id, live)) = readings.next().await {
        let live = live?;
        if live.is_err() {
            failures.fetch_add(1, Ordering::Relaxed);
        }
        add(id, live.as_ref().map_err(text));
        done += 1;
        progress(done, all);
    }
    drop(readings);
    let header = VerificationHeader {
        organization_id: organization.id.clone(),
        spec_digest: loaded.digest.clone(),
        after_plan: request.after.as_ref().map(|plan| plan.digest.clone()),
        created_at: request.now,
        scope: request.filter.scope(),
        notes: notes(loaded, &warnings),
        skipped: skipped(&organization),
        guardrails_unknown: guardrails.as_ref().err().cloned(),
        situations: prover.situations(),
    };
    Ok(builder.finish(header))
}

/// Reads accounts, as they are or as a plan would leave them.
struct Reader<'a> {
    cloud: &'a dyn Cloud,
    scope: ReadScope,
    after: Option<&'a Plan>,
    context: CanonicalContext,
    now: Timestamp,
}

impl Reader<'_> {
    async fn read(&self, id: &AccountId) -> Result<Result<Inventory, CloudError>, Staleness> {
        let mut live = match self.cloud.account(id, &self.scope).await {
            Ok(live) => live,
            Err(error) => return Ok(Err(error)),
        };
        if let Some(plan) = self.after {
            plan.apply_to(id, &mut live, &self.context)?;
        }
        forget_revocations(&mut live, self.now);
        Ok(Ok(live))
    }
}

/// Leaves out what only denies sessions of before now: what is proven is what a session that begins now can do.
fn forget_revocations(live: &mut Inventory, now: Timestamp) {
    let users = live
        .users
        .values_mut()
        .map(|user| &mut user.inline_policies);
    let roles = live
        .roles
        .values_mut()
        .map(|role| &mut role.inline_policies);
    for inline_policies in users.chain(roles) {
        if Revocation::among(inline_policies).is_some_and(|found| found.cutoff <= now) {
            inline_policies.remove(REVOKED_SESSIONS);
        }
    }
}

fn account_name<'a>(organization: &'a Organization, id: &AccountId) -> &'a str {
    let account = organization.accounts.get(id);
    account.map_or("", |account| &account.name)
}

fn address(account: &AccountId, role: &str) -> Address {
    Address {
        account: Some(account.clone()),
        resource_type: ResourceType::IamRole,
        name: role.to_owned(),
    }
}

/// Takes what coverage asks for, as far as it is in scope.
fn rule(loaded: &Loaded, request: &VerifyRequest, exempt: Exemptions) -> CoverageRule {
    let spec = &loaded.spec;
    let required = spec.coverage.iter().flat_map(|coverage| &coverage.required);
    let looked_at = |role: &&String| {
        request
            .filter
            .covers(&address(&spec.emergency_account, role))
    };
    CoverageRule {
        required: required.filter(looked_at).cloned().collect(),
        exempt,
    }
}
