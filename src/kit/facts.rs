//! What the runbook says, gathered from a spec and an organization.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::links::Console;
use crate::ids::{AccountId, Partition};
use crate::org::Organization;
use crate::resolve::Resolver;
use crate::spec::{AccessKeys, Custodian, Duration, Loaded, Trusted, User, UserMfa};

/// Holds what the runbook says.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) organization: String,
    pub(super) partition: Partition,
    pub(super) console: Option<Console>,
    pub(super) regions: Vec<String>,
    pub(super) made_at: Timestamp,
    pub(super) spec_digest: String,
    /// The account where people sign in.
    pub(super) emergency: (AccountId, String),
    pub(super) people: Vec<Person>,
    /// The roles in the order of the spec.
    pub(super) roles: Vec<RoleFacts>,
    /// Every active account by name, with the numbers of its roles.
    pub(super) accounts: Vec<AccountFacts>,
    pub(super) incidents: Option<String>,
}

/// Describes a user and who keeps what it takes to sign in.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) console: bool,
    pub(super) password: Option<String>,
    /// Whether the password is kept sealed to a key.
    pub(super) sealed: bool,
    pub(super) token: Option<String>,
    pub(super) mfa: Option<UserMfa>,
    /// Whether it may have an access key.
    pub(super) vaulted: bool,
    /// The numbers of the roles that trust it.
    pub(super) roles: Vec<usize>,
}

/// Describes a role and how it is reached.
#[derive(Debug)]
pub(super) struct RoleFacts {
    pub(super) name: String,
    /// The path without the first slash, and the name.
    pub(super) full: String,
    pub(super) description: Option<String>,
    pub(super) mode: Option<String>,
    /// The users that it trusts.
    pub(super) users: Vec<String>,
    /// Whoever else it trusts, by ARN.
    pub(super) others: Vec<String>,
    pub(super) max_session: Duration,
    pub(super) mfa_required: bool,
    pub(super) max_age: Option<Duration>,
    /// What the name of a session must be like.
    pub(super) session_name: Option<String>,
    /// The accounts that it is in, by name and id.
    pub(super) accounts: Vec<(String, AccountId)>,
}

impl RoleFacts {
    /// Whether the console can switch to it: there a session is named after the user.
    pub(super) fn switchable(&self) -> bool {
        self.session_name.is_none()
    }
}

/// Describes an account.
#[derive(Debug)]
pub(super) struct AccountFacts {
    pub(super) id: AccountId,
    pub(super) name: String,
    /// The numbers of the roles that are in it.
    pub(super) roles: Vec<usize>,
}

impl Facts {
    pub(super) fn gather(
        loaded: &Loaded,
        resolver: &Resolver<'_>,
        organization: &Organization,
        now: Timestamp,
    ) -> Self {
        let spec = &loaded.spec;
        let mut accounts: Vec<AccountFacts> = organization
            .active_accounts()
            .map(|(id, account)| AccountFacts {
                id: id.clone(),
                name: account.name.clone(),
                roles: resolver.roles_of(id).collect(),
            })
            .collect();
        accounts.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        let roles = spec.roles().iter().enumerate().map(|(number, role)| {
            let path = resolver.role_path(role).as_str().trim_start_matches('/');
            let holding = accounts
                .iter()
                .filter(|account| account.roles.contains(&number));
            let trusted = role.trusted.iter();
            RoleFacts {
                name: role.name.clone(),
                full: format!("{path}{}", role.name),
                description: role.description.clone(),
                mode: role.failure_mode.clone(),
                users: trusted
                    .clone()
                    .filter_map(|trusted| match trusted {
                        Trusted::User(name) => Some(name.clone()),
                        Trusted::Arn(_) => None,
                    })
                    .collect(),
                others: trusted
                    .filter_map(|trusted| match trusted {
                        Trusted::User(_) => None,
                        Trusted::Arn(arn) => Some(arn.to_string()),
                    })
                    .collect(),
                max_session: role.max_session,
                mfa_required: role.mfa.required,
                max_age: role.mfa.max_age,
                session_name: role
                    .incident
                    .as_ref()
                    .map(|incident| incident.session_name.clone()),
                accounts: holding
                    .map(|account| (account.name.clone(), account.id.clone()))
                    .collect(),
            }
        });
        let roles: Vec<RoleFacts> = roles.collect();
        let console = Console::of(&organization.partition);
        let named = spec.organization.regions.clone().unwrap_or_default();
        let regions = match console {
            Some(console) if named.is_empty() => console.regions.map(str::to_owned).to_vec(),
            _ => named,
        };
        let emergency = &spec.emergency_account;
        let emergency_name = organization
            .accounts
            .get(emergency)
            .map_or_else(String::new, |account| account.name.clone());
        Self {
            organization: organization.id.clone(),
            partition: organization.partition.clone(),
            console,
            regions,
            made_at: now,
            spec_digest: loaded.digest.clone(),
            emergency: (emergency.clone(), emergency_name),
            people: spec
                .users()
                .iter()
                .map(|user| person(user, &roles))
                .collect(),
            roles,
            accounts,
            incidents: spec.incidents.as_ref().map(|section| section.file.clone()),
        }
    }

    pub(super) fn title(&self) -> String {
        format!("AWS emergency access, {}", self.organization)
    }

    /// The failure modes, in the order of the spec, with the numbers of the roles for them.
    pub(super) fn modes(&self) -> Vec<(Option<&str>, Vec<usize>)> {
        let mut order: Vec<Option<&str>> = Vec::new();
        let mut modes: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
        for (number, role) in self.roles.iter().enumerate() {
            let mode = role.mode.as_deref();
            if !order.contains(&mode) {
                order.push(mode);
            }
            modes.entry(mode).or_default().push(number);
        }
        order
            .into_iter()
            .map(|mode| (mode, modes.remove(&mode).unwrap_or_default()))
            .collect()
    }

    /// The users that some of the roles trust, in the order of the spec.
    pub(super) fn users_of(&self, roles: &[usize]) -> BTreeSet<&str> {
        let roles = roles.iter().filter_map(|number| self.roles.get(*number));
        roles
            .flat_map(|role| role.users.iter().map(String::as_str))
            .collect()
    }
}

fn person(user: &User, roles: &[RoleFacts]) -> Person {
    let keeper = |custodian: &Custodian| custodian.name.clone();
    let custodians = user.custodians.as_ref();
    let trusting = roles.iter().enumerate();
    Person {
        name: user.name.clone(),
        console: user.console,
        password: custodians.map(|both| keeper(&both.password)),
        sealed: custodians.is_some_and(|both| !both.password.recipients.is_empty()),
        token: custodians.map(|both| keeper(&both.token)),
        mfa: user.mfa.clone(),
        vaulted: user.access_keys == AccessKeys::Vaulted,
        roles: trusting
            .filter(|(_, role)| role.users.contains(&user.name))
            .map(|(number, _)| number)
            .collect(),
    }
}
