//! Patterns: text with wildcards and policy variables, in one normal form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Says what the special characters of a text mean where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(super) wildcards: bool,
    /// `${…}` is a variable, or one of the escapes `${*}`, `${?}` and `${$}`.
    pub(super) variables: bool,
    /// ASCII letters match in either case. Other letters stay distinct: AWS does not say how it folds them.
    pub(super) fold_case: bool,
}

/// Is one step of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Token {
    /// This character.
    Literal(char),
    /// Any one character.
    One,
    /// Any characters, or none.
    Any,
    /// The value of a variable: its text between the braces, the key in lower case.
    Variable(String),
}

/// Holds a text in which wildcards, variables and escapes are told apart from plain characters.
///
/// Equal patterns match the same texts: in a run of wildcards each `?` comes first and at most one `*` follows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pattern(Vec<Token>);

impl Pattern {
    /// Reads a text under the given rules. Every text is a pattern.
    pub(super) fn new(text: &str, syntax: Syntax) -> Self {
        let mut builder = Builder::default();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if syntax.variables
                && let Some((inside, after)) = rest
                    .strip_prefix("${")
                    .and_then(|inside| inside.split_once('}'))
            {
                builder.push(variable(inside));
                rest = after;
                continue;
            }
            builder.push(match character {
                '*' if syntax.wildcards => Token::Any,
                '?' if syntax.wildcards => Token::One,
                _ if syntax.fold_case => Token::Literal(character.to_ascii_lowercase()),
                _ => Token::Literal(character),
            });
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
        builder.finish()
    }

    /// Tells whether a wildcard occurs.
    pub(super) fn has_wildcard(&self) -> bool {
        self.0
            .iter()
            .any(|token| matches!(token, Token::One | Token::Any))
    }

    /// Tells whether this is `*`.
    pub(super) fn is_any(&self) -> bool {
        self.0 == [Token::Any]
    }

    /// What every action looks like, `service:operation`, for a matching in which no wildcard stands for a colon.
    pub(super) fn action_form() -> Self {
        let some = [Token::One, Token::Any];
        let colon = [Token::Literal(':')];
        Self([some.as_slice(), &colon, &some].concat())
    }

    /// Puts `*` in place of every variable.
    pub(super) fn widened(&self) -> Self {
        Self::of(self.0.iter().map(|token| match token {
            Token::Variable(_) => Token::Any,
            other => other.clone(),
        }))
    }

    /// Builds a pattern of these steps.
    pub(super) fn of(steps: impl Iterator<Item = Token>) -> Self {
        let mut builder = Builder::default();
        steps.for_each(|step| builder.push(step));
        builder.finish()
    }

    /// Tells whether the pattern has the six segments of an ARN.
    pub(super) fn is_arn(&self) -> bool {
        self.segments().len() == 6
    }

    /// Tells whether a variable occurs.
    pub(super) fn has_variable(&self) -> bool {
        !self.variables().is_empty()
    }

    /// The steps of the pattern.
    pub(super) fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// The text that every match begins with, and whether anything may follow; `None` for patterns of another shape.
    pub(super) fn as_prefix(&self) -> Option<(String, bool)> {
        let (literals, open) = match self.0.split_last() {
            Some((Token::Any, before)) => (before, true),
            _ => (self.0.as_slice(), false),
        };
        let characters = literals.iter().map(|token| match token {
            Token::Literal(character) => Some(*character),
            Token::One | Token::Any | Token::Variable(_) => None,
        });
        Some((characters.collect::<Option<String>>()?, open))
    }

    /// The variables that occur.
    pub(super) fn variables(&self) -> BTreeSet<&str> {
        let tokens = self.0.iter();
        tokens
            .filter_map(|token| match token {
                Token::Variable(name) => Some(name.as_str()),
                Token::Literal(_) | Token::One | Token::Any => None,
            })
            .collect()
    }

    /// Finds values for the variables with which the pattern matches a text; each is as short as can be.
    ///
    /// `None` when there are none, or none that is found within a bound.
    pub(super) fn solve(&self, text: &str) -> Option<BTreeMap<String, String>> {
        let text: Vec<char> = text.chars().collect();
        let mut solution = BTreeMap::new();
        let mut steps = 10_000;
        solve(&self.0, &text, &mut solution, &mut steps).then_some(solution)
    }

