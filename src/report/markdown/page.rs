//! The page that Markdown is written on: what it may hold in all, and how much of it each part may take.

/// The most bytes a report may have: GitHub refuses a comment of more than 65,536 characters as a whole.
const LIMIT: usize = 65_000;

/// Collects the parts of a report; the long ones share what room is left.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    /// What is kept free for the parts that have to come after the longest one.
    reserved: usize,
}

impl Page {
    pub(super) fn new(reserved: usize) -> Self {
        Self {
            text: String::new(),
            reserved,
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Writes a paragraph, or any other block, apart from what is above it.
    pub(super) fn block(&mut self, block: &str) {
        if block.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block.trim_end_matches('\n'));
        self.text.push('\n');
    }

    /// Writes a titled list, unless it is empty.
    pub(super) fn list(
        &mut self,
        title: &str,
        items: impl IntoIterator<Item = String>,
        room: usize,
    ) {
        let item = |item: String| format!("- {item}\n");
        let list = within(room, items, item, |more| format!("- … and {more} more\n"));
        if !list.is_empty() {
            self.block(&format!("### {title}"));
            self.block(&list);
        }
    }

    /// How many bytes there still are.
    pub(super) fn room(&self) -> usize {
        LIMIT.saturating_sub(self.text.len() + self.reserved)
    }
}

/// Joins as many items as there is room for, and says how many are left out, which are not even written.
pub(super) fn within<T>(
    room: usize,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T) -> String,
    left_out: impl FnOnce(usize) -> String,
) -> String {
    let mut text = String::new();
    let mut items = items.into_iter();
    while let Some(item) = items.next() {
        let item = write(item);
        if text.len() + item.len() > room {
            text.push_str(&left_out(1 + items.count()));
            break;
        }
        text.push_str(&item);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let fit = |room| {
            let more = |number: usize| format!("+{number}");
            within(room, ["aaa ", "bbb ", "ccc "], str::to_owned, more)
        };
        assert_eq!(fit(12), "aaa bbb ccc ");
        assert_eq!(fit(11), "aaa bbb +1");
        assert_eq!(fit(0), "+3");
    }
}
