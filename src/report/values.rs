//! Values for people: durations, lists and fields as lines that the terminal and Markdown both show.

use serde_json::Value;

use super::document;
use super::words::few;
use crate::plan::{Action, Field, Kind};

/// Shows a line of a field: what only one side has, or what both have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Whose line it is.
    pub(super) side: Side,
    /// The line, without its sign.
    pub(super) text: String,
    /// Whether it may be broken where there is little room: it is words, not a line of a document or list.
    pub(super) wraps: bool,
}

impl Line {
    /// Makes a line that stays as it is.
    pub(super) fn exact(side: Side, text: impl Into<String>) -> Self {
        Self {
            side,
            text: text.into(),
            wraps: false,
        }
    }

    /// Makes a line that may be broken.
    pub(super) fn words(side: Side, text: impl Into<String>) -> Self {
        Self {
            wraps: true,
            ..Self::exact(side, text)
        }
    }

    /// The line as a diff writes it: the sign in the first column, so that it can be coloured.
    pub(super) fn signed(&self) -> String {
        let sign = match self.side {
            Side::Both => ' ',
            Side::Live => '-',
            Side::Spec => '+',
        };
        format!("{sign}   {}", self.text).trim_end().to_owned()
    }
}

/// Tells which side a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Both, or it only explains.
    Both,
    /// What AWS holds.
    Live,
    /// What the spec says.
    Spec,
}

/// Says how fields are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling {
    /// What is reported.
    pub(super) kind: Kind,
    /// Whether documents that only one side has are shown whole.
    pub(super) whole: bool,
    /// The longest line that two values share.
    pub(super) width: usize,
}

/// Writes seconds as a person would, such as `12h` or `1h 30m`.
pub(super) fn duration(seconds: u64) -> String {
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let words: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if words.is_empty() {
        "0s".to_owned()
    } else {
        words.join(" ")
    }
}

