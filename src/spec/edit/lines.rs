//! A text as lines, with the cuts and insertions that make another of it.

use std::ops::Range;

/// Knows where the lines of a text begin.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// The byte at which each line begins, and last the end of the text.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        if starts.last() != Some(&text.len()) {
            starts.push(text.len());
        }
        Self { text, starts }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// How lines end: as the first one does.
    pub(super) fn end(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text.get(..at).is_some_and(|line| line.ends_with('\r')) => "\r\n",
            _ => "\n",
        }
    }

    pub(super) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of the line that a byte is in, from 0.
    pub(super) fn at(&self, byte: usize) -> usize {
        let next = self.starts.partition_point(|start| *start <= byte);
        next.saturating_sub(1).min(self.count().saturating_sub(1))
    }

    /// The byte at which a line begins; of the one after the last, the end of the text.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// A line without its end.
    pub(super) fn line(&self, line: usize) -> &'a str {
        let line = self.text.get(self.start(line)..self.start(line + 1));
        line.unwrap_or_default().trim_end_matches(['\r', '\n'])
    }

    pub(super) fn indent(&self, line: usize) -> usize {
        let line = self.line(line);
        line.len() - line.trim_start_matches(' ').len()
    }

    pub(super) fn is_blank(&self, line: usize) -> bool {
        self.line(line).trim().is_empty()
    }

    pub(super) fn is_comment(&self, line: usize) -> bool {
        self.line(line).trim_start().starts_with('#')
    }

    /// Where what a line says begins.
    pub(super) fn content(&self, line: usize) -> usize {
        self.start(line) + self.indent(line)
    }

    /// The text with a stretch of it cut out, and another put in its place.
    pub(super) fn spliced(&self, cut: Range<usize>, with: &str) -> Option<String> {
        let (before, after) = (self.text.get(..cut.start)?, self.text.get(cut.end..)?);
        Some(format!("{before}{with}{after}"))
    }

    /// The text with new lines behind a line; the last line of a text may have no end, which it then still has not.
    pub(super) fn with_lines(&self, behind: usize, new: &str) -> Option<String> {
        let at = self.start(behind + 1);
        let ended = self.text.get(..at)?.ends_with('\n');
        let (new, end) = match ended {
            true => (new, ""),
            false => (new.trim_end_matches(['\r', '\n']), self.end()),
        };
        self.spliced(at..at, &format!("{end}{new}"))
    }
}

/// Tells whether nothing but blanks and perhaps a comment is in the rest of a line.
pub(super) fn is_end(rest: &str) -> bool {
    let trimmed = rest.trim_start();
    trimmed.is_empty() || (trimmed.starts_with('#') && trimmed.len() < rest.len())
}
