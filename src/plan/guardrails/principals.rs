//! Which values of `aws:PrincipalArn` an exception means, and whose values they are.

use std::collections::BTreeSet;

use crate::ids::{AccountId, IamPath, Partition};
use crate::org::Organization;
use crate::policy::exemption::{is_exempted, principal_values, user_value};
use crate::policy::parse;
use crate::state::{ExceptedRole, GuardrailKind, GuardrailPolicy};

/// Lists the accounts that a policy binds: active, below what it is attached to, and not the management account.
pub(super) fn bound_accounts<'a>(
    organization: &'a Organization,
    policy: &GuardrailPolicy,
) -> BTreeSet<&'a AccountId> {
    let accounts = organization.active_accounts().map(|(id, _)| id);
    accounts
        .filter(|id| **id != organization.management_account)
        .filter(|id| {
            let levels = organization.levels(id.as_str()).unwrap_or_default();
            levels.iter().any(|node| policy.targets.contains(*node))
        })
        .collect()
}

/// Writes the values by which a policy lets an excepted role through.
///
/// A wildcard for the account is written only where every account that the policy binds is meant. In an RCP it never is:
/// that binds whoever calls, so that a role of this name in an account outside the organization would gain, too.
pub(super) fn role_values(
    role: &ExceptedRole,
    organization: &Organization,
    kind: GuardrailKind,
    bound: &BTreeSet<&AccountId>,
) -> BTreeSet<String> {
    let partition = &organization.partition;
    let is_bound = |account: &&AccountId| {
        // An SCP stops nobody in the others.
        kind == GuardrailKind::Rcp || bound.is_empty() || bound.contains(account)
    };
    let accounts = role.accounts.iter().filter(is_bound);
    let accounts: Vec<AccountId> = accounts.cloned().collect();
    let everywhere = kind == GuardrailKind::Scp
        && !bound.is_empty()
        && bound.iter().all(|account| role.accounts.contains(*account));
    principal_values(partition, &role.path, &role.name, everywhere, &accounts)
}

/// Says what a value names within an account, whichever account that is, such as `role/break-glass/Admin`.
pub(super) fn resource(value: &str) -> Option<&str> {
    value.splitn(6, ':').nth(5)
}

/// Writes the value that names something else in the same accounts.
pub(super) fn at_resource(value: &str, other: &str) -> Option<String> {
    let start = value.strip_suffix(resource(value)?)?;
    Some(format!("{start}{other}"))
}

/// Says what the values for a role name within an account.
pub(super) fn role_resource(partition: &Partition, path: &IamPath, name: &str) -> Option<String> {
    let values = principal_values(partition, path, name, true, &[]);
    values
        .first()
        .and_then(|value| resource(value))
        .map(str::to_owned)
}

/// Says what the value for a user names within an account.
pub(super) fn user_resource(
    partition: &Partition,
    path: &IamPath,
    name: &str,
    account: &AccountId,
) -> Option<String> {
    resource(&user_value(partition, path, name, account)).map(str::to_owned)
}

/// Says how the values for roles and users under a path begin, within an account.
pub(super) fn beginnings(partition: &Partition, path: &IamPath) -> Vec<String> {
    // There, nothing is told apart by the path.
    if path.as_str() == "/" {
        return Vec::new();
    }
    // A role without a name writes the path as values do.
    let role = role_resource(partition, path, "");
    let user = role.as_ref().and_then(|role| role.strip_prefix("role"));
    let user = user.map(|path| format!("user{path}"));
    role.into_iter().chain(user).collect()
}

/// Tells whether one value lets through whatever another one does.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": { "ArnNotLike": { "aws:PrincipalArn": wide } },
        }],
    });
    parse(&document.to_string()).is_ok_and(|document| is_exempted(&document, 1, narrow))
}
