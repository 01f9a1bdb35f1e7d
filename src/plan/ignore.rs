//! Ignore rules: which differences are left alone, why, and until when.
//!
//! What is live is put into what is wanted before the comparison, so that no operation of a plan ever touches it; what
//! that hides is told beside the plan. The state that gates, coverage and proofs go by is the one there is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::diff::{AccountContext, AccountDiff, Left, diff_leaving};
use super::guardrails::{GuardrailContext, GuardrailDiff, diff_guardrails};
use super::{Action, Change};
use crate::ids::Arn;
use crate::spec::{Loaded, element};
use crate::state::{
    Address, AddressPattern, Desired, DesiredGuardrails, Guardrails, Inventory, Origin,
    ResourceType,
};

/// How many days before the last day of an exception or an ignore rule it is told of.
pub(super) const NEAR: i32 = 30;

/// The field by which coverage tells of a role; the spec exempts accounts from it by `coverage.exempt` alone.
pub(super) const COVERAGE: &str = "coverage";

/// Tells how near the end of something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// Its last day is over.
    Expired,
    /// Its last day is at most thirty days away.
    NearExpiry,
    /// It is not.
    Active,
}

impl Expiry {
    /// Tells how near a last day is.
    #[must_use]
    pub fn of(last: Date, today: Date) -> Self {
        match today.until(last).map_or(0, |left| left.get_days()) {
            _ if last < today => Self::Expired,
            left if left <= NEAR => Self::NearExpiry,
            _ => Self::Active,
        }
    }
}

/// Says which rule of the spec a difference is left alone by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnoreRule {
    /// Its place in the spec's list `ignore`, from 0.
    pub index: usize,
    /// What it matches.
    pub r#match: String,
    /// Why it is there.
    pub reason: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its last day.
    #[schemars(with = "String")]
    pub expires: Date,
    /// Where it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Origin>,
}

impl IgnoreRule {
    /// Tells whether another rule says the same, wherever each is written.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let place = |rule: &Self| Self {
            index: 0,
            source: None,
            ..rule.clone()
        };
        place(self) == place(other)
    }
}

/// Lists the ignore rules of a spec, those that are over too, in its order.
#[must_use]
pub fn listed_rules(loaded: &Loaded) -> Vec<IgnoreRule> {
    let rules = loaded.spec.ignore.iter().enumerate();
    rules
        .map(|(index, ignore)| {
            let location = loaded.sources.location_of(&element("ignore", index));
            IgnoreRule {
                index,
                r#match: ignore.r#match.clone(),
                reason: ignore.reason.clone(),
                owner: ignore.owner.clone(),
                expires: ignore.expires,
                source: location.map(|location| Origin {
                    file: location.file.to_owned(),
                    line: location.line,
                }),
            }
        })
        .collect()
}

/// Holds the ignore rules of a spec, compiled once for every account.
#[derive(Debug, Default)]
pub struct IgnoreRules {
    active: Vec<(AddressPattern, IgnoreRule)>,
    notes: Vec<String>,
}

impl IgnoreRules {
    /// Compiles the rules of a spec as they are on a day.
    #[must_use]
    pub fn new(loaded: &Loaded, today: Date) -> Self {
        let mut rules = Self::default();
        for rule in listed_rules(loaded) {
            let told = named(rule.index, &rule.r#match);
            let expires = rule.expires;
            match Expiry::of(expires, today) {
                Expiry::Expired => {
                    rules.notes.push(format!(
                        "{told} expired on {expires}: it leaves nothing alone any more; `breakglass ignore prune` takes it out"
                    ));
                    continue;
                }
                Expiry::NearExpiry => rules.notes.push(format!("{told} expires on {expires}")),
                Expiry::Active => {}
            }
            // A loaded spec has no other.
            if let Ok(pattern) = rule.r#match.parse() {
                rules.active.push((pattern, rule));
            }
        }
        rules
    }

