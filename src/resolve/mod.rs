//! What a spec means for each account: the spec and the organization's tree together give the desired state.

mod alerts;
mod coverage;
mod documents;
mod guardrails;
mod protection;
mod root;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ids::{AccountId, Arn, IamPath};
use crate::org::{self, AccountState, Organization};
use crate::policy::{Limits, iam_size};
use crate::spec::{
    AccessKeys, Accounts, Loaded, OwnershipTag, Permissions, PolicyRef, Problem, Role as RoleSpec,
    Spec, Trusted, User as UserSpec, element, entry, trust_policy,
};
use crate::state::{
    Desired, DesiredPolicy, DesiredUser, EVENTS_ROLE, MfaRule, OWNERSHIP_TAG, OWNERSHIP_VALUE,
    Origin, Paths, Policy, PolicyText, ReadScope, ResourceType, Role, Tags, User, Wanted,
};

pub use alerts::{NOTIFY_RULES, alert_names, alert_scope};
pub use root::root_scope;

/// The inline policy that lets a user enrol a device, and denies everything else without MFA.
pub const MFA_POLICY: &str = "break-glass-mfa";
/// The inline policy that lets a user assume the roles that trust it.
pub const ASSUME_POLICY: &str = "break-glass-assume";

/// Knows what the spec wants of every account of an organization.
#[derive(Debug)]
pub struct Resolver<'a> {
    loaded: &'a Loaded,
    organization: &'a Organization,
    /// The accounts of each role, in the order of the spec.
    role_accounts: Vec<BTreeSet<AccountId>>,
    /// The accounts that each guardrail exception selects, in the order of the spec.
    exception_accounts: Vec<BTreeSet<AccountId>>,
    /// The accounts that each exemption from coverage selects, in the order of the spec.
    exempt_accounts: Vec<BTreeSet<AccountId>>,
}

/// Tells whether resolving this spec needs the accounts' tags.
#[must_use]
pub fn needs_tags(spec: &Spec) -> bool {
    selections(spec)
        .iter()
        .flatten()
        .any(|accounts| accounts.selection().needs_tags())
}

/// Tells what is to be read in full of each account for this spec; [`root_scope`] tells what of root users, and
/// [`alert_scope`] what of alerts.
#[must_use]
pub fn read_scope(spec: &Spec) -> ReadScope {
    let users = spec
        .users()
        .iter()
        .map(|user| (ResourceType::IamUser, &user.name));
    let roles = spec
        .roles()
        .iter()
        .map(|role| (ResourceType::IamRole, &role.name));
    let policies = spec
        .policies()
        .map(|(name, _)| (ResourceType::IamPolicy, name));
    ReadScope {
        managed_path: spec.defaults.path.clone(),
        names: users
            .chain(roles)
            .chain(policies)
            .map(|(kind, name)| (kind, name.to_ascii_lowercase()))
            .collect(),
        people: spec.users.as_ref().map(|_| spec.emergency_account.clone()),
        root: None,
        alerts: None,
    }
}

