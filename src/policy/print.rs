//! Writes documents as text: small for AWS, laid out for people, sorted for a diff.

use super::canonical::{CanonicalContext, action, canonical_statement, resource};
use super::document::{
    Condition, ConditionValue, Document, Principal, Principals, Selection, Statement, operators,
};

/// Writes a document without white space, as it is sent to AWS.
///
/// The text parses back to the same document. Conditions are grouped by operator; two tests of one operator with the
/// same key, which no parsed document has, cannot be written.
#[must_use]
pub fn minified(document: &Document) -> String {
    let mut text = String::new();
    document_tree(document, Lists::Short).write_minified(&mut text);
    text
}

/// Writes a document with two spaces of indent; a list of one value is written as the value.
///
/// There is no line break at the end. The text parses back to the same document.
#[must_use]
pub fn pretty(document: &Document) -> String {
    let mut text = String::new();
    document_tree(document, Lists::Short).write_pretty(&mut text, 0);
    text
}

/// Writes a document for a line diff: like [`pretty`], but sorted, without repetitions, one list item a line.
///
/// Statements are ordered by Sid, then by meaning. Spellings stay as written.
#[must_use]
pub fn canonical_pretty(document: &Document) -> String {
    let mut text = String::new();
    document_tree(&sorted(document), Lists::Long).write_pretty(&mut text, 0);
    text
}

/// Says how a list of one value is written.
#[derive(Clone, Copy)]
enum Lists {
    /// As the value.
    Short,
    /// As a list.
    Long,
}

/// Holds JSON to be written; scalars are encoded already.
enum Tree {
    Scalar(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    fn string(text: &str) -> Self {
        Self::Scalar(encode(text))
    }

    fn values(items: impl IntoIterator<Item = Tree>, lists: Lists) -> Self {
        let mut items: Vec<Tree> = items.into_iter().collect();
        match (lists, items.len()) {
            (Lists::Short, 1) => items.remove(0),
            _ => Self::List(items),
        }
    }

    fn write_minified(&self, text: &mut String) {
        match self {
            Self::Scalar(scalar) => text.push_str(scalar),
            Self::List(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    item.write_minified(text);
                }
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    text.push_str(&encode(key));
                    text.push(':');
                    value.write_minified(text);
                }
                text.push('}');
            }
        }
    }

    fn write_pretty(&self, text: &mut String, depth: usize) {
        match self {
            Self::Scalar(scalar) => text.push_str(scalar),
            Self::List(items) if items.is_empty() => text.push_str("[]"),
            Self::Object(members) if members.is_empty() => text.push_str("{}"),
            Self::List(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    new_line(text, index, depth + 1);
                    item.write_pretty(text, depth + 1);
                }
                new_line(text, 0, depth);
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    new_line(text, index, depth + 1);
                    text.push_str(&encode(key));
                    text.push_str(": ");
                    value.write_pretty(text, depth + 1);
                }
                new_line(text, 0, depth);
                text.push('}');
            }
        }
    }
}

