//! Trying the alerts: an event for each rule goes the way of a real one, and CloudWatch tells how far it came.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{CollectError, Progress, ScopeFilter};
use crate::cloud::{Cloud, CloudError};
use crate::ids::AccountId;
use crate::plan::Unreadable;
use crate::resolve::{Resolver, alert_scope, needs_tags, read_scope};
use crate::spec::Loaded;
use crate::state::{
    Address, AlertScope, Alerts, DrillEvent, Hub, Metric, ReadScope, Reading, ResourceType,
    regional,
};

/// The format of these reports.
pub const DRILL_FORMAT: &str = "1.0";
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_secs(15);

/// Says what is tried.
#[derive(Debug, Clone)]
pub struct DrillRequest {
    /// What part of the organization is tried.
    pub filter: ScopeFilter,
    /// How many accounts are worked on at once.
    pub concurrency: usize,
    /// How long to wait for what was sent.
    pub wait: Duration,
    /// When it begins, which also names it.
    pub now: Timestamp,
}

/// Tells how far the events of a drill came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrillReport {
    /// The version of this format, `1.N`.
    pub format_version: String,
    /// Always `alerts-test`.
    pub kind: String,
    /// The organization it is of.
    pub organization_id: String,
    /// What the messages of this drill have as their event's id.
    pub drill: String,
    /// When the events were sent.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// The verdict.
    pub outcome: DrillOutcome,
    /// How far each event came, by account, Region and rule.
    pub rules: Vec<DrillResult>,
    /// How many events the central bus's rules matched.
    pub on_the_bus: u64,
    /// How many messages the topic took.
    pub published: u64,
    /// Whom to ask whether the messages arrived: no service tells whether a person saw them.
    pub to_ask: Vec<String>,
    /// The accounts of which not everything could be read.
    pub unreadable: Vec<Unreadable>,
}

/// Tells how a drill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DrillOutcome {
    /// Every event came to the topic.
    Arrived,
    /// Some did not, within the time that was waited.
    Missing,
    /// Some could not be sent, or not be followed.
    Incomplete,
}

/// Tells how far the event for one rule came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrillResult {
    /// The account's id.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// The Region.
    pub region: String,
    /// The rule.
    pub rule: String,
    /// How far it came.
    pub status: DrillStatus,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Tells how far an event came.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DrillStatus {
    /// Its rule matched it.
    Matched,
    /// It was sent, and no match was counted.
    NotSeen,
    /// It could not be sent, or not be followed.
    Failed,
}

