//! The comparison of what users and roles share: policies, boundary and tags.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::difference::{
    Difference, Documents, Rules, arrival, compare_documents, departure, document_risk,
    document_value, replacement_stage,
};
use super::steps::{Effects, Stage};
use crate::ids::Arn;
use crate::plan::Risk;
use crate::policy::Access;
use crate::state::{Operation, PolicyText, Principal, Role, Tags, User};

/// Points at what a user or a role may do, and its tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permissions<'a> {
    tags: &'a Tags,
    boundary: Option<&'a Arn>,
    managed: &'a BTreeSet<Arn>,
    inline: &'a BTreeMap<String, PolicyText>,
}

impl<'a> Permissions<'a> {
    /// Every managed policy that these refer to, the boundary included.
    pub(super) fn policies(self) -> impl Iterator<Item = &'a Arn> {
        self.managed.iter().chain(self.boundary)
    }
}

impl<'a> From<&'a User> for Permissions<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            tags: &user.tags,
            boundary: user.permissions_boundary.as_ref(),
            managed: &user.managed_policies,
            inline: &user.inline_policies,
        }
    }
}

impl<'a> From<&'a Role> for Permissions<'a> {
    fn from(role: &'a Role) -> Self {
        Self {
            tags: &role.tags,
            boundary: role.permissions_boundary.as_ref(),
            managed: &role.managed_policies,
            inline: &role.inline_policies,
        }
    }
}

/// Knows the documents of an account's customer managed policies, as the plan will leave them.
pub(super) type KnownPolicies<'a> = BTreeMap<Arn, &'a PolicyText>;

/// Compares the permissions and tags of a user or role; `swapped` says that other people come to have them.
pub(super) fn compare_permissions(
    difference: &mut Difference,
    principal: &Principal,
    (live, spec): (Permissions<'_>, Permissions<'_>),
    swapped: bool,
    known: &KnownPolicies<'_>,
    rules: &Rules,
) {
    compare_boundary(difference, principal, live.boundary, spec.boundary);
    compare_managed(
        difference,
        principal,
        (live.managed, spec.managed),
        known,
        rules,
    );
    compare_inline(
        difference,
        principal,
        (live.inline, spec.inline),
        swapped,
        rules,
    );
    compare_tags(difference, principal, live.tags, spec.tags);
}

fn compare_boundary(
    difference: &mut Difference,
    principal: &Principal,
    live: Option<&Arn>,
    spec: Option<&Arn>,
) {
    if live == spec {
        return;
    }
    let principal = principal.clone();
    let (access, stage, operation) = match spec {
        Some(policy) => (
            if live.is_some() {
                Access::Both
            } else {
                Access::Narrower
            },
            Stage::Bound,
            Operation::SetBoundary {
                principal,
                policy: policy.clone(),
            },
        ),
        None => (
            Access::Broader,
            Stage::Release,
            Operation::RemoveBoundary { principal },
        ),
    };
    difference
        .field("permissions_boundary", json!(live), json!(spec))
        .weigh(Risk::High, access)
        .step(stage, operation);
}

fn compare_managed(
    difference: &mut Difference,
    principal: &Principal,
    (live, spec): (&BTreeSet<Arn>, &BTreeSet<Arn>),
    known: &KnownPolicies<'_>,
    rules: &Rules,
) {
    if live == spec {
        return;
    }
    difference.field("managed_policies", json!(live), json!(spec));
    let effects = |arn: &Arn| {
        known
            .get(arn)
            .map_or(Effects::ALLOWS, |text| Effects::of(text))
    };
    for policy in spec.difference(live) {
        let (access, witness) = match known.get(policy) {
            Some(document) => arrival(document, rules),
            None => (Access::Broader, None),
        };
        difference
            .weigh(Risk::High, access)
            .witness(witness.map(|witness| format!("by {}: {witness}", policy.name())))
            .step(
                effects(policy).arrival(),
                Operation::AttachPolicy {
                    principal: principal.clone(),
                    policy: policy.clone(),
                },
            );
    }
    for policy in live.difference(spec) {
        let effects = effects(policy);
        let (access, witness) = match known.get(policy) {
            Some(document) => departure(document, rules),
            None => (Access::Narrower, None),
        };
        difference
            .weigh(Risk::High, access)
            .witness(witness.map(|witness| format!("by {}: {witness}", policy.name())))
            .step(
                effects.departure(),
                Operation::DetachPolicy {
                    principal: principal.clone(),
                    policy: policy.clone(),
                },
            );
    }
}

