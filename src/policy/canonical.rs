//! Level 1 of equivalence: one form for all documents that AWS reads alike by their syntax.
//!
//! Two documents with equal forms mean the same. Two that mean the same may still have different forms (`s3:*` beside
//! `s3:Get*`); where AWS does not say that two spellings are the same, they stay different.

use std::collections::BTreeSet;

use serde_json::json;

use super::condition::{Family, Operator, OperatorKind, Qualifier};
use super::document::{
    Condition, ConditionValue, Document, Effect, Principal, Principals, Selection, Statement,
    Version,
};
use super::pattern::{Pattern, Syntax};
use super::value::{Decimal, Instant, Network, boolean};
use crate::ids::{Partition, is_account_id};

/// Says what is known of the place where a document applies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CanonicalContext {
    /// The partition, in which an account id is the same principal as the account's root ARN; unknown: it is not.
    pub partition: Option<Partition>,
}

impl CanonicalContext {
    /// Takes the partition from the ARNs of principals; unknown when they name several, or none that exists.
    #[must_use]
    pub fn inferred(documents: &[&Document]) -> Self {
        let statements = documents.iter().flat_map(|document| &document.statements);
        let principals = statements.filter_map(|statement| statement.principals.as_ref());
        let named: BTreeSet<&str> = principals
            .flat_map(|principals| principals.list())
            .filter_map(|principal| principal.entry().1.strip_prefix("arn:")?.split(':').next())
            .collect();
        let mut named = named.into_iter();
        let only = named.next().filter(|_| named.next().is_none());
        Self {
            partition: only.and_then(|name| name.parse().ok()),
        }
    }
}

/// Holds the canonical form of a document, without its Sids and Id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canonical {
    pub(super) statements: BTreeSet<CanonicalStatement>,
}

impl Canonical {
    /// Writes the form as one line of text, the same for equal forms and for no others.
    #[must_use]
    pub fn to_text(&self) -> String {
        let statements = self.statements.iter().map(CanonicalStatement::to_json);
        serde_json::Value::Array(statements.collect()).to_string()
    }
}

/// Holds a statement whose lists are sets and whose conditions are a set of atoms, all of which must pass.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct CanonicalStatement {
    pub(super) effect: Effect,
    pub(super) principals: Option<Selection<BTreeSet<Principal>>>,
    pub(super) actions: Selection<BTreeSet<Pattern>>,
    pub(super) resources: Option<Selection<BTreeSet<Pattern>>>,
    pub(super) atoms: BTreeSet<Atom>,
}

/// Tests one key. Two atoms of one key are ANDed, so that their values are never put together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Atom {
    pub(super) operator: Operator,
    /// The condition key in lower case.
    pub(super) key: String,
    pub(super) values: BTreeSet<Value>,
}

/// Holds a condition value as its operator reads it; what cannot be read so is kept as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Value {
    Text(Pattern),
    Number(Decimal),
    Date(Instant),
    Network(Network),
    Bool(bool),
}

/// Brings a document into its canonical form.
#[must_use]
pub fn canonicalize(document: &Document, context: &CanonicalContext) -> Canonical {
    let version = document.effective_version();
    let statements = document.statements.iter();
    Canonical {
        statements: statements
            .map(|statement| canonical_statement(statement, version, context))
            .collect(),
    }
}

/// Brings one statement of a document of the given version into its canonical form.
pub(super) fn canonical_statement(
    statement: &Statement,
    version: Version,
    context: &CanonicalContext,
) -> CanonicalStatement {
    let Statement {
        sid: _,
        effect,
        principals,
        actions,
        resources,
        conditions,
    } = statement;
    CanonicalStatement {
        effect: *effect,
        principals: principals
            .as_ref()
            .map(|principals| canonical_principals(principals, context)),
        actions: actions.map(|list| list.iter().map(|text| action(text)).collect()),
        resources: resources
            .as_ref()
            .map(|list| list.map(|list| list.iter().map(|text| resource(text, version)).collect())),
        atoms: conditions
            .iter()
            .map(|condition| atom(condition, version))
            .collect(),
    }
}

