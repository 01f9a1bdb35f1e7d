//! Values with a form of their own: durations, shares, days, references and account selectors.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Arn, is_account_id, is_iam_name};
use crate::org::{Selection, Selector};

/// Implements what every value kept as text shares, from its `FromStr` and `Display`.
///
/// An error's second line, where there is one, is the hint shown below it.
macro_rules! text_value {
    ($name:ident, $schema:tt) => {
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// Holds a span of time in whole seconds; written `30s`, `15m`, `1h` or `90d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Duration(u64);
text_value!(Duration, { "type": "string", "pattern": "^[0-9]+[smhd]$", "examples": ["30s", "15m", "1h", "90d"] });

/// The units of a [`Duration`] and their seconds, the longest first.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Duration {
    /// Makes a duration of so many seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The length in seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is not a duration\nwrite a number and a unit: 30s, 15m, 1h or 90d")
        };
        let unit = text.chars().last().ok_or_else(wrong)?;
        let (_, seconds) = UNITS
            .into_iter()
            .find(|(letter, _)| *letter == unit)
            .ok_or_else(wrong)?;
        let number = text.strip_suffix(unit).unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(seconds))
            .map(Self)
            .ok_or_else(|| format!("{text:?} is too long a duration"))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fitting = UNITS
            .into_iter()
            .find(|(_, seconds)| self.0 != 0 && self.0.is_multiple_of(*seconds));
        let (letter, seconds) = fitting.unwrap_or(('s', 1));
        f.pad(&format!("{}{letter}", self.0 / seconds))
    }
}

/// Holds a share in whole percent, 0 to 100; written `25%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct Percent(u8);
text_value!(Percent, { "type": "string", "pattern": "^([0-9]{1,2}|100)%$" });

impl Percent {
    pub(super) const fn of(percent: u8) -> Self {
        Self(percent)
    }

    /// The share in percent, 0 to 100.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_suffix('%')
            .filter(|number| number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|number| number.parse().ok())
            .filter(|percent| *percent <= 100)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a share\nwrite a whole number from 0% to 100%"))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}%", self.0))
    }
}

/// Reads a number with its unit; one without is refused for that, not for being no text.
struct WithUnit<T> {
    expecting: &'static str,
    unit: char,
    read: PhantomData<T>,
}

impl<T: FromStr<Err = String>> de::Visitor<'_> for WithUnit<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        let unit = self.unit;
        Err(E::custom(format!(
            "the number {number} has no unit\nwrite {number}{unit}, if that is meant"
        )))
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WithUnit {
            expecting: "a duration such as 30s, 15m, 1h or 90d",
            unit: 's',
            read: PhantomData,
        })
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WithUnit {
            expecting: "a share such as 25%",
            unit: '%',
            read: PhantomData,
        })
    }
}

/// Selects accounts: a [`Selector`] as the spec writes it, compared by its text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountSelector(Selector);
text_value!(AccountSelector, {
    "type": "string",
    "minLength": 1,
    "examples": ["*", "ou:/Path/By/Name", "account:NAME", "tag:KEY=VALUE", "management", "emergency"]
});

impl AccountSelector {
    /// The selector itself.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.0
    }
}

impl FromStr for AccountSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|reason: String| format!("{text:?} selects no accounts\n{reason}"))
    }
}

impl fmt::Display for AccountSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for AccountSelector {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for AccountSelector {}

/// Names who may assume a role: a user of this spec (`user:NAME`), or the ARN of an IAM user or role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Trusted {
    /// A user that this spec declares, by name.
    User(String),
    /// An IAM user or role, here or in any account; the account is 12 digits and nothing is a wildcard.
    Arn(Arn),
}
text_value!(Trusted, { "type": "string", "examples": ["user:bg-alice"], "pattern": "^(user:.+|arn:[^:]+:iam::[0-9]{12}:(user|role)/.+)$" });

impl FromStr for Trusted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const HINT: &str =
            "write user:NAME for a user of this spec, or the ARN of an IAM user or role";
        if let Some(name) = text.strip_prefix("user:") {
            return if is_iam_name(name, 64) {
                Ok(Self::User(name.to_owned()))
            } else {
                Err(format!("{name:?} can't be the name of a user\n{HINT}"))
            };
        }
        let arn: Arn = text
            .parse()
            .map_err(|_| format!("{text:?} is neither user:NAME nor an ARN\n{HINT}"))?;
        if arn.service() == "sts" {
            return Err(format!(
                "{text:?} is a session, which ends after hours\ntrust the role behind it: arn:aws:iam::ACCOUNT:role/NAME"
            ));
        }
        let named = ["user/", "role/"]
            .into_iter()
            .find_map(|kind| arn.resource().strip_prefix(kind));
        if text.contains(['*', '?']) {
            Err(format!(
                "{text:?} has a wildcard, which a trust policy must not\nname each user or role"
            ))
        } else if arn.service() != "iam" || !is_account_id(arn.account()) || named.is_none() {
            Err(format!(
                "{text:?} is not the ARN of an IAM user or role\n{HINT}"
            ))
        } else if !is_iam_name(arn.name(), 64) {
            Err(format!(
                "{:?} can't be the name of a user or role",
                arn.name()
            ))
        } else {
            Ok(Self::Arn(arn))
        }
    }
}

