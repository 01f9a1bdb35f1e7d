//! The digest of a spec: the same for the same meaning, however it is written.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::documents::{self, Documents};
use super::source::entry;
use super::types::Spec;
use crate::policy;

/// Computes `sha256:…` over the spec and its policies: comments, layout, order of keys and split over files don't count.
pub(super) fn digest(spec: &Spec, documents: &Documents) -> String {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    let text_at = |path: &str| {
        let document = documents.document(path, &spec.defaults.path)?;
        Some(policy::canonical_pretty(&document))
    };
    for (name, policy) in entries(value.get_mut("policies")) {
        replace(policy, text_at(&entry("policies", name)));
    }
    for section in ["users", "roles"] {
        let list = value.get_mut(section).and_then(Value::as_array_mut);
        for (index, object) in list.into_iter().flatten().enumerate() {
            let parent = documents::inline_path(section, index);
            for (name, policy) in entries(object.pointer_mut("/permissions/inline_policies")) {
                replace(policy, text_at(&entry(&parent, name)));
            }
        }
    }
    // Splitting over files changes the order of these lists, and nothing else.
    for section in ["users", "roles", "ignore"] {
        if let Some(Value::Array(elements)) = value.get_mut(section) {
            elements.sort_by_cached_key(canonical);
        }
    }
    let hash = Sha256::digest(canonical(&value));
    hash.iter().fold("sha256:".to_owned(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn entries(mapping: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    mapping.and_then(Value::as_object_mut).into_iter().flatten()
}

/// Puts a policy's text in the place of where it comes from, which is of no matter.
fn replace(policy: &mut Value, text: Option<String>) {
    if let (Some(policy), Some(text)) = (policy.as_object_mut(), text) {
        for key in ["file", "document", "library"] {
            policy.remove(key);
        }
        policy.insert("text".to_owned(), Value::String(text));
    }
}

/// Writes a value with its keys sorted, whatever order the map keeps.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            let members = members
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::String(key.clone()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(canonical).collect();
            format!("[{}]", elements.join(","))
        }
        scalar => scalar.to_string(),
    }
}
