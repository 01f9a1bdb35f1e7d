//! Sessions: which credentials each account is entered with.
//!
//! The caller's own account is entered with the caller's own credentials, every other one with a role assumed in it.
//! The SDK's identity cache keeps one session for each account and role, and renews it before it expires.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_iam::config::retry::RetryPartition;

use super::config;
use super::convert::parse;
use super::error::{Failure, failed};
use super::throttle::{LeavesThrottling, Throttle};
use super::{MemberRole, Override};
use crate::cloud::{CloudError, ErrorKind};
use crate::ids::{AccountId, Arn, Partition};
use crate::state::{Address, ResourceType};

/// The longest session that a role assumed with the credentials of another role can have, in seconds.
const SESSION_SECONDS: i32 = 3600;

/// Tells what an account is entered for, which decides the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To read it.
    Plan,
    /// To change it.
    Apply,
}

/// Identifies the caller.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) account: AccountId,
    pub(super) partition: Partition,
    /// The role or user; none for the root user.
    pub(super) principal: Option<Address>,
}

/// Enters accounts.
#[derive(Debug)]
pub(super) struct Sessions {
    sdk: SdkConfig,
    sts: aws_sdk_sts::Client,
    caller: Caller,
    member_role: MemberRole,
    overrides: BTreeMap<AccountId, Override>,
    open: Mutex<HashMap<AccountId, Entered>>,
}

/// Holds what clients for the services of one Region of an account are made of.
#[derive(Debug, Clone)]
pub(super) struct Region {
    pub(super) sdk: SdkConfig,
    pub(super) retries: RetryPartition,
    pub(super) partition: Partition,
    pub(super) account: AccountId,
    pub(super) name: String,
}

impl Region {
    /// Gives a client for CloudTrail.
    pub(super) fn cloudtrail(&self) -> aws_sdk_cloudtrail::Client {
        let config = aws_sdk_cloudtrail::config::Builder::from(&self.sdk)
            .retry_classifier(LeavesThrottling)
            .retry_partition(self.retries.clone());
        aws_sdk_cloudtrail::Client::from_conf(config.build())
    }
}

/// Holds what the clients of one account share.
#[derive(Debug)]
struct Entered {
    /// By role; none for the caller's own account.
    credentials: HashMap<String, SharedCredentialsProvider>,
    throttle: Throttle,
    /// What goes wrong in one account must not use up the retries of another.
    retries: RetryPartition,
}

/// Holds what a client in an account is made of.
#[derive(Debug)]
struct Session {
    /// None for the caller's own.
    credentials: Option<SharedCredentialsProvider>,
    throttle: Throttle,
    retries: RetryPartition,
}

impl Sessions {
    /// Finds out who the caller is, and stands ready to enter accounts.
    pub(super) async fn new(
        sdk: SdkConfig,
        member_role: MemberRole,
        overrides: BTreeMap<AccountId, Override>,
    ) -> Result<Self, CloudError> {
        let sts = config::sts(&sdk);
        let caller = caller(&sts).await?;
        Ok(Self {
            sdk,
            sts,
            caller,
            member_role,
            overrides,
            open: Mutex::default(),
        })
    }

    /// Who the caller is.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Gives a client for the IAM of an account. The role is assumed when the client is first used.
    pub(super) fn iam(&self, account: &AccountId, purpose: Purpose) -> aws_sdk_iam::Client {
        let session = self.session(account, purpose);
        let config = config::iam(&self.sdk, session.throttle);
        let mut config = config.retry_partition(session.retries);
        // Not by `credentials_provider`, which would make it a new entry in the identity cache each time.
        config.set_credentials_provider(session.credentials);
        aws_sdk_iam::Client::from_conf(config.build())
    }

    /// Gives what clients for the services of one Region of an account are made of: they share the one session.
    pub(super) fn region(&self, account: &AccountId, purpose: Purpose, region: &str) -> Region {
        let session = self.session(account, purpose);
        let mut sdk = self.sdk.to_builder().http_client(session.throttle);
        sdk.set_region(Some(aws_config::Region::new(region.to_owned())));
        if let Some(credentials) = session.credentials {
            sdk.set_credentials_provider(Some(credentials));
        }
        Region {
            sdk: sdk.build(),
            // Each Region throttles by itself.
            retries: RetryPartition::custom(format!("{account} {region}")).build(),
            partition: self.caller.partition.clone(),
            account: account.clone(),
            name: region.to_owned(),
        }
    }

