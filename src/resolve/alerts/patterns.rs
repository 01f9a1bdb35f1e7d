//! The event patterns: which CloudTrail records are a use of break-glass in one account.
//!
//! Each pattern also takes the source of drills beside the sources it is for, so that a drill goes the way of a real
//! event; AWS lets nobody put events of a source `aws.*`, so that no real event matches through it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::drill;
use crate::spec::AlertUse;
use crate::state::{ALERT_PREFIX, ALL_EVENTS, DRILL_SOURCE, DrillEvent, EVENTS_ROLE, EventPattern};

pub(super) const SIGN_IN: &str = "AWS Console Sign In via CloudTrail";
pub(super) const CALL: &str = "AWS API Call via CloudTrail";
/// What a failed sign-in has in place of a name that does not exist.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Holds what is watched in one account.
#[derive(Debug, Default)]
pub(super) struct Watched<'a> {
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    pub(super) managed_path: &'a str,
    /// The users of this account, by name.
    pub(super) users: BTreeSet<&'a str>,
    /// The roles of this account, by path and name.
    pub(super) roles: BTreeSet<(&'a str, &'a str)>,
    /// Whether this is the management account, in which guardrails are changed.
    pub(super) management: bool,
    pub(super) bus: &'a str,
    pub(super) topic_arn: Option<&'a str>,
    /// The key of the topic, if it is in this account.
    pub(super) key: Option<Key<'a>>,
    /// The log group of the second path, if it is in this account.
    pub(super) log_group: Option<&'a str>,
}

/// Names the key of the topic.
#[derive(Debug)]
pub(super) struct Key<'a> {
    /// The key as the spec names it.
    pub(super) name: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
}

/// Describes a rule to have in each Region of an account.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) name: String,
    pub(super) pattern: EventPattern,
    pub(super) state: &'static str,
    pub(super) description: &'static str,
    /// An event that it matches and that is no use.
    pub(super) drill: DrillEvent,
}

