//! Writes the pages of `docs/reference` from the JSON Schemas that the tool prints, which come from its types.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use super::links::anchor;
use super::{Sandbox, files, overwrites, root};

/// A page: its file, its title, the kinds of `breakglass schema` that it shows, and what it says first.
const PAGES: [(&str, &str, &[&str], &str); 9] = [
    (
        "spec.md",
        "The spec's keys",
        &["spec"],
        "Every key of the spec. [The spec](../spec.md) shows how they go together and what they become.",
    ),
    (
        "plan.md",
        "Plans and reports of drift as JSON",
        &["plan"],
        "What `plan --out` saves, and what `plan`, `drift` and `merge` of these print with `--format json`.",
    ),
    (
        "apply.md",
        "What an apply did, as JSON",
        &["apply"],
        "What `apply --format json` prints.",
    ),
    (
        "verify.md",
        "Proofs as JSON",
        &["verify"],
        "What `verify --format json` prints. [Verify](../concepts.md#verify) says what is proven.",
    ),
    (
        "usage.md",
        "Uses and findings as JSON",
        &["usage"],
        "What `usage --format json` prints. [Usage](../usage.md) says what it means.",
    ),
    (
        "usage-notice.md",
        "Findings that are handed on",
        &["usage-notice"],
        "What `usage --notify` sends. [Usage](../usage.md#handing-findings-on) says how.",
    ),
    (
        "close.md",
        "A closed incident as JSON",
        &["close"],
        "What `close --format json` prints. [Incidents](../incidents.md#close) says what it does.",
    ),
    (
        "alerts-test.md",
        "A drill of the alerts as JSON",
        &["alerts-test"],
        "What `alerts test --format json` prints. [Alerts](../alerts.md#drill) says what it does.",
    ),
    (
        "policy.md",
        "What the policy engines read and write",
        &["policy-request", "policy-response", "policy-diff"],
        "With `--jsonl`, each is a line. [Policies](../cli.md#policies) has examples.",
    ),
];

/// The kinds that people write: their keys have defaults. The others are written, and a key of theirs may be absent.
const READ: [&str; 2] = ["spec", "policy-request"];

/// Definitions that other programs must not build on, so that no page shows them.
const INTERNAL: [&str; 2] = ["Share", "Step"];

/// Says where a page comes from.
const MARK: &str =
    "<!-- Written by `TRYCMD=overwrite cargo test --test docs` from what the code says. -->";

/// Writes a page from its schemas, each with the kind that prints it.
fn page(title: &str, introduction: &str, schemas: &[(String, Value)]) -> String {
    let commands = schemas
        .iter()
        .map(|(kind, _)| format!("`breakglass schema {kind}`"));
    let commands = commands.collect::<Vec<_>>().join(", ");
    let mut page =
        format!("# {title}\n\n{MARK}\n\n{introduction}\n\nAs a JSON Schema: {commands}.\n");
    for (kind, schema) in schemas {
        let mut writer = Writer {
            definitions: &schema["$defs"],
            is_read: READ.contains(&kind.as_str()),
            places: BTreeMap::new(),
            page: &mut page,
        };
        let place = if schemas.len() > 1 { kind } else { "" };
        writer.section(place, schema);
    }
    page
}

/// Writes the sections of one schema, each definition once: where it is met first.
struct Writer<'a> {
    definitions: &'a Value,
    is_read: bool,
    /// The heading under which each definition stands.
    places: BTreeMap<String, String>,
    page: &'a mut String,
}