    /// Forgets the session in an account, so that the next client enters it anew; `false` where there is nothing to enter.
    pub(super) fn leave(&self, account: &AccountId, purpose: Purpose) -> bool {
        let role = self.names(account).of(purpose);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let entered = open.get_mut(account);
        entered.is_some_and(|entered| entered.credentials.remove(role).is_some())
    }

    fn names(&self, account: &AccountId) -> &MemberRole {
        let given = self.overrides.get(account);
        given
            .and_then(|given| given.member_role.as_ref())
            .unwrap_or(&self.member_role)
    }

    fn session(&self, account: &AccountId, purpose: Purpose) -> Session {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let entered = open.entry(account.clone()).or_insert_with(|| Entered {
            credentials: HashMap::new(),
            throttle: config::throttle(&self.sdk),
            retries: RetryPartition::custom(account.to_string()).build(),
        });
        let credentials = (*account != self.caller.account).then(|| {
            let role = self.names(account).of(purpose);
            let credentials = entered.credentials.entry(role.to_owned());
            let assumed = || SharedCredentialsProvider::new(self.assumed(account, purpose));
            credentials.or_insert_with(assumed).clone()
        });
        Session {
            credentials,
            throttle: entered.throttle.clone(),
            retries: entered.retries.clone(),
        }
    }

    fn assumed(&self, account: &AccountId, purpose: Purpose) -> AssumedRole {
        let names = self.names(account);
        let role = names.of(purpose).trim_start_matches('/');
        let given = self.overrides.get(account);
        AssumedRole {
            sts: self.sts.clone(),
            arn: format!("arn:{}:iam::{account}:role/{role}", self.caller.partition),
            session_name: match purpose {
                _ if names.plan == names.apply => "breakglass",
                Purpose::Plan => "breakglass-plan",
                Purpose::Apply => "breakglass-apply",
            },
            external_id: given.and_then(|given| given.external_id.clone()),
        }
    }
}

impl MemberRole {
    fn of(&self, purpose: Purpose) -> &str {
        match purpose {
            Purpose::Plan => &self.plan,
            Purpose::Apply => &self.apply,
        }
    }
}

async fn caller(sts: &aws_sdk_sts::Client) -> Result<Caller, CloudError> {
    let call = "sts:GetCallerIdentity";
    let identity = sts
        .get_caller_identity()
        .send()
        .await
        .map_err(failed(call))?;
    let arn: Arn = parse(call, "ARN", identity.arn())?;
    let account = parse(call, "account", identity.account())?;
    Ok(Caller {
        principal: principal(&account, &arn),
        account,
        partition: parse(call, "partition", Some(arn.partition()))?,
    })
}

/// Names the principal of an identity's ARN: `user/PATH/NAME` or `assumed-role/NAME/SESSION`, where the path is left out.
fn principal(account: &AccountId, arn: &Arn) -> Option<Address> {
    let (kind, rest) = arn.resource().split_once('/')?;
    let (resource_type, name) = match kind {
        "user" => (ResourceType::IamUser, arn.name()),
        "assumed-role" => (ResourceType::IamRole, rest.split('/').next()?),
        _ => return None,
    };
    Some(Address::new(account, resource_type, name))
}

/// Provides the credentials of a role in a member account.
struct AssumedRole {
    sts: aws_sdk_sts::Client,
    arn: String,
    session_name: &'static str,
    external_id: Option<String>,
}

/// What to do about a role that can't be assumed.
const NO_WAY_IN: &str = "make sure that it is there and trusts the caller, or name another one under organization.member_role or organization.overrides";

impl AssumedRole {
    async fn assume(&self) -> Result<Credentials, Failure> {
        let call = "sts:AssumeRole";
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(self.session_name)
            .set_external_id(self.external_id.clone())
            .duration_seconds(SESSION_SECONDS)
            .send()
            .await
            .map_err(|error| {
                let failure = failed(call)(error).with_note(&format!("role {}", self.arn));
                match failure.kind() {
                    ErrorKind::AccessDenied => failure.with_note(NO_WAY_IN),
                    _ => failure,
                }
            })?;
        let credentials = answer
            .credentials
            .ok_or_else(|| Failure::new(call, "AWS answered without credentials"))?;
        let expiration = SystemTime::try_from(credentials.expiration)
            .map_err(|error| Failure::new(call, &error.to_string()))?;
        Ok(Credentials::new(
            credentials.access_key_id,
            credentials.secret_access_key,
            Some(credentials.session_token),
            Some(expiration),
            "breakglass",
        ))
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.assume()
                .await
                .map_err(|failure| CredentialsError::provider_error(CloudError::from(failure)))
        })
    }
}

