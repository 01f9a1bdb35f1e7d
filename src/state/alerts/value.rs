//! What of a part of the alerts enters its fingerprint.

use serde_json::{Value, json};

use super::{AlertBus, AlertResource, AlertRule, AlertTopic, MetricAlarm, Trail};
use crate::state::PolicyText;

impl AlertResource {
    /// The resource as one value, with documents in their canonical form.
    ///
    /// Whether a subscription is confirmed is not part of it: that changes by itself, when a person agrees.
    pub(in crate::state) fn value(&self, canonical: &impl Fn(&PolicyText) -> String) -> Value {
        match self {
            Self::Rule(AlertRule {
                pattern,
                state,
                description,
                targets,
            }) => json!([pattern.canonical(), state, description, targets]),
            Self::Bus(AlertBus { policy }) => json!([policy.as_ref().map(canonical)]),
            Self::Topic(AlertTopic {
                policy,
                kms_key,
                // Another's to change, and no step here changes it.
                key_policy: _,
                key_state: _,
                subscriptions,
                subscription_filters,
            }) => {
                let subscriptions: Vec<&String> = subscriptions.keys().collect();
                json!([
                    policy.as_ref().map(canonical),
                    kms_key,
                    subscriptions,
                    subscription_filters
                ])
            }
            Self::Alarm(MetricAlarm { filters, alarm }) => json!([filters, alarm]),
            Self::Trail(Trail {
                multi_region,
                logging,
                reads,
                writes,
                log_group,
            }) => json!([multi_region, logging, reads, writes, log_group]),
        }
    }
}
