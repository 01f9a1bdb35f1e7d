//! What can be known to be wrong with a spec without asking AWS: every problem, not the first. Pure.

mod access;
mod alerts;
mod limits;
mod permissions;
mod sections;
mod tags;

use std::collections::BTreeMap;

use super::decode::nearest;
use super::documents::Documents;
use super::problem::Problem;
use super::source::{element, entry};
use super::types::{Accounts, MemberRole, OrganizationSettings, Spec, User};
use crate::ids::{IamPath, is_iam_name};

/// Checks a spec that decoded, with the policies that could be read.
pub(super) fn validate(spec: &Spec, documents: &Documents, problems: &mut Vec<Problem>) {
    let mut check = Check {
        spec,
        users: spec
            .users()
            .iter()
            .map(|user| (user.name.as_str(), user))
            .collect(),
        documents,
        problems,
    };
    check.organization(&spec.organization);
    check.path("defaults.path", &spec.defaults.path);
    if spec.defaults.path.as_str() == "/" {
        check.problems.push(
            Problem::warning("defaults.path", "nothing is told apart by the path /")
                .hint("give what is managed here a path of its own, such as /break-glass/"),
        );
    }
    check.tags("defaults.tags", &spec.defaults.tags);
    check.users();
    check.policies();
    check.roles();
    check.sections();
}

