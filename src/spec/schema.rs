//! The JSON Schema of a spec, for editors and other tools.
//!
//! It is written in draft 7, the newest that editors know as a whole.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value};

use super::types::Spec;

/// Builds the JSON Schema (draft 7) of a spec.
#[must_use]
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft07()
        .with(|settings| settings.definitions_path = "/$defs".into())
        .with_transform(RecursiveTransform(refer_plainly))
        .with_transform(RecursiveTransform(forbid_null))
        .with_transform(RecursiveTransform(describe_only_key));
    let mut schema = settings.into_generator().into_root_schema_for::<Spec>();
    schema.insert("title".to_owned(), Value::from("breakglass spec"));
    schema.to_value()
}

/// Takes null out of the optional properties: a key without a value is refused, it is not a key that is absent.
fn forbid_null(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        if name != "permissions_boundary"
            && let Value::Object(property) = property
        {
            without_null(property);
        }
    }
}

fn without_null(property: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = property.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_mut_slice() {
            let only = std::mem::take(only);
            property.remove("anyOf");
            property.extend(only);
        }
    }
}

/// Writes a reference beside what is said of it: a validator of draft 7 reads the reference alone, an editor both.
fn refer_plainly(schema: &mut Schema) {
    let Some(Value::Array(parts)) = schema.get("allOf") else {
        return;
    };
    if let [Value::Object(only)] = parts.as_slice()
        && let (1, Some(reference)) = (only.len(), only.get("$ref").cloned())
    {
        schema.remove("allOf");
        schema.insert("$ref".to_owned(), reference);
    }
}

/// Gives the one key of a mapping, as the variants of an enum are written, what is said of the mapping.
fn describe_only_key(schema: &mut Schema) {
    let Some(description) = schema.get("description").cloned() else {
        return;
    };
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    if properties.len() == 1 {
        for property in properties.values_mut() {
            if let Value::Object(property) = property {
                property
                    .entry("description")
                    .or_insert_with(|| description.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mapping_is_closed() {
        fn open(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    if members.contains_key("properties")
                        && members.get("additionalProperties") != Some(&Value::Bool(false))
                    {
                        found.push(value.to_string());
                    }
                    members.values().for_each(|member| open(member, found));
                }
                Value::Array(members) => members.iter().for_each(|member| open(member, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let mut found = Vec::new();
        open(&json_schema(), &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn closed_sets_patterns_defaults_and_examples_are_there_to_complete_from() {
        let schema = json_schema();
        let of = |path: &str| schema.pointer(path).cloned().unwrap_or_default();
        let text = of("/$defs/Role/properties/failure_mode/examples").to_string();
        assert!(text.contains("identity_provider_down"), "{text}");
        let library = of("/$defs/PolicySource/properties/library/enum").to_string();
        assert!(library.contains("deny-break-glass-tampering"), "{library}");
        assert_eq!(of("/properties/emergency_account/pattern"), "^[0-9]{12}$");
        assert_eq!(of("/$defs/User/properties/console/default"), true);
        assert_eq!(of("/$defs/Role/properties/max_session/default"), "1h");
        let kinds = of("/$defs/MfaKind").to_string();
        assert!(kinds.contains("fido2"), "{kinds}");
        let nulls = schema.to_string().matches("\"null\"").count();
        assert_eq!(nulls, 1, "only permissions_boundary may be null");
    }
}
