//! What is done with untrusted input: nothing of it may panic or take long, and what people see of it steers no terminal.
//!
//! Each target tells what came of its input, by which the runner knows new kinds of outcomes. They are run by `runner`,
//! and by cargo-fuzz from `fuzz/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;

use breakglass::apply::{ApplyOptions, apply};
use breakglass::close::read_record;
use breakglass::cloud::{Cloud as _, Offline, parse_snapshot};
use breakglass::collect::{
    CompareRequest, ScopeFilter, UsageRequest, VerifyRequest, audit_logs, compare, verify,
};
use breakglass::credentials::Store;
use breakglass::kit::{KitFormat, kit};
use breakglass::plan::{Kind, Plan, check_fresh, parse_plan};
use breakglass::policy::evaluate::wire::{evaluate_json, explain_json};
use breakglass::policy::{canonical_pretty, compare_pair, minified, parse, pretty};
use breakglass::report::{
    Format, Style, render_apply, render_plan, render_usage, render_verification,
};
use breakglass::resolve::Resolver;
use breakglass::spec::{Ignore, IgnoreEdit, LoadError, Loaded, edit_ignore, load_texts};
use breakglass::state::Snapshot;
use breakglass::text::visible;

/// Does everything with an input that is done with such input, and says what came of it.
pub type Target = fn(&[u8]) -> String;

const PROTECTED: &str = include_str!("../cmd/files/guardrails-protection.yaml");
const PEOPLE: &str = include_str!("../cmd/files/people.yaml");
const GUARDRAILS: &str = include_str!("../cmd/files/guardrails.json");
const USED: &str = include_str!("../../examples/acme/breakglass.yaml");
const INCIDENTS: &str = include_str!("../../examples/acme/incidents.yaml");
const NETWORK: &str = include_str!("../../examples/acme/policies/break-glass-network.json");

/// A spec with SCPs, RCPs and protection, and one with devices and root users.
static SPECS: LazyLock<[Loaded; 2]> =
    LazyLock::new(|| [PROTECTED, PEOPLE].map(|text| load(text, "").expect("a sound spec")));
static AUDITED: LazyLock<Loaded> = LazyLock::new(|| load(USED, INCIDENTS).expect("a sound spec"));
static SNAPSHOT: LazyLock<Snapshot> =
    LazyLock::new(|| parse_snapshot(GUARDRAILS).expect("a sound snapshot"));

fn load(spec: &str, record: &str) -> Result<Loaded, LoadError> {
    let files = vec![("breakglass.yaml".to_owned(), spec.to_owned())];
    load_texts(files, &|_, file| Ok(named(file, record)))
}

/// The text of a file that a spec names.
fn named(file: &str, record: &str) -> String {
    let json = Path::new(file).extension().is_some_and(|end| end == "json");
    if json { NETWORK } else { record }.to_owned()
}

/// Adds an ignore rule to a spec that can be read, and takes every rule out.
fn edit(spec: &str) {
    let files = [("breakglass.yaml".to_owned(), spec.to_owned())];
    let rule = Ignore {
        r#match: "*/iam_role/*:tags.*".to_owned(),
        reason: "r".to_owned(),
        owner: None,
        expires: jiff::civil::date(2099, 1, 1),
    };
    for edit in [
        IgnoreEdit::Add(&rule),
        IgnoreEdit::Remove(&(0..9).collect()),
    ] {
        // A layout that can't be edited is left as it is.
        let _ = edit_ignore(&files, &|_, file| Ok(named(file, INCIDENTS)), edit);
    }
}

fn now() -> Timestamp {
    Timestamp::constant(1_795_000_000, 0)
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(work)
}

/// Every line is seen as it is.
fn expect_visible(text: &str) {
    for line in text.split('\n') {
        assert_eq!(visible(line), line, "it steers the terminal");
    }
}

fn expect_visible_in_every_format(render: impl Fn(Format, Style) -> String) {
    for (verbose, width) in [(false, 0), (true, 60)] {
        let style = Style {
            color: false,
            width,
            verbose,
        };
        expect_visible(&render(Format::Text, style));
    }
    for format in [Format::Json, Format::Markdown, Format::Html] {
        expect_visible(&render(format, Style::default()));
    }
}

fn text(input: &[u8]) -> Option<&str> {
    str::from_utf8(input).ok()
}

/// Any text is a spec or refused with places; a spec is planned, proven and printed.
pub fn spec(input: &[u8]) -> String {
    let Some(text) = text(input) else {
        return "no text".to_owned();
    };
    match load(text, INCIDENTS) {
        Err(error) => refused(&error),
        Ok(loaded) => {
            let mut snapshot = SNAPSHOT.clone();
            snapshot.organization.id = loaded.spec.organization.id.clone();
            edit(text);
            used(&loaded, snapshot)
        }
    }
}