    /// Says which rules are over, and which soon will be.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the rules in force match, by their place in the spec.
    #[must_use]
    pub fn in_force(&self) -> BTreeMap<usize, String> {
        let rules = self.active.iter();
        rules
            .map(|(_, rule)| (rule.index, rule.r#match.clone()))
            .collect()
    }

    /// The first rule by which all of a thing is left alone.
    fn whole(&self, address: &Address) -> Option<&IgnoreRule> {
        self.first(|pattern| pattern.is_whole() && pattern.matches(address))
    }

    /// The first rule by which a field of a thing is left alone.
    fn field(&self, address: &Address, path: &str) -> Option<&IgnoreRule> {
        if path == COVERAGE {
            return None;
        }
        self.first(|pattern| pattern.covers_field(path) && pattern.matches(address))
    }

    fn first(&self, covers: impl Fn(&AddressPattern) -> bool) -> Option<&IgnoreRule> {
        let mut rules = self.active.iter();
        rules
            .find(|(pattern, _)| covers(pattern))
            .map(|(_, rule)| rule)
    }

    /// Says what is left alone of a change, by rule: the fields that each covers.
    ///
    /// What is made or deleted is left alone as a whole or not at all.
    fn covered<'a>(&'a self, change: &'a Change) -> BTreeMap<&'a IgnoreRule, Vec<&'a str>> {
        let mut covered: BTreeMap<&IgnoreRule, Vec<&str>> = BTreeMap::new();
        let fields = change.fields.iter().map(|field| field.path.as_str());
        match change.action {
            Action::Create | Action::Delete => {
                if let Some(rule) = self.whole(&change.address) {
                    covered.insert(rule, fields.collect());
                }
            }
            Action::Update | Action::Manual => {
                for path in fields {
                    if let Some(rule) = self.field(&change.address, path) {
                        covered.entry(rule).or_default().push(path);
                    }
                }
            }
        }
        covered
    }

    /// Says what of these changes is left alone.
    fn left(&self, changes: &[Change]) -> Left {
        let mut left = Left::default();
        if self.active.is_empty() {
            return left;
        }
        for change in changes {
            let covered = self.covered(change);
            let paths: BTreeSet<String> = covered
                .values()
                .flatten()
                .map(|path| (*path).to_owned())
                .collect();
            let is_whole = change
                .fields
                .iter()
                .all(|field| paths.contains(&field.path));
            if is_whole {
                left.whole.insert((change.address.clone(), change.action));
            } else if !paths.is_empty() {
                left.fields.insert(change.address.clone(), paths);
            }
        }
        left
    }

    /// Tells what of a change is left alone, once for each rule; without the operations, which nobody carries out.
    fn told(&self, change: &Change) -> Vec<Change> {
        let covered = self.covered(change).into_iter();
        covered
            .map(|(rule, paths)| Change {
                fields: change
                    .fields
                    .iter()
                    .filter(|field| paths.contains(&field.path.as_str()))
                    .cloned()
                    .collect(),
                operations: Vec::new(),
                ignored_by: Some(rule.clone()),
                ..change.clone()
            })
            .collect()
    }

    /// Parts changes that are for nobody but people to act on into those that stay and those that are left alone.
    #[must_use]
    pub fn part(&self, changes: Vec<Change>) -> (Vec<Change>, Vec<Change>) {
        let (ignored, rest): (Vec<Change>, Vec<Change>) = changes
            .into_iter()
            .partition(|change| !self.covered(change).is_empty());
        let ignored = ignored.iter().flat_map(|change| self.told(change));
        (rest, ignored.collect())
    }
}

/// Names a rule, as the other notes on a spec name its parts.
pub(super) fn named(index: usize, pattern: &str) -> String {
    format!("{} ({pattern})", element("ignore", index))
}

/// Compares an account with what the spec wants of it, leaving alone what its rules say.
///
/// `absent` are the users of the emergency account that are not there and are left so: no trust policy can name them.
#[must_use]
pub fn diff_account_under(
    context: &AccountContext<'_>,
    desired: &Desired,
    live: &Inventory,
    rules: &IgnoreRules,
    absent: &BTreeSet<Arn>,
) -> AccountDiff {
    let all = diff_leaving(context, desired, live, &Left::default());
    let mut left = rules.left(&all.changes);
    if left.is_empty() && absent.is_empty() {
        return all;
    }
    // What is left of a change that is carried out in part is weighed by itself: as if the rest were left alone.
    let mut alone = Vec::new();
    if !left.fields.is_empty() {
        alone = diff_leaving(context, desired, live, &left.turned(&all.changes)).changes;
    }
    let mut ignored = Vec::new();
    for change in &all.changes {
        let key = (change.address.clone(), change.action);
        if left.whole.contains(&key) {
            ignored.extend(rules.told(change));
        } else if left.fields.contains_key(&change.address) {
            let of_it = |other: &&Change| other.address == change.address;
            let part = alone.iter().find(of_it);
            ignored.extend(part.into_iter().flat_map(|part| rules.told(part)));
        }
    }
    left.absent = absent | &absent_users(context, desired, &ignored);
    let rest = diff_leaving(context, desired, live, &left);
    // Whatever could not be left alone is told where it is, and only there.
    ignored.retain_mut(|change| {
        let of_it = |other: &&Change| other.address == change.address;
        if let Some(rest) = rest.changes.iter().find(of_it)
            && left.fields.contains_key(&change.address)
        {
            let told = |path: &String| rest.fields.iter().any(|field| field.path == *path);
            change.fields.retain(|field| !told(&field.path));
        }
        !change.fields.is_empty()
    });
    AccountDiff {
        changes: rest.changes,
        cosmetic: rest.cosmetic,
        managed: all.managed,
        alerts: all.alerts,
        ignored,
    }
}

/// Names the users that the spec wants, that are not there or lie at another path, and that are left so.
#[must_use]
pub fn absent_users<'a>(
    context: &AccountContext<'_>,
    desired: &Desired,
    ignored: impl IntoIterator<Item = &'a Change>,
) -> BTreeSet<Arn> {
    let absent = ignored.into_iter().filter(|change| {
        change.resource_type == ResourceType::IamUser
            && (change.action == Action::Create
                || change.fields.iter().any(|field| field.path == "path"))
    });
    let names: BTreeSet<&String> = absent.map(|change| &change.name).collect();
    let users = desired.users.iter().flatten();
    users
        .filter(|(name, _)| names.contains(name))
        .map(|(name, wanted)| {
            let path = &wanted.value.user.path;
            Arn::iam(context.partition, context.id, "user", path, name)
        })
        .collect()
}

/// Compares guardrails with what the spec wants of them, leaving alone what its rules say.
///
/// An exception is left alone as a whole: each document rests on those before it.
#[must_use]
pub fn diff_guardrails_under(
    context: &GuardrailContext<'_>,
    desired: &DesiredGuardrails,
    live: &Guardrails,
    rules: &IgnoreRules,
) -> GuardrailDiff {
    let all = diff_guardrails(context, desired, live);
    let (_, ignored) = rules.part(all.changes.clone());
    if ignored.is_empty() {
        return all;
    }
    let left: BTreeSet<&Address> = ignored.iter().map(|change| &change.address).collect();
    let covers = |address: &Address| (context.covers)(address) && !left.contains(address);
    let context = GuardrailContext {
        covers: &covers,
        ..*context
    };
    let rest = diff_guardrails(&context, desired, live);
    GuardrailDiff {
        managed: all.managed,
        notes: all.notes,
        ignored,
        ..rest
    }
}
