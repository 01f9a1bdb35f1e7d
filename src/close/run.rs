//! The steps of a closing, in their order.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::record::{ClosingRecord, write_record};
use super::report::{CloseStep, StepKind, StepStatus};
use crate::cloud::Cloud;
use crate::credentials::{Outcome, Randomness, Store, StoreError, custody, issue, mark_password};
use crate::ids::AccountId;
use crate::org::{Organization, Selection};
use crate::resolve::Resolver;
use crate::spec::{IncidentRecord, Loaded, Problem, User};
use crate::state::{
    Operation, PASSWORD_TAG, Principal, REVOKED_SESSIONS, Resource, ResourceKey, ResourceType,
    Revocation, is_owned, password_mark,
};

/// How far ahead sessions are denied: as long as IAM takes to be of one mind about passwords and policies.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);

/// Says what an incident used: who has to be renewed, and where sessions have to end.
#[derive(Debug)]
pub struct Target {
    /// The users, by their numbers in the spec.
    pub users: Vec<usize>,
    /// The accounts, each with its roles by their numbers in the spec.
    pub roles: Vec<(AccountId, Vec<usize>)>,
}

impl Target {
    /// Finds what an incident used; whatever it does not say is everything.
    ///
    /// # Errors
    /// What is wrong with the accounts that it names.
    pub fn of(
        incident: &IncidentRecord,
        loaded: &Loaded,
        resolver: &Resolver<'_>,
        organization: &Organization,
    ) -> Result<Self, String> {
        let spec = &loaded.spec;
        let accounts: BTreeSet<AccountId> = match &incident.accounts {
            None => organization
                .active_accounts()
                .map(|(id, _)| id.clone())
                .collect(),
            Some(accounts) => {
                let selection = Selection {
                    include: accounts
                        .iter()
                        .filter_map(|account| account.as_str().parse().ok())
                        .collect(),
                    exclude: Vec::new(),
                };
                let (accounts, problems) = selection.resolve(organization, &spec.emergency_account);
                if let Some(problem) = problems.first() {
                    return Err(format!("incident {}: {}", incident.id, problem.message));
                }
                accounts
            }
        };
        let named = |names: &Option<Vec<String>>, name: &String| {
            names.as_ref().is_none_or(|names| names.contains(name))
        };
        let users = spec.users().iter().enumerate();
        let used = |number: &usize| {
            let role = spec.roles().get(*number);
            role.is_some_and(|role| named(&incident.roles, &role.name))
        };
        Ok(Self {
            users: users
                .filter(|(_, user)| named(&incident.users, &user.name))
                .map(|(number, _)| number)
                .collect(),
            roles: accounts
                .into_iter()
                .map(|account| {
                    let roles = resolver.roles_of(&account).filter(used).collect();
                    (account, roles)
                })
                .filter(|(_, roles): &(_, Vec<usize>)| !roles.is_empty())
                .collect(),
        })
    }
}

/// Says what a closing works on.
pub struct CloseRequest<'a> {
    /// The spec.
    pub loaded: &'a Loaded,
    /// The organization.
    pub organization: &'a Organization,
    /// What the incident used.
    pub target: &'a Target,
    /// Where sealed passwords and records are kept.
    pub store: &'a Store,
    /// How many accounts are worked on at once.
    pub concurrency: usize,
    /// Asks it to end after what is under way.
    pub stop: &'a AtomicBool,
}

