//! Whether the topic's key lets in the services that have to use it.

use crate::ids::AccountId;
use crate::policy::evaluate::{
    Context, ContextValue, Decision, Layers, Request, evaluate, mentioned_keys,
};
use crate::state::PolicyText;

/// What a service does with the key of a topic that it publishes to.
///
/// Source: SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted topics".
const ACTIONS: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

/// The service whose requests name nothing of where they come from, and those names.
///
/// Source: SNS Developer Guide, the same: conditions on these keys "aren't supported in EventBridge-to-encrypted topics".
const NAMELESS: &str = "events.amazonaws.com";
const SOURCES: [&str; 4] = [
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
];

/// Tells whether a key's policy keeps a service out, whatever the circumstances are that it speaks of.
pub(super) fn bars(policy: &PolicyText, account: &AccountId, service: &str) -> bool {
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
    ACTIONS.iter().any(|action| {
        let request = Request {
            principal: Clone::clone(&principal),
            action: (*action).to_owned(),
            resource: "*".to_owned(),
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
                bars(&policy, &account, "events.amazonaws.com"),
                barred,
                "{statements}"
            );
            assert!(bars(&policy, &account, "cloudwatch.amazonaws.com"));
        }
        assert!(bars(&PolicyText::new(""), &account, "events.amazonaws.com"));
        // The alarm says whose it is.
        let alarm = events(both, source).replace("events.", "cloudwatch.");
        let policy = PolicyText::new(format!(
            r#"{{"Version":"2012-10-17","Statement":[{alarm}]}}"#
        ));
        assert!(!bars(&policy, &account, "cloudwatch.amazonaws.com"));
    }
}
