//! The typed model of a policy document: what was written, in the order it was written.
//!
//! A string and a list of one string are the same here, as are a statement and a list of one statement, and an empty
//! operator in a `Condition` is dropped; everything else is kept, so that a printed document reads back as the same model.

use std::collections::BTreeSet;

use super::condition::Operator;

/// Holds one policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The language version; AWS reads an absent one as [`Version::V2008`].
    pub version: Option<Version>,
    /// A name for the document, without effect.
    pub id: Option<String>,
    /// The statements; never empty when parsed.
    pub statements: Vec<Statement>,
}

impl Document {
    /// A document that says nothing, to which any other can be compared.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            version: Some(Version::V2012),
            id: None,
            statements: Vec::new(),
        }
    }

    /// An identity policy that allows everything, as AdministratorAccess does.
    #[must_use]
    pub fn everything() -> Self {
        let all = || Selection::Only(vec!["*".to_owned()]);
        Self {
            statements: vec![Statement {
                sid: None,
                effect: Effect::Allow,
                principals: None,
                actions: all(),
                resources: Some(all()),
                conditions: Vec::new(),
            }],
            ..Self::empty()
        }
    }

    /// The language version that AWS applies.
    #[must_use]
    pub fn effective_version(&self) -> Version {
        self.version.unwrap_or(Version::V2008)
    }
}

/// Names a version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `2008-10-17`: has no policy variables, `${…}` is plain text.
    V2008,
    /// `2012-10-17`.
    V2012,
}

impl Version {
    /// The date that names the version.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

/// Holds one statement of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// A name for the statement, without effect.
    pub sid: Option<String>,
    /// What happens to a request that the statement matches.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; absent in policies that are attached to a principal.
    pub principals: Option<Principals>,
    /// `Action` or `NotAction`.
    pub actions: Actions,
    /// `Resource` or `NotResource`; absent in trust policies.
    pub resources: Option<Resources>,
    /// The tests of `Condition`, which all must pass. No two share both operator and key when parsed.
    pub conditions: Vec<Condition>,
}

/// Says what a statement does with the requests that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

impl Effect {
    /// The word as AWS writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

/// Selects by a list: what is in it (`Action`), or everything but that (`NotAction`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selection<L> {
    /// Only what the list matches.
    Only(L),
    /// Everything except what the list matches.
    Except(L),
}

impl<L> Selection<L> {
    /// The list, whichever way it selects.
    pub fn list(&self) -> &L {
        match self {
            Self::Only(list) | Self::Except(list) => list,
        }
    }

    /// Tells whether this is the `Not…` variant of its element.
    pub fn is_negated(&self) -> bool {
        matches!(self, Self::Except(_))
    }

    /// Rebuilds the list, keeping which way it selects.
    pub(super) fn map<M>(&self, build: impl FnOnce(&L) -> M) -> Selection<M> {
        match self {
            Self::Only(list) => Selection::Only(build(list)),
            Self::Except(list) => Selection::Except(build(list)),
        }
    }
}

/// Lists who a statement is about.
pub type Principals = Selection<Vec<Principal>>;
/// Lists action patterns, such as `s3:Get*`.
pub type Actions = Selection<Vec<String>>;
/// Lists resource patterns, mostly ARNs.
pub type Resources = Selection<Vec<String>>;

/// Names a principal, or many.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// The bare `"Principal": "*"`. It stands alone: beside others it is printed as `{"AWS": "*"}`.
    Star,
    /// `AWS`: an ARN, a 12-digit account id, the unique id of a deleted principal, or `*`.
    Aws(String),
    /// `Service`: such as `ec2.amazonaws.com`.
    Service(String),
    /// `Federated`: the ARN or name of an identity provider.
    Federated(String),
    /// `CanonicalUser`: the canonical user id of an account, known to S3 alone.
    CanonicalUser(String),
}

impl Principal {
    /// The key of the principal map under which it is written, and its value.
    #[must_use]
    pub fn entry(&self) -> (&'static str, &str) {
        match self {
            Self::Star => ("AWS", "*"),
            Self::Aws(name) => ("AWS", name),
            Self::Service(name) => ("Service", name),
            Self::Federated(name) => ("Federated", name),
            Self::CanonicalUser(name) => ("CanonicalUser", name),
        }
    }
}

/// Tests one condition key with one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The test.
    pub operator: Operator,
    /// The condition key, such as `aws:PrincipalTag/team`; its case does not matter to AWS.
    pub key: String,
    /// The values, of which one must match (of a negated operator: none may).
    pub values: Vec<ConditionValue>,
}

/// Holds a value of a condition as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionValue {
    /// A string.
    String(String),
    /// A number without quotes, as its exact text.
    Number(String),
    /// A boolean without quotes.
    Bool(bool),
}

impl ConditionValue {
    /// The text that AWS compares: quotes around a number or boolean change nothing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::String(text) | Self::Number(text) => text,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
        }
    }
}

/// The operators of a list of conditions, each once, in the order of their first use.
pub(super) fn operators(conditions: &[Condition]) -> Vec<Operator> {
    let mut seen = BTreeSet::new();
    let all = conditions.iter().map(|condition| condition.operator);
    all.filter(|operator| seen.insert(*operator)).collect()
}
