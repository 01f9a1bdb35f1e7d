//! Live state to a spec: the way back, for what was made by hand or by another tool.
//!
//! What a spec can't say is left out; comparing the result with what it came from tells what that is.

mod accounts;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AccountId, Arn, IamPath};
use crate::org::Organization;
use crate::policy::{self, CanonicalContext, Verdict};
use crate::resolve::{ASSUME_POLICY, MFA_POLICY};
use crate::spec::{
    AccessKeys, Defaults, MemberRole, OrganizationSettings, OwnershipTag, Permissions, PolicyEntry,
    PolicyRef, PolicySource, Role as RoleSpec, Safety, Spec, User as UserSpec, Version,
};
use crate::state::{
    DEVICES_TAG, Inventory, OWNERSHIP_TAG, PASSWORD_TAG, PolicyText, REVOKED_SESSIONS, Role, Tags,
    User, is_owned,
};

/// Says what of an organization becomes a spec.
#[derive(Debug, Clone)]
pub struct ImportSettings {
    /// The path of what is managed.
    pub managed_path: IamPath,
    /// The account where the users live; found by where users are when not given.
    pub emergency_account: Option<AccountId>,
    /// The role by which accounts are entered.
    pub member_role: MemberRole,
    /// The users whose inline policies are not those that a spec gives its users, so that they are taken as they are.
    pub plain_users: BTreeSet<String>,
}

/// Says why nothing can be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No account holds managed users, and none was named.
    #[error("no account holds users under {0}, so the emergency account can't be told")]
    NoEmergencyAccount(IamPath),
    /// The emergency account could not be read, or is not there.
    #[error("the emergency account {0} was not read")]
    EmergencyAccountUnread(AccountId),
}

/// Writes the spec of which an organization's managed users, roles and policies are the desired state.
///
/// A role that differs from account to account is taken as most accounts have it.
///
/// # Errors
/// When it can't be told in which account the users live.
pub fn import(
    organization: &Organization,
    accounts: &BTreeMap<AccountId, Inventory>,
    settings: &ImportSettings,
) -> Result<Spec, ImportError> {
    let emergency = match &settings.emergency_account {
        Some(account) => account.clone(),
        None => find_emergency_account(accounts, &settings.managed_path)
            .ok_or_else(|| ImportError::NoEmergencyAccount(settings.managed_path.clone()))?,
    };
    let home = accounts
        .get(&emergency)
        .ok_or_else(|| ImportError::EmergencyAccountUnread(emergency.clone()))?;
    let importer = Importer {
        organization,
        managed_path: &settings.managed_path,
        emergency: &emergency,
        shared_tags: shared_tags(accounts, &settings.managed_path),
    };
    let roles = importer.roles(accounts);
    let users: Vec<UserSpec> = home
        .users
        .iter()
        .filter(|(_, user)| is_owned(&user.path, &user.tags, &settings.managed_path))
        .map(|(name, user)| {
            let plain = settings.plain_users.contains(name);
            importer.user(name, user, home.login_profiles.contains(name), plain)
        })
        .collect();
    let policies = importer.policies(accounts);
    Ok(Spec {
        version: Version,
        organization: OrganizationSettings {
            id: organization.id.clone(),
            member_role: settings.member_role.clone(),
            overrides: BTreeMap::new(),
            regions: None,
        },
        emergency_account: emergency.clone(),
        defaults: Defaults {
            path: settings.managed_path.clone(),
            tags: importer.shared_tags.clone(),
            ownership_tag: ownership_tag(accounts, &settings.managed_path),
        },
        users: Some(users),
        policies: Some(policies),
        roles: Some(roles),
        guardrails: None,
        coverage: None,
        root_access: None,
        alerts: None,
        incidents: None,
        drills: None,
        safety: Safety::default(),
        ignore: Vec::new(),
    })
}

/// Finds the account with the most managed users; the first of several by id.
fn find_emergency_account(
    accounts: &BTreeMap<AccountId, Inventory>,
    managed_path: &IamPath,
) -> Option<AccountId> {
    let count = |inventory: &Inventory| {
        let users = inventory.users.values();
        users
            .filter(|user| is_owned(&user.path, &user.tags, managed_path))
            .count()
    };
    accounts
        .iter()
        .map(|(account, inventory)| (count(inventory), account))
        .filter(|(users, _)| *users > 0)
        .max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, account)| account.clone())
}

