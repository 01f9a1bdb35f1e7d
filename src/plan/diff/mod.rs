//! The comparison of one account: what the spec wants of it with what it holds.

mod alerts;
mod by_hand;
mod credentials;
mod devices;
mod difference;
mod left;
mod paths;
mod permissions;
mod policies;
mod roles;
mod root;
mod steps;
mod trust;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(super) use self::difference::{
    Difference, Documents, Rules, arrival, compare_documents, departure, document_value,
};
pub(super) use self::left::Left;
use self::permissions::{KnownPolicies, Permissions};
use self::steps::sequence;
use super::{Action, AlertCoverage, Cause, Change, Cosmetic, Field, Risk};
use crate::ids::{AccountId, Arn, IamPath, Partition};
use crate::policy::{Access, CanonicalContext};
use crate::state::{
    Address, Desired, Fingerprint, Inventory, OWNERSHIP_TAG, Operation, Origin, PolicyText,
    REVOKED_SESSIONS, Reading, ResourceKey, ResourceType, Revocation, Tags, is_owned,
};

/// Says which account is compared, and what counts as managed in it.
#[derive(Debug, Clone, Copy)]
pub struct AccountContext<'a> {
    /// The account's id.
    pub id: &'a AccountId,
    /// The account's name.
    pub name: &'a str,
    /// The partition it lives in.
    pub partition: &'a Partition,
    /// The path of everything managed, `defaults.path`.
    pub managed_path: &'a IamPath,
    /// Whether names without effect (a Sid, an Id) count as differences.
    pub strict: bool,
    /// The time at which it is compared.
    pub now: Timestamp,
}

/// Holds what the comparison of one account found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountDiff {
    /// The changes, by address.
    pub changes: Vec<Change>,
    /// What differs only in names without effect, and is no change, by address.
    pub cosmetic: Vec<Cosmetic>,
    /// How many managed policies, users, roles and alert rules the account holds now.
    pub managed: usize,
    /// Which uses are not heard of; `None` where the spec asks for no alerts or they are not known.
    pub alerts: Option<AlertCoverage>,
    /// The differences that ignore rules leave alone.
    pub ignored: Vec<Change>,
}

/// Compares an account with what the spec wants of it.
///
/// Ownership is exclusive: whatever is on a managed object and not in the spec is a difference, and a managed object
/// that the spec does not name is deleted. What is not managed is never touched, unless the spec has something of
/// its name, which is an adoption.
#[must_use]
pub fn diff_account(
    context: &AccountContext<'_>,
    desired: &Desired,
    live: &Inventory,
) -> AccountDiff {
    diff_leaving(context, desired, live, &Left::default())
}

/// Compares an account with what the spec wants of it, and leaves some of it alone.
pub(super) fn diff_leaving(
    context: &AccountContext<'_>,
    desired: &Desired,
    live: &Inventory,
    left: &Left,
) -> AccountDiff {
    let mut differ = Differ {
        context,
        left,
        rules: Rules {
            canonical: CanonicalContext {
                partition: Some(context.partition.clone()),
            },
            strict: context.strict,
        },
        known: known_policies(context, desired, live, left),
        desired,
        live,
        changes: Vec::new(),
        cosmetic: Vec::new(),
    };
    differ.policies();
    differ.users();
    differ.roles();
    differ.root();
    differ.leftover_policies();
    differ.coverage();
    let alerts = differ.alerts();
    if desired.alerts.is_some() && matches!(live.alerts, Some(Reading::Unreadable { .. })) {
        let new = differ.changes.iter_mut();
        for change in new.filter(|change| change.makes_access()) {
            change.block(
                "the account's alerts could not be read, so that its use might raise no alert",
            );
        }
    }
    let managed = differ.count_managed();
    let (mut changes, mut cosmetic) = (differ.changes, differ.cosmetic);
    changes.sort_by(|a, b| a.address.cmp(&b.address));
    cosmetic.sort();
    AccountDiff {
        changes,
        cosmetic,
        managed,
        alerts,
        ignored: Vec::new(),
    }
}

