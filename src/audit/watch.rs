//! What is watched: the identities and objects of break-glass, and who may change them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Arn, IamPath};
use crate::state::AlertNames;

/// Names a kind of break-glass principal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A user of the emergency account.
    User,
    /// A role, in whichever account.
    Role,
    /// The root user of an account.
    Root,
}

/// Names a break-glass principal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// What it is.
    pub kind: PrincipalKind,
    /// The account it is in.
    pub account: AccountId,
    /// Its name; `root` for a root user.
    pub name: String,
}

impl Principal {
    /// The root user of an account.
    pub(super) fn root(account: AccountId) -> Self {
        Self {
            kind: PrincipalKind::Root,
            account,
            name: "root".to_owned(),
        }
    }
}

/// Names the role and the sessions of it that break-glass itself is deployed with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deployer {
    /// The role's name.
    pub role: String,
    /// The names of its sessions.
    pub sessions: BTreeSet<String>,
}

/// Holds the identities and objects that are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The account of the users.
    pub emergency_account: AccountId,
    /// The users, by name.
    pub users: BTreeSet<String>,
    /// The roles by name, each with its path; in any account.
    pub roles: BTreeMap<String, IamPath>,
    /// The customer managed policies, by name.
    pub policies: BTreeSet<String>,
    /// The path that everything managed lies under.
    pub managed_path: IamPath,
    /// Whether changes of SCPs and RCPs count as tampering.
    pub guardrails: bool,
    /// The names that the alerts go by; `None` where there are none.
    pub alerts: Option<AlertNames>,
    /// The key that the alerts' topic is encrypted with, as the spec names it: by id, alias or ARN.
    pub topic_key: Option<String>,
    /// The roles that may change all this.
    pub deployers: BTreeSet<Deployer>,
    /// The users and roles that may change all this, by ARN.
    pub deployer_arns: BTreeSet<String>,
}

impl Watch {
    /// Whether it counts as tampering to take accounts out of the organization, or elsewhere in it.
    pub(super) const fn organization(&self) -> bool {
        self.guardrails || self.alerts.is_some()
    }

    /// Finds a user of the emergency account, by a name of whichever case.
    pub(super) fn user(&self, account: &str, name: &str) -> Option<Principal> {
        let found = self
            .users
            .iter()
            .find(|user| user.eq_ignore_ascii_case(name))?;
        (account == self.emergency_account.as_str()).then(|| Principal {
            kind: PrincipalKind::User,
            account: self.emergency_account.clone(),
            name: found.clone(),
        })
    }

    /// Finds a user by ARN.
    pub(super) fn user_by_arn(&self, arn: &str) -> Option<Principal> {
        let arn: Arn = arn.parse().ok()?;
        if !arn.resource().starts_with("user/") {
            return None;
        }
        self.user(arn.account(), arn.name())
    }

    /// Finds a role by ARN: path and name must be those of the spec, the account may be any.
    pub(super) fn role(&self, arn: &str) -> Option<Principal> {
        let arn: Arn = arn.parse().ok()?;
        let with_path = arn.resource().strip_prefix("role")?;
        let (name, path) = self.role_named(arn.name())?;
        let found = with_path.strip_suffix(arn.name())?;
        (arn.service() == "iam" && found == path.as_str()).then_some(())?;
        Some(Principal {
            kind: PrincipalKind::Role,
            account: arn.account().parse().ok()?,
            name: name.clone(),
        })
    }

    /// Finds a role and the name of its session by the ARN of the session, which has no path.
    pub(super) fn role_session<'a>(&self, arn: &'a str) -> Option<(Principal, &'a str)> {
        let mut parts = arn.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next()?, parts.next()?);
        let (role, session) = resource.strip_prefix("assumed-role/")?.rsplit_once('/')?;
        let (name, _) = self.role_named(role)?;
        let principal = Principal {
            kind: PrincipalKind::Role,
            account: account.parse().ok()?,
            name: name.clone(),
        };
        Some((principal, session))
    }

    pub(super) fn role_named(&self, name: &str) -> Option<(&String, &IamPath)> {
        self.roles
            .iter()
            .find(|(role, _)| role.eq_ignore_ascii_case(name))
    }

    /// Tells whether a caller is one that break-glass is deployed with.
    pub(super) fn is_deployer(&self, caller_arn: &str, issuer_arn: &str) -> bool {
        if [caller_arn, issuer_arn]
            .iter()
            .any(|arn| self.deployer_arns.contains(*arn))
        {
            return true;
        }
        let session = caller_arn
            .split_once(":assumed-role/")
            .and_then(|(_, session)| session.rsplit_once('/'));
        session.is_some_and(|(role, session)| {
            self.deployers
                .iter()
                .any(|deployer| deployer.role == role && deployer.sessions.contains(session))
        })
    }
}
