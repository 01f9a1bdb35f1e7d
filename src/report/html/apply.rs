//! The page of what an apply did.

use std::collections::{BTreeMap, BTreeSet};

use maud::html;

use super::super::results;
use super::super::words;
use super::details::{self, Detail};
use super::frame::{Head, Parts, page};
use super::states;
use super::tree::{Cell, Chart, ELSE, Row};
use super::{Tone, prose, unreadable};
use crate::apply::{ApplyOutcome, ApplyReport, ChangeResult};
use crate::ids::AccountId;
use crate::state::ResourceType;

/// Writes what an apply did.
pub(in super::super) fn apply(report: &ApplyReport) -> String {
    let (tone, sign) = match report.outcome {
        ApplyOutcome::Done => (Tone::Good, "✓"),
        ApplyOutcome::Blocked | ApplyOutcome::Incomplete => (Tone::Unknown, "?"),
        ApplyOutcome::Partial | ApplyOutcome::Stale | ApplyOutcome::Interrupted => {
            (Tone::Critical, "✗")
        }
    };
    let next = results::next_step(report).map(|next| format!("Next: {next}."));
    let head = Head {
        kind: "apply",
        organization: &report.organization_id,
        tone,
        sign,
        verdict: results::verdict(report),
        counts: vec![results::counts(report)],
        about: results::canary(report).into_iter().chain(next).collect(),
        created_at: report.created_at,
        facts: vec![("plan", report.plan_digest.clone())],
    };
    let found: Vec<Detail> = results::fold(&report.results)
        .into_iter()
        .map(|group| {
            let state = states::of_status(group.status);
            let role = group.title.split_once(" iam_role ");
            let column = role.map_or(ELSE, |(_, role)| role).to_owned();
            Detail {
                state,
                tone: state.tone,
                tag: None,
                column,
                title: group.title,
                accounts: group.accounts,
                body: html! { @if let Some(message) = &group.message { p { (prose(message)) } } },
            }
        })
        .collect();
    let written = details::write(&found);
    let mut chart = chart(report);
    details::note(&mut chart, &found);
    let mut parts = Parts::default();
    parts.add("organization", "Organization", chart.body());
    if !found.is_empty() {
        parts.add("results", "Results", written.markup);
    }
    let unreadable = unreadable(&report.unreadable, true);
    parts.list("unreadable", words::UNREADABLE_TITLE, unreadable);
    page(&head, Some(chart.filters()), &parts)
}

/// Collects what is known of an account.
#[derive(Default)]
struct Found<'a> {
    name: &'a str,
    results: Vec<&'a ChangeResult>,
    unreadable: bool,
}

fn chart(report: &ApplyReport) -> Chart<'_> {
    let roles = report.tree.iter().flat_map(|tree| &tree.roles);
    let roles: Vec<&String> = roles.map(|role| &role.name).collect();
    let mut found: BTreeMap<&AccountId, Found<'_>> = BTreeMap::new();
    for unit in report.tree.iter().flat_map(|tree| tree.units.values()) {
        for (id, name) in &unit.accounts {
            found.entry(id).or_default().name = name;
        }
    }
    for result in &report.results {
        let account = found.entry(&result.account).or_default();
        account.name = &result.account_name;
        account.results.push(result);
    }
    for unreadable in &report.unreadable {
        let account = found.entry(&unreadable.account).or_default();
        account.name = &unreadable.account_name;
        account.unreadable = true;
    }
    let rows = found.iter().map(|(id, account)| {
        let is_role = |result: &ChangeResult, role: &str| {
            result.address.resource_type == ResourceType::IamRole && result.address.name == role
        };
        let of_roles = roles.iter().map(|role| {
            let results = account.results.iter();
            account.cell(&mut results.filter(|result| is_role(result, role)))
        });
        let mut others = account
            .results
            .iter()
            .filter(|result| !roles.iter().any(|role| is_role(result, role)));
        let others = account.cell(&mut others);
        let row = Row {
            name: account.name.to_owned(),
            cells: of_roles.chain([others]).collect(),
            counted: account.counted(),
            details: BTreeSet::new(),
        };
        ((*id).clone(), row)
    });
    let rows = rows.collect();
    let columns = roles.into_iter().cloned();
    Chart {
        tree: report.tree.as_ref(),
        rows,
        columns: columns.chain([ELSE.to_owned()]).collect(),
        things: "results",
        risks: false,
    }
}

impl Found<'_> {
    fn counted(&self) -> &'static str {
        let trouble = |result: &&ChangeResult| results::is_trouble(result.status);
        if self.unreadable {
            "unreadable"
        } else if self.results.iter().any(trouble) {
            "not as planned"
        } else if self.results.is_empty() {
            "untouched"
        } else {
            "as planned"
        }
    }

    /// Tells the worst of these results.
    fn cell(&self, results: &mut dyn Iterator<Item = &&ChangeResult>) -> Cell {
        let states = results.map(|result| states::of_status(result.status));
        match states.max_by_key(|state| state.tone) {
            Some(worst) => Cell::plain(worst),
            None if self.unreadable => Cell::linked(states::UNREADABLE, "#unreadable"),
            None => Cell::plain(states::UNTOUCHED),
        }
    }
}
