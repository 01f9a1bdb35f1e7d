//! Nobody else gets in: decided on the trust policy as a whole, not by trying callers.

use std::collections::BTreeSet;

use super::result::{Finding, Obligation, OpenCaller, Proof, Verdict};
use crate::ids::{Arn, Partition};
use crate::policy::{
    CanonicalContext, Condition, Document, Effect, Operator, OperatorKind, Statement, Witness,
    allowed_callers,
};

const CALLER: &str = "aws:PrincipalArn";

/// Proves that a trust policy lets in none but the trusted; `trust` is `None` when it can't be read.
pub(super) fn closed_to_others(
    trust: Option<&Document>,
    trusted: &BTreeSet<Arn>,
    partition: &Partition,
) -> Proof {
    let mut open = Finding::new(Verdict::Open);
    let mut unclear = Finding::new(Verdict::NotProven);
    match trust {
        None => unclear.unknown_policies.push("the trust policy".to_owned()),
        Some(document) => {
            let statements = document.statements.iter().enumerate();
            for (index, statement) in statements.filter(|(_, one)| lets_in(one, trusted)) {
                let Some(callers) = callers_by(document, statement, partition) else {
                    let which = which(statement, index + 1);
                    let what =
                        format!("whom {which} of the trust policy lets in: it is too intricate");
                    unclear.unknown_policies.push(what);
                    continue;
                };
                for caller in callers.iter().filter(|one| !is_trusted(one, trusted)) {
                    let told = tell(caller, statement, index + 1);
                    if names_trusted(caller, trusted) {
                        unclear.callers.push(told);
                    } else {
                        open.callers.push(told);
                    }
                }
            }
        }
    }
    if !unclear.callers.is_empty() {
        unclear.unknown_keys.push(CALLER.to_owned());
    }
    let mut findings = Vec::new();
    for mut finding in [open, unclear] {
        finding.callers.sort();
        finding.callers.dedup();
        if !finding.callers.is_empty() || !finding.unknown_policies.is_empty() {
            findings.push(finding);
        }
    }
    Proof {
        obligation: Obligation::ClosedToOthers,
        principal: None,
        action: None,
        verdict: findings.first().map_or(Verdict::Proven, |one| one.verdict),
        findings,
    }
}

/// Tells whether an Allow may let in somebody who is not trusted.
///
/// Not one that is only about tags and source identities of sessions, nor one that names callers by `aws:PrincipalArn`
/// of which all are trusted.
fn lets_in(statement: &Statement, trusted: &BTreeSet<Arn>) -> bool {
    let beside = ["sts:TagSession", "sts:SetSourceIdentity"];
    let mut actions = statement.actions.list().iter();
    let is_beside = |action: &String| beside.iter().any(|one| one.eq_ignore_ascii_case(action));
    let only_beside = !statement.actions.is_negated() && actions.all(is_beside);
    let mut conditions = statement.conditions.iter();
    statement.effect == Effect::Allow
        && !only_beside
        && !conditions.any(|condition| names_only(condition, trusted))
}

fn names_only(condition: &Condition, trusted: &BTreeSet<Arn>) -> bool {
    let Operator {
        qualifier,
        kind,
        if_exists,
    } = condition.operator;
    let is_equality = matches!(
        kind,
        OperatorKind::StringEquals
            | OperatorKind::StringLike
            | OperatorKind::ArnEquals
            | OperatorKind::ArnLike
    );
    is_equality
        && qualifier.is_none()
        && !if_exists
        && condition.key.eq_ignore_ascii_case(CALLER)
        && condition
            .values
            .iter()
            .all(|value| trusted.iter().any(|arn| arn.as_str() == value.as_str()))
}

/// Lists who gets in by one Allow, less what the document denies.
fn callers_by(
    document: &Document,
    allow: &Statement,
    partition: &Partition,
) -> Option<Vec<Witness>> {
    let denies = document.statements.iter();
    let denies = denies.filter(|statement| statement.effect == Effect::Deny);
    let alone = Document {
        version: document.version,
        id: None,
        statements: denies.chain([allow]).cloned().collect(),
    };
    let context = CanonicalContext {
        partition: Some(partition.clone()),
    };
    allowed_callers(&alone, &context)
}

/// Tells whether a caller is a trusted user or role, or a session of a trusted role.
fn is_trusted(caller: &Witness, trusted: &BTreeSet<Arn>) -> bool {
    let who = caller.principal.as_str();
    trusted.iter().any(|arn| {
        let session = format!(
            "arn:{}:sts::{}:assumed-role/{}/",
            arn.partition(),
            arn.account(),
            arn.name()
        );
        arn.as_str() == who || (arn.resource().starts_with("role/") && who.starts_with(&session))
    })
}

/// Tells whether the caller has a trusted one's ARN by a condition: then it is that one, if the condition says no more.
fn names_trusted(caller: &Witness, trusted: &BTreeSet<Arn>) -> bool {
    let mut context = caller.context.iter();
    context.any(|(key, values)| {
        key.eq_ignore_ascii_case(CALLER)
            && values
                .iter()
                .any(|value| trusted.iter().any(|arn| arn.as_str() == value))
    })
}

fn which(statement: &Statement, number: usize) -> String {
    match statement.sid.as_deref().filter(|sid| !sid.is_empty()) {
        Some(sid) => format!("statement {sid}"),
        None => format!("statement {number}"),
    }
}

fn tell(caller: &Witness, statement: &Statement, number: usize) -> OpenCaller {
    OpenCaller {
        who: caller.principal.clone(),
        what: kind_of(&caller.principal).to_owned(),
        request: caller.request(),
        statement: number,
        sid: statement.sid.clone().filter(|sid| !sid.is_empty()),
    }
}

/// Says what kind of principal a name stands for.
fn kind_of(who: &str) -> &'static str {
    let is_unique_id = who.len() >= 16
        && ["AIDA", "AROA", "AGPA", "ANPA", "ASCA"]
            .iter()
            .any(|prefix| who.starts_with(prefix))
        && who.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let arn: Option<Arn> = who.parse().ok();
    match arn {
        _ if is_unique_id => "the unique id of a principal that was deleted",
        _ if who == "Anonymous" => "anybody, without credentials",
        Some(_) if who.contains(":000000000000:") => "anyone in any other account",
        Some(arn) => match arn.resource().split('/').next() {
            Some("root") => "the root user of the account",
            Some("user") if arn.name() == "anyone-else" => "anyone else in the account",
            Some("user") => "a user that is not trusted",
            Some("role") => "a role that is not trusted",
            Some("assumed-role") => "a session of a role that is not trusted",
            Some("saml-provider" | "oidc-provider") => "users of an identity provider",
            _ => "a principal that is not trusted",
        },
        None if who.ends_with(".amazonaws.com") || who.ends_with(".amazonaws.com.cn") => {
            "an AWS service"
        }
        None => "users of an identity provider",
    }
}
