//! Selectors: how a spec or the command line names accounts.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use globset::GlobMatcher;

use super::{Account, AccountState, Organization};
use crate::glob::compile;
use crate::ids::{AccountId, is_account_id};

/// Names accounts: all of them, one by id or name, those below a unit, or those with a tag.
#[derive(Debug, Clone)]
pub struct Selector {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    All,
    Management,
    Emergency,
    Id(AccountId),
    Name(Name),
    UnitPath(Name),
    UnitId(String),
    Tag { key: String, value: Name },
}

/// A name to match: literal, or a glob, which may match nothing without being a mistake.
#[derive(Debug, Clone)]
enum Name {
    Literal(String),
    Glob(GlobMatcher),
}

impl Name {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the name is empty".to_owned());
        }
        if !text.contains(['*', '?', '[', '{']) {
            return Ok(Self::Literal(text.to_owned()));
        }
        let glob = compile(text, false).map_err(|why| format!("the glob can't be read: {why}"))?;
        Ok(Self::Glob(glob))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Literal(name) => name == text,
            Self::Glob(glob) => glob.is_match(text),
        }
    }
}

impl FromStr for Selector {
    type Err = String;

    /// Reads a selector; the error says what a selector looks like.
    fn from_str(text: &str) -> Result<Self, String> {
        let kind = if text == "*" {
            Kind::All
        } else if text == "management" {
            Kind::Management
        } else if text == "emergency" {
            Kind::Emergency
        } else if is_account_id(text) {
            Kind::Id(text.parse().map_err(|error| format!("{error}"))?)
        } else if let Some(name) = text.strip_prefix("account:") {
            Kind::Name(Name::parse(name)?)
        } else if let Some(path) = text.strip_prefix("ou:") {
            match path.trim_end_matches('/') {
                "" if path == "/" => Kind::All,
                path if path.starts_with('/') => Kind::UnitPath(Name::parse(path)?),
                path => {
                    return Err(format!(
                        "an OU path begins at the root: write \"ou:/{path}\""
                    ));
                }
            }
        } else if text.starts_with("ou-") || text.starts_with("r-") {
            Kind::UnitId(text.to_owned())
        } else if let Some(tag) = text.strip_prefix("tag:") {
            let (key, value) = tag
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or("a tag selector is written tag:KEY=VALUE")?;
            Kind::Tag {
                key: key.to_owned(),
                value: if value.is_empty() {
                    Name::Literal(String::new())
                } else {
                    Name::parse(value)?
                },
            }
        } else {
            return Err(
                "a selector is \"*\", a 12-digit account id, account:NAME, ou:/Path/By/Name, ou-…, \
                 tag:KEY=VALUE, management or emergency"
                    .to_owned(),
            );
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Selector {
    /// Tells whether deciding this selector needs the accounts' tags.
    #[must_use]
    pub fn needs_tags(&self) -> bool {
        matches!(self.kind, Kind::Tag { .. })
    }

    fn matches(
        &self,
        organization: &Organization,
        emergency: &AccountId,
        id: &AccountId,
        account: &Account,
    ) -> bool {
        let mut above = organization.units_above(account).into_iter();
        match &self.kind {
            Kind::All => true,
            Kind::Management => *id == organization.management_account,
            Kind::Emergency => id == emergency,
            Kind::Id(wanted) => id == wanted,
            Kind::Name(name) => name.matches(&account.name),
            Kind::UnitPath(path) => above.any(|unit| path.matches(&organization.unit_path(unit))),
            Kind::UnitId(wanted) => {
                // Every account is below the root, whose id only a top-level parent tells.
                account.parent == *wanted
                    || organization.is_root(wanted)
                    || above.any(|unit| unit == wanted)
            }
            Kind::Tag { key, value } => account
                .tags
                .as_ref()
                .and_then(|tags| tags.get(key))
                .is_some_and(|tag| value.matches(tag)),
        }
    }

    /// Tells whether matching nothing may be meant: a glob or a tag waits for accounts to come.
    fn may_match_nothing(&self) -> bool {
        match &self.kind {
            Kind::Name(name) | Kind::UnitPath(name) => matches!(name, Name::Glob(_)),
            Kind::Tag { .. } => true,
            Kind::All | Kind::Management | Kind::Emergency | Kind::Id(_) | Kind::UnitId(_) => false,
        }
    }

    fn names_existing_unit(&self, organization: &Organization) -> bool {
        organization.units.keys().any(|id| match &self.kind {
            Kind::UnitId(wanted) => id == wanted,
            Kind::UnitPath(path) => path.matches(&organization.unit_path(id)),
            _ => false,
        })
    }
}

/// Holds an `include` and an `exclude` list of selectors.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// What is taken in; nothing when empty.
    pub include: Vec<Selector>,
    /// What is left out again.
    pub exclude: Vec<Selector>,
}

/// Tells how grave a selector's problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The selection can't be meant: nothing may be planned on it.
    Error,
    /// The selection may be meant as it is.
    Warning,
}

/// Reports a selector that matches no active account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectorProblem {
    /// `include` or `exclude`.
    pub list: &'static str,
    /// The place in that list, from 0.
    pub index: usize,
    /// An error, or a warning for globs, tags, empty units and accounts that are not active.
    pub severity: Severity,
    /// What is wrong, in words.
    pub message: String,
}