impl<'a> Resolver<'a> {
    /// Finds the accounts that each part of the spec means; warnings come with the resolver.
    ///
    /// # Errors
    /// Every problem, when the spec can't be meant for this organization: a selector that matches nothing, an
    /// emergency account that is not there, a document that comes out too large.
    pub fn new(
        loaded: &'a Loaded,
        organization: &'a Organization,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let spec = &loaded.spec;
        let mut errors = Vec::new();
        let mut warnings = Vec::new();
        errors.extend(emergency_problem(spec, organization));
        errors.extend(alerts::account_problems(spec, organization));
        let mut selected = |list: &str, all: &[&Accounts]| -> Vec<BTreeSet<AccountId>> {
            let select = |(index, accounts): (usize, &&Accounts)| {
                let selection = accounts.selection();
                let (found, problems) = selection.resolve(organization, &spec.emergency_account);
                let at = entry(&element(list, index), "accounts");
                for problem in problems {
                    let at = element(&entry(&at, problem.list), problem.index);
                    match problem.severity {
                        org::Severity::Error => errors.push(Problem::error(at, problem.message)),
                        org::Severity::Warning => {
                            warnings.push(Problem::warning(at, problem.message));
                        }
                    }
                }
                found
            };
            all.iter().enumerate().map(select).collect()
        };
        let [roles, exceptions, exempt] = selections(spec);
        let role_accounts = selected("roles", &roles);
        let exception_accounts = selected("guardrails.exceptions", &exceptions);
        let exempt_accounts = selected("coverage.exempt", &exempt);
        let resolver = Self {
            loaded,
            organization,
            role_accounts,
            exception_accounts,
            exempt_accounts,
        };
        errors.extend(resolver.oversized());
        errors.extend(resolver.protection().err().into_iter().flatten());
        if errors.is_empty() {
            Ok((resolver, warnings))
        } else {
            Err(errors)
        }
    }

    /// Knows what the spec wants of one account of an organization, of which no other account need be known.
    ///
    /// That the spec can be meant for the organization is told by [`Self::new`] alone, once all of it is known.
    #[must_use]
    pub fn of_account(
        loaded: &'a Loaded,
        organization: &'a Organization,
        id: &AccountId,
        account: &org::Account,
    ) -> Self {
        let emergency = &loaded.spec.emergency_account;
        let select = |accounts: &Accounts| -> BTreeSet<AccountId> {
            let selection = accounts.selection();
            let selected = selection.selects(organization, emergency, id, account);
            selected.then(|| id.clone()).into_iter().collect()
        };
        let [role_accounts, exception_accounts, exempt_accounts] =
            selections(&loaded.spec).map(|all| all.into_iter().map(select).collect());
        Self {
            loaded,
            organization,
            role_accounts,
            exception_accounts,
            exempt_accounts,
        }
    }

    /// Lists the roles that are declared in an account, by their numbers in the spec.
    pub fn roles_of<'b>(&'b self, account: &'b AccountId) -> impl Iterator<Item = usize> + 'b {
        let declared = self.role_accounts.iter().enumerate();
        declared
            .filter(|(_, accounts)| accounts.contains(account))
            .map(|(number, _)| number)
    }

    /// Lists the roles in the order of the spec, each with the accounts that it is declared in.
    pub fn role_accounts(&self) -> impl Iterator<Item = (&str, &BTreeSet<AccountId>)> {
        let roles = self.loaded.spec.roles().iter();
        let names = roles.map(|role| role.name.as_str());
        names.zip(&self.role_accounts)
    }

    /// Where the spec has a role, by its number.
    #[must_use]
    pub fn role_origin(&self, number: usize) -> Origin {
        self.origin(&element("roles", number))
    }

