//! Addresses: the stable names of everything that a plan, a report or an ignore rule can speak of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::AccountId;

/// Names one managed thing: `ACCOUNT/TYPE/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    /// The account it lives in.
    pub account: AccountId,
    /// What kind of thing it is.
    pub resource_type: ResourceType,
    /// Its name, unique for the type within the account.
    pub name: String,
}

/// Tells what kind of thing an address names.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ResourceType {
    /// A customer managed policy.
    IamPolicy,
    /// A user.
    IamUser,
    /// A role.
    IamRole,
    /// A user's console password (login profile).
    Credential,
}

impl ResourceType {
    /// Every type, in the order in which plans list them.
    pub const ALL: [Self; 4] = [
        Self::IamPolicy,
        Self::IamUser,
        Self::IamRole,
        Self::Credential,
    ];

    /// The type as addresses write it, such as `iam_role`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IamPolicy => "iam_policy",
            Self::IamUser => "iam_user",
            Self::IamRole => "iam_role",
            Self::Credential => "credential",
        }
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ResourceType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::as_str).join(", ");
                format!("{text:?} is no resource type; known are {known}")
            })
    }
}

impl schemars::JsonSchema for Address {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Address".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let types = ResourceType::ALL.map(ResourceType::as_str).join("|");
        schemars::json_schema!({ "type": "string", "pattern": format!("^[0-9]{{12}}/({types})/.+$") })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.account, self.resource_type, self.name)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '/');
        let (Some(account), Some(resource_type), Some(name)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(format!("{text:?} is no address (ACCOUNT/TYPE/NAME)"));
        };
        Ok(Self {
            account: account.parse().map_err(|error| format!("{error}"))?,
            resource_type: resource_type.parse()?,
            name: name.to_owned(),
        })
    }
}

impl TryFrom<String> for Address {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip_and_names_may_hold_anything_after_the_type() {
        let text = "111122223333/iam_role/Break=Glass,a@b";
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
        for bad in [
            "",
            "111122223333",
            "111122223333/iam_role",
            "1/iam_role/x",
            "111122223333/role/x",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
