//! Where things are written: files, places in them, and the way from a symbolic path to a place.
//!
//! A symbolic path such as `roles[0].trusted[2]` or `policies.baseline` names a value of the spec, whichever file it is
//! in; a key that holds `.`, `[`, `]` or `"` is written `["like.this"]`.

use super::node::{Node, Value};

/// Marks a stretch of text in one of the files: byte offsets, the end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, by its number in the [`SourceMap`].
    pub file: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// Tells a place the way people name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location<'a> {
    /// The file as it was named, relative or not.
    pub file: &'a str,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of this line are meant, from the column on.
    pub width: usize,
    /// The whole line, without its end.
    pub text: &'a str,
}

#[derive(Debug, Clone)]
struct SourceFile {
    name: String,
    text: String,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

/// Keeps the files that were read and the tree of values they hold together.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    root: Option<Box<Node>>,
}

impl SourceMap {
    /// Takes in a file and returns its number.
    pub(super) fn add(&mut self, name: &str, text: String) -> usize {
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        self.files.push(SourceFile {
            name: name.to_owned(),
            text,
            lines,
        });
        self.files.len() - 1
    }

    pub(super) fn set_root(&mut self, root: Node) {
        self.root = Some(Box::new(root));
    }

    /// The name of a file as it was given.
    pub(super) fn name(&self, file: usize) -> Option<&str> {
        self.files.get(file).map(|file| file.name.as_str())
    }

    /// The name of the first file, as it was given.
    #[must_use]
    pub fn first_file(&self) -> Option<&str> {
        self.name(0)
    }

    /// Finds where a value is written; for one that isn't, the nearest value above it that is.
    ///
    /// A mapping or list under a key is shown by that key.
    ///
    /// Nothing is found before the files were parsed.
    #[must_use]
    pub fn place_of(&self, path: &str) -> Option<Place> {
        let mut node = self.root.as_deref()?;
        let mut place = node.place;
        for step in steps(path) {
            let Some((at, next)) = descend(node, &step) else {
                break;
            };
            (place, node) = (at, next);
        }
        Some(place)
    }

    /// Tells a place by file, line and column.
    #[must_use]
    pub fn location(&self, place: Place) -> Option<Location<'_>> {
        let file = self.files.get(place.file)?;
        let line = file.lines.partition_point(|start| *start <= place.start);
        let start = *file.lines.get(line.checked_sub(1)?)?;
        let end = file
            .lines
            .get(line)
            .map_or(file.text.len(), |next| next - 1);
        let column = file.text.get(start..place.start)?.chars().count() + 1;
        let text = file.text.get(start..end.max(start))?;
        let text = text.strip_suffix('\r').unwrap_or(text);
        let meant = place.start..place.end.min(start + text.len());
        Some(Location {
            file: &file.name,
            line,
            column,
            width: file
                .text
                .get(meant)
                .map_or(0, |meant| meant.chars().count()),
            text,
        })
    }

    /// Tells by file, line and column where a value is written, or the nearest value above it.
    #[must_use]
    pub fn location_of(&self, path: &str) -> Option<Location<'_>> {
        self.location(self.place_of(path)?)
    }

    /// Finds the place of a line and column, both from 1, such as another parser reports.
    pub(super) fn place_at(&self, file: usize, line: usize, column: usize) -> Option<Place> {
        let source = self.files.get(file)?;
        let from = *source.lines.get(line.checked_sub(1)?)?;
        let rest = source.text.get(from..)?;
        let mut characters = rest.char_indices().skip(column.saturating_sub(1));
        let start = characters.next().map_or(rest.len(), |(at, _)| at);
        let end = characters.next().map_or(rest.len(), |(at, _)| at);
        Some(Place {
            file,
            start: from + start,
            end: from + end,
        })
    }
}

/// Writes the path of a mapping's entry.
#[must_use]
pub fn entry(parent: &str, key: &str) -> String {
    if key.is_empty() || key.contains(['.', '[', ']', '"']) {
        format!("{parent}[{key:?}]")
    } else if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}

/// Writes the path of a list's element, from 0.
#[must_use]
pub fn element(parent: &str, index: usize) -> String {
    format!("{parent}[{index}]")
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let (key, after) = unquote(quoted);
            steps.push(Step::Key(key));
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('[') {
            let (index, after) = inside.split_once(']').unwrap_or((inside, ""));
            steps.push(
                index
                    .parse()
                    .map_or_else(|_| Step::Key(index.to_owned()), Step::Index),
            );
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            if !key.is_empty() {
                steps.push(Step::Key(key.to_owned()));
            }
            rest = after;
        }
    }
    steps
}

/// Reads what [`entry`] wrote between `["` and `"]`, and what follows it.
fn unquote(text: &str) -> (String, &str) {
    let mut key = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let after = text.get(at + 1..).unwrap_or_default();
                return (key, after.strip_prefix(']').unwrap_or(after));
            }
            '\\' => key.extend(characters.next().map(|(_, escaped)| escaped)),
            other => key.push(other),
        }
    }
    (key, "")
}

fn descend<'a>(node: &'a Node, step: &Step) -> Option<(Place, &'a Node)> {
    match (&node.value, step) {
        (Value::Mapping(entries), Step::Key(wanted)) => entries
            .iter()
            .find(|(key, _)| key.as_text() == Some(wanted.as_str()))
            .map(|(key, value)| match value.value {
                Value::Scalar { .. } => (value.place, value),
                Value::Sequence(_) | Value::Mapping(_) => (key.place, value),
            }),
        (Value::Sequence(elements), Step::Index(index)) => {
            elements.get(*index).map(|element| (element.place, element))
        }
        (Value::Scalar { .. } | Value::Mapping(_) | Value::Sequence(_), _) => None,
    }
}
