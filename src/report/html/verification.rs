//! The page of a verification.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::super::group::PLACEHOLDER_LEGEND;
use super::super::verification as told;
use super::super::words;
use super::details::{self, Detail, Written};
use super::frame::{Head, Parts, page};
use super::states;
use super::tree::{Cell, Chart, Row};
use super::{Tone, accounts, code, list, prose, skipped, unreadable};
use crate::ids::AccountId;
use crate::text::visible;
use crate::verify::{Proof, RoleResult, Verdict, Verification, VerificationOutcome};

/// The column of what coverage asks for.
const COVERAGE: &str = "coverage";

/// Writes a verification.
pub(in super::super) fn verification(verification: &Verification) -> String {
    let (tone, sign) = match verification.outcome {
        VerificationOutcome::Proven => (Tone::Good, "✓"),
        VerificationOutcome::Findings => (Tone::Critical, "✗"),
        VerificationOutcome::Incomplete => (Tone::Unknown, "?"),
    };
    let head = Head {
        kind: "verify",
        organization: &verification.organization_id,
        tone,
        sign,
        verdict: told::verdict(verification),
        counts: told::counts(verification),
        about: told::about(verification),
        created_at: verification.created_at,
        facts: vec![("spec", verification.spec_digest.clone())],
    };
    let found: Vec<Detail> = told::details(verification).iter().map(detail).collect();
    let written = details::write(&found);
    let mut chart = chart(verification, &found, &written);
    details::note(&mut chart, &found);
    let mut parts = Parts::default();
    let body = html! { p class="legend" { (told::LEGEND) } (chart.body()) };
    parts.add("organization", "Organization", body);
    if !verification.results.is_empty() {
        parts.add("proofs", "Proofs", matrix(verification));
    }
    if !found.is_empty() {
        parts.add("findings", told::DETAILS_TITLE, written.markup);
    }
    lists(&mut parts, verification);
    page(&head, Some(chart.filters()), &parts)
}

fn detail(detail: &told::Detail) -> Detail {
    let state = states::of_verdict(detail.verdict);
    Detail {
        state,
        tone: state.tone,
        tag: None,
        title: format!("iam_role {}", detail.role),
        column: detail.role.clone(),
        accounts: detail.accounts.clone(),
        body: html! {
            (list(detail.messages.iter().map(|message| prose(message))))
            (proofs(&detail.proofs))
            @if told::has_placeholder(detail) && detail.accounts.len() > 1 { p { (visible(PLACEHOLDER_LEGEND)) } }
        },
    }
}

/// Counts what came out of each kind of proof, by role.
fn matrix(verification: &Verification) -> Markup {
    let proofs = told::proofs(verification);
    let kinds: BTreeSet<_> = proofs.values().flat_map(BTreeMap::keys).collect();
    html! {
        div class="rows" tabindex="0" role="group" aria-label="Proofs by role" { table class="matrix" {
            thead { tr { th scope="col" { "Role" } @for kind in &kinds { th scope="col" { (kind.as_words()) } } } }
            tbody { @for (role, of_role) in &proofs { tr {
                th scope="row" { (visible(role)) }
                @for kind in &kinds { td {
                    @for (verdict, number) in of_role.get(*kind).into_iter().flatten() {
                        @let state = states::of_verdict(*verdict);
                        span class=(state.tone.class()) { (state.sign) " " (number) " " (state.words) } " "
                    }
                } }
            } } }
        } }
    }
}

/// Tells what came out of each proof of one role in one account.
fn proofs(proofs: &[Proof]) -> Markup {
    html! {
        div class="rows" tabindex="0" role="group" aria-label="Proofs" { table class="matrix" {
            thead { tr { @for title in ["The role", "for", "action", "outcome"] { th scope="col" { (title) } } } }
            tbody { @for proof in proofs {
                @let state = states::of_verdict(proof.verdict);
                tr {
                    th scope="row" { (proof.obligation.as_words()) }
                    td { @if let Some(principal) = &proof.principal { (code(principal)) } }
                    td { @if let Some(action) = &proof.action { (code(action)) } }
                    td class=(state.tone.class()) { (state.sign) " " (state.words) }
                }
            } }
        } }
    }
}

fn lists(parts: &mut Parts, verification: &Verification) {
    let exceptions = told::exceptions(verification);
    if !exceptions.is_empty() {
        let lines = told::yaml(&exceptions);
        let body = html! { pre tabindex="0" { @for line in &lines { (visible(line)) "\n" } } };
        parts.add("exceptions", told::EXCEPTIONS_TITLE, body);
    }
    let item = |(what, found)| html! { p { (prose(what)) } (accounts(found, true)) };
    let uncovered = told::uncovered(verification);
    let uncovered = uncovered.iter().map(|(what, found)| item((what, found)));
    parts.list("uncovered", told::UNCOVERED_TITLE, uncovered);
    let exempt = told::exempt(verification);
    let exempt = exempt.iter().map(|(why, found)| item((why, found)));
    parts.list("exempt", told::EXEMPT_TITLE, exempt);
    let unreadable = unreadable(&verification.unreadable, true);
    parts.list("unreadable", told::UNREADABLE_TITLE, unreadable);
    let skipped = skipped(&verification.skipped);
    parts.list("inactive", words::SKIPPED_TITLE, skipped);
    let notes = verification.notes.iter().map(|note| prose(note));
    parts.list("notes", words::NOTES_TITLE, notes);
}

