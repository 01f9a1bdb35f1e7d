//! Which statements of a document are meant.

use std::collections::BTreeSet;

use super::error::ExemptionError;
use crate::policy::document::{Document, Effect, Statement};

/// Chooses Deny statements of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// All that there are.
    EachDeny,
    /// Those with these Sids.
    Sids(Vec<String>),
    /// Those with these numbers, counted from 1: such as [`blocking_statements`](super::blocking_statements) finds.
    Numbers(Vec<usize>),
}

impl Chosen {
    /// The indices of the chosen statements, counted from 0.
    ///
    /// # Errors
    /// When a statement that is named does not exist or is no Deny.
    pub(super) fn resolve(&self, document: &Document) -> Result<BTreeSet<usize>, ExemptionError> {
        if let Some(wanted) = self.missing(document) {
            let denies = names_of_denies(document);
            return Err(ExemptionError::NoStatement { wanted, denies });
        }
        let found = self.present(document);
        let statements = document.statements.iter().enumerate();
        for (index, statement) in statements {
            if found.contains(&index) && statement.effect == Effect::Allow {
                return Err(ExemptionError::NotDeny {
                    statement: name(index, statement),
                    denies: names_of_denies(document),
                });
            }
        }
        Ok(found)
    }

    /// The indices of those of the chosen statements that exist, whatever their effect.
    pub(super) fn present(&self, document: &Document) -> BTreeSet<usize> {
        let statements = document.statements.iter().enumerate();
        let chosen = statements.filter(|(index, statement)| match self {
            Self::EachDeny => statement.effect == Effect::Deny,
            Self::Sids(sids) => sid(statement).is_some_and(|own| sids.iter().any(|sid| sid == own)),
            Self::Numbers(numbers) => numbers.contains(&(index + 1)),
        });
        chosen.map(|(index, _)| index).collect()
    }

    /// Names the first statement that does not exist.
    fn missing(&self, document: &Document) -> Option<String> {
        let statements = &document.statements;
        match self {
            Self::EachDeny => None,
            Self::Sids(sids) => {
                let is_there = |wanted: &str| statements.iter().any(|s| sid(s) == Some(wanted));
                sids.iter().find(|wanted| !is_there(wanted)).cloned()
            }
            Self::Numbers(numbers) => {
                let is_there = |number: usize| (1..=statements.len()).contains(&number);
                let missing = numbers.iter().find(|number| !is_there(**number));
                missing.map(usize::to_string)
            }
        }
    }
}

/// The Sid of a statement; an empty one names nothing.
pub(super) fn sid(statement: &Statement) -> Option<&str> {
    statement.sid.as_deref().filter(|sid| !sid.is_empty())
}

/// Names a statement by its Sid, or else its number, counted from 1.
pub(super) fn name(index: usize, statement: &Statement) -> String {
    sid(statement).map_or_else(|| (index + 1).to_string(), str::to_owned)
}

fn names_of_denies(document: &Document) -> Vec<String> {
    let statements = document.statements.iter().enumerate();
    let denies = statements.filter(|(_, statement)| statement.effect == Effect::Deny);
    denies
        .map(|(index, statement)| name(index, statement))
        .collect()
}
