//! What follows from a request before any policy is read.

use std::borrow::Cow;

use super::caller::{Caller, CallerKind};
use super::request::{ContextValue, Request};
use super::truth::Truth;
use crate::ids::is_account_id;

/// Holds a request and what it implies.
pub(super) struct Facts<'a> {
    pub(super) request: &'a Request,
    /// The account of the resource: as given, from its ARN, or the caller's.
    pub(super) resource_account: Option<&'a str>,
    pub(super) regime: Regime,
    pub(super) service_linked: bool,
    /// Whether the resource is an IAM role, so that its resource policy is a trust policy.
    pub(super) on_role: bool,
    principal_arn: Option<Cow<'a, str>>,
}

/// Says which side must allow a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Regime {
    /// The resource policy alone: the caller belongs to no account.
    ResourceOnly,
    /// The identity side or the resource policy.
    SameAccount,
    /// As [`Regime::SameAccount`], but the resource policy must take part: role trust policies and KMS key policies.
    ///
    /// Source: IAM User Guide, "Policy evaluation logic": "IAM role trust policies and KMS key policies are exceptions to
    /// this logic, because they must explicitly allow access for principals".
    SameAccountByResource,
    /// The identity side and the resource policy.
    CrossAccount,
}

/// Holds what a request says of one condition key.
pub(super) enum Lookup<'a> {
    Absent,
    Unknown,
    Present(Values<'a>),
}

/// Holds the values of a condition key; at least one.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    given: &'a [String],
    implied: Option<&'a str>,
}

impl<'a> Values<'a> {
    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        self.given.iter().map(String::as_str).chain(self.implied)
    }

    /// The value, if it is the only one.
    pub(super) fn single(self) -> Option<&'a str> {
        let mut values = self.iter();
        values.next().filter(|_| values.next().is_none())
    }
}

