//! Why principals cannot be let through.

use crate::policy::condition::Operator;

/// Says why a document cannot be edited so that principals are let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExemptionError {
    /// Only SCPs and RCPs are edited.
    #[error("only an SCP or an RCP takes exemptions")]
    NotAGuardrail,
    /// A statement that was asked for does not exist.
    #[error("there is no statement {wanted}; {}", listed(.denies))]
    NoStatement {
        /// The Sid or number that was asked for.
        wanted: String,
        /// The Deny statements that exist, by Sid or number.
        denies: Vec<String>,
    },
    /// A statement that was asked for allows.
    #[error("statement {statement} is an Allow, from which nobody is exempted; {}", listed(.denies))]
    NotDeny {
        /// The Sid or number of the statement.
        statement: String,
        /// The Deny statements that exist, by Sid or number.
        denies: Vec<String>,
    },
    /// `NotPrincipal` spares callers by rules of its own, beside which nothing about a further test is certain.
    #[error(
        "statement {statement} has NotPrincipal; replace it by \"Principal\": \"*\" with ArnNotLike on aws:PrincipalArn"
    )]
    NotPrincipal {
        /// The Sid or number of the statement.
        statement: String,
    },
    /// A test on `aws:PrincipalArn` has no value, and AWS does not document whether it then passes always or never.
    #[error(
        "statement {statement} tests aws:PrincipalArn by {operator} against an empty list, of which AWS does not say what it means; remove that test"
    )]
    EmptyTest {
        /// The Sid or number of the statement.
        statement: String,
        /// The operator of the test.
        operator: Operator,
    },
    /// A value can't be that of `aws:PrincipalArn`, or is no fixed pattern.
    #[error("{principal:?} is no value for aws:PrincipalArn: {reason}")]
    InvalidPrincipal {
        /// The value.
        principal: String,
        /// What is wrong with it, as a lower-case fragment.
        reason: &'static str,
    },
    /// With the exemptions the document is larger than AWS accepts.
    #[error(
        "with the exemptions the policy has {size} characters, more than the {limit} that AWS accepts; exempt fewer principals, or one account wildcard in place of many accounts"
    )]
    TooLarge {
        /// The characters of the minified document.
        size: usize,
        /// The most that AWS accepts.
        limit: usize,
    },
}

fn listed(denies: &[String]) -> String {
    if denies.is_empty() {
        "the policy has no Deny statement".to_owned()
    } else {
        format!("the Deny statements are {}", denies.join(", "))
    }
}
