//! The comparison of one policy.

use std::collections::BTreeSet;

use serde_json::json;

use super::edit::{Edit, chosen_statements, exemptions};
use super::principals::{beginnings, covers, resource, role_resource, user_resource, values};
use super::protection::is_own;
use super::{Found, GuardrailContext, address};
use crate::plan::Action;
use crate::policy::exemption::{Chosen, exempt, is_exempted, prove};
use crate::policy::{Access, Document};
use crate::state::{
    DesiredException, DesiredGuardrails, Exemption, GuardrailKind, GuardrailPolicy, Guardrails,
};

/// A declared exception with what it means in a policy.
pub(super) struct Declared<'a> {
    pub(super) exception: &'a DesiredException,
    pub(super) values: BTreeSet<String>,
    /// What the policy holds of it beyond that.
    pub(super) extra: BTreeSet<Exemption>,
}

/// Compares one policy.
pub(super) struct PolicyDiff<'a> {
    pub(super) context: &'a GuardrailContext<'a>,
    desired: &'a DesiredGuardrails,
    pub(super) guardrails: &'a Guardrails,
    pub(super) id: &'a str,
    pub(super) policy: &'a GuardrailPolicy,
    pub(super) active: Vec<Declared<'a>>,
    pub(super) expired: Vec<Declared<'a>>,
    /// What is planned, in the order in which it is carried out.
    pub(super) edits: Vec<Edit>,
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

    pub(super) fn name(&self) -> String {
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
        let protection = self.desired.protection.as_ref();
        // Of this tool's own policies each is compared, or goes, as a whole.
        let is_protection = is_own(self.policy)
            || protection.is_some_and(|protection| {
                (self.policy.kind, &self.policy.name) == (GuardrailKind::Scp, &protection.name)
            });
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
    pub(super) fn own_resources(&self) -> BTreeSet<String> {
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
}
