//! The comparison of one policy.

use std::collections::BTreeSet;

use super::edit::{Edit, exemptions};
use super::principals::{beginnings, covers, resource, role_resource, user_resource};
use super::protection::is_own;
use super::wanted::{Declared, Wanting, note_idle};
use super::{Found, GuardrailContext, address};
use crate::plan::Action;
use crate::policy::exemption::{Chosen, ExemptionError, exempt, is_exempted, prove};
use crate::policy::{Access, Document, DocumentKind, Effect};
use crate::state::{
    DesiredException, DesiredGuardrails, Exemption, GuardrailKind, GuardrailPolicy, Guardrails,
};

/// Compares one policy.
pub(super) struct PolicyDiff<'a> {
    pub(super) context: &'a GuardrailContext<'a>,
    desired: &'a DesiredGuardrails,
    pub(super) guardrails: &'a Guardrails,
    pub(super) id: &'a str,
    pub(super) policy: &'a GuardrailPolicy,
    live: &'a Document,
    pub(super) active: Vec<Declared<'a>>,
    pub(super) ended: Vec<Declared<'a>>,
    /// What is planned, in the order in which it is carried out.
    pub(super) edits: Vec<Edit>,
}

/// Compares one policy, with the exceptions that name it, and notes what is found.
pub(super) fn compare_policy<'a>(
    context: &'a GuardrailContext<'a>,
    desired: &'a DesiredGuardrails,
    guardrails: &'a Guardrails,
    (id, policy): (&'a str, &'a GuardrailPolicy),
    mut exceptions: Vec<&'a DesiredException>,
    found: &mut Found,
) {
    // By address, as they are carried out.
    exceptions.sort_by(|a, b| a.id.cmp(&b.id));
    let live = match policy.document.parse() {
        Ok(live) => live,
        Err(error) => {
            let why = format!(
                "the document of {} {} can't be read: {error}",
                policy.kind, policy.name
            );
            for exception in exceptions {
                if exception.ended(context.today).is_none() {
                    let edit = Edit::blocked(exception, why.clone());
                    let change = edit.change(context, Some((id, policy)), &BTreeSet::new());
                    found.record(context, change);
                }
            }
            return;
        }
    };
    let wanting = Wanting::new(context, policy, &live);
    let declared = exceptions
        .into_iter()
        .map(|exception| wanting.declared(exception));
    let (ended, active) =
        declared.partition(|declared| declared.exception.ended(context.today).is_some());
    let diff = PolicyDiff {
        context,
        desired,
        guardrails,
        id,
        policy,
        live: &live,
        active,
        ended,
        edits: Vec::new(),
    };
    diff.compare(found);
}

