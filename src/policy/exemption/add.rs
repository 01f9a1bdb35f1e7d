//! Letting principals through.

use std::collections::BTreeSet;

use super::choice::{Chosen, name};
use super::error::ExemptionError;
use super::tests_on_caller::{ADDED, KEY, arn_pattern, is_on_caller, let_through};
use crate::policy::condition::OperatorKind;
use crate::policy::document::{Condition, ConditionValue, Document, Statement, Version};
use crate::policy::lint::DocumentKind;
use crate::policy::pattern::{Pattern, Token};
use crate::policy::print::minified;
use crate::policy::size::{Limits, organizations_size};

/// Makes the smallest edit after which the chosen Deny statements let exactly these principals through, too.
///
/// The principals are values for `aws:PrincipalArn`: role or user ARNs with their path, also with wildcards. What a
/// statement already lets through is not added, so that a second call changes nothing; all else stays as it was written.
/// The values go into one test of the statement on `aws:PrincipalArn`, of those without a set operator the first of:
/// - `ArnNotLike` or `ArnNotEquals`, with `IfExists` or without;
/// - `StringNotLike`, when no value has a wildcard before the resource part: there it would also match across colons,
///   which the path of a role may contain, so that it would let others through;
/// - `StringNotEquals`, when no value has a wildcard;
/// - a new `ArnNotLike`.
///
/// To replace principals, call [`unexempt`](super::unexempt) first: a narrower value is not added beside a wider one.
///
/// # Errors
/// [`ExemptionError`] when a statement, a principal or the size of the result does not allow it.
pub fn exempt(
    document: &Document,
    chosen: &Chosen,
    principals: &BTreeSet<String>,
    kind: DocumentKind,
) -> Result<Document, ExemptionError> {
    let limit = match kind {
        DocumentKind::Scp => Limits::DOCUMENTED.scp,
        DocumentKind::Rcp => Limits::DOCUMENTED.rcp,
        DocumentKind::Identity | DocumentKind::Trust => return Err(ExemptionError::NotAGuardrail),
    };
    let version = document.effective_version();
    let mut patterns = Vec::new();
    for principal in principals {
        patterns.push((principal.as_str(), checked(principal, version)?));
    }
    let chosen = chosen.resolve(document)?;
    let mut edited = document.clone();
    let statements = edited.statements.iter_mut().enumerate();
    for (index, statement) in statements.filter(|(index, _)| chosen.contains(index)) {
        add(index, statement, version, &patterns)?;
    }
    let size = organizations_size(&minified(&edited));
    // What is not changed is not written, so that its size does not matter.
    if edited != *document && size > limit {
        return Err(ExemptionError::TooLarge { size, limit });
    }
    Ok(edited)
}

/// Reads a principal, which must be an ARN that `aws:PrincipalArn` can hold.
fn checked(principal: &str, version: Version) -> Result<Pattern, ExemptionError> {
    let invalid = |reason| ExemptionError::InvalidPrincipal {
        principal: principal.to_owned(),
        reason,
    };
    let pattern = arn_pattern(principal, version).filter(Pattern::is_arn);
    let pattern = pattern.filter(|_| principal.starts_with("arn:"));
    let pattern = pattern.ok_or_else(|| invalid("it is no ARN of six segments"))?;
    if pattern.has_variable() {
        return Err(invalid(
            "it has a policy variable, so that it names no fixed principals",
        ));
    }
    if !principal
        .chars()
        .all(|c| matches!(c, ' '..='\u{7e}' | '\u{a0}'..='\u{ff}'))
    {
        return Err(invalid("it has a character that no policy may contain"));
    }
    let mut segments = principal.splitn(6, ':').skip(2);
    if segments.next() == Some("sts")
        && segments
            .nth(2)
            .is_some_and(|r| r.starts_with("assumed-role/"))
    {
        return Err(invalid(
            "it is a session; the key holds the ARN of its role: arn:aws:iam::ACCOUNT:role/PATH/NAME",
        ));
    }
    Ok(pattern)
}

/// Lets principals through by one statement.
fn add(
    index: usize,
    statement: &mut Statement,
    version: Version,
    principals: &[(&str, Pattern)],
) -> Result<(), ExemptionError> {
    let all = principals.iter().map(|(principal, _)| *principal).collect();
    let spared = let_through(statement, version, &all);
    let missing = principals
        .iter()
        .filter(|(principal, _)| !spared.contains(principal));
    let missing = widest(missing.collect());
    if missing.is_empty() {
        return Ok(());
    }
    let named = || name(index, statement);
    if statement
        .principals
        .as_ref()
        .is_some_and(|principals| principals.is_negated())
    {
        return Err(ExemptionError::NotPrincipal { statement: named() });
    }
    let mut tests = statement
        .conditions
        .iter()
        .filter(|condition| is_on_caller(condition));
    if let Some(empty) = tests.find(|condition| condition.values.is_empty()) {
        return Err(ExemptionError::EmptyTest {
            statement: named(),
            operator: empty.operator,
        });
    }
    let values = missing
        .iter()
        .map(|(principal, _)| ConditionValue::String((*principal).to_owned()));
    let candidates = statement.conditions.iter_mut().filter_map(|condition| {
        let ranks = missing.iter().map(|(_, pattern)| rank(condition, pattern));
        let rank = ranks.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        Some((rank, condition))
    });
    match candidates.min_by_key(|(rank, _)| *rank) {
        Some((_, test)) => test.values.extend(values),
        None => {
            let test = Condition {
                operator: ADDED,
                key: KEY.to_owned(),
                values: values.collect(),
            };
            insert(&mut statement.conditions, test);
        }
    }
    Ok(())
}

/// Leaves out what another one of them lets through as well.
fn widest<'a, 'p>(principals: Vec<&'a (&'p str, Pattern)>) -> Vec<&'a (&'p str, Pattern)> {
    let wide = principals
        .iter()
        .filter(|(_, pattern)| pattern.has_wildcard());
    let wide: Vec<_> = wide.copied().collect();
    let is_covered = |own: &(&str, Pattern)| {
        wide.iter().any(|other| {
            let equal = other.1 == own.1;
            other.1.covers_arn(&own.1) && (!equal || other.0 < own.0)
        })
    };
    principals
        .into_iter()
        .filter(|own| !is_covered(own))
        .collect()
}

/// Tells whether a test can take a principal and then lets just that through; the lower, the better.
fn rank(condition: &Condition, principal: &Pattern) -> Option<u8> {
    if !is_on_caller(condition) || condition.operator.qualifier.is_some() {
        return None;
    }
    match condition.operator.kind {
        OperatorKind::ArnNotLike | OperatorKind::ArnNotEquals => Some(0),
        OperatorKind::StringNotLike if matches_alike_as_text(principal) => Some(1),
        OperatorKind::StringNotEquals if !principal.has_wildcard() => Some(2),
        _ => None,
    }
}

/// Tells whether a pattern matches the same as an ARN and as plain text.
fn matches_alike_as_text(principal: &Pattern) -> bool {
    let segments = principal.segments();
    let mut before_resource = segments.iter().take(5).copied().flatten();
    before_resource.all(|token| matches!(token, Token::Literal(_)))
}

/// Puts a test behind the others of its operator, with which it is written.
fn insert(conditions: &mut Vec<Condition>, test: Condition) {
    let last = conditions
        .iter()
        .rposition(|condition| condition.operator == test.operator);
    conditions.insert(last.map_or(conditions.len(), |last| last + 1), test);
}
