//! Edits guardrails (SCPs and RCPs) so that exactly the declared principals are let through, and proves it.
//!
//! A Deny lets a principal through by a negated test on `aws:PrincipalArn`, such as `"ArnNotLike": {"aws:PrincipalArn":
//! […]}`. [`exempt`] adds values to such a test of the chosen statements, or the test; [`unexempt`] takes them out;
//! [`exempted`] lists what is there; [`prove`] shows with the equivalence engine that nobody else gains by an edit,
//! and [`denied_to`] and [`would_stop`] find whom it stops.
//!
//! Everything happens within one statement: the tests of a statement are ANDed, so that each of them can let a principal
//! through, while two Denies with half of the exceptions each deny everyone.

mod add;
mod choice;
mod error;
mod harm;
mod listing;
mod principals;
mod proof;
mod remove;
mod tests_on_caller;

#[cfg(test)]
mod tests;

pub use super::evaluate::blocking_statements;
pub use add::exempt;
pub use choice::Chosen;
pub use error::ExemptionError;
pub use harm::{denied_to, would_stop};
pub use listing::{ExemptedPrincipal, exempted, is_exempted};
pub use principals::{principal_values, user_value};
pub use proof::{Breach, Proof, prove};
pub use remove::{unexempt, without};
