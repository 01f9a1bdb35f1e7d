//! What the spec's `alerts` mean for each account.
//!
//! `patterns` says which events are a use, `central` what there is once. In every account and Region a rule sends what
//! it matches straight to the central bus: a bus forwards one hop only.

mod central;
mod drill;
mod patterns;

use std::collections::{BTreeMap, BTreeSet};

use super::Resolver;
use crate::ids::AccountId;
use crate::org::Organization;
use crate::spec::{AlertUse, Alerts, Bus, BusAccount, Notify, Problem, Spec};
use crate::state::{
    ALARM, AlertBus, AlertNames, AlertRule, AlertScope, AlertTarget, AlertTopic, Confirmation,
    DesiredAlerts, DrillEvent, EVENTS_ROLE, Hub, NeededTrail, Role, Wanted, regional,
};

pub use central::NOTIFY_RULES;

const SECTION: &str = "alerts";
/// The description of the role that rules send with.
const ROLE_DESCRIPTION: &str = "Lets alert rules send events to the central break-glass bus";

/// Where console sign-ins land that are not made at a Region's own endpoint.
///
/// Source: Sign-In User Guide, "Sign-in events"; IAM User Guide, "Logging sign-in events".
const SIGN_IN_REGIONS: [&str; 4] = ["us-east-1", "us-east-2", "eu-north-1", "ap-southeast-2"];

/// Tells what is to be read of alerts for this spec; `None` when it asks for no rules.
#[must_use]
pub fn alert_scope(spec: &Spec, organization: &Organization) -> Option<AlertScope> {
    let alerts = spec.alerts.as_ref()?;
    let bus = alerts.bus.as_ref()?;
    let account = |account: &BusAccount| match account {
        BusAccount::Emergency => spec.emergency_account.clone(),
        BusAccount::Management => organization.management_account.clone(),
        BusAccount::Id(id) => id.clone(),
    };
    let regions = spec.organization.regions.as_ref();
    Some(AlertScope {
        regions: regions.map(|regions| regions.iter().cloned().collect()),
        hub: Hub {
            account: account(&bus.account),
            region: hub_region(spec, bus).to_owned(),
            bus: bus.name.clone(),
            topic: alerts.topic.as_ref().map(|topic| topic.name.clone()),
        },
        second_path: alerts
            .second_path
            .as_ref()
            .map(|second| account(&second.account)),
    })
}

/// Names the parts of the alerts that a spec asks for, and the topics that its findings are sent to.
#[must_use]
pub fn alert_names(spec: &Spec) -> Option<AlertNames> {
    let Alerts {
        topic,
        bus,
        second_path,
        uses: _,
        notify,
    } = spec.alerts.as_ref()?;
    let receivers = notify.iter().filter_map(|receiver| match receiver {
        Notify::Sns(arn) => arn.rsplit(':').next(),
        Notify::Webhook(_) => None,
    });
    let topic = topic.iter().map(|topic| topic.name.as_str());
    let bus = bus.iter().map(|bus| bus.name.as_str());
    let chosen = topic.chain(bus).chain(receivers);
    Some(AlertNames {
        chosen: chosen.map(str::to_owned).collect(),
        log_group: second_path.as_ref().map(|path| path.log_group.clone()),
    })
}

/// Finds what the accounts of the bus and of the second path can't be: a mistyped one would be looked at nowhere.
pub(super) fn account_problems(spec: &Spec, organization: &Organization) -> Vec<Problem> {
    let Some(scope) = alert_scope(spec, organization) else {
        return Vec::new();
    };
    let hub = ("alerts.bus.account", scope.hub.account);
    let second = scope.second_path;
    let second = second.map(|account| ("alerts.second_path.account", account));
    [hub]
        .into_iter()
        .chain(second)
        .filter(|(_, id)| {
            !organization
                .active_accounts()
                .any(|(active, _)| active == id)
        })
        .map(|(at, id)| {
            let message = format!("{id} is not an active account of {}", organization.id);
            Problem::error(at, message)
        })
        .collect()
}

/// The Region of the central bus; the spec was checked to name one.
fn hub_region<'a>(spec: &'a Spec, bus: &'a Bus) -> &'a str {
    let first = || spec.organization.regions.iter().flatten().next();
    bus.region
        .as_ref()
        .or_else(first)
        .map_or("", String::as_str)
}