impl fmt::Debug for AssumedRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An external id is no secret to AWS, but some treat it as one.
        f.debug_struct("AssumedRole")
            .field("arn", &self.arn)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::Timestamp;

    use super::*;
    use crate::audit::{Attribute, Question};
    use crate::cloud::aws::Aws;
    use crate::cloud::aws::execute::Created;
    use crate::cloud::aws::guardrails::Writer;
    use crate::cloud::aws::resource::has_login_profile;
    use crate::cloud::aws::testing::{Call, FakeAws, Reply, refusal, result};
    use crate::cloud::{Cloud as _, ErrorKind};
    use crate::state::{AlertScope, Hub, ReadScope, Reading};

    fn answer(call: &Call) -> Reply {
        match call.action.as_str() {
            "GetCallerIdentity" => result(
                &call.action,
                "<Arn>arn:aws-us-gov:iam::111111111111:user/me</Arn><Account>111111111111</Account>",
            ),
            "AssumeRole" => result(
                &call.action,
                "<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>x</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>",
            ),
            _ => refusal(404, "NoSuchEntity", "none"),
        }
    }

    async fn sessions(aws: &FakeAws) -> Sessions {
        let role = MemberRole {
            plan: "/path/Reader".to_owned(),
            apply: "Writer".to_owned(),
        };
        let sdk = aws.config().into_builder();
        let sdk = sdk
            .identity_cache(aws_config::identity::IdentityCache::lazy().build())
            .build();
        Sessions::new(sdk, role, BTreeMap::new()).await.unwrap()
    }

    #[tokio::test]
    async fn a_role_is_assumed_once_however_many_calls_begin_at_a_time() {
        let aws = FakeAws::new(answer);
        let sessions = sessions(&aws).await;
        let member: AccountId = "222222222222".parse().unwrap();
        for purpose in [Purpose::Plan, Purpose::Apply, Purpose::Plan] {
            let (one, two) = (
                sessions.iam(&member, purpose),
                sessions.iam(&member, purpose),
            );
            let both = futures_util::future::join(
                has_login_profile(&one, "x"),
                has_login_profile(&two, "x"),
            );
            assert!(matches!(both.await, (Ok(false), Ok(false))));
        }
        let own = sessions.iam(&sessions.caller().account, Purpose::Apply);
        assert!(!has_login_profile(&own, "x").await.unwrap());
        let assumed: Vec<_> = aws
            .calls()
            .into_iter()
            .filter(|call| call.action == "AssumeRole")
            .map(|call| {
                (
                    call.get("RoleArn").to_owned(),
                    call.get("RoleSessionName").to_owned(),
                )
            })
            .collect();
        let expected = [
            (
                "arn:aws-us-gov:iam::222222222222:role/path/Reader",
                "breakglass-plan",
            ),
            (
                "arn:aws-us-gov:iam::222222222222:role/Writer",
                "breakglass-apply",
            ),
        ];
        assert_eq!(
            assumed,
            expected.map(|(arn, name)| (arn.to_owned(), name.to_owned()))
        );
    }

    #[tokio::test]
    async fn an_account_that_was_left_is_entered_anew() {
        let aws = FakeAws::new(answer);
        let sessions = sessions(&aws).await;
        let member: AccountId = "222222222222".parse().unwrap();
        assert!(!sessions.leave(&member, Purpose::Plan), "it is not entered");
        for left in [false, true, true] {
            assert_eq!(left && sessions.leave(&member, Purpose::Plan), left);
            let client = sessions.iam(&member, Purpose::Plan);
            assert!(!has_login_profile(&client, "x").await.unwrap());
        }
        let own = sessions.caller().account.clone();
        let client = sessions.iam(&own, Purpose::Plan);
        assert!(!has_login_profile(&client, "x").await.unwrap());
        assert!(!sessions.leave(&own, Purpose::Plan), "there is no role");
        let mut entered = aws.actions();
        entered.retain(|action| action == "AssumeRole");
        assert_eq!(entered.len(), 3);
    }

    async fn cloud(aws: &FakeAws) -> Aws {
        let client = aws_sdk_organizations::Client::new(&aws.config());
        Aws {
            sessions: sessions(aws).await,
            identity: Err(Failure::new("", "")),
            guardrails: Writer::new(client.clone()),
            organizations: client,
            created: Created::default(),
            concurrency: 1,
        }
    }

    #[tokio::test]
    async fn a_session_that_expires_while_history_is_read_is_made_anew_once() {
        let refusals = AtomicUsize::new(1);
        let aws = FakeAws::new(move |call| match call.action.as_str() {
            "LookupEvents" if refusals.fetch_sub(1, Ordering::Relaxed) > 0 => {
                // The second question is refused for good.
                if call.body.contains("Gone") {
                    refusals.store(9, Ordering::Relaxed);
                }
                let body = r#"{"__type":"ExpiredTokenException","message":"x"}"#;
                (400, body.to_owned())
            }
            "LookupEvents" => {
                let events = r#"{"Events":[{"CloudTrailEvent":"{}"}]}"#;
                refusals.store(1, Ordering::Relaxed);
                (200, events.to_owned())
            }
            _ => answer(call),
        });
        let cloud = cloud(&aws).await;
        let member: AccountId = "222222222222".parse().unwrap();
        let (since, until) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let mut reader = cloud.history(&member, "us-east-1", since, until);
        let question = |value: &str| Question {
            attribute: Attribute::EventName,
            value: value.to_owned(),
        };
        let mut events = 0;
        let asked = reader.ask(&question("ConsoleLogin"), |_| events += 1).await;
        assert_eq!((asked, events), (Ok(()), 1));
        let error = reader.ask(&question("Gone"), |_| ()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Credentials);
        let mut entered = aws.actions();
        entered.retain(|action| action == "AssumeRole");
        assert_eq!(entered.len(), 3);
    }

    #[tokio::test]
    async fn a_session_that_expires_while_alerts_are_read_is_made_anew() {
        let expired = AtomicUsize::new(1);
        let aws = FakeAws::new(move |call| match call.action.as_str() {
            "GetAccountAuthorizationDetails" | "ListRoles" => {
                result(&call.action, "<IsTruncated>false</IsTruncated>")
            }
            "ListRules" if expired.swap(0, Ordering::Relaxed) > 0 => {
                let body = r#"{"__type":"ExpiredTokenException","message":"x"}"#;
                (400, body.to_owned())
            }
            "ListRules" | "DescribeTrails" => (200, "{}".to_owned()),
            _ => answer(call),
        });
        let cloud = cloud(&aws).await;
        let scope = ReadScope {
            managed_path: "/break-glass/".parse().unwrap(),
            names: BTreeSet::new(),
            people: None,
            root: None,
            alerts: Some(AlertScope {
                regions: Some(BTreeSet::from(["us-east-1".to_owned()])),
                hub: Hub {
                    account: "333333333333".parse().unwrap(),
                    region: "us-east-1".to_owned(),
                    bus: "bus".to_owned(),
                    topic: None,
                },
                second_path: None,
            }),
        };
        let member: AccountId = "222222222222".parse().unwrap();
        let live = cloud.account(&member, &scope).await.unwrap();
        assert!(matches!(live.alerts, Some(Reading::Complete(_))));
        let mut entered = aws.actions();
        entered.retain(|action| action == "AssumeRole");
        assert_eq!(entered.len(), 2);
    }

    #[tokio::test]
    async fn a_role_that_can_not_be_assumed_is_named() {
        let aws = FakeAws::new(|call| match call.action.as_str() {
            "AssumeRole" => refusal(403, "AccessDenied", "User is not authorized"),
            _ => answer(call),
        });
        let sessions = sessions(&aws).await;
        let member: AccountId = "222222222222".parse().unwrap();
        let failure = has_login_profile(&sessions.iam(&member, Purpose::Plan), "x").await;
        let error = CloudError::from(failure.unwrap_err());
        assert_eq!(error.kind, ErrorKind::AccessDenied);
        assert_eq!(
            error.to_string(),
            format!(
                "sts:AssumeRole: AccessDenied: User is not authorized (role arn:aws-us-gov:iam::222222222222:role/path/Reader) ({NO_WAY_IN})"
            )
        );
    }
}
