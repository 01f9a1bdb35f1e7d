//! JUnit XML as Jenkins and Surefire write it: a case for each account and resource.
//!
//! Source: the schema `junit-10.xsd` of Jenkins' xUnit plugin.

use std::fmt::Write as _;

use super::items::{Item, Listing, State};
use crate::text::visible;

/// Writes a listing as one suite of cases.
///
/// What is as it must be passes, what is not fails, what is not known is an error, and what is agreed or left to a person
/// is skipped.
pub(super) fn junit(listing: &Listing) -> String {
    let count = |states: &[State]| {
        let items = listing.items.iter();
        items.filter(|item| states.contains(&item.state)).count()
    };
    let suite = attributes(&[
        ("name", &format!("breakglass {}", listing.kind)),
        // A suite without cases passes for one that did not run.
        ("tests", &listing.items.len().max(1).to_string()),
        ("failures", &count(&[State::Failed]).to_string()),
        ("errors", &count(&[State::Unread]).to_string()),
        (
            "skipped",
            &count(&[State::Ignored, State::Left]).to_string(),
        ),
    ]);
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    let properties = [
        ("organization", &listing.organization),
        ("verdict", &listing.verdict),
    ];
    xml.push_str(&format!("  <testsuite{suite}>\n    <properties>\n"));
    for (name, value) in properties {
        let property = attributes(&[("name", name), ("value", value)]);
        xml.push_str(&format!("      <property{property}/>\n"));
    }
    xml.push_str("    </properties>\n");
    if listing.items.is_empty() {
        let case = attributes(&[("classname", "org"), ("name", listing.kind)]);
        xml.push_str(&format!("    <testcase{case}/>\n"));
    }
    for item in &listing.items {
        xml.push_str(&case(item));
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(item: &Item) -> String {
    let account = item.account.as_ref();
    let case = attributes(&[
        // Never the account's name, which can change: a case is known again by these two.
        (
            "classname",
            account.map_or("org", |account| account.as_str()),
        ),
        ("name", &item.name),
    ]);
    let element = match item.state {
        State::Passed => return format!("    <testcase{case}/>\n"),
        State::Failed => "failure",
        State::Unread => "error",
        State::Ignored | State::Left => "skipped",
    };
    let place = item.account_label();
    let place = place.map_or_else(String::new, |account| format!("{account}: "));
    let message = format!("{place}{}", item.message);
    let outcome = attributes(&[("type", item.rule.id), ("message", &message)]);
    let lines = item.details.iter().map(|line| visible(line).into_owned());
    let source = item.source.as_ref();
    let source = source.map(|source| format!("{}:{}", visible(&source.file), source.line));
    let body: Vec<String> = source.into_iter().chain(lines).collect();
    let body = escaped(&body.join("\n"));
    format!("    <testcase{case}>\n      <{element}{outcome}>{body}</{element}>\n    </testcase>\n")
}

fn attributes(attributes: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in attributes {
        // Writing to a String can't fail.
        let _ = write!(text, " {name}=\"{}\"", escaped(&visible(value)));
    }
    text
}

/// Writes a text so that XML 1.0 can hold it.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            other => xml.push(other),
        }
    }
    xml
}
