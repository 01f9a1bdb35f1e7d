//! The comparison of rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::steps::Stage;
use super::super::{Differ, Difference, Finding, created_fields, deleted_fields, key};
use super::Cells;
use crate::plan::{Action, Risk};
use crate::policy::Access;
use crate::state::{
    ALL_EVENTS, AlertOperation, AlertRule, Alerts, DesiredAlerts, Operation, RULE_MARK,
    ResourceType, Wanted, regional,
};

impl Differ<'_> {
    pub(super) fn rules(&mut self, desired: &DesiredAlerts, live: &Alerts, cells: &mut Cells) {
        let mut wanted: BTreeSet<String> = desired.central.keys().cloned().collect();
        for region in &live.regions {
            for (name, rule) in &desired.everywhere {
                let key = regional(region, name);
                if let Some(why) = self.rule(&key, rule, live.rules.get(&key)) {
                    cells.hole(region, name, &why);
                }
                wanted.insert(key);
            }
        }
        for (key, rule) in &desired.central {
            if let Some(why) = self.rule(key, rule, live.rules.get(key)) {
                cells.broken(format!("rule {key}: {why}"));
            }
        }
        let leftovers = self.own_rules().filter(|(name, _)| !wanted.contains(*name));
        let leftovers: Vec<(String, AlertRule)> = leftovers
            .map(|(name, rule)| (name.clone(), rule.clone()))
            .collect();
        for (name, rule) in leftovers {
            self.delete_rule(&name, &rule);
        }
    }

    /// The rules that this tool made.
    pub(in crate::plan::diff) fn own_rules(&self) -> impl Iterator<Item = (&String, &AlertRule)> {
        let alerts = self.desired.alerts.as_ref();
        let live = alerts.and_then(|_| self.live.known_alerts());
        live.into_iter()
            .flat_map(|live| &live.rules)
            .filter(|(_, rule)| rule.description.starts_with(RULE_MARK))
    }

    /// Compares one rule; says why it does not hear what it shall, if it does not.
    fn rule(
        &mut self,
        name: &str,
        wanted: &Wanted<AlertRule>,
        live: Option<&AlertRule>,
    ) -> Option<String> {
        let mut spec = wanted.value.clone();
        if let Some(live) = live {
            self.leave_rule(name, &mut spec, live);
        }
        let spec = &spec;
        let mut difference = Difference::default();
        let (finding, why) = match live {
            Some(live) => {
                let finding = Finding::new(Action::Update, &wanted.origin);
                let why = compare(name, live, spec, &mut difference);
                if live.description.starts_with(RULE_MARK) || difference.fields.is_empty() {
                    (finding, why)
                } else {
                    let origin = &wanted.origin;
                    (Finding::adoption(origin), why)
                }
            }
            None => {
                let bare = AlertRule {
                    targets: Default::default(),
                    ..spec.clone()
                };
                compare(name, &bare, spec, &mut difference);
                difference.fields = created_fields(fields(spec));
                difference.risk = Some(Risk::High);
                difference.step(Stage::Create, put(name, spec));
                let finding = Finding::new(Action::Create, &wanted.origin);
                (finding, Some("it is not there".to_owned()))
            }
        };
        self.record(&key(ResourceType::AlertRule, name), finding, difference);
        why
    }

    fn delete_rule(&mut self, name: &str, live: &AlertRule) {
        let mut difference = Difference {
            fields: deleted_fields(fields(live)),
            risk: Some(Risk::High),
            ..Difference::default()
        };
        remove_targets(
            name,
            live.targets.keys().cloned().collect(),
            &mut difference,
        );
        let delete = AlertOperation::DeleteRule {
            rule: name.to_owned(),
        };
        difference.step(Stage::Delete, Operation::ChangeAlert(delete));
        self.record(
            &key(ResourceType::AlertRule, name),
            Finding::leftover(),
            difference,
        );
    }
}

/// Compares a rule with the one that is wanted; says in a few words why it does not hear what it shall.
fn compare(
    name: &str,
    live: &AlertRule,
    spec: &AlertRule,
    difference: &mut Difference,
) -> Option<String> {
    let AlertRule {
        pattern,
        state,
        description,
        targets,
    } = live;
    let mut why = Vec::new();
    if *pattern != spec.pattern {
        difference
            .field("pattern", pattern.value(), spec.pattern.value())
            .weigh(Risk::High, Access::None);
        why.push("its pattern is another");
    }
    // A rule that hears more than it must is as good.
    if *state != spec.state && !(spec.state == "ENABLED" && state == ALL_EVENTS) {
        difference
            .field("state", json!(state), json!(spec.state))
            .weigh(Risk::High, Access::None);
        why.push(if state == "DISABLED" {
            "it is disabled"
        } else {
            "it does not hear calls that only read"
        });
    }
    if *description != spec.description {
        difference
            .field("description", json!(description), json!(spec.description))
            .weigh(Risk::Low, Access::None);
    }
    if !difference.fields.is_empty() {
        difference.step(Stage::Grant, put(name, spec));
    }
    for (id, target) in &spec.targets {
        let found = targets.get(id);
        if found != Some(target) {
            difference
                .field(format!("targets.{id}"), json!(found), json!(target))
                .weigh(Risk::High, Access::None);
            let operation = AlertOperation::PutTarget {
                rule: name.to_owned(),
                id: id.clone(),
                target: target.clone(),
            };
            difference.step(Stage::Trust, Operation::ChangeAlert(operation));
            why.push(match found {
                Some(_) => "it sends elsewhere, or in another form",
                None => "it sends nowhere",
            });
        }
    }
    let strays = targets.keys().filter(|id| !spec.targets.contains_key(*id));
    let strays: BTreeSet<String> = strays.cloned().collect();
    for id in &strays {
        difference
            .field(format!("targets.{id}"), json!(targets.get(id)), Value::Null)
            .weigh(Risk::Medium, Access::None);
    }
    remove_targets(name, strays, difference);
    (!why.is_empty()).then(|| why.join(", "))
}

fn put(name: &str, spec: &AlertRule) -> Operation {
    Operation::ChangeAlert(AlertOperation::PutRule {
        rule: name.to_owned(),
        pattern: spec.pattern.clone(),
        state: spec.state.clone(),
        description: spec.description.clone(),
    })
}

fn remove_targets(name: &str, ids: BTreeSet<String>, difference: &mut Difference) {
    if !ids.is_empty() {
        let rule = name.to_owned();
        let operation = AlertOperation::RemoveTargets { rule, ids };
        difference.step(Stage::Release, Operation::ChangeAlert(operation));
    }
}

fn fields(rule: &AlertRule) -> Vec<(String, Value)> {
    let AlertRule {
        pattern,
        state,
        description: _,
        targets,
    } = rule;
    let mut fields = vec![
        ("pattern".to_owned(), pattern.value()),
        ("state".to_owned(), json!(state)),
    ];
    let targets = targets.iter();
    fields.extend(targets.map(|(id, target)| (format!("targets.{id}"), json!(target.arn))));
    fields
}