impl<'a> Facts<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        let caller = &request.principal;
        let mut segments = request.resource.splitn(6, ':').skip(2);
        let (service, _region) = (segments.next(), segments.next());
        let (owner, resource) = (segments.next(), segments.next().unwrap_or_default());
        let in_arn = owner.filter(|account| is_account_id(account));
        let given = request.resource_account.as_ref().map(|id| id.as_str());
        let resource_account = given.or(in_arn).or(caller.account());
        let on_role = service == Some("iam") && resource.starts_with("role/");
        let on_key = service == Some("kms") && resource.starts_with("key/");
        let regime = if !caller.is_aws() {
            Regime::ResourceOnly
        } else if caller.account() != resource_account {
            Regime::CrossAccount
        } else if (on_role && is_assumption(&request.action))
            || (on_key && has_prefix(&request.action, "kms:"))
        {
            Regime::SameAccountByResource
        } else {
            Regime::SameAccount
        };
        let mut facts = Self {
            request,
            resource_account,
            regime,
            service_linked: false,
            on_role,
            principal_arn: principal_arn(caller),
        };
        facts.service_linked = facts.is_service_linked();
        facts
    }

    /// What the request says of a key: as it was given, or else as the caller implies it.
    pub(super) fn lookup(&self, key: &str) -> Lookup<'_> {
        match self.request.context.get(key) {
            Some(ContextValue::Unknown) => Lookup::Unknown,
            Some(ContextValue::Values(values)) if values.is_empty() => Lookup::Absent,
            Some(ContextValue::Values(values)) => Lookup::Present(Values {
                given: values,
                implied: None,
            }),
            None => match self.implied(key) {
                None if self.is_hidden_id(key) => Lookup::Unknown,
                None => Lookup::Absent,
                implied => Lookup::Present(Values {
                    given: &[],
                    implied,
                }),
            },
        }
    }

    /// Tells whether the request leaves open which path the caller's `aws:PrincipalArn` has.
    ///
    /// A session ARN has the name of the role alone. The ARN is taken to have no path, unless a policy names a role of just
    /// that name with a path: then it is not known.
    pub(super) fn lacks_path(&self, key: &str) -> bool {
        self.request.principal.kind() == CallerKind::Session
            && key.eq_ignore_ascii_case(ARN_KEY)
            && self.request.context.get(key).is_none()
    }

    /// Tells whether a key is the unique id of the caller, which every caller with an account has and its ARN does not tell.
    fn is_hidden_id(&self, key: &str) -> bool {
        let has_id = matches!(
            self.request.principal.kind(),
            CallerKind::User | CallerKind::Role | CallerKind::Session | CallerKind::FederatedUser
        );
        has_id && key.eq_ignore_ascii_case("aws:userid")
    }

    /// The one value that the request gives for a key, leaving out what the caller implies.
    pub(super) fn given(&self, key: &str) -> Option<&'a str> {
        match self.request.context.get(key) {
            Some(ContextValue::Values(values)) => match values.as_slice() {
                [value] => Some(value),
                _ => None,
            },
            Some(ContextValue::Unknown) | None => None,
        }
    }

    /// The value of a condition key that follows from the caller.
    ///
    /// The path of a session's role is not part of the session ARN, see [`Self::lacks_path`]. An anonymous request has neither `aws:PrincipalArn` nor `aws:PrincipalIsAWSService`, and the account `anonymous`.
    /// Source: IAM User Guide, "AWS global condition context keys", and "Principal key values" there under "Variables".
    pub(super) fn implied(&self, key: &str) -> Option<&str> {
        if !has_prefix(key, "aws:") {
            return None;
        }
        let caller = &self.request.principal;
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        if is("aws:PrincipalArn") {
            self.principal_arn.as_deref()
        } else if is("aws:PrincipalAccount") {
            match caller.kind() {
                CallerKind::Anonymous => Some("anonymous"),
                _ => caller.account(),
            }
        } else if is("aws:PrincipalType") {
            match caller.kind() {
                CallerKind::Root => Some("Account"),
                CallerKind::User => Some("User"),
                CallerKind::Role | CallerKind::Session => Some("AssumedRole"),
                CallerKind::FederatedUser => Some("FederatedUser"),
                CallerKind::Anonymous => Some("Anonymous"),
                CallerKind::Service | CallerKind::Federated => None,
            }
        } else if is("aws:userid") {
            match caller.kind() {
                CallerKind::Root => caller.account(),
                CallerKind::Anonymous => Some("anonymous"),
                _ => None,
            }
        } else if is("aws:username") {
            caller.user_name()
        } else if is("aws:PrincipalIsAWSService") {
            match caller.kind() {
                CallerKind::Service => Some("true"),
                CallerKind::Federated | CallerKind::Anonymous => None,
                _ => Some("false"),
            }
        } else if is("aws:PrincipalServiceName") {
            (caller.kind() == CallerKind::Service).then(|| caller.name())
        } else {
            None
        }
    }

    /// Whether SCPs leave this caller alone.
    ///
    /// They bind the users, roles and root users of member accounts. Source: AWS Organizations User Guide, "Service
    /// control policies": "SCPs don't affect users or roles in the management account", nor service-linked roles.
    pub(super) fn escapes_scps(&self) -> Truth {
        match self.request.principal.account() {
            None => Truth::True,
            Some(_) if self.service_linked => Truth::True,
            account => self.is_management(account),
        }
    }

    /// Whether RCPs leave this request alone: they follow the account of the resource.
    ///
    /// Source: AWS Organizations User Guide, "Resource control policies": no effect on resources in the management account
    /// nor on calls by service-linked roles.
    pub(super) fn escapes_rcps(&self) -> Truth {
        if self.service_linked {
            return Truth::True;
        }
        match self.resource_account {
            None => Truth::False,
            account => self.is_management(account),
        }
    }

    fn is_management(&self, account: Option<&str>) -> Truth {
        if let Some(management) = &self.request.management_account {
            return Truth::from(account == Some(management.as_str()));
        }
        match self.lookup(MANAGEMENT_KEY) {
            Lookup::Absent => Truth::False,
            Lookup::Unknown => Truth::Unknown,
            Lookup::Present(values) => Truth::from(values.single() == account),
        }
    }

    fn is_service_linked(&self) -> bool {
        let Some(name) = self.request.principal.role_name() else {
            return false;
        };
        let arn = self.given(ARN_KEY).or(self.principal_arn.as_deref());
        name.starts_with("AWSServiceRoleFor")
            || arn.is_some_and(|arn| arn.contains(":role/aws-service-role/"))
    }
}

/// The key that names the management account of the caller's organization.
pub(super) const MANAGEMENT_KEY: &str = "aws:PrincipalOrgMasterAccountId";
/// The key that names the caller, of a session the role.
pub(super) const ARN_KEY: &str = "aws:PrincipalArn";

fn principal_arn(caller: &Caller) -> Option<Cow<'_, str>> {
    match (caller.kind(), caller.partition(), caller.account()) {
        (CallerKind::Session, Some(partition), Some(account)) => {
            let role = caller.role_name().unwrap_or_default();
            Some(format!("arn:{partition}:iam::{account}:role/{role}").into())
        }
        (_, Some(_), _) => Some(caller.name().into()),
        (_, None, _) => None,
    }
}

fn is_assumption(action: &str) -> bool {
    has_prefix(action, "sts:AssumeRole")
        || action.eq_ignore_ascii_case("sts:TagSession")
        || action.eq_ignore_ascii_case("sts:SetSourceIdentity")
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    let start = text.get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
