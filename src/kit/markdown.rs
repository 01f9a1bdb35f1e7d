//! The runbook as Markdown.

use super::block::{Block, Line, Piece};
use crate::report::escape::{code, prose};
use crate::text::visible;

/// Writes a page.
pub(super) fn page(title: &str, blocks: &[Block]) -> String {
    let mut parts = vec![format!("# {}", prose(title))];
    parts.extend(blocks.iter().map(block));
    parts.join("\n\n") + "\n"
}

fn block(block: &Block) -> String {
    match block {
        Block::Part(title) => format!("## {}", prose(title)),
        Block::Section(title) => format!("### {}", prose(title)),
        Block::Text(text) => line(text),
        Block::Warning(text) => format!("> **Mind:** {}", line(text)),
        Block::Steps(steps) => listed(steps, |number| format!("{}. [ ] ", number + 1)),
        Block::Points(points) => listed(points, |_| "- ".to_owned()),
        Block::Command(command) => {
            let lines = command.lines().map(|line| format!("    {}", visible(line)));
            lines.collect::<Vec<_>>().join("\n")
        }
        Block::Table { head, rows } => {
            let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
            let head_cells = head.iter().map(|title| prose(title)).collect();
            let rule = vec!["--".to_owned(); head.len()];
            let mut lines = vec![row(head_cells), row(rule)];
            lines.extend(
                rows.iter()
                    .map(|cells| row(cells.iter().map(line).collect())),
            );
            lines.join("\n")
        }
    }
}

fn listed(lines: &[Line], mark: impl Fn(usize) -> String) -> String {
    let lines = lines.iter().enumerate();
    let lines = lines.map(|(number, text)| format!("{}{}", mark(number), line(text)));
    lines.collect::<Vec<_>>().join("\n")
}

fn line(line: &Line) -> String {
    line.0.iter().map(piece).collect()
}

fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Words(text) => prose(text),
        Piece::Strong(text) => format!("**{}**", prose(text)),
        Piece::Name(text) => code(text),
        Piece::Address(address) => format!("<{address}>"),
        Piece::Link(text, address) => format!("[{}](<{address}>)", code(text)),
    }
}
