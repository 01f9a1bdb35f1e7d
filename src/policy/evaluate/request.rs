//! What is asked: who wants to do what, on what, under which circumstances.

use serde::{Serialize, Serializer};

use super::caller::Caller;
use crate::ids::AccountId;

/// Holds one request, to be decided by [`evaluate`](super::evaluate).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who makes it.
    pub principal: Caller,
    /// The action, such as `s3:GetObject`.
    pub action: String,
    /// The resource; `*` for actions that know none.
    pub resource: String,
    /// The account that owns the resource. Not given, it is that of the resource's ARN, and else the caller's: the ARN of
    /// a bucket names no account.
    pub resource_account: Option<AccountId>,
    /// What is known of the circumstances.
    pub context: Context,
    /// The management account of the organization, which SCPs and RCPs do not bind.
    pub management_account: Option<AccountId>,
}

/// Holds the condition keys of a request. A key that is not in it is absent, unless the principal implies it.
///
/// Keys are compared without regard to ASCII case, the tag key of `aws:PrincipalTag/KEY` included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    entries: Vec<(String, ContextValue)>,
}

/// Holds what is known of one condition key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContextValue {
    /// Nothing: it may be absent, or have any value.
    Unknown,
    /// It has these values; without any it is absent, also when the principal would imply it.
    Values(Vec<String>),
}

impl ContextValue {
    /// The value of a key that is not in a request.
    pub const ABSENT: Self = Self::Values(Vec::new());

    /// Makes the value of a key that has one value.
    #[must_use]
    pub fn one(text: impl Into<String>) -> Self {
        Self::Values(vec![text.into()])
    }
}

impl Serialize for ContextValue {
    /// Writes it as a request line has it: `null` for unknown, `[]` for absent, one text, or a list.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown => serializer.serialize_none(),
            Self::Values(values) => match values.as_slice() {
                [value] => serializer.serialize_str(value),
                values => values.serialize(serializer),
            },
        }
    }
}

impl schemars::JsonSchema for ContextValue {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ContextValue".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["null", "string", "array"], "items": { "type": "string" },
        })
    }
}

impl Context {
    /// Makes a context in which every key is absent.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key, and returns what it had.
    pub fn set(&mut self, key: &str, value: ContextValue) -> Option<ContextValue> {
        let mut entries = self.entries.iter_mut();
        if let Some((_, old)) = entries.find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            return Some(std::mem::replace(old, value));
        }
        self.entries.push((key.to_ascii_lowercase(), value));
        None
    }

    /// What is known of a key; `None` when it was not set.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&ContextValue> {
        let mut entries = self.entries.iter();
        let found = entries.find(|(known, _)| known.eq_ignore_ascii_case(key));
        found.map(|(_, value)| value)
    }

    /// The keys that were set, in lower case.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.as_str())
    }
}