impl Watched<'_> {
    /// Makes the rules for a use.
    pub(super) fn rules(&self, what: AlertUse) -> Vec<Watch> {
        let role_arns = self.roles.iter().map(|(path, name)| self.role(path, name));
        let role_arns: Vec<String> = role_arns.collect();
        let users: Vec<String> = self.users.iter().map(|user| (*user).to_owned()).collect();
        let rule = |name: &str,
                    description,
                    state,
                    names: &[String],
                    pattern: &dyn Fn(&[String]) -> Value| {
            split(names, pattern)
                .into_iter()
                .enumerate()
                .map(|(index, (pattern, first))| Watch {
                    name: numbered(&format!("{ALERT_PREFIX}-{name}"), index),
                    pattern,
                    state,
                    description,
                    drill: drill::event(name, &first),
                })
                .collect::<Vec<_>>()
        };
        match what {
            AlertUse::Login => rule(
                "login",
                "breakglass: a break-glass user signs in to the console, or tries to",
                ALL_EVENTS,
                &users,
                &login,
            ),
            AlertUse::Assume => [
                rule(
                    "assume-user",
                    "breakglass: a break-glass user asks for a session, as seen where the user lives",
                    ALL_EVENTS,
                    &users,
                    &assume_user,
                ),
                rule(
                    "assume-role",
                    "breakglass: a break-glass role is assumed, as seen where the role lives",
                    ALL_EVENTS,
                    &role_arns,
                    &assume_role,
                ),
            ]
            .into_iter()
            .flatten()
            .collect(),
            AlertUse::Switch => {
                let sessions = self.roles.iter().map(|(_, name)| self.sessions(name));
                [
                    rule(
                        "switch-user",
                        "breakglass: a break-glass user switches role in the console, as seen where the user lives",
                        ALL_EVENTS,
                        &users,
                        &switch_user,
                    ),
                    rule(
                        "switch-role",
                        "breakglass: someone switches to a break-glass role, as seen where the role lives",
                        ALL_EVENTS,
                        &sessions.collect::<Vec<_>>(),
                        &switch_role,
                    ),
                ]
                .into_iter()
                .flatten()
                .collect()
            }
            AlertUse::Activity => [
                rule(
                    "activity-user",
                    "breakglass: a break-glass user does something itself",
                    ALL_EVENTS,
                    &users,
                    &activity_user,
                ),
                rule(
                    "activity-role",
                    "breakglass: a session of a break-glass role does something",
                    ALL_EVENTS,
                    &role_arns,
                    &|roles| self.activity_role(roles),
                ),
            ]
            .into_iter()
            .flatten()
            .collect(),
            AlertUse::Root => vec![Watch {
                name: format!("{ALERT_PREFIX}-root"),
                pattern: text(&root()),
                state: ALL_EVENTS,
                description: "breakglass: the root user is used, or a root session is asked for",
                drill: drill::event("root", ""),
            }],
            AlertUse::Tamper => {
                let mut rules = Vec::new();
                let roles = self.roles.iter().map(|(_, name)| (*name).to_owned());
                let roles: Vec<String> = roles.chain([EVENTS_ROLE.to_owned()]).collect();
                rules.extend(rule(
                    "tamper-roles",
                    "breakglass: someone changes a break-glass role or policy",
                    "ENABLED",
                    &roles,
                    &|roles| self.tamper_roles(roles),
                ));
                rules.extend(rule(
                    "tamper-users",
                    "breakglass: someone changes a break-glass user, its devices or its credentials",
                    "ENABLED",
                    &users,
                    &|users| self.tamper_users(users),
                ));
                rules.push(Watch {
                    name: format!("{ALERT_PREFIX}-tamper-alerts"),
                    pattern: text(&self.tamper_alerts()),
                    state: "ENABLED",
                    description: "breakglass: someone changes the alerts or the trail they rest on, or takes the account out of the organization",
                    drill: drill::event("tamper-alerts", ""),
                });
                if let Some(key) = &self.key {
                    rules.push(Watch {
                        name: format!("{ALERT_PREFIX}-tamper-key"),
                        pattern: text(&tamper_key(key)),
                        state: "ENABLED",
                        description: "breakglass: someone takes the key of the topic from the alerts",
                        drill: drill::event("tamper-key", key.name),
                    });
                }
                if self.management {
                    rules.push(Watch {
                        name: format!("{ALERT_PREFIX}-tamper-guardrails"),
                        pattern: text(&tamper_guardrails()),
                        state: "ENABLED",
                        description: "breakglass: someone changes a control policy or where it holds",
                        drill: drill::event("tamper-guardrails", ""),
                    });
                }
                rules
            }
        }
    }

    fn role(&self, path: &str, name: &str) -> String {
        format!(
            "arn:{}:iam::{}:role{path}{name}",
            self.partition, self.account
        )
    }

    fn sessions(&self, role: &str) -> String {
        let Self {
            partition, account, ..
        } = self;
        format!("arn:{partition}:sts::{account}:assumed-role/{role}/")
    }

    /// A sign-in with a role's session comes from the federation endpoint; a switch is heard of by itself.
    fn activity_role(&self, roles: &[String]) -> Value {
        let names = roles.iter().filter_map(|role| role.rsplit('/').next());
        let sessions: Vec<Value> = names
            .map(|name| json!({ "prefix": self.sessions(name) }))
            .collect();
        json!({
            "detail-type": [CALL, SIGN_IN],
            "detail": {
                "eventName": [{ "anything-but": ["SwitchRole"] }],
                "$or": [
                    { "userIdentity": { "sessionContext": { "sessionIssuer": { "arn": roles } } } },
                    { "eventName": ["ConsoleLogin"], "userIdentity": { "arn": sessions } },
                ],
            },
        })
    }

    fn tamper_roles(&self, roles: &[String]) -> Value {
        let Self {
            partition,
            account,
            managed_path,
            ..
        } = self;
        let policies = format!("arn:{partition}:iam::{account}:policy{managed_path}");
        call(
            "iam",
            json!({
                "eventSource": ["iam.amazonaws.com"],
                "readOnly": writing(),
                "$or": [
                    { "requestParameters": { "roleName": roles } },
                    { "requestParameters": { "policyArn": [{ "prefix": policies }] } },
                ],
            }),
        )
    }

    fn tamper_users(&self, users: &[String]) -> Value {
        let devices = format!("arn:{}:iam::{}:mfa/", self.partition, self.account);
        call(
            "iam",
            json!({
                "eventSource": ["iam.amazonaws.com"],
                "readOnly": writing(),
                "$or": [
                    { "requestParameters": { "userName": users } },
                    { "userIdentity": { "type": ["IAMUser"], "userName": users } },
                    { "requestParameters": { "serialNumber": [{ "prefix": devices }] } },
                ],
            }),
        )
    }

    fn tamper_alerts(&self) -> Value {
        let ours = json!([{ "prefix": ALERT_PREFIX }]);
        let of = |source: &str, field: &str, values: &Value| json!({ "eventSource": [format!("{source}.amazonaws.com")], "requestParameters": { field: values } });
        let mut any = vec![
            of(
                "events",
                "name",
                &json!([{ "prefix": ALERT_PREFIX }, self.bus]),
            ),
            of("events", "rule", &ours),
            of(
                "events",
                "eventBusName",
                &json!([self.bus, { "suffix": format!("/{}", self.bus) }]),
            ),
            of("logs", "filterName", &ours),
            of("monitoring", "alarmName", &ours),
            of("monitoring", "alarmNames", &ours),
            json!({
                "eventSource": ["organizations.amazonaws.com"],
                "eventName": ["LeaveOrganization"],
            }),
            json!({
                "eventSource": ["cloudtrail.amazonaws.com"],
                "eventName": ["StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"],
            }),
        ];
        if let Some(topic) = self.topic_arn {
            any.push(of("sns", "topicArn", &json!([topic])));
            let subscriptions = json!([{ "prefix": format!("{topic}:") }]);
            any.push(of("sns", "subscriptionArn", &subscriptions));
        }
        if let Some(log_group) = self.log_group {
            any.push(json!({
                "eventSource": ["logs.amazonaws.com"],
                "eventName": ["DeleteLogGroup"],
                "requestParameters": { "logGroupName": [log_group] },
            }));
        }
        json!({
            "detail-type": [CALL],
            "detail": { "readOnly": writing(), "$or": any },
        })
    }
}

