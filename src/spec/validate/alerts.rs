//! How the parts of `alerts` rest on each other.

use super::super::problem::Problem;
use super::super::types::Alerts;
use super::Check;
use crate::state::{ALERT_PREFIX, EVENTS_ROLE};

/// The key that AWS keeps for SNS, whose policy nobody can change.
const AWS_KEY: &str = "alias/aws/sns";

impl Check<'_> {
    pub(super) fn alert_paths(&mut self, alerts: &Alerts) {
        let spec = self.spec;
        if let Some(topic) = &alerts.topic {
            if alerts.bus.is_none() {
                self.error(
                    "alerts.topic",
                    "a topic without a bus: nothing is sent to it",
                    "add alerts.bus, in whose account and Region the topic is",
                );
            }
            if topic.kms_key.as_deref() == Some(AWS_KEY) {
                self.error(
                    "alerts.topic.kms_key",
                    "AWS's own key for SNS does not let EventBridge in, so no alert would arrive",
                    "name a customer managed key whose policy lets events.amazonaws.com use it",
                );
            }
            self.protected("alerts.topic.name", "topic", &topic.name);
        }
        if alerts.second_path.is_some() && alerts.topic.is_none() {
            self.error(
                "alerts.second_path",
                "a second path without a topic: the alarm could tell nobody",
                "add alerts.topic",
            );
        }
        let Some(bus) = &alerts.bus else {
            return;
        };
        self.protected("alerts.bus.name", "bus", &bus.name);
        if bus.region.is_none() && spec.organization.regions.is_none() {
            self.error(
                "alerts.bus",
                "the bus is in no Region",
                "add its region; with organization.regions it is the first of those",
            );
        }
        if spec.roles.is_none() {
            self.error(
                "alerts.bus",
                "without a section `roles` the role that sends events to the bus is not managed",
                "add `roles`, if only as an empty list",
            );
        }
        let roles = spec.roles().iter().enumerate();
        for (index, role) in roles {
            if role.name.eq_ignore_ascii_case(EVENTS_ROLE) {
                self.error(
                    super::super::source::element("roles", index),
                    format!("{EVENTS_ROLE} is the role that sends alerts to the bus"),
                    "give this role another name",
                );
            }
        }
    }

    /// Warns of a name that the protection policy does not cover.
    fn protected(&mut self, at: &str, kind: &str, name: &str) {
        if !name.starts_with(ALERT_PREFIX) {
            let message = format!(
                "the protection policy covers what is named {ALERT_PREFIX}*, which this {kind} is not"
            );
            self.problems
                .push(Problem::warning(at, message).hint(format!("name it {ALERT_PREFIX}-…")));
        }
    }
}
