//! The HTML page: well-formed, shut off from everything, and open about what was found.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::super::{Format, Style, fixture, render_apply, render_close, render_plan};
use super::findings::{all, closing};
use crate::plan::{Kind, Plan};
use crate::text::visible;

/// Elements that have no end.
const VOID: [&str; 2] = ["meta", "input"];

fn page(plan: &Plan) -> String {
    render_plan(plan, Format::Html, Style::default())
}

/// The text between the first such start and the end after it.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

/// Parses a page, and checks what has to hold for every one; gives its text and its links.
pub(super) fn checked(page: &str) -> (String, BTreeSet<String>) {
    let style = between(page, "<style>", "</style>");
    let script = between(page, "<script>", "</script>");
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
    .replace('\'', "&#39;");
    let policies = [policy.clone(), policy.replace("&#39;", "'")];
    let found = between(
        page,
        "http-equiv=\"Content-Security-Policy\" content=\"",
        "\"",
    );
    assert!(policies.contains(&found.to_owned()), "{found}");
    let body = page.replace(style, "").replace(script, "");
    let (mut open, mut ids, mut links) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let mut text = String::new();
    let mut rest = body.strip_prefix("<!DOCTYPE html>").unwrap();
    while let Some((before, tag)) = rest.split_once('<') {
        assert!(!before.contains('>'), "{before:?}");
        text.push_str(before);
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(
                open.pop(),
                Some(name),
                "in {:?}",
                &after[..after.len().min(200)]
            );
            continue;
        }
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name:?}");
        if !VOID.contains(&name) {
            open.push(name);
        }
        while !attributes.is_empty() {
            let end = attributes.find(['=', ' ']).unwrap_or(attributes.len());
            let (attribute, value) = attributes.split_at(end);
            assert!(!attribute.starts_with("on"), "{tag}");
            assert!(
                !["style", "src", "srcdoc", "action"].contains(&attribute),
                "{tag}"
            );
            let Some(quoted) = value.strip_prefix("=\"") else {
                attributes = value.trim_start();
                continue;
            };
            let (value, after) = quoted.split_once('"').unwrap();
            match attribute {
                "id" => assert!(ids.insert(value.to_owned()), "{value} twice"),
                "href" => drop(links.insert(value.strip_prefix('#').unwrap().to_owned())),
                _ => {}
            }
            attributes = after.trim_start();
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(links.is_subset(&ids), "{:?}", &links - &ids);
    (text + rest, links)
}

#[test]
fn every_page_is_well_formed_and_lets_nothing_in() {
    for page in all(Format::Html) {
        checked(&page);
    }
    for kind in [Kind::Plan, Kind::Drift] {
        for mut plan in [fixture::report(kind), fixture::in_sync(kind)] {
            checked(&page(&plan));
            plan.tree = None;
            checked(&page(&plan));
        }
    }
}

#[test]
fn no_name_gets_out_of_its_place() {
    for name in [
        "</script><script>alert(1)</script>",
        "</style><!--",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "\u{1b}[31m\u{202e}\u{200b}",
        "`a` <b> & &amp;",
        "javascript:alert(1)",
    ] {
        for kind in [Kind::Plan, Kind::Drift] {
            let mut plan = fixture::haunted(kind, name);
            for unit in plan
                .tree
                .iter_mut()
                .flat_map(|tree| tree.units.values_mut())
            {
                unit.name = name.to_owned();
                for account in unit.accounts.values_mut() {
                    *account = name.to_owned();
                }
            }
            for role in plan.tree.iter_mut().flat_map(|tree| &mut tree.roles) {
                role.name = name.to_owned();
            }
            let page = page(&plan);
            checked(&page);
            assert!(page.lines().all(|line| visible(line) == line), "{name:?}");
        }
    }
}