/// Iterates over the path and tags of every user and role.
fn tagged(accounts: &BTreeMap<AccountId, Inventory>) -> impl Iterator<Item = (&IamPath, &Tags)> {
    accounts.values().flat_map(|inventory| {
        let users = inventory.users.values();
        let roles = inventory.roles.values();
        users
            .map(|user| (&user.path, &user.tags))
            .chain(roles.map(|role| (&role.path, &role.tags)))
    })
}

/// Finds whether something under the path lacks the ownership tag, as what was made by hand does.
fn ownership_tag(
    accounts: &BTreeMap<AccountId, Inventory>,
    managed_path: &IamPath,
) -> OwnershipTag {
    let untagged = tagged(accounts)
        .any(|(path, tags)| path.is_under(managed_path) && !tags.contains_key(OWNERSHIP_TAG));
    if untagged {
        OwnershipTag::Optional
    } else {
        OwnershipTag::Required
    }
}

/// Finds the tags that every managed user and role has, which become the defaults.
fn shared_tags(accounts: &BTreeMap<AccountId, Inventory>, managed_path: &IamPath) -> Tags {
    let mut all = tagged(accounts)
        .filter(|(path, tags)| is_owned(path, tags, managed_path))
        .map(|(_, tags)| tags);
    let mut shared = all.next().cloned().unwrap_or_default();
    for tags in all {
        shared.retain(|key, value| tags.get(key) == Some(value));
    }
    shared.retain(|key, _| !is_our_record(key));
    shared
}

/// Tells whether a tag is one that this tool writes of itself, which no spec can ask for.
fn is_our_record(key: &str) -> bool {
    [OWNERSHIP_TAG, DEVICES_TAG, PASSWORD_TAG].contains(&key)
}

struct Importer<'a> {
    organization: &'a Organization,
    managed_path: &'a IamPath,
    emergency: &'a AccountId,
    shared_tags: Tags,
}