    /// Tells whether every text that `other` matches is surely matched by `self`, `*` crossing any character.
    pub(super) fn covers(&self, other: &Self) -> bool {
        covers(&self.0, &other.0)
    }

    /// Tells whether every ARN that `other` matches is surely matched by `self`, segment by segment.
    ///
    /// This holds also where AWS lets `*` cross a colon: six covering segments in a row cover the whole.
    pub(super) fn covers_arn(&self, other: &Self) -> bool {
        let (own, others) = (self.segments(), other.segments());
        self == other
            || (own.len() == 6
                && others.len() == 6
                && own.iter().zip(&others).all(|(a, b)| covers(a, b)))
    }

    /// The steps between the colons; behind the fifth colon everything is one segment.
    pub(super) fn segments(&self) -> Vec<&[Token]> {
        self.0
            .splitn(6, |token| *token == Token::Literal(':'))
            .collect()
    }
}

impl fmt::Display for Pattern {
    /// Writes the pattern so that no two look alike: plain `*`, `?`, `$` and `\` carry a backslash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| match token {
            Token::Literal(character @ ('*' | '?' | '$' | '\\')) => write!(f, "\\{character}"),
            Token::Literal(character) => write!(f, "{character}"),
            Token::One => f.write_str("?"),
            Token::Any => f.write_str("*"),
            Token::Variable(text) => write!(f, "${{{text}}}"),
        })
    }
}

/// Writes a text so that as a pattern it matches just itself, whatever characters it has (of language version 2012-10-17).
#[must_use]
pub fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '*' | '?' | '$' => pattern.extend(['$', '{', character, '}']),
            _ => pattern.push(character),
        }
    }
    pattern
}

/// Reads what stands between `${` and `}`: an escaped character, or a key and perhaps `, 'default'`.
fn variable(inside: &str) -> Token {
    match inside {
        "*" => Token::Literal('*'),
        "?" => Token::Literal('?'),
        "$" => Token::Literal('$'),
        _ => {
            let (key, default) = inside.split_at(inside.find(',').unwrap_or(inside.len()));
            Token::Variable(key.to_ascii_lowercase() + default)
        }
    }
}

/// Collects tokens and puts each run of wildcards into its normal order.
#[derive(Default)]
struct Builder {
    tokens: Vec<Token>,
    pending_any: bool,
}

impl Builder {
    fn push(&mut self, token: Token) {
        match token {
            Token::Any => self.pending_any = true,
            Token::One => self.tokens.push(Token::One),
            Token::Literal(_) | Token::Variable(_) => {
                self.flush();
                self.tokens.push(token);
            }
        }
    }

    fn flush(&mut self) {
        if std::mem::take(&mut self.pending_any) {
            self.tokens.push(Token::Any);
        }
    }

    fn finish(mut self) -> Pattern {
        self.flush();
        Pattern(self.tokens)
    }
}

/// Matches tokens against a text, choosing what the variables stand for; the keys are without their defaults.
fn solve(
    tokens: &[Token],
    text: &[char],
    solution: &mut BTreeMap<String, String>,
    steps: &mut usize,
) -> bool {
    let Some(left) = steps.checked_sub(1) else {
        return false;
    };
    *steps = left;
    let Some((token, rest)) = tokens.split_first() else {
        return text.is_empty();
    };
    match token {
        Token::Literal(character) => match text.split_first() {
            Some((first, after)) if first == character => solve(rest, after, solution, steps),
            _ => false,
        },
        Token::One => match text.split_first() {
            Some((_, after)) => solve(rest, after, solution, steps),
            None => false,
        },
        Token::Any => (0..=text.len()).any(|length| {
            solve(
                rest,
                text.get(length..).unwrap_or_default(),
                solution,
                steps,
            )
        }),
        Token::Variable(name) => {
            let key = name.split(',').next().unwrap_or(name).trim();
            if let Some(known) = solution.get(key).cloned() {
                let known: Vec<char> = known.chars().collect();
                let after = text.strip_prefix(known.as_slice());
                return after.is_some_and(|after| solve(rest, after, solution, steps));
            }
            (0..=text.len()).any(|length| {
                let (value, after) = text.split_at(length);
                solution.insert(key.to_owned(), value.iter().collect());
                solve(rest, after, solution, steps) || {
                    solution.remove(key);
                    false
                }
            })
        }
    }
}