/// Finds what each customer managed policy will do once the plan is applied.
fn known_policies<'a>(
    context: &AccountContext<'_>,
    desired: &'a Desired,
    live: &'a Inventory,
    left: &Left,
) -> KnownPolicies<'a> {
    let is_left = |name: &str, action| {
        let address = Address::new(context.id, ResourceType::IamPolicy, name);
        left.whole.contains(&(address, action))
    };
    let wanted = desired
        .policies
        .iter()
        .flatten()
        .map(|(name, wanted)| (name, &wanted.value.policy))
        .filter(|(name, wanted)| {
            // One that lies elsewhere stays there.
            let same = live.same_name(ResourceType::IamPolicy, name);
            match same.and_then(|name| Some((name, live.policies.get(name)?))) {
                Some((name, live)) => live.path == wanted.path && !is_left(name, Action::Update),
                None => !is_left(name, Action::Create),
            }
        });
    live.policies
        .iter()
        .chain(wanted)
        .map(|(name, policy)| {
            let arn = Arn::iam(context.partition, context.id, "policy", &policy.path, name);
            (arn, &policy.document)
        })
        .collect()
}

struct Differ<'a> {
    context: &'a AccountContext<'a>,
    left: &'a Left,
    rules: Rules,
    known: KnownPolicies<'a>,
    desired: &'a Desired,
    live: &'a Inventory,
    changes: Vec<Change>,
    cosmetic: Vec<Cosmetic>,
}

/// Tells how a live object that has a wanted name stands to the spec.
enum Standing {
    /// It is managed and where the spec wants it.
    Owned,
    /// It is managed, but lies at another path.
    Moved,
    /// It is not managed, but it is just where the spec wants it.
    Adoptable,
    /// It is in the way: it can't become what the spec wants.
    InTheWay(String),
    /// It is managed, but what the spec gives it is not there.
    Dangling(String),
}

impl Standing {
    /// Takes into account what the spec gives the object that is not there.
    fn unless(self, dangling: Option<String>) -> Self {
        match self {
            Self::InTheWay(_) | Self::Dangling(_) => self,
            Self::Owned | Self::Moved | Self::Adoptable => dangling.map_or(self, Self::Dangling),
        }
    }
}

/// Says of something that is missing why this plan does not make it.
const LEFT_SO: &str = ", and an ignore rule of the spec leaves it so";

/// Says what a finding is, beside its difference.
struct Finding<'a> {
    action: Action,
    adoption: bool,
    replacement: bool,
    reason: Option<String>,
    steps: Vec<String>,
    blocked: Option<String>,
    origin: Option<&'a Origin>,
}

impl<'a> Finding<'a> {
    fn new(action: Action, origin: &'a Origin) -> Self {
        Self {
            action,
            adoption: false,
            replacement: false,
            reason: None,
            steps: Vec::new(),
            blocked: None,
            origin: Some(origin),
        }
    }

    /// Something that only a person can mend, and that no place in the spec is about.
    fn by_hand() -> Self {
        Self {
            action: Action::Manual,
            ..Self::leftover()
        }
    }

    /// A managed object that the spec does not name.
    fn leftover() -> Self {
        Self {
            action: Action::Delete,
            adoption: false,
            replacement: false,
            reason: Some("managed, but the spec does not ask for it in this account".to_owned()),
            steps: Vec::new(),
            blocked: None,
            origin: None,
        }
    }

    /// An object that is not managed, but has a wanted name.
    fn adoption(origin: &'a Origin) -> Self {
        Self {
            adoption: true,
            ..Self::new(Action::Update, origin)
                .because("it exists and is not managed: this adopts it")
        }
    }

    /// A managed object that IAM can't change in place.
    fn replacement(origin: &'a Origin) -> Self {
        Self {
            replacement: true,
            ..Self::new(Action::Update, origin)
        }
    }

    fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    fn steps(mut self, steps: Vec<String>) -> Self {
        self.steps = steps;
        self
    }

    fn blocked(mut self, why: impl Into<String>) -> Self {
        self.blocked = Some(why.into());
        self
    }
}

