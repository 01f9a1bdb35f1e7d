//! The policy that ends sessions: everything is denied to those from before a time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::PolicyText;

/// The inline policy that `close` writes to end sessions; a spec must not use its name.
pub const REVOKED_SESSIONS: &str = "breakglass-revoked-sessions";

/// The longest session of a user, 36 hours. Source: STS API, `GetSessionToken`; in the console it is 12 hours.
pub const LONGEST_USER_SESSION: SignedDuration = SignedDuration::from_hours(36);

/// How far ahead of the present sessions are denied: as long as IAM takes to be of one mind about what was written.
pub const REVOCATION_LEAD: SignedDuration = SignedDuration::from_secs(60);

/// How far two clocks may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// Denies everything to sessions that began before a time.
///
/// `aws:TokenIssueTime` is there for temporary credentials, which those of the console are too, and not for access
/// keys; so whoever signs in again is let in, and keys are not touched. Source: IAM user guide, "Revoke IAM role
/// temporary security credentials" and "Disabling permissions for temporary security credentials".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// The time, in whole seconds.
    pub cutoff: Timestamp,
}

impl Revocation {
    /// Finds the one among inline policies. A policy of the name that says anything else is none.
    #[must_use]
    pub fn among(inline_policies: &BTreeMap<String, PolicyText>) -> Option<Self> {
        let text = inline_policies.get(REVOKED_SESSIONS)?;
        let document: Value = serde_json::from_str(text.as_str()).ok()?;
        let one = |value: &'_ Value| match value {
            Value::Array(values) => values.first().cloned(),
            other => Some(other.clone()),
        };
        let statement = one(document.get("Statement")?)?;
        let time = one(statement.pointer("/Condition/DateLessThan/aws:TokenIssueTime")?)?;
        let cutoff = time.as_str()?.parse().ok()?;
        let found = Self { cutoff };
        (found.document() == *text).then_some(found)
    }

    /// Writes its document.
    #[must_use]
    pub fn document(self) -> PolicyText {
        let document = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": { "DateLessThan": { "aws:TokenIssueTime": self.cutoff } },
            }],
        });
        PolicyText::new(document.to_string())
    }

    /// Tells whether sessions that it denies may still be alive, when none lasts longer than this.
    #[must_use]
    pub fn is_needed(self, now: Timestamp, longest: SignedDuration) -> bool {
        self.is_past(now) && self.cutoff.checked_add(longest).is_ok_and(|end| now < end)
    }

    /// Tells whether it denies sessions of the past alone. One that also denies those to come locks everybody out.
    #[must_use]
    pub fn is_past(self, now: Timestamp) -> bool {
        let latest = now.checked_add(REVOCATION_LEAD + SKEW);
        latest.is_ok_and(|latest| self.cutoff <= latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn inline(text: &str) -> BTreeMap<String, PolicyText> {
        BTreeMap::from([(REVOKED_SESSIONS.to_owned(), PolicyText::new(text))])
    }

    #[test]
    fn what_is_written_is_found_again() {
        let written = Revocation {
            cutoff: time("2026-11-25T08:30:00Z"),
        };
        let document = written.document();
        assert!(document.as_str().contains("2026-11-25T08:30:00Z"));
        assert!(document.parse().is_ok());
        assert_eq!(Revocation::among(&inline(document.as_str())), Some(written));
    }

    #[test]
    fn anything_else_under_the_name_is_none() {
        for text in [
            "{}",
            "no policy",
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-25T08:30:00Z"}}}]}"#,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"soon"}}}]}"#,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-25T08:30:00Z"}}},{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        ] {
            assert_eq!(Revocation::among(&inline(text)), None, "{text}");
        }
    }

    #[test]
    fn it_is_needed_until_the_last_session_has_ended() {
        let revocation = Revocation {
            cutoff: time("2026-11-25T08:00:00Z"),
        };
        let hour = SignedDuration::from_hours(1);
        assert!(revocation.is_needed(time("2026-11-25T08:59:59Z"), hour));
        assert!(!revocation.is_needed(time("2026-11-25T09:00:00Z"), hour));
        assert!(revocation.is_needed(time("2026-11-25T07:59:00Z"), hour));
        let long_before = time("2026-11-25T07:00:00Z");
        assert!(
            !revocation.is_needed(long_before, hour),
            "it would lock out whoever signs in now"
        );
    }
}
