//! The snapshot backend: the same reads and operations on a file, without credentials or network.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::ready;
use secrecy::SecretString;

use super::{Answer, Cloud, CloudError, ErrorKind, Finding, Found};
use crate::ids::{AccountId, Partition};
use crate::org::Organization;
use crate::state::{
    Address, GuardrailError, GuardrailOperation, GuardrailPolicy, Guardrails, Inventory, Operation,
    Password, PolicyReference, ReadScope, Reading, Resource, ResourceKey, ResourceType, Snapshot,
};

/// Answers from a snapshot, and applies operations to it.
#[derive(Debug)]
pub struct Offline {
    snapshot: Mutex<Snapshot>,
}

/// Says why a snapshot file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file could not be read or written.
    #[error("failed to {doing} {}: {source}", path.display())]
    Io {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The file is no snapshot: truncated, edited, or something else.
    #[error("{}: not a snapshot that can be read: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        message: String,
    },
}

/// The newest format of snapshots; readers take every `1.N`.
pub const SNAPSHOT_FORMAT: &str = "1.3";

/// Reads a snapshot file.
///
/// # Errors
/// When the file can't be read, is damaged, or is of a format of another major version.
pub fn read_snapshot(path: &Path) -> Result<Snapshot, SnapshotError> {
    let text = std::fs::read_to_string(path).map_err(|source| SnapshotError::Io {
        doing: "read",
        path: path.to_owned(),
        source,
    })?;
    parse_snapshot(&text).map_err(|message| SnapshotError::Format {
        path: path.to_owned(),
        message,
    })
}

/// Reads the text of a snapshot.
///
/// # Errors
/// What is wrong with it, when it is damaged or of a format of another major version.
pub fn parse_snapshot(text: &str) -> Result<Snapshot, String> {
    let wrong = |error: serde_json::Error| error.to_string();
    let head: Head = serde_json::from_str(text).map_err(wrong)?;
    match head.kind.as_deref() {
        Some("snapshot") => {}
        Some(other) => return Err(format!("its kind is {other:?}, not \"snapshot\"")),
        None => return Err("its kind is not \"snapshot\"".to_owned()),
    }
    let version = head.format_version.unwrap_or_default();
    if version.split('.').next() != Some("1") {
        return Err(format!(
            "its format {version:?} is not known to this version, which reads 1.x; use a newer breakglass"
        ));
    }
    serde_json::from_str(text).map_err(wrong)
}

/// What every format of a snapshot has.
#[derive(serde::Deserialize)]
struct Head {
    kind: Option<String>,
    format_version: Option<String>,
}

/// Writes a snapshot file, whole or not at all.
///
/// # Errors
/// When the file can't be written.
pub fn write_snapshot(path: &Path, snapshot: &Snapshot) -> Result<(), SnapshotError> {
    let io_error = |source: std::io::Error| SnapshotError::Io {
        doing: "write",
        path: path.to_owned(),
        source,
    };
    let mut text = serde_json::to_vec_pretty(snapshot).map_err(|error| io_error(error.into()))?;
    text.push(b'\n');
    crate::files::write_whole(path, &text).map_err(io_error)
}

