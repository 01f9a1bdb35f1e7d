//! By which values principals are exempted.

use std::collections::BTreeSet;

use crate::ids::{AccountId, IamPath, Partition};
use crate::policy::pattern::literal;

/// Writes the values of `aws:PrincipalArn` for a role in the accounts that are selected.
///
/// If the selection covers every account under the policy's attachments (`every_account`), it is one value with a wildcard
/// for the account, which stays small and also holds for accounts that join later. Otherwise it is a value per account, so
/// that a role of the same name in another account gains nothing.
#[must_use]
pub fn principal_values(
    partition: &Partition,
    path: &IamPath,
    name: &str,
    every_account: bool,
    accounts: &[AccountId],
) -> BTreeSet<String> {
    let value = |account: &str| arn(partition, account, "role", path, name);
    if every_account {
        BTreeSet::from([value("*")])
    } else {
        let accounts = accounts.iter();
        accounts.map(|account| value(account.as_str())).collect()
    }
}

/// Writes the value of `aws:PrincipalArn` for a user, who lives in one account only.
#[must_use]
pub fn user_value(
    partition: &Partition,
    path: &IamPath,
    name: &str,
    account: &AccountId,
) -> String {
    arn(partition, account.as_str(), "user", path, name)
}

fn arn(partition: &Partition, account: &str, kind: &str, path: &IamPath, name: &str) -> String {
    let (path, name) = (literal(path.as_str()), literal(name));
    format!("arn:{partition}:iam::{account}:{kind}{path}{name}")
}
