//! The audit of uses: CloudTrail's records to uses of break-glass, matched with incidents, and what is wrong with them.
//!
//! ```text
//! bytes ──split──▶ records ──sieve──▶ candidates ──classify──▶ traces ──gather──▶ pieces ──join──▶ sessions ──judge──▶ Audit
//! ```
//! [`Splitter`] and [`Sieve`] work on bytes, so that the million records that have nothing to do with break-glass are
//! never parsed. A [`Trace`] is what one record says of break-glass. [`Gatherer`] takes traces in any order, each once
//! however many files hold it, and keeps only sums, so that its size goes with the uses and not with the log.

mod capped;
mod classify;
mod finding;
mod gather;
mod incident;
mod join;
mod judge;
mod notice;
mod question;
mod record;
mod result;
mod sieve;
mod split;
mod tamper;
mod trace;
mod watch;

#[cfg(test)]
mod tests;

pub use classify::classify;
pub use finding::{Code, Severity};
pub use gather::Gatherer;
pub use judge::{AuditHeader, judge};
pub use notice::{Notice, hex};
pub use question::{Attribute, HistoryPlace, Question, first_questions, second_questions};
pub use record::NO_RECORD;
pub use result::{
    ActionCount, Audit, AuditOutcome, AuditSummary, Finding, Mfa, OtherSession, RecordSource,
    Tampering, UnreadableSource, Use,
};
pub use sieve::Sieve;
pub use split::{MAX_RECORD, SplitError, Splitter};
pub use trace::Trace;
pub use watch::{Deployer, Principal, PrincipalKind, Watch};
