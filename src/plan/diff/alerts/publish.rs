//! What keeps the services that publish from the topic: its policy, its key's policy, its key's state.

use std::collections::BTreeSet;

use crate::ids::AccountId;
use crate::policy::evaluate::{
    Context, ContextValue, Decision, Layers, Request, evaluate, mentioned_keys,
};
use crate::state::{AlertTopic, PolicyText};

/// What a service does with the key of a topic that it publishes to.
///
/// Source: SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted topics".
const USES_KEY: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];
/// The state of a key that can be used, as KMS writes it.
pub(super) const KEY_ENABLED: &str = "Enabled";

/// The service whose requests name nothing of where they come from, and those names.
///
/// Source: SNS Developer Guide, the same: conditions on these keys "aren't supported in EventBridge-to-encrypted topics";
/// EventBridge User Guide, "Amazon SNS permissions": none is in the topic's own policy. The policy that SNS gives a topic by
/// itself speaks of the last.
const NAMELESS: &str = "events.amazonaws.com";
const SOURCES: [&str; 5] = [
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
];

/// Tells whether a key's policy keeps a service out.
pub(super) fn key_bars(policy: &PolicyText, account: &AccountId, service: &str) -> bool {
    bars(policy, account, service, &USES_KEY, "*")
}

/// Lists what keeps messages from getting out of a topic, whatever the spec says of it; `arn` is the topic's.
pub(super) fn obstacles(
    topic: &AlertTopic,
    arn: &str,
    account: &AccountId,
    publishers: &BTreeSet<String>,
) -> Vec<String> {
    let AlertTopic {
        policy,
        kms_key: _,
        key_policy,
        key_state,
        subscriptions: _,
        subscription_filters,
    } = topic;
    let mut found = Vec::new();
    let barred = publishers.iter().filter(|service| {
        policy
            .as_ref()
            .is_none_or(|policy| bars(policy, account, service, &["sns:Publish"], arn))
    });
    found.extend(barred.map(|service| format!("its policy keeps out {service}")));
    if let Some(policy) = key_policy {
        let barred = publishers.iter();
        let barred = barred.filter(|service| key_bars(policy, account, service));
        found.extend(barred.map(|service| format!("its key keeps out {service}")));
    }
    let state = key_state.iter().filter(|state| *state != KEY_ENABLED);
    found.extend(state.map(|state| format!("its key is {state}")));
    let filtered = subscription_filters.keys();
    found.extend(filtered.map(|receiver| format!("{receiver} hears only what its filter passes")));
    found
}

/// Tells whether a policy keeps a service from one of some actions, whatever the circumstances are that it speaks of.
fn bars(
    policy: &PolicyText,
    account: &AccountId,
    service: &str,
    actions: &[&str],
    resource: &str,
) -> bool {
    let (Ok(document), Ok(principal)) = (policy.parse(), service.parse()) else {
        return true;
    };
    let mut context = Context::default();
    let keys = mentioned_keys(&document).into_iter();
    for key in keys.filter(|key| service != NAMELESS || !SOURCES.contains(&key.as_str())) {
        context.set(&key, ContextValue::Unknown);
    }
    let layers = Layers {
        resource_policy: Some(document.into()),
        ..Layers::default()
    };
    actions.iter().any(|action| {
        let request = Request {
            principal: Clone::clone(&principal),
            action: (*action).to_owned(),
            resource: resource.to_owned(),
            resource_account: Some(account.clone()),
            context: context.clone(),
            management_account: None,
        };
        match evaluate(&request, &layers).decision {
            Decision::Allowed | Decision::Unknown => false,
            Decision::ExplicitDeny | Decision::ImplicitDeny => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_let_in_by_name_and_not_by_the_account() {
        let account: AccountId = "222222222222".parse().unwrap();
        let owner = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"kms:*","Resource":"*"}"#;
        let events = |action: &str, more: &str| {
            format!(
                r#"{{"Effect":"Allow","Principal":{{"Service":"events.amazonaws.com"}},"Action":{action},"Resource":"*"{more}}}"#
            )
        };
        let both = r#"["kms:Decrypt","kms:GenerateDataKey*"]"#;
        let source = r#","Condition":{"StringEquals":{"aws:SourceAccount":"222222222222"}}"#;
        let arn =
            r#","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:events:*:222222222222:rule/*"}}"#;
        let other = r#","Condition":{"StringLike":{"kms:EncryptionContext:aws:sns:topicArn":"*"}}"#;
        for (statements, barred) in [
            (owner.to_owned(), true),
            (format!("{owner},{}", events(both, "")), false),
            // A condition that no request of EventBridge meets; one of another kind might be met.
            (format!("{owner},{}", events(both, source)), true),
            (format!("{owner},{}", events(both, arn)), true),
            (format!("{owner},{}", events(both, other)), false),
            (events("\"kms:Decrypt\"", ""), true),
        ] {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
            let policy = PolicyText::new(text);
            assert_eq!(
                key_bars(&policy, &account, "events.amazonaws.com"),
                barred,
                "{statements}"
            );
            assert!(key_bars(&policy, &account, "cloudwatch.amazonaws.com"));
        }
        assert!(key_bars(
            &PolicyText::new(""),
            &account,
            "events.amazonaws.com"
        ));
        // The alarm says whose it is.
        let alarm = events(both, source).replace("events.", "cloudwatch.");
        let policy = PolicyText::new(format!(
            r#"{{"Version":"2012-10-17","Statement":[{alarm}]}}"#
        ));
        assert!(!key_bars(&policy, &account, "cloudwatch.amazonaws.com"));
    }

    #[test]
    fn what_keeps_messages_back_is_told_whatever_the_spec_says() {
        let account: AccountId = "222222222222".parse().unwrap();
        let arn = "arn:aws:sns:us-east-1:222222222222:alerts";
        let publishers = BTreeSet::from(["events.amazonaws.com".to_owned()]);
        let statement = |principal: &str, more: &str| {
            PolicyText::new(format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"*","Resource":"*"{more}}}]}}"#
            ))
        };
        let events = r#"{"Service":"events.amazonaws.com"}"#;
        let source =
            |key: &str| format!(r#","Condition":{{"StringEquals":{{"{key}":"222222222222"}}}}"#);
        let found = |policy, key_policy, key_state: Option<&str>| {
            let topic = AlertTopic {
                policy,
                key_policy,
                key_state: key_state.map(str::to_owned),
                ..AlertTopic::default()
            };
            obstacles(&topic, arn, &account, &publishers)
        };
        let open = || Some(statement("\"*\"", ""));
        let good = || Some(statement(events, ""));
        assert_eq!(found(open(), None, None), Vec::<String>::new());
        assert_eq!(
            found(good(), good(), Some(KEY_ENABLED)),
            Vec::<String>::new()
        );
        let barred = ["its policy keeps out events.amazonaws.com"];
        assert_eq!(found(None, None, None), barred);
        let owners = statement(r#"{"AWS":"*"}"#, &source("AWS:SourceOwner"));
        assert_eq!(found(Some(owners), None, None), barred);
        let condition = statement(events, &source("aws:SourceAccount"));
        assert_eq!(found(Some(condition.clone()), None, None), barred);
        assert_eq!(
            found(good(), Some(condition), Some("PendingDeletion")),
            [
                "its key keeps out events.amazonaws.com",
                "its key is PendingDeletion"
            ]
        );
    }
}
