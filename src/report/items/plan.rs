//! The findings of a plan or a report of drift: every resource that differs, and every one that does not.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::super::values::{self, Line, Telling};
use super::super::words::{self, View};
use super::{Item, Level, Listing, Rule, State, unreadable};
use crate::plan::{Action, Change, Kind, Plan, Risk};
use crate::state::Address;

impl Listing {
    /// Lists what a plan found.
    pub(in super::super) fn of_plan(plan: &Plan) -> Self {
        let kind = match plan.kind {
            Kind::Plan => "plan",
            Kind::Drift => "drift",
        };
        let mut listing = Self::new(kind, &plan.organization_id, words::verdict(plan));
        listing.at(plan.spec_file.as_ref());
        listing.items = plan_items(plan);
        listing.finish()
    }
}

/// Lists what a plan found.
pub(super) fn plan_items(plan: &Plan) -> Vec<Item> {
    let changes = plan.changes.iter();
    let changes = changes.map(|change| item(View::of(plan), change, State::Failed));
    let mut told: BTreeMap<&Address, usize> = BTreeMap::new();
    for change in plan.changes.iter().chain(&plan.ignored) {
        *told.entry(&change.address).or_default() += 1;
    }
    let ignored = plan.ignored.iter();
    let ignored = ignored.map(|change| Item {
        name: match told.get(&change.address) {
            Some(2..) => part_name(change),
            _ => name(&change.address),
        },
        suppression: change
            .ignored_by
            .as_ref()
            .map(|rule| (words::rule_words(rule), rule.source.clone())),
        ..item(View::of(plan), change, State::Ignored)
    });
    let in_sync = plan.in_sync.iter().map(|address| {
        let item = Item::passed(name(address));
        match &address.account {
            Some(account) => item.within(account, ""),
            None => item,
        }
    });
    let read = changes.chain(ignored).chain(in_sync);
    read.chain(unreadable(&plan.unreadable)).collect()
}

fn item(view: View, change: &Change, state: State) -> Item {
    let level = match change.risk {
        _ if state == State::Ignored => Level::Note,
        Risk::Critical => Level::Critical,
        Risk::High => Level::Error,
        Risk::Medium => Level::Warning,
        Risk::Low => Level::Note,
    };
    let telling = Telling {
        kind: view.kind,
        whole: false,
        width: 100,
    };
    let lines = values::lines(&change.fields, change.action, telling);
    let item = Item {
        first: words::is_opening(view.kind, change),
        details: lines.iter().map(Line::signed).collect(),
        source: change.source.clone(),
        properties: properties(view, change),
        ..Item::new(
            state,
            level,
            rule(change.action),
            name(&change.address),
            message(view, change),
        )
    };
    match &change.address.account {
        Some(account) => item.within(account, &change.account_name),
        None => item,
    }
}

/// Names some fields of a resource of which a plan tells something else too.
fn part_name(change: &Change) -> String {
    let paths = change.fields.iter().map(|field| field.path.as_str());
    let paths = paths.collect::<Vec<_>>().join(",");
    format!("{}:{paths}", name(&change.address))
}

/// What an address holds beside the account.
pub(super) fn name(address: &Address) -> String {
    format!("{}/{}", address.resource_type, address.name)
}

fn rule(action: Action) -> Rule {
    match action {
        Action::Create => Rule::new("missing", "the spec has it, and AWS does not"),
        Action::Update => Rule::new("changed", "it is not as the spec says"),
        Action::Delete => Rule::new("extra", "AWS has it, and the spec does not"),
        Action::Manual => Rule::new("manual", "a person has to do something"),
    }
}

fn message(view: View, change: &Change) -> String {
    let kind = view.kind;
    let mut said = vec![match change.action {
        Action::Update => format!(
            "{}: {}",
            words::action(kind, change.action),
            values::change_phrase(&change.fields)
        ),
        Action::Create | Action::Delete | Action::Manual => {
            words::action(kind, change.action).to_owned()
        }
    }];
    said.extend(words::access(kind, change.access).map(str::to_owned));
    said.extend(view.cause(change.cause).map(str::to_owned));
    said.extend(change.blocked.as_ref().map(|why| format!("blocked: {why}")));
    let rule = change.ignored_by.as_ref();
    said.extend(rule.map(|rule| format!("ignored: {}", words::rule_words(rule))));
    said.extend(change.reason.clone());
    said.extend(words::witnesses(change).map(|witness| format!("for example, {witness}")));
    said.join("; ")
}

fn properties(view: View, change: &Change) -> Map<String, serde_json::Value> {
    let mut properties = Map::new();
    let mut add = |key: &str, value| drop(properties.insert(key.to_owned(), value));
    add("risk", json!(change.risk));
    add("access", json!(change.access));
    add("action", json!(change.action));
    if view.cause(change.cause).is_some() {
        add("cause", json!(change.cause));
    }
    let fields = change.fields.iter().map(|field| field.path.as_str());
    add("fields", fields.collect());
    if let Some(rule) = &change.ignored_by {
        add("ignoredBy", json!(rule.r#match));
        add("ignoredUntil", json!(rule.expires));
    }
    properties
}