/// Sets new passwords and ends sessions; gives what became of each thing to do, and the time before which sessions are
/// denied. `record` says what was done before, and is kept up to date on disk.
///
/// # Errors
/// When the record can't be read or written; what was done until then is done.
pub async fn close(
    cloud: &dyn Cloud,
    request: &CloseRequest<'_>,
    record: &mut ClosingRecord,
    random: &mut Randomness<'_>,
    now: impl Fn() -> Timestamp,
) -> Result<(Vec<CloseStep>, Timestamp), String> {
    let spec = &request.loaded.spec;
    let store_error = |error: StoreError| error.to_string();
    let mut steps = Vec::new();
    let mut newest = record.began_at;
    for (number, user) in users(request) {
        steps.extend(password(cloud, request, record, (number, user), random, &now).await);
        let issued = request.store.record(&spec.emergency_account, &user.name);
        let issued = issued.map_err(store_error)?.issued;
        newest = issued.map_or(newest, |issued| issued.at.max(newest));
    }
    // Whoever signed in with the old password just before it was changed is to be caught, too.
    let cutoff = match record.cutoff.filter(|cutoff| *cutoff > newest) {
        Some(cutoff) => cutoff,
        None => {
            let cutoff = now()
                .checked_add(AHEAD)
                .map_err(|error| error.to_string())?;
            record.cutoff = Some(cutoff);
            write_record(request.store, record)?;
            cutoff
        }
    };
    let revoking = Revoking {
        cloud,
        request,
        revocation: Revocation { cutoff },
    };
    for (_, user) in users(request) {
        let principal = Principal::User(user.name.clone());
        steps.push(revoking.end(&spec.emergency_account, principal).await);
    }
    let roles = request.target.roles.iter().map(async |(account, numbers)| {
        let mut steps = Vec::new();
        for role in numbers
            .iter()
            .filter_map(|number| spec.roles().get(*number))
        {
            let principal = Principal::Role(role.name.clone());
            steps.push(revoking.end(account, principal).await);
        }
        steps
    });
    let mut ended: Vec<CloseStep> = stream::iter(roles)
        .buffer_unordered(request.concurrency)
        .collect::<Vec<_>>()
        .await
        .concat();
    ended.sort_by(|one, other| (&one.account, &one.name).cmp(&(&other.account, &other.name)));
    steps.extend(ended);
    Ok((steps, cutoff))
}

fn users<'a>(request: &CloseRequest<'a>) -> impl Iterator<Item = (usize, &'a User)> + use<'a> {
    let users = request.loaded.spec.users();
    let numbers = request.target.users.iter();
    numbers.filter_map(move |number| Some((*number, users.get(*number)?)))
}

/// Sets a new password, unless that was done since the closing began; `None` for a user that shall have none.
async fn password(
    cloud: &dyn Cloud,
    request: &CloseRequest<'_>,
    record: &ClosingRecord,
    (number, user): (usize, &User),
    random: &mut Randomness<'_>,
    now: &impl Fn() -> Timestamp,
) -> Option<CloseStep> {
    if !user.console {
        return None;
    }
    let account = &request.loaded.spec.emergency_account;
    let step =
        |status, message| request.step(StepKind::Password, account, &user.name, status, message);
    if request.stop.load(Ordering::Relaxed) {
        return Some(step(StepStatus::Skipped, None));
    }
    let known = match request.store.record(account, &user.name) {
        Ok(known) => known,
        Err(error) => return Some(step(StepStatus::Failed, Some(error.to_string()))),
    };
    let issued = known.issued.map(|issued| issued.at);
    let fresh = issued.filter(|at| *at >= record.began_at);
    if let Some(at) = fresh.filter(|_| known.tried.is_empty()) {
        return Some(match marked(cloud, request, &user.name, at).await {
            Ok(()) => step(StepStatus::AlreadyDone, None),
            Err(message) => step(StepStatus::Failed, Some(message)),
        });
    }
    let custody = match custody(number, user) {
        Ok(custody) => custody,
        Err(problem) => return Some(step(StepStatus::Manual, Some(by_hand(&problem)))),
    };
    if let Err(message) =
        managed(cloud, request, account, &Principal::User(user.name.clone())).await
    {
        return Some(step(StepStatus::Failed, Some(message)));
    }
    let outcome = issue(cloud, request.store, account, &custody, random, now()).await;
    let before = request.store.sealed(&user.name);
    Some(match &outcome {
        Outcome::Issued {
            file,
            unmarked: None,
        } => step(
            StepStatus::Done,
            Some(format!("sealed in {}", file.display())),
        ),
        Outcome::Issued {
            unmarked: Some(_), ..
        }
        | Outcome::Unchanged { .. }
        | Outcome::Unknown { .. }
        | Outcome::Unrecorded { .. } => {
            let message = outcome.message(&user.name, &before);
            step(StepStatus::Failed, Some(message))
        }
    })
}

/// Makes sure that a user carries the time at which its password was set.
async fn marked(
    cloud: &dyn Cloud,
    request: &CloseRequest<'_>,
    user: &str,
    at: Timestamp,
) -> Result<(), String> {
    let account = &request.loaded.spec.emergency_account;
    let principal = Principal::User(user.to_owned());
    let mark = password_mark(at);
    match managed(cloud, request, account, &principal).await? {
        Resource::User(live) if live.tags.get(PASSWORD_TAG) == Some(&mark) => Ok(()),
        _ => mark_password(cloud, account, user, at)
            .await
            .map_err(|error| error.to_string()),
    }
}

fn by_hand(problem: &Problem) -> String {
    format!("set a new password by hand: {}", problem.message)
}

/// Reads a user or role; an error when it is not there or not managed here.
async fn managed(
    cloud: &dyn Cloud,
    request: &CloseRequest<'_>,
    account: &AccountId,
    principal: &Principal,
) -> Result<Resource, String> {
    let key: ResourceKey = principal.key();
    let read = cloud.resource(account, &key).await;
    let resource = read.map_err(|error| error.to_string())?;
    let resource = resource.ok_or("it is not there; run `breakglass apply` first")?;
    let (path, tags) = match &resource {
        Resource::User(user) => (&user.path, &user.tags),
        Resource::Role(role) => (&role.path, &role.tags),
        Resource::Policy(_) | Resource::LoginProfile | Resource::RootFeature => {
            return Err("it is something else".to_owned());
        }
    };
    if is_owned(path, tags, &request.loaded.spec.defaults.path) {
        Ok(resource)
    } else {
        Err("it is not managed by this spec; run `breakglass apply` first".to_owned())
    }
}

/// Ends sessions from before one time.
struct Revoking<'a> {
    cloud: &'a dyn Cloud,
    request: &'a CloseRequest<'a>,
    revocation: Revocation,
}

