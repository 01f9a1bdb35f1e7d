//! Folding: the same change in many accounts is shown once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::words::{and_more, is_opening};
use crate::ids::AccountId;
use crate::plan::{Action, Change, Field, Kind, Unreadable};
use crate::state::{Address, ResourceType, regional, split_regional};

/// Stands for each account's own id in what is shown of many accounts at once.
pub(super) const PLACEHOLDER: &str = "{account}";
/// Says what [`PLACEHOLDER`] is.
pub(super) const PLACEHOLDER_LEGEND: &str = "{account} is the id of the account itself";

/// Holds a change and every account that it is the same in.
#[derive(Debug)]
pub(super) struct Group {
    /// The change as it is shown: of several accounts, with [`PLACEHOLDER`] for their own id.
    pub(super) change: Change,
    /// The accounts; never empty.
    pub(super) accounts: Accounts,
    /// Where it is, one address for each change that was folded.
    pub(super) addresses: Vec<Address>,
}

impl Group {
    /// Tells whether something shown holds [`PLACEHOLDER`].
    pub(super) fn has_placeholder(&self) -> bool {
        let Change {
            reason,
            steps,
            blocked,
            fields,
            ..
        } = &self.change;
        self.accounts.many() && holds_placeholder((reason, steps, blocked), fields)
    }
}

/// Lists accounts by name, then id.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Accounts(Vec<(String, AccountId)>);

impl Accounts {
    /// Lists accounts.
    pub(super) fn new(accounts: impl IntoIterator<Item = (String, AccountId)>) -> Self {
        let mut accounts: Vec<_> = accounts.into_iter().collect();
        accounts.sort();
        accounts.dedup();
        Self(accounts)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn many(&self) -> bool {
        self.0.len() > 1
    }

    /// Every account by name and id.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, AccountId)> {
        self.0.iter()
    }

    /// Every account as `name (id)`.
    pub(super) fn full(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|(name, id)| account_label(name, id))
            .collect()
    }

    /// A few of the names, and how many are not among them.
    pub(super) fn few(&self) -> (Vec<String>, usize) {
        // Beside "and 1 more" stood its name just as well.
        let shown = if self.0.len() <= 3 { 3 } else { 2 };
        let single = self.0.len() == 1;
        let names = self.0.iter().take(shown).map(|(name, id)| {
            let twins = self.0.iter().filter(|(other, _)| other == name).count();
            if single || twins > 1 || name.is_empty() {
                account_label(name, id)
            } else {
                name.clone()
            }
        });
        (names.collect(), self.0.len().saturating_sub(shown))
    }

    /// The accounts in a few words, such as `prod-pay, prod-web and 38 more`.
    pub(super) fn words(&self) -> String {
        let (names, more) = self.few();
        and_more(&names, more)
    }
}

/// Writes an account as `name (id)`.
pub(super) fn account_label(name: &str, id: &AccountId) -> String {
    if name.is_empty() {
        id.to_string()
    } else {
        format!("{name} ({id})")
    }
}

/// Folds changes, and sorts what is left for people: danger first, then what is deleted, changed, made.
///
/// Of critical changes those come first by which more is allowed than somebody agreed to.
pub(super) fn fold(kind: Kind, changes: &[Change]) -> Vec<Group> {
    let mut folded: BTreeMap<String, (Shared, Vec<&Change>)> = BTreeMap::new();
    for change in changes {
        let shared = Shared::of(change);
        let (_, members) = folded
            .entry(shared.key(change))
            .or_insert_with(|| (shared, Vec::new()));
        members.push(change);
    }
    let mut groups: Vec<Group> = folded
        .into_values()
        .filter_map(|(shared, members)| {
            let first = (*members.first()?).clone();
            let accounts = Accounts::new(
                members
                    .iter()
                    .map(|change| (change.account_name.clone(), change.account.clone())),
            );
            let mut change = if accounts.many() {
                shared.applied_to(first)
            } else {
                first
            };
            if change.resource_type == ResourceType::AlertRule {
                let rule = place_free(change.resource_type, &change.name);
                change.name = in_regions(rule, members.iter().map(|change| change.name.as_str()));
            }
            let addresses = members.iter().map(|change| change.address.clone());
            Some(Group {
                change,
                accounts,
                addresses: addresses.collect(),
            })
        })
        .collect();
    groups.sort_by(|one, other| rank(kind, one).cmp(&rank(kind, other)));
    groups
}

/// The name that is the same in every place: a rule's without its Region.
pub(super) fn place_free(resource_type: ResourceType, name: &str) -> &str {
    match resource_type {
        ResourceType::AlertRule => split_regional(name).1,
        _ => name,
    }
}

