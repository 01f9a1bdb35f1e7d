//! The tree of values to typed values, by serde, with every mistake at its place.
//!
//! Serde gives up at the first mistake. To find the others, decoding runs again without the value that was wrong, until
//! nothing new is wrong; what a mapping lacks only because it was left out is then no mistake of its own.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::node::{Node, Value};
use super::problem::Problem;
use super::scalar::{Plain, plain};

/// Ends the search for mistakes: who makes so many made one in many places.
const MAX_PROBLEMS: usize = 50;

/// Decodes a tree; every mistake is reported, and there is a value only if there was none.
pub(super) fn decode<T: DeserializeOwned>(root: &Node, problems: &mut Vec<Problem>) -> Option<T> {
    let mut wrong = BTreeSet::new();
    let mut found = 0;
    loop {
        let decoder = Decoder {
            node: root,
            wrong: &wrong,
        };
        let mistake = match T::deserialize(decoder) {
            Ok(value) => return wrong.is_empty().then_some(value),
            Err(mistake) => mistake.at(root, &wrong),
        };
        // Were the value known to be wrong already, the next run would end like this one.
        if !mistake.id.is_some_and(|id| wrong.insert(id)) {
            return None;
        }
        if !mistake.follows {
            found += 1;
            problems.push(mistake.problem(root));
        }
        if mistake.id == Some(root.id) || found == MAX_PROBLEMS {
            return None;
        }
    }
}

/// A mistake in a value, as serde passes it up.
#[derive(Debug)]
struct Mistake {
    message: String,
    hint: Option<String>,
    /// The key that a mapping lacks.
    missing: Option<&'static str>,
    /// The id of the innermost value that is wrong; filled in on the way up.
    id: Option<u32>,
    place: Option<super::source::Place>,
    /// Whether it is there only because of a mistake that was reported already.
    follows: bool,
}

impl Mistake {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            missing: None,
            id: None,
            place: None,
            follows: false,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says which value it is in, unless a value inside of that did.
    fn at(mut self, node: &Node, wrong: &BTreeSet<u32>) -> Self {
        if self.id.is_none() {
            self.id = Some(node.id);
            self.place = Some(node.place);
            self.follows |= self.missing.is_some_and(|missing| match &node.value {
                Value::Mapping(entries) => entries.iter().any(|(key, value)| {
                    key.as_text() == Some(missing)
                        && (wrong.contains(&key.id) || wrong.contains(&value.id))
                }),
                Value::Scalar { .. } | Value::Sequence(_) => false,
            });
        }
        self
    }

    fn problem(&self, root: &Node) -> Problem {
        let problem = Problem::error(self.place.unwrap_or(root.place), self.message.clone());
        match &self.hint {
            Some(hint) => problem.hint(hint.clone()),
            None => problem,
        }
    }
}

impl Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

impl Error for Mistake {
    /// Takes the second line of a message for the hint.
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        match message.split_once('\n') {
            Some((message, hint)) => Self::new(message).hint(hint),
            None => Self::new(message),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "true or false",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Str(_) => "text",
            Unexpected::Unit => "nothing",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a mapping",
            _ => "something else",
        };
        Self::new(format!("expected {expected}, found {found}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found {found}"))
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(format!("unknown value `{}`", cut(variant))).hint(suggest(variant, known))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(format!("unknown key `{}`", cut(field))).hint(suggest(field, known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            missing: Some(field),
            ..Self::new(format!("the key `{field}` is missing"))
        }
    }
}

/// Keeps what a message repeats short.
fn cut(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('…');
    short
}

fn suggest(written: &str, known: &[&str]) -> String {
    match nearest(written, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are {}", known.join(", ")),
    }
}

/// Finds the name that was probably meant.
pub(super) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let folded = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(&folded, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 3 && distance * 2 <= name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[derive(Clone, Copy)]
struct Decoder<'a> {
    node: &'a Node,
    /// The ids of the values that are known to be wrong, and left out.
    wrong: &'a BTreeSet<u32>,
}

