//! The coverage of uses: which of them is heard of in which Region of an account.

use std::collections::BTreeMap;

use super::super::AccountContext;
use crate::plan::{AlertCoverage, AlertHole};
use crate::spec::AlertUse;
use crate::state::{ALERT_PREFIX, Alerts, DesiredAlerts};

/// Tells for each Region and use that shall be heard of why it is not; nothing where it is.
#[derive(Debug, Default)]
pub(super) struct Cells {
    cells: BTreeMap<(String, AlertUse), Option<String>>,
    shared: Vec<String>,
}

impl Cells {
    /// Lists every Region and use that the spec asks for in an account, as heard of.
    pub(super) fn wanted(desired: &DesiredAlerts, live: &Alerts) -> Self {
        let uses = desired.everywhere.keys().filter_map(|name| use_of(name));
        let uses: Vec<AlertUse> = uses.collect();
        let cells = live
            .regions
            .iter()
            .flat_map(|region| uses.iter().map(move |what| ((region.clone(), *what), None)));
        Self {
            cells: cells.collect(),
            shared: Vec::new(),
        }
    }

    /// Notes that a rule does not do what it shall.
    pub(super) fn hole(&mut self, region: &str, rule: &str, why: &str) {
        if let Some(what) = use_of(rule)
            && let Some(cell) = self.cells.get_mut(&(region.to_owned(), what))
        {
            let why = format!("{rule}: {why}");
            *cell = Some(match cell.take() {
                Some(known) => format!("{known}; {why}"),
                None => why,
            });
        }
    }

    /// Notes that nothing at all is heard of, whatever the rules are.
    pub(super) fn deafen(&mut self, why: &str) {
        for cell in self.cells.values_mut() {
            *cell = Some(why.to_owned());
        }
    }

    /// Notes that what every event goes through is not as it must be.
    pub(super) fn broken(&mut self, what: impl Into<String>) {
        self.shared.push(what.into());
    }

    pub(super) fn coverage(self, context: &AccountContext<'_>) -> AlertCoverage {
        AlertCoverage {
            wanted: self.cells.len(),
            holes: self
                .cells
                .into_iter()
                .filter_map(|((region, what), why)| {
                    Some(AlertHole {
                        account: context.id.clone(),
                        account_name: context.name.to_owned(),
                        region,
                        what,
                        why: why?,
                    })
                })
                .collect(),
            shared: self.shared,
        }
    }
}

/// Tells which use a rule is for, by its name.
fn use_of(rule: &str) -> Option<AlertUse> {
    let rest = rule.strip_prefix(ALERT_PREFIX)?.strip_prefix('-')?;
    AlertUse::all().into_iter().find(|what| {
        rest.strip_prefix(what.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}