    /// Makes the desired state of an account.
    #[must_use]
    pub fn desired(&self, account: &AccountId) -> Desired {
        let spec = &self.loaded.spec;
        let mut wanted_policies = BTreeSet::new();
        let roles = spec.roles.as_ref().map(|roles| {
            roles
                .iter()
                .enumerate()
                .zip(&self.role_accounts)
                .filter(|(_, accounts)| accounts.contains(account))
                .map(|((index, role), _)| {
                    wanted_policies.extend(policy_names(&role.permissions));
                    let wanted = Wanted {
                        value: self.role(account, index, role),
                        origin: self.role_origin(index),
                    };
                    (role.name.clone(), wanted)
                })
                .chain(
                    self.events_role(account)
                        .map(|role| (EVENTS_ROLE.to_owned(), role)),
                )
                .collect()
        });
        let here = *account == spec.emergency_account;
        let users = spec.users.as_ref().map(|users| {
            users
                .iter()
                .enumerate()
                .filter(|_| here)
                .map(|(index, user)| {
                    wanted_policies.extend(policy_names(&user.permissions));
                    let wanted = Wanted {
                        value: self.user(account, index, user),
                        origin: self.origin(&element("users", index)),
                    };
                    (user.name.clone(), wanted)
                })
                .collect()
        });
        let policies = spec.policies.as_ref().map(|policies| {
            policies
                .iter()
                .filter(|(name, _)| wanted_policies.contains(name.as_str()))
                .map(|(name, policy)| {
                    let at = entry("policies", name);
                    let path = policy.path.as_ref().unwrap_or(&spec.defaults.path);
                    let value = DesiredPolicy {
                        policy: Policy {
                            path: path.clone(),
                            document: self.document(&at),
                        },
                        description: policy.description.clone().unwrap_or_default(),
                        tags: self.tags(&BTreeMap::new()),
                    };
                    let origin = self.origin(&at);
                    (name.clone(), Wanted { value, origin })
                })
                .collect()
        });
        let complete = spec.roles.is_some() && spec.users.is_some();
        let spared_policies = spec.policies().filter(|_| !complete);
        Desired {
            policies,
            users,
            roles,
            root: self.root(account),
            paths: self.paths(),
            alerts: self.alerts(account),
            ownership_tag_optional: spec.defaults.ownership_tag == OwnershipTag::Optional,
            spared_policies: spared_policies.map(|(name, _)| name.clone()).collect(),
            uncovered: self.uncovered(account),
        }
    }

    fn paths(&self) -> Paths {
        let spec = &self.loaded.spec;
        let modes = spec.roles().iter().filter_map(|role| {
            let mode = role.failure_mode.clone()?;
            Some((role.name.clone(), mode))
        });
        let users = spec.users().iter();
        Paths {
            failure_modes: modes.collect(),
            fido_only: users
                .filter(|user| user.has_fido_only())
                .map(|user| self.user_arn(user))
                .collect(),
        }
    }

    fn role(&self, account: &AccountId, index: usize, role: &RoleSpec) -> Role {
        let permissions = &role.permissions;
        let section = element("roles", index);
        Role {
            path: self.role_path(role).clone(),
            trust_policy: self.trust_policy(role),
            description: role.description.clone().unwrap_or_default(),
            // The spec was checked to be within IAM's 12 hours.
            max_session: u32::try_from(role.max_session.seconds()).unwrap_or(u32::MAX),
            tags: self.tags(&role.tags),
            permissions_boundary: self.boundary(account, permissions),
            managed_policies: self.managed_policies(account, permissions),
            inline_policies: self.inline_policies(&section, permissions),
        }
    }

    fn user(&self, account: &AccountId, index: usize, user: &UserSpec) -> DesiredUser {
        let permissions = &user.permissions;
        DesiredUser {
            user: User {
                path: self.user_path(user).clone(),
                tags: self.tags(&user.tags),
                permissions_boundary: self.boundary(account, permissions),
                managed_policies: self.managed_policies(account, permissions),
                inline_policies: self.policies_in(index, user),
                groups: BTreeSet::new(),
                access_keys: BTreeSet::new(),
                ssh_keys: BTreeSet::new(),
                service_credentials: BTreeSet::new(),
                signing_certificates: BTreeSet::new(),
            },
            console: user.console,
            vaulted_keys: user.access_keys == AccessKeys::Vaulted,
            mfa: user.mfa.as_ref().map(|mfa| MfaRule {
                at_least: usize::try_from(mfa.at_least).unwrap_or(usize::MAX),
                kinds: mfa.kinds.iter().copied().collect(),
                fido_certification: mfa.fido_certification,
            }),
            reset_at: self.reset_at(user),
            spared_inline_policies: match &self.loaded.spec.roles {
                None if user.generated_policies => BTreeSet::from([ASSUME_POLICY.to_owned()]),
                _ => BTreeSet::new(),
            },
        }
    }

