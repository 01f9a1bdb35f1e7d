//! How large a document may be, and how AWS counts.

/// Holds the sizes that AWS accepts, in characters. Some can be raised per account, so the service has the last word.
///
/// Source: "IAM and AWS STS quotas"; "Quotas and service limits for AWS Organizations", since 2026-05-15.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// One managed policy, counted by [`iam_size`].
    pub managed_policy: usize,
    /// All inline policies of a user together, counted by [`iam_size`].
    pub user_inline_total: usize,
    /// All inline policies of a role together, counted by [`iam_size`].
    pub role_inline_total: usize,
    /// All inline policies of a group together, counted by [`iam_size`].
    pub group_inline_total: usize,
    /// One trust policy, counted by [`iam_size`]; the default, which can be raised.
    pub trust_policy: usize,
    /// One service control policy, counted by [`organizations_size`].
    pub scp: usize,
    /// One resource control policy, counted by [`organizations_size`].
    pub rcp: usize,
}

impl Limits {
    /// What AWS documents.
    pub const DOCUMENTED: Self = Self {
        managed_policy: 6_144,
        user_inline_total: 2_048,
        role_inline_total: 10_240,
        group_inline_total: 5_120,
        trust_policy: 2_048,
        scp: 10_240,
        rcp: 5_120,
    };
}

/// Counts a policy text as IAM does: characters, white space left out.
#[must_use]
pub fn iam_size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// Counts a policy text as Organizations does: every character that is sent, so send it [`minified`](super::minified).
#[must_use]
pub fn organizations_size(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_services_count_differently() {
        let text = "{ \"Sid\":\n\t\"é\" }";
        assert_eq!(iam_size(text), 11);
        assert_eq!(organizations_size(text), 15);
    }
}