impl Offline {
    /// Answers from a snapshot.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot: Mutex::new(snapshot),
        }
    }

    /// The snapshot as the operations have left it.
    #[must_use]
    pub fn into_snapshot(self) -> Snapshot {
        self.snapshot
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        // A snapshot is changed in one step, so a panic elsewhere leaves it whole.
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inventory<T>(
        &self,
        account: &AccountId,
        call: &str,
        read: impl FnOnce(&Inventory) -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        match self.lock().accounts.get(account) {
            Some(Reading::Complete(inventory)) => read(inventory),
            Some(Reading::Unreadable { error }) => Err(unreadable(call, error)),
            None => Err(CloudError::new(
                ErrorKind::Service,
                call,
                "the snapshot does not hold this account; take a new one",
            )),
        }
    }

    fn guardrails(&self) -> Result<Guardrails, CloudError> {
        match &self.lock().guardrails {
            Some(Reading::Complete(guardrails)) => Ok(guardrails.clone()),
            Some(Reading::Unreadable { error }) => Err(unreadable(LISTING, error)),
            None => Err(without_guardrails(LISTING)),
        }
    }

    fn change_guardrails(&self, operation: &GuardrailOperation) -> Result<(), CloudError> {
        let mut snapshot = self.lock();
        let Snapshot {
            organization,
            guardrails,
            ..
        } = &mut *snapshot;
        let guardrails = match guardrails {
            Some(Reading::Complete(guardrails)) => guardrails,
            Some(Reading::Unreadable { error }) => {
                return Err(unreadable(operation.action(), error));
            }
            None => return Err(without_guardrails(operation.action())),
        };
        let changed = match operation {
            GuardrailOperation::Attach { target, .. }
            | GuardrailOperation::Detach { target, .. }
                if !organization.has_node(target) =>
            {
                Err(GuardrailError::TargetNotFound(target.clone()))
            }
            _ => guardrails.apply(operation),
        };
        changed.map_err(|error| {
            CloudError::new(ErrorKind::Service, operation.action(), error.to_string())
        })
    }

    /// Notes that a user has a password. The password itself is no state that anything could read.
    fn make_login_profile(&self, account: &AccountId, user: &str) -> Result<(), CloudError> {
        const CALL: &str = "iam:UpdateLoginProfile";
        let service = |message: String| CloudError::new(ErrorKind::Service, CALL, message);
        let mut snapshot = self.lock();
        let taken = snapshot.created_at;
        let Some(Reading::Complete(inventory)) = snapshot.accounts.get_mut(account) else {
            let message = "the snapshot does not hold this account".to_owned();
            return Err(service(message));
        };
        if !inventory.users.contains_key(user) {
            return Err(service(format!("NoSuchEntity: {user} does not exist")));
        }
        inventory.login_profiles.insert(user.to_owned());
        if let Some(people) = &mut inventory.people {
            let person = people.users.entry(user.to_owned()).or_default();
            let created = person.password.as_ref().map(|password| password.created);
            person.password = Some(Password {
                created: created.unwrap_or(taken),
                reset_required: false,
                changed: None,
            });
        }
        Ok(())
    }

    fn apply(&self, account: &AccountId, operation: &Operation) -> Result<(), CloudError> {
        let mut snapshot = self.lock();
        let service =
            |message: String| CloudError::new(ErrorKind::Service, operation.action(), message);
        let Some(Reading::Complete(inventory)) = snapshot.accounts.get_mut(account) else {
            return Err(service(
                "the snapshot does not hold this account".to_owned(),
            ));
        };
        inventory
            .apply(operation)
            .map_err(|error| service(error.to_string()))
    }
}

