//! What a spec wants of the guardrails.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Resolver;
use crate::ids::AccountId;
use crate::spec::{Exception, PolicyRef, Spec, User, element, entry};
use crate::state::{DesiredException, DesiredGuardrails, ExceptedRole, ExceptedUser, PolicyText};

/// The exceptions of a spec.
pub(super) fn exceptions(spec: &Spec) -> &[Exception] {
    spec.guardrails
        .as_ref()
        .map_or(&[], |guardrails| &guardrails.exceptions)
}

impl Resolver<'_> {
    /// Makes the desired state of the guardrails; `None` when the spec says nothing of them.
    #[must_use]
    pub fn guardrails(&self) -> Option<DesiredGuardrails> {
        let spec = &self.loaded.spec;
        spec.guardrails.as_ref()?;
        let exceptions = exceptions(spec).iter().zip(&self.exception_accounts);
        let exceptions = exceptions
            .enumerate()
            .map(|(index, (exception, accounts))| self.exception(index, exception, accounts));
        let roles = spec.roles().iter();
        let users = spec.users().iter();
        Some(DesiredGuardrails {
            exceptions: exceptions.collect(),
            roles: roles
                .map(|role| (self.role_path(role).clone(), role.name.clone()))
                .collect(),
            users: users
                .map(|user| (self.user_path(user).clone(), user.name.clone()))
                .collect(),
            // Its problems are told when the resolver is made.
            protection: self.protection().ok().flatten(),
        })
    }

    fn exception(
        &self,
        index: usize,
        exception: &Exception,
        accounts: &BTreeSet<AccountId>,
    ) -> DesiredException {
        let spec = &self.loaded.spec;
        let roles = spec.roles().iter().zip(&self.role_accounts);
        let roles = roles
            .filter(|(role, _)| exception.roles.contains(&role.name))
            .map(|(role, declared)| ExceptedRole {
                path: self.role_path(role).clone(),
                name: role.name.clone(),
                accounts: declared & accounts,
                callers: self.trusted(role),
            });
        let users = spec.users().iter().enumerate();
        let users = users
            .filter(|(_, user)| exception.users.contains(&user.name))
            .map(|(number, user)| ExceptedUser {
                path: self.user_path(user).clone(),
                name: user.name.clone(),
                account: spec.emergency_account.clone(),
                policies: self.policies_of_user(number, user),
            });
        DesiredException {
            id: exception.id.clone(),
            policy: exception.policy.clone(),
            statements: exception.statements.clone(),
            roles: roles.collect(),
            users: users.collect(),
            reason: exception.reason.clone(),
            owner: exception.owner.clone(),
            ticket: exception.ticket.clone(),
            expires: exception.expires,
            closed: self.closed(&exception.ticket),
            origin: self.origin(&element("guardrails.exceptions", index)),
        }
    }

    /// The day on which an incident was closed.
    fn closed(&self, id: &str) -> Option<Date> {
        let incidents = self.loaded.records.incidents.iter();
        let closed = incidents.filter(|incident| incident.id == id);
        let closed = closed.filter_map(|incident| incident.closed).next()?;
        Some(closed.to_zoned(TimeZone::UTC).date())
    }

    /// The documents of every policy that the spec gives a user; `None` when one is not the spec's own.
    fn policies_of_user(&self, number: usize, user: &User) -> Option<Vec<PolicyText>> {
        let inline = self.policies_in(number, user).into_values();
        let attached = user.permissions.managed_policies.iter();
        let attached = attached.map(|policy| match policy {
            PolicyRef::Policy(name) => Some(self.document(&entry("policies", name))),
            PolicyRef::Arn(_) => None,
        });
        inline.map(Some).chain(attached).collect()
    }
}
