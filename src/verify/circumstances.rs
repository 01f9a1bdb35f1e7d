//! The circumstances of a request: what is known of each context key, and what is not.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ids::{AccountId, Partition};
use crate::org::Organization;
use crate::policy::Document;
use crate::policy::evaluate::{Context, ContextValue, compares_with_earlier};
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

/// Keys that only a call by a service has, for somebody or for something of its own.
///
/// Source: IAM User Guide, "AWS global condition context keys", availability of each.
const ONLY_BY_SERVICES: [&str; 7] = [
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
];

/// The keys that a caller without MFA lacks.
pub(super) const MFA_PRESENT: &str = "aws:MultiFactorAuthPresent";
pub(super) const MFA_AGE: &str = "aws:MultiFactorAuthAge";

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
    // Neither the session of an identity provider nor one of `sts:AssumeRoot`.
    context.set("aws:FederatedProvider", ContextValue::ABSENT);
    context.set("aws:AssumedRoot", ContextValue::ABSENT);
    context
}

/// The time of a request, in every notation.
const CLOCKS: [&str; 2] = ["aws:CurrentTime", "aws:EpochTime"];
/// When a session was made: just then at the earliest.
pub(super) const TOKEN_ISSUE_TIME: &str = "aws:TokenIssueTime";

/// The value of a key that holds the time at which the proof is made, or any later one. It is known where no document
/// tells these apart.
pub(super) fn time(key: &str, documents: &[&Document], now: Timestamp) -> ContextValue {
    let now = now.to_string();
    let alike = |document: &&Document| compares_with_earlier(document, key, &now);
    let is_known = documents.iter().all(alike);
    if is_known {
        ContextValue::one(now)
    } else {
        ContextValue::Unknown
    }
}

/// Adds the time of the request, see [`time`].
pub(super) fn add_clocks(context: &mut Context, documents: &[&Document], now: Timestamp) {
    for key in CLOCKS {
        context.set(key, time(key, documents, now));
    }
}

/// Adds what is true of a person's own call on a resource of the organization.
pub(super) fn add_own_call(
    context: &mut Context,
    organization: &Organization,
    resource_account: &AccountId,
) {
    context.set("aws:ViaAWSService", ContextValue::one("false"));
    for key in ONLY_BY_SERVICES {
        context.set(key, ContextValue::ABSENT);
    }
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

/// Adds every other key that some policy asks for: the tags of the caller, unless it chooses them itself, are known, the
/// rest is not.
pub(super) fn complete(context: &mut Context, mentioned: &BTreeSet<String>, tags: Option<&Tags>) {
    for key in mentioned {
        if context.get(key).is_some() || IMPLIED.contains(&key.as_str()) {
            continue;
        }
        let value = match (key.strip_prefix(TAGS), tags) {
            (None, _) | (_, None) => ContextValue::Unknown,
            (Some(tag), Some(tags)) => {
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
