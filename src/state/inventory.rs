//! What one account holds, and the model of what an operation makes of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AlertScope, Alerts, Operation, People, Person, Policy, PolicyText, Principal, Reading,
    Resource, ResourceKey, ResourceType, Role, RootAccess, RootFeature, RootScope, User,
};
use crate::ids::{AccountId, Arn, IamPath};

/// Holds what was read of one account: in full what concerns this tool, by name what else there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Inventory {
    /// Customer managed policies by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<String, Policy>,
    /// Users by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<String, User>,
    /// Roles by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
    /// The users of `users` that have a login profile.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub login_profiles: BTreeSet<String>,
    /// When each role of `roles` was last used, where AWS knows of a use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub roles_last_used: BTreeMap<String, Timestamp>,
    /// What belongs to the people behind the users; absent when it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<People>,
    /// What was read of root users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<RootAccess>,
    /// Its alerts; absent when they were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Reading<Alerts>>,
    /// What is neither managed nor named by the spec: enough to see a clash of names, and who uses a policy.
    #[serde(default, skip_serializing_if = "Others::is_empty")]
    pub others: Others,
}

/// Names what an account holds beside what concerns this tool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Others {
    /// Names of customer managed policies.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub policies: BTreeSet<String>,
    /// Names of users.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub users: BTreeSet<String>,
    /// Names of roles.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<String>,
    /// Customer managed policies that users, roles or groups among these use, attached or as a boundary, with
    /// their users, such as `role/ci`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub policy_users: BTreeMap<Arn, BTreeSet<String>>,
}

impl Others {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Says why an operation can't be carried out, in the terms in which IAM would refuse it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// What the operation is about does not exist.
    #[error("NoSuchEntity: {0} does not exist")]
    NoSuchEntity(String),
    /// What the operation would make exists.
    #[error("EntityAlreadyExists: {0} exists")]
    EntityAlreadyExists(String),
    /// What the operation would delete is still in use.
    #[error("DeleteConflict: {0}")]
    DeleteConflict(String),
    /// What the operation is about belongs to the organization.
    #[error("{0} belongs to the organization, not to an account")]
    NotOfAnAccount(String),
    /// The state that would change is not known.
    #[error("the alerts of this account could not be read: {0}")]
    Unknown(String),
}

impl Inventory {
    /// Finds a resource by its exact name.
    #[must_use]
    pub fn get(&self, key: &ResourceKey) -> Option<Resource> {
        let name = &key.name;
        match key.resource_type {
            ResourceType::IamPolicy => self.policies.get(name).cloned().map(Resource::Policy),
            ResourceType::IamUser => self.users.get(name).cloned().map(Resource::User),
            ResourceType::IamRole => self.roles.get(name).cloned().map(Resource::Role),
            ResourceType::Credential => self
                .login_profiles
                .contains(name)
                .then_some(Resource::LoginProfile),
            ResourceType::RootAccess => {
                let features = self.root.as_ref()?.features.as_ref()?;
                let mut on = features.iter().map(|feature| feature.as_str());
                on.any(|feature| feature == name)
                    .then_some(Resource::RootFeature)
            }
            // Devices are never written, so nobody has to know whether they still are as planned.
            ResourceType::MfaDevice
            | ResourceType::GuardrailException
            | ResourceType::GuardrailPolicy => None,
            ResourceType::AlertRule
            | ResourceType::AlertTopic
            | ResourceType::AlertBus
            | ResourceType::MetricAlarm
            | ResourceType::Trail => self.known_alerts()?.get(key).map(Resource::Alert),
        }
    }

    /// The alerts, if they are known.
    #[must_use]
    pub fn known_alerts(&self) -> Option<&Alerts> {
        match &self.alerts {
            Some(Reading::Complete(alerts)) => Some(alerts),
            Some(Reading::Unreadable { .. }) | None => None,
        }
    }

    /// The alerts, to be changed: those of an account that was not asked for any are held to be none.
    fn alerts(&mut self) -> Result<&mut Alerts, ModelError> {
        let empty = || Reading::Complete(Alerts::default());
        match self.alerts.get_or_insert_with(empty) {
            Reading::Complete(alerts) => Ok(alerts),
            Reading::Unreadable { error } => Err(ModelError::Unknown(error.clone())),
        }
    }

