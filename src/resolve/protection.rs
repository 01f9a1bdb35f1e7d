//! The SCP that keeps the break-glass objects from being changed: the library's document, made for a spec.

use std::collections::BTreeSet;

use super::Resolver;
use crate::policy::exemption::{Chosen, exempt, principal_values, unexempt, user_value};
use crate::policy::{Document, DocumentKind, Resources, library, literal, minified, parse};
use crate::spec::{Problem, Protection, element, entry};
use crate::state::{DesiredProtection, PolicyText};

const SECTION: &str = "guardrails.protection";
/// The document in the library.
const TEMPLATE: &str = "break-glass-protection";
/// The statement of the document under which users enrol their own devices.
const ENROLMENT: &str = "ProtectBreakGlassEnrolment";

impl Resolver<'_> {
    /// Makes the protection policy that the spec asks for; `None` when it asks for none.
    ///
    /// Beside the managed path it protects what the spec puts elsewhere, and the roles by which this tool writes:
    /// whoever could change those could change everything else through them.
    ///
    /// # Errors
    /// Every problem: a target that the organization does not have, a document that comes out too large.
    pub(super) fn protection(&self) -> Result<Option<DesiredProtection>, Vec<Problem>> {
        let guardrails = self.loaded.spec.guardrails.as_ref();
        let Some(wanted) = guardrails.and_then(|guardrails| guardrails.protection.as_ref()) else {
            return Ok(None);
        };
        let mut problems = Vec::new();
        let targets = self.targets(wanted, &mut problems);
        let deployers = self.deployers();
        let spared = &deployers | &self.role_values(|_| true);
        match self.document_of_protection(&deployers, &spared) {
            Ok(document) if problems.is_empty() => Ok(Some(DesiredProtection {
                name: wanted.policy.clone(),
                document,
                spared,
                targets,
                tags: self.tags(&Default::default()),
                origin: self.origin(SECTION),
            })),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.push(Problem::error(SECTION, problem));
                Err(problems)
            }
        }
    }

    /// Finds the nodes that the policy is attached to.
    fn targets(&self, wanted: &Protection, problems: &mut Vec<Problem>) -> BTreeSet<String> {
        let organization = self.organization;
        let mut targets = BTreeSet::new();
        for (index, target) in wanted.attach.iter().enumerate() {
            let found = if target == "root" {
                organization.root()
            } else if let Some(path) = target.strip_prefix("ou:") {
                let path = path.trim_end_matches('/');
                let mut units = organization.units.keys();
                units
                    .find(|unit| organization.unit_path(unit) == path)
                    .map(String::as_str)
            } else {
                organization.has_node(target).then_some(target.as_str())
            };
            match found {
                Some(node) => drop(targets.insert(node.to_owned())),
                None => problems.push(Problem::error(
                    element(&entry(SECTION, "attach"), index),
                    format!(
                        "{target} is no root, unit or account of {}",
                        organization.id
                    ),
                )),
            }
        }
        targets
    }

    /// The roles by which this tool writes, as values of `aws:PrincipalArn`.
    fn deployers(&self) -> BTreeSet<String> {
        let settings = &self.loaded.spec.organization;
        let partition = &self.organization.partition;
        let arn = |account: &str, role: &str| {
            format!("arn:{partition}:iam::{account}:role/{}", literal(role))
        };
        let overrides = settings.overrides.iter();
        overrides
            .filter_map(|(account, own)| Some((account, own.member_role.as_ref()?)))
            .map(|(account, role)| arn(account.as_str(), &role.apply))
            .chain([arn("*", &settings.member_role.apply)])
            .collect()
    }

    /// The roles of the spec that lie at such a path, in any account, as values of `aws:PrincipalArn`.
    fn role_values(&self, chosen: impl Fn(&crate::ids::IamPath) -> bool) -> BTreeSet<String> {
        let roles = self.loaded.spec.roles().iter();
        roles
            .map(|role| (self.role_path(role), &role.name))
            .filter(|(path, _)| chosen(path))
            .flat_map(|(path, name)| {
                principal_values(&self.organization.partition, path, name, true, &[])
            })
            .collect()
    }

    fn document_of_protection(
        &self,
        deployers: &BTreeSet<String>,
        spared: &BTreeSet<String>,
    ) -> Result<PolicyText, String> {
        let spec = &self.loaded.spec;
        let partition = &self.organization.partition;
        let managed = &spec.defaults.path;
        // Everything lies under that path, so that what the spec names is protected by its name alone.
        let is_shared = managed.as_str() == "/";
        let elsewhere = |path: &crate::ids::IamPath| is_shared || !path.is_under(managed);
        let text = library::render(TEMPLATE, partition, managed).unwrap_or_default();
        let mut document = parse(&text).map_err(|error| error.to_string())?;
        let users: BTreeSet<String> = spec
            .users()
            .iter()
            .map(|user| (self.user_path(user), &user.name))
            .filter(|(path, _)| elsewhere(path))
            .map(|(path, name)| user_value(partition, path, name, &spec.emergency_account))
            .collect();
        let policies = spec.policies().filter_map(|(name, policy)| {
            let path = policy.path.as_ref().unwrap_or(managed);
            let path = Some(path).filter(|path| elsewhere(path))?;
            let (path, name) = (literal(path.as_str()), literal(name));
            Some(format!("arn:{partition}:iam::*:policy{path}{name}"))
        });
        let roles = deployers | &self.role_values(elsewhere);
        let path = literal(managed.as_str());
        let below = |kind: &str| format!("arn:{partition}:iam::*:{kind}{path}*");
        protect_beside(&mut document, &below("user"), &users);
        protect_beside(&mut document, &below("role"), &roles);
        protect_beside(&mut document, &below("policy"), &policies.collect());
        let own = Chosen::Sids(vec![ENROLMENT.to_owned()]);
        let let_through = |document: &Document, chosen: &Chosen, values: &BTreeSet<String>| {
            exempt(document, chosen, values, DocumentKind::Scp).map_err(|error| error.to_string())
        };
        if is_shared {
            protect_no_longer(&mut document, &["user", "role", "policy", "mfa"].map(below));
            document = unexempt(&document, &own, &BTreeSet::from([below("user")]));
        }
        // Without users of its own there may be no such statement.
        let document = match users.is_empty() {
            true => document,
            false => let_through(&document, &own, &users)?,
        };
        let document = let_through(&document, &Chosen::EachDeny, spared)?;
        Ok(PolicyText::new(minified(&document)))
    }
}

/// Makes statements that are about the one resource be about others, too.
fn protect_beside(document: &mut Document, known: &str, others: &BTreeSet<String>) {
    for statement in &mut document.statements {
        if let Some(Resources::Only(resources)) = &mut statement.resources
            && resources.iter().any(|resource| resource == known)
        {
            resources.extend(others.iter().cloned());
        }
    }
}

/// Takes resources out of all statements; one that is about nothing else goes.
fn protect_no_longer(document: &mut Document, all: &[String]) {
    document
        .statements
        .retain_mut(|statement| match &mut statement.resources {
            Some(Resources::Only(resources)) => {
                resources.retain(|resource| !all.contains(resource));
                !resources.is_empty()
            }
            _ => true,
        });
}