/// Makes as few patterns as the limit allows that together name everything, each with the first that it names; none
/// where there is nothing to name.
fn split(names: &[String], pattern: &dyn Fn(&[String]) -> Value) -> Vec<(EventPattern, String)> {
    let Some(first) = names.first() else {
        return Vec::new();
    };
    let whole = text(&pattern(names));
    if names.len() == 1 || whole.as_str().chars().count() <= EventPattern::LIMIT {
        return vec![(whole, first.clone())];
    }
    let (first, second) = names.split_at(names.len().div_ceil(2));
    [split(first, pattern), split(second, pattern)].concat()
}

/// The first keeps its name, the others get a number.
pub(super) fn numbered(name: &str, index: usize) -> String {
    if index == 0 {
        name.to_owned()
    } else {
        format!("{name}-{}", index + 1)
    }
}

fn text(pattern: &Value) -> EventPattern {
    EventPattern::new(pattern.to_string())
}

fn call(source: &str, detail: Value) -> Value {
    json!({
        "source": [format!("aws.{source}"), DRILL_SOURCE],
        "detail-type": [CALL],
        "detail": detail,
    })
}

fn sign_in(detail: Value) -> Value {
    json!({
        "source": ["aws.signin", DRILL_SOURCE],
        "detail-type": [SIGN_IN],
        "detail": detail,
    })
}

/// A call that changes something; records of old have no such mark.
fn writing() -> Value {
    json!([false, { "exists": false }])
}

