//! Wildcards, matched without recursion or allocation.

/// Is one step of a glob over characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Any,
    One,
    Literal(char),
}

/// Says which `*` and `?` of a text are wildcards.
#[derive(Clone, Copy)]
pub(super) enum Wild<'a> {
    Everywhere,
    Nowhere,
    /// Those at these bytes.
    Mask(&'a [bool]),
}

/// Holds a text with wildcards.
#[derive(Clone, Copy)]
pub(super) struct Glob<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) wild: Wild<'a>,
}

impl Glob<'_> {
    fn is_wild(self, index: usize) -> bool {
        match self.wild {
            Wild::Everywhere => true,
            Wild::Nowhere => false,
            Wild::Mask(mask) => mask.get(index).copied().unwrap_or(false),
        }
    }

    pub(super) fn step(self, index: usize, character: char) -> Step {
        match character {
            '*' if self.is_wild(index) => Step::Any,
            '?' if self.is_wild(index) => Step::One,
            other => Step::Literal(other),
        }
    }

    pub(super) fn steps(self) -> impl Iterator<Item = Step> {
        let bytes = self.bytes.iter().enumerate();
        bytes.map(move |(index, &byte)| self.step(index, char::from(byte)))
    }

    /// Matches by moving the last `*` on at each mismatch: at worst |pattern| × |text| steps.
    pub(super) fn matches(self, text: &[u8], fold_case: bool) -> bool {
        let (mut at, mut here) = (0, 0);
        let mut retry = None;
        while let Some(&actual) = text.get(here) {
            match self.bytes.get(at) {
                Some(b'*') if self.is_wild(at) => {
                    at += 1;
                    if at == self.bytes.len() {
                        return true;
                    }
                    retry = Some((at, here));
                    continue;
                }
                Some(b'?') if self.is_wild(at) => {
                    at += 1;
                    here = next_character(text, here);
                    continue;
                }
                Some(&wanted)
                    if wanted == actual || (fold_case && wanted.eq_ignore_ascii_case(&actual)) =>
                {
                    at += 1;
                    here += 1;
                    continue;
                }
                _ => {}
            }
            let Some((after_star, from)) = retry else {
                return false;
            };
            at = after_star;
            here = next_character(text, from);
            retry = Some((at, here));
        }
        let rest = self.bytes.iter().enumerate().skip(at);
        rest.into_iter()
            .all(|(index, &byte)| byte == b'*' && self.is_wild(index))
    }
}

/// The index after the UTF-8 character at an index.
fn next_character(text: &[u8], index: usize) -> usize {
    let mut next = index + 1;
    while text.get(next).is_some_and(|byte| byte & 0xc0 == 0x80) {
        next += 1;
    }
    next
}
