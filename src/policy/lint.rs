//! What AWS refuses in a document of a given kind although it parses.

use super::document::{Document, Effect, Principal, Selection, Statement, Version};

/// Says what a document is for, which decides what AWS accepts in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// Attached to a user, group or role, managed or inline; also a permissions boundary.
    Identity,
    /// The trust policy of a role.
    Trust,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
}

/// Lists what AWS would refuse in a document of this kind; empty when nothing is known against it.
///
/// Each entry is a lower-case fragment that names the statement by its Sid or number. Sources: IAM User Guide, "Grammar
/// of the IAM JSON policy language" and "Principal"; AWS Organizations User Guide, "SCP syntax" and "RCP syntax".
#[must_use]
pub fn lint(document: &Document, kind: DocumentKind) -> Vec<String> {
    let mut findings = Vec::new();
    match kind {
        DocumentKind::Identity if document.id.is_some() => {
            findings.push("an identity policy must not have an Id".to_owned());
        }
        DocumentKind::Scp | DocumentKind::Rcp if document.version != Some(Version::V2012) => {
            findings.push(format!(
                "{} must have the Version \"2012-10-17\"",
                title(kind)
            ));
        }
        _ => {}
    }
    for (index, statement) in document.statements.iter().enumerate() {
        let name = match &statement.sid {
            Some(sid) if !sid.is_empty() => format!("statement {sid:?}"),
            _ => format!("statement {}", index + 1),
        };
        let problems = statement_problems(statement, kind).into_iter();
        findings.extend(problems.map(|problem| format!("{name}: {problem}")));
    }
    findings
}

fn title(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Identity => "an identity policy",
        DocumentKind::Trust => "a trust policy",
        DocumentKind::Scp => "an SCP",
        DocumentKind::Rcp => "an RCP",
    }
}

fn statement_problems(statement: &Statement, kind: DocumentKind) -> Vec<String> {
    let title = title(kind);
    let mut problems = Vec::new();
    let mut refuse = |refused: bool, problem: &str| {
        if refused {
            problems.push(problem.replace("{}", title));
        }
    };
    let sid = statement.sid.as_deref().unwrap_or_default();
    let in_iam = matches!(kind, DocumentKind::Identity | DocumentKind::Trust);
    refuse(
        in_iam && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "the Sid of {} must consist of A-Z, a-z and 0-9",
    );
    refuse(
        statement.actions.list().is_empty(),
        "the list of actions is empty",
    );
    for action in statement.actions.list() {
        refuse(
            !action.contains(':') && action != "*",
            &format!("action {action:?} must begin with a service, such as iam:"),
        );
    }

    match kind {
        DocumentKind::Identity | DocumentKind::Scp => {
            refuse(
                statement.principals.is_some(),
                "{} must not have Principal or NotPrincipal",
            );
        }
        DocumentKind::Trust => {
            refuse(statement.principals.is_none(), "{} must have Principal");
            principal_problems(statement, &mut refuse);
            for action in statement.actions.list() {
                let service = action.split_once(':').map(|(service, _)| service);
                refuse(
                    service.is_some_and(|service| !service.eq_ignore_ascii_case("sts")),
                    &format!("action {action:?} is not one of STS, which {{}} is about"),
                );
            }
        }
        DocumentKind::Rcp => {
            refuse(
                statement.principals != Some(Selection::Only(vec![Principal::Star])),
                "{} must have \"Principal\": \"*\"",
            );
            refuse(statement.effect == Effect::Allow, "{} can only Deny");
            refuse(statement.actions.is_negated(), "{} must not have NotAction");
            refuse(
                statement.actions.list().iter().any(|action| action == "*"),
                "{} must not have the action \"*\" alone",
            );
        }
    }

    match (&statement.resources, kind) {
        (resources, DocumentKind::Trust) => {
            refuse(
                resources.is_some(),
                "{} must not have Resource or NotResource",
            );
        }
        (None, _) => refuse(true, "{} must have Resource or NotResource"),
        (Some(resources), _) => {
            refuse(
                resources.list().is_empty(),
                "the list of resources is empty",
            );
            for resource in resources.list() {
                refuse(
                    resource != "*" && !resource.starts_with("arn:"),
                    &format!("resource {resource:?} must be an ARN or \"*\""),
                );
            }
        }
    }
    problems
}

