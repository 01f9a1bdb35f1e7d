//! Reads what belongs to people: MFA devices, passwords, keys, and what the account asks of passwords.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{AssignmentStatusType, ReportStateType, StatusType};
use futures_util::future::{try_join, try_join3};
use jiff::Timestamp;

use super::all;
use super::convert::{required, time};
use super::error::{Failure, failed};
use super::execute::Waits;
use super::resource::unless_missing;
use crate::ids::IamPath;
use crate::state::{KeyUse, MfaDevice, Password, PasswordExpiry, People, Person, device_name};

/// How many devices or keys of one user are looked at at a time.
const CONCURRENCY: usize = 4;

/// How long a credential report may take to be made.
const REPORT: Duration = Duration::from_secs(60);

/// What a service is called where a key has never been used.
const NOT_APPLICABLE: &str = "N/A";

/// Reads one user's devices, last uses and the uses of its keys; the password is known already.
pub(super) async fn person(
    client: &Client,
    user: &str,
    password: Option<Password>,
    access_keys: &BTreeSet<String>,
) -> Result<Person, Failure> {
    let (mfa_devices, last_used, access_keys) = try_join3(
        devices(client, user),
        last_used(client, user),
        key_uses(client, user, access_keys),
    )
    .await?;
    Ok(Person {
        mfa_devices,
        password,
        last_used,
        access_keys,
    })
}

async fn devices(client: &Client, user: &str) -> Result<BTreeMap<String, MfaDevice>, Failure> {
    let call = "iam:ListMFADevices";
    let pages = client.list_mfa_devices().user_name(user).into_paginator();
    let listed = pages.items().send().try_collect().await;
    let reads = listed
        .map_err(failed(call))?
        .into_iter()
        .map(|device| async move {
            let serial = device.serial_number;
            let enabled = time(call, &device.enable_date)?;
            // Only of FIDO devices is there more to be read.
            let certifications = if device_name(&serial).starts_with("u2f/") {
                certifications(client, user, &serial).await?
            } else {
                Some(BTreeMap::new())
            };
            Ok(certifications.map(|certifications| {
                let device = MfaDevice {
                    enabled,
                    certifications,
                };
                (serial, device)
            }))
        });
    let devices = all(CONCURRENCY, reads.collect()).await?;
    Ok(devices.into_iter().flatten().collect())
}

/// Reads what a FIDO device is certified for; `None` when it went away since it was listed.
async fn certifications(
    client: &Client,
    user: &str,
    serial: &str,
) -> Result<Option<BTreeMap<String, String>>, Failure> {
    let request = client.get_mfa_device().user_name(user);
    let answer = request.serial_number(serial).send().await;
    let answer = unless_missing(answer.map_err(failed("iam:GetMFADevice")))?;
    Ok(answer.map(|answer| {
        let certifications = answer.certifications.unwrap_or_default();
        certifications.into_iter().collect()
    }))
}

async fn last_used(client: &Client, user: &str) -> Result<Option<Timestamp>, Failure> {
    let call = "iam:GetUser";
    let answer = client.get_user().user_name(user).send().await;
    let answer = answer.map_err(failed(call))?;
    let user = required(call, "user", answer.user())?;
    user.password_last_used()
        .map(|used| time(call, used))
        .transpose()
}

async fn key_uses(
    client: &Client,
    user: &str,
    keys: &BTreeSet<String>,
) -> Result<BTreeMap<String, KeyUse>, Failure> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let call = "iam:ListAccessKeys";
    let pages = client.list_access_keys().user_name(user).into_paginator();
    let listed = pages.items().send().try_collect().await;
    let reads = listed
        .map_err(failed(call))?
        .into_iter()
        .map(|key| async move {
            let id = required(call, "access key's id", key.access_key_id)?;
            let call = "iam:GetAccessKeyLastUsed";
            let answer = client.get_access_key_last_used().access_key_id(&id).send();
            // A key that went away since it was listed is none, which says nothing of its user.
            let Some(answer) = unless_missing(answer.await.map_err(failed(call)))? else {
                return Ok(None);
            };
            let last = answer.access_key_last_used;
            let last_used = last.as_ref().and_then(|last| last.last_used_date());
            let service = last.as_ref().map(|last| last.service_name());
            let service = service.filter(|service| *service != NOT_APPLICABLE);
            let created = key.create_date.as_ref();
            let used = KeyUse {
                active: key.status == Some(StatusType::Active),
                created: created.map(|created| time(call, created)).transpose()?,
                last_used: last_used.map(|used| time(call, used)).transpose()?,
                service: service.map(str::to_owned),
            };
            Ok(Some((id, used)))
        });
    let uses = all(CONCURRENCY, reads.collect()).await?;
    Ok(uses.into_iter().flatten().collect())
}

