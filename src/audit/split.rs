//! A stream of bytes to the records in it, one at a time, without keeping more than one.
//!
//! Three shapes are understood: a log file of CloudTrail, `{"Records":[…]}` (and the `{"Events":[…]}` of `aws cloudtrail
//! lookup-events`), a list of records, and one record after the other, such as one to a line. Only the structure is
//! looked at: where a string, an object or a list begins and ends.

/// The longest record, in bytes. CloudTrail's own bound is 256 KB, in EventBridge and Lake up to 1 MB.
pub const MAX_RECORD: usize = 2 << 20;

/// Says why a stream can't be split into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// What is there is not JSON.
    #[error("byte {0} is not JSON that holds records")]
    NotJson(u64),
    /// One record is longer than any that CloudTrail writes.
    #[error("the record at byte {0} is longer than {limit} MiB", limit = MAX_RECORD >> 20)]
    TooLong(u64),
    /// The text ends before what it began.
    #[error("it breaks off in the middle of a record")]
    BreaksOff,
}

/// Splits a stream into records; feed it bytes with [`Splitter::push`], and end with [`Splitter::finish`].
#[derive(Debug, Default)]
pub struct Splitter {
    /// What was not consumed: from the start of an unfinished record on.
    rest: Vec<u8>,
    /// How much of `rest` was looked at.
    seen: usize,
    /// How many bytes were dropped in front of `rest`.
    before: u64,
    depth: usize,
    /// The depth of what stands directly in the list of records, or at the top.
    base: usize,
    start: Option<usize>,
    in_string: bool,
    escaped: bool,
}

/// What a byte means outside of a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Part of a number, a literal, a comma, a colon, a space.
    Other,
    Quote,
    Open,
    Close,
    /// Nothing that JSON has outside of strings.
    Wrong,
}

