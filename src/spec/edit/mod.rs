//! Edits of a spec's text: ignore rules come and go, and everything else stays byte for byte.
//!
//! Whatever the layout is, an edit counts only when the new text loads as the old spec with exactly that change; where it
//! would not, nothing is written and a person is asked to do it by hand. `block` edits lists of one rule below the other,
//! `flow` those in brackets, `lines` is what both see of a text.

mod block;
mod flow;
mod lines;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::documents::ReadFile;
use super::load::{LoadError, load_texts};
use super::node::{Builder, Node, Value};
use super::scalar::{self, Plain};
use super::types::{Ignore, Spec};
use lines::Lines;

/// The section.
const SECTION: &str = "ignore";

/// Says why a spec was not edited.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It is wrong, before the edit or by it.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It is laid out in a way that can't be edited so that nothing else changes.
    #[error(
        "the section `ignore` of {0} is laid out in a way that can't be edited without touching more than the rule; edit it by hand"
    )]
    Layout(String),
}

/// States an edit.
#[derive(Debug, Clone, Copy)]
pub enum IgnoreEdit<'a> {
    /// A rule is added, behind those there are.
    Add(&'a Ignore),
    /// Rules are taken out, by their places in the list, with the comments right above them.
    Remove(&'a BTreeSet<usize>),
}

/// Edits the ignore rules of a spec, given by the names and texts of its files; gives the files that change, by number.
///
/// A rule is added to the last file that has the section, or else to the first file.
///
/// # Errors
/// When the spec is wrong, before or after, or is laid out in a way that can't be edited.
pub fn edit_ignore(
    files: &[(String, String)],
    read: &ReadFile<'_>,
    edit: IgnoreEdit<'_>,
) -> Result<Vec<(usize, String)>, EditError> {
    let mut expected = load_texts(files.to_vec(), read)?.spec;
    let lists = files.iter().map(|(_, text)| Section::of(text));
    let lists: Vec<Option<Section>> = lists.collect();
    let mut edited = Vec::new();
    type Change<'a> = &'a dyn Fn(&str, Option<&Section>) -> Option<String>;
    let mut file_edit = |number: usize, edit: Change<'_>| -> Result<(), EditError> {
        let Some((name, text)) = files.get(number) else {
            return Ok(());
        };
        let (mark, body) = split_mark(text);
        let section = lists.get(number).and_then(Option::as_ref);
        let body = edit(body, section).ok_or_else(|| EditError::Layout(name.clone()))?;
        edited.push((number, format!("{mark}{body}")));
        Ok(())
    };
    match edit {
        IgnoreEdit::Add(rule) => {
            let number = lists.iter().rposition(Option::is_some).unwrap_or(0);
            file_edit(number, &|text, section| added(text, section, rule))?;
            expected.ignore.push(rule.clone());
        }
        IgnoreEdit::Remove(indices) => {
            let mut before = 0;
            for (number, section) in lists.iter().enumerate() {
                let count = section.as_ref().map_or(0, |section| section.rules().len());
                let own = indices.range(before..before + count);
                let own: BTreeSet<usize> = own.map(|index| index - before).collect();
                before += count;
                if !own.is_empty() {
                    file_edit(number, &|text, section| removed(text, section?, &own))?;
                }
            }
            let mut index = 0..;
            expected
                .ignore
                .retain(|_| index.next().is_none_or(|index| !indices.contains(&index)));
        }
    }
    let mut after = files.to_vec();
    for (number, text) in &edited {
        if let Some((_, old)) = after.get_mut(*number) {
            old.clone_from(text);
        }
    }
    let changed = edited.first().and_then(|(number, _)| files.get(*number));
    let layout = || EditError::Layout(changed.map(|(name, _)| name.clone()).unwrap_or_default());
    // What was right before can only be wrong now because the text was cut wrongly, or the new rule is wrong.
    let loaded = match load_texts(after, read) {
        Ok(loaded) => loaded,
        Err(error) if matches!(edit, IgnoreEdit::Add(_)) && error.is_about(SECTION) => {
            return Err(error.into());
        }
        Err(_) => return Err(layout()),
    };
    let said = |spec: &Spec| serde_json::to_value(spec).ok();
    if said(&loaded.spec).is_some_and(|loaded| said(&expected) == Some(loaded)) {
        Ok(edited)
    } else {
        Err(layout())
    }
}

/// Splits off the byte order mark, which places do not count.
fn split_mark(text: &str) -> (&str, &str) {
    const MARK: &str = "\u{feff}";
    match text.strip_prefix(MARK) {
        Some(body) => (MARK, body),
        None => ("", text),
    }
}

/// Holds the section as it is written in one file.
struct Section {
    key: Node,
    list: Node,
}

impl Section {
    /// Finds it.
    fn of(text: &str) -> Option<Self> {
        let root = Builder::default().parse(0, split_mark(text).1, &mut Vec::new())?;
        let Value::Mapping(entries) = &root.value else {
            return None;
        };
        let mut entries = entries.iter();
        let (key, list) = entries.find(|(key, _)| key.as_text() == Some(SECTION))?;
        Some(Self {
            key: key.clone(),
            list: list.clone(),
        })
    }

    fn rules(&self) -> &[Node] {
        match &self.list.value {
            Value::Sequence(rules) => rules,
            Value::Scalar { .. } | Value::Mapping(_) => &[],
        }
    }

    /// Tells whether it is written in brackets.
    fn is_flow(&self, text: &str) -> bool {
        let rest = text.get(self.list.place.start..);
        rest.is_some_and(|rest| rest.starts_with('['))
    }
}

fn added(text: &str, section: Option<&Section>, rule: &Ignore) -> Option<String> {
    let lines = Lines::new(text);
    let Some(section) = section else {
        return Some(appended(&lines, rule));
    };
    if section.is_flow(text) {
        flow::add(&lines, section, rule)
    } else {
        block::add(&lines, section, rule)
    }
}

fn removed(text: &str, section: &Section, indices: &BTreeSet<usize>) -> Option<String> {
    let lines = Lines::new(text);
    if section.is_flow(text) {
        flow::remove(&lines, section, indices)
    } else {
        block::remove(&lines, section, indices)
    }
}

/// Adds the section at the end of a text.
fn appended(lines: &Lines<'_>, rule: &Ignore) -> String {
    let end = lines.end();
    let text = lines.text();
    let (close, last) = match text.ends_with('\n') {
        true => ("", end),
        false => (end, ""),
    };
    let block = block::written(rule, 2, end);
    let block = block.strip_suffix(end).unwrap_or(&block);
    format!("{text}{close}{end}{SECTION}:{end}{block}{last}")
}

/// The keys of a rule with their values, as YAML.
fn entries(rule: &Ignore) -> Vec<(&'static str, String)> {
    let Ignore {
        r#match,
        reason,
        owner,
        expires,
    } = rule;
    let mut entries = vec![("match", quoted(r#match)), ("reason", quoted(reason))];
    entries.extend(owner.as_ref().map(|owner| ("owner", scalar(owner))));
    entries.push(("expires", expires.to_string()));
    entries
}

/// Writes a text without quotes where that can be nothing else.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_".contains(character));
    if is_word && scalar::plain(text) == Plain::Text {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Writes a text in double quotes; what JSON escapes, YAML reads alike.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