impl Selection {
    /// Finds the active accounts that are included and not excluded, and the selectors that match nothing.
    #[must_use]
    pub fn resolve(
        &self,
        organization: &Organization,
        emergency: &AccountId,
    ) -> (BTreeSet<AccountId>, Vec<SelectorProblem>) {
        let mut problems = Vec::new();
        let mut side = |list: &'static str, selectors: &[Selector]| {
            let mut selected = BTreeSet::new();
            for (index, selector) in selectors.iter().enumerate() {
                let before = selected.len();
                let mut matched = Vec::new();
                for (id, account) in &organization.accounts {
                    if selector.matches(organization, emergency, id, account) {
                        matched.push((id, account.state));
                    }
                }
                let active = matched
                    .iter()
                    .filter(|(_, state)| *state == AccountState::Active);
                selected.extend(active.clone().map(|(id, _)| (*id).clone()));
                if selected.len() == before && active.count() == 0 {
                    problems.push(explain(organization, list, index, selector, &matched));
                }
            }
            selected
        };
        let included = side("include", &self.include);
        let excluded = side("exclude", &self.exclude);
        (included.difference(&excluded).cloned().collect(), problems)
    }

    /// Tells whether an account is one that [`Self::resolve`] finds. Of the organization it needs no other account.
    #[must_use]
    pub fn selects(
        &self,
        organization: &Organization,
        emergency: &AccountId,
        id: &AccountId,
        account: &Account,
    ) -> bool {
        let matches = |selectors: &[Selector]| {
            let mut selectors = selectors.iter();
            selectors.any(|selector| selector.matches(organization, emergency, id, account))
        };
        account.state == AccountState::Active && matches(&self.include) && !matches(&self.exclude)
    }

    /// Tells whether deciding this selection needs the accounts' tags.
    #[must_use]
    pub fn needs_tags(&self) -> bool {
        self.include
            .iter()
            .chain(&self.exclude)
            .any(Selector::needs_tags)
    }
}

fn explain(
    organization: &Organization,
    list: &'static str,
    index: usize,
    selector: &Selector,
    matched: &[(&AccountId, AccountState)],
) -> SelectorProblem {
    let (severity, message) = if let Some((id, state)) = matched.first() {
        (
            Severity::Warning,
            format!(
                "{selector} matches only accounts that are not active, such as {id}, which is {}",
                state.as_words()
            ),
        )
    } else if selector.names_existing_unit(organization) {
        (
            Severity::Warning,
            format!("{selector} is an OU without accounts"),
        )
    } else if selector.may_match_nothing() {
        (
            Severity::Warning,
            format!("{selector} matches no account now"),
        )
    } else {
        (
            Severity::Error,
            format!("{selector} matches no account of {}", organization.id),
        )
    };
    SelectorProblem {
        list,
        index,
        severity,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    fn selection(include: &[&str], exclude: &[&str]) -> Selection {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Selection {
            include: parse(include),
            exclude: parse(exclude),
        }
    }

    /// Selects each account while no other is known.
    fn select_alone(include: &[&str], exclude: &[&str]) -> String {
        let whole = sample();
        let selection = selection(include, exclude);
        let emergency = "222222222222".parse().unwrap();
        let mut tree = whole.clone();
        tree.accounts.clear();
        let selected = whole.accounts.iter();
        let selected =
            selected.filter(|(id, account)| selection.selects(&tree, &emergency, id, account));
        selected.map(|(id, _)| &id.as_str()[..1]).collect()
    }

    fn select(include: &[&str], exclude: &[&str]) -> (String, Vec<(Severity, String)>) {
        let selection = selection(include, exclude);
        let (accounts, problems) = selection.resolve(&sample(), &"222222222222".parse().unwrap());
        let digits = accounts.iter().map(|id| &id.as_str()[..1]).collect();
        let problems = problems
            .into_iter()
            .map(|problem| (problem.severity, problem.message))
            .collect();
        (digits, problems)
    }

    #[test]
    fn each_form_selects_what_it_names() {
        let cases: &[(&[&str], &[&str], &str)] = &[
            (&["*"], &[], "12345"),
            (&["*"], &["ou:/Sandbox"], "1234"),
            (&["333333333333"], &[], "3"),
            (&["account:prod-web"], &[], "4"),
            (&["account:prod-*"], &[], "34"),
            (&["ou:/Workloads"], &[], "34"),
            (&["ou:/Workloads/"], &["ou:/Workloads/Prod"], "4"),
            (&["ou:/Workloads/*"], &[], "3"),
            (&["ou:/"], &[], "12345"),
            (&["ou-root-work"], &[], "34"),
            (&["r-root"], &[], "12345"),
            (&["tag:tier=1"], &[], "3"),
            (&["tag:tier=*"], &[], "3"),
            (&["management", "emergency"], &[], "12"),
            (&[], &[], ""),
        ];
        for (include, exclude, expected) in cases {
            let (selected, problems) = select(include, exclude);
            assert_eq!(&selected, expected, "{include:?} but {exclude:?}");
            assert!(problems.is_empty(), "{problems:?}");
            assert_eq!(&select_alone(include, exclude), expected);
        }
    }

    #[test]
    fn a_selector_that_matches_nothing_is_an_error_unless_it_may_be_meant() {
        let cases = [
            ("999999999999", Severity::Error),
            ("account:nobody", Severity::Error),
            ("ou:/Nowhere", Severity::Error),
            ("ou-root-nowhere", Severity::Error),
            ("r-nowhere", Severity::Error),
            ("account:no*", Severity::Warning),
            ("tag:tier=9", Severity::Warning),
            ("ou:/Empty", Severity::Warning),
            ("666666666666", Severity::Warning),
        ];
        for (text, severity) in cases {
            let (selected, problems) = select(&["*"], &[text]);
            assert_eq!(selected, "12345");
            assert_eq!(problems.len(), 1, "{text}");
            assert_eq!(problems[0].0, severity, "{}", problems[0].1);
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in [
            "",
            "prod",
            "ou:Workloads",
            "tag:tier",
            "tag:=1",
            "account:",
            "12345",
            "account:[a",
        ] {
            assert!(text.parse::<Selector>().is_err(), "{text:?}");
        }
    }
}
