//! That an edit lets the declared principals through, and changes nothing for anybody else.

use std::collections::BTreeSet;
use std::fmt;

use super::choice::{name, sid};
use super::tests_on_caller::{ADDED, KEY, is_on_caller, let_through};
use crate::policy::canonical::CanonicalContext;
use crate::policy::compare::{Access, Verdict, compare};
use crate::policy::condition::OperatorKind;
use crate::policy::document::{Condition, ConditionValue, Document, Effect, Statement};
use crate::policy::equivalence::{Answer, Witness};

/// Shows that an edit of a document lets declared principals through and does nothing else.
///
/// Only [`prove`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    changed: bool,
    principals: Vec<String>,
    statements: Vec<String>,
}

impl Proof {
    /// Tells whether any request is no longer denied.
    #[must_use]
    pub fn changes_access(&self) -> bool {
        self.changed
    }

    /// The principals that a statement newly lets through in whole.
    #[must_use]
    pub fn principals(&self) -> &[String] {
        &self.principals
    }

    /// The Deny statements that newly let one of them through, by Sid or else by number.
    #[must_use]
    pub fn statements(&self) -> &[String] {
        &self.statements
    }
}

impl fmt::Display for Proof {
    /// Writes one line: `only arn:…:role/Admin gains: statement DenyOutsideEU no longer denies it`; long lists are cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (statements, deny) = match self.statements.as_slice() {
            [statement] => (format!("statement {statement}"), "denies"),
            statements => (format!("statements {}", shortened(statements)), "deny"),
        };
        let principals = shortened(&self.principals);
        match (self.changed, self.principals.len()) {
            (false, 0) => f.write_str("nobody gains or loses anything"),
            (false, _) => write!(
                f,
                "nobody gains: {statements} no longer {deny} {principals}, but other statements deny the same"
            ),
            (true, 0) => f.write_str("only the declared principals gain"),
            (true, 1) => write!(
                f,
                "only {principals} gains: {statements} no longer {deny} it"
            ),
            (true, _) => write!(
                f,
                "only {principals} gain: {statements} no longer {deny} them"
            ),
        }
    }
}

/// Bounds how many names are listed in a line.
const MAX_NAMES: usize = 5;

/// Lists names; of many only the first, and how many more there are.
fn shortened(names: &[String]) -> String {
    match names.get(..MAX_NAMES) {
        Some(first) if names.len() > MAX_NAMES => {
            format!("{} and {} more", first.join(", "), names.len() - MAX_NAMES)
        }
        _ => names.join(", "),
    }
}

/// Says in which way an edit does more than it should, or that this is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Something is denied that was not.
    #[error("something more is denied: {}", .0.request())]
    DeniesMore(Box<Witness>),
    /// Something is no longer denied to others than the declared principals.
    #[error("others than the declared principals gain: {} is no longer denied", .0.request())]
    LetsOthersThrough(Box<Witness>),
    /// The Allow statements allow something more.
    #[error("the Allow statements allow more: {}", .0.request())]
    AllowsMore(Box<Witness>),
    /// The Allow statements no longer allow something, which a guardrail thereby takes away.
    #[error("the Allow statements allow less: {} is left out", .0.request())]
    AllowsLess(Box<Witness>),
    /// It is not proven, which may only be because the documents are too large.
    #[error("not proven that only the declared principals gain: {0}")]
    Unproven(&'static str),
}

/// Proves that from one document to another only declared principals gain, by nothing but being denied less.
///
/// - The Allow statements mean the same.
/// - Nothing is denied that was not.
/// - Requests whose `aws:PrincipalArn` matches none of the principals, or is absent, are denied as before.
///
/// The equivalence engine decides each, over all requests there can be and however the documents are written.
///
/// # Errors
/// [`Breach`], with a request that shows it, when one of the three does not hold; [`Breach::Unproven`] when the documents
/// are too large for the engine or differ in what AWS does not document.
pub fn prove(
    old: &Document,
    new: &Document,
    principals: &BTreeSet<String>,
) -> Result<Proof, Breach> {
    let context = CanonicalContext::inferred(&[old, new]);
    let compared = |effect, edit: &dyn Fn(Document) -> Document| {
        let part = |document| edit(only(document, effect));
        compare(&part(old), &part(new), &context)
    };
    if let Some(breach) = breach(&compared(Effect::Allow, &|allows| allows)) {
        return Err(breach);
    }
    let denied = compared(Effect::Deny, &|denies| denies);
    if !matches!(denied.access(), Access::None | Access::Broader) {
        return Err(breach_or_unproven(&denied));
    }
    if let Some(breach) = breach(&compared(Effect::Deny, &|denies| {
        to_others(denies, principals)
    })) {
        return Err(breach);
    }
    let (principals, statements) = gains(old, new, principals);
    Ok(Proof {
        changed: denied.access() != Access::None,
        principals,
        statements,
    })
}

