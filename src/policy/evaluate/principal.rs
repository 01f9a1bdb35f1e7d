//! Whom a `Principal` or `NotPrincipal` element names, and how.

use super::caller::{Caller, CallerKind};
use super::facts::{ARN_KEY, Facts};
use super::truth::Truth;
use crate::ids::is_account_id;
use crate::policy::document::{Effect, Principal, Principals, Selection};

/// Says in which ways a resource policy reaches the caller: they differ in what can still stand in the way.
///
/// Source: IAM User Guide, "Policy evaluation logic", "Resource-based policies" and the table of principals there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    /// Through the caller's account, which passes it on by its own identity policies.
    pub(super) delegated: Truth,
    /// Through the role: within a permissions boundary and session policies.
    pub(super) limited: Truth,
    /// By itself: no implicit deny of an identity-side layer matters.
    pub(super) direct: Truth,
}

impl Reach {
    pub(super) const NONE: Self = Self {
        delegated: Truth::False,
        limited: Truth::False,
        direct: Truth::False,
    };

    pub(super) fn delegated(truth: Truth) -> Self {
        Self {
            delegated: truth,
            ..Self::NONE
        }
    }

    pub(super) fn limited(truth: Truth) -> Self {
        Self {
            limited: truth,
            ..Self::NONE
        }
    }

    pub(super) fn direct(truth: Truth) -> Self {
        Self {
            direct: truth,
            ..Self::NONE
        }
    }

    /// Whether the caller is reached at all.
    pub(super) fn any(self) -> Truth {
        self.delegated.or(self.limited).or(self.direct)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            delegated: self.delegated.or(other.delegated),
            limited: self.limited.or(other.limited),
            direct: self.direct.or(other.direct),
        }
    }

    pub(super) fn and(self, truth: Truth) -> Self {
        Self {
            delegated: self.delegated.and(truth),
            limited: self.limited.and(truth),
            direct: self.direct.and(truth),
        }
    }
}

/// Tells how the principals of a statement reach the caller.
///
/// `NotPrincipal` in a Deny exempts a user only when its ARN and its account are listed, and a role session only with the
/// session, the role and the account; with a part of them it is not known: AWS warns that such a statement can deny access
/// to the whole account. `NotPrincipal` in an Allow reaches whoever is not listed in any of these ways.
/// Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal".
pub(super) fn reach(principals: &Principals, effect: Effect, facts: &Facts<'_>) -> Reach {
    match (principals, effect) {
        (Selection::Only(list), _) => list
            .iter()
            .map(|principal| named(principal, facts))
            .fold(Reach::NONE, Reach::or),
        (Selection::Except(list), Effect::Deny) => Reach::direct(exempt(list, facts).negated()),
        (Selection::Except(list), Effect::Allow) => {
            Reach::direct(Truth::True).and(listed(list, facts).negated())
        }
    }
}

fn named(principal: &Principal, facts: &Facts<'_>) -> Reach {
    let caller = &facts.request.principal;
    let exactly = |kind: CallerKind, name: &str| {
        Reach::direct(Truth::from(caller.kind() == kind && caller.name() == name))
    };
    match principal {
        Principal::Star => Reach::direct(Truth::True),
        Principal::Aws(name) if name == "*" => match caller.kind() {
            // Whether AWS means them, too, no source says.
            CallerKind::Service | CallerKind::Federated => Reach::direct(Truth::Unknown),
            _ => Reach::direct(Truth::True),
        },
        Principal::Aws(name) => named_aws(name, facts),
        Principal::Service(name) => exactly(CallerKind::Service, name),
        Principal::Federated(name) | Principal::CanonicalUser(name) => {
            exactly(CallerKind::Federated, name)
        }
    }
}

/// Reads an account id or ARN; the unique id of a deleted principal (`AIDA…`, `AROA…`) is nobody, and so is a pattern.
fn named_aws(name: &str, facts: &Facts<'_>) -> Reach {
    let caller = &facts.request.principal;
    let (Some(own_partition), Some(own_account)) = (caller.partition(), caller.account()) else {
        return Reach::NONE;
    };
    if is_account_id(name) {
        return Reach::delegated(Truth::from(name == own_account));
    }
    let mut segments = name.splitn(6, ':').skip(1);
    let mut next = || segments.next().unwrap_or_default();
    let (partition, service, _region, account) = (next(), next(), next(), next());
    let resource = next();
    if partition != own_partition || account != own_account {
        return Reach::NONE;
    }
    let exactly = |kind: CallerKind| Truth::from(caller.kind() == kind && caller.name() == name);
    let kind = resource.split('/').next().unwrap_or_default();
    match (service, kind) {
        ("iam", "root") => Reach::delegated(Truth::from(resource == "root")),
        ("iam", "user") => Reach::direct(exactly(CallerKind::User)),
        ("iam", "role") => Reach::limited(Truth::from(is_role(caller, name, facts))),
        ("sts", "federated-user") => Reach::direct(exactly(CallerKind::FederatedUser)),
        ("sts", "assumed-role") if caller.kind() == CallerKind::Role => {
            // The caller is the role under some session name.
            let same_role = resource.split('/').nth(1) == caller.role_name();
            let truth = if same_role {
                Truth::Unknown
            } else {
                Truth::False
            };
            Reach::direct(truth)
        }
        ("sts", "assumed-role") => Reach::direct(exactly(CallerKind::Session)),
        _ => Reach::NONE,
    }
}

/// Tells whether the caller is a role, or a session of it, by the role's ARN in the caller's account.
///
/// A session ARN lacks the role's path, so the names are compared, which are unique in an account, unless the request
/// gives the full ARN as `aws:PrincipalArn`.
fn is_role(caller: &Caller, arn: &str, facts: &Facts<'_>) -> bool {
    match caller.kind() {
        CallerKind::Role => caller.name() == arn,
        CallerKind::Session => match facts.given(ARN_KEY) {
            Some(full) => full == arn,
            None => arn.rsplit('/').next() == caller.role_name(),
        },
        _ => false,
    }
}

/// Tells whether a `NotPrincipal` list names the caller in any way.
fn listed(list: &[Principal], facts: &Facts<'_>) -> Truth {
    Truth::any(list.iter().map(|principal| named(principal, facts).any()))
}

/// Tells whether a Deny with this `NotPrincipal` list leaves the caller alone.
fn exempt(list: &[Principal], facts: &Facts<'_>) -> Truth {
    let caller = &facts.request.principal;
    let mut reach = Reach::NONE;
    for principal in list {
        if matches!(principal, Principal::Star) || principal.entry() == ("AWS", "*") {
            return named(principal, facts).any();
        }
        reach = reach.or(named(principal, facts));
    }
    let Reach {
        delegated: by_account,
        limited: by_role,
        direct: by_itself,
    } = reach;
    let complete = match caller.kind() {
        CallerKind::Root => by_account,
        CallerKind::User => by_account.and(by_itself),
        CallerKind::Session => by_account.and(by_role).and(by_itself),
        CallerKind::Service | CallerKind::Federated | CallerKind::Anonymous => by_itself,
        // Neither the name of the role's session nor the user behind the federated one is known.
        CallerKind::Role | CallerKind::FederatedUser => Truth::False,
    };
    match (complete, reach.any()) {
        (Truth::True, _) => Truth::True,
        (_, Truth::False) => Truth::False,
        _ => Truth::Unknown,
    }
}
