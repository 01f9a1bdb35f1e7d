//! Policy documents as text: exactly what AWS holds or what it shall be sent.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::policy::{self, Document, PolicyError};

/// Holds a policy document as text: minified when it parses, untouched when it does not.
///
/// What AWS answers is data, not a promise, so it may fail to parse. In files it is written as the JSON it is, and as a
/// string only when it is no JSON at all.
#[derive(Clone, PartialEq, Eq)]
pub struct PolicyText(String);

impl PolicyText {
    /// Takes the decoded text of a document.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(match policy::parse(&text) {
            Ok(document) => policy::minified(&document),
            Err(_) => text,
        })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses the document strictly.
    ///
    /// # Errors
    /// When the text is not a policy document.
    pub fn parse(&self) -> Result<Document, PolicyError> {
        policy::parse(&self.0)
    }
}

impl fmt::Debug for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PolicyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match RawValue::from_string(self.0.clone()) {
            Ok(json) if self.0.starts_with('{') => json.serialize(serializer),
            _ => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        if json.get().starts_with('"') {
            return serde_json::from_str(json.get())
                .map(|text: String| Self::new(text))
                .map_err(D::Error::custom);
        }
        Ok(Self::new(json.get()))
    }
}

impl schemars::JsonSchema for PolicyText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PolicyText".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A policy document; a string when it is not one that can be read.",
            "type": ["object", "string"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_written_as_json_and_anything_else_as_a_string() {
        let cases = [
            (
                r#"{ "Version": "2012-10-17", "Statement": [] }"#,
                r#"{ "Version": "2012-10-17", "Statement": [] }"#,
            ),
            (
                r#"{"Statement": {"Action": ["s3:Get*"], "Effect": "Allow", "Resource": "*"}}"#,
                r#"{"Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#,
            ),
            ("no json \u{1b}", r#""no json \u001b""#),
            (r#"{"twice":1,"twice":2}"#, r#"{"twice":1,"twice":2}"#),
        ];
        for (text, written) in cases {
            let document = PolicyText::new(text);
            let json = serde_json::to_string(&document).unwrap();
            assert_eq!(json, written);
            let back: PolicyText = serde_json::from_str(&json).unwrap();
            assert_eq!(back, document);
        }
    }
}
