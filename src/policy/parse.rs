//! The strict parser: policy text to [`Document`], or the place and reason why it is none.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::condition::Operator;
use super::document::{
    Actions, Condition, ConditionValue, Document, Effect, Principal, Principals, Resources,
    Selection, Statement, Version,
};
use super::json::{self, Fault, Json, Member, Node};

/// Says why a text is not a policy document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line}, column {column}")]
pub struct PolicyError {
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

const DOCUMENT_ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
const PRINCIPAL_KINDS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// Parses a policy document, of whatever kind, and refuses everything that AWS would read otherwise than it looks.
///
/// Element names, `Effect`, `Version` and operator names are case-sensitive. An empty list of statements is refused, as
/// IAM, Organizations and S3 refuse it; other empty lists parse. Sids must differ, except that `""` may repeat: tools
/// wrote it on every statement for years. Source: IAM User Guide, "Grammar of the IAM JSON policy language".
///
/// # Errors
/// [`PolicyError`] for the first thing that is wrong with the text.
pub fn parse(text: &str) -> Result<Document, PolicyError> {
    json::read(text)
        .and_then(document)
        .map_err(|fault| locate(text, fault))
}

fn locate(text: &str, fault: Fault) -> PolicyError {
    let before = text.get(..fault.offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.get(line_start..).unwrap_or_default();
    PolicyError {
        message: fault.message,
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
    }
}

fn document(node: Node) -> Result<Document, Fault> {
    let offset = node.offset;
    let mut version = None;
    let mut id = None;
    let mut statements = None;
    for member in object(node, "a policy document")? {
        match member.key.as_str() {
            "Version" => version = Some(language_version(member.value)?),
            "Id" => id = Some(string(member.value, "\"Id\"")?),
            "Statement" => statements = Some(statement_list(member.value)?),
            _ => {
                return Err(unknown(
                    &member,
                    "element",
                    "the document",
                    DOCUMENT_ELEMENTS,
                ));
            }
        }
    }
    Ok(Document {
        version,
        id,
        statements: statements
            .ok_or_else(|| Fault::new(offset, "missing element \"Statement\""))?,
    })
}

fn language_version(node: Node) -> Result<Version, Fault> {
    let offset = node.offset;
    match string(node, "\"Version\"")?.as_str() {
        "2008-10-17" => Ok(Version::V2008),
        "2012-10-17" => Ok(Version::V2012),
        other => Err(Fault::new(
            offset,
            format!("unknown Version {other:?} (it is \"2012-10-17\" or \"2008-10-17\")"),
        )),
    }
}

fn statement_list(node: Node) -> Result<Vec<Statement>, Fault> {
    let offset = node.offset;
    let nodes = one_or_many(node);
    if nodes.is_empty() {
        return Err(Fault::new(offset, "\"Statement\" is empty"));
    }
    let mut sids = BTreeSet::new();
    let mut statements = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        statements.push(statement(node, index + 1, &mut sids)?);
    }
    Ok(statements)
}

fn statement(node: Node, number: usize, sids: &mut BTreeSet<String>) -> Result<Statement, Fault> {
    let offset = node.offset;
    let place = format_args!("statement {number}");
    let mut sid = None;
    let mut effect = None;
    let mut principals: Option<Principals> = None;
    let mut actions: Option<Actions> = None;
    let mut resources: Option<Resources> = None;
    let mut conditions = Vec::new();
    for member in object(node, place)? {
        let what = format_args!("{:?} in {place}", member.key);
        let at = member.offset;
        match member.key.as_str() {
            "Sid" => {
                let name = string(member.value, what)?;
                if !name.is_empty() && !sids.insert(name.clone()) {
                    return Err(Fault::new(at, format!("repeated Sid {name:?} in {place}")));
                }
                sid = Some(name);
            }
            "Effect" => effect = Some(effect_word(member.value, what)?),
            "Principal" | "NotPrincipal" => {
                let negated = member.key.starts_with("Not");
                let list = principal_list(member.value, what)?;
                set(&mut principals, negated, list, "Principal", place, at)?;
            }
            "Action" | "NotAction" => {
                let negated = member.key.starts_with("Not");
                let list = strings(member.value, what)?;
                set(&mut actions, negated, list, "Action", place, at)?;
            }
            "Resource" | "NotResource" => {
                let negated = member.key.starts_with("Not");
                let list = strings(member.value, what)?;
                set(&mut resources, negated, list, "Resource", place, at)?;
            }
            "Condition" => conditions = condition_list(member.value, place)?,
            _ => return Err(unknown(&member, "element", place, STATEMENT_ELEMENTS)),
        }
    }
    let missing = |what: &str| Fault::new(offset, format!("missing {what} in {place}"));
    Ok(Statement {
        sid,
        effect: effect.ok_or_else(|| missing("element \"Effect\""))?,
        principals,
        actions: actions.ok_or_else(|| missing("element \"Action\" or \"NotAction\""))?,
        resources,
        conditions,
    })
}

/// Stores an element, which must not have been given as its opposite before.
fn set<T>(
    element: &mut Option<Selection<Vec<T>>>,
    negated: bool,
    list: Vec<T>,
    name: &str,
    place: impl Display,
    offset: usize,
) -> Result<(), Fault> {
    if element.is_some() {
        let message = format!("both \"{name}\" and \"Not{name}\" in {place}");
        return Err(Fault::new(offset, message));
    }
    *element = Some(if negated {
        Selection::Except(list)
    } else {
        Selection::Only(list)
    });
    Ok(())
}

fn effect_word(node: Node, what: impl Display + Copy) -> Result<Effect, Fault> {
    let offset = node.offset;
    match string(node, what)?.as_str() {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(Fault::new(
            offset,
            format!("{what} must be \"Allow\" or \"Deny\", not {other:?}"),
        )),
    }
}

fn principal_list(node: Node, what: impl Display + Copy) -> Result<Vec<Principal>, Fault> {
    if let Json::String(text) = &node.value {
        return if text == "*" {
            Ok(vec![Principal::Star])
        } else {
            let message = format!("{what} must be \"*\" or an object such as {{\"AWS\": …}}");
            Err(Fault::new(node.offset, message))
        };
    }
    let mut principals = Vec::new();
    for member in object(node, what)? {
        let kind = match member.key.as_str() {
            "AWS" => Principal::Aws,
            "Service" => Principal::Service,
            "Federated" => Principal::Federated,
            "CanonicalUser" => Principal::CanonicalUser,
            _ => return Err(unknown(&member, "principal type", what, PRINCIPAL_KINDS)),
        };
        let what = format_args!("{:?} of {what}", member.key);
        principals.extend(strings(member.value, what)?.into_iter().map(kind));
    }
    Ok(principals)
}

fn condition_list(node: Node, place: impl Display + Copy) -> Result<Vec<Condition>, Fault> {
    let mut conditions = Vec::new();
    for member in object(node, format_args!("\"Condition\" in {place}"))? {
        let Some(operator) = Operator::from_name(&member.key) else {
            let names: Vec<String> = Operator::all().map(|known| known.to_string()).collect();
            let names = names.iter().map(String::as_str);
            return Err(unknown(&member, "condition operator", place, names));
        };
        for test in object(member.value, format_args!("{:?} in {place}", member.key))? {
            let what = format_args!("condition key {:?} in {place}", test.key);
            conditions.push(Condition {
                operator,
                values: condition_values(test.value, what)?,
                key: test.key,
            });
        }
    }
    Ok(conditions)
}

fn condition_values(node: Node, what: impl Display + Copy) -> Result<Vec<ConditionValue>, Fault> {
    let value = |node: Node| match node.value {
        Json::String(text) => Ok(ConditionValue::String(text)),
        Json::Number(text) => Ok(ConditionValue::Number(text)),
        Json::Bool(value) => Ok(ConditionValue::Bool(value)),
        other => Err(mismatch(
            node.offset,
            what,
            "strings, numbers or booleans",
            &other,
        )),
    };
    one_or_many(node).into_iter().map(value).collect()
}

fn one_or_many(node: Node) -> Vec<Node> {
    match node.value {
        Json::List(items) => items,
        value => vec![Node {
            offset: node.offset,
            value,
        }],
    }
}

fn object(node: Node, what: impl Display + Copy) -> Result<Vec<Member>, Fault> {
    match node.value {
        Json::Object(members) => Ok(members),
        other => Err(mismatch(node.offset, what, "an object", &other)),
    }
}

fn string(node: Node, what: impl Display + Copy) -> Result<String, Fault> {
    match node.value {
        Json::String(text) => Ok(text),
        other => Err(mismatch(node.offset, what, "a string", &other)),
    }
}

fn strings(node: Node, what: impl Display + Copy) -> Result<Vec<String>, Fault> {
    let item = |node: Node| match node.value {
        Json::String(text) => Ok(text),
        other => Err(mismatch(
            node.offset,
            what,
            "a string or a list of strings",
            &other,
        )),
    };
    one_or_many(node).into_iter().map(item).collect()
}

fn mismatch(offset: usize, what: impl Display, expected: &str, found: &Json) -> Fault {
    Fault::new(
        offset,
        format!("{what} must be {expected}, not {}", found.kind()),
    )
}

fn unknown<'a>(
    member: &Member,
    what: &str,
    place: impl Display,
    known: impl IntoIterator<Item = &'a str>,
) -> Fault {
    let key: String = member.key.chars().take(100).collect();
    let folded = key.to_ascii_lowercase();
    let nearest = known
        .into_iter()
        .map(|name| {
            (
                strsim::osa_distance(&folded, &name.to_ascii_lowercase()),
                name,
            )
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 2);
    let hint = match nearest {
        Some((_, name)) => format!(" (did you mean {name:?}?)"),
        None => String::new(),
    };
    Fault::new(
        member.offset,
        format!("unknown {what} {key:?} in {place}{hint}"),
    )
}

#[cfg(test)]
mod tests;
