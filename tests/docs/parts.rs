//! Files that a page tells its reader to write or to change, between its commands.
//!
//! ```` ```yaml file=NAME ```` holds a file; ```` ```diff file=NAME ```` changes one, whose lines are found by themselves.

use std::fs;
use std::path::Path;

/// A stretch of a page: what is to be run, and what its last block does to a file.
pub struct Part {
    /// The text, its block included.
    pub text: String,
    edit: Option<Edit>,
}

struct Edit {
    file: String,
    is_diff: bool,
    content: String,
}

/// Splits a page after each block with a file.
pub fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut open: Option<(String, Option<Edit>)> = None;
    for line in page.split_inclusive('\n') {
        text.push_str(line);
        let (fence, info) = line
            .trim_end()
            .split_at(line.len() - line.trim_start_matches('`').len());
        match &mut open {
            Some((opened, edit)) if fence == opened => {
                if let Some(edit) = edit.take() {
                    parts.push(Part {
                        text: std::mem::take(&mut text),
                        edit: Some(edit),
                    });
                }
                open = None;
            }
            Some((_, Some(edit))) => edit.content.push_str(line),
            Some((_, None)) => {}
            None if fence.len() >= 3 => {
                let edit = info.split_once(" file=").map(|(language, file)| Edit {
                    file: file.to_owned(),
                    is_diff: language == "diff",
                    content: String::new(),
                });
                open = Some((fence.to_owned(), edit));
            }
            None => {}
        }
    }
    parts.push(Part { text, edit: None });
    parts
}

impl Part {
    /// Writes or changes the file, if there is one.
    pub fn edit(&self, folder: &Path) {
        let Some(edit) = &self.edit else { return };
        let path = folder.join(&edit.file);
        if !edit.is_diff {
            fs::write(path, &edit.content).unwrap();
            return;
        }
        let side = |left_out: char| {
            let lines = edit.content.split_inclusive('\n');
            let lines = lines.filter(|line| !line.starts_with(left_out));
            lines
                .map(|line| line.get(1..).unwrap_or(line))
                .collect::<String>()
        };
        let text = fs::read_to_string(&path).unwrap();
        let (old, new) = (side('+'), side('-'));
        assert_eq!(text.matches(&old).count(), 1, "{}:\n{old}", edit.file);
        fs::write(path, text.replacen(&old, &new, 1)).unwrap();
    }
}
