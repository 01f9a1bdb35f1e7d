//! A strict JSON reader for policy documents.
//!
//! It keeps what a common reader loses and IAM cares about: duplicate keys are errors, numbers keep their text, only the
//! characters that IAM allows may occur, and each value knows where it was written.

use std::collections::BTreeSet;

/// Bounds the nesting of a text, so that reading recurses no deeper. A policy document needs six levels.
const MAX_DEPTH: usize = 64;

/// Says what is wrong with a text, and at which byte of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            message: message.into(),
        }
    }
}

/// Holds a JSON value and the byte offset at which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) offset: usize,
    pub(super) value: Json,
}

/// Holds a JSON value; a number is kept as its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

impl Json {
    /// Names the kind of value for an error message.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Holds one member of an object, with the byte offset of its key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) offset: usize,
    pub(super) key: String,
    pub(super) value: Node,
}

/// Reads a text that holds exactly one JSON value.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    let plain = |byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7f);
    if !text.bytes().all(plain)
        && let Some((offset, character)) = text.char_indices().find(|(_, c)| !is_allowed(*c))
    {
        return Err(Fault::new(offset, not_allowed(character as u32)));
    }
    let mut reader = Reader { text, offset: 0 };
    reader.skip_space();
    let node = reader.value(0)?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.fault("unexpected text after the end of the document")),
    }
}

/// Tells whether IAM allows a character in a document: tab, line feed, carriage return, U+0020–U+00FF.
///
/// Source: the pattern of `PolicyDocument` in the IAM API reference.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}')
}

