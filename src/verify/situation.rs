//! What tells two situations apart: a proof holds for every account that is the same but for its id.

use std::collections::BTreeSet;

/// Stands for the account's own id in what is compared.
const OWN: &str = "\u{1}own\u{1}";

/// Holds which accounts some documents treat in a way of their own.
#[derive(Debug, Clone, Default)]
pub(super) struct Mentions {
    accounts: BTreeSet<String>,
    /// Whether some text may match a part of the accounts, such as `arn:aws:iam::12*`.
    in_part: bool,
    /// Whether some text may match a part of a longer name with digits in it, such as `logs-12*`.
    part_of_names: bool,
    /// Whether some text puts the account's id into a longer name, such as `logs-${aws:PrincipalAccount}`.
    in_names: bool,
    /// Whether where an account is in the organization matters.
    pub(super) paths: bool,
}

impl Mentions {
    /// Finds the account ids in the text of a document.
    pub(super) fn of(text: &str) -> Self {
        let folded = text.to_ascii_lowercase();
        let mut mentions = Self {
            accounts: BTreeSet::new(),
            in_part: folded.contains("numeric") && folded.contains("account"),
            part_of_names: false,
            in_names: folded.contains("account}"),
            paths: folded.contains("orgpaths"),
        };
        let is_wild = |character: Option<char>| matches!(character, Some('*' | '?'));
        let begins = |character: Option<char>| matches!(character, Some(':' | '"' | '*' | '?'));
        let mut rest = text;
        let mut before = None;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (skipped, digits) = rest.split_at(start);
            let end = digits.find(|c: char| !c.is_ascii_digit());
            let (run, after) = digits.split_at(end.unwrap_or(digits.len()));
            let left = skipped.chars().next_back().or(before);
            let right = after.chars().next();
            if run.len() == 12 {
                mentions.accounts.insert(run.to_owned());
            } else if run.len() < 12 && (is_wild(left) || is_wild(right)) {
                mentions.part_of_names = true;
                mentions.in_part |= begins(left) && begins(right);
            }
            before = run.chars().next_back();
            rest = after;
        }
        mentions
    }

    /// Finds them in a document of the account itself, whose own id is the same in every account.
    pub(super) fn of_own(text: &str, account: &str) -> Self {
        let mut mentions = Self::of(&text.replace(account, OWN));
        let mut pieces = text.split(account).peekable();
        while let (Some(before), Some(after)) = (pieces.next(), pieces.peek()) {
            let alone = before.ends_with([':', '"']) && after.starts_with([':', '"']);
            mentions.in_names |= !alone;
        }
        mentions
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.accounts.extend(other.accounts.iter().cloned());
        self.in_part |= other.in_part;
        self.part_of_names |= other.part_of_names;
        self.in_names |= other.in_names;
        self.paths |= other.paths;
    }

    /// Tells whether an account may be treated unlike others that are not named either.
    pub(super) fn single_out(&self, account: &str) -> bool {
        self.in_part || self.accounts.contains(account) || (self.part_of_names && self.in_names)
    }
}

/// Collects everything that enters a proof.
#[derive(Debug)]
pub(super) struct Key<'a> {
    account: &'a str,
    text: String,
}

impl<'a> Key<'a> {
    pub(super) fn new(account: &'a str) -> Self {
        Self {
            account,
            text: String::new(),
        }
    }

    /// Adds a piece in which the account's own id makes no difference.
    pub(super) fn add(&mut self, piece: &str) {
        self.text.push_str(&piece.replace(self.account, OWN));
        // No document and no name has this character, so that pieces can't run into each other.
        self.text.push('\u{0}');
    }

    /// Adds the account's own id, for a situation that no other account shares.
    pub(super) fn add_account(&mut self) {
        self.text.push_str(self.account);
        self.text.push('\u{0}');
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_that_are_named_in_full_or_in_part_are_singled_out() {
        let one = "111122223333";
        for (text, expected) in [
            (r#""arn:aws:iam::111122223333:role/x""#, true),
            (r#""arn:aws:iam::444455556666:role/x""#, false),
            (r#""arn:aws:iam::*:role/x""#, false),
            (r#""arn:aws:iam::1111*:role/x""#, true),
            (r#""arn:aws:iam::?11122223333:role/x""#, true),
            (r#""arn:aws:s3:::logs-2*", "2012-10-17", "ec2:*""#, false),
            (r#"{"aws:PrincipalAccount":"1*"}"#, true),
            (
                r#""arn:aws:s3:::logs-1*", "arn:aws:s3:::logs-${aws:PrincipalAccount}""#,
                true,
            ),
            (r#""arn:aws:s3:::logs-${aws:ResourceAccount}""#, false),
            (r#"{"NumericLessThan":{"aws:PrincipalAccount":"5"}}"#, true),
        ] {
            assert_eq!(Mentions::of(text).single_out(one), expected, "{text}");
        }
    }

    #[test]
    fn the_own_id_matters_where_a_part_of_it_may_be_matched() {
        let one = "111122223333";
        for (text, expected) in [
            (r#""arn:aws:iam::111122223333:role/x", "logs-2*""#, false),
            (r#""arn:aws:s3:::logs-111122223333", "logs-2*""#, true),
            (r#""arn:aws:s3:::logs-111122223333", "logs-*""#, false),
            (
                r#"{"aws:PrincipalAccount":"111122223333"}, "logs-2*""#,
                false,
            ),
        ] {
            assert_eq!(
                Mentions::of_own(text, one).single_out(one),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn keys_leave_out_the_own_account_alone() {
        let key = |account: &str, pieces: &[&str]| {
            let mut key = Key::new(account);
            pieces.iter().for_each(|piece| key.add(piece));
            key.finish()
        };
        let (one, two) = ("111122223333", "444455556666");
        assert_eq!(key(one, &["x111122223333"]), key(two, &["x444455556666"]));
        assert_ne!(key(one, &["444455556666"]), key(two, &["444455556666"]));
        assert_ne!(key(one, &["a", "b"]), key(one, &["ab"]));
    }
}
