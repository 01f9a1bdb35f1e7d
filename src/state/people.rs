//! What belongs to the people behind users: devices, passwords, keys, and what the account asks of passwords.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{MfaDevice, Tags};

/// The tag of a user that records when the tool last set its password, such as `2026-11-25T02:10:00Z`.
///
/// AWS itself tells that only in the credential report, and hours late.
pub const PASSWORD_TAG: &str = "breakglass:password-set";

/// Writes a time as [`PASSWORD_TAG`] has it, to the second.
#[must_use]
pub fn password_mark(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Holds what is read of the people of the emergency account, beside their users' permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct People {
    /// The users that are read in full, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<String, Person>,
    /// Serials of virtual MFA devices that nobody ever activated: under the managed path, or named like a user above.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unactivated_devices: BTreeSet<String>,
    /// When passwords expire; absent when they don't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_expiry: Option<PasswordExpiry>,
}

/// Describes what one user holds to prove who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Person {
    /// MFA devices by serial: an ARN, or what stands on a hardware token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mfa_devices: BTreeMap<String, MfaDevice>,
    /// The password; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// When the password was last used; absent when it never was, or not since AWS keeps account of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub last_used: Option<Timestamp>,
    /// Access keys by id, with their last use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub access_keys: BTreeMap<String, KeyUse>,
}

/// Describes a password, which itself can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Password {
    /// When the login profile was made.
    #[schemars(with = "String")]
    pub created: Timestamp,
    /// Whether a new one has to be chosen at the next sign-in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset_required: bool,
    /// When it was last changed; read only where passwords expire, and up to four hours old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub changed: Option<Timestamp>,
}

/// Tells when an access key was last used, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyUse {
    /// Whether it works at present.
    pub active: bool,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
    /// When it was last used; absent when it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub last_used: Option<Timestamp>,
    /// The service it was last used with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

impl Password {
    /// When it was set, by the report or by [`PASSWORD_TAG`]; `None` when neither says so. A time that is yet to come is
    /// nobody's record.
    #[must_use]
    pub fn recorded(&self, tags: &Tags, now: Timestamp) -> Option<Timestamp> {
        let tagged: Option<Timestamp> = tags.get(PASSWORD_TAG).and_then(|text| text.parse().ok());
        tagged.filter(|at| *at <= now).max(self.changed)
    }

    /// When it was set, as far as that is known: when the login profile was made, or later as recorded.
    #[must_use]
    pub fn set_at(&self, tags: &Tags, now: Timestamp) -> Timestamp {
        let recorded = self.recorded(tags, now);
        recorded.map_or(self.created, |at| at.max(self.created))
    }
}

impl KeyUse {
    /// Says when it was last used, to the day.
    #[must_use]
    pub fn words(&self) -> String {
        match (self.last_used, &self.service) {
            (None, _) => "never used".to_owned(),
            (Some(time), None) => format!("last used {}", day(time)),
            (Some(time), Some(service)) => format!("last used {} with {service}", day(time)),
        }
    }
}

/// Tells when an account's passwords expire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PasswordExpiry {
    /// After so many days.
    pub days: u32,
    /// Whether only an administrator can then set a new one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hard: bool,
}

impl PasswordExpiry {
    /// The day on which a password expires that was set at a time.
    #[must_use]
    pub fn day(&self, set: Timestamp) -> Option<Date> {
        let days = jiff::Span::new().try_days(self.days).ok()?;
        day(set).checked_add(days).ok()
    }
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_was_set_when_the_latest_record_says_so_unless_that_is_yet_to_come() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = time("2026-11-25T12:00:00Z");
        let tagged = |text: &str| Tags::from([(PASSWORD_TAG.to_owned(), text.to_owned())]);
        let mut password = Password {
            created: time("2026-01-01T00:00:00Z"),
            reset_required: false,
            changed: None,
        };
        for (tags, set_at) in [
            (Tags::new(), "2026-01-01T00:00:00Z"),
            (tagged("2026-03-01T00:00:00Z"), "2026-03-01T00:00:00Z"),
            (tagged("2025-03-01T00:00:00Z"), "2026-01-01T00:00:00Z"),
            (tagged("2026-11-25T12:00:01Z"), "2026-01-01T00:00:00Z"),
            (tagged("yesterday"), "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(password.set_at(&tags, now), time(set_at), "{tags:?}");
        }
        password.changed = Some(time("2026-04-01T00:00:00Z"));
        let tags = tagged("2026-03-01T00:00:00Z");
        assert_eq!(password.set_at(&tags, now), time("2026-04-01T00:00:00Z"));
    }

    #[test]
    fn passwords_expire_so_many_days_after_they_were_changed() {
        let expiry = PasswordExpiry {
            days: 90,
            hard: true,
        };
        let set = "2026-01-01T23:59:59Z".parse().unwrap();
        assert_eq!(expiry.day(set), Some(jiff::civil::date(2026, 4, 1)));
    }
}