impl Resolver<'_> {
    /// Makes the alerts that an account shall have; `None` when the spec asks for no rules.
    pub(super) fn alerts(&self, account: &AccountId) -> Option<DesiredAlerts> {
        let spec = &self.loaded.spec;
        let alerts = spec.alerts.as_ref()?;
        let scope = alert_scope(spec, self.organization)?;
        let places = Places::new(self.organization.partition.as_str(), &scope);
        let mut desired = DesiredAlerts::default();
        let watched = self.watched(account, &scope, &places);
        for what in self.uses(account, alerts) {
            for watch in watched.rules(what) {
                let rule = AlertRule {
                    pattern: watch.pattern,
                    state: watch.state.to_owned(),
                    description: watch.description.to_owned(),
                    targets: BTreeMap::from([(
                        central::TARGET.to_owned(),
                        AlertTarget {
                            arn: places.bus.clone(),
                            role: Some(self.events_role_arn(account)),
                            ..AlertTarget::default()
                        },
                    )]),
                };
                desired
                    .everywhere
                    .insert(watch.name, self.want(rule, "uses"));
            }
        }
        if *account == scope.hub.account {
            self.hub(alerts, &scope, &places, &mut desired);
        }
        let here = scope.second_path.as_ref() == Some(account);
        let second = alerts.second_path.as_ref().filter(|_| here);
        if let (Some(second), Some(topic)) = (second, &places.topic) {
            let (users, roles) = self.principals();
            let alarm = central::second_path(&second.log_group, &users, &roles, topic);
            let key = regional(&scope.hub.region, ALARM);
            desired.alarms.insert(key, self.want(alarm, "second_path"));
        }
        if !desired.everywhere.is_empty() || second.is_some() {
            let trail = NeededTrail {
                region: scope.hub.region.clone(),
                log_group: second.map(|second| second.log_group.clone()),
            };
            desired.trail = Some(self.want(trail, "uses"));
        }
        Some(desired)
    }

    /// Makes the events that try the rules of an account, by the rule's name.
    #[must_use]
    pub fn drills(&self, account: &AccountId) -> BTreeMap<String, DrillEvent> {
        let spec = &self.loaded.spec;
        let scope = alert_scope(spec, self.organization);
        let (Some(alerts), Some(scope)) = (&spec.alerts, scope) else {
            return BTreeMap::new();
        };
        let places = Places::new(self.organization.partition.as_str(), &scope);
        let watched = self.watched(account, &scope, &places);
        let uses = self.uses(account, alerts);
        uses.flat_map(|what| watched.rules(what))
            .map(|watch| (watch.name, watch.drill))
            .collect()
    }

    /// The uses that an account has rules for, if it has what they are about.
    fn uses<'a>(
        &self,
        account: &AccountId,
        alerts: &'a Alerts,
    ) -> impl Iterator<Item = AlertUse> + use<'a> {
        let forwards = self.forwards(account, alerts);
        let uses = alerts.uses.iter().copied();
        uses.filter(move |what| *what != AlertUse::Tamper || forwards)
    }

    /// Makes the role that an account's rules send with; `None` where there are no rules.
    pub(super) fn events_role(&self, account: &AccountId) -> Option<Wanted<Role>> {
        let spec = &self.loaded.spec;
        let alerts = spec.alerts.as_ref()?;
        let scope = alert_scope(spec, self.organization)?;
        if !self.forwards(account, alerts) {
            return None;
        }
        let places = Places::new(self.organization.partition.as_str(), &scope);
        let permissions = central::events_permissions(&places.bus);
        let role = Role {
            path: spec.defaults.path.clone(),
            trust_policy: central::events_trust(account.as_str()),
            description: ROLE_DESCRIPTION.to_owned(),
            max_session: 3600,
            tags: self.tags(&BTreeMap::new()),
            permissions_boundary: None,
            managed_policies: BTreeSet::new(),
            inline_policies: BTreeMap::from([("send-events".to_owned(), permissions)]),
        };
        Some(self.want(role, "bus"))
    }

    /// Tells what the reader should know of the alerts beside the changes.
    #[must_use]
    pub fn alert_warnings(&self) -> Vec<Problem> {
        let spec = &self.loaded.spec;
        let Some(alerts) = spec.alerts.as_ref().filter(|alerts| alerts.bus.is_some()) else {
            return Vec::new();
        };
        let mut warnings = Vec::new();
        let mut warn = |at: &str, message: String| warnings.push(Problem::warning(at, message));
        if let Some(regions) = &spec.organization.regions
            && self.organization.partition.as_str() == "aws"
        {
            let missing = SIGN_IN_REGIONS
                .into_iter()
                .filter(|region| !regions.iter().any(|known| known == region));
            let missing: Vec<&str> = missing.collect();
            if !missing.is_empty() {
                warn(
                    "organization.regions",
                    format!(
                        "console sign-ins and IAM changes can also land in {}, where no rule hears of them",
                        missing.join(", ")
                    ),
                );
            }
        }
        match &alerts.topic {
            None => warn(
                "alerts.bus",
                "without a topic nobody is told of what arrives on the bus".to_owned(),
            ),
            Some(topic) if topic.kms_key.is_none() => warn(
                "alerts.topic",
                "the topic is not encrypted: name a customer managed key as kms_key".to_owned(),
            ),
            Some(_) => {}
        }
        warnings
    }

    /// Tells whether there is anything in an account that rules forward.
    fn forwards(&self, account: &AccountId, alerts: &Alerts) -> bool {
        let uses = |what| alerts.uses.contains(&what);
        let principals = *account == self.loaded.spec.emergency_account
            || self.roles_of(account).next().is_some();
        let guardrails = *account == self.organization.management_account;
        let hub = alert_scope(&self.loaded.spec, self.organization)
            .is_some_and(|scope| scope.hub.account == *account);
        uses(AlertUse::Root) || principals || (uses(AlertUse::Tamper) && (guardrails || hub))
    }

    fn watched<'a>(
        &'a self,
        account: &'a AccountId,
        scope: &'a AlertScope,
        places: &'a Places,
    ) -> patterns::Watched<'a> {
        let spec = &self.loaded.spec;
        let users = spec
            .users()
            .iter()
            .filter(|_| *account == spec.emergency_account);
        let roles = self
            .roles_of(account)
            .filter_map(|index| spec.roles().get(index));
        let second = spec.alerts.iter().flat_map(|alerts| &alerts.second_path);
        let mut second = second.filter(|_| scope.second_path.as_ref() == Some(account));
        patterns::Watched {
            partition: self.organization.partition.as_str(),
            account: account.as_str(),
            managed_path: spec.defaults.path.as_str(),
            users: users.map(|user| user.name.as_str()).collect(),
            roles: roles
                .map(|role| (self.role_path(role).as_str(), role.name.as_str()))
                .collect(),
            management: *account == self.organization.management_account,
            bus: &scope.hub.bus,
            topic_arn: places.topic.as_deref(),
            key: topic_key(spec, &scope.hub).filter(|key| key.account == account.as_str()),
            log_group: second.next().map(|second| second.log_group.as_str()),
        }
    }

    /// Every user and role of the spec: names, and paths with names.
    fn principals(&self) -> (BTreeSet<&str>, BTreeSet<(&str, &str)>) {
        let spec = &self.loaded.spec;
        let users = spec.users().iter().map(|user| user.name.as_str());
        let roles = spec.roles().iter();
        let roles = roles.map(|role| (self.role_path(role).as_str(), role.name.as_str()));
        (users.collect(), roles.collect())
    }

    fn hub(
        &self,
        alerts: &Alerts,
        scope: &AlertScope,
        places: &Places,
        desired: &mut DesiredAlerts,
    ) {
        let hub = &scope.hub;
        let bus = AlertBus {
            policy: Some(central::bus_policy(&places.bus, &self.organization.id)),
        };
        let key = regional(&hub.region, &hub.bus);
        desired.buses.insert(key, self.want(bus, "bus"));
        let (Some(topic), Some(arn)) = (&alerts.topic, &places.topic) else {
            return;
        };
        let partition = self.organization.partition.as_str();
        let alarm = scope.second_path.as_ref().map(|account| {
            format!(
                "arn:{partition}:cloudwatch:{}:{account}:alarm:{ALARM}",
                hub.region
            )
        });
        let wanted = AlertTopic {
            policy: Some(central::topic_policy(arn, alarm.as_deref())),
            kms_key: topic.kms_key.clone(),
            key_policy: None,
            key_state: None,
            subscriptions: topic
                .subscriptions
                .iter()
                .map(|subscription| (subscription.clone(), Confirmation::Confirmed))
                .collect(),
            subscription_filters: BTreeMap::new(),
        };
        let publishers = ["events.amazonaws.com"].into_iter();
        let publishers = publishers.chain(alarm.map(|_| "cloudwatch.amazonaws.com"));
        desired.publishers = publishers.map(str::to_owned).collect();
        let key = regional(&hub.region, &topic.name);
        desired.topics.insert(key, self.want(wanted, "topic"));
        for (name, rule) in central::notify_rules(arn) {
            let key = regional(&hub.region, &format!("{}/{name}", hub.bus));
            desired.central.insert(key, self.want(rule, "topic"));
        }
    }

    fn events_role_arn(&self, account: &AccountId) -> String {
        let partition = self.organization.partition.as_str();
        let path = &self.loaded.spec.defaults.path;
        format!("arn:{partition}:iam::{account}:role{path}{EVENTS_ROLE}")
    }

    fn want<T>(&self, value: T, part: &str) -> Wanted<T> {
        let at = crate::spec::entry(SECTION, part);
        let place = match self.loaded.sources.location_of(&at) {
            Some(_) => at.as_str(),
            None => SECTION,
        };
        Wanted {
            value,
            origin: self.origin(place),
        }
    }
}

/// The topic's key, if there is one: one of another account is named by its ARN.
fn topic_key<'a>(spec: &'a Spec, hub: &'a Hub) -> Option<patterns::Key<'a>> {
    let topic = spec.alerts.as_ref()?.topic.as_ref()?;
    let name = topic.kms_key.as_deref()?;
    let parts: Vec<&str> = name.split(':').collect();
    let (region, account) = match parts.as_slice() {
        ["arn", _, _, region, account, _] => (*region, *account),
        _ => (hub.region.as_str(), hub.account.as_str()),
    };
    Some(patterns::Key {
        name,
        region,
        account,
    })
}

/// The ARNs of what there is once.
struct Places {
    bus: String,
    topic: Option<String>,
}

impl Places {
    fn new(partition: &str, scope: &AlertScope) -> Self {
        let Hub {
            account,
            region,
            bus,
            topic,
        } = &scope.hub;
        Self {
            bus: format!("arn:{partition}:events:{region}:{account}:event-bus/{bus}"),
            topic: topic
                .as_ref()
                .map(|topic| format!("arn:{partition}:sns:{region}:{account}:{topic}")),
        }
    }
}