fn refused(error: &LoadError) -> String {
    expect_visible(&error.render(false));
    let messages = error
        .problems
        .iter()
        .map(|problem| problem.message.as_str());
    messages.collect::<Vec<_>>().join("; ")
}

/// Does with a spec and a snapshot what `plan`, `verify`, `kit` and `apply` do.
fn used(loaded: &Loaded, snapshot: Snapshot) -> String {
    let organization = snapshot.organization.clone();
    let cloud = Offline::new(snapshot);
    let request = CompareRequest {
        base: None,
        kind: Kind::Plan,
        filter: ScopeFilter::default(),
        concurrency: 1,
        max_failures: None,
        strict: false,
        now: now(),
        expires_at: Some(Timestamp::MAX),
    };
    let plan = match run(compare(&cloud, loaded, &request, &|_, _| {})) {
        Ok(plan) => plan,
        Err(error) => return format!("not compared: {error}"),
    };
    expect_visible_in_every_format(|format, style| render_plan(&plan, format, style));
    let saved = render_plan(&plan, Format::Json, Style::default());
    assert_eq!(parse_plan(&saved).as_ref(), Ok(&plan), "it reads back");
    let request = VerifyRequest {
        filter: ScopeFilter::default(),
        concurrency: 1,
        max_failures: None,
        now: now(),
        after: None,
    };
    let proven = match run(verify(&cloud, loaded, &request, &|_, _| {})) {
        Ok(verification) => {
            let render = |format, style| render_verification(&verification, format, style);
            expect_visible_in_every_format(render);
            format!("{:?}", verification.outcome)
        }
        Err(error) => error.to_string(),
    };
    if let Ok((resolver, _)) = Resolver::new(loaded, &organization) {
        for format in [KitFormat::Html, KitFormat::Markdown] {
            let page = kit(loaded, &resolver, &organization, now(), format);
            expect_visible(&page);
            assert!(
                format != KitFormat::Html || !page.contains("<img"),
                "{page}"
            );
        }
    }
    let applied = carried_out(&plan, &cloud);
    format!("{:?} {proven} {applied}", plan.outcome)
}

fn carried_out(plan: &Plan, cloud: &Offline) -> String {
    let Ok(partition) = run(cloud.partition(&plan.organization_id)) else {
        return "for another organization".to_owned();
    };
    let options = ApplyOptions {
        concurrency: 1,
        max_failures: None,
        resumes: true,
        settle: std::time::Duration::ZERO,
        canary: None,
    };
    let stop = AtomicBool::new(false);
    let report = apply(plan, &partition, cloud, &options, &stop, &|_| {}, now);
    let report = run(report);
    expect_visible_in_every_format(|format, style| render_apply(&report, format, style));
    format!("{:?}", report.outcome)
}

/// Any text is a plan or no plan. One that was edited and digested anew is shown and carried out, and does no harm.
pub fn plan(input: &[u8]) -> String {
    let Some(text) = text(input) else {
        return "no text".to_owned();
    };
    let read = match (parse_plan(text), serde_json::from_str::<Plan>(text)) {
        (Ok(plan), _) => Ok(plan),
        (Err(error), Err(_)) => return error.to_string(),
        (Err(_), Ok(mut edited)) => {
            edited.digest = edited.compute_digest();
            parse_plan(&render_plan(&edited, Format::Json, Style::default()))
        }
    };
    let plan = match read {
        Ok(plan) => plan,
        Err(error) => return error.to_string(),
    };
    expect_visible_in_every_format(|format, style| render_plan(&plan, format, style));
    if let Err(staleness) = check_fresh(&plan, now(), None) {
        return staleness.to_string();
    }
    let mut snapshot = SNAPSHOT.clone();
    snapshot.organization.id.clone_from(&plan.organization_id);
    let request = VerifyRequest {
        filter: ScopeFilter::default(),
        concurrency: 1,
        max_failures: None,
        now: now(),
        after: Some(plan.clone()),
    };
    let [loaded, _] = &*SPECS;
    let cloud = Offline::new(snapshot);
    let after = run(verify(&cloud, loaded, &request, &|_, _| {}));
    let after = after.map(|verification| verification.outcome);
    format!("{:?} {}", after.ok(), carried_out(&plan, &cloud))
}

/// Any text is a snapshot or none; with one everything is done that its specs ask for.
pub fn snapshot(input: &[u8]) -> String {
    let Some(text) = text(input) else {
        return "no text".to_owned();
    };
    match parse_snapshot(text) {
        Err(error) => error,
        Ok(snapshot) => {
            let loaded = SPECS.iter().map(|loaded| used(loaded, snapshot.clone()));
            loaded.collect::<Vec<_>>().join(" ")
        }
    }
}