/// Collects what is known of an account.
#[derive(Default)]
struct Found<'a> {
    name: &'a str,
    results: Vec<&'a RoleResult>,
    coverage: Option<Coverage>,
    unreadable: bool,
}

/// Says what an account's coverage is, where it is not simply there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coverage {
    Exempt,
    Lacking,
}

impl Found<'_> {
    fn counted(&self) -> &'static str {
        let worst = self.results.iter().map(|result| result.verdict).max();
        match worst {
            _ if self.unreadable => "unreadable",
            Some(Verdict::Proven) | None if self.coverage == Some(Coverage::Lacking) => {
                states::UNCOVERED.words
            }
            Some(worst) => worst.as_words(),
            None => "without roles",
        }
    }

    fn cell(&self, role: &str, link: &dyn Fn(&RoleResult) -> Option<String>) -> Cell {
        let Some(result) = self.results.iter().find(|result| result.role == role) else {
            return Cell::plain(states::UNDECLARED);
        };
        if told::is_unreadable(result) {
            return if self.unreadable {
                Cell::linked(states::UNREADABLE, "#unreadable")
            } else {
                Cell::plain(states::UNREADABLE)
            };
        }
        Cell {
            link: link(result),
            ..Cell::plain(states::of_verdict(result.verdict))
        }
    }
}

fn chart<'a>(verification: &'a Verification, details: &[Detail], written: &Written) -> Chart<'a> {
    let roles = match &verification.tree {
        Some(tree) => tree.roles.iter().map(|role| role.name.clone()).collect(),
        None => told::roles(verification),
    };
    let mut number_of: BTreeMap<(&AccountId, &str), usize> = BTreeMap::new();
    for (number, detail) in details.iter().enumerate() {
        for (_, id) in detail.accounts.iter() {
            number_of.entry((id, &detail.column)).or_insert(number);
        }
    }
    let mut found: BTreeMap<&AccountId, Found<'_>> = BTreeMap::new();
    for (id, name) in verification
        .tree
        .iter()
        .flat_map(|tree| tree.units.values())
        .flat_map(|unit| &unit.accounts)
    {
        found.entry(id).or_default().name = name;
    }
    for result in &verification.results {
        let account = found.entry(&result.account).or_default();
        account.name = &result.account_name;
        account.results.push(result);
    }
    for unreadable in &verification.unreadable {
        let account = found.entry(&unreadable.account).or_default();
        account.name = &unreadable.account_name;
        account.unreadable = true;
    }
    for exempt in &verification.exempt {
        let account = found.entry(&exempt.account).or_default();
        account.name = &exempt.account_name;
        account.coverage = Some(Coverage::Exempt);
    }
    for uncovered in &verification.coverage {
        let account = found.entry(&uncovered.account).or_default();
        account.name = &uncovered.account_name;
        account.coverage = Some(Coverage::Lacking);
    }
    // Where nothing is exempt or not covered, the report does not say whether coverage was asked for.
    let with_coverage = !(verification.coverage.is_empty() && verification.exempt.is_empty());
    let rows = found.iter().map(|(id, account)| {
        let link = |result: &RoleResult| {
            let number = number_of.get(&(&result.account, result.role.as_str()));
            number.map(|number| written.link(*number))
        };
        let cells = roles.iter().map(|role| account.cell(role, &link));
        let coverage = match account.coverage {
            Some(Coverage::Exempt) => Cell::linked(states::EXEMPT, "#exempt"),
            Some(Coverage::Lacking) => Cell::linked(states::UNCOVERED, "#uncovered"),
            None if account.unreadable => Cell::linked(states::UNREADABLE, "#unreadable"),
            None => Cell::plain(states::COVERED),
        };
        let row = Row {
            name: account.name.to_owned(),
            cells: cells.chain(with_coverage.then_some(coverage)).collect(),
            counted: account.counted(),
            details: BTreeSet::new(),
        };
        ((*id).clone(), row)
    });
    let rows = rows.collect();
    let coverage = with_coverage.then(|| COVERAGE.to_owned());
    Chart {
        tree: verification.tree.as_ref(),
        rows,
        columns: roles.into_iter().chain(coverage).collect(),
        things: "findings",
        risks: false,
    }
}