/// Names a rule with its Region, or with how many Regions it is the same in, by its full names.
pub(super) fn in_regions<'a>(rule: &str, names: impl Iterator<Item = &'a str>) -> String {
    let regions: BTreeSet<&str> = names.map(|name| split_regional(name).0).collect();
    match regions.first() {
        Some(region) if regions.len() == 1 => regional(region, rule),
        _ => format!("{rule} in {} Regions", regions.len()),
    }
}

fn rank(kind: Kind, group: &Group) -> impl Ord + '_ {
    let change = &group.change;
    let action = match change.action {
        Action::Delete => 0,
        Action::Update => 1,
        Action::Create => 2,
        Action::Manual => 3,
    };
    (
        Reverse(change.risk),
        !is_opening(kind, change),
        action,
        change.resource_type,
        &change.name,
        &group.accounts,
    )
}

/// Holds the parts of a change that may hold the account's own id, with [`PLACEHOLDER`] in its place.
struct Shared {
    reason: Option<String>,
    steps: Vec<String>,
    blocked: Option<String>,
    fields: Vec<Field>,
}

impl Shared {
    fn of(change: &Change) -> Self {
        let id = change.account.as_str();
        let generic = |text: &Option<String>| text.as_ref().map(|text| generic_text(text, id));
        Self {
            reason: generic(&change.reason),
            steps: change
                .steps
                .iter()
                .map(|step| generic_text(step, id))
                .collect(),
            blocked: generic(&change.blocked),
            fields: change
                .fields
                .iter()
                .map(|field| Field {
                    path: field.path.clone(),
                    live: generic_value(&field.live, id),
                    spec: generic_value(&field.spec, id),
                    access: field.access,
                    witness: generic(&field.witness),
                })
                .collect(),
        }
    }

    /// Writes what is equal in the same change elsewhere, and only there.
    fn key(&self, change: &Change) -> String {
        // What holds the placeholder itself would look like what holds an id, so it is left alone.
        let literal = holds_placeholder(
            (&change.reason, &change.steps, &change.blocked),
            &change.fields,
        );
        let key = (
            literal.then_some(&change.account),
            change.resource_type,
            place_free(change.resource_type, &change.name),
            change.action,
            change.risk,
            change.access,
            change.cause,
            change.adoption,
            (&change.source, &change.ignored_by),
            (&self.reason, &self.steps),
            &self.blocked,
            &self.fields,
        );
        // These types hold nothing that can't be written; were one to, the change would stand alone.
        serde_json::to_string(&key).unwrap_or_else(|_| change.address.to_string())
    }

    fn applied_to(self, change: Change) -> Change {
        let Self {
            reason,
            steps,
            blocked,
            fields,
        } = self;
        Change {
            reason,
            steps,
            blocked,
            fields,
            ..change
        }
    }
}

fn holds_placeholder(
    (reason, steps, blocked): (&Option<String>, &[String], &Option<String>),
    fields: &[Field],
) -> bool {
    let said = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains(PLACEHOLDER));
    said(reason)
        || said(blocked)
        || steps.iter().any(|step| step.contains(PLACEHOLDER))
        || fields.iter().any(|field| {
            said(&field.witness)
                || value_holds_placeholder(&field.live)
                || value_holds_placeholder(&field.spec)
        })
}