/// Sends an event for each rule and follows it as far as can be told.
///
/// # Errors
/// When the organization itself can't be read or the spec does not fit it.
pub async fn drill(
    cloud: &dyn Cloud,
    loaded: &Loaded,
    request: &DrillRequest,
    progress: &Progress<'_>,
) -> Result<DrillReport, CollectError> {
    let spec = &loaded.spec;
    let with_tags = needs_tags(spec) || request.filter.needs_tags();
    let expected = Some(spec.organization.id.as_str());
    let organization = cloud.organization(expected, with_tags).await?;
    let (resolver, _) = Resolver::new(loaded, &organization).map_err(CollectError::Spec)?;
    let accounts = request
        .filter
        .accounts(&organization, &spec.emergency_account)?;
    let Some(scope) = alert_scope(spec, &organization) else {
        let message = "the spec asks for no alert rules: it has no alerts.bus".to_owned();
        return Err(CollectError::Scope(message));
    };
    let read_scope = ReadScope {
        alerts: Some(scope.clone()),
        people: None,
        ..read_scope(spec)
    };
    let run = Run {
        cloud,
        request,
        scope: &scope,
        id: format!("drill-{}", request.now.strftime("%Y%m%dT%H%M%SZ")),
    };
    let all = accounts.len();
    let sending = accounts.iter().map(async |account| {
        let name = organization.accounts.get(account);
        let name = name.map_or("", |account| &account.name);
        let read = cloud.account(account, &read_scope).await;
        let regions = match read.map(|inventory| inventory.alerts) {
            Ok(Some(Reading::Complete(Alerts { regions, .. }))) => Ok(regions),
            Ok(Some(Reading::Unreadable { error })) => Err(error),
            Ok(None) => Err("its alerts were not read".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        match regions {
            Ok(regions) => {
                let mut sent = Vec::new();
                let drills = resolver.drills(account);
                for region in &regions {
                    sent.extend(run.send((account, name), region, &drills).await);
                }
                Ok(sent)
            }
            Err(error) => Err(Unreadable {
                account: account.clone(),
                account_name: name.to_owned(),
                error,
            }),
        }
    });
    let mut sending = stream::iter(sending).buffer_unordered(request.concurrency);
    let (mut rules, mut unreadable, mut done) = (Vec::new(), Vec::new(), 0);
    while let Some(sent) = sending.next().await {
        match sent {
            Ok(sent) => rules.extend(sent),
            Err(error) => unreadable.push(error),
        }
        done += 1;
        progress(done, all);
    }
    drop(sending);
    unreadable.sort_by(|one, other| one.account.cmp(&other.account));
    rules.sort();
    let (on_the_bus, published) = run.follow(&mut rules).await;
    let topic = spec
        .alerts
        .as_ref()
        .and_then(|alerts| alerts.topic.as_ref());
    let sent = rules
        .iter()
        .filter(|rule| rule.status != DrillStatus::Failed);
    let sent = u64::try_from(sent.count()).unwrap_or(u64::MAX);
    let failed = rules.iter().any(|rule| rule.status == DrillStatus::Failed);
    let unseen = rules.iter().any(|rule| rule.status == DrillStatus::NotSeen);
    let counts = [on_the_bus.as_ref().ok(), published.as_ref().ok()];
    let outcome = if failed || !unreadable.is_empty() || counts.contains(&None) {
        DrillOutcome::Incomplete
    } else if unseen || counts.into_iter().flatten().any(|count| *count < sent) {
        DrillOutcome::Missing
    } else {
        DrillOutcome::Arrived
    };
    for error in [&on_the_bus, &published]
        .into_iter()
        .filter_map(|count| count.as_ref().err())
    {
        unreadable.push(Unreadable {
            account: scope.hub.account.clone(),
            account_name: String::new(),
            error: error.to_string(),
        });
    }
    Ok(DrillReport {
        format_version: DRILL_FORMAT.to_owned(),
        kind: "alerts-test".to_owned(),
        organization_id: organization.id.clone(),
        drill: run.id,
        created_at: request.now,
        outcome,
        rules,
        on_the_bus: on_the_bus.unwrap_or_default(),
        published: published.unwrap_or_default(),
        to_ask: topic
            .map(|topic| topic.subscriptions.clone())
            .unwrap_or_default(),
        unreadable,
    })
}

struct Run<'a> {
    cloud: &'a dyn Cloud,
    request: &'a DrillRequest,
    scope: &'a AlertScope,
    id: String,
}

impl Run<'_> {
    /// Sends the events for the rules of one Region.
    async fn send(
        &self,
        (account, name): (&AccountId, &str),
        region: &str,
        drills: &BTreeMap<String, DrillEvent>,
    ) -> Vec<DrillResult> {
        let mut results = Vec::new();
        for (rule, event) in drills {
            let key = regional(region, rule);
            let address = Address::new(account, ResourceType::AlertRule, &key);
            if !self.request.filter.covers(&address) {
                continue;
            }
            let mut event = event.clone();
            if let Some(detail) = event.detail.as_object_mut() {
                detail.insert("eventID".to_owned(), json!(self.id));
                detail.insert("eventTime".to_owned(), json!(self.request.now));
                detail.insert("awsRegion".to_owned(), json!(region));
            }
            let sent = self.cloud.send_event(account, region, &event).await;
            results.push(DrillResult {
                account: account.clone(),
                account_name: name.to_owned(),
                region: region.to_owned(),
                rule: rule.clone(),
                status: match sent {
                    Ok(()) => DrillStatus::NotSeen,
                    Err(_) => DrillStatus::Failed,
                },
                message: sent.err().map(|error| error.to_string()),
            });
        }
        results
    }

    /// Looks again and again how far the events came, until all did or the time is over; tells how many came to the bus
    /// and to the topic.
    async fn follow(
        &self,
        rules: &mut [DrillResult],
    ) -> (Result<u64, CloudError>, Result<u64, CloudError>) {
        let sent = rules
            .iter()
            .filter(|rule| rule.status != DrillStatus::Failed);
        let sent = u64::try_from(sent.count()).unwrap_or(u64::MAX);
        let mut waited = Duration::ZERO;
        loop {
            self.look(rules).await;
            let (bus, topic) = (self.on_the_bus().await, self.published().await);
            let all = rules.iter().all(|rule| rule.status != DrillStatus::NotSeen);
            let arrived =
                |count: &Result<u64, CloudError>| count.as_ref().is_ok_and(|count| *count >= sent);
            if waited >= self.request.wait || (all && arrived(&bus) && arrived(&topic)) {
                return (bus, topic);
            }
            let pause = PAUSE.min(self.request.wait - waited);
            tokio::time::sleep(pause).await;
            waited += pause;
        }
    }

    /// Looks which rules have matched, in one call for each account and Region.
    async fn look(&self, rules: &mut [DrillResult]) {
        let mut places: BTreeMap<(AccountId, String), Vec<&mut DrillResult>> = BTreeMap::new();
        for rule in rules
            .iter_mut()
            .filter(|rule| rule.status == DrillStatus::NotSeen)
        {
            let place = (rule.account.clone(), rule.region.clone());
            places.entry(place).or_default().push(rule);
        }
        stream::iter(places)
            .for_each_concurrent(
                self.request.concurrency,
                async |((account, region), rules)| {
                    let metrics = rules.iter().map(|rule| matched(&rule.rule, "default"));
                    let metrics: Vec<Metric> = metrics.collect();
                    let counted = self.counted(&account, &region, &metrics).await;
                    match counted {
                        Ok(counts) => {
                            for (rule, count) in rules.into_iter().zip(counts) {
                                if count > 0 {
                                    rule.status = DrillStatus::Matched;
                                }
                            }
                        }
                        Err(error) => {
                            for rule in rules {
                                rule.status = DrillStatus::Failed;
                                rule.message = Some(error.to_string());
                            }
                        }
                    }
                },
            )
            .await;
    }

    async fn on_the_bus(&self) -> Result<u64, CloudError> {
        let Hub {
            account,
            region,
            bus,
            topic: _,
        } = &self.scope.hub;
        let names = crate::resolve::NOTIFY_RULES;
        let metrics = names.map(|name| matched(name, bus));
        let counts = self.counted(account, region, &metrics).await?;
        Ok(counts.into_iter().sum())
    }

    async fn published(&self) -> Result<u64, CloudError> {
        let Hub {
            account,
            region,
            bus: _,
            topic,
        } = &self.scope.hub;
        let Some(topic) = topic else {
            return Ok(0);
        };
        let metric = Metric {
            namespace: "AWS/SNS".to_owned(),
            name: "NumberOfMessagesPublished".to_owned(),
            dimensions: BTreeMap::from([("TopicName".to_owned(), topic.clone())]),
        };
        let counts = self.counted(account, region, &[metric]).await?;
        Ok(counts.into_iter().sum())
    }

    async fn counted(
        &self,
        account: &AccountId,
        region: &str,
        metrics: &[Metric],
    ) -> Result<Vec<u64>, CloudError> {
        self.cloud
            .counted(account, region, metrics, self.request.now)
            .await
    }
}

/// The metric that counts the events which a rule matched.
///
/// Source: EventBridge User Guide, "EventBridge metrics"; rules on the default bus have no dimension for it.
fn matched(rule: &str, bus: &str) -> Metric {
    let mut dimensions = BTreeMap::from([("RuleName".to_owned(), rule.to_owned())]);
    if bus != "default" {
        dimensions.insert("EventBusName".to_owned(), bus.to_owned());
    }
    Metric {
        namespace: "AWS/Events".to_owned(),
        name: "MatchedEvents".to_owned(),
        dimensions,
    }
}