    /// When the last incident that a user was used for was over for its credentials.
    fn reset_at(&self, user: &UserSpec) -> Option<Timestamp> {
        let incidents = self.loaded.records.incidents.iter();
        let own = incidents.filter(|incident| {
            let users = incident.users.as_ref();
            users.is_none_or(|users| users.contains(&user.name))
        });
        own.filter_map(|incident| incident.reset_at).max()
    }

    /// The inline policies of a user.
    fn policies_in(&self, index: usize, user: &UserSpec) -> BTreeMap<String, PolicyText> {
        let mut policies = self.inline_policies(&element("users", index), &user.permissions);
        if user.generated_policies {
            policies.extend(self.generated_policies(user));
        }
        policies
    }

    /// The inline policies that every user has beside those of the spec.
    fn generated_policies(&self, user: &UserSpec) -> Vec<(String, PolicyText)> {
        let partition = &self.organization.partition;
        let mut policies = vec![(
            MFA_POLICY.to_owned(),
            documents::user_mfa(partition, self.user_path(user)),
        )];
        let me = self.user_arn(user);
        let roles: BTreeSet<String> = self
            .loaded
            .spec
            .roles()
            .iter()
            .filter(|role| {
                role.trusted
                    .iter()
                    .any(|trusted| self.principal(trusted).as_ref() == Some(&me))
            })
            .map(|role| {
                format!(
                    "arn:{partition}:iam::*:role{}{}",
                    self.role_path(role),
                    role.name
                )
            })
            .collect();
        if !roles.is_empty() {
            let document = documents::assume_roles(&roles, &self.organization.id);
            policies.push((ASSUME_POLICY.to_owned(), document));
        }
        policies
    }

    fn trust_policy(&self, role: &RoleSpec) -> PolicyText {
        trust_policy(role, &self.trusted(role))
    }

    /// The users and roles that a role trusts.
    fn trusted(&self, role: &RoleSpec) -> BTreeSet<Arn> {
        role.trusted
            .iter()
            .filter_map(|trusted| self.principal(trusted))
            .collect()
    }

    fn principal(&self, trusted: &Trusted) -> Option<Arn> {
        match trusted {
            Trusted::Arn(arn) => Some(arn.clone()),
            Trusted::User(name) => {
                let mut users = self.loaded.spec.users().iter();
                let user = users.find(|user| user.name == *name);
                user.map(|user| self.user_arn(user))
            }
        }
    }

    fn user_arn(&self, user: &UserSpec) -> Arn {
        Arn::iam(
            &self.organization.partition,
            &self.loaded.spec.emergency_account,
            "user",
            self.user_path(user),
            &user.name,
        )
    }

    fn user_path<'b>(&'b self, user: &'b UserSpec) -> &'b IamPath {
        user.path
            .as_ref()
            .unwrap_or(&self.loaded.spec.defaults.path)
    }

    /// The IAM path of a role of the spec.
    #[must_use]
    pub fn role_path<'b>(&'b self, role: &'b RoleSpec) -> &'b IamPath {
        role.path
            .as_ref()
            .unwrap_or(&self.loaded.spec.defaults.path)
    }

    fn policy_arn(&self, account: &AccountId, policy: &PolicyRef) -> Arn {
        match policy {
            PolicyRef::Arn(arn) => arn.clone(),
            PolicyRef::Policy(name) => {
                let spec = &self.loaded.spec;
                let own = spec
                    .policies
                    .as_ref()
                    .and_then(|policies| policies.get(name));
                let path = own.and_then(|policy| policy.path.as_ref());
                Arn::iam(
                    &self.organization.partition,
                    account,
                    "policy",
                    path.unwrap_or(&spec.defaults.path),
                    name,
                )
            }
        }
    }

    fn boundary(&self, account: &AccountId, permissions: &Permissions) -> Option<Arn> {
        let boundary = permissions.permissions_boundary.as_ref();
        boundary.map(|policy| self.policy_arn(account, policy))
    }