/// Completes what was read of each user with what is the account's.
pub(super) async fn people(
    client: &Client,
    managed_path: &IamPath,
    mut users: BTreeMap<String, Person>,
) -> Result<People, Failure> {
    let (unactivated, password_expiry) =
        try_join(unactivated_devices(client), password_expiry(client)).await?;
    let ours = |serial: &String| {
        let name = device_name(serial).strip_prefix("mfa").unwrap_or_default();
        let last = name.rsplit('/').next().unwrap_or_default();
        name.starts_with(managed_path.as_str())
            || users.keys().any(|user| user.eq_ignore_ascii_case(last))
    };
    let unactivated_devices = unactivated.into_iter().filter(ours).collect();
    // The report is the only way to learn when a password was changed, and takes a while: it is asked for where it counts.
    if password_expiry.is_some() && users.values().any(|person| person.password.is_some()) {
        let report = credential_report(client).await?;
        for (name, person) in &mut users {
            if let Some(password) = &mut person.password {
                password.changed = password_changed(&report, name);
            }
        }
    }
    Ok(People {
        users,
        unactivated_devices,
        password_expiry,
    })
}

async fn unactivated_devices(client: &Client) -> Result<Vec<String>, Failure> {
    let pages = client
        .list_virtual_mfa_devices()
        .assignment_status(AssignmentStatusType::Unassigned)
        .into_paginator();
    let devices = pages.items().send().try_collect().await;
    let devices = devices.map_err(failed("iam:ListVirtualMFADevices"))?;
    let serials = devices.into_iter().map(|device| device.serial_number);
    Ok(serials.collect())
}

/// Reads when passwords expire; the account need not have a policy, and then they don't.
async fn password_expiry(client: &Client) -> Result<Option<PasswordExpiry>, Failure> {
    let answer = client.get_account_password_policy().send().await;
    let answer = unless_missing(answer.map_err(failed("iam:GetAccountPasswordPolicy")))?;
    let policy = answer.and_then(|answer| answer.password_policy);
    Ok(policy.and_then(|policy| {
        let days = u32::try_from(policy.max_password_age?).ok()?;
        (days > 0).then(|| PasswordExpiry {
            days,
            hard: policy.hard_expiry == Some(true),
        })
    }))
}

/// Has a credential report made, unless there is one of the last four hours, and reads it.
async fn credential_report(client: &Client) -> Result<String, Failure> {
    let call = "iam:GenerateCredentialReport";
    let mut waits = Waits::default();
    loop {
        let answer = client.generate_credential_report().send().await;
        let answer = answer.map_err(failed(call))?;
        if answer.state() == Some(&ReportStateType::Complete) {
            break;
        }
        let Some(wait) = waits.next(REPORT) else {
            return Err(Failure::new(call, "AWS takes too long to make the report"));
        };
        tokio::time::sleep(wait).await;
    }
    let call = "iam:GetCredentialReport";
    let answer = client.get_credential_report().send().await;
    let answer = answer.map_err(failed(call))?;
    let content = required(call, "report", answer.content())?;
    Ok(String::from_utf8_lossy(content.as_ref()).into_owned())
}

/// Finds in a credential report when a user's password was changed; `None` when it doesn't say.
///
/// Source: IAM User Guide, "Understanding the report format". A user's name may hold commas, so columns are counted
/// from the end.
fn password_changed(report: &str, user: &str) -> Option<Timestamp> {
    let mut lines = report.lines();
    let columns = lines.next()?.rsplit(',');
    let (place, _) = columns
        .enumerate()
        .find(|(_, name)| *name == "password_last_changed")?;
    let row = format!("{user},arn:");
    let line = lines.find(|line| line.starts_with(&row))?;
    line.rsplit(',').nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::aws::testing::{FakeAws, refusal, result};

    const REPORT: &str = "user,arn,password_last_changed,mfa_active\n\
        <root_account>,arn:aws:iam::222233334444:root,not_supported,true\n\
        bg-alice,arn:aws:iam::222233334444:user/bg-alice,2026-01-02T03:04:05+00:00,true\n\
        bg,a,arn:aws:iam::222233334444:user/bg,a,2026-02-02T03:04:05Z,true\n\
        bg-bob,arn:aws:iam::222233334444:user/bg-bob,N/A,true";

    #[test]
    fn the_report_tells_when_a_password_was_changed() {
        for (user, expected) in [
            ("bg-alice", Some("2026-01-02T03:04:05Z")),
            ("bg,a", Some("2026-02-02T03:04:05Z")),
            ("bg-bob", None),
            ("bg", None),
            ("bg-carol", None),
        ] {
            let expected = expected.map(|time| time.parse().unwrap());
            assert_eq!(password_changed(REPORT, user), expected, "{user}");
        }
    }

    #[tokio::test]
    async fn a_device_that_can_not_be_read_is_not_held_to_be_uncertified() {
        let listed = "<MFADevices><member><UserName>bg-alice</UserName><SerialNumber>arn:aws:iam::222233334444:u2f/user/bg-alice/key-A</SerialNumber><EnableDate>2026-01-01T00:00:00Z</EnableDate></member></MFADevices>";
        let aws = FakeAws::new(move |call| match call.action.as_str() {
            "ListMFADevices" => result(&call.action, listed),
            _ => refusal(403, "AccessDenied", "no"),
        });
        let failure = devices(&aws.iam(), "bg-alice").await.unwrap_err();
        assert!(failure.has_code("AccessDenied"));
    }
}
