//! Proofs that break-glass works: pure functions from live state to what is proven of each role.
//!
//! [`Prover`] is told what holds for the whole organization (its tree, its guardrails, the users of the emergency
//! account) and then, account by account, what was read. For each declared role it proves that its users can assume it
//! with MFA and not without, that nobody else can, and that its sessions can do what they must and cannot do what they
//! must not. What is not known is never a pass: see [`Verdict::NotProven`].
//!
//! Live state is what counts, not what the spec wishes: the documents are those that were read, the spec only says which
//! roles, users and actions are looked at. Situations that are equal but for the account's id are proven once.

mod assume;
mod builder;
mod callers;
mod cases;
mod circumstances;
mod coverage;
mod findings;
mod guardrails;
mod impact;
mod opening;
mod principal;
mod proof;
mod prover;
mod result;
mod session;
mod situation;
mod trusted;
mod words;

#[cfg(test)]
mod tests;

pub use builder::{VerificationBuilder, VerificationHeader};
pub use coverage::{CoverageFinding, CoverageRule, Exempt};
pub use impact::Impact;
pub use prover::{Prover, Setting};
pub use result::{
    Blocker, BlockerKind, ExceptionProposal, Finding, Obligation, OpenCaller, Proof, Remainder,
    RoleResult, Verdict, Verification, VerificationOutcome, VerificationSummary,
};
