//! The page that Markdown is written on: what it may hold in all, and how much of it each part may take.

use super::super::words::count;

/// Says where a page has to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Limit {
    /// A comment: GitHub refuses one of more than 65,536 characters as a whole.
    Comment,
    /// The summary of a step: GitHub refuses one of more than 1 MiB as a whole.
    Summary,
}

impl Limit {
    /// The most that a page may hold, in what [`Limit::size`] counts.
    fn most(self) -> usize {
        match self {
            Self::Comment => 65_000,
            Self::Summary => 1_048_000,
        }
    }

    /// The size of a text: in a comment characters, of which those beyond the basic plane count as two; else bytes.
    fn size(self, text: &str) -> usize {
        match self {
            Self::Comment => text.encode_utf16().count(),
            Self::Summary => text.len(),
        }
    }

    /// What a short part may take, such as the list of gates.
    pub(super) fn short(self) -> usize {
        self.most() / 16
    }

    /// What a long part may take, such as the table.
    pub(super) fn long(self) -> usize {
        self.most() / 4
    }

    /// Joins as many items as there is room for, and says which are left out, the last ones first.
    pub(super) fn within<T>(
        self,
        room: usize,
        items: impl IntoIterator<Item = T>,
        write: impl Fn(&T) -> String,
        left_out: impl FnOnce(&[T]) -> String,
    ) -> String {
        let mut text = String::new();
        let mut size = 0;
        let mut items = items.into_iter();
        while let Some(item) = items.next() {
            let written = write(&item);
            size += self.size(&written);
            if size > room {
                let rest: Vec<T> = std::iter::once(item).chain(items).collect();
                text.push_str(&left_out(&rest));
                break;
            }
            text.push_str(&written);
        }
        text
    }
}

/// Collects the parts of a report; the long ones share what room is left.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    size: usize,
    limit: Limit,
    /// What is kept free for the parts that have to come after the longest one.
    reserved: usize,
    /// How many blocks there was no room for.
    refused: usize,
}

impl Page {
    /// Begins a page that ends with so many short parts after its longest one.
    pub(super) fn new(limit: Limit, short_parts: usize) -> Self {
        Self {
            text: String::new(),
            size: 0,
            limit,
            reserved: short_parts * limit.short(),
            refused: 0,
        }
    }

    /// Begins a report with a mark that nobody sees, by which a later one finds it to take its place.
    pub(super) fn marked(limit: Limit, short_parts: usize, kind: &str, organization: &str) -> Self {
        let mut page = Self::new(limit, short_parts);
        let harmless = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
        // Two hyphens would end the comment.
        let organization: String = organization.chars().filter(harmless).collect();
        let organization = organization.replace("--", "-");
        page.block(&format!("<!-- breakglass {kind} {organization} -->"));
        page
    }

    /// What the page has to fit into.
    pub(super) fn limit(&self) -> Limit {
        self.limit
    }

    pub(super) fn finish(mut self) -> String {
        if self.refused > 0 {
            let parts = count(self.refused, "part");
            self.text.push_str(&format!(
                "\n{parts} of this report did not fit and can be read in another format.\n"
            ));
        }
        self.text
    }

    /// Writes a paragraph, or any other block, apart from what is above it.
    pub(super) fn block(&mut self, block: &str) {
        /// What is kept for saying that something did not fit.
        const LAST_LINE: usize = 200;
        if block.is_empty() {
            return;
        }
        let block = block.trim_end_matches('\n');
        let size = self.limit.size(block) + 2;
        if self.size + size > self.limit.most() - LAST_LINE {
            self.refused += 1;
            return;
        }
        self.size += size;
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
        self.text.push('\n');
    }

    /// Writes a titled list, unless it is empty.
    pub(super) fn list(
        &mut self,
        title: &str,
        items: impl IntoIterator<Item = String>,
        room: usize,
    ) {
        let item = |item: &String| format!("- {item}\n");
        let more = |rest: &[String]| format!("- … and {} more\n", rest.len());
        let list = self.limit.within(room, items, item, more);
        if !list.is_empty() {
            self.block(&format!("### {title}"));
            self.block(&list);
        }
    }

    /// How much room there still is.
    pub(super) fn room(&self) -> usize {
        let taken = self.size + self.reserved;
        self.limit.most().saturating_sub(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let fit = |room| {
            let more = |rest: &[&str]| format!("+{rest:?}");
            Limit::Comment.within(
                room,
                ["aaa ", "bbb ", "ccc "],
                |item| (*item).to_owned(),
                more,
            )
        };
        assert_eq!(fit(12), "aaa bbb ccc ");
        assert_eq!(fit(11), "aaa bbb +[\"ccc \"]");
        assert_eq!(fit(0), "+[\"aaa \", \"bbb \", \"ccc \"]");
    }

    #[test]
    fn comments_are_counted_in_characters_and_summaries_in_bytes() {
        for (text, characters, bytes) in [("abc", 3, 3), ("ü–", 2, 5), ("🔴", 2, 4)] {
            assert_eq!(Limit::Comment.size(text), characters);
            assert_eq!(Limit::Summary.size(text), bytes);
        }
    }

    #[test]
    fn a_page_never_holds_more_than_it_may() {
        for limit in [Limit::Comment, Limit::Summary] {
            let mut page = Page::new(limit, 0);
            for _ in 0..5 {
                page.block(&"ü🔴 ".repeat(limit.most() / 16));
            }
            let text = page.finish();
            assert!(limit.size(&text) <= limit.most());
            assert!(text.contains("did not fit"));
        }
    }
}
