//! Escaping for Markdown: what AWS or a spec calls something is never a link, a mention, a tag or a fence.

use std::fmt::Write as _;

use crate::text::visible;

/// Writes a name or value as Markdown code, in which nothing is a link, a mention or a tag.
pub(crate) fn code(text: &str) -> String {
    let text = visible(text);
    // Inside back-ticks only these two can't be written so that every renderer agrees, a table's cells included.
    if text.contains(['`', '|']) || text.trim().is_empty() {
        html_code(&text)
    } else if text.starts_with(' ') && text.ends_with(' ') {
        format!("` {text} `")
    } else {
        format!("`{text}`")
    }
}

/// Writes a name or value as HTML code, for where Markdown is not read or back-ticks don't do.
pub(super) fn html_code(text: &str) -> String {
    let mut html = "<code>".to_owned();
    for character in visible(text).chars() {
        // These mean nothing inside a line; of the others a character reference is never markup.
        let harmless = matches!(
            character,
            '-' | ',' | '(' | ')' | '/' | '+' | '=' | '{' | '}'
        );
        if character.is_ascii_punctuation() && !harmless {
            // Writing to a String can't fail.
            let _ = write!(html, "&#{};", u32::from(character));
        } else {
            html.push(character);
        }
    }
    html.push_str("</code>");
    html
}

/// Writes a sentence as Markdown: plain words stay, everything else in it becomes code.
///
/// What the sentence itself holds in back-ticks stays together.
pub(crate) fn prose(text: &str) -> String {
    let text = visible(text);
    let parts: Vec<&str> = text.split('`').collect();
    let balanced = parts.len() % 2 == 1;
    if !balanced {
        return prose_words(&text);
    }
    parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            if index % 2 == 1 {
                code(part)
            } else {
                prose_words(part)
            }
        })
        .collect()
}

fn prose_words(text: &str) -> String {
    text.split(' ')
        .map(prose_word)
        .collect::<Vec<_>>()
        .join(" ")
}

fn prose_word(word: &str) -> String {
    const BEFORE: [char; 3] = ['(', '"', '\''];
    const AFTER: [char; 8] = [',', '.', ';', ':', '?', ')', '"', '\''];
    let opened = word.trim_start_matches(BEFORE);
    let core = opened.trim_end_matches(AFTER);
    if is_plain(core) {
        return word.to_owned();
    }
    let (before, _) = word.split_at(word.len() - opened.len());
    let (_, after) = opened.split_at(core.len());
    format!("{before}{}{after}", code(core))
}

/// Tells whether a word means nothing to any Markdown renderer: letters, inner hyphens, a number, a dash.
fn is_plain(word: &str) -> bool {
    let letters = word
        .split(['-', '\'', '’'])
        .all(|part| !part.is_empty() && part.chars().all(char::is_alphabetic));
    let number = {
        let digits = word.strip_suffix('%').unwrap_or(word);
        !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit())
    };
    letters || number || matches!(word, "" | "–" | "—" | "→" | "·" | "…")
}

/// Puts lines between fences that none of them can close.
pub(super) fn fence(language: &str, lines: impl IntoIterator<Item = String>) -> String {
    let body: String = lines
        .into_iter()
        .map(|line| format!("{}\n", visible(&line)))
        .collect();
    let longest = body
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}{language}\n{body}{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_no_way_out() {
        assert_eq!(code("bg-alice"), "`bg-alice`");
        assert_eq!(code("@octo/team #1 [x](y)"), "`@octo/team #1 [x](y)`");
        assert_eq!(code("a`b|c<d>"), "<code>a&#96;b&#124;c&#60;d&#62;</code>");
        assert_eq!(code(""), "<code></code>");
        assert_eq!(code("a\nb"), r"`a\nb`");
    }

    #[test]
    fn sentences_keep_their_words_and_wrap_the_rest() {
        let cases = [
            (
                "it exists, and is not managed: this adopts it",
                "it exists, and is not managed: this adopts it",
            ),
            (
                "ask @security (or #4) at https://x.example",
                "ask `@security` (or `#4`) at `https://x.example`",
            ),
            (
                "run `breakglass credentials issue bg|x` now",
                "run <code>breakglass credentials issue bg&#124;x</code> now",
            ),
            (
                "one ` tick and </details>",
                "one <code>&#96;</code> tick and `</details>`",
            ),
            (
                "more than 25%, see **this**",
                "more than 25%, see `**this**`",
            ),
            ("arn:aws:iam::1:user/x.", "`arn:aws:iam::1:user/x`."),
        ];
        for (text, expected) in cases {
            assert_eq!(prose(text), expected);
        }
    }

    #[test]
    fn fences_outlast_every_run_of_ticks() {
        let text = fence("diff", ["+ ````".to_owned(), "</details>".to_owned()]);
        assert_eq!(text, "`````diff\n+ ````\n</details>\n`````\n");
    }
}
