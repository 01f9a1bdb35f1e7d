//! The text of a policy against the text of a request: wildcards, variables and ARN segments.

use std::borrow::Cow;

use super::facts::{Facts, Lookup};
use super::glob::{Glob, Step, Wild};
use super::truth::Truth;
use crate::policy::document::Version;

/// Says how a policy's text is compared with a request's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Character by character.
    Equal,
    /// Character by character, ASCII letters in either case.
    EqualIgnoringCase,
    /// `*` matches any characters, also colons and slashes, and `?` any one.
    Like,
    /// As [`Comparison::Like`], each of the six colon segments by itself.
    Arn,
}

/// Tells whether a policy's text matches a request's.
///
/// From language version 2012-10-17 on `${…}` in it is a variable, whose value is compared as plain text. Without the key,
/// or when it has many values, the text matches nothing.
/// Source: IAM User Guide, "IAM policy elements: Variables and tags".
pub(super) fn matches(
    written: &str,
    text: &str,
    how: Comparison,
    version: Version,
    facts: &Facts<'_>,
) -> Truth {
    match expand(written, how, version, facts) {
        // Whether `*` alone, which has no six segments, matches an ARN is not documented.
        Expansion::Known(pattern) if how == Comparison::Arn && pattern.is_any() => {
            if text.splitn(6, ':').count() == 6 {
                Truth::Unknown
            } else {
                Truth::False
            }
        }
        Expansion::Known(pattern) => Truth::from(pattern.matches(text, how)),
        Expansion::Unresolved => Truth::False,
        // The variable stands as a wildcard that crosses colons: what even that excludes cannot match.
        Expansion::Unknown(widest) => {
            let fold = how == Comparison::EqualIgnoringCase;
            if widest.slice().matches(text.as_bytes(), fold) {
                Truth::Unknown
            } else {
                Truth::False
            }
        }
    }
}

/// Tells whether an action of a policy matches that of a request: in either case, and without variables.
pub(in crate::policy) fn matches_action(written: &str, action: &str) -> bool {
    let glob = Glob {
        bytes: written.as_bytes(),
        wild: Wild::Everywhere,
    };
    glob.matches(action.as_bytes(), true)
}

/// Holds a policy's text after its variables are replaced.
pub(super) enum Expansion<'a> {
    Known(Expanded<'a>),
    /// The key of a variable is absent or has many values.
    Unresolved,
    /// The key of a variable is not known; it stands as `*`.
    Unknown(Expanded<'a>),
}

/// Holds a text in which it is known which `*` and `?` are wildcards.
pub(super) struct Expanded<'a> {
    text: Cow<'a, str>,
    /// For each byte whether it may be a wildcard; `None`: as `everywhere` says.
    mask: Option<Vec<bool>>,
    everywhere: bool,
}

/// Replaces the variables of a policy's text.
pub(super) fn expand<'a>(
    written: &'a str,
    how: Comparison,
    version: Version,
    facts: &Facts<'_>,
) -> Expansion<'a> {
    let wildcards = matches!(how, Comparison::Like | Comparison::Arn);
    if version == Version::V2008 || !written.contains("${") {
        return Expansion::Known(Expanded {
            text: written.into(),
            mask: None,
            everywhere: wildcards,
        });
    }
    let mut text = String::with_capacity(written.len());
    let mut mask = Vec::with_capacity(written.len());
    let mut push = |part: &str, wild: bool| {
        text.push_str(part);
        mask.resize(mask.len() + part.len(), wild);
    };
    let mut unknown = false;
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("${") {
        push(before, wildcards);
        let Some((inside, after)) = after.split_once('}') else {
            push("${", false);
            rest = after;
            continue;
        };
        match variable(inside, facts) {
            Variable::Text(value) => push(value, false),
            Variable::Unresolved => return Expansion::Unresolved,
            Variable::Unknown => {
                unknown = true;
                push("*", true);
            }
        }
        rest = after;
    }
    push(rest, wildcards);
    let expanded = Expanded {
        text: text.into(),
        mask: Some(mask),
        everywhere: wildcards,
    };
    if unknown {
        Expansion::Unknown(expanded)
    } else {
        Expansion::Known(expanded)
    }
}

/// Lists the keys of the variables in a policy's text.
pub(super) fn variables(written: &str) -> impl Iterator<Item = &str> {
    written.split("${").skip(1).filter_map(|part| {
        let inside = part.split_once('}')?.0;
        let key = inside.split(',').next()?.trim();
        (!matches!(key, "*" | "?" | "$")).then_some(key)
    })
}

enum Variable<'a> {
    Text(&'a str),
    Unresolved,
    Unknown,
}

/// Reads what stands between `${` and `}`: an escaped character, or a key and perhaps `, 'default'`.
fn variable<'a>(inside: &'a str, facts: &'a Facts<'_>) -> Variable<'a> {
    if let "*" | "?" | "$" = inside {
        return Variable::Text(inside);
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => (key, Some(default)),
        None => (inside, None),
    };
    match facts.lookup(key.trim()) {
        Lookup::Unknown => Variable::Unknown,
        Lookup::Present(values) => match values.single() {
            Some(value) => Variable::Text(value),
            None => Variable::Unresolved,
        },
        Lookup::Absent => match default.map(quoted) {
            None => Variable::Unresolved,
            Some(Some(text)) => Variable::Text(text),
            // AWS does not say what a default without quotes is.
            Some(None) => Variable::Unknown,
        },
    }
}

fn quoted(text: &str) -> Option<&str> {
    text.trim().strip_prefix('\'')?.strip_suffix('\'')
}

impl Expanded<'_> {
    fn matches(&self, text: &str, how: Comparison) -> bool {
        match (how, &self.mask) {
            (Comparison::Equal, _) => self.text == text,
            (Comparison::EqualIgnoringCase, _) => self.text.eq_ignore_ascii_case(text),
            (Comparison::Like, _) => self.slice().matches(text.as_bytes(), false),
            (Comparison::Arn, _) => self.matches_arn(text),
        }
    }

    fn matches_arn(&self, text: &str) -> bool {
        let mut segments = text.splitn(6, ':');
        let mut patterns = self.segments();
        for _ in 0..6 {
            let (Some(pattern), Some(segment)) = (patterns.next(), segments.next()) else {
                return false;
            };
            if !pattern.matches(segment.as_bytes(), false) {
                return false;
            }
        }
        true
    }

    /// Tells whether this is `*`, which as an ARN matches every ARN.
    pub(super) fn is_any(&self) -> bool {
        !self.text.is_empty() && self.slice().steps().all(|step| step == Step::Any)
    }

    /// The characters and wildcards in order.
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> {
        let slice = self.slice();
        let characters = self.text.char_indices();
        characters.map(move |(index, character)| slice.step(index, character))
    }

    fn slice(&self) -> Glob<'_> {
        Glob {
            bytes: self.text.as_bytes(),
            wild: match &self.mask {
                Some(mask) => Wild::Mask(mask),
                None if self.everywhere => Wild::Everywhere,
                None => Wild::Nowhere,
            },
        }
    }

    /// Splits at colons into at most six parts.
    fn segments(&self) -> impl Iterator<Item = Glob<'_>> {
        let whole = self.slice();
        let mut start = 0;
        self.text.splitn(6, ':').map(move |part| {
            let end = start + part.len();
            let wild = match whole.wild {
                Wild::Mask(mask) => Wild::Mask(mask.get(start..end).unwrap_or_default()),
                other => other,
            };
            start = end + 1;
            Glob {
                bytes: part.as_bytes(),
                wild,
            }
        })
    }
}
