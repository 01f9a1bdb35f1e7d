//! Proving an organization: every account is read, proven, and forgotten.

use futures_util::{StreamExt as _, future, stream};
use jiff::Timestamp;

use super::compare::{account_name, notes, skipped, tree};
use super::reader::AccountReader;
use super::{CollectError, FailureBound, Progress, ScopeFilter};
use crate::cloud::{Cloud, CloudError};
use crate::ids::AccountId;
use crate::plan::{Plan, Staleness, preview_account, preview_guardrails};
use crate::policy::CanonicalContext;
use crate::resolve::{Resolver, needs_tags, read_scope};
use crate::spec::{Loaded, Spec};
use crate::state::{
    Address, Guardrails, Inventory, REVOKED_SESSIONS, ReadScope, ResourceType, Revocation,
};
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
/// The guardrails are read while the organization is listed, and the emergency account next, because its users are what
/// every other account is entered by.
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
    let with_tags = needs_tags(spec) || request.filter.needs_tags();
    let expected = &spec.organization.id;
    // Of another organization nothing is read, not even beside its listing.
    cloud.partition(expected).await?;
    let listing = cloud.organization(Some(expected), with_tags);
    let guardrails = async { Ok(cloud.guardrails().await) };
    let (organization, guardrails) = future::try_join(listing, guardrails).await?;
    let (resolver, warnings) = Resolver::new(loaded, &organization).map_err(CollectError::Spec)?;
    let emergency = &spec.emergency_account;
    let mut accounts = request.filter.accounts(&organization, emergency)?;
    accounts.retain(|id| request.filter.is_own(id));
    let others: Vec<&AccountId> = accounts.iter().filter(|id| *id != emergency).collect();
    let all = others.len() + 1;
    // What protects users and root users proves nothing of a path.
    let scope = ReadScope {
        people: None,
        ..read_scope(spec)
    };
    let reader = AccountReader::new(cloud, scope, request.max_failures);
    reader.count(all);
    let after = After {
        plan: request.after.as_ref(),
        context: CanonicalContext {
            partition: Some(organization.partition.clone()),
        },
        now: request.now,
    };
    let users = after.account(emergency, reader.read(emergency).await)?;
    let guardrails = after.guardrails(guardrails)?;
    let guardrails = guardrails.map_err(|error| error.to_string());
    let text = |error: &CloudError| error.to_string();
    let mut prover = Prover::new(Setting {
        organization: &organization,
        spec,
        guardrails: guardrails.as_ref().map_err(Clone::clone),
        now: request.now,
        emergency: users.as_ref().map_err(text),
    });
    let coverage = rule(&resolver, spec, request);
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
        let mut results = prover.prove(
            id,
            live.as_ref().map(|live| *live).map_err(String::as_str),
            &roles,
        );
        for (result, number) in results.iter_mut().zip(&roles) {
            result.source = Some(resolver.role_origin(*number));
        }
        builder.add(id, name, results, &coverage);
    };
    add(emergency, users.as_ref().map_err(text));
    let readings = others.into_iter();
    let readings = readings.map(async |id| (id, after.account(id, reader.read(id).await)));
    let mut readings = stream::iter(readings).buffer_unordered(request.concurrency);
    let mut done = 1;
    progress(done, all);
    while let Some((id, live)) = readings.next().await {
        let live = live?;
        add(id, live.as_ref().map_err(text));
        done += 1;
        progress(done, all);
    }
    drop(readings);
    let header = VerificationHeader {
        organization_id: organization.id.clone(),
        spec_digest: loaded.digest.clone(),
        spec_file: loaded.sources.first_file().map(str::to_owned),
        after_plan: request.after.as_ref().map(|plan| plan.digest.clone()),
        created_at: request.now,
        scope: request.filter.scope(),
        notes: notes(&warnings),
        skipped: skipped(&organization, &request.filter),
        guardrails_unknown: guardrails.as_ref().err().cloned(),
        situations: prover.situations(),
        tree: Some(tree(&organization, &resolver, &accounts, &request.filter)),
    };
    Ok(builder.finish(header))
}

/// Turns what was read into what a plan, if there is one, makes of it.
struct After<'a> {
    plan: Option<&'a Plan>,
    context: CanonicalContext,
    now: Timestamp,
}

impl After<'_> {
    fn account(
        &self,
        id: &AccountId,
        mut live: Result<Inventory, CloudError>,
    ) -> Result<Result<Inventory, CloudError>, Staleness> {
        if let (Some(plan), Ok(live)) = (self.plan, &mut live) {
            preview_account(&plan.changes, id, live, &self.context)?;
        }
        if let Ok(live) = &mut live {
            forget_revocations(live, self.now);
        }
        Ok(live)
    }

    fn guardrails(
        &self,
        mut live: Result<Guardrails, CloudError>,
    ) -> Result<Result<Guardrails, CloudError>, Staleness> {
        if let (Some(plan), Ok(live)) = (self.plan, &mut live) {
            preview_guardrails(&plan.changes, live, &self.context)?;
        }
        Ok(live)
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

fn address(account: &AccountId, role: &str) -> Address {
    Address {
        account: Some(account.clone()),
        resource_type: ResourceType::IamRole,
        name: role.to_owned(),
    }
}

/// Takes what coverage asks for, as far as it is in scope.
fn rule(resolver: &Resolver<'_>, spec: &Spec, request: &VerifyRequest) -> CoverageRule {
    let required = spec.coverage.iter().flat_map(|coverage| &coverage.required);
    let looked_at = |role: &&String| {
        request
            .filter
            .covers(&address(&spec.emergency_account, role))
    };
    CoverageRule {
        required: required.filter(looked_at).cloned().collect(),
        exempt: resolver.exempt(),
    }
}
