//! What is wrong with a spec: one problem at a time, told as text or as a value.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::source::{Location, Place, SourceMap};
use crate::text::{is_hidden, visible};

/// Cuts lines of a file that are longer than this many characters.
const MAX_WIDTH: usize = 200;

/// Tells how grave a problem is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing may be done with the spec.
    Error,
    /// The spec may be meant as it is.
    Warning,
}

/// Says where a problem is: a stretch of text, a value by its symbolic path, or the run as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// A stretch of text in a file.
    Place(Place),
    /// A value of the spec, such as `roles[0].trusted[2]`, or one that is missing there.
    Path(String),
    /// No text at all, such as a file that can't be read.
    Nowhere,
}

impl From<Place> for At {
    fn from(place: Place) -> Self {
        Self::Place(place)
    }
}

impl From<String> for At {
    fn from(path: String) -> Self {
        Self::Path(path)
    }
}

impl From<&str> for At {
    fn from(path: &str) -> Self {
        Self::Path(path.to_owned())
    }
}

/// Reports one thing that is wrong, where it is and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How grave it is.
    pub severity: Severity,
    /// Where it is.
    pub at: At,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// Another place that has to do with it, and what it is.
    pub other: Option<Box<(At, String)>>,
    /// Whether what stands there may be a secret, so that it is not shown.
    pub conceal: bool,
}

impl Problem {
    /// Makes an error.
    pub fn error(at: impl Into<At>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            at: at.into(),
            message: message.into(),
            hint: None,
            other: None,
            conceal: false,
        }
    }

    /// Makes a warning.
    pub fn warning(at: impl Into<At>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(at, message)
        }
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps what stands at its place from being shown.
    #[must_use]
    pub fn concealed(mut self) -> Self {
        self.conceal = true;
        self
    }

    /// Adds another place that has to do with it.
    #[must_use]
    pub fn also(mut self, at: impl Into<At>, what: impl Into<String>) -> Self {
        self.other = Some(Box::new((at.into(), what.into())));
        self
    }
}

/// Tells a problem as plain values, for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Finding {
    /// `error` or `warning`.
    pub severity: Severity,
    /// The file as it was named; absent when the problem is not in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The line itself, cut when it is long; control characters are made visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// Where it is, for putting problems in order.
    pub(super) fn place(&self, sources: &SourceMap) -> Option<Place> {
        place(&self.at, sources)
    }

    /// Tells the problem as plain values.
    #[must_use]
    pub fn finding(&self, sources: &SourceMap) -> Finding {
        let location = place(&self.at, sources).and_then(|place| sources.location(place));
        Finding {
            severity: self.severity,
            file: location.as_ref().map(|location| location.file.to_owned()),
            line: location.as_ref().map(|location| location.line),
            column: location.as_ref().map(|location| location.column),
            text: location.map(|location| Excerpt::new(&location, self.conceal).text),
            message: visible(&self.message).into_owned(),
            hint: self.hint.as_deref().map(|hint| visible(hint).into_owned()),
        }
    }

    /// Tells the problem as text for a person, with the line it is in; nothing in it can steer a terminal.
    #[must_use]
    pub fn render(&self, sources: &SourceMap, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(visible(&self.message)));
        let first = place(&self.at, sources);
        let other = self
            .other
            .as_deref()
            .and_then(|(at, what)| Some((place(at, sources)?, what)));
        let marks = [
            first.map(|place| (place, AnnotationKind::Primary, None)),
            other.map(|(place, what)| (place, AnnotationKind::Context, Some(visible(what)))),
        ];
        for (place, kind, label) in marks.into_iter().flatten() {
            let Some(location) = sources.location(place) else {
                continue;
            };
            let excerpt = Excerpt::new(&location, self.conceal);
            let name = visible(location.file);
            let mut snippet = Snippet::source(excerpt.text)
                .line_start(location.line)
                .annotation(kind.span(excerpt.start..excerpt.end).label(label));
            if excerpt.cut {
                // What is left of the line no longer tells the column.
                let origin = Origin::path(name).line(location.line);
                group = group.element(origin.char_column(location.column));
            } else {
                snippet = snippet.path(name);
            }
            group = group.element(snippet);
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(visible(hint)));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }
}

fn place(at: &At, sources: &SourceMap) -> Option<Place> {
    match at {
        At::Place(place) => Some(*place),
        At::Path(path) => sources.place_of(path),
        At::Nowhere => None,
    }
}

/// A line made fit to be shown, and the bytes of it that are meant.
struct Excerpt {
    text: String,
    start: usize,
    end: usize,
    /// Whether characters before those shown are left out.
    cut: bool,
}

impl Excerpt {
    fn new(location: &Location<'_>, conceal: bool) -> Self {
        let first = location.column - 1;
        let last = first + location.width;
        let length = location.text.chars().count();
        let from = if length <= MAX_WIDTH {
            0
        } else {
            first.saturating_sub(MAX_WIDTH / 2).min(length - MAX_WIDTH)
        };
        let mut excerpt = Self {
            text: String::new(),
            start: 0,
            end: 0,
            cut: from > 0,
        };
        if from > 0 {
            excerpt.text.push('…');
        }
        let shown = location.text.chars().enumerate().skip(from).take(MAX_WIDTH);
        excerpt.start = excerpt.text.len();
        for (index, character) in shown {
            // One character for each, so that columns stay what they are.
            excerpt
                .text
                .push(if conceal && (first..last).contains(&index) {
                    '*'
                } else if is_hidden(character) && character != '\t' {
                    '\u{fffd}'
                } else {
                    character
                });
            if index < first {
                excerpt.start = excerpt.text.len();
            }
            if index < last {
                excerpt.end = excerpt.text.len();
            }
        }
        excerpt.end = excerpt.end.max(excerpt.start);
        if from + MAX_WIDTH < length {
            excerpt.text.push('…');
        }
        excerpt
    }
}