#[test]
fn the_tree_shows_each_account_and_what_differs_in_it() {
    let plan = fixture::report(Kind::Drift);
    let page = page(&plan);
    let row = |id: &str| between(&page, &format!("<tr id=\"a{id}\""), "</tr>");
    let text = |row: &str| {
        let mut text = String::new();
        for part in row.split('<').skip(1) {
            text.push_str(part.split_once('>').unwrap().1);
        }
        text
    };
    let told = |id: &str| text(&format!("<tr {}", row(id)));
    assert_eq!(
        told("111122223333"),
        "prod-pay 111122223333~ differs, critical· not declared here· nothing else"
    );
    assert_eq!(
        told("222200000008"),
        "tools 222200000008~ differs, high+ missing, medium· nothing else"
    );
    assert_eq!(
        told("444455556666"),
        "legacy 444455556666? unreadable? unreadable? unreadable"
    );
    // Nobody says that the role is there: it is not taken to be.
    assert_eq!(
        told("000000000001"),
        "management 000000000001? unreadable· not declared here· nothing else"
    );
    let mut plan = plan;
    plan.in_sync = vec!["000000000001/iam_role/BreakGlassAdmin".parse().unwrap()];
    plan.ignored = vec![plan.changes[0].clone()];
    plan.ignored[0].account = "222200000008".parse().unwrap();
    plan.ignored[0].name = "BreakGlassOther".to_owned();
    plan.ignored[0].address.name = "BreakGlassOther".to_owned();
    let page = super::html::page(&plan);
    let row = |id: &str| between(&page, &format!("<tr id=\"a{id}\""), "</tr>").to_owned();
    assert!(text(&row("000000000001")).ends_with("✓ in sync· not declared here· nothing else"));
    assert!(text(&row("222200000008")).ends_with("≈ ignored"));
}

#[test]
fn units_in_which_all_is_well_are_folded() {
    let mut plan = fixture::report(Kind::Drift);
    plan.changes
        .retain(|change| change.account_name == "prod-pay");
    plan.in_sync = ["222200000001", "222200000002", "222200000003"]
        .map(|id| format!("{id}/iam_role/BreakGlassAdmin").parse().unwrap())
        .to_vec();
    let page = page(&plan);
    let unit = |path: &str| {
        let (before, _) = page.split_once(&format!(" data-path=\"{path}\"")).unwrap();
        before.rsplit_once('<').unwrap().1
    };
    assert_eq!(unit("/Sandbox"), "details class=\"unit\"");
    assert_eq!(unit("/Workloads/Prod"), "details class=\"unit\" open");
    assert_eq!(unit("/Workloads"), "details class=\"unit\" open");
}

#[test]
fn what_a_browser_could_not_bear_is_left_out_and_named() {
    let mut plan = fixture::report(Kind::Drift);
    let first = plan.changes.swap_remove(1);
    plan.changes = (0..3_000)
        .map(|number| {
            let mut change = first.clone();
            let account = format!("3{number:011}");
            change.address.account = Some(account.parse().unwrap());
            change.account = account.parse().unwrap();
            change.account_name = format!("other-{number}");
            change.reason = Some(format!("{number} {}", "x".repeat(2_000)));
            change
        })
        .collect();
    let page = page(&plan);
    assert!(page.len() < 6_000_000, "{}", page.len());
    let (text, links) = checked(&page);
    assert!(links.contains("left-out"));
    assert!(text.contains("the details of these are left out"));
    assert!(text.contains(" more"));
}

#[test]
fn an_apply_tells_what_became_of_each_account() {
    let page = render_apply(&fixture::applied(), Format::Html, Style::default());
    let (text, _) = checked(&page);
    assert!(text.contains("✗ failed"));
    assert!(text.contains("= nothing to do"));
}

#[test]
fn a_closing_says_how_much_was_compared_and_how_that_ended() {
    let mut report = closing();
    report.drift.as_mut().unwrap().scope.partial = true;
    let compared = page(report.drift.as_ref().unwrap());
    let closed = render_close(&report, Format::Html, Style::default());
    let (text, _) = checked(&closed);
    assert!(text.contains("Compared with the spec: "), "{text}");
    assert!(text.contains("only a part of the organization was looked at: "));
    let counts = |page: &str| between(page, "<ul class=\"counts\">", "</ul>").to_owned();
    assert_eq!(counts(&closed), counts(&compared));
}
