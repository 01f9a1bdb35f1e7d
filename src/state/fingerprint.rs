//! Fingerprints: whether a resource still is what a plan was made for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{GuardrailPolicy, Policy, PolicyText, Resource, Role, User};
use crate::policy::{self, CanonicalContext};

/// Stands for the meaning of a resource's present state, or for its absence: `sha256:…` or `absent`.
///
/// Policy documents enter it in their canonical form and with their Sids, so that AWS writing one back in another
/// spelling changes nothing; ids that AWS assigns do not enter it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Takes the fingerprint of a resource, or of its absence.
    #[must_use]
    pub fn of(resource: Option<&Resource>, context: &CanonicalContext) -> Self {
        let Some(resource) = resource else {
            return Self::absent();
        };
        let canonical = |text: &PolicyText| canonical_text(text, context);
        let inline = |policies: &BTreeMap<String, PolicyText>| -> Vec<(String, String)> {
            let policies = policies.iter();
            policies
                .map(|(name, text)| (name.clone(), canonical(text)))
                .collect()
        };
        let value = match resource {
            Resource::LoginProfile => serde_json::json!("login profile"),
            Resource::RootFeature => serde_json::json!("root feature"),
            Resource::Alert(alert) => alert.value(&canonical),
            Resource::Policy(Policy { path, document }) => {
                serde_json::json!([path, canonical(document)])
            }
            Resource::User(User {
                path,
                tags,
                permissions_boundary,
                managed_policies,
                inline_policies,
                groups,
                access_keys,
                ssh_keys,
                service_credentials,
                signing_certificates,
            }) => {
                serde_json::json!([
                    path,
                    tags,
                    permissions_boundary,
                    managed_policies,
                    inline(inline_policies),
                    groups,
                    access_keys,
                    ssh_keys,
                    service_credentials,
                    signing_certificates,
                ])
            }
            Resource::Role(Role {
                path,
                trust_policy,
                description,
                max_session,
                tags,
                permissions_boundary,
                managed_policies,
                inline_policies,
            }) => {
                serde_json::json!([
                    path,
                    canonical(trust_policy),
                    description,
                    max_session,
                    tags,
                    permissions_boundary,
                    managed_policies,
                    inline(inline_policies),
                ])
            }
        };
        Self::of_value(&value)
    }
}

impl Fingerprint {
    /// Takes the fingerprint of a whole guardrail, its attachments included, or of its absence.
    #[must_use]
    pub fn of_guardrail(policy: Option<&GuardrailPolicy>, context: &CanonicalContext) -> Self {
        let Some(policy) = policy else {
            return Self::absent();
        };
        let GuardrailPolicy {
            name,
            // Set when it is made, and not compared.
            description: _,
            kind,
            aws_managed: _,
            document,
            tags,
            targets,
        } = policy;
        let document = canonical_text(document, context);
        Self::of_value(&serde_json::json!([name, kind, document, tags, targets]))
    }

    /// Stands for a value that has been made canonical.
    pub(super) fn of_value(value: &serde_json::Value) -> Self {
        Self(sha256(value.to_string().as_bytes()))
    }

    /// Stands for the absence of what is looked for.
    pub(super) fn absent() -> Self {
        Self("absent".to_owned())
    }
}

/// The canonical text of a document; its own text, marked, when it does not parse.
fn canonical_text(text: &PolicyText, context: &CanonicalContext) -> String {
    match text.parse() {
        Ok(document) => policy::fingerprint_text(&document, context),
        Err(_) => format!("unreadable {}", text.as_str()),
    }
}

/// Digests bytes and writes it as `sha256:…` in lower-case hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold("sha256:".to_owned(), |mut text, byte| {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
