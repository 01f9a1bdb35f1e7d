//! Changes of an input: in its bytes, in its words, and in the tree that its JSON or YAML means.

use serde_json::{Map, Value, json};

/// A small generator of random numbers (xorshift64*): the same seed gives the same run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap() % bound.max(1)
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }
}

/// Longer inputs are cut: what takes long because there is much of it is no finding.
const LONGEST: usize = 96 << 10;

/// What breaks out of something somewhere: terminals, pages, paths, patterns, numbers.
const NASTY: [&str; 40] = [
    "\u{1b}[31m",
    "\u{9b}31m",
    "\u{7f}",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "\0",
    "\r\n",
    "\n",
    "\t",
    "`",
    "```",
    "|",
    "<img src=x onerror=alert(1)>",
    "</details>",
    "](javascript:1)",
    "@team",
    "../../../etc/passwd",
    "/etc/passwd",
    "..",
    "*",
    "**",
    "?*?*?*?*",
    "${aws:username}",
    "${*}",
    "{path}",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::123456789012:root",
    "0",
    "-1",
    "1e999",
    "9223372036854775808",
    "99999999999999999999d",
    "9999-12-31T23:59:59Z",
    "-009999-01-01T00:00:00Z",
    "&a [*a, *a]",
    "<<: *a",
    "!!binary x",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "é東\u{1f600}",
];

/// Changes an input a few times; `other` is one to take parts from.
pub fn mutated(random: &mut Random, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut changed = input.to_vec();
    for _ in 0..=random.below(4) {
        changed = match random.below(8) {
            0 | 1 => bytes(random, changed, other),
            2 | 3 => words(random, &changed, other),
            _ => tree(random, &changed, other).unwrap_or(changed),
        };
        changed.truncate(LONGEST);
    }
    changed
}

fn bytes(random: &mut Random, mut input: Vec<u8>, other: &[u8]) -> Vec<u8> {
    let at = random.below(input.len() + 1);
    let end = (at + 1 + random.below(32)).min(input.len());
    match random.below(7) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = u8::try_from(random.below(256)).unwrap(),
        2 => drop(input.drain(at..end)),
        3 => {
            let again = input[at..end].repeat(1 + random.below(40));
            input.splice(at..at, again);
        }
        4 => input.truncate(at),
        5 => {
            let from = random.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        _ => {
            let nasty = random.pick(&NASTY).unwrap().as_bytes();
            input.splice(at..at, nasty.iter().copied());
        }
    }
    input
}

/// Parts a text where words begin and end.
fn split(text: &str) -> Vec<&str> {
    let kind = |character: char| match character {
        ' ' => 1,
        _ if character.is_alphanumeric() || "-_.".contains(character) => 2,
        _ => 0,
    };
    let mut parts = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, character) in text.char_indices() {
        let this = kind(character);
        if at > 0 && (this == 0 || last != Some(this)) {
            parts.push(&text[start..at]);
            start = at;
        }
        last = Some(this);
    }
    parts.push(&text[start..]);
    parts
}

fn words(random: &mut Random, input: &[u8], other: &[u8]) -> Vec<u8> {
    let (text, other) = (
        String::from_utf8_lossy(input),
        String::from_utf8_lossy(other),
    );
    let mut parts = split(&text);
    let strange = split(&other);
    let (one, two) = (random.below(parts.len()), random.below(parts.len()));
    match random.below(6) {
        0 => drop(parts.remove(one)),
        1 => parts.insert(one, parts[two]),
        2 => parts.swap(one, two),
        3 => parts[one] = parts[two],
        4 => parts[one] = random.pick(&strange).unwrap(),
        _ => parts[one] = random.pick(&NASTY).unwrap(),
    }
    parts.concat().into_bytes()
}

