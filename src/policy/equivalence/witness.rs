//! Witnesses: one request that two documents answer differently.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::space::MFA_KEYS;
use crate::policy::document::Document;
use crate::policy::evaluate::{Caller, Context, ContextValue, Decision, Layers, Request, evaluate};

/// Says what a document answers to a request, taken for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A statement denies it, whatever another policy allows.
    Denied,
    /// No statement is about it.
    NotAllowed,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::NotAllowed => "not allowed",
        })
    }
}

/// Says what the caller's own policies say of a request.
///
/// Source: IAM User Guide, "Policy evaluation logic": a grant to an account needs a policy of the caller's own, one to a
/// role is within permissions boundary and session policy, one to a user or a session needs neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backing {
    /// Nothing, and no boundary or session policy is in the way.
    Nothing,
    /// They allow it.
    Allow,
    /// A permissions boundary or session policy does not leave it to the caller.
    Outside,
}

/// Holds a request that two documents answer differently, and both answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The caller: an ARN, a service, or [`Witness::ATTACHED`].
    pub principal: String,
    /// What the caller's own policies say of the request; `None` where that makes no difference.
    pub backing: Option<Backing>,
    /// The action; in lower case where no document spells it out.
    pub action: String,
    /// Whether every other action does as well.
    pub any_action: bool,
    /// The resource; `None` in trust policies.
    pub resource: Option<String>,
    /// Whether every other resource does as well.
    pub any_resource: bool,
    /// The condition keys of the request with their values.
    pub context: BTreeMap<String, Vec<String>>,
    /// The condition keys that the request must not have.
    pub absent: BTreeSet<String>,
    /// Whether the request surely is answered so; else it depends on what the variables of the documents stand for.
    pub exact: bool,
    /// What the old document answers.
    pub old: Answer,
    /// What the new document answers.
    pub new: Answer,
}

impl Witness {
    /// Stands for the caller where a document has no principals: whoever it is attached to.
    pub const ATTACHED: &'static str = "the principal it is attached to";

    /// Tells whether evaluation gives both answers.
    pub(in crate::policy) fn is_confirmed(&self, old: &Document, new: &Document) -> bool {
        self.answer_of(old) == Some(self.old) && self.answer_of(new) == Some(self.new)
    }

    /// What evaluation says that a document answers, alone: as identity policy, or as resource policy where it names
    /// principals.
    ///
    /// A caller whose own policies allow the request comes from another account, where both sides have to allow; any
    /// other is of the resource's account. `None` when it is not known.
    pub(in crate::policy) fn answer_of(&self, document: &Document) -> Option<Answer> {
        let attached = self.principal == Self::ATTACHED;
        let anyone = "arn:aws:iam::000000000000:user/anyone";
        let principal: Caller = if attached { anyone } else { &self.principal }
            .parse()
            .ok()?;
        let mut context = Context::default();
        for (key, values) in &self.context {
            context.set(key, ContextValue::Values(values.clone()));
        }
        let own_account = principal.account().and_then(|account| account.parse().ok());
        let request = Request {
            resource_account: match self.backing {
                Some(Backing::Allow) => "999999999999".parse().ok(),
                Some(Backing::Nothing | Backing::Outside) | None => own_account,
            },
            principal,
            action: self.action.clone(),
            resource: self.resource.clone().unwrap_or_else(|| "*".to_owned()),
            context,
            management_account: None,
        };
        let mut layers = Layers::default();
        if attached {
            layers.identity_policies.push(document.clone().into());
        } else {
            if self.backing == Some(Backing::Outside) {
                layers.permission_boundary.push(Document::empty().into());
            }
            if self.backing == Some(Backing::Allow) {
                layers.identity_policies.push(Document::everything().into());
            }
            layers.resource_policy = Some(document.clone().into());
        }
        match evaluate(&request, &layers).decision {
            Decision::Allowed => Some(Answer::Allowed),
            Decision::ExplicitDeny => Some(Answer::Denied),
            Decision::ImplicitDeny => Some(Answer::NotAllowed),
            Decision::Unknown => None,
        }
    }

    /// Spells the action and the condition keys as some documents do.
    pub(in crate::policy) fn spelled_as_in(mut self, documents: &[&Document]) -> Self {
        let statements = || documents.iter().flat_map(|document| &document.statements);
        let conditions = || statements().flat_map(|statement| &statement.conditions);
        let respell = |key: String| {
            let known = conditions().find(|condition| condition.key.eq_ignore_ascii_case(&key));
            known.map_or(key, |condition| condition.key.clone())
        };
        let mut actions = statements().flat_map(|statement| statement.actions.list());
        if let Some(action) = actions.find(|action| action.eq_ignore_ascii_case(&self.action)) {
            self.action.clone_from(action);
        }
        let context = self.context.into_iter();
        self.context = context
            .map(|(key, values)| (respell(key), values))
            .collect();
        self.absent = self.absent.into_iter().map(respell).collect();
        self
    }

    /// Says in words which request it is: `sts:AssumeRole by arn:aws:iam::111122223333:user/ops without MFA`.
    #[must_use]
    pub fn request(&self) -> String {
        let mut words = if self.any_action {
            "any action".to_owned()
        } else {
            self.action.clone()
        };
        if self.principal != Self::ATTACHED {
            words.push_str(&format!(" by {}", self.principal));
            words.push_str(match self.backing {
                Some(Backing::Allow) => " (if its own policies allow it)",
                Some(Backing::Outside) => " (even outside of its permissions boundary)",
                Some(Backing::Nothing) | None => "",
            });
        }
        if let Some(resource) = self.resource.as_ref().filter(|_| !self.any_resource) {
            words.push_str(&format!(" on {resource}"));
        }
        for (index, (key, values)) in self.context.iter().enumerate() {
            let joint = if index == 0 { "with" } else { "and" };
            words.push_str(&format!(" {joint} {key} = {}", values.join(" + ")));
        }
        let about_mfa = |key: &str| MFA_KEYS.iter().any(|one| one.eq_ignore_ascii_case(key));
        // Without MFA neither key is there, or the first is `false`: with any other value of one there was some.
        let mut told = self.context.iter().filter(|(key, _)| about_mfa(key));
        let with_mfa = told.any(|(_, values)| values.iter().any(|value| value != "false"));
        let names = self.absent.iter().map(|key| {
            if about_mfa(key) && !with_mfa {
                "MFA"
            } else {
                key
            }
        });
        let names: BTreeSet<&str> = names.collect();
        for (index, name) in names.iter().enumerate() {
            let joint = if index == 0 { "without" } else { "or" };
            words.push_str(&format!(" {joint} {name}"));
        }
        if !self.exact {
            words.push_str(" (for some values of the variables)");
        }
        words
    }
}

impl fmt::Display for Witness {
    /// Writes the request and both answers: `… by …:user/ops without MFA: not allowed → allowed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}", self.request(), self.old, self.new)
    }
}