/// Ends the line, with a comma after an item before the one at `index`, and indents the next.
fn new_line(text: &mut String, index: usize, depth: usize) {
    if index > 0 {
        text.push(',');
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

fn encode(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn document_tree(document: &Document, lists: Lists) -> Tree {
    let Document {
        version,
        id,
        statements,
    } = document;
    let mut members = Vec::new();
    let mut add = |key: &str, value| members.push((key.to_owned(), value));
    if let Some(version) = version {
        add("Version", Tree::string(version.as_str()));
    }
    if let Some(id) = id {
        add("Id", Tree::string(id));
    }
    let statements = statements.iter().map(|s| statement_tree(s, lists));
    add("Statement", Tree::List(statements.collect()));
    Tree::Object(members)
}

fn statement_tree(statement: &Statement, lists: Lists) -> Tree {
    let Statement {
        sid,
        effect,
        principals,
        actions,
        resources,
        conditions,
    } = statement;
    let mut members = Vec::new();
    let mut add = |key: String, value| members.push((key, value));
    if let Some(sid) = sid {
        add("Sid".to_owned(), Tree::string(sid));
    }
    add("Effect".to_owned(), Tree::string(effect.as_str()));
    if let Some(principals) = principals {
        add(
            element("Principal", principals),
            principal_tree(principals, lists),
        );
    }
    add(element("Action", actions), string_tree(actions, lists));
    if let Some(resources) = resources {
        add(
            element("Resource", resources),
            string_tree(resources, lists),
        );
    }
    if !conditions.is_empty() {
        add("Condition".to_owned(), condition_tree(conditions, lists));
    }
    Tree::Object(members)
}

fn element<L>(name: &str, selection: &Selection<L>) -> String {
    let prefix = if selection.is_negated() { "Not" } else { "" };
    format!("{prefix}{name}")
}

fn string_tree(selection: &Selection<Vec<String>>, lists: Lists) -> Tree {
    Tree::values(
        selection.list().iter().map(|text| Tree::string(text)),
        lists,
    )
}

fn principal_tree(principals: &Principals, lists: Lists) -> Tree {
    let list = principals.list();
    if *list == [Principal::Star] {
        return Tree::string("*");
    }
    let mut kinds: Vec<(&str, Vec<Tree>)> = Vec::new();
    for (kind, name) in list.iter().map(Principal::entry) {
        let name = Tree::string(name);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, names)) => names.push(name),
            None => kinds.push((kind, vec![name])),
        }
    }
    let entries = kinds.into_iter();
    Tree::Object(
        entries
            .map(|(kind, names)| (kind.to_owned(), Tree::values(names, lists)))
            .collect(),
    )
}

fn condition_tree(conditions: &[Condition], lists: Lists) -> Tree {
    let blocks = operators(conditions).into_iter().map(|operator| {
        let tests = conditions.iter().filter(|test| test.operator == operator);
        let tests = tests.map(|test| {
            let values = test.values.iter().map(|value| match value {
                ConditionValue::String(text) => Tree::string(text),
                ConditionValue::Number(text) => Tree::Scalar(text.clone()),
                ConditionValue::Bool(value) => Tree::Scalar(value.to_string()),
            });
            (test.key.clone(), Tree::values(values, lists))
        });
        (operator.to_string(), Tree::Object(tests.collect()))
    });
    Tree::Object(blocks.collect())
}

/// Sorts a document and drops what is there twice.
fn sorted(document: &Document) -> Document {
    let version = document.effective_version();
    let mut statements: Vec<Statement> = document.statements.clone();
    for statement in &mut statements {
        sort(&mut statement.actions, |text| action(text));
        if let Some(resources) = &mut statement.resources {
            sort(resources, |text| resource(text, version));
        }
        if let Some(principals) = &mut statement.principals {
            sort(principals, Principal::clone);
        }
        for condition in &mut statement.conditions {
            let values = &mut condition.values;
            values.sort_by(|a, b| a.as_str().cmp(b.as_str()));
            values.dedup_by(|a, b| a.as_str() == b.as_str());
        }
        statement.conditions.sort_by_cached_key(|condition| {
            let key = condition.key.to_ascii_lowercase();
            (condition.operator.to_string(), key, condition.key.clone())
        });
    }
    let order = |statement: &Statement| {
        let form = canonical_statement(statement, version, &CanonicalContext::default());
        (statement.sid.clone(), form)
    };
    statements.sort_by_cached_key(order);
    statements.dedup_by_key(|statement| order(statement));
    Document {
        statements,
        ..document.clone()
    }
}

/// Sorts a list by the meaning of its items, then by their spelling, and keeps one item of each meaning.
fn sort<T: Ord + Clone, K: Ord>(selection: &mut Selection<Vec<T>>, meaning: impl Fn(&T) -> K) {
    let (Selection::Only(list) | Selection::Except(list)) = selection;
    list.sort_by_cached_key(|item| (meaning(item), item.clone()));
    list.dedup_by_key(|item| meaning(item));
}

#[cfg(test)]
mod tests;
