//! Event patterns, compared by what they match.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Holds an event pattern as text, and compares it as EventBridge reads it: neither the order of fields nor that of the
/// values in a list counts, nor how often a value is said.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct EventPattern(String);

impl EventPattern {
    /// The most characters of a pattern that EventBridge takes.
    ///
    /// Source: EventBridge quotas, "Event pattern size".
    pub const LIMIT: usize = 2048;

    /// Takes a pattern as EventBridge gives it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The pattern as it is written to EventBridge.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pattern as a value; its text where it is no JSON.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_else(|_| Value::String(self.0.clone()))
    }

    /// The pattern in the one form that all patterns have which say the same.
    #[must_use]
    pub fn canonical(&self) -> Value {
        canonical(self.value())
    }
}

impl PartialEq for EventPattern {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.canonical() == other.canonical()
    }
}

impl Eq for EventPattern {}

fn canonical(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(canonical).collect();
            items.sort_by_key(Value::to_string);
            items.dedup();
            Value::Array(items)
        }
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields
                .into_iter()
                .map(|(name, value)| (name, canonical(value)))
                .collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(fields.into_iter().collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_equal_when_they_match_the_same() {
        let one = EventPattern::new(
            r#"{"source":["aws.sts","aws.signin"],"detail":{"a":[{"prefix":"x"}],"b":[1]}}"#,
        );
        let other = EventPattern::new(
            r#"{"detail":{"b":[1,1],"a":[{"prefix":"x"}]}, "source":["aws.signin","aws.sts"]}"#,
        );
        let narrower =
            EventPattern::new(r#"{"source":["aws.sts"],"detail":{"a":[{"prefix":"x"}],"b":[1]}}"#);
        assert_eq!(one, other);
        assert_ne!(one, narrower);
        assert_ne!(EventPattern::new("not json"), one);
        assert_eq!(EventPattern::new("not json"), EventPattern::new("not json"));
    }
}
