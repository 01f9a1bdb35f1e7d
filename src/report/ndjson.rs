//! JSON in lines, for programs that read along: what kind it is, then what was found piece by piece, then the rest.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The version of the lines, `1.N`.
const FORMAT_VERSION: &str = "1.0";

/// Writes the line that a stream begins with. Progress may follow it, before anything is known.
#[must_use]
pub fn ndjson_opening(kind: &str) -> String {
    let line = json!({
        "type": "version",
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "breakglass": env!("CARGO_PKG_VERSION"),
    });
    format!("{line}\n")
}

/// Writes a line that tells how far the reading is.
#[must_use]
pub fn ndjson_progress(done: usize, all: usize) -> String {
    let line = json!({ "type": "progress", "done": done, "all": all });
    format!("{line}\n")
}

/// Writes a whole stream without progress: each element of each of these lists as a line of that type, and last what
/// the value holds beside them, as a line of type `outcome`.
pub(super) fn ndjson(kind: &str, value: &impl Serialize, lists: &[(&str, &str)]) -> String {
    // These types hold nothing that can't be written.
    let mut value = serde_json::to_value(value).unwrap_or_default();
    let mut text = ndjson_opening(kind);
    let mut line = |of_type: &str, content: Value| {
        let mut line = Map::new();
        line.insert("type".to_owned(), json!(of_type));
        match content {
            Value::Object(members) => {
                for (key, value) in members {
                    // A resource has a type of its own.
                    let key = if key == "type" { "resource_type" } else { &key };
                    line.insert(key.to_owned(), value);
                }
            }
            other => drop(line.insert("text".to_owned(), other)),
        }
        text.push_str(&format!("{}\n", Value::Object(line)));
    };
    for (list, of_type) in lists {
        let elements = value
            .as_object_mut()
            .and_then(|value| value.shift_remove(*list));
        if let Some(Value::Array(elements)) = elements {
            for element in elements {
                line(of_type, element);
            }
        }
    }
    line("outcome", value);
    text
}
