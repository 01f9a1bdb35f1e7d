//! The runbook as one HTML page, laid out for paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::block::{Block, Line, Piece};
use crate::text::visible;

/// How it looks: large, black on white, and never torn in the middle of a step.
const STYLE: &str = include_str!("style.css");

/// Writes a page.
pub(super) fn page(title: &str, blocks: &[Block]) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Nothing is loaded and nothing runs, whatever a name holds.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="referrer" content="no-referrer";
                title { (visible(title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (visible(title)) }
                @for block in blocks { (self::block(block)) }
            }
        }
    };
    markup.into_string() + "\n"
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Part(title) => h2 { (visible(title)) },
            Block::Section(title) => h3 { (visible(title)) },
            Block::Text(text) => p { (line(text)) },
            Block::Warning(text) => p class="warning" { (line(text)) },
            Block::Steps(steps) => ol { @for step in steps { li { span class="box" {} (line(step)) } } },
            Block::Points(points) => ul { @for point in points { li { (line(point)) } } },
            Block::Command(command) => pre { (visible_lines(command)) },
            Block::Table { head, rows } => table {
                thead { tr { @for title in head { th { (title) } } } }
                tbody { @for row in rows { tr { @for cell in row { td { (line(cell)) } } } } }
            },
        }
    }
}

fn line(line: &Line) -> Markup {
    html! {
        @for piece in &line.0 {
            @match piece {
                Piece::Words(text) => (visible(text)),
                Piece::Strong(text) => strong { (visible(text)) },
                Piece::Name(text) => code { (visible(text)) },
                Piece::Address(address) => a href=(address) { (visible(address)) },
                Piece::Link(text, address) => a href=(address) { (visible(text)) },
            }
        }
    }
}

fn visible_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(visible).collect();
    lines.join("\n")
}
