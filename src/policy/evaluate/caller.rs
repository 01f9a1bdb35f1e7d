//! Who makes a request.

use std::fmt;
use std::str::FromStr;

use crate::ids::is_account_id;

/// Says what kind of principal makes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallerKind {
    /// The root user of an account.
    Root,
    /// An IAM user.
    User,
    /// An IAM role, whatever the name of its session.
    Role,
    /// A named session of an IAM role.
    Session,
    /// A session from `GetFederationToken`.
    FederatedUser,
    /// An AWS service that acts for itself.
    Service,
    /// A user of an identity provider, before any role is assumed; also every name that is none of the others.
    Federated,
    /// Nobody: the request is not signed.
    Anonymous,
}

/// Names the principal that makes a request.
///
/// Read from an ARN (`arn:aws:iam::…:root`, `…:user/…`, `…:role/…`, `arn:aws:sts::…:assumed-role/ROLE/SESSION`,
/// `…:federated-user/…`, `arn:aws:iam::…:saml-provider/…`), the name of a service (`ec2.amazonaws.com`), another name
/// (`accounts.google.com`), or `Anonymous` or `*` for nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    kind: CallerKind,
    name: String,
}

/// Says why a text names no caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no principal that makes requests: {hint}")]
pub struct InvalidCaller {
    text: String,
    hint: &'static str,
}

impl Caller {
    /// What kind of principal it is.
    #[must_use]
    pub fn kind(&self) -> CallerKind {
        self.kind
    }

    /// The ARN or name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether it is a principal of an AWS account, to which identity policies and SCPs can apply.
    #[must_use]
    pub fn is_aws(&self) -> bool {
        match self.kind {
            CallerKind::Root
            | CallerKind::User
            | CallerKind::Role
            | CallerKind::Session
            | CallerKind::FederatedUser => true,
            CallerKind::Service | CallerKind::Federated | CallerKind::Anonymous => false,
        }
    }

    /// The account it belongs to; services, identity providers and anonymous callers have none.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.is_aws().then(|| self.segment(4))
    }

    /// The partition of its account.
    #[must_use]
    pub fn partition(&self) -> Option<&str> {
        self.is_aws().then(|| self.segment(1))
    }

    /// The name of the role, without its path, of a role or a session of one.
    #[must_use]
    pub fn role_name(&self) -> Option<&str> {
        let resource = self.segment(5);
        match self.kind {
            CallerKind::Role => resource.rsplit('/').next(),
            CallerKind::Session => resource.split('/').nth(1),
            _ => None,
        }
    }

    /// The name of an IAM user, without its path.
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        let is_user = self.kind == CallerKind::User;
        self.segment(5).rsplit('/').next().filter(|_| is_user)
    }

    fn segment(&self, index: usize) -> &str {
        self.name.splitn(6, ':').nth(index).unwrap_or_default()
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

impl FromStr for Caller {
    type Err = InvalidCaller;

    fn from_str(text: &str) -> Result<Self, InvalidCaller> {
        let invalid = |hint| InvalidCaller {
            text: text.chars().take(200).collect(),
            hint,
        };
        let kind = if text.is_empty() {
            return Err(invalid("it is empty"));
        } else if text == "*" || text == "Anonymous" {
            CallerKind::Anonymous
        } else if text.starts_with("arn:") {
            arn_kind(text).ok_or_else(|| {
                invalid(
                    "give the ARN of a user, role, role session, federated user, root user or identity provider",
                )
            })?
        } else if is_account_id(text) {
            return Err(invalid(
                "an account makes no requests; its root user is arn:aws:iam::ACCOUNT:root",
            ));
        } else if is_service(text) {
            CallerKind::Service
        } else {
            CallerKind::Federated
        };
        Ok(Self {
            kind,
            name: text.to_owned(),
        })
    }
}

/// Cognito's identity pools have a name like a service's, but trust policies write it under `Federated`.
fn is_service(text: &str) -> bool {
    (text.contains(".amazonaws.com") || text.ends_with(".aws.internal"))
        && !text.starts_with("cognito-identity.amazonaws.com")
}

fn arn_kind(text: &str) -> Option<CallerKind> {
    let mut segments = text.splitn(6, ':').skip(2);
    let (service, _region) = (segments.next()?, segments.next()?);
    let (account, resource) = (segments.next()?, segments.next()?);
    if !is_account_id(account) {
        return None;
    }
    if resource == "root" {
        return (service == "iam").then_some(CallerKind::Root);
    }
    let (kind, name) = resource.split_once('/')?;
    let named = !name.is_empty() && !name.ends_with('/');
    let kind = match (service, kind) {
        ("iam", "user") => CallerKind::User,
        ("iam", "role") => CallerKind::Role,
        ("iam", "saml-provider" | "oidc-provider") => CallerKind::Federated,
        ("sts", "assumed-role") if !name.starts_with('/') && name.contains('/') => {
            CallerKind::Session
        }
        ("sts", "federated-user") => CallerKind::FederatedUser,
        _ => return None,
    };
    named.then_some(kind)
}
