//! The comparison of one policy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::edit::{Edit, exemptions, take_out};
use super::owner::foreign;
use super::principals::{beginnings, covers, resource, role_resource, user_resource, values};
use super::{Found, GuardrailContext, address};
use crate::plan::{Action, Gate};
use crate::policy::exemption::{Chosen, exempt, is_exempted, prove};
use crate::policy::{Access, Document, Effect};
use crate::state::{DesiredException, DesiredGuardrails, Exemption, GuardrailPolicy, Guardrails};

/// A declared exception with what it means in a policy.
struct Declared<'a> {
    exception: &'a DesiredException,
    values: BTreeSet<String>,
    /// What the policy holds of it beyond that.
    extra: BTreeSet<Exemption>,
}

/// Compares one policy.
pub(super) struct PolicyDiff<'a> {
    context: &'a GuardrailContext<'a>,
    desired: &'a DesiredGuardrails,
    guardrails: &'a Guardrails,
    id: &'a str,
    policy: &'a GuardrailPolicy,
    active: Vec<Declared<'a>>,
    expired: Vec<Declared<'a>>,
    /// What is planned, in the order in which it is carried out.
    edits: Vec<Edit>,
}

impl<'a> PolicyDiff<'a> {
    pub(super) fn new(
        context: &'a GuardrailContext<'a>,
        desired: &'a DesiredGuardrails,
        guardrails: &'a Guardrails,
        (id, policy): (&'a str, &'a GuardrailPolicy),
        mut exceptions: Vec<&'a DesiredException>,
    ) -> Self {
        // By address, as they are carried out.
        exceptions.sort_by(|a, b| a.id.cmp(&b.id));
        let declared = exceptions.into_iter().map(|exception| Declared {
            exception,
            values: values(exception, context.organization, policy),
            extra: BTreeSet::new(),
        });
        let (expired, active) =
            declared.partition(|declared| declared.exception.expires < context.today);
        Self {
            context,
            desired,
            guardrails,
            id,
            policy,
            active,
            expired,
            edits: Vec::new(),
        }
    }

    pub(super) fn compare(mut self, found: &mut Found) {
        let live = match self.policy.document.parse() {
            Ok(live) => live,
            Err(error) => {
                for declared in &self.active {
                    let why = format!("the document of {} can't be read: {error}", self.name());
                    let edit = Edit::blocked(declared.exception, json!(declared.values), why);
                    let live = Some((self.id, self.policy));
                    found.record(
                        self.context,
                        edit.change(self.context, live, &BTreeSet::new()),
                    );
                }
                return;
            }
        };
        let strangers = self.sort_out(&live);
        found.diff.managed += self.managed(&live, &strangers);
        let mut current = live.clone();
        let mut removals = self.additions(&live, &mut current);
        removals.extend(self.expired());
        removals.extend(self.strangers(strangers));
        removals.sort_by(|a, b| a.name.cmp(&b.name));
        for removal in removals {
            self.take_away(removal, &mut current);
        }
        self.finish(&current, found);
    }

    fn name(&self) -> String {
        format!("{} {}", self.policy.kind, self.policy.name)
    }

