//! JSON in lines, for programs that read along: what kind it is, then what was found piece by piece, then the rest.

use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::apply::ApplyReport;
use crate::audit::Audit;
use crate::close::CloseReport;
use crate::collect::DrillReport;
use crate::plan::Plan;
use crate::verify::Verification;

/// The version of the lines, `1.N`.
const FORMAT_VERSION: &str = "1.0";
/// What the type of a resource is called where `type` is the line's.
const RESOURCE_TYPE: &str = "resource_type";

/// The lists of a report whose elements get lines of their own, and the type of those lines.
type Lists = &'static [(&'static str, &'static str)];

pub(super) const PLAN: Lists = &[
    ("notes", "note"),
    ("gates", "gate"),
    ("changes", "change"),
    ("unreadable", "unreadable"),
    ("skipped", "skipped"),
    ("ignored", "ignored"),
    ("cosmetic", "cosmetic"),
    ("in_sync", "in_sync"),
];
pub(super) const APPLY: Lists = &[("results", "result"), ("unreadable", "unreadable")];
pub(super) const ALERTS_TEST: Lists = &[("rules", "rule"), ("unreadable", "unreadable")];
pub(super) const VERIFY: Lists = &[
    ("notes", "note"),
    ("results", "result"),
    ("coverage", "coverage"),
    ("exempt", "exempt"),
    ("unreadable", "unreadable"),
    ("skipped", "skipped"),
];
pub(super) const USAGE: Lists = &[
    ("notes", "note"),
    ("findings", "finding"),
    ("uses", "use"),
    ("tampering", "tampering"),
    ("unreadable", "unreadable"),
];
pub(super) const CLOSE: Lists = &[("steps", "step"), ("exceptions", "exception")];

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
pub(super) fn ndjson(kind: &str, value: &impl Serialize, lists: Lists) -> String {
    // These types hold nothing that can't be written.
    let mut value = serde_json::to_value(value).unwrap_or_default();
    let mut text = ndjson_opening(kind);
    let mut line = |of_type: &str, content: Value| {
        let mut line = Map::new();
        line.insert("type".to_owned(), json!(of_type));
        match content {
            Value::Object(members) => {
                for (key, value) in members {
                    let key = if key == "type" { RESOURCE_TYPE } else { &key };
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

/// Describes the lines of all streams, as JSON Schema.
#[must_use]
pub fn ndjson_schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let mut lines = vec![
        of_type(
            "version",
            json!({
                "type": "object",
                "properties": {
                    "format_version": { "type": "string" },
                    "kind": { "type": "string" },
                    "breakglass": { "type": "string" },
                },
                "required": ["format_version", "kind", "breakglass"],
            }),
        ),
        of_type(
            "progress",
            json!({
                "type": "object",
                "properties": { "done": { "type": "integer" }, "all": { "type": "integer" } },
                "required": ["done", "all"],
            }),
        ),
    ];
    describe::<Plan>(&mut generator, PLAN, &mut lines);
    describe::<ApplyReport>(&mut generator, APPLY, &mut lines);
    describe::<DrillReport>(&mut generator, ALERTS_TEST, &mut lines);
    describe::<Verification>(&mut generator, VERIFY, &mut lines);
    describe::<Audit>(&mut generator, USAGE, &mut lines);
    describe::<CloseReport>(&mut generator, CLOSE, &mut lines);
    let definitions = generator.take_definitions(true);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a stream",
        "anyOf": lines,
        "$defs": definitions,
    })
}

/// Adds the lines that a report of a type is written as.
fn describe<T: JsonSchema>(generator: &mut SchemaGenerator, lists: Lists, lines: &mut Vec<Value>) {
    let mut rest = T::json_schema(generator).to_value();
    for (list, name) in lists {
        let properties = rest.get_mut("properties").and_then(Value::as_object_mut);
        let list = properties.and_then(|properties| properties.shift_remove(*list));
        let element = list.and_then(|list| list.get("items").cloned());
        let element = element.unwrap_or_default();
        let reference = element.get("$ref").and_then(Value::as_str);
        let definition = reference
            .and_then(|reference| reference.rsplit('/').next())
            .and_then(|definition| generator.definitions().get(definition));
        lines.push(of_type(name, definition.cloned().unwrap_or(element)));
    }
    if let Some(required) = rest.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| lists.iter().all(|(list, _)| name != list));
    }
    lines.push(of_type("outcome", rest));
}

/// Describes the line of a type that holds the members of what a schema describes, or else its text.
fn of_type(name: &str, mut schema: Value) -> Value {
    let Some(described) = schema.as_object_mut() else {
        return schema;
    };
    let text = described.get("type").is_some_and(|kind| kind == "string");
    if text {
        let text = json!(std::mem::take(described));
        described.insert("type".to_owned(), json!("object"));
        described.insert("additionalProperties".to_owned(), json!(false));
        described.insert("properties".to_owned(), json!({ "text": text }));
        described.insert("required".to_owned(), json!(["text"]));
    }
    if let Some(Value::Object(properties)) = described.get_mut("properties")
        && let Some(own) = properties.insert("type".to_owned(), json!({ "const": name }))
    {
        properties.insert(RESOURCE_TYPE.to_owned(), own);
    }
    if let Some(Value::Array(required)) = described.get_mut("required") {
        for name in required.iter_mut().filter(|name| *name == "type") {
            *name = json!(RESOURCE_TYPE);
        }
        required.push(json!("type"));
    }
    schema
}
