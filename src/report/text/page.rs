//! The page that terminal text is written on: wraps, colours, and lets nothing through that is not visible.

use clap::builder::styling::{AnsiColor, Style as Ansi};

use super::super::Style;
use super::super::values::{Line, Side};
use crate::text::visible;

/// How far the lines below a title stand in; the sign of a diff keeps the first column.
pub(super) const INDENT: usize = 4;

/// A space at which no line breaks; written as an ordinary one.
const TIE: char = '\u{a0}';

/// Joins short facts so that a line may only break between them.
pub(super) fn facts(facts: &[String]) -> String {
    facts
        .iter()
        .map(|fact| format!("·{TIE}{}", fact.replace(' ', &TIE.to_string())))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Tells what a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Ordinary.
    Plain,
    /// A title.
    Strong,
    /// Of little weight.
    Faint,
    /// In order, or of the spec.
    Good,
    /// To be looked at.
    Warn,
    /// Dangerous, or of the live side.
    Bad,
}

impl Tone {
    fn ansi(self) -> Ansi {
        let color = |color: AnsiColor| color.on_default();
        match self {
            Self::Plain => Ansi::new(),
            Self::Strong => Ansi::new().bold(),
            Self::Faint => Ansi::new().dimmed(),
            Self::Good => color(AnsiColor::Green),
            Self::Warn => color(AnsiColor::Yellow),
            Self::Bad => color(AnsiColor::Red),
        }
    }
}

/// Collects lines for a terminal.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    style: Style,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Self {
            text: String::new(),
            style,
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Leaves a line empty, unless nothing stands above it.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Begins a part with its title.
    pub(super) fn section(&mut self, title: &str) {
        self.gap();
        self.line(0, Tone::Strong, title);
    }

    /// Writes a line, wrapped at spaces.
    pub(super) fn line(&mut self, indent: usize, tone: Tone, text: &str) {
        self.lead(indent, (tone, text), "");
    }

    /// Writes a line that begins with something of another tone, wrapped at spaces.
    pub(super) fn lead(&mut self, indent: usize, (tone, lead): (Tone, &str), rest: &str) {
        let lead = visible(lead);
        let separator = if rest.is_empty() { "" } else { " " };
        let whole = format!("{lead}{separator}{}", visible(rest));
        let mut left = lead.len();
        for (number, line) in wrap(&whole, indent, self.style.width)
            .into_iter()
            .enumerate()
        {
            let hang = if number == 0 { indent } else { indent + 2 };
            self.text.push_str(&" ".repeat(hang));
            let (toned, plain) = line
                .split_at_checked(left.min(line.len()))
                .unwrap_or((line, ""));
            left = left.saturating_sub(line.len() + 1);
            self.paint(tone, &toned.replace(TIE, " "));
            self.text.push_str(&plain.replace(TIE, " "));
            self.text.push('\n');
        }
    }

    /// Writes a line that has to stay in one piece, such as a command.
    pub(super) fn exact(&mut self, indent: usize, tone: Tone, text: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.paint(tone, &visible(text));
        self.text.push('\n');
    }

    /// Writes a line of a field: a diff stays as it is, words are wrapped.
    pub(super) fn field(&mut self, line: &Line) {
        let tone = match line.side {
            Side::Both => Tone::Plain,
            Side::Live => Tone::Bad,
            Side::Spec => Tone::Good,
        };
        let signed = line.signed();
        if !line.wraps {
            self.exact(0, tone, &signed);
            return;
        }
        // The words keep their distance from the sign, and go on below themselves.
        for (number, part) in wrap(&visible(&signed), INDENT, self.style.width)
            .into_iter()
            .enumerate()
        {
            let hang = if number == 0 { 0 } else { INDENT + 2 };
            self.exact(hang, tone, part);
        }
    }

    fn paint(&mut self, tone: Tone, text: &str) {
        if self.style.color && tone != Tone::Plain && !text.is_empty() {
            let ansi = tone.ansi();
            self.text
                .push_str(&format!("{}{text}{}", ansi.render(), ansi.render_reset()));
        } else {
            self.text.push_str(text);
        }
    }
}

/// Breaks a text at spaces into lines that fit beside their indent; a longer word keeps a line to itself.
fn wrap(text: &str, indent: usize, width: usize) -> Vec<&str> {
    if width == 0 {
        return vec![text];
    }
    let mut lines = Vec::new();
    let mut rest = text;
    loop {
        let hang = if lines.is_empty() { indent } else { indent + 2 };
        match break_at(rest, width.saturating_sub(hang)) {
            Some((line, after)) => {
                lines.push(line);
                rest = after;
            }
            None => {
                lines.push(rest);
                return lines;
            }
        }
    }
}

/// Splits off the most words that fit, at least one; `None` when everything fits or nothing can be split.
fn break_at(text: &str, room: usize) -> Option<(&str, &str)> {
    if text.chars().count() <= room {
        return None;
    }
    let spaces = text.match_indices(' ').map(|(at, _)| at);
    let mut split = None;
    for at in spaces.filter(|at| *at > 0) {
        let fits = text
            .get(..at)
            .is_some_and(|line| line.chars().count() <= room);
        if fits || split.is_none() {
            split = Some(at);
        }
        if !fits {
            break;
        }
    }
    let at = split?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_stay_whole() {
        assert_eq!(wrap("one two three", 0, 8), ["one two", "three"]);
        assert_eq!(
            wrap("unbreakable-word a b", 0, 5),
            ["unbreakable-word", "a b"]
        );
        assert_eq!(wrap("any length", 0, 0), ["any length"]);
        assert_eq!(wrap("", 4, 5), [""]);
        assert_eq!(wrap("a b", 40, 5), ["a", "b"]);
    }

    #[test]
    fn a_lead_is_painted_to_its_end_and_no_further() {
        let mut page = Page::new(Style {
            color: true,
            width: 9,
            verbose: false,
        });
        page.lead(0, (Tone::Bad, "red words"), "and plain");
        let text = page.finish();
        assert!(
            text.starts_with("\u{1b}[31mred words\u{1b}[0m\n"),
            "{text:?}"
        );
        assert!(text.ends_with("  and\n  plain\n"), "{text:?}");
    }
}
