//! The comparison of what there is once: the bus, the topic and the alarm of the second path.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::steps::Stage;
use super::super::{
    Differ, Difference, Documents, Finding, compare_documents, created_fields, document_value, key,
};
use super::Cells;
use super::publish::{KEY_ENABLED, key_bars, obstacles};
use crate::plan::{Action, Risk};
use crate::policy::Access;
use crate::state::{
    AlarmSettings, AlertBus, AlertOperation, AlertTopic, Alerts, Confirmation, DesiredAlerts,
    MetricAlarm, Operation, PolicyText, ResourceType, Wanted, split_regional,
};

impl Differ<'_> {
    pub(super) fn buses(&mut self, desired: &DesiredAlerts, live: &Alerts, cells: &mut Cells) {
        for (name, wanted) in &desired.buses {
            let mut difference = Difference::default();
            let found = live.buses.get(name);
            let mut spec = wanted.value.clone();
            if let Some(found) = found {
                self.leave_bus(name, &mut spec, found);
            }
            let AlertBus { policy } = &spec;
            let none = AlertBus::default();
            let live_policy = &found.unwrap_or(&none).policy;
            if let Some(document) = self.policy(live_policy.as_ref(), policy, &mut difference) {
                let operation = AlertOperation::SetBusPolicy {
                    bus: name.clone(),
                    document,
                };
                difference.step(Stage::Grant, Operation::ChangeAlert(operation));
            }
            let action = match found {
                Some(_) => {
                    if !difference.fields.is_empty() {
                        cells.broken(format!("bus {name}: its policy is another"));
                    }
                    Action::Update
                }
                None => {
                    let create = AlertOperation::CreateBus { bus: name.clone() };
                    difference.step(Stage::Create, Operation::ChangeAlert(create));
                    cells.broken(format!("bus {name}: it is not there"));
                    Action::Create
                }
            };
            let finding = Finding::new(action, &wanted.origin);
            self.record(&key(ResourceType::AlertBus, name), finding, difference);
        }
    }

    pub(super) fn topics(&mut self, desired: &DesiredAlerts, live: &Alerts, cells: &mut Cells) {
        for (name, wanted) in &desired.topics {
            let found = live.topics.get(name);
            match found {
                Some(found) => self.topic(name, wanted, found, &desired.publishers),
                None => self.create_topic(name, wanted),
            }
            let confirmed = found.is_some_and(|found| {
                let mut receivers = found.subscriptions.values();
                receivers.any(|receiver| *receiver == Confirmation::Confirmed)
            });
            if found.is_none() {
                cells.broken(format!("topic {name}: it is not there"));
            } else if !confirmed {
                cells.broken(format!("topic {name}: nobody has confirmed a subscription"));
            }
            if let Some(found) = found {
                let (region, topic) = split_regional(name);
                let account = self.context.id;
                let arn = format!(
                    "arn:{}:sns:{region}:{account}:{topic}",
                    self.context.partition
                );
                for why in obstacles(found, &arn, account, &desired.publishers) {
                    cells.broken(format!("topic {name}: {why}"));
                }
            }
        }
    }

    fn create_topic(&mut self, name: &str, wanted: &Wanted<AlertTopic>) {
        let AlertTopic {
            policy,
            kms_key,
            key_policy: _,
            key_state: _,
            subscriptions,
            subscription_filters: _,
        } = &wanted.value;
        let mut difference = Difference::default();
        let mut fields = Vec::new();
        if let Some(document) = policy {
            fields.push(("policy".to_owned(), document_value(document)));
            let operation = AlertOperation::CreateTopic {
                topic: name.to_owned(),
                kms_key: kms_key.clone(),
                document: document.clone(),
            };
            difference.step(Stage::Create, Operation::ChangeAlert(operation));
        }
        if kms_key.is_some() {
            fields.push(("kms_key".to_owned(), json!(kms_key)));
        }
        for subscription in subscriptions.keys() {
            fields.push((format!("subscriptions.{subscription}"), json!("confirmed")));
            subscribe(name, subscription, &mut difference);
        }
        difference.fields = created_fields(fields);
        difference.risk = Some(Risk::High);
        let finding = Finding::new(Action::Create, &wanted.origin);
        self.record(&key(ResourceType::AlertTopic, name), finding, difference);
    }

    fn topic(
        &mut self,
        name: &str,
        wanted: &Wanted<AlertTopic>,
        live: &AlertTopic,
        publishers: &BTreeSet<String>,
    ) {
        let (mut spec, mut live) = (wanted.value.clone(), live.clone());
        self.leave_topic(name, &mut spec, &mut live);
        let AlertTopic {
            policy,
            kms_key,
            key_policy,
            key_state,
            subscriptions,
            subscription_filters,
        } = &live;
        let spec = &spec;
        let mut difference = Difference::default();
        let topic = || name.to_owned();
        if let Some(document) = self.policy(policy.as_ref(), &spec.policy, &mut difference) {
            let topic = topic();
            let operation = AlertOperation::SetTopicPolicy { topic, document };
            difference.step(Stage::Grant, Operation::ChangeAlert(operation));
        }
        if *kms_key != spec.kms_key {
            difference
                .field("kms_key", json!(kms_key), json!(spec.kms_key))
                .weigh(Risk::High, Access::None);
            let operation = AlertOperation::SetTopicKey {
                topic: topic(),
                kms_key: spec.kms_key.clone(),
            };
            difference.step(Stage::Grant, Operation::ChangeAlert(operation));
        }
        let mut tasks = Vec::new();
        if let (Some(key), Some(document)) = (&spec.kms_key, key_policy)
            && *kms_key == spec.kms_key
        {
            let account = self.context.id;
            let barred = publishers.iter();
            let barred = barred.filter(|service| key_bars(document, account, service));
            let barred: Vec<&str> = barred.map(String::as_str).collect();
            if !barred.is_empty() {
                let barred = barred.join(" and ");
                difference
                    .field(
                        "key_policy",
                        document_value(document),
                        json!(format!("lets in {barred}")),
                    )
                    .weigh(Risk::High, Access::None);
                tasks.push(format!(
                    "the policy of {key} must let {barred} use it (kms:Decrypt, kms:GenerateDataKey*), EventBridge without a condition on aws:Source*: until then nothing is sent"
                ));
            }
        }
        if let (Some(key), Some(state)) = (&spec.kms_key, key_state)
            && *kms_key == spec.kms_key
            && state != KEY_ENABLED
        {
            difference
                .field("key_state", json!(state), json!(KEY_ENABLED))
                .weigh(Risk::High, Access::None);
            tasks.push(format!(
                "{key} is {state}: until it is {KEY_ENABLED} again, nothing is sent"
            ));
        }
        let mut pending = Vec::new();
        for subscription in spec.subscriptions.keys() {
            let path = format!("subscriptions.{subscription}");
            match subscriptions.get(subscription) {
                Some(Confirmation::Confirmed) => {}
                Some(Confirmation::Pending) => {
                    difference
                        .field(path, json!("pending"), json!("confirmed"))
                        .weigh(Risk::High, Access::None);
                    pending.push(subscription.as_str());
                }
                None => {
                    difference
                        .field(path, Value::Null, json!("confirmed"))
                        .weigh(Risk::High, Access::None);
                    subscribe(name, subscription, &mut difference);
                }
            }
        }
        let filters = subscription_filters.iter();
        for (subscription, filter) in
            filters.filter(|(name, _)| spec.subscriptions.contains_key(*name))
        {
            difference
                .field(
                    format!("subscription_filters.{subscription}"),
                    json!(filter),
                    Value::Null,
                )
                .weigh(Risk::High, Access::None);
            let operation = AlertOperation::ClearSubscriptionFilter {
                topic: topic(),
                subscription: subscription.clone(),
            };
            difference.step(Stage::Grant, Operation::ChangeAlert(operation));
        }
        for (subscription, confirmation) in subscriptions {
            // One that nobody has confirmed can't be taken off, and goes by itself.
            let live = *confirmation == Confirmation::Confirmed;
            if live && !spec.subscriptions.contains_key(subscription) {
                let path = format!("subscriptions.{subscription}");
                difference
                    .field(path, json!("confirmed"), Value::Null)
                    .weigh(Risk::High, Access::None);
                let operation = AlertOperation::Unsubscribe {
                    topic: topic(),
                    subscription: subscription.clone(),
                };
                difference.step(Stage::Release, Operation::ChangeAlert(operation));
            }
        }
        if !pending.is_empty() {
            tasks.push(format!(
                "{} must confirm the subscription: until then nothing is sent there",
                pending.join(", ")
            ));
        }
        let origin = &wanted.origin;
        let action = match (tasks.is_empty(), difference.operations.is_empty()) {
            (false, true) => Action::Manual,
            _ => Action::Update,
        };
        let mut finding = Finding::new(action, origin);
        if !tasks.is_empty() {
            finding = finding.because(tasks.join("; "));
        }
        self.record(&key(ResourceType::AlertTopic, name), finding, difference);
    }

    pub(super) fn alarms(&mut self, desired: &DesiredAlerts, live: &Alerts) {
        for (name, wanted) in &desired.alarms {
            let none = MetricAlarm::default();
            let found = live.alarms.get(name);
            let MetricAlarm { filters, alarm } = found.unwrap_or(&none);
            let mut spec = wanted.value.clone();
            if let Some(found) = found {
                self.leave_alarm(name, &mut spec, found);
            }
            let mut difference = Difference::default();
            for (filter, shall) in &spec.filters {
                let is = filters.get(filter);
                if is != Some(shall) {
                    let path = format!("filters.{filter}");
                    difference
                        .field(path, json!(is), json!(shall))
                        .weigh(Risk::High, Access::None);
                    let operation = AlertOperation::PutMetricFilter {
                        alarm: name.clone(),
                        name: filter.clone(),
                        filter: shall.clone(),
                    };
                    difference.step(Stage::Create, Operation::ChangeAlert(operation));
                }
            }
            let strays = filters
                .iter()
                .filter(|(name, _)| !spec.filters.contains_key(*name));
            for (filter, is) in strays {
                difference
                    .field(format!("filters.{filter}"), json!(is), Value::Null)
                    .weigh(Risk::Medium, Access::None);
                let operation = AlertOperation::DeleteMetricFilter {
                    alarm: name.clone(),
                    log_group: is.log_group.clone(),
                    name: filter.clone(),
                };
                difference.step(Stage::Release, Operation::ChangeAlert(operation));
            }
            if *alarm != spec.alarm
                && let Some(settings) = &spec.alarm
            {
                alarm_fields(alarm.as_ref(), settings, &mut difference);
                let operation = AlertOperation::PutAlarm {
                    alarm: name.clone(),
                    settings: settings.clone(),
                };
                difference.step(Stage::Grant, Operation::ChangeAlert(operation));
            }
            let action = match found {
                Some(_) => Action::Update,
                None => Action::Create,
            };
            let finding = Finding::new(action, &wanted.origin);
            self.record(&key(ResourceType::MetricAlarm, name), finding, difference);
        }
    }

    /// Compares a policy; gives the one to write, if the two do not mean the same.
    fn policy(
        &self,
        live: Option<&PolicyText>,
        spec: &Option<PolicyText>,
        difference: &mut Difference,
    ) -> Option<PolicyText> {
        let spec = spec.as_ref()?;
        let (access, witness) = match live {
            Some(live) => match compare_documents(live, spec, &self.rules) {
                Documents::Same | Documents::Cosmetic => return None,
                Documents::Different { access, witness } => (access, witness),
            },
            None => (Access::Broader, None),
        };
        difference
            .field(
                "policy",
                live.map_or(Value::Null, document_value),
                document_value(spec),
            )
            .weigh(Risk::High, access)
            .witness(witness);
        Some(spec.clone())
    }
}

