//! The model of what an operation makes of an account's alerts.

use super::{AlertBus, AlertOperation, AlertRule, AlertTopic, Alerts, Confirmation, MetricAlarm};
use crate::state::ModelError;

impl Alerts {
    /// Changes the alerts as AWS would on this operation. They are unchanged on an error.
    ///
    /// A subscription counts as confirmed once its receiver is asked: the model can't tell what a person will do.
    ///
    /// # Errors
    /// When AWS would refuse: what it is about is missing, exists already, or is still in use.
    pub fn apply(&mut self, operation: &AlertOperation) -> Result<(), ModelError> {
        match operation {
            AlertOperation::PutRule {
                rule,
                pattern,
                state,
                description,
            } => {
                let targets = self.rules.remove(rule).map(|rule| rule.targets);
                let put = AlertRule {
                    pattern: pattern.clone(),
                    state: state.clone(),
                    description: description.clone(),
                    targets: targets.unwrap_or_default(),
                };
                self.rules.insert(rule.clone(), put);
            }
            AlertOperation::PutTarget { rule, id, target } => {
                let rule = self.rule(rule)?;
                rule.targets.insert(id.clone(), target.clone());
            }
            AlertOperation::RemoveTargets { rule, ids } => {
                self.rule(rule)?.targets.retain(|id, _| !ids.contains(id));
            }
            AlertOperation::DeleteRule { rule } => {
                if !self.rule(rule)?.targets.is_empty() {
                    let message = format!("rule {rule} still has targets");
                    return Err(ModelError::DeleteConflict(message));
                }
                self.rules.remove(rule);
            }
            AlertOperation::CreateBus { bus } => {
                if self.buses.contains_key(bus) {
                    return Err(ModelError::EntityAlreadyExists(bus.clone()));
                }
                self.buses.insert(bus.clone(), AlertBus::default());
            }
            AlertOperation::SetBusPolicy { bus, document } => {
                let found = self.buses.get_mut(bus).ok_or_else(|| missing(bus))?;
                found.policy = Some(document.clone());
            }
            AlertOperation::CreateTopic {
                topic,
                kms_key,
                document,
            } => {
                if self.topics.contains_key(topic) {
                    return Err(ModelError::EntityAlreadyExists(topic.clone()));
                }
                let made = AlertTopic {
                    policy: Some(document.clone()),
                    kms_key: kms_key.clone(),
                    key_policy: None,
                    key_state: None,
                    subscriptions: Default::default(),
                    subscription_filters: Default::default(),
                };
                self.topics.insert(topic.clone(), made);
            }
            AlertOperation::SetTopicKey { topic, kms_key } => {
                let topic = self.topic(topic)?;
                topic.kms_key.clone_from(kms_key);
                topic.key_policy = None;
                topic.key_state = None;
            }
            AlertOperation::SetTopicPolicy { topic, document } => {
                self.topic(topic)?.policy = Some(document.clone());
            }
            AlertOperation::Subscribe {
                topic,
                subscription,
            } => {
                let subscriptions = &mut self.topic(topic)?.subscriptions;
                subscriptions.insert(subscription.clone(), Confirmation::Confirmed);
            }
            AlertOperation::Unsubscribe {
                topic,
                subscription,
            } => {
                let topic = self.topic(topic)?;
                topic.subscriptions.remove(subscription);
                topic.subscription_filters.remove(subscription);
            }
            AlertOperation::ClearSubscriptionFilter {
                topic,
                subscription,
            } => {
                self.topic(topic)?.subscription_filters.remove(subscription);
            }
            AlertOperation::PutMetricFilter {
                alarm,
                name,
                filter,
            } => {
                let made = self.alarms.entry(alarm.clone()).or_default();
                made.filters.insert(name.clone(), filter.clone());
            }
            AlertOperation::DeleteMetricFilter { alarm, name, .. } => {
                let found = self.alarms.get_mut(alarm).ok_or_else(|| missing(alarm))?;
                found.filters.remove(name);
            }
            AlertOperation::PutAlarm { alarm, settings } => {
                let made: &mut MetricAlarm = self.alarms.entry(alarm.clone()).or_default();
                made.alarm = Some(settings.clone());
            }
        }
        Ok(())
    }

    fn rule(&mut self, key: &str) -> Result<&mut AlertRule, ModelError> {
        self.rules.get_mut(key).ok_or_else(|| missing(key))
    }

    fn topic(&mut self, key: &str) -> Result<&mut AlertTopic, ModelError> {
        self.topics.get_mut(key).ok_or_else(|| missing(key))
    }
}

fn missing(key: &str) -> ModelError {
    ModelError::NoSuchEntity(key.to_owned())
}
