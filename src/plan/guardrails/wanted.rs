//! Whom each statement of a policy shall let through, as an exception says.

use std::collections::{BTreeMap, BTreeSet};

use super::principals::{bound_accounts, role_values};
use super::{Found, GuardrailContext};
use crate::ids::{AccountId, Arn};
use crate::policy::exemption::{principal_values, user_value, would_stop};
use crate::policy::{Document, Effect, literal, parse};
use crate::state::{
    DesiredException, ExceptedRole, Exemption, GuardrailKind, GuardrailPolicy, PolicyText, sha256,
};

/// A declared exception with what it means in a policy.
pub(super) struct Declared<'a> {
    pub(super) exception: &'a DesiredException,
    /// The values of `aws:PrincipalArn` by the numbers of the statements that shall let them through.
    pub(super) wanted: BTreeMap<usize, BTreeSet<String>>,
    /// Those of them that are let through because they assume its roles.
    pub(super) callers: BTreeSet<String>,
    /// What the policy holds of it beyond that.
    pub(super) extra: BTreeSet<Exemption>,
}

impl Declared<'_> {
    /// Every value that it means.
    pub(super) fn values(&self) -> BTreeSet<String> {
        self.wanted.values().flatten().cloned().collect()
    }

    /// What it means, statement by statement.
    pub(super) fn exemptions(&self) -> BTreeSet<Exemption> {
        let wanted = self.wanted.iter();
        let wanted = wanted.flat_map(|(statement, values)| {
            values.iter().map(|value| Exemption {
                statement: *statement,
                principal: value.clone(),
            })
        });
        wanted.collect()
    }

    /// The tag of a policy that was made to let through just this, until just then.
    ///
    /// Whether an exception is new or was lost can't be seen from the policy's document alone.
    pub(super) fn memory(&self) -> (String, String) {
        let said = serde_json::json!([self.wanted, self.exception.expires.to_string()]);
        let digest = sha256(said.to_string().as_bytes());
        (memory_key(&self.exception.id), digest)
    }

    /// Names its users that it lets through nowhere.
    pub(super) fn idle_users(&self, context: &GuardrailContext<'_>) -> Vec<&str> {
        let partition = &context.organization.partition;
        let values = self.values();
        let users = self.exception.users.iter().filter(|user| {
            !values.contains(&user_value(
                partition,
                &user.path,
                &user.name,
                &user.account,
            ))
        });
        users.map(|user| user.name.as_str()).collect()
    }
}

/// How the keys begin of the tags by which a policy remembers exceptions.
pub(in crate::plan) const MEMORY: &str = "breakglass:exception/";

/// The key of the tag by which a policy remembers an exception.
pub(in crate::plan) fn memory_key(id: &str) -> String {
    format!("{MEMORY}{id}")
}

/// Finds out what exceptions mean in one policy.
pub(super) struct Wanting<'a> {
    context: &'a GuardrailContext<'a>,
    policy: &'a GuardrailPolicy,
    document: &'a Document,
    bound: BTreeSet<&'a AccountId>,
}

impl<'a> Wanting<'a> {
    pub(super) fn new(
        context: &'a GuardrailContext<'a>,
        policy: &'a GuardrailPolicy,
        document: &'a Document,
    ) -> Self {
        Self {
            context,
            policy,
            document,
            bound: bound_accounts(context.organization, policy),
        }
    }