/// Writes a single value; `path` says what it measures.
pub(super) fn scalar(path: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => match number.as_u64() {
            Some(seconds) if path == "max_session" => duration(seconds),
            _ => number.to_string(),
        },
        // A text that could be taken for something else, or for two, is quoted.
        Value::String(text) if text.is_empty() || text == "none" || text.contains(' ') => {
            format!("\"{text}\"")
        }
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn is_document(path: &str) -> bool {
    path == "trust_policy" || path == "document" || path.starts_with("inline_policies.")
}

fn is_list(field: &Field) -> bool {
    let list = |value: &Value| value.is_array() || value.is_null();
    list(&field.live) && list(&field.spec)
}

/// Finds what only the first, and what only the second of two lists holds.
fn list_difference(live: &Value, spec: &Value) -> (Vec<String>, Vec<String>) {
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (live, spec) = (items(live), items(spec));
    let only = |these: &[Value], others: &[Value]| -> Vec<String> {
        these
            .iter()
            .filter(|item| !others.contains(item))
            .map(|item| scalar("", item))
            .collect()
    };
    (only(&live, &spec), only(&spec, &live))
}

fn field_phrase(field: &Field) -> String {
    const SHORT: usize = 40;
    let path = &field.path;
    if is_document(path) {
        return match (field.live.is_null(), field.spec.is_null()) {
            (false, true) => format!("{path} (only live)"),
            (true, false) => format!("{path} (only spec)"),
            _ => path.clone(),
        };
    }
    if is_list(field) {
        let (live, spec) = list_difference(&field.live, &field.spec);
        let some = |sign: char, items: &[String]| match items.len() {
            0 => String::new(),
            number => format!(" {sign}{number}"),
        };
        return format!("{path}{}{}", some('−', &live), some('+', &spec));
    }
    let text = scalar_phrase(field);
    if text.chars().count() <= SHORT {
        text
    } else {
        path.clone()
    }
}

fn scalar_phrase(field: &Field) -> String {
    let Field {
        path, live, spec, ..
    } = field;
    format!("{path}: {} → {}", scalar(path, live), scalar(path, spec))
}

/// Tells the fields of a change in lines.
pub(super) fn lines(fields: &[Field], action: Action, telling: Telling) -> Vec<Line> {
    match action {
        Action::Create => object_lines(fields, Side::Spec, telling),
        Action::Delete => object_lines(fields, Side::Live, telling),
        Action::Update | Action::Manual => fields
            .iter()
            .flat_map(|field| field_lines(field, telling))
            .collect(),
    }
}

/// Tells a whole object, which one side has and the other lacks.
fn object_lines(fields: &[Field], side: Side, telling: Telling) -> Vec<Line> {
    // Signs are for what is compared; here the whole object is of one side, unless its documents are spread out.
    let shown = if telling.whole { side } else { Side::Both };
    let mut lines = Vec::new();
    let mut tags = Vec::new();
    for field in fields {
        let value = if side == Side::Live {
            &field.live
        } else {
            &field.spec
        };
        let path = &field.path;
        let mut line = |text: String| lines.push(Line::words(shown, text));
        if let Some(key) = path.strip_prefix("tags.") {
            tags.push(format!("{key} = {}", scalar(path, value)));
        } else if is_document(path) {
            line(format!("{path}: {}", document::summary(value)));
            if telling.whole {
                lines.extend(indented(document::whole(value, side)));
            }
        } else if let Some(items) = value.as_array() {
            let items: Vec<String> = items.iter().map(|item| scalar("", item)).collect();
            line(format!("{path}: {}", items.join(", ")));
        } else {
            line(format!("{path}: {}", scalar(path, value)));
        }
    }
    if !tags.is_empty() {
        lines.push(Line::words(shown, format!("tags: {}", tags.join(", "))));
    }
    lines
}

fn field_lines(field: &Field, telling: Telling) -> Vec<Line> {
    if is_document(&field.path) {
        document_lines(field, telling)
    } else if is_list(field) {
        list_lines(field, telling.kind)
    } else {
        scalar_lines(field, telling.width)
    }
}

fn scalar_lines(field: &Field, width: usize) -> Vec<Line> {
    let together = scalar_phrase(field);
    if together.chars().count() <= width {
        return vec![Line::exact(Side::Both, together)];
    }
    let Field {
        path, live, spec, ..
    } = field;
    [(Side::Live, live), (Side::Spec, spec)]
        .map(|(side, value)| Line::words(side, format!("{path}: {}", scalar(path, value))))
        .to_vec()
}

fn list_lines(field: &Field, kind: Kind) -> Vec<Line> {
    let (live, spec) = list_difference(&field.live, &field.spec);
    let said = match (kind, live.len(), spec.len()) {
        (_, 0, 0) => "the same items".to_owned(),
        (Kind::Plan, extra, 0) => format!("{extra} to remove"),
        (Kind::Plan, 0, missing) => format!("{missing} to add"),
        (Kind::Plan, extra, missing) => format!("{extra} to remove, {missing} to add"),
        (Kind::Drift, extra, 0) => format!("live has {extra} more than the spec"),
        (Kind::Drift, 0, missing) => format!("live lacks {missing}"),
        (Kind::Drift, extra, missing) => {
            format!("live has {extra} more than the spec and lacks {missing}")
        }
    };
    let items = |side: Side, items: Vec<String>| {
        items
            .into_iter()
            .map(move |item| Line::exact(side, format!("  {item}")))
    };
    let mut lines = vec![Line::words(Side::Both, format!("{}: {said}", field.path))];
    lines.extend(items(Side::Live, live));
    lines.extend(items(Side::Spec, spec));
    lines
}

fn document_lines(field: &Field, telling: Telling) -> Vec<Line> {
    let Field {
        path, live, spec, ..
    } = field;
    let (side, value) = match (live.is_null(), spec.is_null()) {
        (false, true) => (Side::Live, live),
        (true, _) => (Side::Spec, spec),
        (false, false) => {
            let mut lines = vec![Line::words(Side::Both, format!("{path}:"))];
            lines.extend(
                document::problems(live, spec)
                    .into_iter()
                    .map(|problem| Line::words(Side::Both, format!("  {problem}"))),
            );
            lines.extend(indented(document::diff(live, spec)));
            return lines;
        }
    };
    let summary = format!("{path}: {}", document::summary(value));
    let mut lines = vec![Line::words(side, summary)];
    if telling.whole {
        lines.extend(indented(document::whole(value, side)));
    }
    lines
}

fn indented(lines: Vec<Line>) -> impl Iterator<Item = Line> {
    lines.into_iter().map(|line| Line {
        text: format!("  {}", line.text),
        ..line
    })
}

/// Says in a few words how fields differ, for a row of a table.
pub(super) fn change_phrase(fields: &[Field]) -> String {
    few(&fields.iter().map(field_phrase).collect::<Vec<_>>(), 3)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::policy::Access;

    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        for (seconds, words) in [
            (0, "0s"),
            (59, "59s"),
            (900, "15m"),
            (3600, "1h"),
            (5400, "1h 30m"),
            (43_200, "12h"),
            (3661, "1h 1m 1s"),
        ] {
            assert_eq!(duration(seconds), words);
        }
    }

    #[test]
    fn values_are_told_apart() {
        assert_eq!(scalar("tags.a", &json!("none")), "\"none\"");
        assert_eq!(scalar("tags.a", &Value::Null), "none");
        assert_eq!(scalar("tags.a", &json!("")), "\"\"");
        assert_eq!(scalar("max_session", &json!(3600)), "1h");
        assert_eq!(scalar("other", &json!(3600)), "3600");
        assert_eq!(scalar("login_profile", &json!(true)), "yes");
    }

    #[test]
    fn long_values_stand_one_above_the_other() {
        let field = Field {
            path: "description".to_owned(),
            live: json!("a b"),
            spec: json!("c"),
            access: Access::None,
            witness: None,
        };
        let telling = |width| Telling {
            kind: Kind::Plan,
            whole: false,
            width,
        };
        let shown = |width| -> Vec<String> {
            field_lines(&field, telling(width))
                .iter()
                .map(Line::signed)
                .collect()
        };
        assert_eq!(shown(80), ["    description: \"a b\" → c"]);
        assert_eq!(
            shown(10),
            ["-   description: \"a b\"", "+   description: c"]
        );
    }
}
