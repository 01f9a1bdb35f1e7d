//! The request itself: who, what, where, under which circumstances.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::RequestLine;
use crate::policy::evaluate::{Caller, Context, ContextValue, Request};

/// Builds the request of a line.
pub(super) fn request(line: &RequestLine<'_>) -> Result<Request, String> {
    let context = match line.context {
        None => Context::new(),
        Some(raw) => {
            serde_json::from_str::<ContextLine>(raw.get())
                .map_err(|error| {
                    // The position counts from the start of the context, which nobody sees.
                    let text = error.to_string();
                    let text = text.split(" at line ").next().unwrap_or_default();
                    format!("the context cannot be read: {text}")
                })?
                .0
        }
    };
    Ok(Request {
        principal: principal(line.principal)?,
        action: line.action.clone().into_owned(),
        resource: match &line.resource {
            Some(resource) => resource.clone().into_owned(),
            None => "*".to_owned(),
        },
        resource_account: account("resource_account", line.resource_account.as_deref())?,
        context,
        management_account: account("management_account", line.management_account.as_deref())?,
    })
}

fn account<T: FromStr<Err: fmt::Display>>(
    field: &str,
    text: Option<&str>,
) -> Result<Option<T>, String> {
    let account = text.map(T::from_str).transpose();
    account.map_err(|error| format!("{field}: {error}"))
}

fn principal(raw: &RawValue) -> Result<Caller, String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Typed {
        r#type: String,
    }
    let text = raw.get();
    let name = if text.starts_with('{') {
        let typed: Option<Typed> = serde_json::from_str(text).ok();
        typed
            .map(|typed| typed.r#type)
            .filter(|kind| kind == "Anonymous")
    } else {
        serde_json::from_str(text).ok()
    };
    name.ok_or_else(|| r#"the principal must be a text or {"type": "Anonymous"}"#.to_owned())?
        .parse()
        .map_err(|error| format!("the principal {error}"))
}

/// Reads the context key by key.
struct ContextLine(Context);

impl<'de> Deserialize<'de> for ContextLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Context;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of condition keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Context, A::Error> {
                let mut context = Context::new();
                while let Some(key) = map.next_key::<String>()? {
                    let Value(value) = map.next_value()?;
                    if context.set(&key, value).is_some() {
                        let message = format!("context key {key:?} is given twice");
                        return Err(serde::de::Error::custom(message));
                    }
                }
                Ok(context)
            }
        }
        deserializer.deserialize_any(Keys).map(Self)
    }
}

/// Reads the value of a context key.
struct Value(ContextValue);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if raw.get() == "null" {
            return Ok(Self(ContextValue::Unknown));
        }
        let values = if raw.get().starts_with('[') {
            let Items(items) = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
            items
        } else {
            vec![scalar(raw).map_err(serde::de::Error::custom)?]
        };
        Ok(Self(ContextValue::Values(values)))
    }
}

struct Items(Vec<String>);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalars;
        impl<'de> Visitor<'de> for Scalars {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
                let mut values = Vec::new();
                while let Some(raw) = list.next_element::<&RawValue>()? {
                    values.push(scalar(raw).map_err(serde::de::Error::custom)?);
                }
                Ok(values)
            }
        }
        deserializer.deserialize_seq(Scalars).map(Self)
    }
}

/// Reads a text, or a number or boolean as its text.
fn scalar(raw: &RawValue) -> Result<String, String> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map_err(|error| error.to_string()),
        Some(b'{' | b'[' | b'n') | None => {
            Err("a value must be a text, number or boolean".to_owned())
        }
        Some(_) => Ok(text.to_owned()),
    }
}