/// Notes which settings of an alarm differ.
fn alarm_fields(live: Option<&AlarmSettings>, spec: &AlarmSettings, difference: &mut Difference) {
    let Some(live) = live else {
        difference
            .field("alarm", Value::Null, json!(spec))
            .weigh(Risk::High, Access::None);
        return;
    };
    let (live, spec) = (json!(live), json!(spec));
    let sides = [&live, &spec].into_iter();
    let names = sides.filter_map(Value::as_object).flat_map(Map::keys);
    for name in names.collect::<BTreeSet<_>>() {
        let [is, shall] = [&live, &spec].map(|side| side.get(name).cloned().unwrap_or_default());
        if is != shall {
            difference
                .field(format!("alarm.{name}"), is, shall)
                .weigh(Risk::High, Access::None);
        }
    }
}

fn subscribe(topic: &str, subscription: &str, difference: &mut Difference) {
    let operation = AlertOperation::Subscribe {
        topic: topic.to_owned(),
        subscription: subscription.to_owned(),
    };
    difference.step(Stage::Grant, Operation::ChangeAlert(operation));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ids::{IamPath, Partition};
    use crate::plan::{AccountContext, Change, diff_account};
    use crate::state::{Desired, Inventory, Origin, Reading};

    const TOPIC: &str = "us-east-1:break-glass-alerts";

    /// What is found of a topic that shall have one receiver and has these.
    fn found(receivers: &[(&str, Confirmation)]) -> (Vec<Change>, Vec<String>) {
        let receivers = receivers.iter();
        let receivers = receivers.map(|(receiver, state)| ((*receiver).to_owned(), *state));
        let topic = |subscriptions| AlertTopic {
            subscriptions,
            ..AlertTopic::default()
        };
        let wanted = ("email:soc@example.com".to_owned(), Confirmation::Confirmed);
        let value = topic(BTreeMap::from([wanted]));
        let origin = Origin {
            file: String::new(),
            line: 1,
        };
        let desired = Desired {
            alerts: Some(DesiredAlerts {
                topics: BTreeMap::from([(TOPIC.to_owned(), Wanted { value, origin })]),
                ..DesiredAlerts::default()
            }),
            ..Desired::default()
        };
        let live = Inventory {
            alerts: Some(Reading::Complete(Alerts {
                topics: BTreeMap::from([(TOPIC.to_owned(), topic(receivers.collect()))]),
                ..Alerts::default()
            })),
            ..Inventory::default()
        };
        let context = AccountContext {
            id: &"222222222222".parse().unwrap(),
            name: "emergency",
            partition: &Partition::commercial(),
            managed_path: &IamPath::break_glass(),
            strict: false,
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        let diff = diff_account(&context, &desired, &live);
        (diff.changes, diff.alerts.unwrap().shared)
    }

    #[test]
    fn a_subscription_that_nobody_confirmed_is_a_task_for_a_person() {
        let (changes, shared) = found(&[("email:soc@example.com", Confirmation::Pending)]);
        assert_eq!((changes.len(), changes[0].action), (1, Action::Manual));
        let reason = changes[0].reason.as_deref().unwrap();
        assert!(
            reason.starts_with("email:soc@example.com must confirm"),
            "{reason}"
        );
        assert_eq!(
            shared,
            [format!(
                "topic {TOPIC}: nobody has confirmed a subscription"
            )]
        );
    }

    #[test]
    fn a_receiver_that_the_spec_does_not_name_goes_once_it_is_live() {
        let soc = ("email:soc@example.com", Confirmation::Confirmed);
        let (changes, shared) = found(&[soc, ("https:x", Confirmation::Pending)]);
        assert_eq!((changes, shared), (Vec::new(), Vec::new()));
        let (changes, _) = found(&[soc, ("https:x", Confirmation::Confirmed)]);
        assert_eq!((changes.len(), changes[0].action), (1, Action::Update));
        assert_eq!(changes[0].operations.len(), 1);
    }

    #[test]
    fn what_the_alarm_has_beside_the_spec_is_told_field_by_field() {
        let spec = AlarmSettings {
            metric: ("BreakGlass".to_owned(), "Use".to_owned()),
            dimensions: BTreeMap::new(),
            unit: None,
            statistic: "Sum".to_owned(),
            comparison: "GreaterThanOrEqualToThreshold".to_owned(),
            threshold: "1".to_owned(),
            period: 60,
            periods: 1,
            datapoints: None,
            missing: "notBreaching".to_owned(),
            actions_enabled: true,
            actions: BTreeSet::new(),
        };
        let live = AlarmSettings {
            dimensions: BTreeMap::from([("user".to_owned(), "nobody".to_owned())]),
            unit: Some("Bytes".to_owned()),
            periods: 5,
            datapoints: Some(3),
            ..spec.clone()
        };
        let mut difference = Difference::default();
        alarm_fields(Some(&live), &spec, &mut difference);
        let fields = difference.fields.iter();
        let fields: Vec<&str> = fields.map(|field| field.path.as_str()).collect();
        assert_eq!(
            fields,
            [
                "alarm.datapoints",
                "alarm.dimensions",
                "alarm.periods",
                "alarm.unit"
            ]
        );
    }
}
