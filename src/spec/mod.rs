//! The spec as it is written: loading with places, types, offline checks, JSON Schema.
//!
//! ```text
//! text ──node──▶ tree ──merge──▶ one tree ──decode──▶ Spec ──validate──▶ Loaded
//! ```
//! [`load`] does it all and reports everything that is wrong, not the first thing. Each problem knows where it is by a
//! stretch of text or by a symbolic path (`roles[0].trusted[2]`), which becomes file, line and column when it is told.
//! Only `load` touches the file system; [`load_texts`] is the same on texts that are at hand.

mod decode;
mod digest;
mod documents;
mod drills;
mod edit;
mod incidents;
mod load;
mod merge;
mod node;
mod problem;
mod records;
mod reliance;
mod scalar;
mod schema;
mod source;
mod trust;
mod types;
mod validate;

#[cfg(test)]
mod tests;

pub use documents::{Documents, ReadFile};
pub use drills::DrillRecord;
pub use edit::{EditError, IgnoreEdit, edit_ignore};
pub use incidents::IncidentRecord;
pub use load::{LoadError, Loaded, Records, load, load_texts, read_beside, read_files};
pub(crate) use load::{read_bounded, read_inside};
pub use problem::{At, Finding, Problem, Severity};
pub use reliance::{Reliance, reliance};
pub use schema::json_schema;
pub use source::{Location, Place, SourceMap, element, entry};
pub use trust::trust_policy;
pub use types::*;
