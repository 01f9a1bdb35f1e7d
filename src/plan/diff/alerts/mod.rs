//! The comparison of alerts: rules, bus, topic, alarm, and the trail that all of it rests on.

mod cells;
mod hub;
mod publish;
mod rules;

use serde_json::{Value, json};

use super::{Differ, Difference, Finding, key};
use crate::plan::{Action, AlertCoverage, Risk};
use crate::policy::Access;
use crate::state::{
    Alerts, DesiredAlerts, EVENTS_ROLE, NeededTrail, ResourceType, Trail, Wanted, regional,
};

use self::cells::Cells;

/// The field of a trail that only the second path rests on.
const LOG_GROUP: &str = "log_group";
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
        if let Some(why) = self.mute() {
            cells.deafen(&why);
        }
        Some(cells.coverage(self.context))
    }

    /// Says why no rule of the account can send, by what was found of the role that they send with.
    fn mute(&self) -> Option<String> {
        let mut changes = self.changes.iter();
        let change = changes.find(|change| {
            change.resource_type == ResourceType::IamRole
                && change.name == EVENTS_ROLE
                && change.action != Action::Delete
        })?;
        if change.action == Action::Create {
            return Some(format!("the role {EVENTS_ROLE} is not there"));
        }
        let paths = change.fields.iter().map(|field| field.path.as_str());
        let broken: Vec<&str> = paths.filter(|path| !is_label(path)).collect();
        let why = format!("the role {EVENTS_ROLE} is another: {}", broken.join(", "));
        (!broken.is_empty()).then_some(why)
    }

    /// What is wanted and what there is, if both are known.
    fn known_alerts(&self) -> Option<(&'a DesiredAlerts, &'a Alerts)> {
        let (desired, live) = (self.desired, self.live);
        desired.alerts.as_ref().zip(live.known_alerts())
    }

    /// Checks the trail; tells whether there is none that rules can rest on. The log group is the second path's matter.
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
                problems.push((LOG_GROUP, json!(destination), json!(name)));
            }
            problems
        };
        let deaf = |problems: &[(&str, Value, Value)]| {
            let mut paths = problems.iter().map(|(path, ..)| *path);
            paths.any(|path| path != LOG_GROUP)
        };
        // The best there is: what is wrong with the others does not matter.
        let best = live
            .trails
            .iter()
            .map(|(name, trail)| (problems(trail), name))
            .min_by_key(|(problems, _)| (deaf(problems), problems.len()));
        let is_deaf = best.as_ref().is_none_or(|(problems, _)| deaf(problems));
        let best = best.map(|(mut problems, name)| {
            problems.retain(|(path, ..)| !self.is_left(ResourceType::Trail, name, path));
            (problems, name)
        });
        let (problems, name, reason) = match best {
            Some((problems, _)) if problems.is_empty() => return is_deaf,
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
        is_deaf
    }
}

/// Tells whether a field of a role does nothing to what the role can do.
fn is_label(path: &str) -> bool {
    ["description", "max_session"].contains(&path) || path.starts_with("tags")
}

/// Tells whether the ARN of a log group, as trails have it, is that of this name.
fn writes_to(arn: Option<&str>, name: &str) -> bool {
    arn.and_then(|arn| arn.split_once(":log-group:"))
        .is_some_and(|(_, rest)| rest.trim_end_matches(":*") == name)
}