/// What is being checked, and what was found.
struct Check<'a> {
    spec: &'a Spec,
    /// The declared users by name.
    users: BTreeMap<&'a str, &'a User>,
    documents: &'a Documents,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn error(
        &mut self,
        at: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problems
            .push(Problem::error(at.into(), message).hint(hint));
    }

    fn warn(&mut self, at: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) {
        self.problems
            .push(Problem::warning(at.into(), message).hint(hint));
    }

    fn organization(&mut self, organization: &OrganizationSettings) {
        let id = organization.id.strip_prefix("o-").unwrap_or_default();
        let valid = (10..=32).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !valid {
            self.error(
                "organization.id",
                format!("{:?} is not the id of an organization", organization.id),
                "it is o- and 10 to 32 lower-case letters and digits; `aws organizations describe-organization` shows it",
            );
        }
        self.member_role("organization.member_role", &organization.member_role);
        for (account, settings) in &organization.overrides {
            let at = entry("organization.overrides", account.as_str());
            if let Some(role) = &settings.member_role {
                self.member_role(&entry(&at, "member_role"), role);
            }
            if let Some(id) = &settings.external_id {
                let valid = limits::EXTERNAL_ID.contains(&id.len())
                    && id
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte));
                if !valid {
                    self.error(
                        entry(&at, "external_id"),
                        format!("{id:?} is not an external id"),
                        "it has 2 to 1,224 characters: letters, digits and _+=,.@:/-",
                    );
                }
            }
        }
        if let Some(regions) = &organization.regions {
            self.distinct("organization.regions", regions.iter().map(String::as_str));
            for (index, region) in regions.iter().enumerate() {
                self.region(&element("organization.regions", index), region);
            }
            if regions.is_empty() {
                self.error(
                    "organization.regions",
                    "the list of Regions is empty",
                    "name a Region, or leave the key out for every enabled Region",
                );
            }
        }
    }

    fn member_role(&mut self, at: &str, role: &MemberRole) {
        let both = if role.plan == role.apply {
            vec![(at.to_owned(), &role.plan)]
        } else {
            vec![
                (entry(at, "plan"), &role.plan),
                (entry(at, "apply"), &role.apply),
            ]
        };
        for (at, name) in both {
            let parts: Vec<&str> = name.split('/').collect();
            if !parts.iter().all(|part| is_iam_name(part, limits::NAME)) {
                self.error(
                    at,
                    format!("{name:?} can't be the name of a role"),
                    "write the name alone, or path/name without a / in front",
                );
            }
        }
    }

    fn region(&mut self, at: &str, region: &str) {
        let parts: Vec<&str> = region.split('-').collect();
        let valid = match parts.as_slice() {
            [first, middle @ .., number] => {
                !middle.is_empty()
                    && std::iter::once(first).chain(middle).all(|part| {
                        part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase())
                    })
                    && (1..=2).contains(&number.len())
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            }
            [_] | [] => false,
        };
        if !valid {
            self.error(
                at,
                format!("{region:?} is not a Region"),
                "write it as us-east-1",
            );
        }
    }

    fn path(&mut self, at: &str, path: &IamPath) {
        if path.as_str().contains(['*', '?', '$']) {
            self.error(
                at,
                format!("the path {path} has a character that policies give a meaning to"),
                "leave *, ? and $ out",
            );
        }
        if ["/aws-service-role/", "/aws-reserved/"]
            .iter()
            .any(|reserved| path.as_str().starts_with(reserved))
        {
            self.error(
                at,
                format!("the path {path} is reserved for AWS"),
                "choose a path of your own, such as /break-glass/",
            );
        }
    }

    fn accounts(&mut self, at: &str, accounts: &Accounts) {
        if accounts.include.is_empty() {
            self.error(
                entry(at, "include"),
                "no account is included",
                "name accounts, or leave the key out for every account",
            );
        }
        for (list, selectors) in [
            ("include", &accounts.include),
            ("exclude", &accounts.exclude),
        ] {
            let texts: Vec<String> = selectors.iter().map(ToString::to_string).collect();
            self.distinct(&entry(at, list), texts.iter().map(String::as_str));
        }
    }

    /// Refuses what a list says twice.
    fn distinct<'t>(&mut self, at: &str, texts: impl Iterator<Item = &'t str>) {
        let mut seen = BTreeMap::new();
        for (index, text) in texts.enumerate() {
            let here = element(at, index);
            if let Some(first) = seen.get(text) {
                self.problems.push(
                    Problem::error(here, format!("{text} is listed twice"))
                        .hint("remove one of them")
                        .also(element(at, *first), "first listed here"),
                );
            } else {
                seen.insert(text, index);
            }
        }
    }

    /// Refuses names that IAM would not tell apart.
    fn distinct_names<'t>(&mut self, what: &str, names: impl Iterator<Item = (String, &'t str)>) {
        let mut seen: BTreeMap<String, (String, &str)> = BTreeMap::new();
        for (at, name) in names {
            let folded = name.to_ascii_lowercase();
            if let Some((first_at, first)) = seen.get(&folded) {
                let message = if *first == name {
                    format!("the {what} {name:?} is declared twice")
                } else {
                    format!(
                        "the {what}s {first:?} and {name:?} differ in case only, which IAM doesn't tell apart"
                    )
                };
                self.problems.push(
                    Problem::error(at, message)
                        .hint("give one of them another name")
                        .also(first_at.clone(), "first declared here"),
                );
            } else {
                seen.insert(folded, (at, name));
            }
        }
    }

    fn name(&mut self, at: &str, what: &str, name: &str, limit: usize) {
        if !is_iam_name(name, limit) {
            self.error(
                at,
                format!("{name:?} can't be the name of {what}"),
                format!("a name has 1 to {limit} characters: letters, digits and _+=,.@-"),
            );
        }
    }

    fn not_empty(&mut self, at: String, text: &str) {
        if text.trim().is_empty() {
            self.error(at, "the text is empty", "say something here");
        }
    }

    /// Refuses names that nothing declares.
    fn known(&mut self, at: &str, what: &str, names: &[String], declared: &[&str]) {
        self.distinct(at, names.iter().map(String::as_str));
        for (index, name) in names.iter().enumerate() {
            if !declared.contains(&name.as_str()) {
                self.error(
                    element(at, index),
                    format!("the spec has no {what} {name:?}"),
                    did_you_mean(name, declared.to_vec()),
                );
            }
        }
    }
}

/// Suggests the name that was probably meant, or lists those there are.
pub(super) fn did_you_mean(written: &str, known: Vec<&str>) -> String {
    match nearest(written, known.iter().copied()) {
        Some(name) => format!("did you mean {name:?}?"),
        None if known.is_empty() => "none is declared".to_owned(),
        None => format!("there is {}", known.join(", ")),
    }
}
