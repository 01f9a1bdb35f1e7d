//! Pairs of documents as JSON, one a line: what `policy diff --jsonl` reads and writes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::canonical::CanonicalContext;
use super::compare::{Access, Verdict, compare};
use super::document::Document;
use super::equivalence::Witness;
use super::parse::parse;

/// Tells how two documents relate, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairVerdict {
    /// They mean the same.
    Equivalent,
    /// They mean the same and differ in a Sid or the Id alone.
    Cosmetic,
    /// The new one allows more, or denies less.
    Broader,
    /// The new one allows less, or denies more.
    Narrower,
    /// Some of each.
    Both,
    /// It is not proven that they mean the same.
    Unproven,
    /// One of them is no policy document, or the line is no pair.
    Invalid,
}

impl PairVerdict {
    /// The word as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Cosmetic => "cosmetic",
            Self::Broader => "broader",
            Self::Narrower => "narrower",
            Self::Both => "both",
            Self::Unproven => "unproven",
            Self::Invalid => "invalid",
        }
    }

    /// Tells whether AWS surely answers every request alike.
    #[must_use]
    pub fn is_equal(self) -> bool {
        matches!(self, Self::Equivalent | Self::Cosmetic)
    }
}

/// Holds what is found of a pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairResult {
    /// The id of the line, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<serde_json::Value>,
    /// How the documents relate.
    pub verdict: PairVerdict,
    /// A request that is gained, and one that is lost, each with the old and the new answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
    /// The first of them that hangs on no variable, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<WitnessRequest>,
    /// Why there is no proof, or what is wrong with a document or the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Describes the request of a witness.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WitnessRequest {
    /// The caller; absent where the documents name no principals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The action.
    pub action: String,
    /// The resource; absent where the documents name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The condition keys of the request; any other is absent.
    pub context: BTreeMap<String, Vec<String>>,
}

impl From<&Witness> for WitnessRequest {
    fn from(witness: &Witness) -> Self {
        Self {
            principal: Some(witness.principal.clone())
                .filter(|principal| principal != Witness::ATTACHED),
            action: witness.action.clone(),
            resource: witness.resource.clone(),
            context: witness.context.clone(),
        }
    }
}

impl PairResult {
    fn invalid(id: Option<serde_json::Value>, reason: String) -> Self {
        Self {
            id,
            verdict: PairVerdict::Invalid,
            witness: None,
            request: None,
            reason: Some(reason),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(borrow)]
    old: &'a RawValue,
    #[serde(borrow)]
    new: &'a RawValue,
}

/// Compares the pair of a line, `{"id": …, "old": …, "new": …}`; a document may be JSON or a string that holds it.
#[must_use]
pub fn compare_line(line: &str) -> PairResult {
    let Line { id, old, new } = match serde_json::from_str(line) {
        Ok(line) => line,
        Err(error) => return PairResult::invalid(None, format!("no pair: {error}")),
    };
    let document = |name: &str, value: &RawValue| {
        let text = document_text(value.get());
        parse(&text).map_err(|error| format!("{name}: {error}"))
    };
    match (document("old", old), document("new", new)) {
        (Ok(old), Ok(new)) => PairResult {
            id,
            ..compare_pair(&old, &new)
        },
        (old, new) => {
            let reasons = [old.err(), new.err()].into_iter().flatten();
            PairResult::invalid(id, reasons.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Compares two documents; the partition is the one that their principals name.
#[must_use]
pub fn compare_pair(old: &Document, new: &Document) -> PairResult {
    let verdict = compare(old, new, &CanonicalContext::inferred(&[old, new]));
    let (word, witnesses, reason) = match verdict {
        Verdict::Equal => (PairVerdict::Equivalent, Vec::new(), None),
        Verdict::Cosmetic => (PairVerdict::Cosmetic, Vec::new(), None),
        Verdict::Different { access, witnesses } => {
            let word = match access {
                Access::Broader => PairVerdict::Broader,
                Access::Narrower => PairVerdict::Narrower,
                Access::Both | Access::None => PairVerdict::Both,
            };
            (word, witnesses, None)
        }
        Verdict::Unproven { reason, .. } => {
            (PairVerdict::Unproven, Vec::new(), Some(reason.to_owned()))
        }
    };
    PairResult {
        id: None,
        verdict: word,
        witness: (!witnesses.is_empty()).then(|| {
            let lines: Vec<_> = witnesses.iter().map(Witness::to_string).collect();
            lines.join("; ")
        }),
        request: witnesses
            .iter()
            .find(|witness| witness.exact)
            .map(WitnessRequest::from),
        reason,
    }
}

/// The text of a document that stands in JSON either as itself or as a string.
pub(super) fn document_text(raw: &str) -> Cow<'_, str> {
    let text = raw.starts_with('"').then(|| serde_json::from_str(raw));
    match text {
        Some(Ok(text)) => Cow::Owned(text),
        Some(Err(_)) | None => Cow::Borrowed(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: &str = r#"{"Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}"#;

    fn verdict(line: &str) -> (PairVerdict, Option<String>) {
        let result = compare_line(line);
        (result.verdict, result.reason)
    }

    #[test]
    fn a_line_is_answered_with_its_id() {
        let wider = ALLOW.replace("Get", "");
        let line = format!(r#"{{"id": 7, "old": {ALLOW}, "new": {wider}}}"#);
        let result = serde_json::to_value(compare_line(&line)).unwrap();
        assert_eq!(
            result,
            serde_json::json!({
                "id": 7,
                "verdict": "broader",
                "witness": "s3:anything: not allowed → allowed",
                "request": { "action": "s3:anything", "resource": "anything", "context": {} },
            })
        );
    }

    #[test]
    fn documents_may_be_strings() {
        let text = serde_json::to_string(ALLOW).unwrap();
        let line = format!(r#"{{"id":"a","old":{ALLOW},"new":{text}}}"#);
        assert_eq!(verdict(&line), (PairVerdict::Equivalent, None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, part) in [
            ("", "no pair: EOF"),
            (r#"{"id":1,"old":{}}"#, "missing field `new`"),
            (r#"{"old":{},"new":{},"odl":1}"#, "unknown field `odl`"),
            (
                r#"{"old":{"Statement":[]},"new":{}}"#,
                "old: \"Statement\" is empty at line 1, column 14; new: missing element",
            ),
            (
                r#"{"old":7,"new":{}}"#,
                "old: a policy document must be an object",
            ),
            (
                r#"{"old":{"Statement":1,"Statement":2},"new":"{"}"#,
                "duplicate key \"Statement\"",
            ),
        ] {
            let (verdict, reason) = verdict(line);
            assert_eq!(verdict, PairVerdict::Invalid, "{line}");
            let reason = reason.unwrap();
            assert!(reason.contains(part), "{line}: {reason}");
        }
    }

    #[test]
    fn an_account_is_its_root_in_the_partition_that_is_named() {
        let trust = |name: &str| {
            format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{name}"}},"Action":"sts:AssumeRole"}}}}"#
            )
        };
        let pair = |old: &str, new: &str| {
            let line = format!(r#"{{"old":{},"new":{}}}"#, trust(old), trust(new));
            compare_line(&line).verdict.is_equal()
        };
        let root = |partition: &str| format!("arn:{partition}:iam::123456789012:root");
        for partition in ["aws", "aws-cn", "aws-us-gov"] {
            assert!(pair("123456789012", &root(partition)), "{partition}");
        }
        assert!(!pair("123456789012", &root("PARTITION")));
        assert!(!pair(&root("aws"), &root("aws-cn")));
        assert!(!pair("123456789012", "arn:aws:iam::999999999999:root"));
    }
}
