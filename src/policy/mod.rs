//! The IAM policy language: a pure library with no I/O, clock or AWS behind it.
//!
//! [`parse`] reads a text strictly into a [`Document`]; [`lint`] says what AWS would refuse in it; [`canonicalize`] gives
//! all spellings of a document one form, on which [`compare`] and fingerprints rest; [`minified`] and [`pretty`] write it
//! back; [`Limits`] holds how large it may be; [`library`] holds the documents that come with the tool.

mod canonical;
mod compare;
mod condition;
mod document;
mod equivalence;
mod json;
mod keys;
pub mod library;
mod lint;
mod pair;
mod parse;
mod pattern;
mod print;
mod size;
mod value;

#[cfg(test)]
mod properties;

pub use canonical::{Canonical, CanonicalContext, canonicalize};
pub use compare::{Access, Verdict, compare, fingerprint_text};
pub use condition::{Family, Operator, OperatorKind, Qualifier};
pub use document::{
    Actions, Condition, ConditionValue, Document, Effect, Principal, Principals, Resources,
    Selection, Statement, Version,
};
pub use equivalence::{Answer, Witness, allowed_callers, requires_mfa};
pub use lint::{DocumentKind, lint};
pub use pair::{PairResult, PairVerdict, WitnessRequest, compare_line, compare_pair};
pub use parse::{PolicyError, parse};
pub use print::{canonical_pretty, minified, pretty};
pub use size::{Limits, iam_size, organizations_size};
