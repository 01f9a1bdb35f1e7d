//! The main job: every account is read, compared with the spec, and forgotten.

use std::collections::BTreeSet;

use futures_util::future::{join, try_join};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::drift::drift;
use super::reader::AccountReader;
use super::side::{BaseSpec, Before, Side, ignore_rules};
use super::{CollectError, FailureBound, Progress, ScopeFilter};
use crate::cloud::{Cloud, CloudError};
use crate::ids::{AccountId, Arn};
use crate::org::{AccountState, Organization, Tree};
use crate::plan::{
    AccountContext, Change, Entry, GuardrailContext, IgnoreRules, Kind, Notes, Plan, PlanBuilder,
    PlanHeader, SafetyRules, Skipped, absent_users, closes_last_path, diff_guardrails_under,
    preview_account, preview_guardrails,
};
use crate::policy::CanonicalContext;
use crate::resolve::{Resolver, alert_scope, needs_tags, read_scope, root_scope};
use crate::spec::{At, Loaded, Problem, Spec};
use crate::state::{
    Address, Desired, DesiredGuardrails, Guardrails, Inventory, ReadScope, Reading, ResourceType,
};
use crate::verify::{Impact, Setting};

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
    /// The spec as it was before its present change, to tell causes by; they are not told without it.
    pub base: Option<BaseSpec>,
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
    match request.kind {
        Kind::Drift if request.base.is_none() => drift(cloud, loaded, request, progress).await,
        // Proofs, and the spec of before, take the whole organization.
        Kind::Drift | Kind::Plan => whole(cloud, loaded, request, progress).await,
    }
}

/// Lists the whole organization, its guardrails meanwhile, then compares.
async fn whole(
    cloud: &dyn Cloud,
    loaded: &Loaded,
    request: &CompareRequest,
    progress: &Progress<'_>,
) -> Result<Plan, CollectError> {
    let spec = &loaded.spec;
    let with_tags = needs_tags(spec)
        || request.filter.needs_tags()
        || request.base.as_ref().is_some_and(BaseSpec::needs_tags);
    let expected = &spec.organization.id;
    // Of another organization nothing is read, not even beside its listing.
    cloud.partition(expected).await?;
    let filter = &request.filter;
    // Their account is known to be in scope before it is listed only where every account is.
    let certain =
        spec.guardrails.is_some() && covers_guardrails(filter) && filter.takes_every_account();
    let reading_guardrails = async {
        Ok(if certain {
            Some(cloud.guardrails().await)
        } else {
            None
        })
    };
    let listing = cloud.organization(Some(expected), with_tags);
    let (organization, guardrails) = try_join(listing, reading_guardrails).await?;
    compare_all(cloud, loaded, &organization, guardrails, request, progress).await
}

/// Compares an organization that is listed already, with the tags that spec and request ask for.
///
/// # Errors
/// When the spec does not fit the organization. An account that can't be read is no error: it is in the plan, as
/// unreadable.
pub async fn compare_listed(
    cloud: &dyn Cloud,
    loaded: &Loaded,
    organization: &Organization,
    request: &CompareRequest,
    progress: &Progress<'_>,
) -> Result<Plan, CollectError> {
    compare_all(cloud, loaded, organization, None, request, progress).await
}