    /// Says whom each statement shall let through.
    ///
    /// A role is let through by the statements that the exception names, or else by each that would stop it; a user only
    /// by those that would stop a call that it may make; and whoever assumes a role by those that would stop just that.
    pub(super) fn declared(&self, exception: &'a DesiredException) -> Declared<'a> {
        let mut declared = Declared {
            exception,
            wanted: BTreeMap::new(),
            callers: BTreeSet::new(),
            extra: BTreeSet::new(),
        };
        let users = exception
            .users
            .iter()
            .filter(|user| self.binds(user.account.as_str()));
        let users: Vec<(String, Document)> = users
            .map(|user| {
                let partition = &self.context.organization.partition;
                let value = user_value(partition, &user.path, &user.name, &user.account);
                (value, allowed(user.policies.as_deref()))
            })
            .collect();
        for number in chosen_statements(self.document, exception) {
            let mut values = BTreeSet::new();
            for role in &exception.roles {
                let own = role_values(
                    role,
                    self.context.organization,
                    self.policy.kind,
                    &self.bound,
                );
                let is_named = exception.statements.is_some();
                if !own.is_empty() && (is_named || self.stops_role(number, role, &own)) {
                    values.extend(own);
                }
                let callers = self.callers(number, role);
                declared.callers.extend(callers.iter().cloned());
                values.extend(callers);
            }
            for (value, calls) in &users {
                if self.stops(number, &BTreeSet::from([value.clone()]), calls) {
                    values.insert(value.clone());
                }
            }
            if !values.is_empty() {
                declared.wanted.insert(number, values);
            }
        }
        declared
    }

    fn stops_role(&self, number: usize, role: &ExceptedRole, own: &BTreeSet<String>) -> bool {
        let partition = &self.context.organization.partition;
        // Thousands of accounts are one value here: they differ in nothing that a statement tells apart often.
        let values = match own.len() {
            1 => own.clone(),
            _ => principal_values(partition, &role.path, &role.name, true, &[]),
        };
        self.stops(number, &values, &allowed(None))
    }

    /// Finds whoever is trusted with a role and would be stopped from assuming it.
    fn callers(&self, number: usize, role: &ExceptedRole) -> BTreeSet<String> {
        let reached = match self.policy.kind {
            GuardrailKind::Scp => !role.accounts.is_empty(),
            GuardrailKind::Rcp => role
                .accounts
                .iter()
                .any(|account| self.bound.contains(account)),
        };
        if !reached {
            return BTreeSet::new();
        }
        let partition = &self.context.organization.partition;
        let roles = principal_values(partition, &role.path, &role.name, true, &[]);
        let assuming = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles }],
        });
        let Ok(assuming) = parse(&assuming.to_string()) else {
            return BTreeSet::new();
        };
        let callers = role
            .callers
            .iter()
            .filter(|caller| self.binds(caller.account()));
        callers
            .map(value)
            .filter(|caller| self.stops(number, &BTreeSet::from([caller.clone()]), &assuming))
            .collect()
    }

    /// Tells whether the policy has a say in what is called from an account.
    fn binds(&self, account: &str) -> bool {
        match self.policy.kind {
            GuardrailKind::Scp => self.bound.iter().any(|bound| bound.as_str() == account),
            GuardrailKind::Rcp => true,
        }
    }

    fn stops(&self, number: usize, principals: &BTreeSet<String>, calls: &Document) -> bool {
        let organization = &self.context.organization.id;
        would_stop(self.document, number, principals, organization, calls)
    }
}

/// Notes of an exception whom it does not let through after all.
pub(super) fn note_idle(
    declared: &Declared<'_>,
    context: &GuardrailContext<'_>,
    policy: &str,
    found: &mut Found,
) {
    let id = &declared.exception.id;
    if declared.wanted.is_empty() {
        found.diff.notes.push(format!(
            "exception {id} lets nobody through: {policy} stops none of its roles and users"
        ));
        return;
    }
    let idle = declared.idle_users(context);
    if !idle.is_empty() {
        found.diff.notes.push(format!(
            "exception {id} does not let {} through: {policy} stops no call that they may make",
            idle.join(", ")
        ));
    }
}

/// Lists the numbers of the Deny statements that an exception may be about, counted from 1.
fn chosen_statements(document: &Document, exception: &DesiredException) -> BTreeSet<usize> {
    let statements = document.statements.iter().enumerate();
    statements
        .filter(|(_, statement)| statement.effect == Effect::Deny)
        .filter(
            |(_, statement)| match (&exception.statements, &statement.sid) {
                (None, _) => true,
                (Some(wanted), Some(sid)) => wanted.contains(sid),
                (Some(_), None) => false,
            },
        )
        .map(|(index, _)| index + 1)
        .collect()
}

/// What these policies allow together; everything where they are not known.
fn allowed(policies: Option<&[PolicyText]>) -> Document {
    let parsed: Option<Vec<Document>> =
        policies.and_then(|policies| policies.iter().map(|policy| policy.parse().ok()).collect());
    let mut all = Document::everything();
    if let Some(parsed) = parsed {
        let statements = parsed.into_iter().flat_map(|document| document.statements);
        all.statements = statements
            .filter(|statement| statement.effect == Effect::Allow)
            .collect();
    }
    all
}

/// Writes the value of `aws:PrincipalArn` for a user or role.
fn value(principal: &Arn) -> String {
    literal(principal.as_str())
}
