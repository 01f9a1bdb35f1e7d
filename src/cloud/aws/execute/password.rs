//! Passwords for the console.
//!
//! IAM gives no password back, so whether it took one is known from its answer alone. The SDK's own retries would hide
//! that an attempt before the last was not answered; here each attempt is seen.

use std::time::Duration;

use aws_sdk_iam::Client;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Waits, once};
use crate::cloud::ErrorKind;
use crate::cloud::aws::error::{Failure, failed};

/// How long in all an attempt is made again.
const PATIENCE: Duration = Duration::from_secs(20);

/// The length that IAM asks for in an account without a password policy. Source: IAM user guide, "Default password policy".
const DEFAULT_LENGTH: u32 = 8;

/// Reads how short a password may be.
pub(in crate::cloud::aws) async fn shortest(client: &Client) -> Result<u32, Failure> {
    let answer = client.get_account_password_policy().send().await;
    match answer.map_err(failed("iam:GetAccountPasswordPolicy")) {
        Ok(output) => Ok(output
            .password_policy
            .and_then(|policy| policy.minimum_password_length)
            .and_then(|length| u32::try_from(length).ok())
            .unwrap_or(DEFAULT_LENGTH)),
        Err(failure) if failure.has_code("NoSuchEntity") => Ok(DEFAULT_LENGTH),
        Err(failure) => Err(failure),
    }
}

/// Gives a user a password, by a login profile if it has none.
pub(in crate::cloud::aws) async fn set(
    client: &Client,
    user: &str,
    password: &SecretString,
    sleep: impl AsyncFn(Duration),
) -> Result<(), Failure> {
    let mut waits = Waits::default();
    let mut unanswered = false;
    let mut creating = false;
    loop {
        let answer = if creating {
            create(client, user, password).await
        } else {
            update(client, user, password).await
        };
        let Err(failure) = answer else {
            return Ok(());
        };
        if failure.has_code("NoSuchEntity") && !creating {
            creating = true;
            continue;
        }
        // Made in the meantime, maybe by an attempt that was not answered.
        let made = failure.has_code("EntityAlreadyExists");
        creating &= !made;
        let open = failure.leaves_open();
        unanswered |= open;
        let again = open
            || made
            || failure.kind() == ErrorKind::Throttled
            || failure.has_code("EntityTemporarilyUnmodifiable");
        match waits.next(PATIENCE).filter(|_| again) {
            Some(wait) => sleep(wait).await,
            None if unanswered => return Err(failure.unanswered()),
            None => return Err(failure),
        }
    }
}

/// Defines a call that gives a user a password and is sent once: the SDK has types of its own for each.
macro_rules! password_call {
    ($name:ident, $request:ident, $action:literal) => {
        async fn $name(
            client: &Client,
            user: &str,
            password: &SecretString,
        ) -> Result<(), Failure> {
            let request = client.$request().user_name(user);
            let request = request.password(password.expose_secret());
            let request = request.password_reset_required(false).customize();
            let answer = request.config_override(once()).send().await;
            answer.map(drop).map_err(failed($action))
        }
    };
}
password_call!(create, create_login_profile, "iam:CreateLoginProfile");
password_call!(update, update_login_profile, "iam:UpdateLoginProfile");

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::cloud::CloudError;
    use crate::cloud::aws::testing::{FakeAws, Reply, refusal, result};

    /// Answers with the replies one after the other, with success after the last.
    fn answers(replies: Vec<Reply>) -> FakeAws {
        let replies = Mutex::new(replies.into_iter());
        FakeAws::new(move |call| {
            let next = replies.lock().unwrap().next();
            next.unwrap_or_else(|| result(&call.action, ""))
        })
    }

    async fn set_password(aws: &FakeAws) -> Result<(), CloudError> {
        let password = SecretString::from("correct-horse");
        Ok(set(&aws.iam(), "bg-alice", &password, async |_| {}).await?)
    }

    fn missing() -> Reply {
        refusal(404, "NoSuchEntity", "no such thing")
    }

    fn broken() -> Reply {
        (502, "<html>".to_owned())
    }

    #[tokio::test]
    async fn a_password_is_changed_or_made() {
        for (replies, expected) in [
            (vec![], vec!["UpdateLoginProfile"]),
            (
                vec![missing()],
                vec!["UpdateLoginProfile", "CreateLoginProfile"],
            ),
            (
                vec![
                    missing(),
                    broken(),
                    refusal(409, "EntityAlreadyExists", "made"),
                ],
                vec![
                    "UpdateLoginProfile",
                    "CreateLoginProfile",
                    "CreateLoginProfile",
                    "UpdateLoginProfile",
                ],
            ),
            (
                vec![refusal(400, "Throttling", "slow down"), broken()],
                vec!["UpdateLoginProfile"; 3],
            ),
        ] {
            let aws = answers(replies);
            set_password(&aws).await.unwrap();
            assert_eq!(aws.actions(), expected);
            for call in aws.calls() {
                assert_eq!(call.get("Password"), "correct-horse");
                assert_eq!(call.get("PasswordResetRequired"), "false");
            }
        }
    }

    #[tokio::test]
    async fn only_a_refusal_of_every_attempt_is_certain() {
        let denied = || refusal(403, "AccessDenied", "no");
        let failing = || refusal(500, "ServiceFailure", "no");
        for (replies, kind) in [
            (vec![denied()], ErrorKind::AccessDenied),
            (vec![missing(), missing()], ErrorKind::Service),
            (
                vec![refusal(400, "PasswordPolicyViolation", "no")],
                ErrorKind::Service,
            ),
            (vec![broken(), denied()], ErrorKind::Network),
            (vec![failing(), denied()], ErrorKind::Network),
            (vec![broken(); 20], ErrorKind::Network),
            (
                vec![refusal(400, "Throttling", "slow down"); 20],
                ErrorKind::Throttled,
            ),
        ] {
            let error = set_password(&answers(replies)).await.unwrap_err();
            assert_eq!(error.kind, kind, "{error}");
            assert!(!error.to_string().contains("correct-horse"));
        }
    }

    #[tokio::test]
    async fn the_password_policy_says_how_short_a_password_may_be() {
        let policy =
            "<PasswordPolicy><MinimumPasswordLength>40</MinimumPasswordLength></PasswordPolicy>";
        for (reply, expected) in [
            (result("GetAccountPasswordPolicy", policy), 40),
            (missing(), 8),
        ] {
            assert_eq!(
                shortest(&answers(vec![reply]).iam()).await.unwrap(),
                expected
            );
        }
        let denied = answers(vec![refusal(403, "AccessDenied", "no")]);
        assert!(shortest(&denied.iam()).await.is_err());
    }
}