/// The statements of one effect.
fn only(document: &Document, effect: Effect) -> Document {
    let statements = document.statements.iter();
    Document {
        statements: statements
            .filter(|statement| statement.effect == effect)
            .cloned()
            .collect(),
        ..document.clone()
    }
}

/// Restricts Deny statements to the requests of anybody else than the principals.
///
/// This does not rest on how exemptions are added: where it could share a mistake with that, it would prove nothing.
fn to_others(mut denies: Document, principals: &BTreeSet<String>) -> Document {
    if principals.is_empty() {
        return denies;
    }
    let values = || principals.iter().cloned().map(ConditionValue::String);
    for statement in &mut denies.statements {
        // Put into a test that reads them alike, they make documents that differ in nothing else equal in form.
        let alike = statement.conditions.iter_mut().find(|condition| {
            let operator = condition.operator;
            is_on_caller(condition)
                && operator.qualifier.is_none()
                && matches!(
                    operator.kind,
                    OperatorKind::ArnNotLike | OperatorKind::ArnNotEquals
                )
                && !condition.values.is_empty()
        });
        match alike {
            Some(test) => test.values.extend(values()),
            None => statement.conditions.push(Condition {
                operator: ADDED,
                key: KEY.to_owned(),
                values: values().collect(),
            }),
        }
    }
    denies
}

/// What is wrong when two documents should mean the same; `None` when they do.
fn breach(verdict: &Verdict) -> Option<Breach> {
    (verdict.access() != Access::None).then(|| breach_or_unproven(verdict))
}

fn breach_or_unproven(verdict: &Verdict) -> Breach {
    let shown = match verdict {
        Verdict::Different {
            access: _,
            witnesses,
        } => witnesses,
        Verdict::Unproven { access: _, reason } => return Breach::Unproven(reason),
        Verdict::Equal | Verdict::Cosmetic => return Breach::Unproven("no difference is known"),
    };
    // What is newly denied can lock people out, so that it is shown first.
    let denied = shown.iter().find(|witness| witness.new == Answer::Denied);
    let Some(witness) = denied.or(shown.first()) else {
        return Breach::Unproven("there is a difference, but no request that shows it");
    };
    let shown = Box::new(witness.clone());
    match (witness.old, witness.new) {
        (_, Answer::Denied) => Breach::DeniesMore(shown),
        (Answer::Denied, _) => Breach::LetsOthersThrough(shown),
        (Answer::Allowed, _) => Breach::AllowsLess(shown),
        (Answer::NotAllowed, _) => Breach::AllowsMore(shown),
    }
}

/// Names the principals that are newly let through, and the statements that do so.
fn gains(
    old: &Document,
    new: &Document,
    principals: &BTreeSet<String>,
) -> (Vec<String>, Vec<String>) {
    let all: BTreeSet<&str> = principals.iter().map(String::as_str).collect();
    let mut gaining = BTreeSet::new();
    let mut statements = Vec::new();
    for (index, statement) in old.statements.iter().enumerate() {
        let Some(edited) = counterpart(new, index, statement) else {
            continue;
        };
        if statement.effect != Effect::Deny || edited.effect != Effect::Deny {
            continue;
        }
        let before = let_through(statement, old.effective_version(), &all);
        let mut after = let_through(edited, new.effective_version(), &all);
        after.retain(|principal| !before.contains(principal));
        if !after.is_empty() {
            statements.push(name(index, statement));
        }
        gaining.extend(after);
    }
    (gaining.into_iter().map(str::to_owned).collect(), statements)
}

/// The statement that a statement has become: by Sid, or else by place.
fn counterpart<'a>(new: &'a Document, index: usize, old: &Statement) -> Option<&'a Statement> {
    match sid(old) {
        Some(wanted) => new
            .statements
            .iter()
            .find(|statement| sid(statement) == Some(wanted)),
        None => new.statements.get(index),
    }
}