/// Compares every account in scope, with the guardrails where they are read already.
///
/// The emergency account and the guardrails come first: what a plan does to the proofs of any account hangs on them. A plan
/// of one shard reads both, and reports them when they are in its share.
async fn compare_all(
    cloud: &dyn Cloud,
    loaded: &Loaded,
    organization: &Organization,
    guardrails: Option<Result<Guardrails, CloudError>>,
    request: &CompareRequest,
    progress: &Progress<'_>,
) -> Result<Plan, CollectError> {
    let spec = &loaded.spec;
    let (resolver, warnings) = Resolver::new(loaded, organization).map_err(CollectError::Spec)?;
    let rules = &ignore_rules(loaded, request.now);
    let side = Side {
        loaded,
        resolver,
        rules,
    };
    let resolver = &side.resolver;
    let base = request.base.as_ref();
    let base_rules = base.map_or_else(IgnoreRules::default, |base| base.ignore_rules(request.now));
    let before = Before::of(request, organization, &base_rules);
    let emergency = &spec.emergency_account;
    let accounts = request.filter.accounts(organization, emergency)?;
    let is_own = |id: &AccountId| request.filter.is_own(id);
    let own = accounts.iter().filter(|id| is_own(id));
    let all = own.clone().count();
    let scope = scope(spec, organization, &request.filter);
    let reader = AccountReader::new(cloud, scope, request.max_failures);
    reader.count(all);
    let comparer = Comparer::new(loaded, organization, request);
    let sides = (&side, &before);
    let named = |id| (id, account_name(organization, id));
    let mut found = Found::default();
    let wanted = resolver.guardrails().filter(|_| {
        accounts.contains(&organization.management_account) && covers_guardrails(&request.filter)
    });
    let reading_guardrails = async {
        match (&wanted, guardrails) {
            (Some(wanted), Some(live)) => Some((wanted, live)),
            (Some(wanted), None) => Some((wanted, cloud.guardrails().await)),
            (None, _) => None,
        }
    };
    let in_scope = accounts.contains(emergency);
    let in_share = in_scope && is_own(emergency);
    let reading_users = async {
        if in_share {
            reader.read(emergency).await
        } else {
            reader.read_beside(emergency).await
        }
    };
    let (users, live) = join(reading_users, reading_guardrails).await;
    let guardrails = match live {
        Some((wanted, live)) => comparer.guardrails(wanted, (rules, &before), live, &mut found),
        None => Outlook::default(),
    };
    let users = match users {
        live if in_scope => comparer.account(named(emergency), sides, live, &mut found),
        Ok(live) => Some(Outlook { live, after: None }),
        Err(_) => None,
    };
    let mut impact = match &users {
        _ if request.kind == Kind::Drift => None,
        Some(users) => Some(comparer.impact(&guardrails, users)),
        None => {
            found.unknown.insert(emergency.clone());
            None
        }
    };
    let mut prove = |id: &AccountId, account: &Outlook<Inventory>| {
        if let Some(impact) = &mut impact {
            let roles: Vec<usize> = resolver.roles_of(id).collect();
            impact.add(id, &account.live, account.after.as_ref(), &roles);
        }
    };
    let mut done = 0;
    if in_share {
        if let Some(users) = &users {
            prove(emergency, users);
        }
        done += 1;
        progress(done, all);
    }
    let others = own.filter(|id| *id != emergency);
    let readings = others.map(async |id| (id, reader.read(id).await));
    let mut readings = stream::iter(readings).buffer_unordered(request.concurrency);
    while let Some((id, live)) = readings.next().await {
        if let Some(account) = comparer.account(named(id), sides, live, &mut found) {
            prove(id, &account);
        }
        done += 1;
        progress(done, all);
    }
    drop(readings);
    let mut told = notes(&[warnings, resolver.alert_warnings()].concat());
    told.extend(before.note());
    told.extend(rules.notes().iter().cloned());
    let notes = Notes {
        spec: told,
        lost: impact.map(Impact::lost).unwrap_or_default(),
        unknown: std::mem::take(&mut found.unknown),
        guardrails: Vec::new(),
        ignore: rules.in_force(),
    };
    let tree = tree(organization, resolver, &accounts, &request.filter);
    Ok(found.finish(loaded, request, (organization, tree), notes, cloud))
}

/// What is read of each account, of an organization whose accounts need not be known.
pub(super) fn scope(spec: &Spec, organization: &Organization, filter: &ScopeFilter) -> ReadScope {
    let alerts = alert_scope(spec, organization);
    ReadScope {
        alerts: alerts.filter(|_| {
            let mut kinds = ResourceType::ALL.into_iter().filter(|kind| kind.is_alert());
            kinds.any(|kind| filter.covers_type(kind))
        }),
        root: root_scope(spec, organization),
        ..read_scope(spec)
    }
}

