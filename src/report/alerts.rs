//! The coverage of alerts, folded for people: accounts that miss the same in the same Regions are one row.

use std::collections::{BTreeMap, BTreeSet};

use super::group::Accounts;
use super::words::count;
use crate::plan::{AlertCoverage, AlertHole};
use crate::spec::AlertUse;

/// The title of the part that tells of holes.
pub(super) const TITLE: &str = "Uses that raise no alert";
/// What marks a hole.
pub(super) const HOLE: &str = "✗";

/// Holds a row of the table: accounts and Regions in which the same uses are not heard of.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) accounts: Accounts,
    pub(super) regions: BTreeSet<String>,
    pub(super) holes: BTreeSet<AlertUse>,
}

impl Row {
    /// The cells: accounts, Regions, and for each use whether it is a hole.
    pub(super) fn cells(&self) -> Vec<String> {
        let regions: Vec<String> = self.regions.iter().cloned().collect();
        let marks = AlertUse::all().into_iter().map(|what| {
            let mark = if self.holes.contains(&what) { HOLE } else { "" };
            mark.to_owned()
        });
        [self.accounts.words(), regions.join(", ")]
            .into_iter()
            .chain(marks)
            .collect()
    }
}

/// The head of the table.
pub(super) fn head() -> Vec<String> {
    let uses = AlertUse::all().into_iter().map(AlertUse::as_str);
    ["accounts", "Regions"]
        .into_iter()
        .chain(uses)
        .map(str::to_owned)
        .collect()
}

/// Tells whether there is anything to tell.
pub(super) fn has_holes(coverage: &AlertCoverage) -> bool {
    !coverage.holes.is_empty() || !coverage.shared.is_empty()
}

/// Says how much is missing.
pub(super) fn summary(coverage: &AlertCoverage) -> String {
    format!(
        "{} of {} of account, Region and use",
        coverage.holes.len(),
        count(coverage.wanted, "combination")
    )
}

/// Folds holes into rows.
pub(super) fn rows(coverage: &AlertCoverage) -> Vec<Row> {
    let mut of_place: BTreeMap<_, BTreeSet<AlertUse>> = BTreeMap::new();
    for hole in &coverage.holes {
        let AlertHole {
            account,
            account_name,
            region,
            what,
            why: _,
        } = hole;
        let place = ((account_name.clone(), account.clone()), region.clone());
        of_place.entry(place).or_default().insert(*what);
    }
    let mut of_account: BTreeMap<_, BTreeMap<BTreeSet<AlertUse>, BTreeSet<String>>> =
        BTreeMap::new();
    for ((account, region), uses) in of_place {
        let regions = of_account.entry(account).or_default();
        regions.entry(uses).or_default().insert(region);
    }
    let mut folded: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (account, misses) in of_account {
        for (holes, regions) in misses {
            let accounts = folded.entry((regions, holes)).or_default();
            accounts.push(account.clone());
        }
    }
    let mut rows: Vec<Row> = folded
        .into_iter()
        .map(|((regions, holes), accounts)| Row {
            accounts: Accounts::new(accounts),
            regions,
            holes,
        })
        .collect();
    rows.sort_by(|one, other| {
        (&one.accounts, &one.regions).cmp(&(&other.accounts, &other.regions))
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole(account: &str, region: &str, what: AlertUse) -> AlertHole {
        AlertHole {
            account: account.parse().unwrap(),
            account_name: String::new(),
            region: region.to_owned(),
            what,
            why: String::new(),
        }
    }

    #[test]
    fn accounts_that_miss_the_same_are_one_row() {
        let mut holes = Vec::new();
        for number in 0..2_000 {
            let account = format!("1{number:011}");
            for region in ["eu-west-1", "us-east-1", "us-west-2"] {
                holes.push(hole(&account, region, AlertUse::Assume));
                holes.push(hole(&account, region, AlertUse::Root));
            }
        }
        holes.push(hole("222222222222", "us-east-1", AlertUse::Login));
        let coverage = AlertCoverage {
            wanted: 20_000,
            holes,
            shared: Vec::new(),
        };
        let rows: Vec<Vec<String>> = rows(&coverage).iter().map(Row::cells).collect();
        assert_eq!(
            rows,
            [
                [
                    "100000000000, 100000000001 and 1998 more",
                    "eu-west-1, us-east-1, us-west-2",
                    "",
                    "✗",
                    "",
                    "",
                    "",
                    "✗"
                ],
                ["222222222222", "us-east-1", "✗", "", "", "", "", ""],
            ]
        );
    }
}
