//! Findings of one obligation, put together.

use std::collections::BTreeSet;

use super::result::{Finding, Verdict};
use crate::ids::AccountId;

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
            remainder: None,
        }
    }
}

/// The example of a finding, such that equal accounts have an equal one: the own id makes no difference.
fn example(finding: &Finding, account: &AccountId) -> (Option<String>, Option<String>) {
    let resource = finding.resource.as_ref();
    let resource = resource.map(|resource| resource.replace(account.as_str(), "own"));
    (finding.action.clone(), resource)
}

/// Says that the engine takes a name for no principal, so that nothing is known of its calls.
pub(super) fn not_a_caller(name: &str) -> Finding {
    let mut finding = Finding::new(Verdict::NotProven);
    finding.unknown_policies = vec![format!(
        "what {name} may do: it is no principal that is known"
    )];
    finding
}

/// Collects findings; those that differ only in the Region or the example are one.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    account: &'a AccountId,
    found: Vec<(Finding, BTreeSet<Option<String>>)>,
    /// The Regions that were tried; `None` for one of which nothing is known.
    regions: BTreeSet<Option<String>>,
}

impl<'a> Findings<'a> {
    /// Begins with nothing found about a role of an account.
    pub(super) fn of(account: &'a AccountId) -> Self {
        Self {
            account,
            found: Vec::new(),
            regions: BTreeSet::new(),
        }
    }

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
                && one.exceptions == finding.exceptions
                && one.remainder == finding.remainder
        });
        match same {
            Some((one, regions)) => {
                regions.insert(region);
                if example(&finding, self.account) < example(one, self.account) {
                    one.action = finding.action;
                    one.resource = finding.resource;
                }
            }
            None => self.found.push((finding, BTreeSet::from([region]))),
        }
    }

    /// The findings and the worst verdict.
    pub(super) fn finish(self) -> (Verdict, Vec<Finding>) {
        let Self {
            account: _,
            found,
            regions,
        } = self;
        let found = found.into_iter().map(|(mut finding, places)| {
            // Where every Region comes out alike, the Region is not what matters.
            if places != regions {
                finding.regions = places.into_iter().flatten().collect();
            }
            finding
        });
        let found: Vec<Finding> = found.collect();
        let worst = found.iter().map(|one| one.verdict).max();
        (worst.unwrap_or(Verdict::Proven), found)
    }
}
