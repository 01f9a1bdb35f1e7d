//! One difference in the making: what is added to a policy and taken out of it, and how that is told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{GuardrailContext, address};
use crate::plan::{Action, Cause, Change, Field, Risk, Step};
use crate::policy::exemption::{Chosen, exempted, unexempt};
use crate::policy::{Access, CanonicalContext, Document, minified};
use crate::state::{
    DesiredException, Exemption, ExemptionEdit, GuardrailPolicy, Origin, PolicyText, ResourceType,
    Tags,
};

/// Holds what makes one exception what the spec says.
#[derive(Debug)]
pub(super) struct Edit {
    /// The name in its address.
    pub(super) name: String,
    pub(super) origin: Option<Origin>,
    pub(super) action: Action,
    pub(super) add: BTreeSet<Exemption>,
    pub(super) remove: BTreeSet<Exemption>,
    /// What stays as it is beside them, so that lists are told whole.
    pub(super) keep: BTreeSet<Exemption>,
    pub(super) access: Access,
    pub(super) reason: Option<String>,
    pub(super) blocked: Option<String>,
    /// Whether it lets somebody through who is not, and was not as far as the policy remembers.
    pub(super) widens: bool,
    /// The tag by which the policy comes to remember it.
    pub(super) remember: Tags,
    /// The tag that goes with it.
    pub(super) forget: BTreeSet<String>,
    /// What is shown when it is not known what is added or taken out.
    pub(super) wanted: Value,
    /// The document after it and everything before it.
    pub(super) document: Option<Document>,
}

impl Edit {
    pub(super) fn new(name: &str, action: Action) -> Self {
        Self {
            name: name.to_owned(),
            origin: None,
            action,
            add: BTreeSet::new(),
            remove: BTreeSet::new(),
            keep: BTreeSet::new(),
            access: Access::None,
            reason: None,
            blocked: None,
            widens: false,
            remember: Tags::new(),
            forget: BTreeSet::new(),
            wanted: Value::Null,
            document: None,
        }
    }

    /// An exception that can't be made.
    pub(super) fn blocked(exception: &DesiredException, why: String) -> Self {
        let named = exception.roles.iter().map(|role| &role.name);
        let named = named.chain(exception.users.iter().map(|user| &user.name));
        Self {
            origin: Some(exception.origin.clone()),
            access: Access::Broader,
            blocked: Some(why),
            wanted: json!(named.collect::<Vec<_>>()),
            ..Self::new(&exception.id, Action::Create)
        }
    }

    /// Makes the change; `live` is the policy with its id, and `all` what every change of it edits.
    pub(super) fn change(
        &self,
        context: &GuardrailContext<'_>,
        live: Option<(&str, &GuardrailPolicy)>,
        all: &BTreeSet<Exemption>,
    ) -> Change {
        let canonical = CanonicalContext {
            partition: Some(context.organization.partition.clone()),
        };
        let neighbours = all
            .iter()
            .filter(|edited| !self.add.contains(edited) && !self.remove.contains(edited));
        let text = match &self.document {
            Some(document) => PolicyText::new(minified(document)),
            None => PolicyText::new(""),
        };
        let edit = ExemptionEdit {
            exception: self.name.clone(),
            policy: live.map(|(id, _)| id.to_owned()).unwrap_or_default(),
            add: self.add.clone(),
            remove: self.remove.clone(),
            neighbours: neighbours.cloned().collect(),
            document: text.clone(),
            remember: self.remember.clone(),
            forget: self.forget.clone(),
        };
        let policy = live.map(|(_, policy)| policy);
        let fingerprint = edit.fingerprint(policy, &canonical);
        let written = policy.filter(|_| self.document.is_some() && self.blocked.is_none());
        let operations = written.map(|policy| {
            let after = GuardrailPolicy {
                document: text,
                ..policy.clone()
            };
            Step {
                then: edit.fingerprint(Some(&after), &canonical),
                restricts: self.add.is_empty(),
                operation: crate::state::Operation::SetExemptions(edit),
            }
        });
        let management = &context.organization.management_account;
        let account = context.organization.accounts.get(management);
        Change {
            address: address(context, &self.name),
            account: management.clone(),
            account_name: account.map_or_else(String::new, |account| account.name.clone()),
            resource_type: ResourceType::GuardrailException,
            name: self.name.clone(),
            action: self.action,
            risk: Risk::High,
            access: self.access,
            cause: Cause::Live,
            reason: self.reason.clone(),
            steps: Vec::new(),
            adoption: false,
            replacement: false,
            source: self.origin.clone(),
            fields: self.fields(policy),
            blocked: self.blocked.clone(),
            ignored_by: None,
            fingerprint,
            operations: operations.into_iter().collect(),
        }
    }

    /// Tells per statement who is let through and who shall be.
    fn fields(&self, policy: Option<&GuardrailPolicy>) -> Vec<Field> {
        let mut fields = Vec::new();
        let document = policy.and_then(|policy| policy.document.parse().ok());
        let edited = self.add.iter().chain(&self.remove);
        let statements: BTreeSet<usize> = edited.map(|edited| edited.statement).collect();
        for number in statements {
            let of_statement = |exemptions: &BTreeSet<Exemption>| -> BTreeSet<String> {
                let own = exemptions.iter().filter(|own| own.statement == number);
                own.map(|own| own.principal.clone()).collect()
            };
            let kept = of_statement(&self.keep);
            let value = |changed: &BTreeSet<Exemption>| {
                let all: BTreeSet<String> = &kept | &of_statement(changed);
                if all.is_empty() {
                    Value::Null
                } else {
                    json!(all)
                }
            };
            fields.push(Field {
                path: format!("exempted.{}", statement_name(document.as_ref(), number)),
                live: value(&self.remove),
                spec: value(&self.add),
                access: self.access,
                witness: None,
            });
        }
        if self.add.is_empty() && self.remove.is_empty() {
            fields.push(Field {
                path: "exempted".to_owned(),
                live: Value::Null,
                spec: self.wanted.clone(),
                access: self.access,
                witness: None,
            });
        }
        fields
    }
}

/// Names a statement by its Sid, or else its number.
pub(in crate::plan) fn statement_name(document: Option<&Document>, number: usize) -> String {
    let index = number.checked_sub(1);
    let statement = document.and_then(|document| document.statements.get(index?));
    let sid = statement.and_then(|statement| statement.sid.clone());
    sid.filter(|sid| !sid.is_empty())
        .unwrap_or_else(|| number.to_string())
}

/// Lists by which values each statement lets principals through.
pub(in crate::plan) fn exemptions(document: &Document) -> BTreeSet<Exemption> {
    let found = exempted(document).into_iter();
    found
        .map(|found| Exemption {
            statement: found.statement,
            principal: found.principal,
        })
        .collect()
}

/// Takes exemptions out of a document; those of a test that would be left empty stay.
pub(super) fn take_out(document: &Document, remove: &BTreeSet<Exemption>) -> Document {
    let mut by_statement: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for exemption in remove {
        let principals = by_statement.entry(exemption.statement).or_default();
        principals.insert(exemption.principal.clone());
    }
    let mut edited = document.clone();
    for (number, principals) in by_statement {
        edited = unexempt(&edited, &Chosen::Numbers(vec![number]), &principals);
    }
    edited
}