fn not_allowed(code: u32) -> String {
    format!("character U+{code:04X} is not allowed in a policy")
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.offset += character.len_utf8();
        Some(character)
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.offset += expected.len_utf8();
        }
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.offset += 1;
        }
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.offset, message)
    }

    fn expected(&self, what: &str) -> Fault {
        match self.peek() {
            Some(found) => self.fault(format!("expected {what}, found {found:?}")),
            None => self.fault(format!("expected {what}, found the end of the text")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        if depth >= MAX_DEPTH && matches!(self.peek(), Some('{' | '[')) {
            return Err(self.fault(format!("nested more than {MAX_DEPTH} levels deep")));
        }
        let offset = self.offset;
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Json::String(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            Some('t') => self.word("true", Json::Bool(true))?,
            Some('f') => self.word("false", Json::Bool(false))?,
            Some('n') => self.word("null", Json::Null)?,
            _ => return Err(self.expected("a value")),
        };
        Ok(Node { offset, value })
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, Fault> {
        if !self.rest().starts_with(word) {
            return Err(self.expected("a value"));
        }
        self.offset += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Json, Fault> {
        self.take('{');
        self.skip_space();
        let mut members = Vec::new();
        let mut keys = BTreeSet::new();
        if self.take('}') {
            return Ok(Json::Object(members));
        }
        loop {
            let offset = self.offset;
            if self.peek() != Some('"') {
                return Err(self.expected("a key in quotes"));
            }
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return Err(Fault::new(offset, format!("duplicate key {key:?}")));
            }
            self.skip_space();
            if !self.take(':') {
                return Err(self.expected("':' after the key"));
            }
            self.skip_space();
            let value = self.value(depth + 1)?;
            members.push(Member { offset, key, value });
            self.skip_space();
            if self.take('}') {
                return Ok(Json::Object(members));
            }
            if !self.take(',') {
                return Err(self.expected("',' or '}'"));
            }
            self.skip_space();
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, Fault> {
        self.take('[');
        self.skip_space();
        let mut items = Vec::new();
        if self.take(']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(']') {
                return Ok(Json::List(items));
            }
            if !self.take(',') {
                return Err(self.expected("',' or ']'"));
            }
            self.skip_space();
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.take('"');
        let mut text = String::new();
        loop {
            let special = |byte| matches!(byte, b'"' | b'\\' | b'\t' | b'\n' | b'\r');
            let rest = self.rest();
            let length = rest.bytes().position(special).unwrap_or(rest.len());
            text.push_str(rest.get(..length).unwrap_or_default());
            self.offset += length;
            let offset = self.offset;
            match self.next() {
                None => return Err(self.expected("the closing quote of a string")),
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape(offset)?),
                Some('\t' | '\n' | '\r') => {
                    return Err(Fault::new(
                        offset,
                        "a tab or line break in a string must be escaped",
                    ));
                }
                Some(character) => text.push(character),
            }
        }
    }

    fn escape(&mut self, offset: usize) -> Result<char, Fault> {
        let decoded = match self.next() {
            Some(character @ ('"' | '\\' | '/')) => character,
            Some('t') => '\t',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('u') => return self.unicode_escape(offset),
            _ => return Err(Fault::new(offset, "unknown escape in a string")),
        };
        if is_allowed(decoded) {
            Ok(decoded)
        } else {
            Err(Fault::new(offset, not_allowed(decoded as u32)))
        }
    }

    fn unicode_escape(&mut self, offset: usize) -> Result<char, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|c| c.to_digit(16));
            let digit =
                digit.ok_or_else(|| Fault::new(offset, "\\u needs four hexadecimal digits"))?;
            code = code * 16 + digit;
        }
        // Surrogate pairs need no joining: every character that takes two is beyond U+00FF.
        char::from_u32(code)
            .filter(|c| is_allowed(*c))
            .ok_or_else(|| Fault::new(offset, not_allowed(code)))
    }

    fn number(&mut self) -> Result<Json, Fault> {
        let start = self.offset;
        self.take('-');
        if !self.take('0') {
            self.digits()?;
        }
        if self.take('.') {
            self.digits()?;
        }
        if self.take('e') || self.take('E') {
            if !self.take('+') {
                self.take('-');
            }
            self.digits()?;
        }
        if matches!(self.peek(), Some('0'..='9')) {
            return Err(Fault::new(start, "a number must not begin with 0"));
        }
        let text = self.text.get(start..self.offset).unwrap_or_default();
        Ok(Json::Number(text.to_owned()))
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.offset;
        while matches!(self.peek(), Some('0'..='9')) {
            self.offset += 1;
        }
        if self.offset == start {
            Err(self.expected("a digit"))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> (usize, String) {
        let fault = read(text).unwrap_err();
        (fault.offset, fault.message)
    }

    #[test]
    fn keeps_number_text_offsets_and_decoded_strings() {
        let Json::Object(members) = read(r#" {"\u0041" : [ -1.50E+2, "\u00e9\/\t" , true ]}"#)
            .unwrap()
            .value
        else {
            panic!("not an object");
        };
        assert_eq!((members[0].key.as_str(), members[0].offset), ("A", 2));
        let Json::List(items) = &members[0].value.value else {
            panic!("not a list");
        };
        assert_eq!(items[0].value, Json::Number("-1.50E+2".to_owned()));
        assert_eq!(items[1].value, Json::String("é/\t".to_owned()));
        assert_eq!(items[2].value, Json::Bool(true));
    }

    #[test]
    fn rejects_what_is_not_strict_json() {
        let cases: &[(&str, usize, &str)] = &[
            ("", 0, "expected a value, found the end of the text"),
            ("{} {}", 3, "unexpected text after"),
            ("{\"a\":1,\"\\u0061\":2}", 7, "duplicate key \"a\""),
            ("{\"a\":1,}", 7, "expected a key in quotes"),
            ("{a:1}", 1, "expected a key in quotes"),
            ("{\"a\" 1}", 5, "expected ':'"),
            ("{\"a\":1 \"b\":2}", 7, "expected ',' or '}'"),
            ("[1,]", 3, "expected a value"),
            ("[1 2]", 3, "expected ',' or ']'"),
            ("[01]", 1, "must not begin with 0"),
            ("[1.]", 3, "expected a digit"),
            ("[1e]", 3, "expected a digit"),
            ("[-]", 2, "expected a digit"),
            ("[+1]", 1, "expected a value"),
            ("[NaN]", 1, "expected a value"),
            ("[truth]", 1, "expected a value"),
            ("\"a", 2, "closing quote"),
            ("\"a\nb\"", 2, "must be escaped"),
            ("\"\\x\"", 1, "unknown escape"),
            ("\"\\u00g0\"", 1, "four hexadecimal digits"),
            ("\"\\u00", 1, "four hexadecimal digits"),
            ("// c", 0, "expected a value"),
        ];
        for (text, offset, part) in cases {
            let (at, said) = message(text);
            assert!(said.contains(part), "{text}: {said}");
            assert_eq!(at, *offset, "{text}: {said}");
        }
    }

    #[test]
    fn rejects_characters_outside_the_allowed_range_also_when_escaped() {
        for text in [
            "\u{feff}{}",
            "\"\u{100}\"",
            "\"\u{0}\"",
            "\"\\u0100\"",
            "\"\\u0000\"",
            "\"\\b\"",
            "\"\\f\"",
            "\"\\ud83d\\ude00\"",
            "\"😀\"",
        ] {
            assert!(message(text).1.contains("is not allowed"), "{text:?}");
        }
        assert!(read("\"\u{7f}\u{a0}ÿ\\u00ff\\n\"").is_ok());
    }

    #[test]
    fn bounds_the_nesting() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        for text in [
            nested(MAX_DEPTH + 1),
            "[".repeat(1_000_000),
            "{\"a\":".repeat(500_000),
        ] {
            assert!(message(&text).1.contains("nested more than 64"));
        }
    }
}
