//! A first spec: what it must know, asked for question by question, and its text with comments to go on from.
//!
//! Pure: answers come in as text, questions and the spec go out as text.

mod draft;
mod interview;

pub use draft::{Draft, DraftUser, Preset};
pub use interview::{Found, Given, Interview, Question};

/// The name of the JSON Schema that lies beside a spec, by which editors complete and check it.
pub const SCHEMA_FILE: &str = "breakglass.schema.json";
