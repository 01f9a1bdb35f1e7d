//! Customer managed policies.

use std::time::Duration;

use aws_sdk_iam::Client;

use super::{Waits, once, unless_empty, unless_gone};
use crate::cloud::aws::convert::{self, required, sdk_tags};
use crate::cloud::aws::error::{Failure, failed};
use crate::ids::{Arn, IamPath};
use crate::state::{PolicyText, Tags};

/// How long a version that AWS failed to make is tried for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Creates a policy with its first version.
pub(super) async fn create(
    client: &Client,
    name: &str,
    path: &IamPath,
    document: &PolicyText,
    description: &str,
    tags: &Tags,
) -> Result<(), Failure> {
    let call = "iam:CreatePolicy";
    client
        .create_policy()
        .policy_name(name)
        .path(path.as_str())
        .policy_document(document.as_str())
        .set_description(unless_empty(description))
        .set_tags(Some(sdk_tags(call, tags)?))
        .send()
        .await
        .map(drop)
        .map_err(failed(call))
}

/// Makes a new default version; a policy that has as many as it can have loses its oldest one.
///
/// A version whose making was not answered is looked for before another one is made.
pub(super) async fn set_document(
    client: &Client,
    arn: &Arn,
    document: &PolicyText,
    sleep: impl AsyncFn(Duration),
) -> Result<(), Failure> {
    let mut waits = Waits::default();
    let mut room_made = false;
    loop {
        let Err(failure) = create_version(client, arn, document).await else {
            return Ok(());
        };
        if failure.has_code("LimitExceeded") && !room_made {
            let Some(oldest) = spare_versions(client, arn).await?.into_iter().next() else {
                return Err(failure);
            };
            unless_gone(delete_version(client, arn, &oldest).await)?;
            room_made = true;
            continue;
        }
        let wait = waits.next(PATIENCE).filter(|_| failure.leaves_open());
        let Some(wait) = wait else {
            return Err(failure);
        };
        sleep(wait).await;
        if default_document(client, arn).await? == *document {
            return Ok(());
        }
    }
}

/// Reads the document in force.
async fn default_document(client: &Client, arn: &Arn) -> Result<PolicyText, Failure> {
    let call = "iam:GetPolicy";
    let answer = client.get_policy().policy_arn(arn.as_str()).send().await;
    let policy = required(call, "policy", answer.map_err(failed(call))?.policy)?;
    let call = "iam:GetPolicyVersion";
    let request = client.get_policy_version().policy_arn(arn.as_str());
    let request = request.set_version_id(policy.default_version_id);
    let answer = request.send().await.map_err(failed(call))?;
    let version = answer.policy_version();
    convert::document(call, version.and_then(|version| version.document()))
}

/// Deletes a policy with all its versions; one that is in use stays as it is.
pub(super) async fn delete(client: &Client, arn: &Arn) -> Result<(), Failure> {
    match delete_policy(client, arn).await {
        Err(conflict) if conflict.has_code("DeleteConflict") => {
            if is_in_use(client, arn).await? {
                return Err(conflict);
            }
            for version in spare_versions(client, arn).await? {
                unless_gone(delete_version(client, arn, &version).await)?;
            }
            delete_policy(client, arn).await
        }
        answer => answer,
    }
}

async fn delete_policy(client: &Client, arn: &Arn) -> Result<(), Failure> {
    let answer = client.delete_policy().policy_arn(arn.as_str()).send().await;
    unless_gone(answer.map_err(failed("iam:DeletePolicy")))
}

/// Tells whether a policy is attached to anything, or a boundary of anything.
async fn is_in_use(client: &Client, arn: &Arn) -> Result<bool, Failure> {
    let call = "iam:GetPolicy";
    let answer = client.get_policy().policy_arn(arn.as_str()).send().await;
    let answer = answer.map_err(failed(call))?;
    let policy = required(call, "policy", answer.policy())?;
    let uses = [
        policy.attachment_count(),
        policy.permissions_boundary_usage_count(),
    ];
    Ok(uses.into_iter().flatten().any(|count| count > 0))
}

async fn create_version(client: &Client, arn: &Arn, document: &PolicyText) -> Result<(), Failure> {
    client
        .create_policy_version()
        .policy_arn(arn.as_str())
        .policy_document(document.as_str())
        .set_as_default(true)
        .customize()
        .config_override(once())
        .send()
        .await
        .map(drop)
        .map_err(failed("iam:CreatePolicyVersion"))
}