    fn managed_policies(&self, account: &AccountId, permissions: &Permissions) -> BTreeSet<Arn> {
        let policies = permissions.managed_policies.iter();
        policies
            .map(|policy| self.policy_arn(account, policy))
            .collect()
    }

    fn inline_policies(
        &self,
        section: &str,
        permissions: &Permissions,
    ) -> BTreeMap<String, PolicyText> {
        let at = entry(&entry(section, "permissions"), "inline_policies");
        let names = permissions.inline_policies.keys();
        names
            .map(|name| (name.clone(), self.document(&entry(&at, name))))
            .collect()
    }

    fn document(&self, at: &str) -> PolicyText {
        let path = &self.loaded.spec.defaults.path;
        let documents = &self.loaded.documents;
        PolicyText::new(
            documents
                .text(at, &self.organization.partition, path)
                .unwrap_or_default(),
        )
    }

    fn tags(&self, own: &Tags) -> Tags {
        let mut tags = self.loaded.spec.defaults.tags.clone();
        tags.extend(own.clone());
        tags.insert(OWNERSHIP_TAG.to_owned(), OWNERSHIP_VALUE.to_owned());
        tags
    }

    fn origin(&self, at: &str) -> Origin {
        let location = self.loaded.sources.location_of(at);
        location.map_or_else(
            || Origin {
                file: String::new(),
                line: 0,
            },
            |location| Origin {
                file: location.file.to_owned(),
                line: location.line,
            },
        )
    }

    /// Finds documents that only come out too large with what this tool adds to them.
    fn oversized(&self) -> Vec<Problem> {
        let limits = Limits::DOCUMENTED;
        let spec = &self.loaded.spec;
        let mut problems = Vec::new();
        for (index, user) in spec.users().iter().enumerate() {
            let section = element("users", index);
            let own = self.inline_policies(&section, &user.permissions);
            let generated = if user.generated_policies {
                self.generated_policies(user)
            } else {
                Vec::new()
            };
            let documents = own
                .values()
                .chain(generated.iter().map(|(_, document)| document));
            let size: usize = documents.map(|document| iam_size(document.as_str())).sum();
            if size > limits.user_inline_total {
                problems.push(
                    Problem::error(
                        section,
                        format!(
                            "the inline policies of user {} come to {size} characters with those for MFA and for {} roles, IAM takes {}",
                            user.name,
                            spec.roles().len(),
                            limits.user_inline_total
                        ),
                    )
                    .hint("move the user's own inline policies to `policies` and attach them"),
                );
            }
        }
        problems
    }
}

/// The accounts that the roles, the guardrail exceptions and the exemptions from coverage select, as the spec writes them.
fn selections(spec: &Spec) -> [Vec<&Accounts>; 3] {
    let roles = spec.roles().iter().map(|role| &role.accounts);
    let exceptions = guardrails::exceptions(spec).iter();
    let exempt = coverage::exemptions(spec).iter();
    [
        roles.collect(),
        exceptions.map(|one| &one.accounts).collect(),
        exempt.map(|one| &one.accounts).collect(),
    ]
}

fn emergency_problem(spec: &Spec, organization: &Organization) -> Option<Problem> {
    let id = &spec.emergency_account;
    match organization.accounts.get(id) {
        None => Some(Problem::error(
            "emergency_account",
            format!("{id} is not an account of {}", organization.id),
        )),
        Some(account) if account.state != AccountState::Active => Some(Problem::error(
            "emergency_account",
            format!("{id} is {}", account.state.as_words()),
        )),
        Some(_) => None,
    }
}

/// Lists the policies of the spec that a user or role refers to.
fn policy_names(permissions: &Permissions) -> impl Iterator<Item = &str> {
    permissions
        .managed_policies
        .iter()
        .chain(&permissions.permissions_boundary)
        .filter_map(|policy| match policy {
            PolicyRef::Policy(name) => Some(name.as_str()),
            PolicyRef::Arn(_) => None,
        })
}

#[cfg(test)]
mod tests;