impl Differ<'_> {
    /// Expects the policy that ended sessions, for as long as such a session may still be alive.
    fn accept_revocation(
        &self,
        spec: &mut BTreeMap<String, PolicyText>,
        live: &BTreeMap<String, PolicyText>,
        longest: SignedDuration,
    ) {
        let revocation = Revocation::among(live);
        if let Some(found) = revocation.filter(|found| found.is_needed(self.context.now, longest)) {
            spec.insert(REVOKED_SESSIONS.to_owned(), found.document());
        }
    }

    fn count_managed(&self) -> usize {
        let users = self.live.users.values();
        let roles = self.live.roles.values();
        let policies = self.live.policies.values();
        users
            .filter(|user| self.owns(&user.path, &user.tags))
            .count()
            + roles
                .filter(|role| self.owns(&role.path, &role.tags))
                .count()
            + policies
                .filter(|policy| self.owns(&policy.path, &Tags::new()))
                .count()
            + self.own_rules().count()
    }

    fn owns(&self, path: &IamPath, tags: &Tags) -> bool {
        is_owned(path, tags, self.context.managed_path)
    }

    /// Takes the ownership tag out of what is wanted where it may be missing, is missing, and the path shows enough.
    fn accept_untagged(&self, wanted: (&mut Tags, &IamPath), live: (&Tags, &IamPath)) {
        let (wanted, wanted_path) = wanted;
        let (live_tags, live_path) = live;
        let by_path = [wanted_path, live_path]
            .iter()
            .all(|path| path.is_under(self.context.managed_path));
        if self.desired.ownership_tag_optional && by_path && !live_tags.contains_key(OWNERSHIP_TAG)
        {
            wanted.remove(OWNERSHIP_TAG);
        }
    }

    fn arn(&self, kind: &str, path: &IamPath, name: &str) -> Arn {
        Arn::iam(self.context.partition, self.context.id, kind, path, name)
    }

    fn standing(
        &self,
        (wanted_name, wanted_path): (&str, &IamPath),
        (live_name, live_path, live_tags): (&str, &IamPath, &Tags),
    ) -> Standing {
        if wanted_name != live_name {
            return Standing::InTheWay(format!(
                "{live_name} is there, and IAM does not tell names apart by case: delete it by hand, \
                 or write the name its way"
            ));
        }
        match (self.owns(live_path, live_tags), live_path == wanted_path) {
            (true, true) => Standing::Owned,
            (true, false) => Standing::Moved,
            (false, true) => Standing::Adoptable,
            (false, false) => Standing::InTheWay(format!(
                "it lies at path {live_path} and is not managed, so it can't be adopted as {wanted_path}: \
                 give it `path: {live_path}` in the spec, or rename or delete it by hand"
            )),
        }
    }

    /// Records the difference of a live object that has a wanted name.
    fn record_update(
        &mut self,
        key: &ResourceKey,
        (wanted_name, origin): (&str, &Origin),
        standing: Standing,
        mut difference: Difference,
    ) {
        if key.name != wanted_name && !self.is_left(key.resource_type, &key.name, "name") {
            difference.field("name", json!(key.name), json!(wanted_name));
        }
        let finding = match standing {
            Standing::Owned | Standing::Moved => Finding::new(Action::Update, origin),
            Standing::Adoptable => {
                if !difference.fields.is_empty() {
                    difference.weigh(Risk::High, Access::None);
                }
                Finding::adoption(origin)
            }
            Standing::InTheWay(why) => {
                difference.weigh(Risk::High, Access::None);
                difference.operations.clear();
                Finding::adoption(origin).blocked(why)
            }
            Standing::Dangling(why) => {
                difference.operations.clear();
                Finding::new(Action::Update, origin).blocked(why)
            }
        };
        self.record(key, finding, difference);
    }

    /// Records something that is made, if everything that it refers to is there.
    fn record_creation(
        &mut self,
        key: &ResourceKey,
        finding: Finding<'_>,
        dangling: Option<String>,
        mut difference: Difference,
    ) {
        match dangling {
            Some(why) => {
                difference.operations.clear();
                self.record(key, finding.blocked(why), difference);
            }
            None => self.record(key, finding, difference),
        }
    }

    /// Says which policy of this account the spec refers to that is neither there nor made by this plan.
    fn dangling(&self, spec: Permissions<'_>) -> Option<String> {
        let missing = spec.policies().find(|arn| {
            arn.account() == self.context.id.as_str()
                && !self.known.contains_key(arn)
                && !self.live.others.policies.contains(arn.name())
        })?;
        let is_left = self.leaves(ResourceType::IamPolicy, missing.name(), Action::Create);
        let left = if is_left { LEFT_SO } else { "" };
        Some(format!("it refers to {missing}, which is not there{left}"))
    }

    /// Says which user a trust policy names that is not there, and that this plan does not make: IAM takes no such policy.
    fn trusts_absent(&self, trust: &PolicyText) -> Option<String> {
        if self.left.absent.is_empty() {
            return None;
        }
        let document = trust.parse().ok()?;
        let statements = document.statements.iter();
        let principals = statements.filter_map(|statement| statement.principals.as_ref());
        let named = principals
            .flat_map(|principals| principals.list())
            .map(|principal| principal.entry().1);
        let mut absent = self.left.absent.iter();
        let user = absent.find(|user| named.clone().any(|named| named == user.as_str()))?;
        Some(format!("it trusts {user}, which is not there{LEFT_SO}"))
    }

    /// Records a change, unless nothing differs.
    fn record(&mut self, key: &ResourceKey, finding: Finding<'_>, difference: Difference) {
        let address = Address::new(self.context.id, key.resource_type, &key.name);
        if !difference.cosmetic.is_empty() {
            self.cosmetic.push(Cosmetic {
                address: address.clone(),
                fields: difference.cosmetic,
            });
        }
        if difference.fields.is_empty() || self.leaves(key.resource_type, &key.name, finding.action)
        {
            return;
        }
        let Difference {
            fields,
            cosmetic: _,
            notes,
            operations,
            access,
            risk,
        } = difference;
        let Finding {
            action,
            adoption,
            replacement,
            reason,
            steps,
            mut blocked,
            origin,
        } = finding;
        let live = self.live.only(key);
        let fingerprint = Fingerprint::of(live.get(key).as_ref(), &self.rules.canonical);
        let operations =
            sequence(key, live, operations, &self.rules.canonical).unwrap_or_else(|error| {
                blocked = Some(format!("the steps to it can't be planned: {error}"));
                Vec::new()
            });
        let ResourceKey {
            resource_type,
            name,
        } = key.clone();
        self.changes.push(Change {
            address,
            account: self.context.id.clone(),
            account_name: self.context.name.to_owned(),
            resource_type,
            name,
            action,
            risk: risk.unwrap_or(Risk::Low),
            access,
            cause: Cause::Live,
            reason: joined(reason, notes),
            steps,
            adoption,
            replacement,
            source: origin.cloned(),
            fields,
            blocked,
            ignored_by: None,
            fingerprint,
            operations,
        });
    }
}