fn value_holds_placeholder(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(PLACEHOLDER),
        Value::Array(items) => items.iter().any(value_holds_placeholder),
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| key.contains(PLACEHOLDER) || value_holds_placeholder(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Replaces an account's own id by [`PLACEHOLDER`].
pub(super) fn generic_text(text: &str, id: &str) -> String {
    text.replace(id, PLACEHOLDER)
}

/// Adds what [`PLACEHOLDER`] is to a text that holds it.
pub(super) fn explained(text: String) -> String {
    if text.contains(PLACEHOLDER) {
        format!("{text} ({PLACEHOLDER_LEGEND})")
    } else {
        text
    }
}

/// Replaces an account's own id in the ARN of a policy, which every account has of its own.
///
/// Elsewhere an id is meant as it is: the users whom roles trust live in one account, whichever account the role is in.
fn generic_arn(text: &str, id: &str) -> String {
    text.replace(
        &format!(":{id}:policy/"),
        &format!(":{PLACEHOLDER}:policy/"),
    )
}

fn generic_value(value: &Value, id: &str) -> Value {
    match value {
        Value::String(text) => Value::String(generic_arn(text, id)),
        Value::Array(items) => items.iter().map(|item| generic_value(item, id)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), generic_value(value, id)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Folds addresses by resource, such as `iam_role Admin` with every account it is in.
pub(super) fn fold_addresses(addresses: &[Address], changes: &[Change]) -> Vec<(String, Accounts)> {
    let accounts: BTreeMap<&Address, (String, AccountId)> = changes
        .iter()
        .map(|change| {
            let account = (change.account_name.clone(), change.account.clone());
            (&change.address, account)
        })
        .collect();
    let mut folded: BTreeMap<(ResourceType, &String), Vec<(String, AccountId)>> = BTreeMap::new();
    for address in addresses {
        let unnamed = || Some((String::new(), address.account.clone()?));
        let account = accounts.get(address).cloned().or_else(unnamed);
        folded
            .entry((address.resource_type, &address.name))
            .or_default()
            .extend(account);
    }
    folded
        .into_iter()
        .map(|((resource_type, name), accounts)| {
            (format!("{resource_type} {name}"), Accounts::new(accounts))
        })
        .collect()
}

/// Folds accounts that could not be read for the same reason; the most accounts first.
pub(super) fn fold_unreadable(unreadable: &[Unreadable]) -> Vec<(String, Accounts)> {
    let mut folded: BTreeMap<String, Vec<&Unreadable>> = BTreeMap::new();
    for account in unreadable {
        let error = generic_text(&account.error, account.account.as_str());
        folded.entry(error).or_default().push(account);
    }
    let mut folded: Vec<(String, Accounts)> = folded
        .into_iter()
        .map(|(error, members)| {
            let shown = match members.as_slice() {
                [single] => single.error.clone(),
                _ => explained(error),
            };
            let accounts = members
                .iter()
                .map(|member| (member.account_name.clone(), member.account.clone()));
            (shown, Accounts::new(accounts))
        })
        .collect();
    folded.sort_by(|(error, accounts), (other_error, others)| {
        (Reverse(accounts.len()), accounts, error).cmp(&(
            Reverse(others.len()),
            others,
            other_error,
        ))
    });
    folded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture;
    use super::*;

    fn titles(groups: &[Group]) -> Vec<String> {
        groups
            .iter()
            .map(|group| format!("{} in {}", group.change.name, group.accounts.words()))
            .collect()
    }

    #[test]
    fn the_same_change_is_told_once_and_danger_first() {
        let plan = fixture::report(Kind::Plan);
        assert_eq!(
            titles(&fold(plan.kind, &plan.changes)),
            [
                "BreakGlassAdmin in prod-pay (111122223333)",
                "bg-old in emergency (333300000000)",
                "break-glass-baseline in lab (222200000003)",
                "BreakGlassAdmin in dev-a, dev-b and 6 more",
                "BreakGlassAudit in tools (222200000008)",
                "bg-alice in emergency (333300000000)",
            ]
        );
    }

    #[test]
    fn accounts_that_differ_in_more_than_their_own_id_stay_apart() {
        let mut changes = fixture::report(Kind::Plan).changes;
        changes
            .retain(|change| change.name == "BreakGlassAdmin" && change.account_name != "prod-pay");
        let whole = fold(Kind::Plan, &changes);
        assert_eq!(whole.len(), 1);
        assert!(whole[0].has_placeholder());
        assert_eq!(whole[0].accounts.len(), 8);

        // What is written like the placeholder must not pass for an account's own id.
        changes[0].fields[0].spec = json!([format!("arn:aws:iam::{PLACEHOLDER}:policy/x")]);
        changes[1].fields[0].spec =
            json!([format!("arn:aws:iam::{}:policy/x", changes[1].account)]);
        let apart = fold(Kind::Plan, &changes);
        assert_eq!(apart.len(), 3);
        assert!(apart.iter().filter(|group| group.has_placeholder()).count() <= 1);
    }

    #[test]
    fn a_rule_that_is_the_same_in_many_regions_is_told_once() {
        let mut changes = fixture::report(Kind::Plan).changes;
        let first = changes.swap_remove(0);
        let changes: Vec<Change> = (0..2_000)
            .flat_map(|number| {
                ["eu-west-1", "us-east-1", "us-west-2"].map(|region| (number, region))
            })
            .map(|(number, region)| Change {
                account: format!("2{number:011}").parse().unwrap(),
                account_name: format!("account-{number:04}"),
                resource_type: ResourceType::AlertRule,
                name: format!("{region}:break-glass-root"),
                fields: Vec::new(),
                ..first.clone()
            })
            .collect();
        assert_eq!(
            titles(&fold(Kind::Plan, &changes)),
            ["break-glass-root in 3 Regions in account-0000, account-0001 and 1998 more"]
        );
        assert_eq!(
            fold(Kind::Plan, &changes[..1])[0].change.name,
            "eu-west-1:break-glass-root"
        );
    }

    #[test]
    fn accounts_of_one_name_are_told_apart() {
        let account = |name: &str, id: &str| (name.to_owned(), id.parse().unwrap());
        let accounts = Accounts::new([
            account("shop", "000000000002"),
            account("", "000000000003"),
            account("shop", "000000000001"),
        ]);
        assert_eq!(
            accounts.words(),
            "000000000003, shop (000000000001), shop (000000000002)"
        );
    }
}
