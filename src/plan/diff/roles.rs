//! The comparison of roles.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::difference::{Difference, document_value};
use super::paths::trust_notes;
use super::permissions::{Permissions, compare_permissions, permission_fields};
use super::steps::Stage;
use super::trust::{compare_trust, demands_mfa};
use super::{Differ, Finding, Standing, created, created_fields, deleted_fields, key, unwanted};
use crate::plan::{Action, Risk};
use crate::policy::Access;
use crate::state::{
    Address, EVENTS_ROLE, Operation, Principal, Resource, ResourceType, Role, Wanted,
};

/// Says what to do about a role that coverage requires.
const UNCOVERED: &str = "coverage requires it: select the account under `accounts` of the role, or name it under \
                         coverage.exempt with a reason";

impl Differ<'_> {
    pub(super) fn roles(&mut self) {
        let (live, desired) = (self.live, self.desired);
        let Some(desired) = &desired.roles else {
            return;
        };
        for (name, wanted) in desired {
            let same = live.same_name(ResourceType::IamRole, name);
            match same.and_then(|name| live.roles.get_key_value(name)) {
                Some((live_name, role)) => self.update_role(name, wanted, live_name, role),
                None => self.create_role(name, wanted),
            }
        }
        for (name, role) in unwanted(desired, &live.roles) {
            // What alerts need is only compared where the spec speaks of alerts.
            let spared = name == EVENTS_ROLE && self.desired.alerts.is_none();
            if !spared && self.owns(&role.path, &role.tags) {
                self.delete_role(name, role);
            }
        }
    }

    /// Records the roles that coverage requires here and the spec does not declare: what becomes of them is for a person
    /// to say.
    pub(super) fn coverage(&mut self) {
        let desired = self.desired;
        for (name, origin) in &desired.uncovered {
            let key = key(ResourceType::IamRole, name);
            let address = Address::new(self.context.id, key.resource_type, &key.name);
            let mut changes = self.changes.iter_mut();
            if let Some(leftover) = changes.find(|change| change.address == address) {
                leftover.reason = Some(format!(
                    "managed, but the spec does not ask for it in this account, where {UNCOVERED}"
                ));
                continue;
            }
            let mut difference = Difference::default();
            difference
                .field("coverage", Value::Null, json!("required"))
                .weigh(Risk::Medium, Access::None);
            let finding = Finding::new(Action::Manual, origin).because(UNCOVERED);
            self.record(&key, finding, difference);
        }
    }

    fn create_role(&mut self, name: &str, wanted: &Wanted<Role>) {
        let mut difference = self.making(name, &wanted.value);
        difference.fields = created_fields(role_fields(&wanted.value));
        difference.access = Access::Broader;
        let role = &wanted.value;
        let mut finding = Finding::new(Action::Create, &wanted.origin);
        difference.risk = Some(Risk::Medium);
        if !demands_mfa(&role.trust_policy) {
            difference.risk = Some(Risk::Critical);
            finding = finding.because("the spec lets it be assumed without MFA");
        }
        let key = key(ResourceType::IamRole, name);
        let dangling = self.dangling(Permissions::from(role));
        let dangling = dangling.or_else(|| self.trusts_absent(&role.trust_policy));
        self.record_creation(&key, finding, dangling, difference);
    }

    fn update_role(&mut self, name: &str, wanted: &Wanted<Role>, live_name: &str, live: &Role) {
        let mut spec = wanted.value.clone();
        self.accept_untagged((&mut spec.tags, &spec.path), (&live.tags, &live.path));
        // Sessions that are alive were begun under the one length or the other.
        let longest = SignedDuration::from_secs(live.max_session.max(spec.max_session).into());
        self.accept_revocation(&mut spec.inline_policies, &live.inline_policies, longest);
        self.leave_role(live_name, &mut spec, live);
        let spec = &spec;
        let key = key(ResourceType::IamRole, live_name);
        let mut difference = Difference::default();
        if live.path != spec.path {
            difference
                .field("path", json!(live.path), json!(spec.path))
                .weigh(Risk::High, Access::None);
        }
        self.compare_roles(live_name, live, spec, &mut difference);
        let mut dangling = self.dangling(Permissions::from(spec));
        if difference
            .fields
            .iter()
            .any(|field| field.path == "trust_policy")
        {
            let trust = (&live.trust_policy, &spec.trust_policy);
            difference.notes = trust_notes(name, trust, &self.desired.paths);
            dangling = dangling.or_else(|| self.trusts_absent(&spec.trust_policy));
        }
        let standing = self.standing((name, &spec.path), (live_name, &live.path, &live.tags));
        let standing = standing.unless(dangling);
        if matches!(standing, Standing::Moved) {
            difference.operations = self.unmaking(live_name, live).operations;
            difference
                .operations
                .extend(self.making(live_name, spec).operations);
            let finding = Finding::replacement(&wanted.origin).because(
                "replaced: IAM can't move a role to another path, so it is deleted and made again",
            );
            self.record(&key, finding, difference);
        } else {
            self.record_update(&key, (name, &wanted.origin), standing, difference);
        }
    }

    fn delete_role(&mut self, name: &str, role: &Role) {
        let mut difference = self.unmaking(name, role);
        difference.fields = deleted_fields(role_fields(role));
        difference.risk = Some(Risk::High);
        difference.access = Access::Narrower;
        let key = key(ResourceType::IamRole, name);
        self.record(&key, Finding::leftover(), difference);
    }

    /// The operations that make a role from nothing.
    fn making(&self, name: &str, spec: &Role) -> Difference {
        let Role {
            path,
            trust_policy,
            description,
            max_session,
            tags,
            permissions_boundary,
            managed_policies: _,
            inline_policies: _,
        } = spec.clone();
        let create = Operation::CreateRole {
            name: name.to_owned(),
            path,
            trust_policy,
            description,
            max_session,
            tags,
            permissions_boundary,
        };
        let mut difference = Difference::default();
        if let Some(Resource::Role(bare)) = created(&key(ResourceType::IamRole, name), &create) {
            self.compare_roles(name, &bare, spec, &mut difference);
        }
        difference.step(Stage::Create, create);
        difference
    }

    /// The operations that delete a role and what hangs on it.
    fn unmaking(&self, name: &str, role: &Role) -> Difference {
        let bare = Role {
            managed_policies: BTreeSet::new(),
            inline_policies: BTreeMap::new(),
            ..role.clone()
        };
        let mut difference = Difference::default();
        self.compare_roles(name, role, &bare, &mut difference);
        let operation = Operation::DeleteRole {
            name: name.to_owned(),
        };
        difference.step(Stage::Delete, operation);
        difference
    }

    /// Compares everything that IAM can change in place.
    fn compare_roles(&self, name: &str, live: &Role, spec: &Role, difference: &mut Difference) {
        let Role {
            path: _,
            trust_policy,
            description,
            max_session,
            tags: _,
            permissions_boundary: _,
            managed_policies: _,
            inline_policies: _,
        } = live;
        let swapped = compare_trust(
            difference,
            name,
            (trust_policy, &spec.trust_policy),
            &self.rules,
        );
        if *max_session != spec.max_session {
            let access = if *max_session < spec.max_session {
                Access::Broader
            } else {
                Access::Narrower
            };
            difference
                .field("max_session", json!(max_session), json!(spec.max_session))
                .weigh(Risk::Medium, access);
        }
        if *description != spec.description {
            difference
                .field("description", json!(description), json!(spec.description))
                .weigh(Risk::Low, Access::None);
        }
        if *max_session != spec.max_session || *description != spec.description {
            let operation = Operation::SetRoleSettings {
                role: name.to_owned(),
                description: spec.description.clone(),
                max_session: spec.max_session,
            };
            difference.step(Stage::Label, operation);
        }
        compare_permissions(
            difference,
            &Principal::Role(name.to_owned()),
            (Permissions::from(live), Permissions::from(spec)),
            swapped,
            &self.known,
            &self.rules,
        );
    }
}

fn role_fields(role: &Role) -> Vec<(String, Value)> {
    let Role {
        path,
        trust_policy,
        description,
        max_session,
        tags: _,
        permissions_boundary: _,
        managed_policies: _,
        inline_policies: _,
    } = role;
    let mut fields = vec![
        ("path".to_owned(), json!(path)),
        ("trust_policy".to_owned(), document_value(trust_policy)),
        ("max_session".to_owned(), json!(max_session)),
    ];
    if !description.is_empty() {
        fields.push(("description".to_owned(), json!(description)));
    }
    fields.extend(permission_fields(Permissions::from(role)));
    fields
}
