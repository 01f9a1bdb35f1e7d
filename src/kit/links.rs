//! Addresses of the AWS console.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::ids::{AccountId, Partition};

/// What a role's path and name may have beside letters and digits, and mean the same in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b',')
    .remove(b'@');

/// Knows where the console of a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Console {
    /// The domain of sign-in pages.
    domain: &'static str,
    /// Where one can sign in to any account, by typing its id.
    pub(super) anywhere: &'static str,
    /// Regions far from each other, for when the spec names none.
    pub(super) regions: [&'static str; 2],
}

impl Console {
    /// Finds the console of a partition; `None` for those whose addresses are not public.
    ///
    /// Source: AWS Sign-In user guide, and the IAM user guides of GovCloud and China.
    pub(super) fn of(partition: &Partition) -> Option<Self> {
        Some(match partition.as_str() {
            "aws" => Self {
                domain: "signin.aws.amazon.com",
                anywhere: "https://console.aws.amazon.com/",
                regions: ["us-east-1", "eu-west-1"],
            },
            "aws-us-gov" => Self {
                domain: "signin.amazonaws-us-gov.com",
                anywhere: "https://console.amazonaws-us-gov.com/",
                regions: ["us-gov-west-1", "us-gov-east-1"],
            },
            "aws-cn" => Self {
                domain: "signin.amazonaws.cn",
                anywhere: "https://console.amazonaws.cn/",
                regions: ["cn-north-1", "cn-northwest-1"],
            },
            _ => return None,
        })
    }

    /// The page to sign in to an account at, in one Region.
    pub(super) fn sign_in(self, account: &AccountId, region: &str) -> String {
        format!("https://{account}.{}/console?region={region}", self.domain)
    }

    /// The page to switch to a role at; `role` is its path without the first slash, and its name.
    pub(super) fn switch(self, account: &str, role: &str) -> String {
        let domain = self.domain;
        let role = utf8_percent_encode(role, PLAIN);
        format!("https://{domain}/switchrole?account={account}&roleName={role}")
    }
}