/// The class of every byte.
const CLASSES: [Class; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
const fn classes() -> [Class; 256] {
    let mut classes = [Class::Wrong; 256];
    let other = b" \t\r\n,:+-.0123456789abcdefghijklmnopqrstuvwxyzE";
    let mut index = 0;
    while index < other.len() {
        classes[other[index] as usize] = Class::Other;
        index += 1;
    }
    classes[b'"' as usize] = Class::Quote;
    classes[b'{' as usize] = Class::Open;
    classes[b'[' as usize] = Class::Open;
    classes[b'}' as usize] = Class::Close;
    classes[b']' as usize] = Class::Close;
    classes
}

impl Splitter {
    /// Takes in the next bytes, and gives every record that they complete.
    ///
    /// # Errors
    /// When this is no JSON, or a record is too long; the records before it have been given.
    pub fn push(&mut self, bytes: &[u8], record: &mut impl FnMut(&[u8])) -> Result<(), SplitError> {
        if self.rest.is_empty() {
            // Nearly always the records lie whole in what comes in, and need not be copied.
            let kept = self.scan(bytes, record)?;
            self.keep(bytes, kept);
        } else {
            let mut buffer = std::mem::take(&mut self.rest);
            buffer.extend_from_slice(bytes);
            let kept = self.scan(&buffer, record)?;
            if kept == 0 {
                self.rest = buffer;
            } else {
                self.keep(&buffer, kept);
            }
        }
        if self.rest.len() > MAX_RECORD {
            return Err(SplitError::TooLong(self.before));
        }
        Ok(())
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// When it ends in the middle of something.
    pub fn finish(&self) -> Result<(), SplitError> {
        if self.depth > 0 || self.in_string {
            return Err(SplitError::BreaksOff);
        }
        Ok(())
    }

    /// Keeps a buffer from a place on for the next bytes.
    fn keep(&mut self, buffer: &[u8], from: usize) {
        self.rest.clear();
        self.rest
            .extend_from_slice(buffer.get(from..).unwrap_or_default());
        self.seen -= from;
        self.before += from as u64;
    }

    /// Looks at what was not looked at yet, and tells from where on the buffer is needed further.
    fn scan(&mut self, buffer: &[u8], record: &mut impl FnMut(&[u8])) -> Result<usize, SplitError> {
        let mut at = self.seen;
        while let Some(rest) = buffer.get(at..).filter(|rest| !rest.is_empty()) {
            if self.in_string {
                at += self.skip_string(rest);
                continue;
            }
            let found = rest
                .iter()
                .position(|byte| class(*byte) != Class::Other)
                .unwrap_or(rest.len());
            if self.depth == 0
                && let Some(wrong) = rest
                    .iter()
                    .take(found)
                    .position(|byte| !byte.is_ascii_whitespace())
            {
                return Err(self.not_json(at + wrong));
            }
            let Some(byte) = rest.get(found) else {
                at = buffer.len();
                break;
            };
            at += found;
            match class(*byte) {
                // Text in place of a record might be one, written as a string.
                Class::Quote if self.depth == self.base => return Err(self.not_json(at)),
                Class::Quote => self.in_string = true,
                Class::Open => self.open(buffer, at, *byte),
                Class::Close => {
                    if self.depth == 0 {
                        return Err(self.not_json(at));
                    }
                    self.close(buffer, at, record);
                }
                Class::Other | Class::Wrong => return Err(self.not_json(at)),
            }
            at += 1;
        }
        self.seen = at;
        let kept = self.start.unwrap_or(at);
        self.start = self.start.map(|_| 0);
        Ok(kept)
    }

    /// Skips to the end of a string, and tells how many bytes that were.
    fn skip_string(&mut self, rest: &[u8]) -> usize {
        let mut at = 0;
        if self.escaped {
            self.escaped = false;
            at = 1;
        }
        while let Some(found) = rest
            .get(at..)
            .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
        {
            at += found;
            if rest.get(at) == Some(&b'"') {
                self.in_string = false;
                return at + 1;
            }
            if at + 1 == rest.len() {
                self.escaped = true;
                return rest.len();
            }
            at += 2;
        }
        rest.len()
    }

    fn open(&mut self, buffer: &[u8], at: usize, byte: u8) {
        let list = byte == b'[';
        let holds_records = list
            && self.base == 0
            && match self.depth {
                0 => true,
                1 => buffer
                    .get(self.start.unwrap_or(at)..at)
                    .is_some_and(names_records),
                _ => false,
            };
        if holds_records {
            self.base = self.depth + 1;
            self.start = None;
        } else if self.depth == self.base {
            self.start = Some(at);
        }
        self.depth += 1;
    }

    fn close(&mut self, buffer: &[u8], at: usize, record: &mut impl FnMut(&[u8])) {
        self.depth -= 1;
        if self.depth == self.base {
            if let Some(start) = self.start.take() {
                record(buffer.get(start..=at).unwrap_or_default());
            }
        } else if self.depth < self.base {
            self.base = 0;
            self.start = None;
        }
    }

    fn not_json(&self, at: usize) -> SplitError {
        SplitError::NotJson(self.before + at as u64)
    }
}

fn class(byte: u8) -> Class {
    CLASSES
        .get(usize::from(byte))
        .copied()
        .unwrap_or(Class::Wrong)
}

/// Tells whether an object, up to where a list begins, has just named the list of records.
fn names_records(object: &[u8]) -> bool {
    let Some(named) = object.trim_ascii_end().strip_suffix(b":") else {
        return false;
    };
    let named = named.trim_ascii_end();
    named.ends_with(b"\"Records\"") || named.ends_with(b"\"Events\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, chunk: usize) -> Result<Vec<String>, SplitError> {
        let mut splitter = Splitter::default();
        let mut records = Vec::new();
        for bytes in text.as_bytes().chunks(chunk) {
            splitter.push(bytes, &mut |record| {
                records.push(String::from_utf8(record.to_vec()).unwrap());
            })?;
        }
        splitter.finish().map(|()| records)
    }

    #[test]
    fn records_are_found_however_the_bytes_come_in() {
        let one = r#"{"a":"}]\"{[\\","b":[{"c":1},[2]]}"#;
        let two = r#"{"d":{"e":{}}, "f" : "\u007b"}"#;
        for text in [
            format!(r#"{{"Records":[{one},{two}]}}"#),
            format!("{{ \"Records\" : [\n {one} ,\n {two} ] }}\n"),
            format!(r#"{{"x":"y","Events":[{one},{two}],"NextToken":"t"}}"#),
            format!("[{one},{two}]"),
            format!("{one}\n{two}\n"),
            format!("{one}{two}"),
        ] {
            for chunk in [1, 2, 3, 7, 1000] {
                assert_eq!(
                    split(&text, chunk).unwrap(),
                    [one, two],
                    "{text} by {chunk}"
                );
            }
        }
        assert_eq!(split("", 1).unwrap(), [""; 0]);
        assert_eq!(split(r#"{"Records":[]}"#, 1).unwrap(), [""; 0]);
        // Two log files in one.
        let twice = format!(r#"{{"Records":[{one}]}} {{"Records":[{two}]}}"#);
        assert_eq!(split(&twice, 5).unwrap(), [one, two]);
    }

    #[test]
    fn what_is_no_json_or_breaks_off_is_told() {
        for (text, error) in [
            ("hello", Some(SplitError::NotJson(0))),
            ("<html>", Some(SplitError::NotJson(0))),
            ("\u{1f}\u{8b}", Some(SplitError::NotJson(0))),
            ("\"text\"", Some(SplitError::NotJson(0))),
            (r#"{"a":1}}"#, Some(SplitError::NotJson(7))),
            (r#"["{}"]"#, Some(SplitError::NotJson(1))),
            (r#"{"Records":["{}"]}"#, Some(SplitError::NotJson(12))),
            (r#"{"Records":[{"a":1},{"b"#, Some(SplitError::BreaksOff)),
            (r#"{"Records":[{"a":1}"#, Some(SplitError::BreaksOff)),
        ] {
            for chunk in [1, 1000] {
                assert_eq!(split(text, chunk).err(), error, "{text}");
            }
        }
    }

    #[test]
    fn a_record_without_end_is_refused() {
        let long = format!(r#"{{"Records":[{{"a":"{}"#, "x".repeat(MAX_RECORD + 1));
        assert_eq!(split(&long, 1 << 16), Err(SplitError::TooLong(12)));
    }
}