impl fmt::Display for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => f.pad(&format!("user:{name}")),
            Self::Arn(arn) => arn.fmt(f),
        }
    }
}

/// Names a managed policy: one of this spec (`policy:NAME`), or any by its ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PolicyRef {
    /// A policy that this spec declares under `policies`, by name.
    Policy(String),
    /// A managed policy of AWS (`arn:aws:iam::aws:policy/…`) or of the account itself.
    Arn(Arn),
}
text_value!(PolicyRef, { "type": "string", "examples": ["arn:aws:iam::aws:policy/AdministratorAccess"], "pattern": "^(policy:.+|arn:[^:]+:iam::([0-9]{12}|aws):policy/.+)$" });

impl FromStr for PolicyRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const HINT: &str =
            "write policy:NAME for a policy of this spec, or the ARN of a managed policy";
        if let Some(name) = text.strip_prefix("policy:") {
            return if is_iam_name(name, 128) {
                Ok(Self::Policy(name.to_owned()))
            } else {
                Err(format!("{name:?} can't be the name of a policy\n{HINT}"))
            };
        }
        let arn: Arn = text
            .parse()
            .map_err(|_| format!("{text:?} is neither policy:NAME nor an ARN\n{HINT}"))?;
        let owned = arn.account() == "aws" || is_account_id(arn.account());
        if arn.service() == "iam"
            && owned
            && arn.resource().starts_with("policy/")
            && is_iam_name(arn.name(), 128)
        {
            Ok(Self::Arn(arn))
        } else {
            Err(format!(
                "{text:?} is not the ARN of a managed policy\n{HINT}"
            ))
        }
    }
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(name) => f.pad(&format!("policy:{name}")),
            Self::Arn(arn) => arn.fmt(f),
        }
    }
}

/// Names the account of the event bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BusAccount {
    /// The emergency account.
    Emergency,
    /// The management account.
    Management,
    /// An account by id.
    Id(AccountId),
}
text_value!(BusAccount, { "type": "string", "pattern": "^(emergency|management|[0-9]{12})$" });

impl FromStr for BusAccount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "emergency" => Ok(Self::Emergency),
            "management" => Ok(Self::Management),
            id => id.parse().map(Self::Id).map_err(|_| {
                format!(
                    "{id:?} names no account\nwrite emergency, management or a 12-digit account id"
                )
            }),
        }
    }
}

impl fmt::Display for BusAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Emergency => f.pad("emergency"),
            Self::Management => f.pad("management"),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// Holds the version of the spec's format, of which there is one: 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Version;

impl TryFrom<u64> for Version {
    type Error = String;

    fn try_from(version: u64) -> Result<Self, String> {
        if version == 1 {
            Ok(Self)
        } else {
            Err(format!(
                "version {version} of the spec's format is not known\nthis breakglass reads version 1"
            ))
        }
    }
}

impl From<Version> for u64 {
    fn from(Version: Version) -> u64 {
        1
    }
}

impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "const": 1 })
    }
}

/// Selects accounts: what `include` takes in, without what `exclude` leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// Selectors of the accounts that are taken in; every account when absent.
    #[serde(default = "every_account")]
    pub include: Vec<AccountSelector>,
    /// Selectors of the accounts that are left out again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<AccountSelector>,
}

impl Accounts {
    /// The selection, ready to be resolved against an organization.
    #[must_use]
    pub fn selection(&self) -> Selection {
        let selectors = |list: &[AccountSelector]| list.iter().map(|item| item.0.clone()).collect();
        Selection {
            include: selectors(&self.include),
            exclude: selectors(&self.exclude),
        }
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            include: every_account(),
            exclude: Vec::new(),
        }
    }
}

fn every_account() -> Vec<AccountSelector> {
    "*".parse().into_iter().collect()
}

pub(super) fn yes() -> bool {
    true
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
pub(super) fn is_true(value: &bool) -> bool {
    *value
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Reads a value for which null may be written; anywhere else a missing value is a mistake.
pub(super) fn nullable<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PolicyRef>, D::Error> {
    struct NullOrRef;
    impl de::Visitor<'_> for NullOrRef {
        type Value = Option<PolicyRef>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("policy:NAME, the ARN of a managed policy, or null")
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            text.parse().map(Some).map_err(E::custom)
        }
    }
    deserializer.deserialize_any(NullOrRef)
}

/// Reads and writes a day as `2027-06-30`, and nothing looser.
pub(super) mod date {
    use jiff::civil::Date;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .ok()
            .filter(|date: &Date| date.to_string() == text)
            .ok_or_else(|| {
                D::Error::custom(format!("{text:?} is not a day\nwrite it as 2027-06-30"))
            })
    }

    pub(in super::super) fn serialize<S: Serializer>(
        date: &Date,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }
}

pub(super) fn date_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2027-06-30"] })
}

pub(super) fn account_id_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[0-9]{12}$", "examples": ["222233334444"] })
}

pub(super) fn path_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^/([!-~]+/)?$", "maxLength": 512 })
}

pub(super) fn by_account_schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let value = generator.subschema_for::<T>();
    json_schema!({ "type": "object", "propertyNames": { "pattern": "^[0-9]{12}$" }, "additionalProperties": value })
}
