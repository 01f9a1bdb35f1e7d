//! Trust policies, read back into what a spec says of them.

use std::collections::BTreeSet;

use crate::ids::Arn;
use crate::policy::{Condition, Effect, Principal};
use crate::spec::{Duration, Incident, RoleMfa, Trusted};
use crate::state::PolicyText;

/// Holds what a spec says of who may assume a role.
#[derive(Debug, Default)]
pub(super) struct Trust {
    pub(super) trusted: Vec<Trusted>,
    pub(super) mfa: RoleMfa,
    pub(super) incident: Option<Incident>,
}

/// Reads a trust policy as one that this tool writes. What it can't express is left out, never added to.
pub(super) fn read(text: &PolicyText, user_of: impl Fn(&Arn) -> Option<String>) -> Trust {
    let Ok(document) = text.parse() else {
        return Trust::default();
    };
    let mut trusted = BTreeSet::new();
    let mut mfa = RoleMfa {
        required: false,
        max_age: None,
    };
    let mut incident = None;
    let allows = document
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow);
    for statement in allows {
        for principal in statement.principals.iter().flat_map(|list| list.list()) {
            trusted.extend(trusted_principal(principal, &user_of));
        }
        for condition in &statement.conditions {
            read_condition(condition, &mut mfa, &mut incident);
        }
    }
    if !mfa.required {
        // A spec can't ask for an age of MFA alone.
        mfa.max_age = None;
    }
    Trust {
        trusted: trusted.into_iter().collect(),
        mfa,
        incident,
    }
}

fn trusted_principal(
    principal: &Principal,
    user_of: impl Fn(&Arn) -> Option<String>,
) -> Option<Trusted> {
    let Principal::Aws(name) = principal else {
        return None;
    };
    match name.parse::<Arn>().ok().and_then(|arn| user_of(&arn)) {
        Some(user) => Some(Trusted::User(user)),
        None => name.parse().ok(),
    }
}

fn read_condition(condition: &Condition, mfa: &mut RoleMfa, incident: &mut Option<Incident>) {
    let [value] = condition.values.as_slice() else {
        return;
    };
    let value = value.as_str();
    let is = |operator: &str, key: &str| {
        condition.operator.to_string() == operator && condition.key.eq_ignore_ascii_case(key)
    };
    if is("Bool", "aws:MultiFactorAuthPresent") {
        mfa.required |= value == "true";
    } else if is("NumericLessThanEquals", "aws:MultiFactorAuthAge") {
        mfa.max_age = value.parse().ok().map(Duration::from_seconds);
    } else if is("StringLike", "sts:RoleSessionName") {
        *incident = Some(Incident {
            session_name: value.to_owned(),
        });
    }
}
