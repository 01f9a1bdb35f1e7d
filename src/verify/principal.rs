//! Users and roles, reduced to what a proof needs of them.

use std::sync::Arc;

use super::situation::Mentions;
use crate::ids::{AccountId, Arn, IamPath, Partition};
use crate::policy::evaluate::Policy;
use crate::policy::{Document, parse};
use crate::state::{Inventory, PolicyText, Tags};

/// Holds a policy by its name and text.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) label: String,
    /// `None` when it is not known.
    pub(super) text: Option<String>,
}

impl Source {
    fn known(label: impl Into<String>, text: &PolicyText) -> Self {
        Self {
            label: label.into(),
            text: Some(text.as_str().to_owned()),
        }
    }

    fn unknown(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            text: None,
        }
    }

    /// Reads it; what can't be read is not known.
    pub(super) fn read(&self) -> Option<Arc<Document>> {
        let document = parse(self.text.as_deref()?).ok()?;
        Some(Arc::new(document))
    }
}

/// Turns a document into a policy of a layer.
pub(super) fn policy(document: Option<&Arc<Document>>) -> Policy {
    document.map_or(Policy::Unknown, |document| {
        Policy::Known(Arc::clone(document))
    })
}

/// Holds what a proof needs of a user or role.
#[derive(Debug, Clone)]
pub(super) struct PrincipalFacts {
    /// The full ARN, with the path.
    pub(super) arn: Arn,
    pub(super) tags: Tags,
    /// Every policy that applies to it: inline, attached, and of the groups it is in.
    pub(super) identity: Vec<Source>,
    /// The permissions boundary, if it has one.
    pub(super) boundary: Option<Source>,
}

impl PrincipalFacts {
    /// Finds the accounts that its policies treat in a way of their own.
    pub(super) fn mentions(&self) -> Mentions {
        let mut mentions = Mentions::default();
        let sources = self.identity.iter().chain(&self.boundary);
        for text in sources.filter_map(|source| source.text.as_ref()) {
            mentions.add(&Mentions::of(text));
        }
        mentions
    }
}

/// Takes a user of an account; `None` when there is none of this name.
pub(super) fn user(
    partition: &Partition,
    account: &AccountId,
    inventory: &Inventory,
    name: &str,
) -> Option<PrincipalFacts> {
    let user = inventory.users.get(name)?;
    let mut facts = PrincipalFacts {
        arn: Arn::iam(partition, account, "user", &user.path, name),
        tags: user.tags.clone(),
        identity: Vec::new(),
        boundary: None,
    };
    let inline = user.inline_policies.iter();
    facts
        .identity
        .extend(inline.map(|(name, text)| Source::known(name, text)));
    let managed = user.managed_policies.iter();
    facts
        .identity
        .extend(managed.map(|arn| managed_policy(account, inventory, arn)));
    let groups = user.groups.iter();
    // Groups are not managed, and what they allow or deny is not read.
    facts
        .identity
        .extend(groups.map(|group| Source::unknown(format!("the policies of group {group}"))));
    let boundary = user.permissions_boundary.as_ref();
    facts.boundary = boundary.map(|arn| managed_policy(account, inventory, arn));
    Some(facts)
}

/// Takes a role of an account with its trust policy; `None` when there is none of this name.
pub(super) fn role(
    partition: &Partition,
    account: &AccountId,
    inventory: &Inventory,
    name: &str,
) -> Option<(PrincipalFacts, Source)> {
    let role = inventory.roles.get(name)?;
    let inline = role.inline_policies.iter();
    let managed = role.managed_policies.iter();
    let identity = inline.map(|(name, text)| Source::known(name, text));
    let boundary = role.permissions_boundary.as_ref();
    let facts = PrincipalFacts {
        arn: Arn::iam(partition, account, "role", &role.path, name),
        tags: role.tags.clone(),
        identity: identity
            .chain(managed.map(|arn| managed_policy(account, inventory, arn)))
            .collect(),
        boundary: boundary.map(|arn| managed_policy(account, inventory, arn)),
    };
    let trust = Source::known("the trust policy", &role.trust_policy);
    Some((facts, trust))
}

/// Finds the document of a managed policy.
///
/// Of AWS's own, none is read: their documents change without notice. AdministratorAccess alone is what its name says,
/// and has not changed since 2015. Source: AWS Managed Policy Reference, "AdministratorAccess".
fn managed_policy(account: &AccountId, inventory: &Inventory, arn: &Arn) -> Source {
    const ADMINISTRATOR: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    if arn.account() == "aws" && arn.resource() == "policy/AdministratorAccess" {
        return Source {
            label: arn.to_string(),
            text: Some(ADMINISTRATOR.to_owned()),
        };
    }
    let own = Some(arn).filter(|arn| arn.account() == account.as_str());
    let held = own.and_then(|arn| inventory.policies.get(arn.name()));
    match held {
        Some(policy) if is_at(arn, &policy.path) => Source::known(arn.as_str(), &policy.document),
        _ => Source::unknown(format!("the document of {arn}")),
    }
}

fn is_at(arn: &Arn, path: &IamPath) -> bool {
    arn.resource() == format!("policy{path}{}", arn.name())
}