/// Any text is a list of incidents and of drills, or refused.
pub fn records(input: &[u8]) -> String {
    let Some(text) = text(input) else {
        return "no text".to_owned();
    };
    let spec = format!(
        "{PROTECTED}incidents: {{ file: incidents.yaml }}\ndrills: {{ file: drills.yaml, max_age: 90d }}\n"
    );
    match load(&spec, text) {
        Err(error) => refused(&error),
        Ok(loaded) => {
            let warnings = loaded.warnings.iter();
            let warnings: Vec<String> = warnings
                .map(|warning| warning.render(&loaded.sources, false))
                .collect();
            warnings.iter().for_each(|warning| expect_visible(warning));
            format!("{} {}", warnings.len(), used(&loaded, SNAPSHOT.clone()))
        }
    }
}

/// Any bytes are a log file, or one that can't be read.
pub fn logs(input: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("log.json");
    fs::write(&file, input).expect("a file");
    let request = UsageRequest {
        since: None,
        until: None,
        deployers: BTreeSet::new(),
        now: now(),
        concurrency: 1,
        max_failures: None,
    };
    let audit = match audit_logs(&AUDITED, &[file], None, &request, &|_, _| {}) {
        Ok(audit) => audit,
        Err(error) => return error.to_string(),
    };
    expect_visible_in_every_format(|format, style| render_usage(&audit, format, style));
    let codes = audit.findings.iter().map(|finding| finding.code.as_str());
    let errors = audit.unreadable.iter().map(|unread| unread.error.as_str());
    let told = codes.chain(errors).collect::<BTreeSet<&str>>();
    let told = told.into_iter().collect::<Vec<_>>().join(" ");
    format!("{:?} {told} {:?}", audit.outcome, audit.uses)
}

/// Any bytes are the record beside a sealed password or of a closing, or refused.
pub fn credentials(input: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["bg-alice.password.json", "INC-42.closing.json"] {
        fs::write(folder.path().join(name), input).expect("a file");
    }
    let store = Store::open(folder.path(), false).expect("a folder that can be used");
    let account = "200000000002".parse().expect("an account");
    let closing = read_record(&store, "o-acme1example", "INC-42");
    let record = store.record(&account, "bg-alice").and_then(|record| {
        let leftovers = store.leftovers(&record)?;
        let inside = |file: &Path| file.parent() == Some(store.folder());
        let files = leftovers.iter().filter_map(|left| left.file.as_deref());
        assert!(files.into_iter().all(inside), "{leftovers:?}");
        Ok(leftovers.len())
    });
    let record = record.map_err(|error| error.to_string());
    format!("{record:?} {:?}", closing.map(|closing| closing.is_some()))
}

/// Any text is a document or an error with a place; what is a document reads back as itself.
pub fn policy(input: &[u8]) -> String {
    let Some(text) = text(input) else {
        return "no text".to_owned();
    };
    match parse(text) {
        Ok(document) => {
            for text in [minified(&document), pretty(&document)] {
                assert_eq!(parse(&text).as_ref(), Ok(&document));
            }
            assert!(parse(&canonical_pretty(&document)).is_ok());
            format!("{} statements", document.statements.len())
        }
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1);
            error.to_string()
        }
    }
}

/// Two documents, parted by a line break, are compared within the bound; each equals itself.
pub fn policies(input: &[u8]) -> String {
    let Some((old, new)) = text(input).and_then(|text| text.split_once('\n')) else {
        return "no two texts".to_owned();
    };
    let (Ok(old), Ok(new)) = (parse(old), parse(new)) else {
        return "no two documents".to_owned();
    };
    assert!(compare_pair(&old, &old).verdict.is_equal());
    let (there, back) = (compare_pair(&old, &new), compare_pair(&new, &old));
    assert_eq!(there.verdict.is_equal(), back.verdict.is_equal());
    format!("{:?}", there.verdict)
}

/// Any line is answered, as a decision or as an error.
pub fn requests(input: &[u8]) -> String {
    let Some(line) = text(input) else {
        return "no text".to_owned();
    };
    let (brief, explained) = (evaluate_json(line), explain_json(line));
    match (brief, explained) {
        (Ok(brief), Ok(explained)) => {
            assert_eq!(brief.decision, explained.decision);
            format!(
                "{:?} {:?} {:?}",
                brief.decision, brief.blocked_by, brief.error
            )
        }
        (Err(error), Err(_)) => error.to_string(),
        (brief, explained) => panic!("{brief:?} and {explained:?}"),
    }
}
