//! Names as they are typed at a shell: AWS allows nearly any character in the name of an account.

/// Writes a name so that a shell takes it as this one word and nothing else; `None` for what is not to be offered.
///
/// Zsh, fish and Elvish quote what they insert by themselves; Bash and PowerShell insert it as it is.
pub(super) fn typed(name: &str, shell: &str) -> Option<String> {
    if name.is_empty() || name.contains(crate::text::is_hidden) {
        return None;
    }
    let is_plain = |letter: char| letter.is_alphanumeric() || "_-./@+,:=".contains(letter);
    if name.chars().all(is_plain) {
        return Some(name.to_owned());
    }
    match shell {
        "zsh" | "fish" | "elvish" => Some(name.to_owned()),
        // Bash looks for files that these match, in what a completion gives it.
        "bash" if !name.contains(['*', '?', '[']) => {
            let mut quoted = String::with_capacity(name.len() + 8);
            for letter in name.chars() {
                if !is_plain(letter) {
                    quoted.push('\\');
                }
                quoted.push(letter);
            }
            Some(quoted)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_more_than_a_word() {
        let cases = [
            ("web-prod", "bash", Some("web-prod")),
            ("/Workloads/Prod", "powershell", Some("/Workloads/Prod")),
            ("Log Archive", "bash", Some("Log\\ Archive")),
            ("Log Archive", "zsh", Some("Log Archive")),
            ("Log Archive", "powershell", None),
            (
                "$(touch x); `id`",
                "bash",
                Some("\\$\\(touch\\ x\\)\\;\\ \\`id\\`"),
            ),
            ("it's \"a\" \\", "bash", Some("it\\'s\\ \\\"a\\\"\\ \\\\")),
            ("web *", "bash", None),
            ("two\nlines", "zsh", None),
            ("\u{202e}gnp", "fish", None),
            ("", "bash", None),
        ];
        for (name, shell, expected) in cases {
            assert_eq!(typed(name, shell).as_deref(), expected, "{name} in {shell}");
        }
    }
}
