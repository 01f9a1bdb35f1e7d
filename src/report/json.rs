//! JSON: the value itself, laid out; what a saved plan holds.

use serde::Serialize;

/// Writes a value with a line break at the end.
pub(super) fn value(value: &impl Serialize) -> String {
    // The reports' types hold nothing that can't be written: no map with keys other than text.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