/// Tells whether guardrails are looked at, where their account is: Organizations is read and changed in the management
/// account, so that whoever leaves that out leaves them out.
pub(super) fn covers_guardrails(filter: &ScopeFilter) -> bool {
    filter.covers_type(ResourceType::GuardrailException)
        || filter.covers_type(ResourceType::GuardrailPolicy)
}

/// Collects what is found.
#[derive(Default)]
pub(super) struct Found {
    builder: PlanBuilder,
    /// The accounts of which it is not known what the plan does to their proofs.
    unknown: BTreeSet<AccountId>,
    /// Whether the alerts' bus and topic could not be read.
    hub_unknown: bool,
    /// The users that are not there and are left so.
    absent: BTreeSet<Arn>,
}

impl Found {
    pub(super) fn finish(
        mut self,
        loaded: &Loaded,
        request: &CompareRequest,
        (organization, tree): (&Organization, Tree),
        notes: Notes,
        cloud: &dyn Cloud,
    ) -> Plan {
        let spec = &loaded.spec;
        if self.hub_unknown {
            self.builder.hold_new_access();
        }
        let header = PlanHeader {
            kind: request.kind,
            organization_id: organization.id.clone(),
            spec_digest: loaded.digest.clone(),
            created_at: request.now,
            expires_at: request.expires_at,
            entry: (request.kind == Kind::Plan).then(|| Entry::of(spec)),
            spec_file: loaded.sources.first_file().map(str::to_owned),
            base: request.base.as_ref().map(|base| base.revision.clone()),
            scope: request.filter.scope(),
            strict: request.strict,
            notes,
            skipped: skipped(organization, &request.filter),
            tree: Some(tree),
        };
        self.builder.finish(header, &rules(spec, cloud))
    }
}

/// Holds something as it is and, if the changes found make it something else, as it will be.
#[derive(Default)]
pub(super) struct Outlook<T> {
    live: T,
    after: Option<T>,
}

impl<T> Outlook<T> {
    fn after(&self) -> &T {
        self.after.as_ref().unwrap_or(&self.live)
    }
}

/// Knows how to compare.
pub(super) struct Comparer<'a> {
    spec: &'a Spec,
    organization: &'a Organization,
    request: &'a CompareRequest,
    context: CanonicalContext,
}

impl<'a> Comparer<'a> {
    pub(super) fn new(
        loaded: &'a Loaded,
        organization: &'a Organization,
        request: &'a CompareRequest,
    ) -> Self {
        Self {
            spec: &loaded.spec,
            organization,
            request,
            context: CanonicalContext {
                partition: Some(organization.partition.clone()),
            },
        }
    }

