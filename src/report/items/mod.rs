//! Reports as lists of single findings: what the formats that other programs show have in common.
//!
//! SARIF, JUnit and the annotations of GitHub differ in how they write a finding, not in what one is. Each kind of report
//! lists its findings here, once for all of them.

mod apply;
mod closing;
mod drill;
mod plan;
mod usage;
mod verification;

use serde_json::{Map, Value};

use super::group::account_label;
use crate::ids::AccountId;
use crate::plan::Unreadable;
use crate::state::Origin;

/// Names the spec where a report does not.
const DEFAULT_SPEC: &str = "breakglass.yaml";

/// Lists what a report found, and what it found to be right.
#[derive(Debug)]
pub(super) struct Listing {
    /// What was done, such as `drift`.
    pub(super) kind: &'static str,
    /// The organization.
    pub(super) organization: String,
    /// The verdict, in a line.
    pub(super) verdict: String,
    /// Whether everything was read.
    pub(super) complete: bool,
    /// The file that findings without a place of their own are shown at.
    spec_file: Option<String>,
    /// The findings, by name.
    pub(super) items: Vec<Item>,
}

/// Holds one finding, or one thing that is right.
#[derive(Debug)]
pub(super) struct Item {
    /// Whether it is right.
    pub(super) state: State,
    /// How bad it is.
    pub(super) level: Level,
    /// Whether it is told before others that are as bad.
    pub(super) first: bool,
    /// What kind of finding it is.
    pub(super) rule: Rule,
    /// Where it is; none for what belongs to the organization.
    pub(super) account: Option<AccountId>,
    /// The account's name.
    pub(super) account_name: String,
    /// What it is about, unique within the account and the same in every run, such as `iam_role/BreakGlassAdmin`.
    pub(super) name: String,
    /// What is to be said of it, without the account and the name.
    pub(super) message: String,
    /// More of it, line by line.
    pub(super) details: Vec<String>,
    /// Where in the spec it comes from.
    pub(super) source: Option<Origin>,
    /// More of it, for programs.
    pub(super) properties: Map<String, Value>,
    /// Why it is let be, and where that is written.
    pub(super) suppression: Option<(String, Option<Origin>)>,
}

/// Tells whether something is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is.
    Passed,
    /// It is not.
    Failed,
    /// It is not known.
    Unread,
    /// It is not, which is agreed.
    Ignored,
    /// It is left to a person, which is as it should be.
    Left,
}

/// Tells how bad a finding is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// It must not stay a moment.
    Critical,
    /// It must not stay.
    Error,
    /// It should not stay.
    Warning,
    /// It is to be known.
    Note,
}

/// Names a kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rule {
    /// Its id, which never changes.
    pub(super) id: &'static str,
    /// What it is, in a sentence.
    pub(super) text: &'static str,
}

impl Rule {
    pub(super) const fn new(id: &'static str, text: &'static str) -> Self {
        Self { id, text }
    }
}

const UNREADABLE: Rule = Rule::new(
    "unreadable",
    "something could not be read, so nothing is known of it",
);

impl Item {
    /// Makes a finding that has no more to it than this.
    fn new(state: State, level: Level, rule: Rule, name: String, message: String) -> Self {
        Self {
            state,
            level,
            first: false,
            rule,
            account: None,
            account_name: String::new(),
            name,
            message,
            details: Vec::new(),
            source: None,
            properties: Map::new(),
            suppression: None,
        }
    }

    /// Makes something that is right.
    fn passed(name: String) -> Self {
        const PASSED: Rule = Rule::new("passed", "everything is as it must be");
        Self::new(State::Passed, Level::Note, PASSED, name, String::new())
    }

    /// Makes something of which nothing is known.
    fn unread(name: String, error: &str) -> Self {
        let message = format!("could not be read: {error}");
        Self::new(State::Unread, Level::Error, UNREADABLE, name, message)
    }

    /// Says where it is.
    fn within(self, account: &AccountId, name: &str) -> Self {
        Self {
            account: Some(account.clone()),
            account_name: name.to_owned(),
            ..self
        }
    }

    /// The account as people name it; `None` for what belongs to the organization.
    pub(super) fn account_label(&self) -> Option<String> {
        let account = self.account.as_ref()?;
        Some(account_label(&self.account_name, account))
    }

    /// What it is about with where that is, the same in every run: `ACCOUNT/TYPE/NAME`, or `org/TYPE/NAME`.
    pub(super) fn address(&self) -> String {
        let account = self.account.as_ref().map_or("org", AccountId::as_str);
        format!("{account}/{}", self.name)
    }

    /// What it is about as people name it, such as `iam_role BreakGlassAdmin`.
    pub(super) fn title(&self) -> String {
        self.name.replacen('/', " ", 1)
    }
}

impl Listing {
    fn new(kind: &'static str, organization: &str, verdict: String) -> Self {
        Self {
            kind,
            organization: organization.to_owned(),
            verdict,
            complete: true,
            spec_file: None,
            items: Vec::new(),
        }
    }

    /// Sorts the items, and says whether everything was read.
    fn finish(mut self) -> Self {
        self.items.sort_by(|one, other| {
            let key = |item: &Item| (item.address(), item.rule, item.message.clone());
            key(one).cmp(&key(other))
        });
        self.complete = self.items.iter().all(|item| item.state != State::Unread);
        self
    }

    /// Says which file findings without a place of their own are shown at.
    fn at(&mut self, file: Option<&String>) {
        self.spec_file = file.cloned();
    }

    /// Where in the spec an item is shown: where it comes from, or else at the beginning.
    pub(super) fn place<'a>(&'a self, item: &'a Item) -> (&'a str, usize) {
        let known = |source: &&Origin| source.line > 0 && !source.file.is_empty();
        if let Some(source) = item.source.as_ref().filter(known) {
            return (&source.file, source.line);
        }
        let sources = self.items.iter().filter_map(|item| item.source.as_ref());
        let files = sources.filter(known).map(|source| source.file.as_str());
        let file = self.spec_file.as_deref().or_else(|| files.min());
        (file.unwrap_or(DEFAULT_SPEC), 1)
    }

    /// What an ignore rule lets be.
    pub(super) fn suppressed(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.suppression.is_some())
    }

    /// The findings without what is right or agreed, the worst first.
    pub(super) fn findings(&self) -> Vec<&Item> {
        let items = self.items.iter();
        let open = |item: &&Item| !matches!(item.state, State::Passed | State::Ignored);
        let mut findings: Vec<&Item> = items.filter(open).collect();
        findings.sort_by_key(|item| (item.level, !item.first));
        findings
    }
}

/// Lists the accounts that could not be read.
fn unreadable(accounts: &[Unreadable]) -> impl Iterator<Item = Item> {
    accounts.iter().map(|unreadable| {
        Item::unread("account".to_owned(), &unreadable.error)
            .within(&unreadable.account, &unreadable.account_name)
    })
}
