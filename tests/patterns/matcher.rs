//! An EventBridge pattern matcher of the tests' own, written from the service's documentation alone.
//!
//! Source: EventBridge User Guide, "Creating event patterns" and "Comparison operators for use in event patterns".

use serde_json::Value;

/// Tells whether an event matches a pattern.
///
/// # Panics
/// When the pattern uses something this matcher does not know, so that nothing passes unproven.
pub fn matches(pattern: &Value, event: &Value) -> bool {
    let fields = pattern.as_object().expect("a pattern is an object");
    fields
        .iter()
        .all(|(name, wanted)| match (name.as_str(), wanted) {
            ("$or", Value::Array(ways)) => ways.iter().any(|way| matches(way, event)),
            (_, Value::Object(_)) => {
                event
                    .get(name)
                    .is_some_and(|inner| inner.is_object() && matches(wanted, inner))
                    || (event.get(name).is_none()
                        && matches(wanted, &Value::Object(serde_json::Map::new())))
            }
            (_, Value::Array(values)) => leaf(values, event.get(name)),
            _ => panic!("{name}: a field of a pattern is an object or a list"),
        })
}

/// A leaf matches when any of its values does, for any element where the event has a list.
fn leaf(wanted: &[Value], found: Option<&Value>) -> bool {
    assert!(
        !wanted.is_empty(),
        "an empty list is refused by EventBridge"
    );
    wanted.iter().any(|wanted| match (wanted, found) {
        (Value::Object(operator), found) => operate(operator, found),
        (_, Some(Value::Array(elements))) => elements.contains(wanted),
        (literal, Some(found)) => literal == found,
        (_, None) => false,
    })
}

fn operate(operator: &serde_json::Map<String, Value>, found: Option<&Value>) -> bool {
    assert_eq!(operator.len(), 1, "one operator to an object");
    let (name, operand) = operator.iter().next().unwrap();
    if name == "exists" {
        // It is about leaves only.
        let exists = found.is_some_and(|found| !found.is_object());
        return exists == operand.as_bool().unwrap();
    }
    let Some(found) = found else {
        return false;
    };
    let test = |value: &Value| {
        let text = value.as_str();
        match name.as_str() {
            "prefix" => text.is_some_and(|text| text.starts_with(operand.as_str().unwrap())),
            "suffix" => text.is_some_and(|text| text.ends_with(operand.as_str().unwrap())),
            "anything-but" => match operand {
                Value::Array(others) => !others.contains(value),
                other => other != value,
            },
            other => panic!("unknown operator {other}"),
        }
    };
    match found {
        Value::Array(elements) => elements.iter().any(test),
        value => test(value),
    }
}