/// Reads an action: case does not matter, and AWS documents no variables there.
pub(super) fn action(text: &str) -> Pattern {
    let syntax = Syntax {
        wildcards: true,
        variables: false,
        fold_case: true,
    };
    Pattern::new(text, syntax)
}

/// Reads a resource.
pub(super) fn resource(text: &str, version: Version) -> Pattern {
    let syntax = Syntax {
        wildcards: true,
        variables: version == Version::V2012,
        fold_case: false,
    };
    Pattern::new(text, syntax)
}

fn canonical_principals(
    principals: &Principals,
    context: &CanonicalContext,
) -> Selection<BTreeSet<Principal>> {
    principals.map(|list| list.iter().map(|item| principal(item, context)).collect())
}

/// `"*"` and `{"AWS": "*"}` stay apart: they are the same for AWS principals, but nobody has confirmed it for service
/// principals, and a difference that is reported can be judged while one that is assumed away cannot.
fn principal(principal: &Principal, context: &CanonicalContext) -> Principal {
    match (principal, &context.partition) {
        (Principal::Aws(id), Some(partition)) if is_account_id(id) => {
            Principal::Aws(format!("arn:{partition}:iam::{id}:root"))
        }
        _ => principal.clone(),
    }
}

pub(super) fn atom(condition: &Condition, version: Version) -> Atom {
    let written = condition.operator;
    let values: BTreeSet<Value> = condition
        .values
        .iter()
        .map(|text| value(written.kind, text, version))
        .collect();
    let wildcards = values
        .iter()
        .any(|value| matches!(value, Value::Text(pattern) if pattern.has_wildcard()));
    let kind = match written.kind {
        OperatorKind::ArnEquals => OperatorKind::ArnLike,
        OperatorKind::ArnNotEquals => OperatorKind::ArnNotLike,
        OperatorKind::StringLike if !wildcards => OperatorKind::StringEquals,
        OperatorKind::StringNotLike if !wildcards => OperatorKind::StringNotEquals,
        kind => kind,
    };
    // A negated operator passes without the key in any case, except that ForAnyValue fails without it.
    let idle = kind.is_negated() && written.qualifier != Some(Qualifier::ForAnyValue);
    Atom {
        operator: Operator {
            qualifier: written.qualifier,
            kind,
            if_exists: written.if_exists && !idle,
        },
        key: condition.key.to_ascii_lowercase(),
        values,
    }
}

/// Reads a value as an operator of this kind does.
pub(super) fn value(kind: OperatorKind, written: &ConditionValue, version: Version) -> Value {
    let text = written.as_str();
    let typed = match kind.family() {
        Family::Numeric => Decimal::parse(text).map(Value::Number),
        Family::Date => Instant::parse(text).map(Value::Date),
        Family::IpAddress => Network::parse(text).map(Value::Network),
        Family::Bool => boolean(text).map(Value::Bool),
        Family::String | Family::Binary | Family::Arn => None,
    };
    typed.unwrap_or_else(|| {
        Value::Text(Pattern::new(
            text,
            Syntax {
                wildcards: kind.family() == Family::Arn
                    || matches!(kind, OperatorKind::StringLike | OperatorKind::StringNotLike),
                // Documented for strings and ARNs alone; elsewhere it only keeps the two versions apart.
                variables: version == Version::V2012,
                fold_case: matches!(
                    kind,
                    OperatorKind::StringEqualsIgnoreCase | OperatorKind::StringNotEqualsIgnoreCase
                ),
            },
        ))
    })
}

/// Bounds the statements that a list is split into.
const MAX_SPLIT: usize = 512;

impl Canonical {
    /// Leaves out the tests whose list of values is empty.
    pub(super) fn drop_empty_tests(&mut self) {
        let statements = std::mem::take(&mut self.statements).into_iter();
        self.statements = statements
            .map(|mut statement| {
                statement.atoms.retain(|atom| !atom.values.is_empty());
                statement
            })
            .collect();
    }

