//! Policies: where they come from, who refers to them, and whether they fit.

use std::collections::BTreeSet;

use super::super::problem::Problem;
use super::super::source::{element, entry};
use super::super::trust::trust_policy;
use super::super::types::{Permissions, PolicyRef, Role};
use super::{Check, did_you_mean, limits};
use crate::policy::{DocumentKind, Limits, iam_size, lint, minified};
use crate::state::REVOKED_SESSIONS;

impl Check<'_> {
    pub(super) fn policies(&mut self) {
        let spec = self.spec;
        let names = spec
            .policies()
            .map(|(name, _)| (entry("policies", name), name.as_str()));
        self.distinct_names("policy", names);
        let referred: BTreeSet<&str> = spec
            .users()
            .iter()
            .map(|user| &user.permissions)
            .chain(spec.roles().iter().map(|role| &role.permissions))
            .flat_map(|permissions| {
                permissions
                    .managed_policies
                    .iter()
                    .chain(&permissions.permissions_boundary)
            })
            .filter_map(|policy| match policy {
                PolicyRef::Policy(name) => Some(name.as_str()),
                PolicyRef::Arn(_) => None,
            })
            .collect();
        for (name, policy) in spec.policies() {
            let at = entry("policies", name);
            self.name(&at, "a policy", name, limits::POLICY_NAME);
            if let Some(path) = &policy.path {
                let at = entry(&at, "path");
                self.path(&at, path);
                if !path.is_under(&spec.defaults.path) {
                    self.warn(
                        at,
                        format!(
                            "the policy is not under {}, so nothing shows that it is managed here",
                            spec.defaults.path
                        ),
                        "leave the path out, or choose one below defaults.path",
                    );
                }
            }
            self.description(&entry(&at, "description"), policy.description.as_deref());
            let size = self.document(&at);
            self.fits(
                &at,
                "the policy has",
                size,
                Limits::DOCUMENTED.managed_policy,
            );
            if !referred.contains(name.as_str()) {
                self.warn(
                    &at,
                    format!("nothing refers to the policy {name:?}, so it is not created"),
                    format!("write policy:{name} under managed_policies, or remove it"),
                );
            }
        }
    }

    pub(super) fn description(&mut self, at: &str, description: Option<&str>) {
        let Some(text) = description else { return };
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
        if text.chars().count() > limits::DESCRIPTION || !text.chars().all(allowed) {
            self.error(
                at,
                "the description is not one that IAM takes",
                "it has up to 1,000 characters of Latin-1",
            );
        }
    }

    /// Checks what IAM would refuse in the document at a path, and measures it; 0 for one that could not be read.
    fn document(&mut self, at: &str) -> usize {
        let Some(document) = self.documents.document(at, &self.spec.defaults.path) else {
            return 0;
        };
        for finding in lint(&document, DocumentKind::Identity) {
            self.error(at, finding, "IAM would refuse this policy");
        }
        iam_size(&minified(&document))
    }

    fn fits(&mut self, at: &str, what: &str, size: usize, limit: usize) {
        if size > limit {
            self.error(
                at,
                format!("{what} {size} characters; IAM takes {limit} (white space is not counted)"),
                "split it, or say the same with fewer statements",
            );
        }
    }

    /// Checks the policies of a user or role; `section` is `users` or `roles`.
    pub(super) fn permissions(&mut self, owner: &str, section: &str, permissions: &Permissions) {
        let at = entry(owner, "permissions");
        let list = entry(&at, "managed_policies");
        let texts: Vec<String> = permissions
            .managed_policies
            .iter()
            .map(ToString::to_string)
            .collect();
        self.distinct(&list, texts.iter().map(String::as_str));
        for (index, policy) in permissions.managed_policies.iter().enumerate() {
            self.policy_ref(&element(&list, index), policy);
        }
        if permissions.managed_policies.len() > limits::MANAGED_POLICIES {
            self.warn(
                &list,
                format!(
                    "{} managed policies are attached; IAM takes {} unless the quota was raised",
                    permissions.managed_policies.len(),
                    limits::MANAGED_POLICIES
                ),
                "join some of them",
            );
        }
        if let Some(boundary) = &permissions.permissions_boundary {
            self.policy_ref(&entry(&at, "permissions_boundary"), boundary);
        }
        let inline = entry(&at, "inline_policies");
        let names = permissions.inline_policies.keys();
        self.distinct_names(
            "policy",
            names.map(|name| (entry(&inline, name), name.as_str())),
        );
        let mut total = 0;
        for name in permissions.inline_policies.keys() {
            let at = entry(&inline, name);
            self.name(&at, "a policy", name, limits::POLICY_NAME);
            if name.eq_ignore_ascii_case(REVOKED_SESSIONS) {
                self.error(
                    &at,
                    format!("the name {name:?} is reserved for the policy that ends sessions"),
                    "choose another name",
                );
            }
            total += self.document(&at);
        }
        let limit = match section {
            "users" => Limits::DOCUMENTED.user_inline_total,
            _ => Limits::DOCUMENTED.role_inline_total,
        };
        self.fits(&inline, "the inline policies together have", total, limit);
    }

    fn policy_ref(&mut self, at: &str, policy: &PolicyRef) {
        let PolicyRef::Policy(name) = policy else {
            return;
        };
        let declared = self.spec.policies.as_ref();
        if !declared.is_some_and(|policies| policies.contains_key(name)) {
            let known = self
                .spec
                .policies()
                .map(|(name, _)| name.as_str())
                .collect();
            let hint = did_you_mean(name, known);
            self.error(at, format!("the spec has no policy {name:?}"), hint);
        }
    }

    /// Measures the trust policy of a role, as it is in the commercial partition.
    pub(super) fn trust_size(&mut self, at: &str, role: &Role) {
        let trusted = role.trusted.iter();
        let principals = trusted.filter_map(|trusted| self.arn(trusted)).collect();
        let size = iam_size(trust_policy(role, &principals).as_str());
        let limit = Limits::DOCUMENTED.trust_policy;
        if size > limit {
            self.problems.push(
                Problem::error(
                    at.to_owned(),
                    format!("the trust policy would have {size} characters; IAM takes {limit}"),
                )
                .hint("trust fewer users, or split them over two roles"),
            );
        }
    }
}
