//! The page around a report: its head, its parts, and a policy that lets nothing in but its own style and script.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::{Tone, code, list, prose};
use crate::text::visible;

/// How it looks.
pub(super) const STYLE: &str = include_str!("page.css");
/// What filters and searches.
pub(super) const SCRIPT: &str = include_str!("page.js");

/// Says what a page is about, and what came out.
pub(super) struct Head<'a> {
    /// The kind of report, such as `drift`.
    pub(super) kind: &'a str,
    /// The organization's id.
    pub(super) organization: &'a str,
    /// How bad it is.
    pub(super) tone: Tone,
    /// The sign of the verdict.
    pub(super) sign: &'a str,
    /// The verdict in a line.
    pub(super) verdict: String,
    /// The counts that belong to it.
    pub(super) counts: Vec<String>,
    /// What narrows it down, such as options that left something out.
    pub(super) about: Vec<String>,
    /// When it was made.
    pub(super) created_at: Timestamp,
    /// What else identifies it, such as its digest.
    pub(super) facts: Vec<(&'static str, String)>,
}

/// Holds a part of a page.
struct Part {
    /// Where links find it.
    id: &'static str,
    title: String,
    body: Markup,
}

/// Collects the parts of a page.
#[derive(Default)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// Adds a part.
    pub(super) fn add(&mut self, id: &'static str, title: impl Into<String>, body: Markup) {
        let title = title.into();
        self.0.push(Part { id, title, body });
    }

    /// Adds a part that is a list, unless it is empty.
    pub(super) fn list(
        &mut self,
        id: &'static str,
        title: impl Into<String>,
        items: impl IntoIterator<Item = Markup>,
    ) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_some() {
            self.add(id, title, list(items));
        }
    }
}

/// Writes a page; `filters` are the controls that the script makes use of.
pub(super) fn page(head: &Head<'_>, filters: Option<Markup>, Parts(parts): &Parts) -> String {
    let title = format!("Break-glass {}", head.kind);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(content_policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) ": " (visible(&head.verdict)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#report" { "Skip to the report" }
                header class=(head.tone.class()) { (self::head(head, &title, parts)) }
                main id="report" tabindex="-1" {
                    @if let Some(filters) = filters { (filters) }
                    @for part in parts {
                        section id=(part.id) aria-labelledby={ "h-" (part.id) } {
                            h2 id={ "h-" (part.id) } { (visible(&part.title)) }
                            (part.body)
                        }
                    }
                }
                footer { p { "Made by breakglass " (env!("CARGO_PKG_VERSION")) "." } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    markup.into_string() + "\n"
}

fn head(head: &Head<'_>, title: &str, parts: &[Part]) -> Markup {
    html! {
        p class="kind" { (title) " " (code(head.organization)) }
        h1 { span class="sign" aria-hidden="true" { (head.sign) } span { (prose(&head.verdict)) } }
        @if !head.counts.is_empty() {
            ul class="counts" { @for count in &head.counts { li { (visible(count)) } } }
        }
        @for line in &head.about { p class="about" { (prose(line)) } }
        dl {
            div { dt { "made" } dd { time datetime=(head.created_at) { (head.created_at) } } }
            @for (name, value) in &head.facts { div { dt { (name) } dd { (code(value)) } } }
        }
        @if parts.len() > 1 {
            nav aria-label="Parts of this report" {
                ul { @for part in parts { li { a href={ "#" (part.id) } { (visible(nav_title(&part.title))) } } } }
            }
        }
    }
}

/// The short title: what comes before an explanation.
fn nav_title(title: &str) -> &str {
    let end = title.find([':', ',', '(']).unwrap_or(title.len());
    title.get(..end).unwrap_or(title).trim_end()
}

/// Lets nothing be loaded or run but what this page holds.
fn content_policy() -> String {
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        source_hash(STYLE),
        source_hash(SCRIPT)
    )
}

fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}
