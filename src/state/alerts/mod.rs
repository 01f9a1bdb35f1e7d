//! Alerts: the rules, buses, topics, alarms and trails by which a use of break-glass is heard of.
//!
//! Everything here lives in a Region and is named `REGION:NAME` within its account; a rule on another bus than `default`
//! is named `REGION:BUS/NAME`.

mod model;
mod operation;
mod pattern;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{PolicyText, ResourceKey, ResourceType, Wanted};
use crate::ids::AccountId;

pub use operation::AlertOperation;
pub use pattern::EventPattern;

/// What the names of all alert rules, filters and alarms of this tool begin with; the protection policy protects them.
pub const ALERT_PREFIX: &str = "break-glass";
/// The role that rules send events to the central bus with, in each account, under `defaults.path`.
pub const EVENTS_ROLE: &str = "break-glass-events";
/// The source of events that are sent to try the alerts; AWS keeps `aws.*` to itself, so no real event has it.
pub const DRILL_SOURCE: &str = "breakglass.drill";
/// What the description of each rule of this tool begins with: a rule without it is nobody's to delete here.
pub const RULE_MARK: &str = "breakglass: ";
/// The state of rules that hear read-only calls too, such as `AssumeRole`.
///
/// Source: EventBridge User Guide, "Receiving read-only management events from AWS services".
pub const ALL_EVENTS: &str = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";

/// Holds what one account has of alerts, in the Regions that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Alerts {
    /// The Regions that were read for rules.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<String>,
    /// Rules whose name begins with `break-glass`, by `REGION:[BUS/]NAME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, AlertRule>,
    /// The central bus, if this is its account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub buses: BTreeMap<String, AlertBus>,
    /// The topic, if this is its account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<String, AlertTopic>,
    /// The alarm of the second path, if this is its account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alarms: BTreeMap<String, MetricAlarm>,
    /// Every trail that the account has or that the organization keeps for it, by its home Region and name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trails: BTreeMap<String, Trail>,
}

/// Describes an EventBridge rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// The events that it matches.
    pub pattern: EventPattern,
    /// Its state, as EventBridge writes it.
    pub state: String,
    /// Its description.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where events go, by the target's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<String, AlertTarget>,
}

/// Describes where a rule sends events, and in what form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertTarget {
    /// The bus or topic.
    pub arn: String,
    /// The role that EventBridge sends with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A text that is sent in place of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The only part of the event that is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_path: Option<String>,
    /// How the event becomes a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformer: Option<InputTransformer>,
}

/// Describes how an event becomes a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputTransformer {
    /// JSON paths by the names that the template uses.
    pub paths: BTreeMap<String, String>,
    /// The message.
    pub template: String,
}

/// Describes an event bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertBus {
    /// Who may put events on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyText>,
}

/// Describes an SNS topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertTopic {
    /// Who may publish to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyText>,
    /// The key that encrypts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// The policy of that key, where it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_policy: Option<PolicyText>,
    /// The state of that key, as KMS writes it, where it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_state: Option<String>,
    /// Whether each subscription, `PROTOCOL:ENDPOINT`, is confirmed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subscriptions: BTreeMap<String, Confirmation>,
    /// The filter policies of those subscriptions that hear only what one passes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subscription_filters: BTreeMap<String, String>,
}

/// Tells whether the receiver of a subscription has agreed to it: until then nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// It is live.
    Confirmed,
    /// The receiver has still to agree.
    Pending,
}

/// Describes an alarm together with the metric filters that feed it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricAlarm {
    /// The filters by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub filters: BTreeMap<String, MetricFilter>,
    /// The alarm itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<AlarmSettings>,
}

/// Describes a metric filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricFilter {
    /// The log group that it reads.
    pub log_group: String,
    /// The records that it counts in [`USE_METRIC`].
    pub pattern: String,
    /// What it adds for each.
    pub value: String,
    /// The dimensions it counts under: an alarm on the plain metric does not see these counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
}

/// Describes when an alarm rings, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmSettings {
    /// The metric: namespace and name.
    pub metric: (String, String),
    /// The dimensions of the metric.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// The only unit of counts that it looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What is made of the counts of a period, such as `Sum`.
    pub statistic: String,
    /// How it is compared with the threshold, as CloudWatch writes it.
    pub comparison: String,
    /// The threshold, a number as CloudWatch has it.
    pub threshold: String,
    /// The period, in seconds.
    pub period: i32,
    /// How many periods count.
    pub periods: i32,
    /// In how many of them the threshold must be passed; in all when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datapoints: Option<i32>,
    /// What a period without counts means, as CloudWatch writes it.
    pub missing: String,
    /// Whether its actions are carried out.
    pub actions_enabled: bool,
    /// Whom it tells.
    pub actions: BTreeSet<String>,
}

/// Describes a trail, as far as alerts rest on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trail {
    /// Whether it records every Region.
    pub multi_region: bool,
    /// Whether it is recording.
    pub logging: bool,
    /// Whether it records management events that read.
    pub reads: bool,
    /// Whether it records management events that write.
    pub writes: bool,
    /// The ARN of the log group that it writes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group: Option<String>,
}

