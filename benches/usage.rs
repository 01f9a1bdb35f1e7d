//! How fast a day of logs is audited, and in how much memory: `cargo bench --bench usage`.
//!
//! Writes a million records, packed, into a temporary folder and audits them; `-- --records 100000` makes it fewer.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "it makes up what it indexes, and prints what it measures"
)]

#[path = "../tests/usage/generate.rs"]
mod generate;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use breakglass::collect::{UsageRequest, audit_logs};
use breakglass::spec::load_texts;

const RECORDS: usize = 1_000_000;
const TO_A_FILE: usize = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--records");
    let records = match arguments.nth(1) {
        Some(number) => number.parse()?,
        None => RECORDS,
    };
    let folder = tempfile::tempdir()?;
    let written = generate::day(folder.path(), records, TO_A_FILE)?;
    println!(
        "{written} records in {} MB of packed files",
        size(folder.path())? / 1_000_000
    );
    let files = vec![("breakglass.yaml".to_owned(), generate::SPEC.to_owned())];
    let loaded = load_texts(files, &|_, _| Ok(generate::INCIDENTS.to_owned()))?;
    let request = UsageRequest {
        since: None,
        until: None,
        deployers: BTreeSet::new(),
        now: "2026-11-25T08:00:00Z".parse()?,
        concurrency: 1,
        max_failures: None,
    };
    // The peak so far is that of writing the logs.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let (began, worked) = (now(), processor_seconds());
    let paths = [folder.path().to_owned()];
    let audit = audit_logs(&loaded, &paths, None, &request, &|_, _| {})?;
    let (took, worked) = (began.elapsed(), processor_seconds() - worked);
    assert_eq!(audit.summary.records, written as u64);
    assert_eq!(audit.summary.uses, generate::SESSIONS);
    let codes = audit.findings.iter().map(|finding| finding.code.as_str());
    let expected = generate::BAD.iter().map(|[code, _, _, _]| *code);
    assert_eq!(
        codes.collect::<BTreeSet<_>>(),
        expected.collect::<BTreeSet<_>>()
    );
    assert_eq!(audit.findings.len(), generate::BAD.len());
    println!(
        "{} uses, {} findings, as expected; {:.2} s; {:.0} records/s, {:.0} records/s for each core; peak {} MB",
        audit.summary.uses,
        audit.findings.len(),
        took.as_secs_f64(),
        written as f64 / took.as_secs_f64(),
        written as f64 / worked,
        peak().unwrap_or_default() / 1_000
    );
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}

fn size(folder: &Path) -> std::io::Result<u64> {
    fs::read_dir(folder)?.try_fold(0, |sum, entry| Ok(sum + entry?.metadata()?.len()))
}

/// The processor time of this process in seconds, of all its threads; Linux only, else 0.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks.filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// The most memory that was in use, in KB; Linux only.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
