//! The circumstances of a request: what is known of each context key, and what is not.

use std::collections::BTreeSet;

use crate::ids::{AccountId, Partition};
use crate::org::Organization;
use crate::policy::evaluate::{Context, ContextValue};
use crate::state::Tags;

/// The Region of a request, tested by most region locks.
pub(super) const REGION: &str = "aws:RequestedRegion";
const TAGS: &str = "aws:principaltag/";

/// Keys that follow from who the caller is, so that the engine knows them.
const IMPLIED: [&str; 6] = [
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:username",
    "aws:principalisawsservice",
    "aws:principalservicename",
];

/// The keys that a caller without MFA lacks.
pub(super) const MFA_PRESENT: &str = "aws:MultiFactorAuthPresent";
pub(super) const MFA_AGE: &str = "aws:MultiFactorAuthAge";

/// Tells whether paths of units enter a proof.
pub(super) fn is_about_paths(keys: &BTreeSet<String>) -> bool {
    keys.iter().any(|key| key.ends_with("orgpaths"))
}

/// Where an account is in the organization, as `aws:PrincipalOrgPaths` has it.
pub(super) fn path(organization: &Organization, account: &AccountId) -> Option<String> {
    let mut levels = organization.levels(account.as_str())?;
    levels.pop();
    Some(format!("{}/{}/", organization.id, levels.join("/")))
}

/// Begins a context with what is true of every request of a principal of the organization.
pub(super) fn of_caller(organization: &Organization, account: &AccountId) -> Context {
    let mut context = Context::new();
    context.set(
        "aws:PrincipalOrgID",
        ContextValue::one(organization.id.as_str()),
    );
    context.set(
        "aws:PrincipalOrgMasterAccountId",
        ContextValue::one(organization.management_account.as_str()),
    );
    if let Some(path) = path(organization, account) {
        context.set("aws:PrincipalOrgPaths", ContextValue::one(path));
    }
    // Not a session of `sts:AssumeRoot`.
    context.set("aws:AssumedRoot", ContextValue::ABSENT);
    context
}

/// Adds what is true of a person's own call on a resource of the organization.
pub(super) fn add_own_call(
    context: &mut Context,
    organization: &Organization,
    resource_account: &AccountId,
) {
    context.set("aws:ViaAWSService", ContextValue::one("false"));
    context.set("aws:SecureTransport", ContextValue::one("true"));
    context.set(
        "aws:ResourceOrgID",
        ContextValue::one(organization.id.as_str()),
    );
    context.set(
        "aws:ResourceAccount",
        ContextValue::one(resource_account.as_str()),
    );
    if let Some(path) = path(organization, resource_account) {
        context.set("aws:ResourceOrgPaths", ContextValue::one(path));
    }
}

/// Adds every other key that some policy asks for: tags of the caller are known, the rest is not.
pub(super) fn complete(context: &mut Context, mentioned: &BTreeSet<String>, tags: &Tags) {
    for key in mentioned {
        if context.get(key).is_some() || IMPLIED.contains(&key.as_str()) {
            continue;
        }
        let value = match key.strip_prefix(TAGS) {
            None => ContextValue::Unknown,
            Some(tag) => {
                let mut tags = tags.iter();
                let found = tags.find(|(key, _)| key.eq_ignore_ascii_case(tag));
                found.map_or(ContextValue::ABSENT, |(_, value)| {
                    ContextValue::one(value.as_str())
                })
            }
        };
        context.set(key, value);
    }
}

/// Lists the Regions to look at: those of the spec and that of global services, or one of which nothing is known.
///
/// A call to the global endpoint of STS counts as one in `us-east-1`. Source: AWS STS, "Regions and endpoints".
pub(super) fn regions(partition: &Partition, spec: Option<&[String]>) -> Vec<Option<String>> {
    let global = match partition.as_str() {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    };
    match spec {
        None => vec![Some(global.to_owned()), None],
        Some(regions) => {
            let named: BTreeSet<String> =
                regions.iter().cloned().chain([global.to_owned()]).collect();
            named.into_iter().map(Some).collect()
        }
    }
}