/// Holds one resource of alerts of any type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertResource {
    /// A rule.
    Rule(AlertRule),
    /// A bus.
    Bus(AlertBus),
    /// A topic.
    Topic(AlertTopic),
    /// An alarm with its filters.
    Alarm(MetricAlarm),
    /// A trail.
    Trail(Trail),
}

/// Holds what one account shall have of alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DesiredAlerts {
    /// The rules of each Region that is read, by name, on the default bus.
    pub everywhere: BTreeMap<String, Wanted<AlertRule>>,
    /// The rules on the central bus, by `REGION:BUS/NAME`.
    pub central: BTreeMap<String, Wanted<AlertRule>>,
    /// The central bus.
    pub buses: BTreeMap<String, Wanted<AlertBus>>,
    /// The topic; each of its subscriptions shall be confirmed.
    pub topics: BTreeMap<String, Wanted<AlertTopic>>,
    /// The services that publish to the topic, which its key has to let in.
    pub publishers: BTreeSet<String>,
    /// The alarm of the second path.
    pub alarms: BTreeMap<String, Wanted<MetricAlarm>>,
    /// The trail that all of it rests on; none where there is nothing to hear.
    pub trail: Option<Wanted<NeededTrail>>,
}

/// Describes the trail that alerts rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededTrail {
    /// The Region that its absence is told of.
    pub region: String,
    /// The log group that it must write to, by name.
    pub log_group: Option<String>,
}

/// Describes an event that is sent to try a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillEvent {
    /// The kind of event that it passes for.
    pub detail_type: String,
    /// What it says, as CloudTrail would.
    pub detail: serde_json::Value,
}

/// Names something that CloudWatch counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions.
    pub dimensions: BTreeMap<String, String>,
}

/// Says what is to be read of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertScope {
    /// The Regions to read rules in; every Region that is enabled in the account when `None`.
    pub regions: Option<BTreeSet<String>>,
    /// Where the central bus is.
    pub hub: Hub,
    /// The account of the second path, if there is one; its Region is that of the topic, which an alarm can't leave.
    pub second_path: Option<AccountId>,
}

/// Says where the central bus and the topic are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: String,
    /// The bus's name.
    pub bus: String,
    /// The topic's name.
    pub topic: Option<String>,
}

/// Holds the names that parts of the alerts go by, in whatever account and Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertNames {
    /// The names that are the spec's to choose: the bus and the topics.
    pub chosen: BTreeSet<String>,
    /// The log group that the second path reads.
    pub log_group: Option<String>,
}

impl AlertNames {
    /// Tells whether a name is that of a part of the alerts: rules, filters and alarms are known by how it begins.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        name.starts_with(ALERT_PREFIX) || self.chosen.contains(name)
    }
}

/// The metric that the second path counts uses in: namespace and name.
pub const USE_METRIC: (&str, &str) = ("BreakGlass", "Use");
/// The name of the alarm of the second path, which its filters' names begin with.
pub const ALARM: &str = "break-glass-use";

/// The bus that an account has in each Region by itself.
pub const DEFAULT_BUS: &str = "default";

/// Names something regional within its account.
#[must_use]
pub fn regional(region: &str, name: &str) -> String {
    format!("{region}:{name}")
}

/// Splits `REGION:NAME`; everything is the name where there is no Region.
#[must_use]
pub fn split_regional(key: &str) -> (&str, &str) {
    key.split_once(':').unwrap_or(("", key))
}

/// Splits `REGION:[BUS/]NAME` into the Region, the bus and the rule's name.
#[must_use]
pub fn split_rule(key: &str) -> (&str, &str, &str) {
    let (region, rest) = split_regional(key);
    let (bus, name) = rest.rsplit_once('/').unwrap_or((DEFAULT_BUS, rest));
    (region, bus, name)
}

impl ResourceType {
    /// Tells whether things of this type are part of the alerts.
    #[must_use]
    pub fn is_alert(self) -> bool {
        matches!(
            self,
            Self::AlertRule | Self::AlertTopic | Self::AlertBus | Self::MetricAlarm | Self::Trail
        )
    }
}

impl Alerts {
    /// Finds a resource.
    #[must_use]
    pub fn get(&self, key: &ResourceKey) -> Option<AlertResource> {
        let name = &key.name;
        match key.resource_type {
            ResourceType::AlertRule => self.rules.get(name).cloned().map(AlertResource::Rule),
            ResourceType::AlertBus => self.buses.get(name).cloned().map(AlertResource::Bus),
            ResourceType::AlertTopic => self.topics.get(name).cloned().map(AlertResource::Topic),
            ResourceType::MetricAlarm => self.alarms.get(name).cloned().map(AlertResource::Alarm),
            ResourceType::Trail => self.trails.get(name).cloned().map(AlertResource::Trail),
            _ => None,
        }
    }

    /// Puts a resource in, in place of one of the same name.
    pub fn insert(&mut self, name: &str, resource: AlertResource) {
        let name = name.to_owned();
        match resource {
            AlertResource::Rule(rule) => drop(self.rules.insert(name, rule)),
            AlertResource::Bus(bus) => drop(self.buses.insert(name, bus)),
            AlertResource::Topic(topic) => drop(self.topics.insert(name, topic)),
            AlertResource::Alarm(alarm) => drop(self.alarms.insert(name, alarm)),
            AlertResource::Trail(trail) => drop(self.trails.insert(name, trail)),
        }
    }
}