/// Checks the principals of a trust policy.
fn principal_problems(statement: &Statement, refuse: &mut impl FnMut(bool, &str)) {
    let Some(principals) = &statement.principals else {
        return;
    };
    refuse(principals.is_negated(), "{} must not have NotPrincipal");
    refuse(
        principals.list().is_empty(),
        "the list of principals is empty",
    );
    for principal in principals.list() {
        let (kind, name) = principal.entry();
        refuse(
            name != "*" && name.contains(['*', '?']),
            &format!("principal {name:?} must not have a wildcard in it"),
        );
        refuse(
            kind == "CanonicalUser",
            "a CanonicalUser is a principal of S3 alone",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::parse;

    #[test]
    fn each_kind_refuses_what_aws_refuses() {
        use DocumentKind::{Identity, Rcp, Scp, Trust};
        let v = r#""Version": "2012-10-17", "Statement":"#;
        let cases: Vec<(DocumentKind, String, &[&str])> = vec![
            (
                Identity,
                format!(r#"{{{v} {{"Sid":"Ok1","Effect":"Allow","Action":"*","Resource":"*"}}}}"#),
                &[],
            ),
            (
                Identity,
                format!(
                    r#"{{{v} {{"Effect":"Deny","NotAction":"iam:*","NotResource":"arn:aws:s3:::a"}}}}"#
                ),
                &[],
            ),
            (
                Identity,
                format!(r#"{{"Id":"x",{v} {{"Effect":"Allow","Action":"s3:*"}}}}"#),
                &[
                    "must not have an Id",
                    "statement 1: an identity policy must have Resource or NotResource",
                ],
            ),
            (
                Identity,
                format!(
                    r#"{{{v} {{"Sid":"a b","Effect":"Allow","Principal":"*","Action":"get","Resource":"bucket"}}}}"#
                ),
                &[
                    "statement \"a b\": the Sid of an identity policy",
                    "action \"get\" must begin",
                    "must not have Principal",
                    "resource \"bucket\" must be an ARN",
                ],
            ),
            (
                Identity,
                format!(r#"{{{v} {{"Effect":"Allow","Action":[],"Resource":[]}}}}"#),
                &["list of actions is empty", "list of resources is empty"],
            ),
            (
                Trust,
                format!(
                    r#"{{"Id":"x",{v} {{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":["sts:AssumeRole","STS:TagSession"]}}}}"#
                ),
                &[],
            ),
            (
                Trust,
                format!(r#"{{{v} {{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}}}"#),
                &[
                    "must have Principal",
                    "\"s3:GetObject\" is not one of STS",
                    "must not have Resource",
                ],
            ),
            (
                Trust,
                format!(
                    r#"{{{v} {{"Effect":"Deny","NotPrincipal":{{"AWS":"arn:aws:iam::1:role/*"}},"Action":"sts:*"}}}}"#
                ),
                &["must not have NotPrincipal", "must not have a wildcard"],
            ),
            (
                Trust,
                format!(
                    r#"{{{v} {{"Effect":"Allow","Principal":{{}},"Action":"sts:AssumeRole"}}}}"#
                ),
                &["list of principals is empty"],
            ),
            (
                Trust,
                format!(
                    r#"{{{v} {{"Effect":"Allow","Principal":{{"CanonicalUser":"79a5"}},"Action":"sts:AssumeRole"}}}}"#
                ),
                &["CanonicalUser is a principal of S3"],
            ),
            (
                Scp,
                format!(
                    r#"{{{v} {{"Sid":"with space","Effect":"Allow","NotAction":"s3:*","NotResource":"arn:aws:s3:::a"}}}}"#
                ),
                &[],
            ),
            (
                Scp,
                r#"{"Statement": {"Effect":"Deny","Principal":"*","Action":"s3:*"}}"#.to_owned(),
                &[
                    "an SCP must have the Version",
                    "must not have Principal",
                    "must have Resource",
                ],
            ),
            (
                Rcp,
                format!(
                    r#"{{{v} {{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}}}"#
                ),
                &[],
            ),
            (
                Rcp,
                format!(
                    r#"{{{v} {{"Effect":"Allow","Principal":{{"AWS":"*"}},"NotAction":"*","Resource":"*"}}}}"#
                ),
                &[
                    "an RCP must have \"Principal\": \"*\"",
                    "can only Deny",
                    "must not have NotAction",
                    "\"*\" alone",
                ],
            ),
        ];
        for (kind, text, expected) in cases {
            let found = lint(&parse(&text).unwrap(), kind);
            assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
            for (finding, part) in found.iter().zip(expected) {
                assert!(finding.contains(part), "{text}: {finding}");
            }
        }
    }
}
