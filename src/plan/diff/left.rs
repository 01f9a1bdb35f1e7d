//! What is left alone: live values that stand in for the spec's, so that nothing is planned for them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Differ;
use crate::ids::Arn;
use crate::plan::{Action, Change};
use crate::state::{
    Address, AlertBus, AlertRule, AlertTopic, MetricAlarm, Policy, PolicyText, ResourceType, Role,
    Tags, User,
};

/// Says what a comparison leaves alone.
#[derive(Debug, Default)]
pub(in crate::plan) struct Left {
    /// The changes that are left out as a whole.
    pub(in crate::plan) whole: BTreeSet<(Address, Action)>,
    /// The fields that stay as they are, of things that are changed in others.
    pub(in crate::plan) fields: BTreeMap<Address, BTreeSet<String>>,
    /// The users that are not there and are not made, whom no trust policy can name.
    pub(in crate::plan) absent: BTreeSet<Arn>,
}

impl Left {
    /// Tells whether everything is compared.
    pub(in crate::plan) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.fields.is_empty()
    }

    /// Turns it around, for things of which some fields are left alone: those stay, and the other ones are left alone.
    pub(in crate::plan) fn turned(&self, changes: &[Change]) -> Self {
        let partly = changes.iter().filter_map(|change| {
            let left = self.fields.get(&change.address)?;
            let paths = change.fields.iter().map(|field| &field.path);
            let others = paths.filter(|path| !left.contains(*path)).cloned();
            Some((change.address.clone(), others.collect()))
        });
        Self {
            fields: partly.collect(),
            ..Self::default()
        }
    }
}

// The path of what is not managed stays a difference: left alone, it would let the object be taken over.
impl<'a> Differ<'a> {
    /// The fields of a thing that stay as they are.
    fn left_of(&self, kind: ResourceType, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let left = self.left;
        let address = Address::new(self.context.id, kind, name);
        let paths = left.fields.get(&address).into_iter().flatten();
        paths.map(String::as_str)
    }

    /// Tells whether a field stays as it is.
    pub(super) fn is_left(&self, kind: ResourceType, name: &str, path: &str) -> bool {
        self.left_of(kind, name).any(|left| left == path)
    }

    /// Tells whether a change is left out as a whole.
    pub(super) fn leaves(&self, kind: ResourceType, name: &str, action: Action) -> bool {
        let address = Address::new(self.context.id, kind, name);
        self.left.whole.contains(&(address, action))
    }

    pub(super) fn leave_policy(&self, name: &str, spec: &mut Policy, live: &Policy) {
        for path in self.left_of(ResourceType::IamPolicy, name) {
            match path {
                "path" if self.owns(&live.path, &Tags::new()) => spec.path.clone_from(&live.path),
                "document" => spec.document.clone_from(&live.document),
                _ => {}
            }
        }
    }

    pub(super) fn leave_role(&self, name: &str, spec: &mut Role, live: &Role) {
        for path in self.left_of(ResourceType::IamRole, name) {
            match path {
                "path" if self.owns(&live.path, &live.tags) => spec.path.clone_from(&live.path),
                "trust_policy" => spec.trust_policy.clone_from(&live.trust_policy),
                "description" => spec.description.clone_from(&live.description),
                "max_session" => spec.max_session = live.max_session,
                _ => leave_permission(
                    path,
                    (
                        &mut spec.permissions_boundary,
                        &mut spec.managed_policies,
                        &mut spec.inline_policies,
                        &mut spec.tags,
                    ),
                    (
                        &live.permissions_boundary,
                        &live.managed_policies,
                        &live.inline_policies,
                        &live.tags,
                    ),
                ),
            }
        }
    }

    pub(super) fn leave_user(&self, name: &str, spec: &mut User, live: &User) {
        for path in self.left_of(ResourceType::IamUser, name) {
            match path {
                "path" if self.owns(&live.path, &live.tags) => spec.path.clone_from(&live.path),
                "groups" => spec.groups.clone_from(&live.groups),
                "access_keys" => spec.access_keys.clone_from(&live.access_keys),
                "ssh_keys" => spec.ssh_keys.clone_from(&live.ssh_keys),
                "service_credentials" => spec
                    .service_credentials
                    .clone_from(&live.service_credentials),
                "signing_certificates" => spec
                    .signing_certificates
                    .clone_from(&live.signing_certificates),
                _ => leave_permission(
                    path,
                    (
                        &mut spec.permissions_boundary,
                        &mut spec.managed_policies,
                        &mut spec.inline_policies,
                        &mut spec.tags,
                    ),
                    (
                        &live.permissions_boundary,
                        &live.managed_policies,
                        &live.inline_policies,
                        &live.tags,
                    ),
                ),
            }
        }
    }

