//! Checks that links between pages lead somewhere, and that every page can be found.

use std::fs;
use std::path::Path;

use super::{documents, markdown, root};

/// The name by which GitHub links to a heading.
pub fn anchor(heading: &str) -> String {
    let letters = heading.to_lowercase();
    let letters = letters
        .chars()
        .filter(|letter| letter.is_alphanumeric() || "-_ ".contains(*letter));
    letters.collect::<String>().replace(' ', "-")
}

/// The anchors of a page's headings.
fn anchors(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut fence = None;
    let mut anchors = Vec::new();
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(opened) if ticks == opened && line.len() == ticks => fence = None,
            None if ticks >= 3 => fence = Some(ticks),
            None if line.starts_with('#') => {
                anchors.push(anchor(line.trim_start_matches('#').trim()));
            }
            _ => {}
        }
    }
    anchors
}

#[test]
fn links_lead_somewhere() {
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.starts_with("https://") {
                continue;
            }
            let (target, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if target.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(target)
            };
            assert!(target.exists(), "{}: {link}", path.display());
            if !heading.is_empty() {
                let found = anchors(&target)
                    .into_iter()
                    .filter(|anchor| anchor == heading);
                assert_eq!(found.count(), 1, "{}: {link}", path.display());
            }
        }
    }
}

#[test]
fn every_page_is_in_the_index() {
    let index = fs::read_to_string(root("docs/README.md")).unwrap();
    for folder in ["docs", "docs/recipes", "docs/reference"] {
        for path in markdown(folder) {
            let name = path.strip_prefix(root("docs")).unwrap().to_str().unwrap();
            let linked = index.contains(&format!("]({name})")) || name == "README.md";
            assert!(linked, "{name}");
        }
    }
}