    /// Compares an account; `None` when it could not be read.
    pub(super) fn account(
        &self,
        (id, name): (&AccountId, &str),
        (side, before): (&Side<'_>, &Before<'_>),
        live: Result<Inventory, CloudError>,
        found: &mut Found,
    ) -> Option<Outlook<Inventory>> {
        let filter = &self.request.filter;
        let unread = match &live {
            Ok(live) => matches!(live.alerts, Some(Reading::Unreadable { .. })),
            Err(_) => true,
        };
        found.hub_unknown |= unread
            && alert_scope(self.spec, self.organization)
                .is_some_and(|scope| scope.hub.account == *id);
        let live = match live {
            Ok(live) => live,
            Err(error) => {
                if filter.is_own(id) {
                    found.builder.add_unreadable(id, name, error.to_string());
                }
                return None;
            }
        };
        let context = AccountContext {
            id,
            name,
            partition: &self.organization.partition,
            managed_path: &self.spec.defaults.path,
            strict: self.request.strict,
            now: self.request.now,
        };
        let (mut diff, desired) = side.compare(&context, &live, &found.absent);
        // Drift reads accounts in any order, and carries nothing out.
        if self.request.kind == Kind::Plan && *id == self.spec.emergency_account {
            found.absent = absent_users(&context, &desired, &diff.ignored);
        }
        let asked = |before: &Side<'_>| {
            let (diff, _) = before.compare(&context, &live, &found.absent);
            diff.changes
        };
        let widened = before.attribute(&mut diff.changes, asked);
        diff.changes.retain(|change| filter.covers(&change.address));
        diff.ignored.retain(|change| filter.covers(&change.address));
        diff.cosmetic
            .retain(|cosmetic| filter.covers(&cosmetic.address));
        let widened = widened.into_iter().filter(|address| filter.covers(address));
        if filter.is_own(id) {
            found.builder.add_widened(widened.collect());
            let in_sync = named(id, &desired).filter(|address| {
                let same = |change: &Change| change.address == *address;
                filter.covers(address) && !diff.changes.iter().chain(&diff.ignored).any(same)
            });
            found.builder.add_in_sync(in_sync);
        }
        let mut after = None;
        if self.request.kind == Kind::Plan && has_operations(&diff.changes) {
            let mut changed = live.clone();
            match preview_account(&diff.changes, id, &mut changed, &self.context) {
                Ok(()) => after = Some(changed),
                Err(_) => drop(found.unknown.insert(id.clone())),
            }
        }
        let closes = closes_last_path(&diff.changes, &live, &self.spec.defaults.path);
        if filter.is_own(id) {
            found.builder.add(id, diff, closes);
            if let Some(Reading::Unreadable { error }) = &live.alerts {
                found.builder.add_unreadable_part(id, name, error.clone());
            }
        }
        Some(Outlook { live, after })
    }

    /// Compares the guardrails; what could not be read is left out of proofs, before the plan and after it.
    pub(super) fn guardrails(
        &self,
        wanted: &DesiredGuardrails,
        (rules, before): (&IgnoreRules, &Before<'_>),
        live: Result<Guardrails, CloudError>,
        found: &mut Found,
    ) -> Outlook<Guardrails> {
        let management = &self.organization.management_account;
        let in_share = self.request.filter.is_own(management);
        let live = match live {
            Ok(live) => live,
            Err(error) => {
                let name = account_name(self.organization, management);
                let error = error.to_string();
                if in_share {
                    found.builder.add_unreadable_part(management, name, error);
                }
                if self.request.kind == Kind::Plan {
                    found.unknown.insert(management.clone());
                }
                return Outlook::default();
            }
        };
        let context = GuardrailContext {
            organization: self.organization,
            managed_path: &self.spec.defaults.path,
            strict: self.request.strict,
            today: self.request.now.to_zoned(TimeZone::UTC).date(),
            covers: &|address| self.request.filter.covers(address),
        };
        let mut diff = diff_guardrails_under(&context, wanted, &live, rules);
        let asked = |before: &Side<'_>| {
            let context = GuardrailContext {
                managed_path: &before.loaded.spec.defaults.path,
                ..context
            };
            let wanted = before.resolver.guardrails();
            wanted.map_or_else(Vec::new, |wanted| {
                diff_guardrails_under(&context, &wanted, &live, before.rules).changes
            })
        };
        let mut widened = before.attribute(&mut diff.changes, asked);
        // New exceptions have a gate of their own, which tells them from lost ones without a base, too.
        widened.retain(|address| address.resource_type != ResourceType::GuardrailException);
        let exceptions = wanted.exceptions.iter();
        let exceptions = exceptions
            .filter(|exception| exception.ended(context.today).is_none())
            .map(|exception| (ResourceType::GuardrailException, &exception.id));
        let protection = wanted.protection.iter();
        let protection = protection.map(|policy| (ResourceType::GuardrailPolicy, &policy.name));
        let in_sync = exceptions
            .chain(protection)
            .map(|(kind, name)| Address::new(management, kind, name))
            .filter(|address| {
                let mut changes = diff.changes.iter().chain(&diff.ignored);
                (context.covers)(address) && changes.all(|change| change.address != *address)
            });
        if in_share {
            found.builder.add_widened(widened);
            found.builder.add_in_sync(in_sync);
        }
        let mut after = None;
        if self.request.kind == Kind::Plan && has_operations(&diff.changes) {
            let mut changed = live.clone();
            match preview_guardrails(&diff.changes, &mut changed, &self.context) {
                Ok(()) => after = Some(changed),
                Err(_) => drop(found.unknown.insert(management.clone())),
            }
        }
        if in_share {
            found.builder.add_guardrails(diff);
        }
        Outlook { live, after }
    }

    /// Begins to look at what a plan does to proofs.
    fn impact(
        &self,
        guardrails: &'a Outlook<Guardrails>,
        users: &'a Outlook<Inventory>,
    ) -> Impact<'a> {
        let setting = |guardrails, users| Setting {
            organization: self.organization,
            spec: self.spec,
            guardrails: Ok(guardrails),
            now: self.request.now,
            emergency: Ok(users),
        };
        Impact::new(
            setting(&guardrails.live, &users.live),
            setting(guardrails.after(), users.after()),
        )
    }
}

