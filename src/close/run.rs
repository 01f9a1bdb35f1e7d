//! The steps of a closing, in their order.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::record::{ClosingRecord, write_record};
use super::report::{CloseStep, StepKind, StepStatus};
use crate::cloud::Cloud;
use crate::credentials::{Outcome, Randomness, Store, custody, issue, mark_password};
use crate::ids::AccountId;
use crate::org::{Organization, Selection};
use crate::resolve::Resolver;
use crate::spec::{IncidentRecord, Loaded, Problem, User};
use crate::state::{
    Operation, PASSWORD_TAG, Principal, REVOCATION_LEAD, REVOKED_SESSIONS, ROOT_USER, Resource,
    ResourceKey, ResourceType, Revocation, is_owned, password_mark,
};

/// Says what an incident used: who has to be renewed, and where sessions have to end.
#[derive(Debug)]
pub struct Target {
    /// The users, by their numbers in the spec.
    pub users: Vec<usize>,
    /// The accounts whose root user was used.
    pub root: Vec<AccountId>,
    /// The accounts, each with its roles by their numbers in the spec.
    pub roles: Vec<(AccountId, Vec<usize>)>,
}

impl Target {
    /// Finds what an incident used; whatever it does not say is everything.
    ///
    /// # Errors
    /// What is wrong with the accounts, roles or users that it names.
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
        let users = spec.users().iter().map(|user| user.name.as_str());
        let roles = spec.roles().iter().map(|role| role.name.as_str());
        let users: BTreeSet<&str> = users.chain([ROOT_USER]).collect();
        let roles: BTreeSet<&str> = roles.collect();
        for (what, named, known) in [
            ("user", &incident.users, &users),
            ("role", &incident.roles, &roles),
        ] {
            let mut named = named.iter().flatten();
            if let Some(name) = named.find(|name| !known.contains(name.as_str())) {
                return Err(format!(
                    "incident {}: the spec has no {what} {name:?}, so that it can't be closed here",
                    incident.id
                ));
            }
        }
        let root = incident
            .users
            .iter()
            .flatten()
            .any(|name| name == ROOT_USER);
        let root = match &incident.accounts {
            _ if !root => Vec::new(),
            Some(_) => accounts.iter().cloned().collect(),
            None => vec![organization.management_account.clone()],
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
            root,
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
    let mut steps = Vec::new();
    let mut newest = record.began_at;
    for (number, user) in users(request) {
        if let Some(renewal) = password(cloud, request, record, (number, user), random, &now).await
        {
            steps.push(renewal.step);
            newest = renewal.at.map_or(newest, |at| at.max(newest));
        }
    }
    for account in &request.target.root {
        let message = "sign in as root, change its password, end its other sessions, and look at its devices and keys";
        let (status, message) = (StepStatus::Manual, Some(message.to_owned()));
        steps.push(request.step(StepKind::RootUser, account, ROOT_USER, status, message));
    }
    // Whoever signed in with the old password just before it was changed is to be caught, too.
    let kept = record.cutoff.filter(|cutoff| {
        let revocation = Revocation { cutoff: *cutoff };
        *cutoff > newest && revocation.is_past(now())
    });
    let cutoff = match kept {
        Some(cutoff) => cutoff,
        None => {
            let cutoff = now()
                .checked_add(REVOCATION_LEAD)
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
        now: now(),
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

/// Tells what became of a password, and when the newest one was set.
struct Renewal {
    step: CloseStep,
    at: Option<Timestamp>,
}

/// Sets a new password, unless that was done since the closing began; `None` for a user that shall have none.
async fn password(
    cloud: &dyn Cloud,
    request: &CloseRequest<'_>,
    record: &ClosingRecord,
    (number, user): (usize, &User),
    random: &mut Randomness<'_>,
    now: &impl Fn() -> Timestamp,
) -> Option<Renewal> {
    if !user.console {
        return None;
    }
    let account = &request.loaded.spec.emergency_account;
    let renewal = |status, message, at| Renewal {
        step: request.step(StepKind::Password, account, &user.name, status, message),
        at,
    };
    let failed = |message| Some(renewal(StepStatus::Failed, Some(message), None));
    if request.stop.load(Ordering::Relaxed) {
        return Some(renewal(StepStatus::Skipped, None, None));
    }
    let known = match request.store.record(account, &user.name) {
        Ok(known) => known,
        Err(error) => return failed(error.to_string()),
    };
    let live = match managed(cloud, request, account, &Principal::User(user.name.clone())).await {
        Ok(live) => live,
        Err(message) => return failed(message),
    };
    let mark = match &live {
        Resource::User(live) => live.tags.get(PASSWORD_TAG),
        _ => None,
    };
    let issued = known.issued.map(|issued| issued.at);
    let fresh = issued.filter(|at| *at >= record.began_at);
    if let Some(at) = fresh.filter(|_| known.tried.is_empty()) {
        if mark.is_some_and(|mark| *mark == password_mark(at)) {
            return Some(renewal(StepStatus::AlreadyDone, None, Some(at)));
        }
        return match mark_password(cloud, account, &user.name, at).await {
            Ok(()) => Some(renewal(StepStatus::AlreadyDone, None, Some(at))),
            Err(error) => Some(renewal(
                StepStatus::Failed,
                Some(error.to_string()),
                Some(at),
            )),
        };
    }
    let custody = match custody(number, user) {
        Ok(custody) => custody,
        Err(problem) => {
            // Whoever sets one by hand says so by the same tag.
            let marked: Option<Timestamp> = mark.and_then(|mark| mark.parse().ok());
            let marked = marked.filter(|at| (record.began_at..=now()).contains(at));
            return Some(match marked {
                Some(at) => renewal(StepStatus::AlreadyDone, None, Some(at)),
                None => renewal(
                    StepStatus::Manual,
                    Some(by_hand(&user.name, &problem)),
                    issued,
                ),
            });
        }
    };
    let at = now();
    let outcome = issue(cloud, request.store, account, &custody, random, at).await;
    let before = request.store.sealed(&user.name);
    Some(match &outcome {
        Outcome::Issued {
            file,
            unmarked: None,
        } => {
            let sealed = format!("sealed in {}", file.display());
            renewal(StepStatus::Done, Some(sealed), Some(at))
        }
        Outcome::Unchanged { .. }
        | Outcome::Issued { .. }
        | Outcome::Unknown { .. }
        | Outcome::Unrecorded { .. } => {
            let message = outcome.message(&user.name, &before);
            renewal(StepStatus::Failed, Some(message), Some(at))
        }
    })
}

fn by_hand(user: &str, problem: &Problem) -> String {
    format!(
        "set a new password by hand, and then run `aws iam tag-user --user-name {user} --tags \
         Key={PASSWORD_TAG},Value=$(date -u +%Y-%m-%dT%H:%M:%SZ)`: {}",
        problem.message
    )
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
    now: Timestamp,
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
        if found
            .is_some_and(|found| found.cutoff >= self.revocation.cutoff && found.is_past(self.now))
        {
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