impl Cloud for Offline {
    fn discover<'a>(
        &'a self,
        expected: Option<&'a str>,
        with_tags: bool,
        found: &'a Finding<'a>,
    ) -> Answer<'a, Organization> {
        let organization = self.lock().organization.clone();
        let untagged = organization
            .active_accounts()
            .find(|(_, account)| account.tags.is_none());
        let other = expected.filter(|expected| *expected != organization.id);
        let result = if let Some(expected) = other {
            Err(CloudError::other_organization(expected, &organization.id))
        } else if let Some(orphan) = organization.orphan() {
            Err(CloudError::hole_in_tree(orphan))
        } else if let (true, Some((id, _))) = (with_tags, untagged) {
            Err(CloudError::new(
                ErrorKind::NotHeld,
                "organizations:ListTagsForResource",
                format!(
                    "the snapshot holds no tags of account {id}, which a selector needs; take a new one with this spec"
                ),
            ))
        } else {
            let mut tree = organization.clone();
            let accounts = std::mem::take(&mut tree.accounts);
            found(Found::Tree(tree));
            found(Found::Accounts(accounts));
            Ok(organization)
        };
        ready(result).boxed()
    }

    fn account<'a>(
        &'a self,
        account: &'a AccountId,
        scope: &'a ReadScope,
    ) -> Answer<'a, Inventory> {
        const CALL: &str = "iam:GetAccountAuthorizationDetails";
        let path = self.lock().managed_path.clone();
        let result = if path == scope.managed_path {
            self.inventory(account, CALL, |inventory| {
                in_scope(account, inventory, scope)
            })
        } else {
            Err(CloudError::new(
                ErrorKind::Service,
                CALL,
                format!(
                    "the snapshot was taken of {path}, not of {}; take a new one with this spec",
                    scope.managed_path
                ),
            ))
        };
        ready(result).boxed()
    }

    fn resource<'a>(
        &'a self,
        account: &'a AccountId,
        key: &'a ResourceKey,
    ) -> Answer<'a, Option<Resource>> {
        let call = match key.resource_type {
            ResourceType::IamPolicy => "iam:GetPolicy",
            ResourceType::IamUser => "iam:GetUser",
            ResourceType::IamRole => "iam:GetRole",
            ResourceType::Credential => "iam:GetLoginProfile",
            ResourceType::MfaDevice => "iam:ListMFADevices",
            ResourceType::RootAccess => "iam:ListOrganizationsFeatures",
            ResourceType::GuardrailException | ResourceType::GuardrailPolicy => {
                "organizations:DescribePolicy"
            }
            ResourceType::AlertRule => "events:DescribeRule",
            ResourceType::AlertTopic => "sns:GetTopicAttributes",
            ResourceType::AlertBus => "events:DescribeEventBus",
            ResourceType::MetricAlarm => "cloudwatch:DescribeAlarms",
            ResourceType::Trail => "cloudtrail:DescribeTrails",
        };
        ready(self.inventory(account, call, |inventory| Ok(inventory.get(key)))).boxed()
    }

    fn execute<'a>(&'a self, account: &'a AccountId, operation: &'a Operation) -> Answer<'a, ()> {
        ready(self.apply(account, operation)).boxed()
    }

    fn shortest_password<'a>(&'a self, account: &'a AccountId) -> Answer<'a, u32> {
        // A snapshot does not hold password policies: the length is the one that IAM asks for without one.
        let length = self.inventory(account, "iam:GetAccountPasswordPolicy", |_| Ok(8));
        ready(length).boxed()
    }

    fn set_password<'a>(
        &'a self,
        account: &'a AccountId,
        user: &'a str,
        _: &'a SecretString,
    ) -> Answer<'a, ()> {
        ready(self.make_login_profile(account, user)).boxed()
    }

    fn guardrails(&self) -> Answer<'_, Guardrails> {
        ready(self.guardrails()).boxed()
    }

    fn guardrail<'a>(&'a self, policy: &'a PolicyReference) -> Answer<'a, Option<GuardrailPolicy>> {
        let read = self.guardrails();
        let found = read.map(|mut guardrails| {
            let id = guardrails.resolve(policy).ok()?;
            guardrails.policies.remove(&id)
        });
        ready(found).boxed()
    }

    fn change_guardrails<'a>(&'a self, operation: &'a GuardrailOperation) -> Answer<'a, ()> {
        ready(self.change_guardrails(operation)).boxed()
    }

    fn caller(&self) -> Option<Address> {
        None
    }

    fn partition<'a>(&'a self, expected: &'a str) -> Answer<'a, Partition> {
        self.organization(Some(expected), false)
            .map(|organization| Ok(organization?.partition))
            .boxed()
    }
}

/// The call that guardrails are told by.
const LISTING: &str = "organizations:ListPolicies";

/// Repeats why something could not be read when the snapshot was taken.
fn unreadable(call: &str, error: &str) -> CloudError {
    let (call, message) = error.split_once(": ").unwrap_or((call, error));
    CloudError::new(ErrorKind::Service, call, message)
}

fn without_guardrails(call: &str) -> CloudError {
    CloudError::new(
        ErrorKind::NotHeld,
        call,
        "the snapshot was taken without SCPs and RCPs",
    )
}