fn compare_inline(
    difference: &mut Difference,
    principal: &Principal,
    (live, spec): (&BTreeMap<String, PolicyText>, &BTreeMap<String, PolicyText>),
    swapped: bool,
    rules: &Rules,
) {
    let names: BTreeSet<&String> = live.keys().chain(spec.keys()).collect();
    for name in names {
        let put = |document: &PolicyText| Operation::PutInlinePolicy {
            principal: principal.clone(),
            name: name.clone(),
            document: document.clone(),
        };
        let delete = || Operation::DeleteInlinePolicy {
            principal: principal.clone(),
            name: name.clone(),
        };
        let (live, spec) = (live.get(name), spec.get(name));
        let path = format!("inline_policies.{name}");
        let ((access, witness), stage, operation) = match (live, spec) {
            (Some(live), Some(spec)) => {
                let (access, witness) = match compare_documents(live, spec, rules) {
                    Documents::Same => continue,
                    Documents::Cosmetic => {
                        difference.cosmetic.push(path);
                        continue;
                    }
                    Documents::Different { access, witness } => (access, witness),
                };
                // Newcomers must not find what the spec does not give, nor leavers what it gives.
                if swapped && access == Access::Both && !Effects::of(live).denies {
                    difference.step(Stage::Narrow, delete());
                }
                let stage = replacement_stage(access, Effects::of(spec));
                ((access, witness), stage, put(spec))
            }
            (None, Some(spec)) => (arrival(spec, rules), Effects::of(spec).arrival(), put(spec)),
            (Some(live), None) => (
                departure(live, rules),
                Effects::of(live).departure(),
                delete(),
            ),
            (None, None) => continue,
        };
        difference
            .field(
                path,
                live.map_or(Value::Null, document_value),
                spec.map_or(Value::Null, document_value),
            )
            .witness(witness)
            .weigh(document_risk(access), access)
            .step(stage, operation);
    }
}

fn compare_tags(difference: &mut Difference, principal: &Principal, live: &Tags, spec: &Tags) {
    let (keys, tags) = difference.tags(live, spec);
    let principal = principal.clone();
    // IAM compares tag keys without regard to case: writing `owner` replaces `Owner`, so the old key goes first.
    if !keys.is_empty() {
        let operation = Operation::Untag {
            principal: principal.clone(),
            keys,
        };
        difference.step(Stage::Label, operation);
    }
    if !tags.is_empty() {
        difference.step(Stage::Label, Operation::Tag { principal, tags });
    }
}

/// Lists everything a user or role may do, and its tags, for something that is made or deleted.
pub(super) fn permission_fields(permissions: Permissions<'_>) -> Vec<(String, Value)> {
    let Permissions {
        tags,
        boundary,
        managed,
        inline,
    } = permissions;
    let mut fields = Vec::new();
    if let Some(boundary) = boundary {
        fields.push(("permissions_boundary".to_owned(), json!(boundary)));
    }
    if !managed.is_empty() {
        fields.push(("managed_policies".to_owned(), json!(managed)));
    }
    for (name, document) in inline {
        fields.push((format!("inline_policies.{name}"), document_value(document)));
    }
    for (key, value) in tags {
        fields.push((format!("tags.{key}"), json!(value)));
    }
    fields
}
