//! Patterns of addresses and fields, as ignore rules write them: `ACCOUNT/TYPE/NAME[:FIELD]`, each part a glob.

use std::collections::BTreeSet;
use std::str::FromStr;

use globset::GlobMatcher;

use super::address::{Address, ORGANIZATION, ROOT_USER, ResourceType};
use crate::glob::compile;
use crate::ids::is_account_id;

/// Matches addresses, and of what they name all of it or some fields.
///
/// In a part `*` stands for any characters, `?` for one, `[ab]` and `{this,that}` for a choice. Which colon ends the name
/// is told by the type alone: alerts are named `REGION:NAME`, so that it is the second; guardrails have no fields here, so
/// that every colon is their name's; everything else has no colon in its name, so that it is the first.
#[derive(Debug, Clone)]
pub struct AddressPattern {
    place: GlobMatcher,
    types: BTreeSet<ResourceType>,
    name: GlobMatcher,
    field: Option<GlobMatcher>,
}

/// Tells which colons of `NAME[:FIELD]` are the name's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Colons {
    /// None.
    None,
    /// The first.
    First,
    /// All of them: things of this type are left alone as a whole.
    All,
}

impl AddressPattern {
    /// Tells whether a thing is meant, all of it or some of its fields.
    #[must_use]
    pub fn matches(&self, address: &Address) -> bool {
        self.types.contains(&address.resource_type)
            && self.place.is_match(address.place())
            && self.name.is_match(&address.name)
    }

    /// Tells whether all of a thing is meant, and not some of its fields.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.field.is_none()
    }

    /// Tells whether a field of what matches is meant.
    #[must_use]
    pub fn covers_field(&self, path: &str) -> bool {
        self.field.as_ref().is_none_or(|field| field.is_match(path))
    }
}

impl FromStr for AddressPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '/');
        let (Some(place), Some(kind), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err("it is no ACCOUNT/TYPE/NAME".to_owned());
        };
        check_place(place)?;
        let kind_glob = glob(kind)?;
        let types: BTreeSet<ResourceType> = ResourceType::ALL
            .into_iter()
            .filter(|known| kind_glob.is_match(known.as_str()))
            .collect();
        if types.is_empty() {
            let known = ResourceType::ALL.map(ResourceType::as_str).join(", ");
            return Err(format!("{kind:?} is no resource type; known are {known}"));
        }
        if !types.iter().any(|known| lives_at(*known, place)) {
            return Err(format!("there is no {kind} at {place}"));
        }
        let (name, field) = split(kind, &types, rest)?;
        if name.is_empty() || field.is_some_and(str::is_empty) {
            return Err("a name or a field is missing beside a colon".to_owned());
        }
        Ok(Self {
            place: glob(place)?,
            types,
            name: glob(name)?,
            field: field.map(glob).transpose()?,
        })
    }
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    compile(text, true).map_err(|why| {
        let start: String = text.chars().take(80).collect();
        let more = if start.len() < text.len() { "…" } else { "" };
        format!("{start:?}{more} is no glob: {why}")
    })
}

fn check_place(place: &str) -> Result<(), String> {
    let is_glob = place.contains(['*', '?'])
        && place
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"*?".contains(&byte));
    if place == ORGANIZATION || is_account_id(place) || is_glob {
        Ok(())
    } else {
        Err(format!(
            "{place:?} is neither an account, nor {ORGANIZATION}, nor a glob with * or ?"
        ))
    }
}

/// Tells whether things of a type can be at a place.
fn lives_at(kind: ResourceType, place: &str) -> bool {
    match place {
        ORGANIZATION => kind.is_organization_level(""),
        account if is_account_id(account) => !kind.is_organization_level(ROOT_USER),
        _ => true,
    }
}

fn colons(kind: ResourceType) -> Colons {
    match kind {
        ResourceType::AlertRule
        | ResourceType::AlertTopic
        | ResourceType::AlertBus
        | ResourceType::MetricAlarm
        | ResourceType::Trail => Colons::First,
        ResourceType::GuardrailException | ResourceType::GuardrailPolicy => Colons::All,
        ResourceType::IamPolicy
        | ResourceType::IamUser
        | ResourceType::IamRole
        | ResourceType::Credential
        | ResourceType::MfaDevice
        | ResourceType::RootAccess => Colons::None,
    }
}

