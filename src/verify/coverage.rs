//! Coverage: every account has a proven path by each required role, or is named as needing none.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::result::{RoleResult, Verdict};
use crate::ids::AccountId;
use crate::state::{Address, ResourceType};

/// Knows which roles every account must have a proven path by, and which accounts need none.
#[derive(Debug, Clone, Default)]
pub struct CoverageRule {
    /// The required roles that are looked at, by name.
    pub required: Vec<String>,
    /// The accounts that need none, each list with its reason.
    pub exempt: Vec<(BTreeSet<AccountId>, String)>,
}

/// Names an account that has no proven path by a required role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageFinding {
    /// The role that is wanting: `ACCOUNT/iam_role/NAME`.
    pub address: Address,
    /// The account's id.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// The role's name.
    pub role: String,
    /// What became of the role there; absent when the spec does not declare it for this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// Names an account that needs no proven path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exempt {
    /// The account's id.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// Why it needs none.
    pub reason: String,
}

impl CoverageRule {
    /// Checks one account, given what is proven of its roles.
    pub(super) fn check(
        &self,
        account: &AccountId,
        name: &str,
        results: &[RoleResult],
    ) -> (Vec<CoverageFinding>, Option<Exempt>) {
        if self.required.is_empty() {
            return (Vec::new(), None);
        }
        let exempt = self.exempt.iter().find(|(list, _)| list.contains(account));
        if let Some((_, reason)) = exempt {
            let exempt = Exempt {
                account: account.clone(),
                account_name: name.to_owned(),
                reason: reason.clone(),
            };
            return (Vec::new(), Some(exempt));
        }
        let verdict_of = |role: &String| {
            let result = results.iter().find(|result| result.role == *role);
            result.map(|result| result.verdict)
        };
        let wanting = self.required.iter().filter_map(|role| {
            let verdict = verdict_of(role);
            (verdict != Some(Verdict::Proven)).then(|| CoverageFinding {
                address: Address {
                    account: Some(account.clone()),
                    resource_type: ResourceType::IamRole,
                    name: role.clone(),
                },
                account: account.clone(),
                account_name: name.to_owned(),
                role: role.clone(),
                verdict,
            })
        });
        (wanting.collect(), None)
    }
}