impl Writer<'_> {
    fn section(&mut self, place: &str, schema: &Value) {
        let heading = if place.is_empty() {
            "Top level".to_owned()
        } else {
            format!("`{place}`")
        };
        let _ = write!(self.page, "\n## {heading}\n\n");
        if let Some(description) = text(schema, "description") {
            let _ = write!(self.page, "{}\n\n", paragraph(&description));
        }
        if let Some(values) = constants(schema) {
            let _ = writeln!(self.page, "| value | meaning |\n|--|--|");
            for (value, meaning) in values {
                let _ = writeln!(self.page, "| `{value}` | {} |", cell(&meaning));
            }
            return;
        }
        let Some(properties) = schema["properties"].as_object() else {
            return;
        };
        let required = |name: &str| {
            let names = schema["required"].as_array();
            names.is_some_and(|names| names.iter().any(|key| key == name))
        };
        let mut below = Vec::new();
        let mut rows = String::new();
        for (name, property) in properties {
            let inner = if place.is_empty() {
                name.clone()
            } else {
                format!("{place}.{name}")
            };
            let kind = self.kind(property, &inner, &mut below);
            let there = match (self.is_read, required(name), &property["default"]) {
                (false, true, _) => "always".to_owned(),
                (false, false, _) => "if any".to_owned(),
                (true, true, _) => "required".to_owned(),
                (true, false, Value::Null) => "–".to_owned(),
                (true, false, default) => format!("`{default}`"),
            };
            let meaning = text(property, "description").unwrap_or_default();
            let _ = writeln!(rows, "| `{name}` | {kind} | {there} | {} |", cell(&meaning));
        }
        let there = if self.is_read { "default" } else { "there" };
        let _ = write!(
            self.page,
            "| key | type | {there} | meaning |\n|--|--|--|--|\n{rows}"
        );
        for (place, name) in below {
            let definition = self.definitions[&name].clone();
            self.section(&place, &definition);
        }
    }

    /// Says what a value is; definitions that it leads to first are put on the list of what stands below.
    fn kind(&mut self, schema: &Value, place: &str, below: &mut Vec<(String, String)>) -> String {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            return self.definition(name, place, below);
        }
        if let Some(value) = schema.get("const") {
            return format!("`{value}`");
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            let choices = choices.iter();
            let choices: Vec<_> = choices
                .filter(|choice| choice["type"] != "null")
                .map(|choice| self.kind(choice, place, below))
                .collect();
            return choices.join(" or ");
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let properties = choices
                .iter()
                .filter_map(|choice| choice["properties"].as_object());
            let choices: Vec<_> = properties
                .flatten()
                .map(|(name, property)| {
                    let inner = format!("{place}.{name}");
                    format!("`{name}:` {}", self.kind(property, &inner, below))
                })
                .collect();
            return choices.join(" or ");
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let types = types.into_iter().filter(|name| *name != "null");
        let words: Vec<String> = types
            .map(|name| match name {
                "string" => "text".to_owned(),
                "integer" | "number" => "number".to_owned(),
                "boolean" => "`true` or `false`".to_owned(),
                "array" => {
                    let items = self.kind(&schema["items"], &format!("{place}[]"), below);
                    format!("list of {items}")
                }
                _ if schema["additionalProperties"].is_object() => {
                    let values = &schema["additionalProperties"];
                    let values = self.kind(values, &format!("{place}.*"), below);
                    format!("mapping to {values}")
                }
                _ => "object".to_owned(),
            })
            .collect();
        if words.is_empty() {
            "any value".to_owned()
        } else {
            words.join(" or ")
        }
    }

    fn definition(&mut self, name: &str, place: &str, below: &mut Vec<(String, String)>) -> String {
        let definition = self.definitions[name].clone();
        if INTERNAL.contains(&name) {
            return "internal".to_owned();
        }
        if name == "Plan" {
            return "[plan](plan.md)".to_owned();
        }
        let shown = constants(&definition).is_some() || definition["properties"].is_object();
        if !shown {
            return self.kind(&definition, place, below);
        }
        let place = match self.places.get(name) {
            Some(place) => place.clone(),
            None => {
                self.places.insert(name.to_owned(), place.to_owned());
                below.push((place.to_owned(), name.to_owned()));
                place.to_owned()
            }
        };
        let word = if constants(&definition).is_some() {
            "value"
        } else {
            "object"
        };
        format!("[{word}](#{})", anchor(&format!("`{place}`")))
    }
}

/// The values of an enumeration with what they mean.
fn constants(schema: &Value) -> Option<Vec<(String, String)>> {
    schema["oneOf"]
        .as_array()?
        .iter()
        .map(|choice| {
            let value = choice["const"].as_str()?.to_owned();
            Some((value, text(choice, "description").unwrap_or_default()))
        })
        .collect()
}

fn text(schema: &Value, key: &str) -> Option<String> {
    schema[key].as_str().map(str::to_owned)
}

/// One paragraph to a line, without what is for readers of the code.
fn paragraph(text: &str) -> String {
    let paragraphs = text.split("\n\n");
    let paragraphs = paragraphs.filter(|part| !part.starts_with("Source:"));
    let paragraphs: Vec<_> = paragraphs.map(|part| part.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}

fn cell(text: &str) -> String {
    text.replace("\n\n", " ")
        .replace('\n', " ")
        .replace('|', "\\|")
}

/// Lists the rules of findings, which are written where findings are made.
fn rules() -> String {
    let mut rules = BTreeMap::new();
    for path in files(&root("src/report/items")) {
        let source = fs::read_to_string(path).unwrap();
        for call in source.split("Rule::new(").skip(1) {
            let arguments = call.split(')').next().unwrap_or_default();
            let literals: Vec<&str> = arguments.split('"').skip(1).step_by(2).collect();
            if let [id, text] = literals.as_slice() {
                rules.insert((*id).to_owned(), (*text).to_owned());
            }
        }
    }
    for code in breakglass::audit::Code::ALL {
        let id = format!("usage/{}", code.as_str());
        rules.insert(id, code.description().to_owned());
    }
    let mut page = format!(
        "# Rules of findings\n\n{MARK}\n\nThe `ruleId` of a result in SARIF, by which code scanning tells findings apart.\n\n\
         | rule | meaning |\n|--|--|\n"
    );
    for (id, text) in rules {
        let _ = writeln!(page, "| `{id}` | {} |", cell(&text));
    }
    page
}

#[test]
fn the_reference_is_that_of_the_code() {
    let sandbox = Sandbox::new();
    let pages = PAGES.iter().map(|(name, title, kinds, introduction)| {
        let schemas: Vec<(String, Value)> = kinds
            .iter()
            .map(|kind| ((*kind).to_owned(), sandbox.json(&["schema", kind])))
            .collect();
        (*name, page(title, introduction, &schemas))
    });
    for (name, page) in pages.chain([("rules.md", rules())]) {
        let path = root("docs/reference").join(name);
        if overwrites() {
            fs::write(&path, &page).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == page,
            "{name} is out of date: TRYCMD=overwrite cargo test --test docs"
        );
    }
}

#[test]
fn every_field_of_changes_is_described() {
    let page = fs::read_to_string(root("docs/reference/fields.md")).unwrap();
    let mut count = 0;
    for path in files(&root("src/plan")) {
        let source = fs::read_to_string(path).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        for call in code.split(".field(").skip(1) {
            let argument = call.trim_start().trim_start_matches("format!(");
            let Some(name) = argument.strip_prefix('"') else {
                continue;
            };
            let name = name.split(['"', '.']).next().unwrap_or_default();
            count += 1;
            let described = [format!("`{name}`"), format!("`{name}.")];
            assert!(described.iter().any(|name| page.contains(name)), "{name}");
        }
    }
    assert!(count > 20, "only {count} fields were found");
}
