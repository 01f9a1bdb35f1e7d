//! Lists in brackets, on one line or on several.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::node::{Node, Value};
use super::super::types::Ignore;
use super::lines::{Lines, is_end};
use super::{Section, block, entries};

fn written(rule: &Ignore) -> String {
    let entries = entries(rule).into_iter();
    let entries = entries.map(|(key, value)| format!("{key}: {value}"));
    format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
}

pub(super) fn add(lines: &Lines<'_>, section: &Section, rule: &Ignore) -> Option<String> {
    let text = lines.text();
    let List { open, close, rules } = List::of(text, section)?;
    let new = written(rule);
    let Some(last) = rules.last() else {
        return add_first(lines, section, open..close + 1, rule);
    };
    let line = lines.at(last.place.start);
    if lines.content(line) != last.place.start || lines.at(close) == lines.at(last.place.end) {
        return lines.spliced(last.place.end..last.place.end, &format!(", {new}"));
    }
    // It has a line of its own, and so has the new one; a comma was behind the last one, or comes.
    let indent = " ".repeat(lines.indent(line));
    let comma = if last.comma.is_some() { "," } else { "" };
    let new = format!("{indent}{new}{comma}{}", lines.end());
    let below = lines.start(lines.at(last.comma.unwrap_or(last.place.end)) + 1);
    let (before, between, after) = (
        text.get(..last.place.end)?,
        text.get(last.place.end..below)?,
        text.get(below..)?,
    );
    let joint = if last.comma.is_some() { "" } else { "," };
    Some(format!("{before}{joint}{between}{new}{after}"))
}

/// Turns an empty list into one that has rules one below the other, where it has the rest of a line to itself.
fn add_first(
    lines: &Lines<'_>,
    section: &Section,
    brackets: Range<usize>,
    rule: &Ignore,
) -> Option<String> {
    let text = lines.text();
    let key = section.key.place;
    let line = lines.at(key.start);
    let inside = text.get(brackets.start + 1..brackets.end - 1)?;
    let colon = text.get(key.end..brackets.start)?;
    let behind = text.get(brackets.end..lines.start(line + 1))?;
    let behind = behind.trim_end_matches(['\r', '\n']);
    let is_alone = key.start == lines.start(line)
        && inside.trim().is_empty()
        && colon.trim_end() == ":"
        && (behind.is_empty() || is_end(behind));
    if !is_alone {
        let at = brackets.start + 1;
        return lines.spliced(at..at, &written(rule));
    }
    let cut = lines.spliced(key.end + 1..brackets.end, "")?;
    let lines = Lines::new(&cut);
    lines.with_lines(line, &block::written(rule, 2, lines.end()))
}

pub(super) fn remove(
    lines: &Lines<'_>,
    section: &Section,
    indices: &BTreeSet<usize>,
) -> Option<String> {
    let text = lines.text();
    let List { open, close, rules } = List::of(text, section)?;
    let mut cut: Vec<Range<usize>> = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        if !indices.contains(&number) {
            continue;
        }
        let (first, last) = (
            lines.at(rule.place.start),
            lines.at(rule.comma.unwrap_or(rule.place.end - 1)),
        );
        let end = rule.comma.map_or(rule.place.end, |comma| comma + 1);
        let behind = text.get(end..lines.start(last + 1))?;
        if lines.content(first) == rule.place.start
            && is_end(&format!(" {}", behind.trim_end_matches(['\r', '\n'])))
        {
            let above = lines.at(open) + 1;
            let mut from = first;
            while from > above && lines.is_comment(from - 1) {
                from -= 1;
            }
            cut.push(lines.start(from)..lines.start(last + 1));
        } else if let Some(next) = rules.get(number + 1) {
            cut.push(rule.place.start..next.place.start);
        } else {
            // What stays before it needs no comma behind it.
            let kept = (0..number).rev().find(|kept| !indices.contains(kept));
            let from = match kept.and_then(|kept| rules.get(kept)) {
                Some(kept) => kept.place.end,
                None => rules.first()?.place.start,
            };
            cut.push(from..rule.place.end);
        }
    }
    cut.sort_by_key(|range| (range.start, range.end));
    let mut rest = String::new();
    let mut at = 0;
    for range in cut {
        rest.push_str(text.get(at..range.start.max(at))?);
        at = at.max(range.end);
    }
    rest.push_str(text.get(at..)?);
    if indices.len() < rules.len() {
        return Some(rest);
    }
    // With every rule gone, what is left between the brackets is comments, which may stand behind them as well.
    let close = close.checked_sub(text.len() - rest.len())?;
    let left = rest.get(open + 1..close)?.trim_end();
    let left = match left.trim_matches([',', ' ', '\t', '\r', '\n']) {
        "" => "",
        _ => left,
    };
    let (before, after) = (rest.get(..=open)?, rest.get(close + 1..)?);
    Some(format!("{before}]{left}{after}"))
}

/// Holds where everything of a list is.
struct List {
    open: usize,
    close: usize,
    rules: Vec<Rule>,
}

struct Rule {
    place: Range<usize>,
    /// The comma behind it.
    comma: Option<usize>,
}

impl List {
    /// Finds brackets, braces and commas, which are what is no text of a value and no comment.
    fn of(text: &str, section: &Section) -> Option<Self> {
        let open = section.list.place.start;
        let mut values = Vec::new();
        scalars(&section.list, &mut values);
        let mut list = Self {
            open,
            close: open,
            rules: Vec::new(),
        };
        let mut depth = 0_usize;
        let mut begun: Option<usize> = None;
        let mut end = open;
        let mut at = open;
        while let Some(character) = text.get(at..)?.chars().next() {
            if let Some(value) = values.iter().find(|value| value.contains(&at)) {
                begun.get_or_insert(at);
                at = value.end;
                end = at;
                continue;
            }
            let next = at + character.len_utf8();
            match character {
                '#' => {
                    at = text
                        .get(at..)?
                        .find('\n')
                        .map_or(text.len(), |end| at + end);
                    continue;
                }
                '[' | '{' => {
                    if depth == 1 {
                        begun.get_or_insert(at);
                    }
                    depth += 1;
                }
                ']' | '}' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        if let Some(start) = begun {
                            let place = start..end;
                            list.rules.push(Rule { place, comma: None });
                        }
                        list.close = at;
                        return (list.rules.len() == section.rules().len()).then_some(list);
                    }
                    end = next;
                }
                ',' if depth == 1 => {
                    let place = begun.take()?..end;
                    let comma = Some(at);
                    list.rules.push(Rule { place, comma });
                }
                _ => {}
            }
            at = next;
        }
        None
    }
}

/// Lists where the scalars of a value are.
fn scalars(node: &Node, found: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Scalar { .. } => found.push(node.place.start..node.place.end),
        Value::Sequence(elements) => elements.iter().for_each(|element| scalars(element, found)),
        Value::Mapping(entries) => {
            for (key, value) in entries.iter() {
                scalars(key, found);
                scalars(value, found);
            }
        }
    }
}