    pub(super) fn leave_rule(&self, name: &str, spec: &mut AlertRule, live: &AlertRule) {
        for path in self.left_of(ResourceType::AlertRule, name) {
            match path {
                "pattern" => spec.pattern.clone_from(&live.pattern),
                "state" => spec.state.clone_from(&live.state),
                "description" => spec.description.clone_from(&live.description),
                _ => leave_entry(path, "targets.", &mut spec.targets, &live.targets),
            }
        }
    }

    pub(super) fn leave_bus(&self, name: &str, spec: &mut AlertBus, live: &AlertBus) {
        if self.is_left(ResourceType::AlertBus, name, "policy") {
            spec.policy.clone_from(&live.policy);
        }
    }

    pub(super) fn leave_topic(&self, name: &str, spec: &mut AlertTopic, live: &mut AlertTopic) {
        for path in self.left_of(ResourceType::AlertTopic, name) {
            match path {
                "policy" => spec.policy.clone_from(&live.policy),
                "kms_key" => spec.kms_key.clone_from(&live.kms_key),
                // What is wanted of these is not said by the spec's topic.
                "key_policy" => live.key_policy = None,
                "key_state" => live.key_state = None,
                _ => {
                    if let Some(receiver) = path.strip_prefix("subscription_filters.") {
                        live.subscription_filters.remove(receiver);
                    }
                    if let Some(receiver) = path.strip_prefix("subscriptions.") {
                        live.subscriptions.remove(receiver);
                        spec.subscriptions.remove(receiver);
                    }
                }
            }
        }
    }

    pub(super) fn leave_alarm(&self, name: &str, spec: &mut MetricAlarm, live: &MetricAlarm) {
        for path in self.left_of(ResourceType::MetricAlarm, name) {
            if path == "alarm" {
                spec.alarm.clone_from(&live.alarm);
            } else if let Some(setting) = path.strip_prefix("alarm.") {
                let (mut mixed, is) = (json!(spec.alarm), json!(live.alarm));
                if let Some(settings) = mixed.as_object_mut() {
                    match is.get(setting) {
                        Some(value) => {
                            drop(settings.insert(setting.to_owned(), Value::clone(value)));
                        }
                        None => drop(settings.remove(setting)),
                    }
                }
                // Each setting is of the type that it has in AWS.
                if let Ok(mixed) = serde_json::from_value(mixed) {
                    spec.alarm = mixed;
                }
            } else {
                leave_entry(path, "filters.", &mut spec.filters, &live.filters);
            }
        }
    }
}

type Held<'a> = (
    &'a Option<Arn>,
    &'a BTreeSet<Arn>,
    &'a BTreeMap<String, PolicyText>,
    &'a Tags,
);
type Wanted<'a> = (
    &'a mut Option<Arn>,
    &'a mut BTreeSet<Arn>,
    &'a mut BTreeMap<String, PolicyText>,
    &'a mut Tags,
);

/// Leaves what users and roles have alike.
fn leave_permission(path: &str, spec: Wanted<'_>, live: Held<'_>) {
    let (boundary, managed, inline, tags) = spec;
    let (live_boundary, live_managed, live_inline, live_tags) = live;
    match path {
        "permissions_boundary" => boundary.clone_from(live_boundary),
        "managed_policies" => managed.clone_from(live_managed),
        _ => {
            leave_entry(path, "inline_policies.", inline, live_inline);
            leave_entry(path, "tags.", tags, live_tags);
        }
    }
}

/// Leaves an entry as it is, or out where there is none.
fn leave_entry<V: Clone>(
    path: &str,
    prefix: &str,
    spec: &mut BTreeMap<String, V>,
    live: &BTreeMap<String, V>,
) {
    let Some(name) = path.strip_prefix(prefix) else {
        return;
    };
    match live.get(name) {
        Some(value) => drop(spec.insert(name.to_owned(), value.clone())),
        None => drop(spec.remove(name)),
    }
}