/// Puts together what a person should know of a change.
fn joined(reason: Option<String>, notes: Vec<String>) -> Option<String> {
    let said: Vec<String> = reason.into_iter().chain(notes).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Finds the managed names that nothing wanted has.
fn unwanted<'a, W, L>(
    wanted: &std::collections::BTreeMap<String, W>,
    live: &'a std::collections::BTreeMap<String, L>,
) -> impl Iterator<Item = (&'a String, &'a L)> {
    let wanted: BTreeSet<String> = wanted
        .keys()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    live.iter()
        .filter(move |(name, _)| !wanted.contains(&name.to_ascii_lowercase()))
}

/// Makes the fields of something that is made.
fn created_fields(fields: Vec<(String, Value)>) -> Vec<Field> {
    one_sided(fields, |value| (Value::Null, value))
}

/// Makes the fields of something that is deleted.
fn deleted_fields(fields: Vec<(String, Value)>) -> Vec<Field> {
    one_sided(fields, |value| (value, Value::Null))
}

fn one_sided(fields: Vec<(String, Value)>, sides: impl Fn(Value) -> (Value, Value)) -> Vec<Field> {
    fields
        .into_iter()
        .map(|(path, value)| {
            let (live, spec) = sides(value);
            Field {
                path,
                live,
                spec,
                access: Access::None,
                witness: None,
            }
        })
        .collect()
}

/// Makes the object that an operation creates, to see what is still missing on it.
fn created(key: &ResourceKey, operation: &Operation) -> Option<crate::state::Resource> {
    let mut inventory = Inventory::default();
    inventory.apply(operation).ok()?;
    inventory.get(key)
}

/// Names a resource of this type.
fn key(resource_type: ResourceType, name: &str) -> ResourceKey {
    ResourceKey::new(resource_type, name)
}

#[cfg(test)]
mod tests;
