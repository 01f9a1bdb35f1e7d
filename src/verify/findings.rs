//! Findings of one obligation, put together.

use std::collections::BTreeSet;

use super::result::{Finding, Verdict};

impl Finding {
    /// Begins a finding of which nothing is told yet.
    pub(super) fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            message: String::new(),
            regions: BTreeSet::new(),
            action: None,
            resource: None,
            blockers: Vec::new(),
            unknown_keys: Vec::new(),
            unknown_policies: Vec::new(),
            callers: Vec::new(),
            exceptions: Vec::new(),
        }
    }
}

/// Collects findings; those that differ only in the Region or the example are one.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: Vec<(Finding, BTreeSet<Option<String>>)>,
    /// The Regions that were tried; `None` for one of which nothing is known.
    regions: BTreeSet<Option<String>>,
}

impl Findings {
    /// Adds what came out for a request in a Region.
    pub(super) fn add(&mut self, finding: Option<Finding>, region: Option<&str>) {
        let region = region.map(str::to_owned);
        self.regions.insert(region.clone());
        let Some(finding) = finding else { return };
        let same = self.found.iter_mut().find(|(one, _)| {
            one.verdict == finding.verdict
                && one.blockers == finding.blockers
                && one.unknown_keys == finding.unknown_keys
                && one.unknown_policies == finding.unknown_policies
        });
        match same {
            Some((_, regions)) => drop(regions.insert(region)),
            None => self.found.push((finding, BTreeSet::from([region]))),
        }
    }

    /// The findings, the worst first, and the worst verdict.
    pub(super) fn finish(self) -> (Verdict, Vec<Finding>) {
        let Self { found, regions } = self;
        let found = found.into_iter().map(|(mut finding, places)| {
            // Where every Region comes out alike, the Region is not what matters.
            if places != regions {
                finding.regions = places.into_iter().flatten().collect();
            }
            finding
        });
        let mut found: Vec<Finding> = found.collect();
        found.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
        let worst = found.first().map_or(Verdict::Proven, |one| one.verdict);
        (worst, found)
    }
}
