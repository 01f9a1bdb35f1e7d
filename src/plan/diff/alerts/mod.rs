//! The comparison of alerts: rules, bus, topic, alarm, and the trail that all of it rests on.

mod cells;
mod hub;
mod key;
mod rules;

use serde_json::{Value, json};

use super::{Differ, Difference, Finding, key};
use crate::plan::{Action, AlertCoverage, Risk};
use crate::policy::Access;
use crate::state::{Alerts, DesiredAlerts, NeededTrail, ResourceType, Trail, Wanted, regional};

use self::cells::Cells;

/// The name that a trail is told of by where there is none.
const NO_TRAIL: &str = "any";

impl<'a> Differ<'a> {
    /// Compares alerts, if the spec asks for them and they could be read; tells which uses are not heard of.
    pub(super) fn alerts(&mut self) -> Option<AlertCoverage> {
        let (desired, live) = self.known_alerts()?;
        let mut cells = Cells::wanted(desired, live);
        self.rules(desired, live, &mut cells);
        self.buses(desired, live, &mut cells);
        self.topics(desired, live, &mut cells);
        self.alarms(desired, live);
        if let Some(wanted) = &desired.trail
            && self.trail(wanted, live)
        {
            cells.deafen("no trail records what rules shall hear");
        }
        Some(cells.coverage(self.context))
    }

    /// What is wanted and what there is, if both are known.
    fn known_alerts(&self) -> Option<(&'a DesiredAlerts, &'a Alerts)> {
        let (desired, live) = (self.desired, self.live);
        desired.alerts.as_ref().zip(live.known_alerts())
    }

    /// Checks the trail; tells whether there is none that is good.
    ///
    /// A trail is never made or changed here: whose records these are, and where they go, is not this tool's to say.
    fn trail(&mut self, wanted: &Wanted<NeededTrail>, live: &Alerts) -> bool {
        let NeededTrail { region, log_group } = &wanted.value;
        let problems = |trail: &Trail| {
            let Trail {
                multi_region,
                logging,
                reads,
                writes,
                log_group: destination,
            } = trail;
            let mut problems: Vec<(&str, Value, Value)> = [
                ("logging", *logging),
                ("multi_region", *multi_region),
                ("management_events.read", *reads),
                ("management_events.write", *writes),
            ]
            .into_iter()
            .filter(|(_, is)| !is)
            .map(|(path, is)| (path, json!(is), json!(true)))
            .collect();
            if let Some(name) = log_group
                && !writes_to(destination.as_deref(), name)
            {
                problems.push(("log_group", json!(destination), json!(name)));
            }
            problems
        };
        // The best there is: what is wrong with the others does not matter.
        let best = live
            .trails
            .iter()
            .map(|(name, trail)| (problems(trail), name))
            .min_by_key(|(problems, _)| problems.len());
        let (problems, name, reason) = match best {
            Some((problems, _)) if problems.is_empty() => return false,
            Some((problems, name)) => {
                let named: Vec<&str> = problems.iter().map(|(path, ..)| *path).collect();
                let reason = format!(
                    "alerts rest on this trail, and this tool changes none: mend {} by hand",
                    named.join(", ")
                );
                (problems, name.clone(), reason)
            }
            None => (
                vec![(
                    "trail",
                    Value::Null,
                    json!("multi-Region, management events"),
                )],
                regional(region, NO_TRAIL),
                "no trail records this account, so no rule hears of anything: make one, best for the whole organization".to_owned(),
            ),
        };
        let mut difference = Difference::default();
        for (path, is, shall) in problems {
            difference
                .field(path, is, shall)
                .weigh(Risk::High, Access::None);
        }
        let finding = Finding::new(Action::Manual, &wanted.origin).because(reason);
        self.record(&key(ResourceType::Trail, &name), finding, difference);
        true
    }
}

/// Tells whether the ARN of a log group, as trails have it, is that of this name.
fn writes_to(arn: Option<&str>, name: &str) -> bool {
    arn.and_then(|arn| arn.split_once(":log-group:"))
        .is_some_and(|(_, rest)| rest.trim_end_matches(":*") == name)
}
