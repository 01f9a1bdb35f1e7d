//! Compares a live document with the one that the spec asks for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::canonical::{
    Atom, Canonical, CanonicalContext, CanonicalStatement, Value, canonical_statement, canonicalize,
};
use super::condition::{Family, Operator, OperatorKind};
use super::document::{Document, Effect, Principal, Selection};
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
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// It stays as it is.
    None,
    /// More is allowed, or less denied.
    Broader,
    /// Less is allowed, or more denied.
    Narrower,
    /// Some of each, or it cannot be told.
    Both,
}

/// Says how a live document and the one of the spec relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are the same to AWS, and carry the same names.
    Equal,
    /// They are the same to AWS; a Sid or the Id differs.
    Cosmetic,
    /// They are not shown to be the same; access changes so from live to spec.
    Different(Access),
}

/// Compares the live document with that of the spec; the direction is from live to spec.
///
/// `Broader` and `Narrower` are claimed only where each statement of one side is contained in a statement of the other.
#[must_use]
pub fn compare(live: &Document, spec: &Document, context: &CanonicalContext) -> Verdict {
    let (live_form, spec_form) = (canonicalize(live, context), canonicalize(spec, context));
    if live_form != spec_form {
        let broader = contains(&spec_form, &live_form);
        let narrower = contains(&live_form, &spec_form);
        return Verdict::Different(match (broader, narrower) {
            (true, true) => Access::None,
            (true, false) => Access::Broader,
            (false, true) => Access::Narrower,
            (false, false) => Access::Both,
        });
    }
    if names(live, context) == names(spec, context) {
        Verdict::Equal
    } else {
        Verdict::Cosmetic
    }
}

/// Tells whether every `Allow` statement of a trust policy demands MFA; true also when there is none.
///
/// It does by `Bool` on `aws:MultiFactorAuthPresent` with `true` alone, or by `NumericLessThan` or
/// `NumericLessThanEquals` on `aws:MultiFactorAuthAge`, which is absent without MFA. `IfExists` lets a request without the
/// key through; set prefixes are not meant for these keys. Neither counts, nor does a `Deny` without MFA.
#[must_use]
pub fn requires_mfa(document: &Document) -> bool {
    let form = canonicalize(document, &CanonicalContext::default());
    of_effect(&form, Effect::Allow).all(|statement| statement.atoms.iter().any(demands_mfa))
}

fn demands_mfa(atom: &Atom) -> bool {
    let Operator {
        qualifier: None,
        kind,
        if_exists: false,
    } = atom.operator
    else {
        return false;
    };
    match (kind, atom.key.as_str()) {
        (OperatorKind::Bool, "aws:multifactorauthpresent") => {
            atom.values.iter().eq([&Value::Bool(true)])
        }
        (
            OperatorKind::NumericLessThan | OperatorKind::NumericLessThanEquals,
            "aws:multifactorauthage",
        ) => !atom.values.is_empty() && atom.values.iter().all(|v| matches!(v, Value::Number(_))),
        _ => false,
    }
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
fn contains(outer: &Canonical, inner: &Canonical) -> bool {
    let within = |a: &CanonicalStatement, form: &Canonical| {
        of_effect(form, a.effect).any(|b| statement_covers(b, a))
    };
    of_effect(inner, Effect::Allow).all(|allow| within(allow, outer))
        && of_effect(outer, Effect::Deny).all(|deny| within(deny, inner))
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
    // One unresolved variable can void a statement, so the outer one must not depend on any that the inner one does not.
    let variables = |list: &Selection<BTreeSet<Pattern>>| -> BTreeSet<String> {
        let names = list.list().iter().flat_map(Pattern::variables);
        names.map(str::to_owned).collect()
    };
    let comparable = match (outer, inner) {
        (Selection::Only(_), Selection::Only(_)) => variables(outer).is_subset(&variables(inner)),
        _ => variables(outer).is_empty() && variables(inner).is_empty(),
    };
    outer == inner
        || (comparable && selection_covers(outer, inner, |a, b| a.is_any() || a.covers_arn(b)))
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
mod tests;