fn login(users: &[String]) -> Value {
    let mut names = users.to_vec();
    names.push(HIDDEN.to_owned());
    sign_in(json!({
        "eventName": ["ConsoleLogin", "CheckMfa"],
        "$or": [{ "userIdentity": { "userName": names } }, federated(users)],
    }))
}

/// Users themselves, and the sessions that they get by `GetFederationToken`.
fn identities(users: &[String]) -> Value {
    json!([
        { "userIdentity": { "type": ["IAMUser"], "userName": users } },
        federated(users),
    ])
}

/// Sessions by `GetFederationToken`, whose own name anybody can choose.
fn federated(users: &[String]) -> Value {
    let issuer = json!({ "type": ["IAMUser"], "userName": users });
    json!({ "userIdentity": { "sessionContext": { "sessionIssuer": issuer } } })
}

fn assume_user(users: &[String]) -> Value {
    call(
        "sts",
        json!({
            "eventName": SESSION_CALLS,
            "$or": identities(users),
        }),
    )
}

/// The calls by which a user gets a session.
const SESSION_CALLS: [&str; 3] = ["AssumeRole", "GetSessionToken", "GetFederationToken"];

fn assume_role(roles: &[String]) -> Value {
    call(
        "sts",
        json!({
            "eventName": [{ "prefix": "AssumeRole" }],
            "requestParameters": { "roleArn": roles },
        }),
    )
}

fn switch_user(users: &[String]) -> Value {
    sign_in(json!({
        "eventName": ["SwitchRole"],
        "userIdentity": { "type": ["IAMUser"], "userName": users },
    }))
}

fn switch_role(sessions: &[String]) -> Value {
    let sessions: Vec<Value> = sessions
        .iter()
        .map(|prefix| json!({ "prefix": prefix }))
        .collect();
    sign_in(json!({
        "eventName": ["SwitchRole"],
        "userIdentity": { "arn": sessions },
    }))
}

fn activity_user(users: &[String]) -> Value {
    json!({
        "detail-type": [CALL],
        "detail": {
            "eventName": [{ "anything-but": SESSION_CALLS }],
            "$or": identities(users),
        },
    })
}

fn root() -> Value {
    json!({
        "detail-type": [CALL, SIGN_IN],
        "detail": { "$or": [
            {
                "userIdentity": { "type": ["Root"], "invokedBy": [{ "exists": false }] },
                "eventType": [{ "anything-but": ["AwsServiceEvent"] }],
            },
            { "eventSource": ["sts.amazonaws.com"], "eventName": ["AssumeRoot"] },
        ] },
    })
}

/// Calls name a key by its id or ARN, never by an alias: where the spec has an alias, every key of the Region is watched.
fn tamper_key(key: &Key<'_>) -> Value {
    let Key {
        name: key,
        region,
        account: _,
    } = key;
    let calls = json!([
        "DisableKey",
        "ScheduleKeyDeletion",
        "PutKeyPolicy",
        "DeleteImportedKeyMaterial",
    ]);
    let alias = key
        .rsplit(':')
        .next()
        .filter(|name| name.starts_with("alias/"));
    let any = match alias {
        Some(alias) => json!([
            { "eventName": calls, "awsRegion": [region] },
            {
                "eventName": ["UpdateAlias", "DeleteAlias"],
                "requestParameters": { "aliasName": [alias] },
            },
        ]),
        None => {
            let id = key.rsplit('/').next().unwrap_or(key);
            let ids = json!([id, { "suffix": format!("/{id}") }]);
            json!([{ "eventName": calls, "requestParameters": { "keyId": ids } }])
        }
    };
    call("kms", json!({ "$or": any }))
}

fn tamper_guardrails() -> Value {
    call(
        "organizations",
        json!({
            "eventName": [
                "AttachPolicy", "DetachPolicy", "UpdatePolicy", "DeletePolicy", "DisablePolicyType",
                "MoveAccount", "RemoveAccountFromOrganization", "CloseAccount",
            ],
        }),
    )
}
