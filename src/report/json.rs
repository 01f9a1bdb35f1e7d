//! JSON: the value itself, laid out; what a saved plan holds.

use std::fmt::Write as _;

use serde::Serialize;

use crate::text::is_hidden;

/// Writes a value with a line break at the end.
///
/// What steers a terminal or can't be seen is written as JSON's escapes, which mean the same to a program.
pub(super) fn value(value: &impl Serialize) -> String {
    // The reports' types hold nothing that can't be written: no map with keys other than text.
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut text = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        // Outside of texts JSON is ASCII, and inside of them serde escapes all of ASCII that steers but DEL.
        if character != '\n' && is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_steers_is_escaped_and_reads_back() {
        let names = ["\u{9b}31m", "\u{7f}", "\u{202e}x", "\u{e0001}", "é\n"];
        let text = super::value(&names);
        assert!(text.contains(r#""\u009b31m""#) && text.contains(r#""\udb40\udc01""#));
        assert!(text.lines().all(|line| crate::text::visible(line) == line));
        let read: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, names);
    }
}