/// Changes a value in the tree that a text means, be it JSON, YAML, or lines of JSON of which one is changed.
fn tree(random: &mut Random, input: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(input).ok()?;
    let other = str::from_utf8(other).ok()?;
    let strange = read(other).or_else(|| read(other.lines().next()?));
    let strange = strange.unwrap_or_default();
    if let Some(mut value) = read(text) {
        change(random, &mut value, &strange);
        return Some(value.to_string().into_bytes());
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let number = random.below(lines.len());
    let mut value = read(lines.get(number)?)?;
    change(random, &mut value, &strange);
    lines[number] = value.to_string();
    Some(lines.join("\n").into_bytes())
}

fn read(text: &str) -> Option<Value> {
    let json = serde_json::from_str(text).ok();
    // Aliases that stand for each other over and over are for the loader to refuse, not to be written out here.
    let yaml = || (!text.contains('&')).then(|| serde_yaml::from_str(text).ok())?;
    json.or_else(yaml)
        .filter(|value: &Value| value.is_object() || value.is_array())
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(values) => values.values().map(size).sum(),
        _ => 0,
    }
}

/// The value of a number, counted from the top; `number` is what is left to count.
fn nth<'a>(value: &'a mut Value, number: &mut usize) -> Option<&'a mut Value> {
    if *number == 0 {
        return Some(value);
    }
    *number -= 1;
    match value {
        Value::Array(values) => values.iter_mut().find_map(|value| nth(value, number)),
        Value::Object(values) => values.values_mut().find_map(|value| nth(value, number)),
        _ => None,
    }
}

fn drawn(random: &mut Random, from: &Value) -> Value {
    let mut from = from.clone();
    let mut number = random.below(size(&from));
    nth(&mut from, &mut number)
        .map(Value::take)
        .unwrap_or_default()
}

fn change(random: &mut Random, value: &mut Value, other: &Value) {
    let own = value.clone();
    let mut number = random.below(size(value));
    let Some(found) = nth(value, &mut number) else {
        return;
    };
    let nasty = (*random.pick(&NASTY).unwrap()).to_owned();
    match (random.below(8), &mut *found) {
        (0, Value::Object(members)) => {
            let key = random.pick(&keys(members)).cloned();
            key.map(|key| members.remove(&key));
        }
        (1, Value::Object(members)) => {
            let key = random.pick(&keys(members)).cloned().unwrap_or_default();
            let moved = members.remove(&key).unwrap_or_default();
            let key = if random.below(2) == 0 {
                nasty
            } else {
                key + &nasty
            };
            members.insert(key, moved);
        }
        (2, Value::Object(members)) => {
            let key = match drawn(random, other) {
                Value::Object(members) => random.pick(&keys(&members)).cloned(),
                _ => random.pick(&keys(members)).cloned(),
            };
            members.insert(key.unwrap_or(nasty), drawn(random, &own));
        }
        (0, Value::Array(values)) if !values.is_empty() => {
            values.remove(random.below(values.len()));
        }
        (1 | 2, Value::Array(values)) => {
            let more = values.get(random.below(values.len())).cloned();
            values.extend(std::iter::repeat_n(
                more.unwrap_or_default(),
                1 + random.below(3),
            ));
        }
        (0 | 1, Value::String(text)) => {
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            text.insert_str(random.pick(&ends).copied().unwrap_or_default(), &nasty);
        }
        (2, Value::String(text)) => *text = nasty,
        (3 | 4, found) => *found = drawn(random, &own),
        (5, found) => *found = drawn(random, other),
        (6, found) => {
            let plain = [
                json!(null),
                json!(true),
                json!(0),
                json!(-1),
                json!(u64::MAX),
                json!(1.5),
                json!(""),
                json!([]),
                json!({}),
            ];
            *found = random.pick(&plain).cloned().unwrap_or_default();
        }
        (_, found) => *found = json!([found.take()]),
    }
}

fn keys(members: &Map<String, Value>) -> Vec<String> {
    members.keys().cloned().collect()
}
