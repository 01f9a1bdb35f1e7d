//! Tags: what IAM and breakglass itself allow.

use std::collections::BTreeMap;

use super::super::source::entry;
use super::{Check, limits};

impl Check<'_> {
    /// Checks tags that stand by themselves.
    pub(super) fn tags(&mut self, at: &str, tags: &BTreeMap<String, String>) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (key, value) in tags {
            let here = entry(at, key);
            let folded = key.to_lowercase();
            if let Some(prefix) = ["aws:", "breakglass:"]
                .into_iter()
                .find(|prefix| folded.starts_with(prefix))
            {
                self.error(
                    &here,
                    format!("the tag key {key:?} is reserved: it begins with {prefix}"),
                    "choose another key",
                );
            }
            if key.is_empty() || key.chars().count() > limits::TAG_KEY || !key.chars().all(allowed)
            {
                self.error(
                    &here,
                    format!("{key:?} can't be the key of a tag"),
                    "a key has 1 to 128 letters, digits, spaces and _.:/=+-@",
                );
            }
            if value.chars().count() > limits::TAG_VALUE || !value.chars().all(allowed) {
                self.error(
                    &here,
                    format!("the value of the tag {key:?} is not one that IAM takes"),
                    "a value has up to 256 letters, digits, spaces and _.:/=+-@",
                );
            }
            if let Some(first) = seen.insert(folded, key) {
                self.error(
                    &here,
                    format!("the tag keys {first:?} and {key:?} differ in case only, which IAM doesn't tell apart"),
                    "keep one of them",
                );
            }
        }
    }

    /// Checks the tags of an object together with those it has by default.
    ///
    /// `own` are the keys that breakglass itself may set on it.
    pub(super) fn object_tags(&mut self, at: &str, tags: &BTreeMap<String, String>, own: &[&str]) {
        self.tags(at, tags);
        let defaults = &self.spec.defaults.tags;
        for key in tags.keys() {
            let other = defaults
                .keys()
                .find(|default| *default != key && default.to_lowercase() == key.to_lowercase());
            if let Some(default) = other {
                self.error(
                    entry(at, key),
                    format!("the tag key {key:?} and {default:?} of defaults.tags differ in case only, which IAM doesn't tell apart"),
                    format!("write {default:?} to override it"),
                );
            }
        }
        let count = own.len()
            + tags.len()
            + defaults
                .keys()
                .filter(|key| !tags.contains_key(*key))
                .count();
        if count > limits::TAGS {
            self.error(
                at,
                format!(
                    "with defaults.tags and {} these are {count} tags; IAM takes {}",
                    own.join(", "),
                    limits::TAGS
                ),
                "remove some",
            );
        }
    }
}

/// Source: IAM API, `Tag`: `[\p{L}\p{Z}\p{N}_.:/=+\-@]`.
fn allowed(character: char) -> bool {
    character.is_alphanumeric()
        || (character.is_whitespace() && !character.is_control())
        || "_.:/=+-@".contains(character)
}