/// Names what an account shall hold.
fn named<'a>(id: &'a AccountId, desired: &'a Desired) -> impl Iterator<Item = Address> + 'a {
    let policies = desired.policies.iter().flat_map(|policies| policies.keys());
    let users = desired.users.iter().flat_map(|users| users.keys());
    let roles = desired.roles.iter().flat_map(|roles| roles.keys());
    let policies = policies.map(|name| (ResourceType::IamPolicy, name));
    let users = users.map(|name| (ResourceType::IamUser, name));
    let roles = roles.map(|name| (ResourceType::IamRole, name));
    let all = policies.chain(users).chain(roles);
    all.map(|(kind, name)| Address::new(id, kind, name))
}

fn has_operations(changes: &[Change]) -> bool {
    changes.iter().any(|change| !change.operations.is_empty())
}

pub(super) fn notes(warnings: &[Problem]) -> Vec<String> {
    // By symbolic path, which does not change with the folder that the spec was read from.
    let told = warnings.iter().map(|warning| match &warning.at {
        At::Path(path) => format!("{path}: {}", warning.message),
        At::Place(_) | At::Nowhere => warning.message.clone(),
    });
    told.collect()
}

pub(super) fn account_name<'a>(organization: &'a Organization, id: &AccountId) -> &'a str {
    let account = organization.accounts.get(id);
    account.map_or("", |account| &account.name)
}

/// Shows the accounts that are looked at under their units, with the roles that are looked at.
pub(super) fn tree(
    organization: &Organization,
    resolver: &Resolver<'_>,
    accounts: &BTreeSet<AccountId>,
    filter: &ScopeFilter,
) -> Tree {
    let own = accounts.iter().filter(|id| filter.is_own(id));
    let own: BTreeSet<AccountId> = own.cloned().collect();
    let roles = resolver.role_accounts().filter(|(role, _)| {
        let address = Address::new(
            &organization.management_account,
            ResourceType::IamRole,
            role,
        );
        filter.covers(&address)
    });
    let roles = roles.map(|(role, accounts)| (role.to_owned(), accounts.clone()));
    Tree::of(organization, &own, roles)
}

pub(super) fn skipped(organization: &Organization, filter: &ScopeFilter) -> Vec<Skipped> {
    organization
        .accounts
        .iter()
        .filter(|(id, account)| account.state != AccountState::Active && filter.is_own(id))
        .map(|(id, account)| Skipped {
            account: id.clone(),
            account_name: account.name.clone(),
            state: account.state,
        })
        .collect()
}

fn rules(spec: &Spec, cloud: &dyn Cloud) -> SafetyRules {
    SafetyRules {
        max_removals: spec.safety.max_removals.get(),
        min_users: usize::try_from(spec.safety.min_users).unwrap_or(usize::MAX),
        declared_users: spec.users.as_ref().map(Vec::len),
        member_roles: Entry::of(spec).role_names().collect(),
        callers: cloud.caller().into_iter().collect(),
    }
}