    /// Takes out one resource alone.
    #[must_use]
    pub fn only(&self, key: &ResourceKey) -> Self {
        let mut alone = Self::default();
        if let Some(resource) = self.get(key) {
            alone.insert(&key.name, resource);
        }
        alone
    }

    /// Puts a resource in, in place of one of the same name.
    pub fn insert(&mut self, name: &str, resource: Resource) {
        let name = name.to_owned();
        match resource {
            Resource::Policy(policy) => drop(self.policies.insert(name, policy)),
            Resource::User(user) => drop(self.users.insert(name, user)),
            Resource::Role(role) => drop(self.roles.insert(name, role)),
            Resource::LoginProfile => drop(self.login_profiles.insert(name)),
            Resource::RootFeature => {
                let feature = RootFeature::ALL.into_iter();
                self.root_features()
                    .extend(feature.filter(|feature| feature.as_str() == name));
            }
            Resource::Alert(alert) => {
                if let Ok(alerts) = self.alerts() {
                    alerts.insert(&name, alert);
                }
            }
        }
    }

    /// Changes the inventory as IAM would on this operation. The inventory is unchanged on an error.
    ///
    /// # Errors
    /// When IAM would refuse: the object is missing, exists already, or is still in use.
    pub fn apply(&mut self, operation: &Operation) -> Result<(), ModelError> {
        match operation {
            Operation::CreatePolicy {
                name,
                path,
                document,
                ..
            } => {
                self.refuse_existing(ResourceType::IamPolicy, name)?;
                let policy = Policy {
                    path: path.clone(),
                    document: document.clone(),
                };
                self.policies.insert(name.clone(), policy);
            }
            Operation::CreateUser {
                name,
                path,
                tags,
                permissions_boundary,
            } => {
                self.refuse_existing(ResourceType::IamUser, name)?;
                let user = User {
                    path: path.clone(),
                    tags: tags.clone(),
                    permissions_boundary: permissions_boundary.clone(),
                    managed_policies: BTreeSet::new(),
                    inline_policies: BTreeMap::new(),
                    groups: BTreeSet::new(),
                    access_keys: BTreeSet::new(),
                    ssh_keys: BTreeSet::new(),
                    service_credentials: BTreeSet::new(),
                    signing_certificates: BTreeSet::new(),
                };
                self.users.insert(name.clone(), user);
                if let Some(people) = &mut self.people {
                    people.users.insert(name.clone(), Person::default());
                }
            }
            Operation::CreateRole {
                name,
                path,
                trust_policy,
                description,
                max_session,
                tags,
                permissions_boundary,
            } => {
                self.refuse_existing(ResourceType::IamRole, name)?;
                let role = Role {
                    path: path.clone(),
                    trust_policy: trust_policy.clone(),
                    description: description.clone(),
                    max_session: *max_session,
                    tags: tags.clone(),
                    permissions_boundary: permissions_boundary.clone(),
                    managed_policies: BTreeSet::new(),
                    inline_policies: BTreeMap::new(),
                };
                self.roles.insert(name.clone(), role);
            }
            Operation::SetPolicyDocument { arn, document } => {
                let policy = self.policies.get_mut(arn.name());
                policy.ok_or_else(|| missing(arn.as_str()))?.document = document.clone();
            }
            Operation::SetUserPath { user, path } => {
                self.user(user)?.path = path.clone();
            }
            Operation::SetTrustPolicy { role, document } => {
                self.role(role)?.trust_policy = document.clone();
            }
            Operation::SetRoleSettings {
                role,
                description,
                max_session,
            } => {
                let role = self.role(role)?;
                role.description.clone_from(description);
                role.max_session = *max_session;
            }
            Operation::PutInlinePolicy {
                principal,
                name,
                document,
            } => {
                let parts = self.parts(principal)?;
                parts.inline.insert(name.clone(), document.clone());
            }
            Operation::DeleteInlinePolicy { principal, name } => {
                let removed = self.parts(principal)?.inline.remove(name);
                removed.map(drop).ok_or_else(|| missing(name))?;
            }
            Operation::AttachPolicy { principal, policy } => {
                self.parts(principal)?.attached.insert(policy.clone());
            }
            Operation::DetachPolicy { principal, policy } => {
                if !self.parts(principal)?.attached.remove(policy) {
                    return Err(missing(policy.as_str()));
                }
            }
            Operation::SetBoundary { principal, policy } => {
                *self.parts(principal)?.boundary = Some(policy.clone());
            }
            Operation::RemoveBoundary { principal } => {
                *self.parts(principal)?.boundary = None;
            }
            Operation::Tag { principal, tags } => {
                self.parts(principal)?.tags.extend(tags.clone());
            }
            Operation::Untag { principal, keys } => {
                let tags = self.parts(principal)?.tags;
                tags.retain(|key, _| !keys.contains(key));
            }
            Operation::RemoveFromGroup { user, group } => {
                if !self.user(user)?.groups.remove(group) {
                    return Err(missing(group));
                }
            }
            Operation::DeleteAccessKey { user, id } => {
                if !self.user(user)?.access_keys.remove(id) {
                    return Err(missing(id));
                }
                if let Some(person) = self.person(user) {
                    person.access_keys.remove(id);
                }
            }
            Operation::DeleteSshKey { user, id } => {
                if !self.user(user)?.ssh_keys.remove(id) {
                    return Err(missing(id));
                }
            }
            Operation::DeleteServiceCredential { user, id } => {
                if !self.user(user)?.service_credentials.remove(id) {
                    return Err(missing(id));
                }
            }
            Operation::DeleteSigningCertificate { user, id } => {
                if !self.user(user)?.signing_certificates.remove(id) {
                    return Err(missing(id));
                }
            }
            Operation::EnableRootFeature { feature } => {
                self.root_features().insert(*feature);
            }
            Operation::DeleteLoginProfile { user } => {
                if !self.login_profiles.remove(user) {
                    return Err(missing(user));
                }
                if let Some(person) = self.person(user) {
                    person.password = None;
                }
            }
            Operation::DeletePolicy { arn } => self.delete_policy(arn)?,
            Operation::DeleteUser { name } => self.delete_user(name)?,
            Operation::DeleteRole { name } => self.delete_role(name)?,
            Operation::SetExemptions(edit) => {
                return Err(ModelError::NotOfAnAccount(edit.policy.clone()));
            }
            Operation::ChangeGuardrail(operation) => {
                let policy = operation.policy().to_string();
                return Err(ModelError::NotOfAnAccount(policy));
            }
            Operation::ChangeAlert(operation) => self.alerts()?.apply(operation)?,
        }
        Ok(())
    }

