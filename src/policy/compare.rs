//! Compares two documents: in form first, then by what they mean.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::canonical::{
    Atom, Canonical, CanonicalContext, CanonicalStatement, Value, canonical_statement, canonicalize,
};
use super::cells::{Budget, OverBudget};
use super::condition::{Family, OperatorKind};
use super::document::{Document, Effect, Principal, Selection};
use super::equivalence::{MAX_STEPS, Meaning, Witness, compare_meaning};
use super::pattern::Pattern;

/// Says how access changes from one document to another.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// It stays as it is.
    #[default]
    None,
    /// More is allowed, or less denied.
    Broader,
    /// Less is allowed, or more denied.
    Narrower,
    /// Some of each, or it cannot be told.
    Both,
}

impl Access {
    /// Tells whether access stays as it is.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Says how a document and a newer one, or a live one and the spec's, relate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// They mean the same to AWS, and where their form is the same too, they carry the same names.
    Equal,
    /// They have the same form; a Sid or the Id differs.
    Cosmetic,
    /// They mean different things.
    Different {
        /// Which way access goes from the old document to the new one; never [`Access::None`].
        access: Access,
        /// A request that the new document gains, if any, and one that it loses.
        witnesses: Vec<Witness>,
    },
    /// It is not proven that they mean the same, nor that they do not.
    Unproven {
        /// The ways in which access may go; never [`Access::None`].
        access: Access,
        /// Why it is not proven, as a lower-case fragment.
        reason: &'static str,
    },
}

impl Verdict {
    /// Which way access goes, or may go where that is not proven.
    #[must_use]
    pub fn access(&self) -> Access {
        match self {
            Self::Equal | Self::Cosmetic => Access::None,
            Self::Different { access, .. } | Self::Unproven { access, .. } => *access,
        }
    }
}

/// Compares two documents by what they mean; the direction is from old to new.
///
/// Neither the order nor the spelling of statements matters, nor how they are split, as long as AWS answers every
/// request alike: what they allow together, and what they deny, since a Deny also overrides other policies.
#[must_use]
pub fn compare(old: &Document, new: &Document, context: &CanonicalContext) -> Verdict {
    // Most are just as they were written.
    if old == new {
        return Verdict::Equal;
    }
    let (old_form, new_form) = (canonicalize(old, context), canonicalize(new, context));
    if old_form == new_form {
        return if names(old, context) == names(new, context) {
            Verdict::Equal
        } else {
            Verdict::Cosmetic
        };
    }
    match compare_meaning(&old_form, &new_form) {
        Meaning::Known {
            grows: false,
            shrinks: false,
            exact: _,
            witnesses: _,
        } => same_meaning(old, new),
        Meaning::Known {
            grows,
            shrinks,
            exact,
            mut witnesses,
        } => {
            for witness in &mut witnesses {
                witness.exact &= exact || witness.is_confirmed(old, new);
            }
            let access = direction(grows, shrinks);
            if !exact && !witnesses.iter().any(|witness| witness.exact) {
                return Verdict::Unproven {
                    access,
                    reason: "they differ, if at all, by values that no variable or key may ever have",
                };
            }
            let spelled = |witness: Witness| witness.spelled_as_in(&[old, new]);
            Verdict::Different {
                access,
                witnesses: witnesses.into_iter().map(spelled).collect(),
            }
        }
        Meaning::Undocumented { grows, shrinks } => Verdict::Unproven {
            access: direction(grows, shrinks),
            reason: "they differ, or which way they do, only by what AWS does not document: whom {\"AWS\": \"*\"} means beside AWS principals, \
                     or whom NotPrincipal spares when only one of a caller's ARNs is listed",
        },
        // What is too large to be split may still be plain: every statement of one within one of the other.
        Meaning::TooLarge => {
            let mut budget = Budget::new(MAX_STEPS);
            let mut within = |outer, inner| contains(outer, inner, &mut budget) == Ok(true);
            match (within(&new_form, &old_form), within(&old_form, &new_form)) {
                (true, true) => same_meaning(old, new),
                (no_less, no_more) => Verdict::Unproven {
                    access: direction(!no_more, !no_less),
                    reason: "their patterns and conditions overlap in more ways than are followed, or hold what AWS does \
                             not document",
                },
            }
        }
    }
}

