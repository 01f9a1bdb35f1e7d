//! What is wrong with the ways in that only live state has: dead, dangling, or resting on what they should survive.

use std::collections::BTreeSet;

use crate::policy::{Document, Effect, OperatorKind, Principal, Statement, requires_mfa};
use crate::spec::reliance;
use crate::state::{Paths, PolicyText};

/// Says what a person should know of a live trust policy that differs from the spec's.
pub(super) fn trust_notes(
    role: &str,
    (live, spec): (&PolicyText, &PolicyText),
    paths: &Paths,
) -> Vec<String> {
    let (Ok(live), Ok(spec)) = (live.parse(), spec.parse()) else {
        return Vec::new();
    };
    let failure_mode = paths.failure_modes.get(role).map(String::as_str);
    let wanted: BTreeSet<&str> = principals(&spec).collect();
    let found: BTreeSet<&str> = principals(&live).collect();
    let dead_for = |principal: &str, demands: &dyn Fn(&Statement) -> bool| {
        let mut naming = allows(&live)
            .filter(|statement| names(statement, principal))
            .peekable();
        naming.peek().is_some() && naming.all(demands)
    };
    let demands_mfa = |statement: &Statement| {
        requires_mfa(&Document {
            statements: vec![statement.clone()],
            ..live.clone()
        })
    };
    let mut notes: Vec<String> = found
        .difference(&wanted)
        .filter_map(|principal| match reliance(principal) {
            Some(reliance) => {
                let words = reliance.words(principal, failure_mode);
                let dead = if reliance.is_chained() && dead_for(principal, &demands_mfa) {
                    ", and a dead path, because MFA is demanded and a chained hop carries none"
                } else {
                    ""
                };
                Some(format!("live has a way in of its own: {words}{dead}"))
            }
            None => dangling(principal),
        })
        .collect();
    let fido_only: Vec<&str> = paths
        .fido_only
        .iter()
        .filter(|user| wanted.contains(user.as_str()))
        .filter(|user| dead_for(user.as_str(), &demands_source_identity))
        .map(|user| user.name())
        .collect();
    if !fido_only.is_empty() {
        notes.push(format!(
            "live demands sts:SourceIdentity, a dead path for {}: the console can't set it, and FIDO devices work in the console only",
            fido_only.join(", ")
        ));
    }
    notes
}

/// Says of a principal that is an id, and no ARN, that whoever it named is gone.
///
/// Source: IAM User Guide, "IAM JSON policy elements: Principal": a deleted principal shows as its unique id, and one
/// of the same name that is made again is not trusted.
fn dangling(principal: &str) -> Option<String> {
    let what = match principal.get(..4)? {
        "AIDA" => "user",
        "AROA" => "role",
        _ => return None,
    };
    (!principal.contains(':')).then(|| {
        format!("dangling: {principal} is the id of a {what} that was deleted; one of its name that is made again is not trusted")
    })
}

fn allows(document: &Document) -> impl Iterator<Item = &Statement> {
    let statements = document.statements.iter();
    statements.filter(|statement| statement.effect == Effect::Allow)
}

/// Tells whether a statement is about a principal, by its own name or by that of its account.
fn names(statement: &Statement, principal: &str) -> bool {
    let account = principal.split(':').nth(4).unwrap_or_default();
    let listed = statement.principals.iter().flat_map(|listed| listed.list());
    listed.map(|one| one.entry().1).any(|one| {
        one == principal
            || one == "*"
            || one == account
            || one
                .strip_suffix(":root")
                .is_some_and(|root| root.ends_with(account))
    })
}

fn principals(document: &Document) -> impl Iterator<Item = &str> {
    allows(document)
        .filter_map(|statement| statement.principals.as_ref())
        .flat_map(|principals| principals.list())
        .map(|principal: &Principal| principal.entry().1)
}

fn demands_source_identity(statement: &Statement) -> bool {
    let mut conditions = statement.conditions.iter();
    conditions.any(|condition| {
        let demanded = if condition.operator.kind == OperatorKind::Null {
            condition
                .values
                .iter()
                .any(|value| value.as_str() == "false")
        } else {
            !condition.operator.passes_absent()
        };
        demanded && condition.key.eq_ignore_ascii_case("sts:SourceIdentity")
    })
}
