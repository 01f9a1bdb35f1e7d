//! The IAM policy language: a pure library with no I/O, clock or AWS behind it.
//!
//! [`parse`] reads a text strictly into a [`Document`]; [`lint`] says what AWS would refuse in it; [`minified`] and
//! [`pretty`] write it back; [`Limits`] holds how large it may be; [`library`] holds the documents that come with the tool.
//!
//! Two engines share the model. **Equivalence**: [`canonicalize`] gives all spellings of a document one form, and
//! [`compare`] tells whether two documents mean the same, and if not which way access goes, with a [`Witness`];
//! [`allowed_callers`] and [`requires_mfa`] ask the same of one document, [`denies_some_of`] whether two meet.
//! **Evaluation**: [`evaluate::evaluate`] decides a request by all layers of policies around it, and
//! [`evaluate::flips`] finds what would turn the decision. Both rest on `cells`: the finitely many kinds of values that
//! patterns and conditions tell apart. On top of both, [`exemption`] edits guardrails so that declared principals are let
//! through, and proves that nobody else is.

mod canonical;
mod cells;
mod compare;
mod condition;
mod document;
mod equivalence;
pub mod evaluate;
mod examples;
pub mod exemption;
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
pub use equivalence::{Answer, Backing, Witness, allowed_callers, denies_some_of, requires_mfa};
pub use examples::{action_examples, covers_action, resource_examples};
pub use lint::{DocumentKind, lint};
pub use pair::{PairResult, PairVerdict, WitnessRequest, compare_line, compare_pair};
pub use parse::{PolicyError, parse};
pub use pattern::literal;
pub use print::{canonical_pretty, minified, pretty};
pub use size::{Limits, iam_size, organizations_size};
