//! Values that may be written in two ways: a text, or a mapping that says more.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// Reads a text or a mapping; `T` is made of either.
struct TextOrMapping<T, M> {
    expecting: &'static str,
    made: PhantomData<(T, M)>,
}

impl<'de, T: From<String> + From<M>, M: DeserializeOwned> Visitor<'de> for TextOrMapping<T, M> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(T::from(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        M::deserialize(de::value::MapAccessDeserializer::new(map)).map(T::from)
    }
}

/// Implements reading, writing and the schema of a value that is a text or a mapping `$mapping`.
///
/// `$as_text` finds the text that says all there is to say, if there is one.
macro_rules! text_or_mapping {
    ($name:ident, $mapping:ident, $expecting:literal, $as_text:expr) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextOrMapping::<Self, $mapping> {
                    expecting: $expecting,
                    made: PhantomData,
                })
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let as_text: fn(&Self) -> Option<&str> = $as_text;
                match as_text(self) {
                    Some(text) => serializer.serialize_str(text),
                    None => $mapping::from(self.clone()).serialize(serializer),
                }
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let mapping = generator.subschema_for::<$mapping>();
                json_schema!({ "anyOf": [{ "type": "string", "minLength": 1 }, mapping] })
            }
        }
    };
}

/// Holds the role that is assumed in each member account, for reading and for writing.
///
/// Written as one name, or as `{plan, apply}` to keep reading apart from writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRole {
    /// The name of the role that reads: `plan`, `drift`, `verify`.
    pub plan: String,
    /// The name of the role that writes: `apply`.
    pub apply: String,
}

/// Splits reading from writing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlanAndApply {
    /// The name of the role that reads.
    plan: String,
    /// The name of the role that writes.
    apply: String,
}

impl Default for MemberRole {
    fn default() -> Self {
        "OrganizationAccountAccessRole".to_owned().into()
    }
}

impl From<String> for MemberRole {
    fn from(name: String) -> Self {
        Self {
            plan: name.clone(),
            apply: name,
        }
    }
}

impl From<PlanAndApply> for MemberRole {
    fn from(PlanAndApply { plan, apply }: PlanAndApply) -> Self {
        Self { plan, apply }
    }
}

impl From<MemberRole> for PlanAndApply {
    fn from(MemberRole { plan, apply }: MemberRole) -> Self {
        Self { plan, apply }
    }
}

text_or_mapping!(
    MemberRole,
    PlanAndApply,
    "the name of a role, or {plan: NAME, apply: NAME}",
    |role| (role.plan == role.apply).then_some(role.plan.as_str())
);

/// Names who keeps a password or a token, and the keys that a new password is sealed to.
///
/// Written as a name, or as `{name, recipients}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custodian {
    /// Who or what keeps it, such as `security safe`.
    pub name: String,
    /// The public keys a new password is sealed to: `age1…` or an SSH public key.
    pub recipients: Vec<String>,
}

/// Names a custodian and the keys a new password is sealed to.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NameAndRecipients {
    /// Who or what keeps it.
    name: String,
    /// The public keys a new password is sealed to: `age1…` or an SSH public key.
    #[serde(default)]
    recipients: Vec<String>,
}

impl From<String> for Custodian {
    fn from(name: String) -> Self {
        Self {
            name,
            recipients: Vec::new(),
        }
    }
}

impl From<NameAndRecipients> for Custodian {
    fn from(NameAndRecipients { name, recipients }: NameAndRecipients) -> Self {
        Self { name, recipients }
    }
}

impl From<Custodian> for NameAndRecipients {
    fn from(Custodian { name, recipients }: Custodian) -> Self {
        Self { name, recipients }
    }
}

text_or_mapping!(
    Custodian,
    NameAndRecipients,
    "the name of a custodian, or {name: NAME, recipients: [KEY, …]}",
    |custodian| custodian
        .recipients
        .is_empty()
        .then_some(custodian.name.as_str())
);

/// Describes an action that a role's session must be able to do.
///
/// Written as an action, which is then proven on every resource in every context, or as a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ability {
    /// The action, such as `ec2:*`.
    pub action: String,
    /// The resource it is done to; every resource when absent.
    pub resource: Option<String>,
    /// The context keys that are known and their values; every other key may have any value.
    pub context: BTreeMap<String, OneOrMany>,
}

/// Narrows an action to a resource or a context.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NarrowAbility {
    /// The action, such as `ec2:*`.
    action: String,
    /// The resource it is done to; every resource when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// The context keys that are known and their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    context: BTreeMap<String, OneOrMany>,
}

impl From<String> for Ability {
    fn from(action: String) -> Self {
        Self {
            action,
            resource: None,
            context: BTreeMap::new(),
        }
    }
}

impl From<NarrowAbility> for Ability {
    fn from(narrow: NarrowAbility) -> Self {
        let NarrowAbility {
            action,
            resource,
            context,
        } = narrow;
        Self {
            action,
            resource,
            context,
        }
    }
}

impl From<Ability> for NarrowAbility {
    fn from(ability: Ability) -> Self {
        let Ability {
            action,
            resource,
            context,
        } = ability;
        Self {
            action,
            resource,
            context,
        }
    }
}

text_or_mapping!(
    Ability,
    NarrowAbility,
    "an action, or {action: …, resource: …, context: {…}}",
    |ability| (ability.resource.is_none() && ability.context.is_empty())
        .then_some(ability.action.as_str())
);

/// Holds the values of a context key; written as one text or as a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrList;
        impl<'de> Visitor<'de> for TextOrList {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany(texts))
            }
        }
        deserializer.deserialize_any(TextOrList)
    }
}

impl Serialize for OneOrMany {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            many => many.serialize(serializer),
        }
    }
}

impl JsonSchema for OneOrMany {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OneOrMany".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}