    /// Lists who uses a customer managed policy, attached or as a boundary, such as `role/Admin`.
    #[must_use]
    pub fn users_of_policy(&self, arn: &Arn) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (name, user) in &self.users {
            if user.managed_policies.contains(arn)
                || user.permissions_boundary.as_ref() == Some(arn)
            {
                found.insert(format!("user/{name}"));
            }
        }
        for (name, role) in &self.roles {
            if role.managed_policies.contains(arn)
                || role.permissions_boundary.as_ref() == Some(arn)
            {
                found.insert(format!("role/{name}"));
            }
        }
        if let Some(others) = self.others.policy_users.get(arn) {
            found.extend(others.iter().cloned());
        }
        found
    }

    fn delete_policy(&mut self, arn: &Arn) -> Result<(), ModelError> {
        if let Some(user) = self.users_of_policy(arn).first() {
            let message = format!("{arn} is in use by {user}");
            return Err(ModelError::DeleteConflict(message));
        }
        let removed = self.policies.remove(arn.name());
        removed.map(drop).ok_or_else(|| missing(arn.as_str()))
    }

    /// A user goes only when nothing hangs on it that IAM wants taken off first.
    fn delete_user(&mut self, name: &str) -> Result<(), ModelError> {
        let user = self.users.get(name).ok_or_else(|| missing(name))?;
        let held = self.login_profiles.contains(name)
            || !user.access_keys.is_empty()
            || !user.ssh_keys.is_empty()
            || !user.service_credentials.is_empty()
            || !user.signing_certificates.is_empty()
            || !user.groups.is_empty()
            || !user.managed_policies.is_empty()
            || !user.inline_policies.is_empty();
        if held {
            return Err(ModelError::DeleteConflict(format!(
                "user {name} still has credentials, groups or policies"
            )));
        }
        self.users.remove(name);
        if let Some(people) = &mut self.people {
            people.users.remove(name);
        }
        Ok(())
    }

    fn delete_role(&mut self, name: &str) -> Result<(), ModelError> {
        let role = self.roles.get(name).ok_or_else(|| missing(name))?;
        if !role.managed_policies.is_empty() || !role.inline_policies.is_empty() {
            return Err(ModelError::DeleteConflict(format!(
                "role {name} still has policies"
            )));
        }
        self.roles.remove(name);
        self.roles_last_used.remove(name);
        Ok(())
    }

    /// IAM compares names without regard to case when it refuses a second one.
    fn refuse_existing(&self, kind: ResourceType, name: &str) -> Result<(), ModelError> {
        let clash = self.same_name(kind, name);
        clash.map_or(Ok(()), |clash| {
            Err(ModelError::EntityAlreadyExists(clash.to_owned()))
        })
    }

    /// Finds the name of a policy, user or role that IAM would hold to be the same as `name`.
    ///
    /// Source: IAM and STS quotas, "names are unique within an account and are not distinguished by case".
    #[must_use]
    pub fn same_name(&self, kind: ResourceType, name: &str) -> Option<&str> {
        fn find<'a>(names: impl Iterator<Item = &'a String>, name: &str) -> Option<&'a str> {
            names
                .map(String::as_str)
                .find(|other| other.eq_ignore_ascii_case(name))
        }
        match kind {
            ResourceType::IamPolicy => {
                find(self.policies.keys().chain(&self.others.policies), name)
            }
            ResourceType::IamUser | ResourceType::Credential => {
                find(self.users.keys().chain(&self.others.users), name)
            }
            ResourceType::IamRole => find(self.roles.keys().chain(&self.others.roles), name),
            ResourceType::MfaDevice
            | ResourceType::RootAccess
            | ResourceType::GuardrailException
            | ResourceType::GuardrailPolicy
            | ResourceType::AlertRule
            | ResourceType::AlertTopic
            | ResourceType::AlertBus
            | ResourceType::MetricAlarm
            | ResourceType::Trail => None,
        }
    }

    /// The organization's features for root users, to be changed.
    fn root_features(&mut self) -> &mut BTreeSet<RootFeature> {
        let root = self.root.get_or_insert_default();
        root.features.get_or_insert_default()
    }

    fn user(&mut self, name: &str) -> Result<&mut User, ModelError> {
        self.users.get_mut(name).ok_or_else(|| missing(name))
    }

    fn person(&mut self, name: &str) -> Option<&mut Person> {
        self.people.as_mut()?.users.get_mut(name)
    }

    fn role(&mut self, name: &str) -> Result<&mut Role, ModelError> {
        self.roles.get_mut(name).ok_or_else(|| missing(name))
    }

    fn parts(&mut self, principal: &Principal) -> Result<Parts<'_>, ModelError> {
        Ok(match principal {
            Principal::User(name) => {
                let user = self.user(name)?;
                Parts {
                    tags: &mut user.tags,
                    boundary: &mut user.permissions_boundary,
                    attached: &mut user.managed_policies,
                    inline: &mut user.inline_policies,
                }
            }
            Principal::Role(name) => {
                let role = self.role(name)?;
                Parts {
                    tags: &mut role.tags,
                    boundary: &mut role.permissions_boundary,
                    attached: &mut role.managed_policies,
                    inline: &mut role.inline_policies,
                }
            }
        })
    }
}

