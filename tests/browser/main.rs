//! The page that `--format html` writes, in a real browser: `make browser`, with chromedriver and a Chromium.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod driver;
mod organization;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

use driver::{Browser, END, ENTER, TAB};
use organization::{Wrong, id};

/// How many accounts there are beside the management and the emergency account: with them 5,000.
const ACCOUNTS: usize = 4_998;
/// How many there are where it is about proofs.
const FEW: usize = 198;

/// The folder of the pages, which are made once for all tests.
static PAGES: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    for (command, accounts) in [("drift", ACCOUNTS), ("verify", FEW)] {
        let snapshot = organization::snapshot(&folder, accounts);
        organization::page(&folder, command, &snapshot);
    }
    folder
});

/// Counts what is there and not hidden by the script.
const SHOWN: &str = "
    const shown = (what) => [...document.querySelectorAll(what)].filter((one) => !one.closest('[hidden]'));
    return { rows: shown('.tree tbody tr').length, details: shown('details.detail').length,
             units: shown('details.unit').length, told: document.getElementById('matches').textContent };";

fn shown(browser: &Browser) -> Value {
    // The script answers a change in the next frame.
    browser.run(
        "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
    );
    browser.run(SHOWN)
}

fn page(command: &str) -> PathBuf {
    PAGES.join(format!("{command}.html"))
}

fn silent(browser: &Browser) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn five_thousand_accounts_are_filtered_and_searched() {
    let browser = Browser::start(1280, false);
    browser.open(&page("drift"), "");
    let all = ACCOUNTS + 2;
    let first = shown(&browser);
    assert_eq!(first["rows"], all);
    // The missing and the open ones are told once each for all, those of which each is another one by one; the emergency
    // account lacks passwords and tokens.
    let details = first["details"].as_u64().unwrap();
    assert!(details as usize > Wrong::Longer.count(ACCOUNTS) + 2);
    assert_eq!(
        first["told"],
        format!("5,000 of 5,000 accounts and {details} of {details} differences match")
    );

    // A critical difference is called out, and its link leads to it.
    browser.click("#critical a");
    let seen = browser.run("return document.querySelector(location.hash).checkVisibility({ contentVisibilityAuto: false })");
    assert_eq!(seen, true);

    browser.run("document.getElementById('risk').value = 'critical'; document.getElementById('risk').dispatchEvent(new Event('input', { bubbles: true }))");
    let critical = shown(&browser);
    assert_eq!(critical["rows"], Wrong::NoMfa.count(ACCOUNTS));
    assert_eq!(critical["details"], 1);
    let fragment = browser.run("return location.hash");
    assert_eq!(fragment, "#risk=critical");
    // The units of what is found are unfolded.
    let visible = browser.run("return [...document.querySelectorAll('.tree tbody tr')].filter((row) => row.checkVisibility()).length");
    assert_eq!(visible, Wrong::NoMfa.count(ACCOUNTS));

    // A link with the filters shows the same.
    browser.open(&page("drift"), "#state=missing&role=BreakGlassReadOnly");
    let missing = shown(&browser);
    assert_eq!(missing["rows"], Wrong::Missing.count(ACCOUNTS));
    assert_eq!(missing["details"], 1);

    browser.open(&page("drift"), "#state=unreadable");
    assert_eq!(shown(&browser)["rows"], Wrong::Unreadable.count(ACCOUNTS));

    // An id, a name and an address are found.
    for (query, rows) in [
        (id(11), 1),
        ("workload-0011".to_owned(), 1),
        (format!("{}/iam_role/BreakGlassReadOnly", id(11)), 1),
        (format!("{}/iam_role/BreakGlassAdmin", id(11)), 0),
        ("/Prod/Team 00".to_owned(), 10 * 25),
    ] {
        browser.open(&page("drift"), "");
        browser.type_into("#q", &query);
        assert_eq!(shown(&browser)["rows"], rows, "{query}");
    }
    browser.click("#reset");
    assert_eq!(shown(&browser)["rows"], all);
    assert_eq!(browser.run("return location.hash"), "");
    silent(&browser);
}

