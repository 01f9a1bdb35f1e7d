//! What to ask an event history, which can be asked by one attribute at a time, and slowly.

use std::collections::BTreeSet;

use super::gather::Gatherer;
use super::sieve::{ACCOUNT_CALLS, GUARDRAIL_CALLS, LEAVE_CALL};
use super::tamper::TRAIL_CALLS;
use super::watch::{PrincipalKind, Watch};
use crate::ids::{AccountId, Arn, Partition};
use crate::state::EVENTS_ROLE;

/// Names an attribute that events can be found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    /// The name of the call.
    EventName,
    /// The user's name, or that of the role session.
    Username,
    /// The name or ARN of what it is about.
    ResourceName,
}

/// Asks for the events in which an attribute has a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The attribute.
    pub attribute: Attribute,
    /// Its value.
    pub value: String,
}

impl Question {
    fn new(attribute: Attribute, value: impl Into<String>) -> Self {
        Self {
            attribute,
            value: value.into(),
        }
    }
}

/// Says where a history is.
#[derive(Debug, Clone, Copy)]
pub struct HistoryPlace<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The partition of its ARNs.
    pub partition: &'a Partition,
    /// Whether it is the organization's management account.
    pub management: bool,
    /// Whether it is the Region where IAM and Organizations are.
    pub global: bool,
}

/// Lists what to ask an account and Region first.
#[must_use]
pub fn first_questions(watch: &Watch, place: HistoryPlace<'_>) -> BTreeSet<Question> {
    use Attribute::{EventName, ResourceName, Username};
    let mut questions = BTreeSet::new();
    let mut ask = |attribute, value: &str| {
        questions.insert(Question::new(attribute, value));
    };
    ask(Username, "root");
    ask(EventName, "SwitchRole");
    for call in TRAIL_CALLS {
        ask(EventName, call);
    }
    for (role, path) in &watch.roles {
        let arn = Arn::iam(place.partition, place.account, "role", path, role);
        ask(ResourceName, arn.as_str());
        if place.global {
            ask(ResourceName, role);
        }
    }
    if place.global && watch.alerts.is_some() {
        ask(ResourceName, EVENTS_ROLE);
    }
    if *place.account == watch.emergency_account {
        ask(EventName, "ConsoleLogin");
        for user in &watch.users {
            ask(Username, user);
            if place.global {
                ask(ResourceName, user);
            }
        }
    }
    if place.global && watch.organization() {
        ask(EventName, LEAVE_CALL);
    }
    if place.management {
        ask(EventName, "AssumeRoot");
        if place.global && watch.organization() {
            for call in ACCOUNT_CALLS {
                ask(EventName, call);
            }
        }
        if place.global && watch.guardrails {
            for call in GUARDRAIL_CALLS {
                ask(EventName, call);
            }
        }
    }
    questions
}

/// Lists what to ask once the sessions of roles are known: what was done in them, for each account.
#[must_use]
pub fn second_questions(gatherer: &Gatherer) -> BTreeSet<(AccountId, Question)> {
    gatherer
        .pieces
        .keys()
        .filter(|key| key.principal.kind == PrincipalKind::Role && !key.session.is_empty())
        .map(|key| {
            let question = Question::new(Attribute::Username, key.session.clone());
            (key.principal.account.clone(), question)
        })
        .collect()
}