impl Revoking<'_> {
    async fn end(&self, account: &AccountId, principal: Principal) -> CloseStep {
        let key = principal.key();
        let kind = match key.resource_type {
            ResourceType::IamUser => StepKind::UserSessions,
            _ => StepKind::RoleSessions,
        };
        let step = |status, message| self.request.step(kind, account, &key.name, status, message);
        if self.request.stop.load(Ordering::Relaxed) {
            return step(StepStatus::Skipped, None);
        }
        let live = match managed(self.cloud, self.request, account, &principal).await {
            Ok(live) => live,
            Err(message) => return step(StepStatus::Failed, Some(message)),
        };
        let inline_policies = match &live {
            Resource::User(user) => &user.inline_policies,
            Resource::Role(role) => &role.inline_policies,
            Resource::Policy(_) | Resource::LoginProfile | Resource::RootFeature => {
                return step(StepStatus::Failed, Some("it is something else".to_owned()));
            }
        };
        let found = Revocation::among(inline_policies);
        if found.is_some_and(|found| found.cutoff >= self.revocation.cutoff) {
            return step(StepStatus::AlreadyDone, None);
        }
        let operation = Operation::PutInlinePolicy {
            principal,
            name: REVOKED_SESSIONS.to_owned(),
            document: self.revocation.document(),
        };
        match self.cloud.execute(account, &operation).await {
            Ok(()) => step(StepStatus::Done, None),
            Err(error) => step(StepStatus::Failed, Some(error.to_string())),
        }
    }
}

impl CloseRequest<'_> {
    fn step(
        &self,
        step: StepKind,
        account: &AccountId,
        name: &str,
        status: StepStatus,
        message: Option<String>,
    ) -> CloseStep {
        let known = self.organization.accounts.get(account);
        CloseStep {
            step,
            account: account.clone(),
            account_name: known.map_or_else(String::new, |known| known.name.clone()),
            name: name.to_owned(),
            status,
            message,
        }
    }
}
