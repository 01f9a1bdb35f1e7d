//! What a page is made of, whatever it is written in.

/// Is a part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// Begins a part of its own, on a new sheet.
    Part(String),
    /// Begins a section.
    Section(String),
    /// A paragraph.
    Text(Line),
    /// What must not be missed.
    Warning(Line),
    /// Things to do one after the other, each with a box to tick.
    Steps(Vec<Line>),
    /// Things in no order.
    Points(Vec<Line>),
    /// A command to type.
    Command(String),
    /// A table.
    Table {
        /// What the columns are.
        head: Vec<&'static str>,
        /// The rows, each with as many cells; an empty cell is one to write in.
        rows: Vec<Vec<Line>>,
    },
}

/// Is a line of text, of pieces that look different.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line(pub(super) Vec<Piece>);

/// Is a piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Words of our own.
    Words(String),
    /// The same, louder.
    Strong(String),
    /// A name or value as it is typed or seen.
    Name(String),
    /// An address, written out so that it can be typed from paper.
    Address(String),
    /// A name that leads to an address, which stands elsewhere in a form that can be typed.
    Link(String, String),
}

impl Line {
    pub(super) fn words(mut self, text: &str) -> Self {
        self.0.push(Piece::Words(text.to_owned()));
        self
    }

    pub(super) fn strong(mut self, text: &str) -> Self {
        self.0.push(Piece::Strong(text.to_owned()));
        self
    }

    pub(super) fn name(mut self, text: &str) -> Self {
        self.0.push(Piece::Name(text.to_owned()));
        self
    }

    pub(super) fn address(mut self, text: &str) -> Self {
        self.0.push(Piece::Address(text.to_owned()));
        self
    }

    pub(super) fn link(mut self, text: &str, address: &str) -> Self {
        self.0
            .push(Piece::Link(text.to_owned(), address.to_owned()));
        self
    }

    /// Goes on with another line.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Joins lines with commas.
    pub(super) fn list(lines: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::default();
        for line in lines {
            if !joined.0.is_empty() {
                joined = joined.words(", ");
            }
            joined.0.extend(line.0);
        }
        joined
    }
}

/// Begins a line with words.
pub(super) fn words(text: &str) -> Line {
    Line::default().words(text)
}

/// Begins a line with a name or value.
pub(super) fn name(text: &str) -> Line {
    Line::default().name(text)
}

/// Lists names, or says that there are none.
pub(super) fn names<'a>(texts: impl IntoIterator<Item = &'a str>) -> Line {
    let line = Line::list(texts.into_iter().map(name));
    if line.0.is_empty() {
        words("–")
    } else {
        line
    }
}