/// The verdict on two documents that mean the same in different forms.
fn same_meaning(old: &Document, new: &Document) -> Verdict {
    let names = |document: &Document| {
        let sids = document
            .statements
            .iter()
            .filter_map(|statement| statement.sid.clone());
        let names = sids.filter(|sid| !sid.is_empty()).collect::<BTreeSet<_>>();
        (document.id.clone().filter(|id| !id.is_empty()), names)
    };
    if names(old) == names(new) {
        Verdict::Equal
    } else {
        Verdict::Cosmetic
    }
}

/// The way access goes when some requests may be gained and some lost.
fn direction(grows: bool, shrinks: bool) -> Access {
    match (grows, shrinks) {
        (false, false) => Access::None,
        (true, false) => Access::Broader,
        (false, true) => Access::Narrower,
        (true, true) => Access::Both,
    }
}

/// Writes the canonical form and the names of a document as text: the same where a comparison says "equal in form".
#[must_use]
pub fn fingerprint_text(document: &Document, context: &CanonicalContext) -> String {
    let (id, sids) = names(document, context);
    let sids: Vec<_> = sids
        .iter()
        .map(|(statement, sid)| (statement.to_json(), sid))
        .collect();
    serde_json::json!([id, sids]).to_string()
}

/// The Id, and the Sids of each statement; an empty name is none.
fn names<'a>(
    document: &'a Document,
    context: &CanonicalContext,
) -> (
    Option<&'a str>,
    BTreeSet<(CanonicalStatement, Option<&'a str>)>,
) {
    let version = document.effective_version();
    let sids = document.statements.iter().map(|statement| {
        let sid = statement.sid.as_deref().filter(|sid| !sid.is_empty());
        (canonical_statement(statement, version, context), sid)
    });
    (
        document.id.as_deref().filter(|id| !id.is_empty()),
        sids.collect(),
    )
}

fn of_effect(form: &Canonical, effect: Effect) -> impl Iterator<Item = &CanonicalStatement> {
    let statements = form.statements.iter();
    statements.filter(move |statement| statement.effect == effect)
}

/// Tells whether `outer` surely gives at least the access of `inner`: it allows no less and denies no more.
///
/// # Errors
/// [`OverBudget`] when there are too many statements to compare each with each.
fn contains(outer: &Canonical, inner: &Canonical, budget: &mut Budget) -> Result<bool, OverBudget> {
    let (outer, inner) = (outer.in_single_items(), inner.in_single_items());
    let mut within = |effect, covered: &Canonical, covering: &Canonical| {
        for one in of_effect(covered, effect) {
            if covering.statements.contains(one) {
                continue;
            }
            let mut found = false;
            for other in of_effect(covering, effect) {
                budget.spend(other.size() + one.size())?;
                found = found || statement_covers(other, one);
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(within(Effect::Allow, &inner, &outer)? && within(Effect::Deny, &outer, &inner)?)
}

/// Tells whether `outer` surely matches every request that `inner` matches.
fn statement_covers(outer: &CanonicalStatement, inner: &CanonicalStatement) -> bool {
    let principals = match (&outer.principals, &inner.principals) {
        // What NotPrincipal matches depends on more than its list, so only equal ones compare.
        (Some(Selection::Only(a)), Some(Selection::Only(b))) => {
            each_covered(b, a, principal_covers)
        }
        (a, b) => a == b,
    };
    let resources = match (&outer.resources, &inner.resources) {
        (Some(a), Some(b)) => resources_cover(a, b),
        (a, b) => a == b,
    };
    principals
        && resources
        && selection_covers(&outer.actions, &inner.actions, Pattern::covers)
        && outer
            .atoms
            .iter()
            .all(|weak| inner.atoms.iter().any(|strong| implies(strong, weak)))
}

/// Tells whether each item of `inner` is covered by one of `outer`.
fn each_covered<T>(
    inner: &BTreeSet<T>,
    outer: &BTreeSet<T>,
    covers: impl Fn(&T, &T) -> bool,
) -> bool {
    inner.iter().all(|b| outer.iter().any(|a| covers(a, b)))
}

fn selection_covers(
    outer: &Selection<BTreeSet<Pattern>>,
    inner: &Selection<BTreeSet<Pattern>>,
    covers: impl Fn(&Pattern, &Pattern) -> bool,
) -> bool {
    match (outer, inner) {
        (Selection::Only(a), Selection::Only(b)) => each_covered(b, a, covers),
        // The shorter the list of exceptions, the more is matched.
        (Selection::Except(a), Selection::Except(b)) => each_covered(a, b, covers),
        (Selection::Only(a), Selection::Except(_)) => a.iter().any(Pattern::is_any),
        (Selection::Except(_), Selection::Only(_)) => false,
    }
}

fn resources_cover(
    outer: &Selection<BTreeSet<Pattern>>,
    inner: &Selection<BTreeSet<Pattern>>,
) -> bool {
    outer == inner || selection_covers(outer, inner, |a, b| a.is_any() || a.covers_arn(b))
}

fn principal_covers(outer: &Principal, inner: &Principal) -> bool {
    match (outer, inner) {
        (Principal::Star, Principal::Aws(_)) => true,
        (Principal::Aws(all), Principal::Aws(_)) if all == "*" => true,
        _ => outer == inner,
    }
}

/// Tells whether `weak` surely passes whenever `strong` does.
fn implies(strong: &Atom, weak: &Atom) -> bool {
    if strong == weak {
        return true;
    }
    let (a, b) = (strong.operator, weak.operator);
    let comparable = strong.key == weak.key
        && a.qualifier == b.qualifier
        && (b.if_exists || !a.if_exists)
        && comparable_kinds(a.kind, b.kind)
        && !strong.values.is_empty()
        && !weak.values.is_empty();
    if !comparable {
        return false;
    }
    if strong.values == weak.values && a.kind == b.kind {
        return true;
    }
    let has_variables = |atom: &Atom| {
        let mut values = atom.values.iter();
        values.any(|v| matches!(v, Value::Text(pattern) if !pattern.variables().is_empty()))
    };
    if has_variables(strong) || has_variables(weak) {
        return false;
    }
    let covers = |outer: &Value, inner: &Value| value_covers(a.kind.family(), outer, inner);
    match (a.kind.is_negated(), a.qualifier) {
        (false, _) => each_covered(&strong.values, &weak.values, covers),
        // Each further value of a negated operator shuts more out.
        (true, None) => each_covered(&weak.values, &strong.values, covers),
        (true, Some(_)) => false,
    }
}

/// Tells whether more values only ever match more, for two kinds that read their values alike.
fn comparable_kinds(a: OperatorKind, b: OperatorKind) -> bool {
    use OperatorKind::{StringEquals, StringLike, StringNotEquals, StringNotLike};
    a == b
        || matches!(
            (a, b),
            (StringEquals, StringLike)
                | (StringLike, StringEquals)
                | (StringNotEquals, StringNotLike)
                | (StringNotLike, StringNotEquals)
        )
}

fn value_covers(family: Family, outer: &Value, inner: &Value) -> bool {
    match (outer, inner) {
        (Value::Text(a), Value::Text(b)) if family == Family::Arn => a.covers_arn(b),
        (Value::Text(a), Value::Text(b)) => a.covers(b),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod meaning;
#[cfg(test)]
mod tests;