/// Matches the tokens of `inner` as if they were text: sound for containment, though it misses `?*` ⊇ `*a`.
fn covers(outer: &[Token], inner: &[Token]) -> bool {
    // `reached[i]` says whether the outer tokens so far can consume exactly the first `i` inner tokens.
    let mut reached = vec![false; inner.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for step in outer {
        let mut next = Vec::with_capacity(reached.len());
        let mut previous = false;
        match step {
            Token::Any => {
                for &here in &reached {
                    previous |= here;
                    next.push(previous);
                }
            }
            Token::One | Token::Literal(_) | Token::Variable(_) => {
                next.push(false);
                for (&here, token) in reached.iter().zip(inner) {
                    let fits = match token {
                        Token::Literal(_) => *step == Token::One || step == token,
                        Token::One | Token::Variable(_) => step == token,
                        Token::Any => false,
                    };
                    next.push(here && fits);
                }
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIKE: Syntax = Syntax {
        wildcards: true,
        variables: true,
        fold_case: false,
    };

    fn like(text: &str) -> Pattern {
        Pattern::new(text, LIKE)
    }

    #[test]
    fn runs_of_wildcards_have_one_spelling() {
        for (left, right) in [
            ("a**", "a*"),
            ("*?", "?*"),
            ("*?*?**b", "??*b"),
            ("${aws:UserName}*", "${AWS:username}*"),
            ("${$}{x}", "${$}{x}"),
        ] {
            assert_eq!(like(left), like(right), "{left} {right}");
        }
        for (left, right) in [
            ("?", "*"),
            ("??", "?"),
            ("a*", "A*"),
            ("${*}", "*"),
            ("*a*", "*a"),
        ] {
            assert_ne!(like(left), like(right), "{left} {right}");
        }
    }

    #[test]
    fn variables_are_plain_text_without_them() {
        let plain = Syntax {
            variables: false,
            ..LIKE
        };
        let literal = Pattern::new("${aws:username}", plain);
        assert_ne!(literal, like("${aws:username}"));
        assert_eq!(literal, like("${$}{aws:username}"));
        assert!(Pattern::new("${*}", plain).has_wildcard() && !like("${*}").has_wildcard());
        assert_eq!(like("a${b"), Pattern::new("a${b", plain));
        assert_ne!(
            like("${aws:PrincipalTag/Team, 'A'}"),
            like("${aws:PrincipalTag/Team, 'a'}")
        );
        assert_eq!(
            like("${aws:PrincipalTag/Team, 'A'}").to_string(),
            "${aws:principaltag/team, 'A'}"
        );
    }

    #[test]
    fn texts_of_different_patterns_differ() {
        assert_eq!(like("a*?${*}${x}\\$").to_string(), "a?*\\*${x}\\\\\\$");
    }

    #[test]
    fn containment_is_sound() {
        for (outer, inner) in [
            ("*", "a*b?"),
            ("*", "${x}"),
            ("s3:get*", "s3:getobject*"),
            ("a?c", "abc"),
            ("a?*", "a?b"),
            ("*b*", "ab"),
            ("", ""),
            ("*", ""),
            ("a${x}*", "a${x}b"),
        ] {
            assert!(like(outer).covers(&like(inner)), "{outer} {inner}");
        }
        for (outer, inner) in [
            ("a", "a*"),
            ("a?", "a"),
            ("a?", "a*"),
            ("?", "${x}"),
            ("a*", "b"),
            ("*a", "a*"),
            ("a${x}", "a${y}"),
            ("", "a"),
        ] {
            assert!(!like(outer).covers(&like(inner)), "{outer} {inner}");
        }
    }

    #[test]
    fn arns_are_contained_segment_by_segment() {
        let covers = |outer: &str, inner: &str| like(outer).covers_arn(&like(inner));
        assert!(covers("arn:*:iam::*:role/*", "arn:aws:iam::1:role/a:b"));
        assert!(!covers("arn:aws:iam::*", "arn:aws:iam::1:role/a"));
        assert!(!covers("arn:*:role/x", "arn:aws:iam::1:role/x"));
        assert!(covers("*", "*") && !covers("*", "arn:aws:iam::1:role/x"));
    }
}