impl PolicyDiff<'_> {
    fn compare(mut self, found: &mut Found) {
        let strangers = self.sort_out();
        found.diff.managed += self.managed(&strangers);
        let mut current = self.live.clone();
        let mut removals = self.additions(&mut current);
        removals.extend(self.ended());
        removals.extend(self.strangers(strangers));
        removals.sort_by(|a, b| a.name.cmp(&b.name));
        for removal in removals {
            self.take_away(removal, &mut current);
        }
        for declared in &self.active {
            if (self.context.covers)(&address(self.context, &declared.exception.id)) {
                note_idle(declared, self.context, &self.name(), found);
            }
        }
        self.finish(&current, found);
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.policy.kind, self.policy.name)
    }

    /// Says whose each exemption of the policy is, beside those that are declared; gives those that are nobody's.
    fn sort_out(&mut self) -> BTreeSet<Exemption> {
        let wanted = self.active.iter().flat_map(Declared::exemptions).collect();
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
        for extra in &exemptions(self.live) - &wanted {
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
            // What an exception that is over says to the letter is its own, even where another one lets the same role through.
            let mut ended = self.ended.iter_mut();
            let said = ended.find(|declared| declared.exemptions().contains(&extra));
            if let Some(owner) = said {
                owner.extra.insert(extra);
                continue;
            }
            let same = |declared: &&mut Declared<'_>| {
                declared
                    .values()
                    .iter()
                    .any(|value| resource(value) == Some(named) || covers(&extra.principal, value))
            };
            let mut owners = self.active.iter_mut().chain(&mut self.ended);
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
    fn managed(&self, strangers: &BTreeSet<Exemption>) -> usize {
        let made = exemptions(self.live);
        let is_made = |declared: &&Declared<'_>| {
            !declared.extra.is_empty() || !made.is_disjoint(&declared.exemptions())
        };
        let strangers: BTreeSet<&str> = strangers
            .iter()
            .map(|stranger| stranger.principal.as_str())
            .collect();
        self.active.iter().filter(is_made).count()
            + self.ended.iter().filter(is_made).count()
            + strangers.len()
    }

    /// Plans what declared exceptions add; gives those that only take something out.
    fn additions(&mut self, current: &mut Document) -> Vec<Edit> {
        let mut later = Vec::new();
        let mut edits = Vec::new();
        for declared in &self.active {
            let DesiredException { id, origin, .. } = declared.exception;
            if !(self.context.covers)(&address(self.context, id)) {
                continue;
            }
            let edit = match self.addition(declared, current) {
                Ok(Some(edit)) => edit,
                Ok(None) => continue,
                Err(why) => Edit::blocked(declared.exception, why),
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
        current: &Document,
    ) -> Result<Option<Edit>, String> {
        let Declared {
            exception,
            wanted: _,
            callers,
            extra,
        } = declared;
        self.refuse_mistaken(exception)?;
        let Exchange { from, to, after } = self.exchange(declared, current)?;
        let add = &exemptions(&to) - &exemptions(&from);
        if add.is_empty() && extra.is_empty() {
            return Ok(None);
        }
        if self.policy.aws_managed {
            return Err("the policy is AWS's own and can't be changed".to_owned());
        }
        let values = declared.values();
        let proof = prove(&from, &to, &values).map_err(|breach| breach.to_string())?;
        let wanted = declared.exemptions();
        let has_some = wanted
            .iter()
            .any(|wanted| is_exempted(self.live, wanted.statement, &wanted.principal));
        let lets_callers_through = add.iter().any(|added| callers.contains(&added.principal));
        let (key, memory) = declared.memory();
        let is_lost = self.policy.tags.get(&key) == Some(&memory);
        // Also when it lets fewer through than before: who goes now is new when they come again.
        let remember = !is_lost && (!add.is_empty() || self.policy.tags.contains_key(&key));
        // Beside a wider value that goes, a narrower one lets nobody through who was not.
        let mut newly = add.iter();
        let gains = newly.any(|add| !is_exempted(self.live, add.statement, &add.principal));
        let DesiredException {
            reason,
            owner,
            ticket,
            expires,
            ..
        } = exception;
        Ok(Some(Edit {
            access: match (add.is_empty(), extra.is_empty()) {
                (true, _) => Access::Narrower,
                (false, true) => Access::Broader,
                (false, false) => Access::Both,
            },
            reason: Some(match add.is_empty() {
                true => format!("{} lets more through than the exception says", self.name()),
                false => {
                    let callers = match lets_callers_through {
                        true => "; whoever assumes a role is let through where that is stopped",
                        false => "",
                    };
                    format!(
                        "{}: {proof}{callers}; until {expires}; {reason} ({owner}, {ticket})",
                        self.name()
                    )
                }
            }),
            widens: remember && gains,
            remember: remember.then_some((key, memory)).into_iter().collect(),
            keep: &exemptions(self.live) & &wanted,
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

    /// Takes out of a document what is too much, and lets everybody through whom an exception means.
    fn exchange(&self, declared: &Declared<'_>, current: &Document) -> Result<Exchange, String> {
        let why = match self.taken_out(current, &declared.extra) {
            Ok(from) => {
                let to = self.exempted(declared, &from)?;
                let after = to.clone();
                return Ok(Exchange { from, to, after });
            }
            Err(why) => why,
        };
        // A test that names nobody else can't be left empty: those who come are named first.
        let to = self.exempted(declared, current)?;
        match self.taken_out(&to, &declared.extra) {
            Ok(after) if self.exempted(declared, &after)? == after => Ok(Exchange {
                from: current.clone(),
                to,
                after,
            }),
            Ok(_) | Err(_) => Err(why),
        }
    }

    /// Lets everybody through whom an exception means.
    fn exempted(&self, declared: &Declared<'_>, document: &Document) -> Result<Document, String> {
        let kind = self.policy.kind.document_kind();
        let mut after = document.clone();
        for (statement, values) in &declared.wanted {
            let chosen = Chosen::Numbers(vec![*statement]);
            after = match exempt(&after, &chosen, values, kind) {
                Ok(after) => after,
                Err(error @ ExemptionError::TooLarge { .. }) => {
                    return Err(too_large(&after, &chosen, values, kind, &error));
                }
                Err(error) => return Err(error.to_string()),
            };
        }
        Ok(after)
    }

    /// Refuses an exception that names what is not there.
    fn refuse_mistaken(&self, exception: &DesiredException) -> Result<(), String> {
        if exception.users.is_empty() && exception.roles.iter().all(|role| role.accounts.is_empty())
        {
            return Err("none of its accounts has one of its roles".to_owned());
        }
        let denies = |document: &Document| {
            let mut statements = document.statements.iter();
            statements.any(|statement| statement.effect == Effect::Deny)
        };
        match &exception.statements {
            None if !denies(self.live) => Err(
                "the policy has no Deny statement, so there is nothing to except from".to_owned(),
            ),
            None => Ok(()),
            Some(sids) => {
                let (chosen, nobody) = (Chosen::Sids(sids.clone()), BTreeSet::new());
                exempt(
                    self.live,
                    &chosen,
                    &nobody,
                    self.policy.kind.document_kind(),
                )
                .map(drop)
                .map_err(|error| error.to_string())
            }
        }
    }
}

/// Holds the documents on the way to what an exception says.
struct Exchange {
    /// The one in which nobody has come yet.
    from: Document,
    /// The one in which everybody has.
    to: Document,
    /// The one that is written.
    after: Document,
}

/// Bounds how many accounts are named in a line.
const MAX_NAMES: usize = 3;

/// Says for whom there is no room in a policy.
fn too_large(
    document: &Document,
    chosen: &Chosen,
    values: &BTreeSet<String>,
    kind: DocumentKind,
    error: &ExemptionError,
) -> String {
    let fits = |count: usize| {
        let some = values.iter().take(count).cloned().collect();
        exempt(document, chosen, &some, kind).is_ok()
    };
    let (mut room, mut over) = (0, values.len());
    while room + 1 < over {
        let middle = usize::midpoint(room, over);
        if fits(middle) {
            room = middle;
        } else {
            over = middle;
        }
    }
    let left = values.iter().skip(room);
    let accounts: BTreeSet<&str> = left.filter_map(|value| value.split(':').nth(4)).collect();
    let named: Vec<&str> = accounts.iter().take(MAX_NAMES).copied().collect();
    let more = match accounts.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{error}: there is room for {room} of {} values, but not for those of {}{more}",
        values.len(),
        named.join(", ")
    )
}
