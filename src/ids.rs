//! Identifiers of AWS: accounts, partitions, ARNs and IAM paths, each checked when it is made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Says why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct InvalidId {
    text: String,
    expected: &'static str,
}

impl InvalidId {
    fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.chars().take(200).collect(),
            expected,
        }
    }
}

/// Implements what every identifier kept as checked text shares.
macro_rules! text_id {
    ($name:ident) => {
        impl $name {
            /// The identifier as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

/// Names an AWS account: exactly 12 digits, kept as text because leading zeros count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);
text_id!(AccountId);

impl FromStr for AccountId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if is_account_id(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId::new(text, "an account id (12 digits)"))
        }
    }
}

/// Tells whether a text has the form of an account id.
#[must_use]
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Names an AWS partition, such as `aws`, `aws-cn` or `aws-us-gov`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Partition(String);
text_id!(Partition);

impl Partition {
    /// The commercial partition, `aws`: what documents are written for before the live one is known.
    #[must_use]
    pub fn commercial() -> Self {
        Self("aws".to_owned())
    }
}

impl FromStr for Partition {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let valid = text == "aws"
            || text.strip_prefix("aws-").is_some_and(|rest| {
                !rest.is_empty()
                    && rest
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            });
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId::new(text, "a partition such as aws or aws-cn"))
        }
    }
}

/// Names an AWS resource: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
///
/// The six segments are there and partition, service and resource are not empty; which service or resource is not judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn(String);
text_id!(Arn);

impl Arn {
    /// Builds the ARN of an IAM user, role or policy: `kind` is `user`, `role` or `policy`.
    #[must_use]
    pub fn iam(
        partition: &Partition,
        account: &AccountId,
        kind: &str,
        path: &IamPath,
        name: &str,
    ) -> Self {
        Self(format!("arn:{partition}:iam::{account}:{kind}{path}{name}"))
    }

    fn segment(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }

    /// The partition segment, such as `aws`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.segment(1)
    }

    /// The service segment, such as `iam`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.segment(2)
    }

    /// The account segment: an account id, or `aws` for what AWS itself owns, or nothing.
    #[must_use]
    pub fn account(&self) -> &str {
        self.segment(4)
    }

    /// The resource segment, such as `role/break-glass/Admin`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.segment(5)
    }

    /// The last part of the resource: the name of a user, role or policy without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.resource().rsplit('/').next().unwrap_or_default()
    }
}

impl FromStr for Arn {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let segments: Vec<&str> = text.splitn(6, ':').collect();
        match segments.as_slice() {
            ["arn", partition, service, _, _, resource]
                if !partition.is_empty()
                    && !service.is_empty()
                    && !resource.is_empty()
                    && text.chars().all(|c| !c.is_control()) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidId::new(
                text,
                "an ARN (arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE)",
            )),
        }
    }
}

/// Places an IAM object: `/` or `/a/b/`, at most 512 characters of U+0021–U+007E.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IamPath(String);
text_id!(IamPath);

impl IamPath {
    /// The path that everything managed lies under, unless a spec says another: `/break-glass/`.
    #[must_use]
    pub fn break_glass() -> Self {
        Self("/break-glass/".to_owned())
    }

    /// Tells whether an object at `self` lies under `root`, which `/` never is: everything would.
    #[must_use]
    pub fn is_under(&self, root: &IamPath) -> bool {
        root.0 != "/" && self.0.starts_with(&root.0)
    }
}

impl FromStr for IamPath {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let valid = text.starts_with('/')
            && text.ends_with('/')
            && text.len() <= 512
            && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId::new(
                text,
                "an IAM path (it begins and ends with /)",
            ))
        }
    }
}

/// Tells whether a text can name an IAM user, role or policy: 1 to `limit` characters of `[A-Za-z0-9_+=,.@-]`.
///
/// Source: IAM and STS quotas, "IAM name requirements"; the limit is 64 for users and roles, 128 for policies.
#[must_use]
pub fn is_iam_name(text: &str, limit: usize) -> bool {
    !text.is_empty()
        && text.len() <= limit
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_keep_leading_zeros_and_refuse_the_rest() {
        assert_eq!(
            "000000000012".parse::<AccountId>().unwrap().as_str(),
            "000000000012"
        );
        for bad in ["", "12", "1234567890123", "12345678901a", "١٢٣٤٥٦٧٨٩٠١٢"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn arns_split_into_segments_and_keep_colons_in_the_resource() {
        let arn: Arn = "arn:aws-cn:iam::123456789012:role/a/b:c".parse().unwrap();
        assert_eq!(arn.partition(), "aws-cn");
        assert_eq!(arn.service(), "iam");
        assert_eq!(arn.account(), "123456789012");
        assert_eq!(arn.resource(), "role/a/b:c");
        assert_eq!(arn.name(), "b:c");
        for bad in [
            "",
            "arn",
            "arn:aws:iam::1",
            "arn::iam::1:x",
            "urn:a:b:c:d:e",
        ] {
            assert!(bad.parse::<Arn>().is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_nest_but_nothing_is_owned_by_the_root_path() {
        let root: IamPath = "/break-glass/".parse().unwrap();
        let below: IamPath = "/break-glass/eu/".parse().unwrap();
        let beside: IamPath = "/break-glass-2/".parse().unwrap();
        let top: IamPath = "/".parse().unwrap();
        assert!(root.is_under(&root) && below.is_under(&root));
        assert!(!beside.is_under(&root) && !root.is_under(&top));
        assert!("/no-end".parse::<IamPath>().is_err());
    }
}
