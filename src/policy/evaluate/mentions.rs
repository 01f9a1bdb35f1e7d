//! The context keys that a document asks for.

use std::collections::BTreeSet;

use super::text::variables;
use crate::policy::document::Document;

/// Lists the context keys that a document tests or puts in for a variable, in lower case.
#[must_use]
pub fn mentioned_keys(document: &Document) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for statement in &document.statements {
        let resources = statement.resources.iter();
        for text in resources.flat_map(|resources| resources.list()) {
            keys.extend(variables(text).map(str::to_ascii_lowercase));
        }
        for condition in &statement.conditions {
            keys.insert(condition.key.to_ascii_lowercase());
            let values = condition.values.iter().map(|value| value.as_str());
            keys.extend(values.flat_map(variables).map(str::to_ascii_lowercase));
        }
    }
    keys
}