impl Decoder<'_> {
    fn plain(&self) -> Plain {
        match &self.node.value {
            Value::Scalar { text, plain: true } => plain(text),
            Value::Scalar { plain: false, .. } | Value::Sequence(_) | Value::Mapping(_) => {
                Plain::Text
            }
        }
    }

    /// Says what was found instead of what was expected; what a scalar says is repeated.
    fn mismatch(&self, expected: &str) -> Mistake {
        let found = match (&self.node.value, self.plain()) {
            (Value::Sequence(_), _) => "a list".to_owned(),
            (Value::Mapping(_), _) => "a mapping".to_owned(),
            (Value::Scalar { .. }, Plain::Null) => {
                return Mistake::new(format!("expected {expected}, found nothing"))
                    .hint("write a value, or leave the key out");
            }
            (Value::Scalar { text, .. }, Plain::Bool(_)) => cut(text),
            (Value::Scalar { text, .. }, Plain::Integer(_) | Plain::Number) => {
                format!("the number {}", cut(text))
            }
            (Value::Scalar { text, .. }, Plain::Text) => format!("the text {:?}", cut(text)),
        };
        Mistake::new(format!("expected {expected}, found {found}"))
    }

    fn text(&self) -> Result<&str, Mistake> {
        match (&self.node.value, self.plain()) {
            (Value::Scalar { text, .. }, Plain::Text) => Ok(text),
            (Value::Scalar { text, .. }, Plain::Bool(_) | Plain::Integer(_) | Plain::Number) => {
                Err(self
                    .mismatch("text")
                    .hint(format!("quote it: \"{}\"", cut(text))))
            }
            _ => Err(self.mismatch("text")),
        }
    }

    fn integer(&self) -> Result<i128, Mistake> {
        let mistake = || {
            let mistake = self.mismatch("a whole number");
            match &self.node.value {
                Value::Scalar { text, plain: false }
                    if matches!(plain(text), Plain::Integer(_)) =>
                {
                    mistake.hint("write it without quotes")
                }
                _ => mistake,
            }
        };
        match self.plain() {
            Plain::Integer(number) => Ok(number),
            _ => Err(mistake()),
        }
    }

    fn entries(&self) -> Result<Entries<'_>, Mistake> {
        match &self.node.value {
            Value::Mapping(entries) => Ok(Entries {
                rest: entries.iter(),
                value: None,
                wrong: self.wrong,
            }),
            Value::Scalar { .. } | Value::Sequence(_) => Err(self.mismatch("a mapping")),
        }
    }

    fn elements(&self) -> Result<Elements<'_>, Mistake> {
        match &self.node.value {
            Value::Sequence(elements) => Ok(Elements {
                rest: elements.iter(),
                wrong: self.wrong,
            }),
            Value::Scalar { .. } | Value::Mapping(_) => Err(self.mismatch("a list")),
        }
    }
}