/// Gives what a live read of this scope would: a snapshot may have been taken with a spec that named other things.
///
/// # Errors
/// When the spec names something that the snapshot holds by name only.
fn in_scope(
    account: &AccountId,
    inventory: &Inventory,
    scope: &ReadScope,
) -> Result<Inventory, CloudError> {
    let lacks = |call: &str, what: &str| {
        let message = format!("the snapshot does not hold {what}; take a new one with this spec");
        CloudError::new(ErrorKind::Service, call, message)
    };
    if scope.people.as_ref() == Some(account) && inventory.people.is_none() {
        let call = "iam:ListMFADevices";
        return Err(lacks(call, "the devices and passwords of users"));
    }
    if let Some(root) = &scope.root {
        let held = inventory.root.as_ref();
        if root.users && held.is_none_or(|held| held.credentials.is_none()) {
            return Err(lacks(
                "iam:GetAccountSummary",
                "what protects the root user",
            ));
        }
        let features = root.features && root.management == *account;
        if features && held.is_none_or(|held| held.features.is_none()) {
            let call = "iam:ListOrganizationsFeatures";
            return Err(lacks(call, "the organization's features for root users"));
        }
    }
    for (kind, names) in [
        (ResourceType::IamPolicy, &inventory.others.policies),
        (ResourceType::IamUser, &inventory.others.users),
        (ResourceType::IamRole, &inventory.others.roles),
    ] {
        let named = names
            .iter()
            .find(|name| scope.names.contains(&(kind, name.to_ascii_lowercase())));
        if let Some(name) = named {
            return Err(CloudError::new(
                ErrorKind::Service,
                "iam:GetAccountAuthorizationDetails",
                format!(
                    "the snapshot holds {kind} {name} by name only, but the spec names it; take a new one with this spec"
                ),
            ));
        }
    }
    let mut inventory = inventory.clone();
    if scope.alerts.is_none() {
        inventory.alerts = None;
    } else if inventory.alerts.is_none() {
        inventory.alerts = Some(Reading::Unreadable {
            error: "events:ListRules: the snapshot was taken without alerts; take a new one with this spec".to_owned(),
        });
    }
    Ok(inventory)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::ids::IamPath;
    use crate::org::tests::sample;
    use crate::state::{GuardrailKind, GuardrailPolicy, PolicyText, Tags};

    fn cloud(guardrails: Option<Reading<Guardrails>>) -> Offline {
        Offline::new(Snapshot {
            format_version: SNAPSHOT_FORMAT.to_owned(),
            kind: "snapshot".to_owned(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            shard: None,
            managed_path: IamPath::break_glass(),
            organization: sample(),
            accounts: BTreeMap::new(),
            guardrails,
        })
    }

    fn attach(policy: &str, target: &str) -> GuardrailOperation {
        GuardrailOperation::Attach {
            policy: PolicyReference::Id(policy.to_owned()),
            target: target.to_owned(),
        }
    }

    #[test]
    fn guardrails_are_changed_as_the_model_says() {
        let policy = GuardrailPolicy {
            name: "deny".to_owned(),
            description: String::new(),
            kind: GuardrailKind::Scp,
            aws_managed: false,
            document: PolicyText::new("{}"),
            tags: Tags::new(),
            targets: BTreeSet::new(),
        };
        let cloud = cloud(Some(Reading::Complete(Guardrails {
            enabled: GuardrailKind::ALL.into(),
            policies: BTreeMap::from([("p-deny".to_owned(), policy)]),
        })));
        for (operation, expected) in [
            (attach("p-deny", "ou-root-prod"), None),
            (attach("p-deny", "333333333333"), None),
            (
                attach("p-deny", "ou-root-prod"),
                Some("organizations:AttachPolicy: DuplicatePolicyAttachmentException: "),
            ),
            (
                attach("p-deny", "ou-root-else"),
                Some("organizations:AttachPolicy: TargetNotFoundException: "),
            ),
        ] {
            let told = cloud.change_guardrails(&operation).err();
            let told = told.map(|error| error.to_string());
            match (told, expected) {
                (None, None) => {}
                (Some(told), Some(expected)) => assert!(told.starts_with(expected), "{told}"),
                other => panic!("{other:?}"),
            }
        }
        let Some(Reading::Complete(changed)) = cloud.into_snapshot().guardrails else {
            panic!("the guardrails are gone");
        };
        assert_eq!(changed.policies["p-deny"].targets.len(), 2);
    }

    #[test]
    fn what_was_not_read_is_not_empty() {
        let error = "organizations:DescribePolicy: AccessDeniedException: no".to_owned();
        let unreadable = Some(Reading::Unreadable { error });
        for (held, kind, told) in [
            (
                unreadable,
                ErrorKind::Service,
                "organizations:DescribePolicy: AccessDeniedException: no",
            ),
            (
                None,
                ErrorKind::NotHeld,
                "organizations:ListPolicies: the snapshot was taken without SCPs and RCPs",
            ),
        ] {
            let cloud = cloud(held);
            let error = cloud.guardrails().unwrap_err();
            assert_eq!((error.kind, error.to_string()), (kind, told.to_owned()));
            let changed = cloud.change_guardrails(&attach("p-deny", "r-root"));
            assert_eq!(changed.unwrap_err().kind, kind);
        }
    }
}
