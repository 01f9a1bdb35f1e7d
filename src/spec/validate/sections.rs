//! The sections around users and roles.

use super::super::problem::Problem;
use super::super::source::{element, entry};
use super::super::types::{Alerts, Exception, Guardrails, Notify, Protection};
use super::Check;
use crate::ids::{Arn, is_account_id};
use crate::state::AddressPattern;

/// The protocols of SNS. Source: SNS API, `Subscribe`.
const PROTOCOLS: [&str; 9] = [
    "application",
    "email",
    "email-json",
    "firehose",
    "http",
    "https",
    "lambda",
    "sms",
    "sqs",
];

impl Check<'_> {
    pub(super) fn sections(&mut self) {
        let spec = self.spec;
        if let Some(guardrails) = &spec.guardrails {
            self.guardrails(guardrails);
        }
        if let Some(coverage) = &spec.coverage {
            self.known(
                "coverage.required",
                "role",
                &coverage.required,
                &self.role_names(),
            );
            for (index, exemption) in coverage.exempt.iter().enumerate() {
                let at = element("coverage.exempt", index);
                self.accounts(&entry(&at, "accounts"), &exemption.accounts);
                self.not_empty(entry(&at, "reason"), &exemption.reason);
            }
        }
        if let Some(alerts) = &spec.alerts {
            let known = self.problems.len();
            self.alerts(alerts);
            // How parts rest on each other can be told once each is right by itself.
            if self.problems.len() == known {
                self.alert_paths(alerts);
            }
        }
        if spec
            .drills
            .as_ref()
            .and_then(|drills| drills.max_age)
            .is_some_and(|age| age.seconds() == 0)
        {
            self.error(
                "drills.max_age",
                "a drill can't be 0 seconds old",
                "write a longer time, such as 90d",
            );
        }
        for (index, ignore) in spec.ignore.iter().enumerate() {
            let at = element("ignore", index);
            if let Err(why) = ignore.r#match.parse::<AddressPattern>() {
                self.error(
                    entry(&at, "match"),
                    format!("{:?} matches no address: {why}", ignore.r#match),
                    "write ACCOUNT/TYPE/NAME, then a colon and a field if it is about one: 123456789012/iam_role/*:tags.cost-center",
                );
            }
            self.not_empty(entry(&at, "reason"), &ignore.reason);
        }
    }

    fn guardrails(&mut self, guardrails: &Guardrails) {
        let list = "guardrails.exceptions";
        let ids = guardrails.exceptions.iter().enumerate();
        self.distinct_names(
            "exception",
            ids.map(|(index, exception)| {
                (entry(&element(list, index), "id"), exception.id.as_str())
            }),
        );
        for (index, exception) in guardrails.exceptions.iter().enumerate() {
            self.exception(&element(list, index), exception);
        }
        if let Some(protection) = &guardrails.protection {
            self.protection("guardrails.protection", protection);
            for (index, exception) in guardrails.exceptions.iter().enumerate() {
                if exception.policy == protection.policy {
                    self.error(
                        entry(&element(list, index), "policy"),
                        format!("{} is the protection policy, which lets every break-glass role through already", protection.policy),
                        "take the exception out",
                    );
                }
            }
        }
    }

    fn exception(&mut self, at: &str, exception: &Exception) {
        if !is_word(&exception.id, "._-") {
            self.error(
                entry(at, "id"),
                format!("{:?} can't be the id of an exception", exception.id),
                "use letters, digits and ._-",
            );
        }
        self.not_empty(entry(at, "policy"), &exception.policy);
        self.not_empty(entry(at, "reason"), &exception.reason);
        self.not_empty(entry(at, "owner"), &exception.owner);
        self.not_empty(entry(at, "ticket"), &exception.ticket);
        if let Some(statements) = &exception.statements {
            let at = entry(at, "statements");
            self.distinct(&at, statements.iter().map(String::as_str));
            if statements.is_empty() {
                self.error(
                    at,
                    "no statement is excepted",
                    "name Sids, or leave the key out for each Deny that blocks these principals",
                );
            }
        }
        self.known(
            &entry(at, "roles"),
            "role",
            &exception.roles,
            &self.role_names(),
        );
        self.known(
            &entry(at, "users"),
            "user",
            &exception.users,
            &self.user_names(),
        );
        if exception.roles.is_empty() && exception.users.is_empty() {
            self.error(
                at,
                "the exception lets nobody through",
                "name roles or users",
            );
        }
        self.accounts(&entry(at, "accounts"), &exception.accounts);
    }

    fn protection(&mut self, at: &str, protection: &Protection) {
        self.not_empty(entry(at, "policy"), &protection.policy);
        let at = entry(at, "attach");
        self.distinct(&at, protection.attach.iter().map(String::as_str));
        if protection.attach.is_empty() {
            self.error(&at, "the policy is attached to nothing", "write [root]");
        }
        for (index, target) in protection.attach.iter().enumerate() {
            let valid = target == "root"
                || is_account_id(target)
                || ["ou:/", "ou-", "r-"].iter().any(|prefix| {
                    target
                        .strip_prefix(prefix)
                        .is_some_and(|rest| !rest.is_empty())
                });
            if !valid {
                self.error(
                    element(&at, index),
                    format!("a policy can't be attached to {target:?}"),
                    "write root, ou:/Path/By/Name, ou-… or an account id",
                );
            }
        }
    }

    fn alerts(&mut self, alerts: &Alerts) {
        if let Some(topic) = &alerts.topic {
            self.resource_name("alerts.topic.name", &topic.name, 256, "_-");
            let list = "alerts.topic.subscriptions";
            self.distinct(list, topic.subscriptions.iter().map(String::as_str));
            for (index, subscription) in topic.subscriptions.iter().enumerate() {
                let valid = subscription
                    .split_once(':')
                    .is_some_and(|(protocol, endpoint)| {
                        PROTOCOLS.contains(&protocol) && !endpoint.is_empty()
                    });
                if !valid {
                    self.error(
                        element(list, index),
                        format!("{subscription:?} is not a subscription"),
                        "write PROTOCOL:ENDPOINT, such as email:soc@example.com",
                    );
                }
            }
        }
        if let Some(bus) = &alerts.bus {
            self.resource_name("alerts.bus.name", &bus.name, 256, "/._-");
            if let Some(region) = &bus.region {
                self.region("alerts.bus.region", region);
            }
        }
        if let Some(second) = &alerts.second_path {
            self.resource_name(
                "alerts.second_path.log_group",
                &second.log_group,
                512,
                "._-/#",
            );
        }
        for (index, what) in alerts.uses.iter().enumerate() {
            if alerts
                .uses
                .iter()
                .take(index)
                .any(|earlier| earlier == what)
            {
                self.error(
                    element("alerts.uses", index),
                    "the use is listed twice",
                    "remove one of them",
                );
            }
        }
        if alerts.uses.is_empty() {
            self.error(
                "alerts.uses",
                "no use raises an alert",
                "leave the key out for all of them",
            );
        }
        for (index, notify) in alerts.notify.iter().enumerate() {
            self.notify(&element("alerts.notify", index), notify);
        }
    }

    fn notify(&mut self, at: &str, notify: &Notify) {
        match notify {
            Notify::Sns(text) if !is_topic(text) => self.problems.push(
                Problem::warning(
                    entry(at, "sns"),
                    format!("{text:?} is not the ARN of a topic"),
                )
                .hint("write arn:aws:sns:REGION:ACCOUNT:NAME"),
            ),
            Notify::Sns(_) => {}
            Notify::Webhook(webhook) => {
                let at = entry(at, "webhook");
                let host = webhook
                    .url
                    .strip_prefix("https://")
                    .and_then(|rest| rest.split('/').next());
                match host {
                    None | Some("") => self.error(
                        entry(&at, "url"),
                        "the address does not begin with https://HOST",
                        "findings are sent over TLS only",
                    ),
                    Some(host) if host.contains('@') => self.problems.push(
                        Problem::error(
                            entry(&at, "url"),
                            "the address holds a user name or a password",
                        )
                        .hint("no secret belongs in a spec: sign messages with secret_env instead")
                        .concealed(),
                    ),
                    Some(_) => {}
                }
                let variable = webhook.secret_env.as_deref();
                if variable.is_some_and(|name| {
                    !is_word(name, "_") || name.starts_with(|first: char| first.is_ascii_digit())
                }) {
                    self.error(
                        entry(&at, "secret_env"),
                        "this can't be the name of an environment variable",
                        "write the variable's name, such as HOOK_KEY, not its value",
                    );
                }
            }
        }
    }

    fn resource_name(&mut self, at: &str, name: &str, limit: usize, besides: &str) {
        if !is_word(name, besides) || name.len() > limit {
            self.error(
                at,
                format!("{name:?} can't be a name here"),
                format!("it has 1 to {limit} letters, digits and {besides}"),
            );
        }
    }
}

impl<'a> Check<'a> {
    fn role_names(&self) -> Vec<&'a str> {
        self.spec
            .roles()
            .iter()
            .map(|role| role.name.as_str())
            .collect()
    }

    fn user_names(&self) -> Vec<&'a str> {
        self.spec
            .users()
            .iter()
            .map(|user| user.name.as_str())
            .collect()
    }
}

/// Tells whether a text has only letters, digits and the characters of `besides`, and at least one of them.
fn is_word(text: &str, besides: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || besides.contains(c))
}

fn is_topic(text: &str) -> bool {
    text.parse::<Arn>()
        .is_ok_and(|arn| arn.service() == "sns" && is_account_id(arn.account()))
}