#[test]
fn five_thousand_accounts_stay_light() {
    let browser = Browser::start(1280, false);
    browser.open(&page("drift"), "");
    // What a page costs to open and filter grows with these: now 1.8 MB and 60,000.
    let bytes = std::fs::metadata(page("drift")).unwrap().len();
    assert!(bytes < 2_500_000, "{bytes} bytes");
    let elements = browser.run("return document.getElementsByTagName('*').length");
    assert!(elements.as_u64().unwrap() < 80_000, "{elements} elements");
    // Units in which all is well are folded.
    let visible = browser.run(
        "return [...document.querySelectorAll('.tree tbody tr')].filter((row) => row.checkVisibility()).length",
    );
    assert!(
        visible.as_u64().unwrap() < ACCOUNTS as u64,
        "{visible} rows"
    );
    silent(&browser);
}

#[test]
fn the_keyboard_reaches_everything() {
    let browser = Browser::start(1280, true);
    browser.open(&page("drift"), "");
    let focus = |browser: &Browser| {
        browser.run("return document.activeElement.id || document.activeElement.className || document.activeElement.tagName")
    };
    browser.press(&[TAB]);
    assert_eq!(focus(&browser), "skip");
    browser.press(&[ENTER]);
    assert_eq!(focus(&browser), "report");
    browser.press(&[TAB]);
    assert_eq!(focus(&browser), "q");
    browser.press(&["7", "0", "0", "7"]);
    let found = shown(&browser);
    assert!(found["rows"].as_u64().unwrap() < 20, "{found}");
    // The choice of a state by its keys.
    browser.press(&[TAB, END]);
    assert_eq!(focus(&browser), "state");
    let chosen = browser.run("return document.getElementById('state').value");
    assert_ne!(chosen, "");
    // A unit is folded and unfolded.
    browser.open(&page("drift"), "");
    let summary = "const at = document.querySelector('.unit .unit > summary'); at.focus(); return at.parentElement.open";
    let before = browser.run(summary);
    browser.press(&[ENTER]);
    assert_ne!(browser.run(summary), before);
    silent(&browser);
}

#[test]
fn without_its_script_everything_is_there() {
    let whole = std::fs::read_to_string(page("drift")).unwrap();
    // A script that is not the one of the page's policy is not run.
    let (before, _) = whole.split_once("<script>").unwrap();
    let foreign = PAGES.join("foreign.html");
    std::fs::write(
        &foreign,
        format!("{before}<script>document.title = 'run'</script></body></html>"),
    )
    .unwrap();
    let browser = Browser::start(1280, false);
    browser.open(&foreign, "");
    assert_ne!(browser.run("return document.title"), "run");
    let controls = browser.run("return document.getElementById('filters').checkVisibility()");
    assert_eq!(controls, false);
    assert_eq!(browser.run(SHOWN)["rows"], ACCOUNTS + 2);
    browser.click("#critical a");
    assert_eq!(
        browser.run("return document.querySelector(location.hash).closest('details').open"),
        true
    );
    let complaints = browser.complaints();
    assert!(
        complaints
            .iter()
            .all(|one| one.contains("Content Security Policy")),
        "{complaints:?}"
    );
    assert!(!complaints.is_empty());
}

#[test]
fn paper_and_narrow_windows_hold_it() {
    let browser = Browser::start(500, false);
    for command in ["drift", "verify"] {
        browser.open(&page(command), "");
        let overflow = browser.run(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        assert_eq!(overflow, 0, "{command} is wider than the window");
    }
    for width in [760, 1000, 1300] {
        let browser = Browser::start(width, false);
        browser.open(&page("drift"), "");
        let name = browser.run("return document.querySelector('.tree tbody th').clientWidth");
        assert!(name.as_u64().unwrap() > 120, "{name} of {width}");
    }
    browser.open(&page("drift"), "#risk=critical");
    let pdf = browser.print();
    assert!(pdf.len() > 10_000);
    silent(&browser);
}

#[test]
fn proofs_are_filtered_too() {
    let browser = Browser::start(1280, true);
    browser.open(&page("verify"), "#state=unreadable");
    assert_eq!(shown(&browser)["rows"], Wrong::Unreadable.count(FEW));
    browser.open(&page("verify"), "#state=missing&role=BreakGlassReadOnly");
    assert_eq!(shown(&browser)["rows"], Wrong::Missing.count(FEW));
    assert_eq!(
        browser.run("return getComputedStyle(document.body).backgroundColor"),
        "rgb(15, 19, 26)"
    );
    silent(&browser);
}