/// What users and roles have in common.
struct Parts<'a> {
    tags: &'a mut super::Tags,
    boundary: &'a mut Option<Arn>,
    attached: &'a mut BTreeSet<Arn>,
    inline: &'a mut BTreeMap<String, PolicyText>,
}

fn missing(name: &str) -> ModelError {
    ModelError::NoSuchEntity(name.to_owned())
}

/// Tells what is to be read in full: what lies under the managed path or is tagged as ours, and what is named here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadScope {
    /// The managed path, `defaults.path`.
    pub managed_path: IamPath,
    /// Names that the spec uses, in lower case.
    pub names: BTreeSet<(ResourceType, String)>,
    /// The account in which what belongs to people is read; `None` when it is nowhere.
    pub people: Option<AccountId>,
    /// What is read of root users; `None` for nothing.
    pub root: Option<RootScope>,
    /// What is read of alerts; nothing when the spec says nothing of them.
    pub alerts: Option<AlertScope>,
}

impl ReadScope {
    /// Tells whether an object is read in full.
    #[must_use]
    pub fn covers(
        &self,
        kind: ResourceType,
        name: &str,
        path: &IamPath,
        tags: &super::Tags,
    ) -> bool {
        super::is_owned(path, tags, &self.managed_path)
            || self.names.contains(&(kind, name.to_ascii_lowercase()))
    }
}