/// Splits `NAME[:FIELD]`.
fn split<'a>(
    kind: &str,
    types: &BTreeSet<ResourceType>,
    rest: &'a str,
) -> Result<(&'a str, Option<&'a str>), String> {
    let kinds: BTreeSet<Colons> = types.iter().map(|kind| colons(*kind)).collect();
    let end = match (rest.find(':'), kinds.first(), kinds.len()) {
        (None, ..) => None,
        (Some(_), _, 2..) => {
            return Err(format!(
                "{kind} matches types whose names hold colons and types whose names do not, so that it can't be told \
                 where the name ends"
            ));
        }
        (Some(first), Some(Colons::None), _) => Some(first),
        (Some(first), Some(Colons::First), _) => {
            let after = rest.get(first + 1..).unwrap_or_default();
            after.find(':').map(|second| first + 1 + second)
        }
        (Some(_), Some(Colons::All) | None, _) => None,
    };
    Ok(match end.and_then(|end| rest.split_at_checked(end)) {
        Some((name, field)) => (name, field.strip_prefix(':')),
        None => (rest, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> AddressPattern {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_ends_where_its_type_says() {
        let role = "111122223333/iam_role/BreakGlassAdmin";
        let rule = "111122223333/alert_rule/us-east-1:bus/break-glass-login";
        let exception = "org/guardrail_exception/deny:arn:aws:iam::*:role/break-glass/x";
        let device = "111122223333/mfa_device/mfa/break-glass/phone";
        // The pattern, an address, whether all of it is meant, and a field that is.
        for (pattern, named, whole, field) in [
            (role, role, true, "trust_policy"),
            ("*/iam_role/*", role, true, "trust_policy"),
            (
                "1111*/iam_*/Break*:tags.cost-center",
                role,
                false,
                "tags.cost-center",
            ),
            (
                "*/iam_role/*:tags.aws:cost*",
                role,
                false,
                "tags.aws:cost-center",
            ),
            (
                "*/iam_role/*:{tags.*,description}",
                role,
                false,
                "description",
            ),
            (
                "111122223333/alert_rule/us-east-1:bus/*",
                rule,
                true,
                "state",
            ),
            ("*/alert_*/*:*:targets.x:y", rule, false, "targets.x:y"),
            ("*/alert_rule/*", rule, true, "state"),
            (exception, exception, true, "exempted.Deny"),
            ("org/guardrail_*/deny:*", exception, true, "exempted.Deny"),
            ("*/mfa_device/mfa/*:activated", device, false, "activated"),
            ("*/*/BreakGlass*", role, true, "x"),
            (
                "*/root_access/root:mfa",
                "111122223333/root_access/root",
                false,
                "mfa",
            ),
            (
                "org/root_access/*",
                "org/root_access/root_sessions",
                true,
                "enabled",
            ),
        ] {
            let parsed = parse(pattern);
            assert!(parsed.matches(&address(named)), "{pattern}");
            assert_eq!(parsed.is_whole(), whole, "{pattern}");
            assert!(parsed.covers_field(field), "{pattern}");
        }
        assert!(!parse("*/iam_role/*:tags.*").covers_field("trust_policy"));
        for other in [
            "*/iam_user/*",
            "2*/iam_role/*",
            "org/guardrail_policy/*",
            "*/iam_role/breakglassadmin",
        ] {
            assert!(!parse(other).matches(&address(role)), "{other}");
        }
    }

    #[test]
    fn what_matches_nothing_or_is_ambiguous_is_refused_with_the_reason() {
        for (pattern, why) in [
            ("iam_role/x", "no ACCOUNT/TYPE/NAME"),
            ("", "no ACCOUNT/TYPE/NAME"),
            ("1/iam_role/x", "neither an account"),
            ("Org/iam_role/x", "neither an account"),
            ("*/role/x", "no resource type"),
            ("org/iam_role/x", "there is no iam_role at org"),
            (
                "111122223333/guardrail_exception/x",
                "there is no guardrail_exception at 111122223333",
            ),
            ("*/*/*:tags.x", "can't be told where the name ends"),
            ("*/iam_role/", "missing beside a colon"),
            ("*/iam_role/x:", "missing beside a colon"),
            ("*/iam_role/:tags", "missing beside a colon"),
            ("*/iam_role/[x", "is no glob"),
            ("*/iam_role/x:{a", "is no glob"),
            (
                &format!("*/iam_role/{}", "{a,".repeat(300)),
                "more than 8 deep",
            ),
        ] {
            let error = pattern.parse::<AddressPattern>().unwrap_err();
            assert!(error.contains(why), "{pattern}: {error}");
        }
    }
}
