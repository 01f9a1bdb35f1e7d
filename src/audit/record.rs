//! One record of CloudTrail, by the names that its fields have there.

use jiff::Timestamp;
use serde_json::Value;

/// What is said of an object where a record should be.
pub const NO_RECORD: &str = "it holds an object that is no record of CloudTrail";

/// Holds a record that was parsed.
#[derive(Debug, Clone)]
pub(super) struct Record {
    value: Value,
    pub(super) at: Timestamp,
}

impl Record {
    /// Parses a record: as in a log file, in the `detail` of an event of EventBridge, or as LookupEvents gives it.
    ///
    /// `None` for events of other kinds, which come the same way: of EventBridge, and of CloudTrail Insights.
    ///
    /// # Errors
    /// When this is no JSON, neither a record nor such an event, or a record without a time.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, String> {
        let mut value: Value =
            serde_json::from_slice(bytes).map_err(|error| format!("a record: {error}"))?;
        let other = ["detail-type", "insightDetails"]
            .iter()
            .any(|key| value.get(key).is_some());
        if let Some(Value::String(text)) = value.get("CloudTrailEvent") {
            value = serde_json::from_str(text)
                .map_err(|error| format!("the CloudTrailEvent of a record: {error}"))?;
        } else if let Some(detail) = value.get_mut("detail") {
            value = detail.take();
        }
        let names = |key| value.get(key).is_some_and(Value::is_string);
        if !names("eventName") || !names("eventSource") {
            return if other {
                Ok(None)
            } else {
                Err(NO_RECORD.to_owned())
            };
        }
        let time = value.get("eventTime").and_then(Value::as_str);
        let at = time
            .and_then(|time| time.parse().ok())
            .ok_or_else(|| "a record has no eventTime that can be read".to_owned())?;
        Ok(Some(Self { value, at }))
    }

    /// A field, by its JSON pointer.
    pub(super) fn get(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A field that is text; empty when there is none.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.get(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// A field that says yes or no, as JSON or as text.
    pub(super) fn flag(&self, pointer: &str) -> Option<bool> {
        match self.get(pointer)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text)
                if ["true", "yes"]
                    .iter()
                    .any(|yes| text.eq_ignore_ascii_case(yes)) =>
            {
                Some(true)
            }
            Value::String(text)
                if ["false", "no"]
                    .iter()
                    .any(|no| text.eq_ignore_ascii_case(no)) =>
            {
                Some(false)
            }
            _ => None,
        }
    }

    /// The service, such as `iam`.
    pub(super) fn service(&self) -> &str {
        let source = self.text("/eventSource");
        source.strip_suffix(".amazonaws.com").unwrap_or(source)
    }

    pub(super) fn name(&self) -> &str {
        self.text("/eventName")
    }

    /// What was done, such as `iam:GetUser`.
    pub(super) fn action(&self) -> String {
        format!("{}:{}", self.service(), self.name())
    }

    pub(super) fn failed(&self) -> bool {
        !self.text("/errorCode").is_empty()
    }

    /// Whether it only reads: as the record says, or by its name where it says nothing.
    pub(super) fn read_only(&self) -> bool {
        self.flag("/readOnly").unwrap_or_else(|| {
            [
                "Get", "List", "Describe", "Lookup", "Simulate", "Generate", "Assume",
            ]
            .iter()
            .any(|start| self.name().starts_with(start))
        })
    }

    /// When the session of the caller began.
    pub(super) fn session_began(&self) -> Option<Timestamp> {
        let text = self.text("/userIdentity/sessionContext/attributes/creationDate");
        let compact = || {
            let time = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", text).ok()?;
            let time = time.to_datetime().ok()?;
            time.to_zoned(jiff::tz::TimeZone::UTC)
                .ok()
                .map(|time| time.timestamp())
        };
        text.parse().ok().or_else(compact)
    }
}
