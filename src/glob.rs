//! Globs from files and the command line.

use globset::{GlobBuilder, GlobMatcher};

/// The longest glob: no name, path or tag that one could match is longer.
const LONGEST: usize = 1_024;
/// How deep choices may stand in choices. Far deeper, a glob can be parsed and not compiled.
const DEEPEST: usize = 8;

/// Compiles a glob, in which `*` and `?` match a slash too if they are to; the error says what is wrong with it.
pub(crate) fn compile(text: &str, across_slashes: bool) -> Result<GlobMatcher, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    if depth(text) > DEEPEST {
        return Err(format!("choices stand in choices more than {DEEPEST} deep"));
    }
    GlobBuilder::new(text)
        .literal_separator(!across_slashes)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| error.kind().to_string())
}

/// Counts how deep braces stand in braces, those that mean nothing too.
fn depth(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'{' => open += 1,
            b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_written_is_compiled_or_refused() {
        let nested = |deep: usize| format!("{}a{}", "{a,".repeat(deep), "}".repeat(deep));
        assert!(compile(&nested(8), true).unwrap().is_match("a"));
        assert!(compile(&nested(9), true).unwrap_err().contains("8 deep"));
        let flat = "{a,b}".repeat(204);
        assert!(compile(&flat, true).unwrap().is_match("ab".repeat(102)));
        assert!(
            compile(&nested(100_000), true)
                .unwrap_err()
                .contains("1024")
        );
        for hard in ["?".repeat(1_024), "[!a-ÿ]".repeat(140), "*a".repeat(512)] {
            assert!(compile(&hard, true).is_ok(), "{hard}");
        }
        assert!(compile("{a", true).is_err());
        assert!(compile("\\}}}{{{{{{{{{", true).is_err());
    }

    #[test]
    fn a_slash_is_matched_only_where_it_may_be() {
        assert!(compile("a*", true).unwrap().is_match("a/b"));
        assert!(!compile("a*", false).unwrap().is_match("a/b"));
    }
}
