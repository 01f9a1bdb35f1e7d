//! The comparison of users, with the keys that they have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::difference::Difference;
use super::permissions::{Permissions, compare_permissions, permission_fields};
use super::steps::Stage;
use super::{Differ, Finding, created, created_fields, deleted_fields, key, unwanted};
use crate::plan::{Action, Risk};
use crate::policy::Access;
use crate::state::{
    DesiredUser, LONGEST_USER_SESSION, Operation, PASSWORD_TAG, Principal, Resource, ResourceType,
    User, Wanted,
};

/// Makes what deletes a user's credential of some id.
type Deletion = fn(user: String, id: String) -> Operation;

impl Differ<'_> {
    pub(super) fn users(&mut self) {
        let (live, desired) = (self.live, self.desired);
        let Some(desired) = &desired.users else {
            return;
        };
        for (name, wanted) in desired {
            let same = live.same_name(ResourceType::IamUser, name);
            match same.and_then(|name| live.users.get_key_value(name)) {
                Some((live_name, user)) => self.update_user(name, wanted, live_name, user),
                None => self.create_user(name, wanted),
            }
            self.login_profile(name, wanted);
            self.mfa_devices(name, wanted);
        }
        self.unactivated_devices();
        for (name, user) in unwanted(desired, &live.users) {
            if self.owns(&user.path, &user.tags) {
                self.delete_login_profile(name, Finding::leftover());
                self.delete_user(name, user);
            }
        }
    }

    fn create_user(&mut self, name: &str, wanted: &Wanted<DesiredUser>) {
        let key = key(ResourceType::IamUser, name);
        let spec = &wanted.value.user;
        let create = Operation::CreateUser {
            name: name.to_owned(),
            path: spec.path.clone(),
            tags: spec.tags.clone(),
            permissions_boundary: spec.permissions_boundary.clone(),
        };
        let mut difference = Difference::default();
        if let Some(Resource::User(bare)) = created(&key, &create) {
            self.compare_users(name, &bare, spec, &mut difference);
        }
        difference.step(Stage::Create, create);
        difference.fields = created_fields(user_fields(spec));
        difference.risk = Some(Risk::Medium);
        difference.access = Access::Broader;
        let finding = Finding::new(Action::Create, &wanted.origin);
        let dangling = self.dangling(Permissions::from(spec));
        self.record_creation(&key, finding, dangling, difference);
    }

    fn update_user(
        &mut self,
        name: &str,
        wanted: &Wanted<DesiredUser>,
        live_name: &str,
        live: &User,
    ) {
        let mut spec = wanted.value.user.clone();
        if wanted.value.vaulted_keys {
            spec.access_keys.clone_from(&live.access_keys);
        }
        for name in &wanted.value.spared_inline_policies {
            if let Some(document) = live.inline_policies.get(name) {
                spec.inline_policies.insert(name.clone(), document.clone());
            }
        }
        self.accept_untagged((&mut spec.tags, &spec.path), (&live.tags, &live.path));
        if let Some(set) = live.tags.get(PASSWORD_TAG) {
            spec.tags.insert(PASSWORD_TAG.to_owned(), set.clone());
        }
        let rule = wanted.value.mfa.as_ref();
        self.want_device_record(live_name, (&mut spec.tags, live), rule);
        let (inline, longest) = (&live.inline_policies, LONGEST_USER_SESSION);
        self.accept_revocation(&mut spec.inline_policies, inline, longest);
        self.leave_user(live_name, &mut spec, live);
        let mut difference = Difference::default();
        self.compare_users(live_name, live, &spec, &mut difference);
        self.note_device_record(live_name, (&live.tags, &spec.tags), &mut difference);
        let standing = self.standing((name, &spec.path), (live_name, &live.path, &live.tags));
        let standing = standing.unless(self.dangling(Permissions::from(&spec)));
        let key = key(ResourceType::IamUser, live_name);
        self.record_update(&key, (name, &wanted.origin), standing, difference);
    }

    fn compare_users(&self, name: &str, live: &User, spec: &User, difference: &mut Difference) {
        let User {
            path,
            tags: _,
            permissions_boundary: _,
            managed_policies: _,
            inline_policies: _,
            groups,
            access_keys,
            ssh_keys,
            service_credentials,
            signing_certificates,
        } = live;
        let user = || name.to_owned();
        if *path != spec.path {
            let operation = Operation::SetUserPath {
                user: user(),
                path: spec.path.clone(),
            };
            difference
                .field("path", json!(path), json!(spec.path))
                .weigh(Risk::Medium, Access::None)
                // Early: trust policies will name the user where it then is.
                .step(Stage::Credentials, operation);
        }
        if *groups != spec.groups {
            difference
                .field("groups", json!(groups), json!(spec.groups))
                .weigh(Risk::High, Access::Narrower);
            for group in groups.difference(&spec.groups).cloned() {
                let operation = Operation::RemoveFromGroup {
                    user: user(),
                    group,
                };
                difference.step(Stage::Credentials, operation);
            }
        }
        if *access_keys != spec.access_keys {
            difference
                .field("access_keys", json!(access_keys), json!(spec.access_keys))
                .weigh(Risk::High, Access::Narrower);
            for id in access_keys.difference(&spec.access_keys).cloned() {
                difference.notes.extend(self.key_use(name, &id));
                let operation = Operation::DeleteAccessKey { user: user(), id };
                difference.step(Stage::Credentials, operation);
            }
        }
        type Ids = BTreeSet<String>;
        let mut compare_ids = |path: &str, (live, spec): (&Ids, &Ids), delete: Deletion| {
            if live == spec {
                return;
            }
            difference
                .field(path, json!(live), json!(spec))
                .weigh(Risk::High, Access::Narrower);
            for id in live.difference(spec).cloned() {
                difference.step(Stage::Credentials, delete(user(), id));
            }
        };
        let keys = (ssh_keys, &spec.ssh_keys);
        compare_ids("ssh_keys", keys, |user, id| Operation::DeleteSshKey {
            user,
            id,
        });
        let credentials = (service_credentials, &spec.service_credentials);
        compare_ids("service_credentials", credentials, |user, id| {
            Operation::DeleteServiceCredential { user, id }
        });
        let certificates = (signing_certificates, &spec.signing_certificates);
        compare_ids("signing_certificates", certificates, |user, id| {
            Operation::DeleteSigningCertificate { user, id }
        });
        compare_permissions(
            difference,
            &Principal::User(user()),
            (Permissions::from(live), Permissions::from(spec)),
            false,
            &self.known,
            &self.rules,
        );
    }

    /// Says when a key was last used: whoever uses it will miss it.
    fn key_use(&self, user: &str, id: &str) -> Option<String> {
        let person = self.live.people.as_ref()?.users.get(user)?;
        let used = person.access_keys.get(id)?;
        Some(format!("key {id} was {}", used.words()))
    }

    fn delete_user(&mut self, name: &str, user: &User) {
        let bare = User {
            managed_policies: BTreeSet::new(),
            inline_policies: BTreeMap::new(),
            groups: BTreeSet::new(),
            access_keys: BTreeSet::new(),
            ssh_keys: BTreeSet::new(),
            service_credentials: BTreeSet::new(),
            signing_certificates: BTreeSet::new(),
            ..user.clone()
        };
        let mut difference = Difference::default();
        self.compare_users(name, user, &bare, &mut difference);
        let operation = Operation::DeleteUser {
            name: name.to_owned(),
        };
        difference.step(Stage::Delete, operation);
        difference.fields = deleted_fields(user_fields(user));
        difference.risk = Some(Risk::High);
        difference.access = Access::Narrower;
        let mut finding = Finding::leftover();
        if self.leaves(ResourceType::Credential, name, Action::Delete) {
            difference.operations.clear();
            finding = finding.blocked("its password stays, as an ignore rule of the spec says");
        }
        let key = key(ResourceType::IamUser, name);
        self.record(&key, finding, difference);
    }
}

fn user_fields(user: &User) -> Vec<(String, Value)> {
    let User {
        path,
        tags: _,
        permissions_boundary: _,
        managed_policies: _,
        inline_policies: _,
        groups,
        access_keys,
        ssh_keys,
        service_credentials,
        signing_certificates,
    } = user;
    let mut fields = vec![("path".to_owned(), json!(path))];
    for (path, held) in [
        ("groups", groups),
        ("access_keys", access_keys),
        ("ssh_keys", ssh_keys),
        ("service_credentials", service_credentials),
        ("signing_certificates", signing_certificates),
    ] {
        if !held.is_empty() {
            fields.push((path.to_owned(), json!(held)));
        }
    }
    fields.extend(permission_fields(Permissions::from(user)));
    fields
}