/// Implements the methods of the integer types, each with its range.
macro_rules! integers {
    ($($method:ident $visit:ident $type:ty),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            let number = self.integer()?;
            let fitting = <$type>::try_from(number)
                .map_err(|_| Mistake::new(format!("{number} is not from {} to {}", <$type>::MIN, <$type>::MAX)))?;
            visitor.$visit(fitting)
        })*
    };
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let text = match &self.node.value {
            Value::Sequence(_) => return visitor.visit_seq(self.elements()?),
            Value::Mapping(_) => return visitor.visit_map(self.entries()?),
            Value::Scalar { text, .. } => text,
        };
        let quote = |mut mistake: Mistake| {
            if mistake.hint.is_none() {
                mistake.hint = Some(format!("if text is meant, quote it: \"{}\"", cut(text)));
            }
            mistake
        };
        let inexact = || {
            quote(Mistake::new(format!(
                "the number {} can't be kept exactly",
                cut(text)
            )))
        };
        match self.plain() {
            Plain::Text => visitor.visit_str(text),
            Plain::Null => visitor.visit_unit(),
            Plain::Bool(value) => visitor.visit_bool(value).map_err(quote),
            Plain::Integer(number) => {
                if let Ok(number) = u64::try_from(number) {
                    visitor.visit_u64(number).map_err(quote)
                } else if let Ok(number) = i64::try_from(number) {
                    visitor.visit_i64(number).map_err(quote)
                } else {
                    Err(inexact())
                }
            }
            Plain::Number => match text.parse::<f64>() {
                Ok(number) if number.is_finite() && number.to_string() == **text => {
                    visitor.visit_f64(number).map_err(quote)
                }
                _ => Err(inexact()),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.plain() {
            Plain::Bool(value) => visitor.visit_bool(value),
            _ => Err(self
                .mismatch("true or false")
                .hint("write true or false, without quotes")),
        }
    }

    integers!(
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64
    );

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        // A key without a value is not a key that is absent: what stood below it may have been commented out.
        match self.plain() {
            Plain::Null => Err(self.mismatch("a value")),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_seq(self.elements()?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_map(self.entries()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match &self.node.value {
            Value::Scalar { .. } => visitor.visit_enum(self.text()?.into_deserializer()),
            Value::Mapping(entries) => match &**entries {
                [(key, value)]
                    if self.wrong.contains(&key.id) || self.wrong.contains(&value.id) =>
                {
                    Err(Mistake {
                        follows: true,
                        ..Mistake::new(format!("what is under {} is wrong", known.join(", ")))
                    })
                }
                [(key, value)] => visitor.visit_enum(Variant {
                    key: Decoder { node: key, ..self },
                    value: Decoder {
                        node: value,
                        ..self
                    },
                }),
                _ => Err(Mistake::new("expected a mapping with one key")
                    .hint(format!("known are {}", known.join(", ")))),
            },
            Value::Sequence(_) => Err(self.mismatch("text")),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct ignored_any
    }
}

/// Walks over the entries of a mapping, without those known to be wrong.
struct Entries<'a> {
    rest: std::slice::Iter<'a, (Node, Node)>,
    value: Option<&'a Node>,
    wrong: &'a BTreeSet<u32>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        let wrong = self.wrong;
        let next = self
            .rest
            .find(|(key, value)| !wrong.contains(&key.id) && !wrong.contains(&value.id));
        let Some((key, value)) = next else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(Decoder { node: key, wrong })
            .map(Some)
            .map_err(|mistake| mistake.at(key, wrong))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let value = self
            .value
            .take()
            .ok_or_else(|| Mistake::new("a value was asked for before its key"))?;
        seed.deserialize(Decoder {
            node: value,
            wrong: self.wrong,
        })
        .map_err(|mistake| mistake.at(value, self.wrong))
    }
}

/// Walks over the elements of a list, without those known to be wrong.
struct Elements<'a> {
    rest: std::slice::Iter<'a, Node>,
    wrong: &'a BTreeSet<u32>,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mistake> {
        let wrong = self.wrong;
        let Some(node) = self.rest.find(|node| !wrong.contains(&node.id)) else {
            return Ok(None);
        };
        seed.deserialize(Decoder { node, wrong })
            .map(Some)
            .map_err(|mistake| mistake.at(node, wrong))
    }
}

/// A variant written as a mapping with one key, such as `{sns: …}`.
struct Variant<'a> {
    key: Decoder<'a>,
    value: Decoder<'a>,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a> {
    type Error = Mistake;
    type Variant = Decoder<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Decoder<'a>), Mistake> {
        let Self { key, value } = self;
        seed.deserialize(key)
            .map(|variant| (variant, value))
            .map_err(|mistake| mistake.at(key.node, key.wrong))
    }
}

impl<'de> VariantAccess<'de> for Decoder<'_> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        Err(Mistake::new("expected text, found a mapping"))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mistake> {
        seed.deserialize(self)
            .map_err(|mistake| mistake.at(self.node, self.wrong))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_map(visitor)
    }
}