/// Lists the versions that are not the default one, the oldest first.
async fn spare_versions(client: &Client, arn: &Arn) -> Result<Vec<String>, Failure> {
    let call = "iam:ListPolicyVersions";
    let pages = client.list_policy_versions().policy_arn(arn.as_str());
    let versions = pages.into_paginator().items().send().try_collect().await;
    let mut spare = versions
        .map_err(failed(call))?
        .into_iter()
        .filter(|version| !version.is_default_version)
        .map(|version| required(call, "version id", version.version_id))
        .collect::<Result<Vec<_>, _>>()?;
    // Ids are `v1`, `v2`, …, counted up for good.
    spare.sort_by_key(|id| {
        id.trim_start_matches('v')
            .parse::<u64>()
            .unwrap_or(u64::MAX)
    });
    Ok(spare)
}

async fn delete_version(client: &Client, arn: &Arn, version: &str) -> Result<(), Failure> {
    client
        .delete_policy_version()
        .policy_arn(arn.as_str())
        .version_id(version)
        .send()
        .await
        .map(drop)
        .map_err(failed("iam:DeletePolicyVersion"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::aws::testing::{FakeAws, refusal, result};

    fn arn() -> Arn {
        "arn:aws:iam::111122223333:policy/x".parse().unwrap()
    }

    async fn set(aws: &FakeAws) {
        let document = PolicyText::new("{}");
        let setting = set_document(&aws.iam(), &arn(), &document, async |_| {}).await;
        setting.unwrap();
    }

    fn versions(default: u32) -> String {
        let members: String = [10, 2, 9, 11, 3]
            .map(|id| {
                let is_default = id == default;
                format!("<member><VersionId>v{id}</VersionId><IsDefaultVersion>{is_default}</IsDefaultVersion></member>")
            })
            .concat();
        format!("<Versions>{members}</Versions>")
    }

    #[tokio::test]
    async fn a_full_policy_loses_its_oldest_version_that_is_not_the_default() {
        for (default, expected) in [(11, "v2"), (2, "v3")] {
            let deleted = std::sync::atomic::AtomicBool::new(false);
            let aws = FakeAws::new(move |call| match call.action.as_str() {
                "CreatePolicyVersion" if !deleted.load(std::sync::atomic::Ordering::Relaxed) => {
                    refusal(
                        409,
                        "LimitExceeded",
                        "Cannot exceed quota for PolicyVersions",
                    )
                }
                "ListPolicyVersions" => result(&call.action, &versions(default)),
                "DeletePolicyVersion" => {
                    deleted.store(true, std::sync::atomic::Ordering::Relaxed);
                    result(&call.action, "")
                }
                _ => result(&call.action, ""),
            });
            set(&aws).await;
            assert_eq!(
                aws.actions(),
                [
                    "CreatePolicyVersion",
                    "ListPolicyVersions",
                    "DeletePolicyVersion",
                    "CreatePolicyVersion"
                ]
            );
            let calls = aws.calls();
            assert_eq!(calls[2].get("VersionId"), expected);
            assert_eq!(calls[3].get("SetAsDefault"), "true");
        }
    }

    #[tokio::test]
    async fn a_version_whose_making_was_not_answered_is_not_made_twice() {
        for (came_to_be, expected) in [(true, 1), (false, 2)] {
            let made = std::sync::atomic::AtomicUsize::new(0);
            let aws = FakeAws::new(move |call| match call.action.as_str() {
                "CreatePolicyVersion" => {
                    match made.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                        0 => (502, "<html>".to_owned()),
                        _ => result(&call.action, ""),
                    }
                }
                "GetPolicy" => result(
                    &call.action,
                    "<Policy><DefaultVersionId>v2</DefaultVersionId></Policy>",
                ),
                _ => {
                    let document = if came_to_be { "{}" } else { "{ }" };
                    let version =
                        format!("<PolicyVersion><Document>{document}</Document></PolicyVersion>");
                    result(&call.action, &version)
                }
            });
            set(&aws).await;
            let mut made = aws.actions();
            made.retain(|action| action == "CreatePolicyVersion");
            assert_eq!(made.len(), expected);
        }
    }

    #[tokio::test]
    async fn a_policy_in_use_keeps_its_versions() {
        let aws = FakeAws::new(|call| match call.action.as_str() {
            "DeletePolicy" => refusal(
                409,
                "DeleteConflict",
                "Cannot delete a policy attached to entities.",
            ),
            _ => result(
                &call.action,
                "<Policy><AttachmentCount>0</AttachmentCount><PermissionsBoundaryUsageCount>1</PermissionsBoundaryUsageCount></Policy>",
            ),
        });
        let failure = delete(&aws.iam(), &arn()).await.unwrap_err();
        assert!(failure.has_code("DeleteConflict"));
        assert_eq!(aws.actions(), ["DeletePolicy", "GetPolicy"]);
    }
}