    /// Says whose each exemption of the policy is, beside those that are declared; gives those that are nobody's.
    fn sort_out(&mut self, live: &Document) -> BTreeSet<Exemption> {
        let mut wanted = BTreeSet::new();
        for declared in &self.active {
            for statement in chosen_statements(live, declared.exception) {
                wanted.extend(declared.values.iter().map(|value| Exemption {
                    statement,
                    principal: value.clone(),
                }));
            }
        }
        let own = self.own_resources();
        let partition = &self.context.organization.partition;
        let beginnings = beginnings(partition, self.context.managed_path);
        let is_protection = self.desired.protection.as_deref() == Some(&self.policy.name);
        let mut strangers = BTreeSet::new();
        for extra in &exemptions(live) - &wanted {
            let Some(named) = resource(&extra.principal) else {
                continue;
            };
            let is_managed = own.contains(named)
                || beginnings
                    .iter()
                    .any(|beginning| named.starts_with(beginning));
            if !is_managed || is_protection {
                continue;
            }
            // What an expired exception says to the letter is its own, even where another one lets the same role through.
            let said = self.expired.iter_mut().find(|declared| {
                declared.values.contains(&extra.principal)
                    && chosen_statements(live, declared.exception).contains(&extra.statement)
            });
            if let Some(owner) = said {
                owner.extra.insert(extra);
                continue;
            }
            let same = |declared: &&mut Declared<'_>| {
                declared
                    .values
                    .iter()
                    .any(|value| resource(value) == Some(named) || covers(&extra.principal, value))
            };
            let mut owners = self.active.iter_mut().chain(&mut self.expired);
            match owners.find(same) {
                Some(owner) => drop(owner.extra.insert(extra)),
                None => drop(strangers.insert(extra)),
            }
        }
        strangers
    }

    /// What the roles and users of the spec are within an account.
    fn own_resources(&self) -> BTreeSet<String> {
        let organization = self.context.organization;
        let partition = &organization.partition;
        let management = &organization.management_account;
        let roles = self.desired.roles.iter();
        let users = self.desired.users.iter();
        roles
            .filter_map(|(path, name)| role_resource(partition, path, name))
            .chain(
                users.filter_map(|(path, name)| user_resource(partition, path, name, management)),
            )
            .collect()
    }

    /// Counts the exceptions that the policy makes now.
    fn managed(&self, live: &Document, strangers: &BTreeSet<Exemption>) -> usize {
        let made = exemptions(live);
        let is_made = |declared: &&Declared<'_>| {
            !declared.extra.is_empty()
                || made
                    .iter()
                    .any(|made| declared.values.contains(&made.principal))
        };
        let strangers: BTreeSet<&str> = strangers
            .iter()
            .map(|stranger| stranger.principal.as_str())
            .collect();
        self.active.iter().filter(is_made).count()
            + self.expired.iter().filter(is_made).count()
            + strangers.len()
    }

    /// Plans what declared exceptions add; gives those that only take something out.
    fn additions(&mut self, live: &Document, current: &mut Document) -> Vec<Edit> {
        let mut later = Vec::new();
        let mut edits = Vec::new();
        for declared in &self.active {
            let DesiredException { id, origin, .. } = declared.exception;
            if !(self.context.covers)(&address(self.context, id)) {
                continue;
            }
            let edit = match self.addition(declared, live, current) {
                Ok(Some(edit)) => edit,
                Ok(None) => continue,
                Err(why) => Edit::blocked(declared.exception, json!(declared.values), why),
            };
            let edit = Edit {
                origin: Some(origin.clone()),
                ..edit
            };
            if edit.add.is_empty() && edit.blocked.is_none() {
                later.push(edit);
            } else {
                if let Some(document) = &edit.document {
                    current.clone_from(document);
                }
                edits.push(edit);
            }
        }
        self.edits.extend(edits);
        later
    }

    /// Plans what one declared exception adds.
    fn addition(
        &self,
        declared: &Declared<'_>,
        live: &Document,
        current: &Document,
    ) -> Result<Option<Edit>, String> {
        let Declared {
            exception,
            values,
            extra,
        } = declared;
        if values.is_empty() {
            return Err("none of its accounts has one of its roles".to_owned());
        }
        let chosen = match &exception.statements {
            Some(sids) => Chosen::Sids(sids.clone()),
            None if chosen_statements(live, exception).is_empty() => {
                return Err(
                    "the policy has no Deny statement, so there is nothing to except from"
                        .to_owned(),
                );
            }
            None => Chosen::EachDeny,
        };
        let kind = self.policy.kind.document_kind();
        let without = self.taken_out(current, extra)?;
        let after = exempt(&without, &chosen, values, kind).map_err(|error| error.to_string())?;
        let add = &exemptions(&after) - &exemptions(&without);
        if add.is_empty() && extra.is_empty() {
            return Ok(None);
        }
        if self.policy.aws_managed {
            return Err("the policy is AWS's own and can't be changed".to_owned());
        }
        let proof = prove(&without, &after, values).map_err(|breach| breach.to_string())?;
        let statements = chosen_statements(live, exception);
        let has_some = statements.iter().any(|statement| {
            values
                .iter()
                .any(|value| is_exempted(live, *statement, value))
        });
        let made = exemptions(live);
        Ok(Some(Edit {
            access: match (add.is_empty(), extra.is_empty()) {
                (true, _) => Access::Narrower,
                (false, true) => Access::Broader,
                (false, false) => Access::Both,
            },
            reason: Some(match add.is_empty() {
                true => format!("{} lets more through than the exception says", self.name()),
                false => format!("{}: {proof}; until {}", self.name(), exception.expires),
            }),
            keep: made
                .into_iter()
                .filter(|made| statements.contains(&made.statement))
                .filter(|made| values.contains(&made.principal))
                .collect(),
            add,
            remove: extra.clone(),
            document: Some(after),
            ..Edit::new(
                &exception.id,
                if has_some || !extra.is_empty() {
                    Action::Update
                } else {
                    Action::Create
                },
            )
        }))
    }

    /// Takes exemptions out, and proves that nobody else loses or gains anything.
    fn taken_out(
        &self,
        current: &Document,
        remove: &BTreeSet<Exemption>,
    ) -> Result<Document, String> {
        if remove.is_empty() {
            return Ok(current.clone());
        }
        if self.policy.aws_managed {
            return Err("the policy is AWS's own and can't be changed".to_owned());
        }
        let after = take_out(current, remove);
        if let Some(left) = (&exemptions(&after) & remove).first() {
            return Err(format!(
                "{} is all that a test on aws:PrincipalArn names, and without it the test may mean something else: edit the policy by hand",
                left.principal
            ));
        }
        let principals = remove.iter().map(|removed| removed.principal.clone());
        prove(&after, current, &principals.collect())
            .map(|_| after)
            .map_err(|breach| format!("taking it back does more than that: {breach}"))
    }

    /// Plans what goes of exceptions that are past their last day.
    fn expired(&self) -> Vec<Edit> {
        let gone = self
            .expired
            .iter()
            .filter(|declared| !declared.extra.is_empty());
        gone.map(|declared| {
            let DesiredException {
                id,
                expires,
                origin,
                ..
            } = declared.exception;
            Edit {
                origin: Some(origin.clone()),
                remove: declared.extra.clone(),
                access: Access::Narrower,
                reason: Some(format!("{}: expired on {expires}", self.name())),
                ..Edit::new(id, Action::Delete)
            }
        })
        .collect()
    }

    /// Plans what goes because no exception says so.
    fn strangers(&self, strangers: BTreeSet<Exemption>) -> Vec<Edit> {
        let policies = self.guardrails.policies.values();
        let named_so = policies.filter(|policy| policy.name == self.policy.name);
        let policy = match named_so.count() {
            1 => &self.policy.name,
            _ => self.id,
        };
        let mut by_principal: BTreeMap<String, BTreeSet<Exemption>> = BTreeMap::new();
        for stranger in strangers {
            let principal = stranger.principal.clone();
            by_principal.entry(principal).or_default().insert(stranger);
        }
        by_principal
            .into_iter()
            .map(|(principal, remove)| Edit {
                remove,
                access: Access::Narrower,
                reason: Some(format!(
                    "{} lets it through, and no exception of the spec says so",
                    self.name()
                )),
                ..Edit::new(&format!("{policy}:{principal}"), Action::Delete)
            })
            .collect()
    }

    /// Plans a removal on top of what is planned already.
    fn take_away(&mut self, mut edit: Edit, current: &mut Document) {
        if !(self.context.covers)(&address(self.context, &edit.name)) {
            return;
        }
        let after = self.taken_out(current, &edit.remove);
        match after.and_then(|after| self.unless_needed(current, after)) {
            Ok(after) => {
                current.clone_from(&after);
                edit.document = Some(after);
            }
            Err(why) => {
                edit.blocked = Some(why);
                edit.document = None;
            }
        }
        self.edits.push(edit);
    }

    /// Refuses a removal by which a declared exception would no longer hold.
    fn unless_needed(&self, before: &Document, after: Document) -> Result<Document, String> {
        for Declared {
            exception, values, ..
        } in &self.active
        {
            for statement in chosen_statements(before, exception) {
                let lost = values.iter().find(|value| {
                    is_exempted(before, statement, value) && !is_exempted(&after, statement, value)
                });
                if let Some(lost) = lost {
                    return Err(format!(
                        "exception {} holds by it: write {lost} into the policy by hand first",
                        exception.id
                    ));
                }
            }
        }
        Ok(after)
    }

    /// Makes the changes, now that it is known what all of them edit.
    fn finish(self, last: &Document, found: &mut Found) {
        let carried_out = || self.edits.iter().filter(|edit| edit.blocked.is_none());
        let all: BTreeSet<Exemption> = carried_out()
            .flat_map(|edit| edit.add.iter().chain(&edit.remove))
            .cloned()
            .collect();
        let own = self.own_resources();
        for edit in &self.edits {
            let change = edit.change(self.context, Some((self.id, self.policy)), &all);
            if edit.blocked.is_none() {
                if !edit.add.is_empty() {
                    let reason =
                        "a guardrail would let more through, as an exception of the spec says";
                    found.guard(Gate::Widen, reason, &change.address);
                }
                if let Some(reason) = foreign(self.policy) {
                    found.guard(Gate::Foreign, reason, &change.address);
                }
                if edit
                    .remove
                    .iter()
                    .any(|removed| is_last(removed, last, &own))
                {
                    let reason = "a break-glass role or user would no longer be let through by a statement at all";
                    found.guard(Gate::Lockout, reason, &change.address);
                }
            }
            found.record(self.context, change);
        }
    }
}

/// Tells whether nothing is left in a statement for a role or user of the spec that an exemption is taken from.
fn is_last(removed: &Exemption, last: &Document, own: &BTreeSet<String>) -> bool {
    let named = resource(&removed.principal);
    let left = exemptions(last);
    let mut left = left
        .iter()
        .filter(|left| left.statement == removed.statement);
    named.is_some_and(|named| own.contains(named))
        && !is_exempted(last, removed.statement, &removed.principal)
        && !left.any(|left| resource(&left.principal) == named)
}

/// Lists the numbers of the Deny statements that an exception is about, counted from 1.
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
