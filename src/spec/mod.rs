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
mod load;
mod merge;
mod node;
mod problem;
mod scalar;
mod schema;
mod source;
mod trust;
mod types;
mod validate;

#[cfg(test)]
mod tests;

pub use documents::{Documents, ReadFile};
pub use load::{LoadError, Loaded, load, load_texts};
pub use problem::{At, Finding, Problem, Severity};
pub use schema::json_schema;
pub use source::{Location, Place, SourceMap, element, entry};
pub use trust::trust_policy;
pub use types::*;

/// Lists what a spec says that this version does not act on yet, so that nobody relies on it.
#[must_use]
pub fn no_effect_yet(spec: &Spec) -> Vec<&'static str> {
    let users = spec.users();
    let alerts = spec.alerts.as_ref();
    [
        (spec.root_access.is_some(), "root_access"),
        (
            alerts.is_some_and(|alerts| !alerts.notify.is_empty()),
            "alerts.notify",
        ),
        (spec.incidents.is_some(), "incidents"),
        (spec.drills.is_some(), "drills"),
        (!spec.ignore.is_empty(), "ignore"),
        (users.iter().any(|user| user.mfa.is_some()), "users[].mfa"),
    ]
    .into_iter()
    .filter_map(|(present, name)| present.then_some(name))
    .collect()
}
