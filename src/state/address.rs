//! Addresses: the stable names of everything that a plan, a report or an ignore rule can speak of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::AccountId;

/// Names one managed thing: `ACCOUNT/TYPE/NAME`, or `org/TYPE/NAME` for what belongs to the organization itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    /// The account it lives in; none for what belongs to the organization itself.
    pub account: Option<AccountId>,
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
    /// An exception that an SCP or RCP makes for principals.
    GuardrailException,
    /// An SCP of this tool's own.
    GuardrailPolicy,
    /// The MFA devices of a user, or one virtual device that nobody ever activated.
    MfaDevice,
    /// The root user of an account, or what the organization manages of its members' root users.
    RootAccess,
    /// An EventBridge rule that hears of a use.
    AlertRule,
    /// The topic that alerts are sent to.
    AlertTopic,
    /// The event bus that every rule forwards to.
    AlertBus,
    /// A CloudWatch alarm with the metric filters that feed it.
    MetricAlarm,
    /// A CloudTrail trail, which is looked at and never changed.
    Trail,
}

impl ResourceType {
    /// Every type, in the order in which plans list them.
    pub const ALL: [Self; 13] = [
        Self::IamPolicy,
        Self::IamUser,
        Self::IamRole,
        Self::Credential,
        Self::GuardrailException,
        Self::GuardrailPolicy,
        Self::MfaDevice,
        Self::RootAccess,
        Self::AlertRule,
        Self::AlertTopic,
        Self::AlertBus,
        Self::MetricAlarm,
        Self::Trail,
    ];

    /// The type as addresses write it, such as `iam_role`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IamPolicy => "iam_policy",
            Self::IamUser => "iam_user",
            Self::IamRole => "iam_role",
            Self::Credential => "credential",
            Self::GuardrailException => "guardrail_exception",
            Self::GuardrailPolicy => "guardrail_policy",
            Self::MfaDevice => "mfa_device",
            Self::RootAccess => "root_access",
            Self::AlertRule => "alert_rule",
            Self::AlertTopic => "alert_topic",
            Self::AlertBus => "alert_bus",
            Self::MetricAlarm => "metric_alarm",
            Self::Trail => "trail",
        }
    }

    /// Tells whether things of this type are SCPs and RCPs, or something about them.
    #[must_use]
    pub fn is_guardrail(self) -> bool {
        matches!(self, Self::GuardrailException | Self::GuardrailPolicy)
    }

    /// Tells whether the thing of this type and name belongs to the organization itself, and to none of its accounts.
    #[must_use]
    pub fn is_organization_level(self, name: &str) -> bool {
        match self {
            Self::IamPolicy
            | Self::IamUser
            | Self::IamRole
            | Self::Credential
            | Self::MfaDevice
            | Self::AlertRule
            | Self::AlertTopic
            | Self::AlertBus
            | Self::MetricAlarm
            | Self::Trail => false,
            Self::GuardrailException | Self::GuardrailPolicy => true,
            Self::RootAccess => name != ROOT_USER,
        }
    }
}

/// The name of an account's root user, which stands for what protects it.
pub const ROOT_USER: &str = "root";

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

/// What an address begins with in place of an account, for what belongs to the organization itself.
pub(super) const ORGANIZATION: &str = "org";

impl Address {
    /// Names something that is read and written in an account: what belongs to the organization itself is not in it.
    #[must_use]
    pub fn new(account: &AccountId, resource_type: ResourceType, name: &str) -> Self {
        Self {
            account: (!resource_type.is_organization_level(name)).then(|| account.clone()),
            resource_type,
            name: name.to_owned(),
        }
    }

    /// What the address begins with: the account, or `org` for what belongs to the organization itself.
    #[must_use]
    pub fn place(&self) -> &str {
        self.account
            .as_ref()
            .map_or(ORGANIZATION, AccountId::as_str)
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
        let types = |of_organization: bool| {
            let types = ResourceType::ALL.into_iter();
            let name = if of_organization { "" } else { ROOT_USER };
            let types = types.filter(|kind| kind.is_organization_level(name) == of_organization);
            types
                .map(ResourceType::as_str)
                .collect::<Vec<_>>()
                .join("|")
        };
        let (own, shared) = (types(false), types(true));
        let pattern = format!("^([0-9]{{12}}/({own})|{ORGANIZATION}/({shared}))/.+$");
        schemars::json_schema!({ "type": "string", "pattern": pattern })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.place(), self.resource_type, self.name)
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
        let resource_type: ResourceType = resource_type.parse()?;
        let account = match (resource_type.is_organization_level(name), account) {
            (true, ORGANIZATION) => None,
            (true, _) => {
                return Err(format!(
                    "{text:?}: write {ORGANIZATION}/{resource_type}/NAME"
                ));
            }
            (false, account) => Some(account.parse().map_err(|error| format!("{error}"))?),
        };
        Ok(Self {
            account,
            resource_type,
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
        let text = "org/guardrail_exception/deny:arn:aws:iam::*:role/break-glass/x";
        let address: Address = text.parse().unwrap();
        assert_eq!(
            (&address.account, address.to_string()),
            (&None, text.to_owned())
        );
        for text in [
            "org/root_access/root_sessions",
            "111122223333/root_access/root",
            "111122223333/mfa_device/mfa/break-glass/phone",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        for bad in [
            "org/root_access/root",
            "111122223333/root_access/root_sessions",
            "",
            "111122223333",
            "111122223333/iam_role",
            "1/iam_role/x",
            "111122223333/role/x",
            "org/iam_role/x",
            "111122223333/guardrail_exception/x",
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