    /// Splits statements along their lists, so that each is about one action, resource and principal.
    ///
    /// A statement stays whole where it selects by `Not…`, or where it would become too many.
    pub(super) fn in_single_items(&self) -> Self {
        let statements = self.statements.iter();
        Self {
            statements: statements
                .flat_map(CanonicalStatement::single_items)
                .collect(),
        }
    }
}

impl CanonicalStatement {
    /// How many patterns, principals and values the statement has.
    pub(super) fn size(&self) -> usize {
        let principals = self.principals.as_ref().map_or(0, |list| list.list().len());
        let resources = self.resources.as_ref().map_or(0, |list| list.list().len());
        let values: usize = self.atoms.iter().map(|atom| atom.values.len()).sum();
        1 + principals + resources + self.actions.list().len() + values
    }

    fn single_items(&self) -> Vec<Self> {
        let actions = singles(&self.actions);
        let resources = optional_singles(self.resources.as_ref());
        let principals = optional_singles(self.principals.as_ref());
        if actions.len() * resources.len() * principals.len() > MAX_SPLIT {
            return vec![self.clone()];
        }
        let mut statements = Vec::new();
        for action in &actions {
            for resource in &resources {
                for principal in &principals {
                    statements.push(Self {
                        effect: self.effect,
                        principals: principal.clone(),
                        actions: action.clone(),
                        resources: resource.clone(),
                        atoms: self.atoms.clone(),
                    });
                }
            }
        }
        statements
    }

    /// Writes the statement as nested lists, in which no two statements look alike.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let principals = self.principals.as_ref().map(|principals| {
            selection(principals, |principal| match principal {
                Principal::Star => json!("*"),
                other => json!(other.entry()),
            })
        });
        let pattern = |pattern: &Pattern| json!(pattern.to_string());
        json!([
            self.effect.as_str(),
            principals,
            selection(&self.actions, pattern),
            self.resources
                .as_ref()
                .map(|resources| selection(resources, pattern)),
            self.atoms.iter().map(Atom::to_json).collect::<Vec<_>>(),
        ])
    }
}

impl Atom {
    fn to_json(&self) -> serde_json::Value {
        let values: Vec<_> = self.values.iter().map(Value::to_json).collect();
        json!([self.operator.to_string(), self.key, values])
    }
}

impl Value {
    fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(pattern) => json!(pattern.to_string()),
            Self::Number(Decimal {
                negative,
                digits,
                exponent,
            }) => json!(["number", negative, digits, exponent]),
            Self::Date(Instant { seconds, fraction }) => json!(["date", seconds, fraction]),
            Self::Network(Network { address, prefix }) => {
                json!(["network", address.to_string(), prefix])
            }
            Self::Bool(value) => json!(value),
        }
    }
}

fn selection<T>(
    selection: &Selection<BTreeSet<T>>,
    item: impl Fn(&T) -> serde_json::Value,
) -> serde_json::Value {
    let items: Vec<_> = selection.list().iter().map(item).collect();
    json!([if selection.is_negated() { "not" } else { "in" }, items])
}

/// The selections of one item each that together select what a list does.
fn singles<T: Ord + Clone>(selection: &Selection<BTreeSet<T>>) -> Vec<Selection<BTreeSet<T>>> {
    match selection {
        Selection::Only(list) => list
            .iter()
            .map(|item| Selection::Only(BTreeSet::from([item.clone()])))
            .collect(),
        Selection::Except(_) => vec![selection.clone()],
    }
}

fn optional_singles<T: Ord + Clone>(
    selection: Option<&Selection<BTreeSet<T>>>,
) -> Vec<Option<Selection<BTreeSet<T>>>> {
    match selection {
        None => vec![None],
        Some(selection) => singles(selection).into_iter().map(Some).collect(),
    }
}

#[cfg(test)]
mod tests;
