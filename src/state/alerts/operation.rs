//! Operations on alerts: single intents towards EventBridge, SNS, CloudWatch and its logs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{AlarmSettings, AlertTarget, EventPattern, MetricFilter};
use crate::state::{PolicyText, ResourceKey, ResourceType};

/// States one change to the alerts of an account; everything is named `REGION:NAME`, as its address has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AlertOperation {
    /// Makes a rule, or changes one and leaves its targets.
    PutRule {
        /// The rule.
        rule: String,
        /// The events that it matches.
        pattern: EventPattern,
        /// Its state.
        state: String,
        /// Its description.
        description: String,
    },
    /// Gives a rule a target, in place of one of the same id.
    PutTarget {
        /// The rule.
        rule: String,
        /// The target's id.
        id: String,
        /// The target.
        target: AlertTarget,
    },
    /// Takes targets off a rule.
    RemoveTargets {
        /// The rule.
        rule: String,
        /// Their ids.
        ids: BTreeSet<String>,
    },
    /// Deletes a rule that has no targets.
    DeleteRule {
        /// The rule.
        rule: String,
    },
    /// Makes a bus that nobody else may put events on.
    CreateBus {
        /// The bus.
        bus: String,
    },
    /// Says who may put events on a bus.
    SetBusPolicy {
        /// The bus.
        bus: String,
        /// The policy.
        document: PolicyText,
    },
    /// Makes a topic without subscriptions.
    CreateTopic {
        /// The topic.
        topic: String,
        /// The key that encrypts it.
        kms_key: Option<String>,
        /// Who may publish to it.
        document: PolicyText,
    },
    /// Says which key encrypts a topic.
    SetTopicKey {
        /// The topic.
        topic: String,
        /// The key; none leaves it unencrypted.
        kms_key: Option<String>,
    },
    /// Says who may publish to a topic.
    SetTopicPolicy {
        /// The topic.
        topic: String,
        /// The policy.
        document: PolicyText,
    },
    /// Subscribes someone to a topic, who then has to confirm it.
    Subscribe {
        /// The topic.
        topic: String,
        /// The subscription, `PROTOCOL:ENDPOINT`.
        subscription: String,
    },
    /// Takes a subscription off a topic.
    Unsubscribe {
        /// The topic.
        topic: String,
        /// The subscription, `PROTOCOL:ENDPOINT`.
        subscription: String,
    },
    /// Lets a subscription hear everything.
    ClearSubscriptionFilter {
        /// The topic.
        topic: String,
        /// The subscription, `PROTOCOL:ENDPOINT`.
        subscription: String,
    },
    /// Makes a metric filter, or changes one.
    PutMetricFilter {
        /// The alarm that it feeds.
        alarm: String,
        /// Its name.
        name: String,
        /// What it counts, and where.
        filter: MetricFilter,
    },
    /// Deletes a metric filter.
    DeleteMetricFilter {
        /// The alarm that it feeds.
        alarm: String,
        /// The log group that it reads.
        log_group: String,
        /// Its name.
        name: String,
    },
    /// Makes an alarm, or changes one.
    PutAlarm {
        /// The alarm.
        alarm: String,
        /// When it rings, and where.
        settings: AlarmSettings,
    },
}

impl AlertOperation {
    /// The resource that it changes.
    #[must_use]
    pub fn target(&self) -> ResourceKey {
        let (kind, name) = match self {
            Self::PutRule { rule, .. }
            | Self::PutTarget { rule, .. }
            | Self::RemoveTargets { rule, .. }
            | Self::DeleteRule { rule } => (ResourceType::AlertRule, rule),
            Self::CreateBus { bus } | Self::SetBusPolicy { bus, .. } => {
                (ResourceType::AlertBus, bus)
            }
            Self::CreateTopic { topic, .. }
            | Self::SetTopicKey { topic, .. }
            | Self::SetTopicPolicy { topic, .. }
            | Self::Subscribe { topic, .. }
            | Self::Unsubscribe { topic, .. }
            | Self::ClearSubscriptionFilter { topic, .. } => (ResourceType::AlertTopic, topic),
            Self::PutMetricFilter { alarm, .. }
            | Self::DeleteMetricFilter { alarm, .. }
            | Self::PutAlarm { alarm, .. } => (ResourceType::MetricAlarm, alarm),
        };
        ResourceKey::new(kind, name)
    }

    /// The action that carries it out, such as `events:PutRule`.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::PutRule { .. } => "events:PutRule",
            Self::PutTarget { .. } => "events:PutTargets",
            Self::RemoveTargets { .. } => "events:RemoveTargets",
            Self::DeleteRule { .. } => "events:DeleteRule",
            Self::CreateBus { .. } => "events:CreateEventBus",
            Self::SetBusPolicy { .. } => "events:PutPermission",
            Self::CreateTopic { .. } => "sns:CreateTopic",
            Self::SetTopicKey { .. } | Self::SetTopicPolicy { .. } => "sns:SetTopicAttributes",
            Self::Subscribe { .. } => "sns:Subscribe",
            Self::Unsubscribe { .. } => "sns:Unsubscribe",
            Self::ClearSubscriptionFilter { .. } => "sns:SetSubscriptionAttributes",
            Self::PutMetricFilter { .. } => "logs:PutMetricFilter",
            Self::DeleteMetricFilter { .. } => "logs:DeleteMetricFilter",
            Self::PutAlarm { .. } => "cloudwatch:PutMetricAlarm",
        }
    }
}
