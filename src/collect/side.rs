//! The two specs that a comparison can know of: the one there is, and the one before its present change.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::CompareRequest;
use crate::ids::Arn;
use crate::org::Organization;
use crate::plan::{
    AccountContext, AccountDiff, Change, DrillRules, IgnoreRules, attribute, diff_account_under,
    due_drills,
};
use crate::resolve::{Resolver, needs_tags};
use crate::spec::{Loaded, Problem};
use crate::state::{Address, Desired, Inventory};

/// Holds the spec as it was before its present change.
#[derive(Debug, Clone)]
pub struct BaseSpec {
    /// The revision.
    pub revision: String,
    /// The spec, or why there is none that can be used: everything is then part of the change.
    pub spec: Result<Box<Loaded>, String>,
}

impl BaseSpec {
    /// Tells whether the accounts' tags are needed to tell what it means.
    pub(super) fn needs_tags(&self) -> bool {
        self.spec
            .as_ref()
            .is_ok_and(|loaded| needs_tags(&loaded.spec))
    }

    /// The ignore rules that it had.
    pub(super) fn ignore_rules(&self, now: Timestamp) -> IgnoreRules {
        let spec = self.spec.as_ref();
        spec.map_or_else(
            |_| IgnoreRules::default(),
            |loaded| ignore_rules(loaded, now),
        )
    }
}

/// Holds a spec with what it means in an organization.
pub(super) struct Side<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) resolver: Resolver<'a>,
    /// The spec's ignore rules.
    pub(super) rules: &'a IgnoreRules,
}

/// Compiles the ignore rules of a spec as they are at a time.
pub(super) fn ignore_rules(loaded: &Loaded, now: Timestamp) -> IgnoreRules {
    IgnoreRules::new(loaded, now.to_zoned(TimeZone::UTC).date())
}

impl Side<'_> {
    /// Compares an account with what the spec wants of it; `absent` are users that are not there and are left so.
    pub(super) fn compare(
        &self,
        context: &AccountContext<'_>,
        live: &Inventory,
        absent: &BTreeSet<Arn>,
    ) -> (AccountDiff, Desired) {
        let spec = &self.loaded.spec;
        let context = AccountContext {
            managed_path: &spec.defaults.path,
            ..*context
        };
        let desired = self.resolver.desired(context.id);
        let mut diff = diff_account_under(&context, &desired, live, self.rules, absent);
        if let Some(rules) = self.drills(context.now) {
            let due = due_drills(&context, &desired, live, &diff.changes, &rules);
            let (due, ignored) = self.rules.part(due);
            diff.changes.extend(due);
            diff.ignored.extend(ignored);
        }
        (diff, desired)
    }

    /// When drills are due; `None` when the spec does not say.
    fn drills(&self, now: Timestamp) -> Option<DrillRules<'_>> {
        Some(DrillRules {
            drills: &self.loaded.records.drills,
            roles: self.loaded.spec.roles(),
            max_age: self.loaded.spec.drills.as_ref()?.max_age?,
            now,
        })
    }
}

/// Knows what the spec asked for before its present change, where that is told.
pub(super) enum Before<'a> {
    /// Nobody asked for causes.
    Untold,
    /// There is no spec of then that can be used, for this reason.
    Nothing(String),
    /// The spec of then.
    Spec(Box<Side<'a>>),
}

impl<'a> Before<'a> {
    /// `rules` are the ignore rules of the spec of then.
    pub(super) fn of(
        request: &'a CompareRequest,
        organization: &'a Organization,
        rules: &'a IgnoreRules,
    ) -> Self {
        let Some(base) = &request.base else {
            return Self::Untold;
        };
        let revision = &base.revision;
        match &base.spec {
            Err(why) => Self::Nothing(format!("{revision}: {why}; everything counts as changed")),
            Ok(loaded) => match Resolver::new(loaded, organization) {
                Ok((resolver, _)) => Self::Spec(Box::new(Side {
                    loaded,
                    resolver,
                    rules,
                })),
                Err(problems) => Self::Nothing(format!(
                    "the spec of {revision} does not fit the organization ({}); everything counts as changed",
                    first(&problems)
                )),
            },
        }
    }

    /// What the reader should know of it.
    pub(super) fn note(&self) -> Option<String> {
        match self {
            Self::Untold | Self::Spec(_) => None,
            Self::Nothing(note) => Some(note.clone()),
        }
    }

    /// Says of each change whether it comes from the change of the spec; returns what that widens.
    pub(super) fn attribute(
        &self,
        changes: &mut [Change],
        asked: impl FnOnce(&Side<'_>) -> Vec<Change>,
    ) -> Vec<Address> {
        match self {
            Self::Untold => Vec::new(),
            Self::Nothing(_) => attribute(changes, &[]),
            Self::Spec(side) => attribute(changes, &asked(side)),
        }
    }
}

fn first(problems: &[Problem]) -> &str {
    problems.first().map_or("", |problem| &problem.message)
}
