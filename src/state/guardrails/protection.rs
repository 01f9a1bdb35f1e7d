//! The SCP that keeps the break-glass objects from being changed by anybody else.

use std::collections::BTreeSet;

use super::{GuardrailKind, PolicyReference};
use crate::state::{Origin, PolicyText, Tags};

/// Describes the SCP that the spec wants for the protection of the break-glass objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredProtection {
    /// Its name.
    pub name: String,
    /// Its document.
    pub document: PolicyText,
    /// Whom it must not stop, as values of `aws:PrincipalArn`: the roles by which this tool writes, and the break-glass
    /// roles.
    pub spared: BTreeSet<String>,
    /// The root (`r-…`), units (`ou-…`) and accounts that it is attached to.
    pub targets: BTreeSet<String>,
    /// Its tags.
    pub tags: Tags,
    /// Where the spec has it.
    pub origin: Origin,
}

/// Refers to the protection policy of this name, by which alone a plan speaks of it.
#[must_use]
pub fn protection(name: &str) -> PolicyReference {
    PolicyReference::Named {
        kind: GuardrailKind::Scp,
        name: name.to_owned(),
    }
}
