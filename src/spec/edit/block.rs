//! Lists that have one rule below the other, each behind a dash.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::node::{Node, Value};
use super::super::types::Ignore;
use super::lines::{Lines, is_end};
use super::{Section, entries};

/// Writes a rule as such a list has it, with the dash at a column.
pub(super) fn written(rule: &Ignore, column: usize, end: &str) -> String {
    let indent = " ".repeat(column);
    let lines = entries(rule).into_iter().enumerate();
    let lines = lines.map(|(number, (key, value))| {
        let dash = if number == 0 { "- " } else { "  " };
        format!("{indent}{dash}{key}: {value}{end}")
    });
    lines.collect()
}

pub(super) fn add(lines: &Lines<'_>, section: &Section, rule: &Ignore) -> Option<String> {
    let last = items(lines, section)?.pop()?;
    let new = written(rule, last.column, lines.end());
    lines.with_lines(last.lines.end - 1, &new)
}

pub(super) fn remove(
    lines: &Lines<'_>,
    section: &Section,
    indices: &BTreeSet<usize>,
) -> Option<String> {
    let items = items(lines, section)?;
    let mut cut = BTreeSet::new();
    for (number, item) in items.iter().enumerate() {
        if !indices.contains(&number) {
            continue;
        }
        cut.extend(item.first..item.lines.end);
        // One of the gaps beside it goes with it.
        match items.get(number + 1) {
            Some(next) => cut.extend(blanks(lines, item.lines.end..next.first)),
            None => {
                let kept = (0..number).rev().find(|kept| !indices.contains(kept));
                if let Some(kept) = kept.and_then(|kept| items.get(kept)) {
                    cut.extend(blanks(lines, kept.lines.end..item.first));
                }
            }
        }
    }
    let emptied = items.len() == indices.len();
    let key = lines.at(section.key.place.end);
    let mut text = String::new();
    for line in (0..lines.count()).filter(|line| !cut.contains(line)) {
        let whole = lines.text().get(lines.start(line)..lines.start(line + 1))?;
        if emptied && line == key {
            // A key without a value would be no list.
            let colon = section.key.place.end - lines.start(line);
            let (before, after) = whole.split_at_checked(colon)?;
            let after = after.strip_prefix(':')?;
            text.push_str(&format!("{before}: []{after}"));
        } else {
            text.push_str(whole);
        }
    }
    Some(text)
}

/// The lines of a stretch, if all of them are blank.
fn blanks(lines: &Lines<'_>, stretch: Range<usize>) -> Range<usize> {
    if stretch.clone().all(|line| lines.is_blank(line)) {
        stretch
    } else {
        0..0
    }
}

/// One rule of the list, by lines.
struct Item {
    /// The first of the comments right above it, or else its own first line.
    first: usize,
    /// Its own lines.
    lines: Range<usize>,
    /// Where its dash is.
    column: usize,
}

/// Finds the rules; `None` when something else shares their lines.
fn items(lines: &Lines<'_>, section: &Section) -> Option<Vec<Item>> {
    let key = lines.at(section.key.place.end);
    let behind = lines
        .text()
        .get(section.key.place.end..lines.start(key + 1))?;
    if !is_end(behind.strip_prefix(':')?.trim_end_matches(['\r', '\n'])) {
        return None;
    }
    let mut items: Vec<Item> = Vec::new();
    for rule in section.rules() {
        let dash = dash(lines, start(rule))?;
        let line = lines.at(dash);
        let column = dash - lines.start(line);
        if lines.indent(line) != column {
            return None;
        }
        let mut end = line + 1;
        for next in line + 1..lines.count() {
            if lines.is_blank(next) {
                continue;
            }
            if lines.indent(next) <= column {
                break;
            }
            end = next + 1;
        }
        let above = items.last().map_or(key + 1, |item| item.lines.end);
        let mut first = line;
        while first > above && lines.is_comment(first - 1) {
            first -= 1;
        }
        items.push(Item {
            first,
            lines: line..end,
            column,
        });
    }
    Some(items)
}

/// Where a rule begins: a mapping without braces with its first key.
fn start(rule: &Node) -> usize {
    let first = match &rule.value {
        Value::Mapping(entries) => entries.first().map(|(key, _)| key.place.start),
        Value::Scalar { .. } | Value::Sequence(_) => None,
    };
    first.map_or(rule.place.start, |first| first.min(rule.place.start))
}

/// Finds the dash before a rule, which may stand on a line above it.
fn dash(lines: &Lines<'_>, start: usize) -> Option<usize> {
    let line = lines.at(start);
    let before = lines.text().get(lines.start(line)..start)?.trim_end();
    if before.ends_with('-') {
        return Some(lines.start(line) + before.len() - 1);
    }
    let mut above = (0..line).rev();
    let above = above.find(|line| !lines.is_blank(*line) && !lines.is_comment(*line))?;
    let behind = lines.line(above).trim_start().strip_prefix('-')?;
    (before.is_empty() && (behind.is_empty() || is_end(behind))).then(|| lines.content(above))
}