impl Importer<'_> {
    fn roles(&self, accounts: &BTreeMap<AccountId, Inventory>) -> Vec<RoleSpec> {
        let mut found: BTreeMap<String, Vec<(&AccountId, RoleSpec)>> = BTreeMap::new();
        for (account, inventory) in accounts {
            for (name, role) in &inventory.roles {
                if is_owned(&role.path, &role.tags, self.managed_path) {
                    let spec = self.role(account, name, role);
                    if spec.trusted.is_empty() {
                        // Trusted by no user or role: no spec can say that, and the comparison will show it.
                        continue;
                    }
                    let same = found.entry(name.to_ascii_lowercase()).or_default();
                    same.push((account, spec));
                }
            }
        }
        found
            .into_values()
            .filter_map(|variants| {
                let (mut role, holders) = most_common(variants)?;
                role.accounts = accounts::describe(self.organization, &holders);
                Some(role)
            })
            .collect()
    }

    fn role(&self, account: &AccountId, name: &str, role: &Role) -> RoleSpec {
        let trust = trust::read(&role.trust_policy, |arn| self.user_of(arn));
        RoleSpec {
            name: name.to_owned(),
            path: self.path(&role.path),
            description: (!role.description.is_empty()).then(|| role.description.clone()),
            failure_mode: None,
            accounts: crate::spec::Accounts::default(),
            trusted: trust.trusted,
            mfa: trust.mfa,
            incident: trust.incident,
            max_session: crate::spec::Duration::from_seconds(u64::from(role.max_session)),
            permissions: Permissions {
                managed_policies: self.policy_refs(account, &role.managed_policies),
                inline_policies: self.inline_policies(&role.inline_policies, &[]),
                permissions_boundary: role
                    .permissions_boundary
                    .as_ref()
                    .map(|arn| self.policy_ref(account, arn)),
            },
            must_allow: Vec::new(),
            must_deny: Vec::new(),
            tags: self.own_tags(&role.tags),
        }
    }

    fn user(&self, name: &str, user: &User, console: bool, plain: bool) -> UserSpec {
        let generated: &[&str] = if plain {
            &[]
        } else {
            &[MFA_POLICY, ASSUME_POLICY]
        };
        UserSpec {
            name: name.to_owned(),
            path: self.path(&user.path),
            custodians: None,
            console,
            generated_policies: !plain,
            access_keys: if user.access_keys.is_empty() {
                AccessKeys::Forbidden
            } else {
                AccessKeys::Vaulted
            },
            mfa: None,
            permissions: Permissions {
                managed_policies: self.policy_refs(self.emergency, &user.managed_policies),
                inline_policies: self.inline_policies(&user.inline_policies, generated),
                permissions_boundary: user
                    .permissions_boundary
                    .as_ref()
                    .map(|arn| self.policy_ref(self.emergency, arn)),
            },
            tags: self.own_tags(&user.tags),
        }
    }

    /// The managed policies, each with the document that most accounts have.
    fn policies(&self, accounts: &BTreeMap<AccountId, Inventory>) -> BTreeMap<String, PolicyEntry> {
        let mut found: BTreeMap<String, Vec<(&AccountId, PolicyEntry)>> = BTreeMap::new();
        for (account, inventory) in accounts {
            for (name, policy) in &inventory.policies {
                if !policy.path.is_under(self.managed_path) {
                    continue;
                }
                let Some(PolicySource {
                    file,
                    document,
                    library,
                }) = self.source(&policy.document)
                else {
                    continue;
                };
                let entry = PolicyEntry {
                    file,
                    document,
                    library,
                    path: self.path(&policy.path),
                    description: None,
                };
                found
                    .entry(name.clone())
                    .or_default()
                    .push((account, entry));
            }
        }
        found
            .into_iter()
            .filter_map(|(name, variants)| Some((name, most_common(variants)?.0)))
            .collect()
    }

    fn path(&self, path: &IamPath) -> Option<IamPath> {
        (path != self.managed_path).then(|| path.clone())
    }

    fn own_tags(&self, tags: &Tags) -> Tags {
        tags.iter()
            .filter(|(key, _)| !is_our_record(key) && !self.shared_tags.contains_key(*key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    fn policy_refs(&self, account: &AccountId, policies: &BTreeSet<Arn>) -> Vec<PolicyRef> {
        policies
            .iter()
            .map(|arn| self.policy_ref(account, arn))
            .collect()
    }

    /// A managed policy of the same account is named by this spec; anything else by its ARN.
    fn policy_ref(&self, account: &AccountId, arn: &Arn) -> PolicyRef {
        let managed = arn.account() == account.as_str()
            && arn
                .resource()
                .strip_prefix("policy")
                .and_then(|resource| resource.strip_suffix(arn.name()))
                .and_then(|path| path.parse::<IamPath>().ok())
                .is_some_and(|path| path.is_under(self.managed_path));
        if managed {
            PolicyRef::Policy(arn.name().to_owned())
        } else {
            PolicyRef::Arn(arn.clone())
        }
    }

    fn inline_policies(
        &self,
        live: &BTreeMap<String, PolicyText>,
        generated: &[&str],
    ) -> BTreeMap<String, PolicySource> {
        live.iter()
            .filter(|(name, _)| !generated.contains(&name.as_str()))
            // It goes by itself, and a spec can't hold it.
            .filter(|(name, _)| !name.eq_ignore_ascii_case(REVOKED_SESSIONS))
            .filter_map(|(name, text)| Some((name.clone(), self.source(text)?)))
            .collect()
    }

    /// Where a document comes from: the library, if it is one of its; `None` for text that no spec can say.
    fn source(&self, text: &PolicyText) -> Option<PolicySource> {
        let live = text.parse().ok()?;
        let context = CanonicalContext {
            partition: Some(self.organization.partition.clone()),
        };
        let library = policy::library::identity_names().find(|name| {
            policy::library::render(name, &self.organization.partition, self.managed_path)
                .and_then(|text| policy::parse(&text).ok())
                .is_some_and(|known| policy::compare(&live, &known, &context) == Verdict::Equal)
        });
        Some(PolicySource {
            file: None,
            document: match library {
                Some(_) => None,
                None => Some(serde_json::from_str(text.as_str()).ok()?),
            },
            library: library.map(str::to_owned),
        })
    }

    /// The name of the managed user that an ARN names.
    fn user_of(&self, arn: &Arn) -> Option<String> {
        let ours = arn.account() == self.emergency.as_str()
            && arn
                .resource()
                .strip_prefix("user")
                .is_some_and(|resource| resource.starts_with(self.managed_path.as_str()));
        ours.then(|| arn.name().to_owned())
    }
}

/// Finds the value that most accounts have, the first by account among equals, and the accounts that have any.
///
/// An account that has another value is among them: there the spec shows a difference, it does not remove the object.
fn most_common<T: PartialEq>(variants: Vec<(&AccountId, T)>) -> Option<(T, Vec<AccountId>)> {
    let mut accounts = Vec::new();
    let mut counts: Vec<(T, usize)> = Vec::new();
    for (account, value) in variants {
        accounts.push(account.clone());
        match counts.iter_mut().find(|(other, _)| *other == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max()?;
    let (value, _) = counts.into_iter().find(|(_, count)| *count == most)?;
    Some((value, accounts))
}
