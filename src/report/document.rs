//! Policy documents for people: a line diff of two, or what one says in a line.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::values::{Line, Side};
use super::words::{count, few};
use crate::ids::Arn;
use crate::policy::{self, Condition, Document, Effect, Principal, Selection, Statement};

/// How many lines around a difference are shown with it.
const CONTEXT: usize = 2;
/// How a statement begins in a document that is laid out.
const STATEMENT_START: &str = "    {";
/// What comes before the name of a statement in a document that is laid out.
const SID_START: &str = "      \"Sid\": ";

/// Holds a document laid out in lines, and what is wrong with it.
struct Sheet {
    text: String,
    problem: Option<String>,
}

impl Sheet {
    fn new(value: &Value) -> Self {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match policy::parse(&text) {
            Ok(document) => Self {
                text: policy::canonical_pretty(&document),
                problem: None,
            },
            Err(error) => Self {
                text: match value {
                    Value::String(_) => text,
                    other => serde_json::to_string_pretty(other).unwrap_or(text),
                },
                problem: Some(error.message),
            },
        }
    }

    /// The lines without the commas between them, so that what becomes the last of a list does not seem to differ.
    fn loose(&self) -> String {
        let lines = self.text.lines().map(|line| match self.problem {
            None => line.trim_end_matches(','),
            Some(_) => line,
        });
        lines.flat_map(|line| [line, "\n"]).collect()
    }
}

/// Says of each side that is no policy document why; both stand as text in what is shown.
pub(super) fn problems(live: &Value, spec: &Value) -> Vec<String> {
    [("live", live), ("the spec's", spec)]
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .filter_map(|(side, value)| {
            let problem = Sheet::new(value).problem?;
            Some(format!(
                "{side} document is no policy that can be read ({problem}); it is shown as the text it is"
            ))
        })
        .collect()
}

/// Shows what differs between two documents, line by line, with a little of what is around it.
pub(super) fn diff(live: &Value, spec: &Value) -> Vec<Line> {
    let (live, spec) = (Sheet::new(live).loose(), Sheet::new(spec).loose());
    let diff = TextDiff::from_lines(live.as_str(), spec.as_str());
    let mut lines = Vec::new();
    for hunk in diff.grouped_ops(CONTEXT) {
        let start = hunk.first().map_or(0, |op| op.new_range().start);
        if start > 0 {
            lines.push(Line::exact(Side::Both, place(&spec, start)));
        }
        for change in hunk.iter().flat_map(|op| diff.iter_changes(op)) {
            let side = match change.tag() {
                ChangeTag::Equal => Side::Both,
                ChangeTag::Delete => Side::Live,
                ChangeTag::Insert => Side::Spec,
            };
            lines.push(Line::exact(side, change.value().trim_end()));
        }
    }
    if lines.is_empty() {
        lines.push(Line::words(
            Side::Both,
            "no line differs once both are sorted: only repetitions do",
        ));
    }
    lines
}

/// Says what was left out before a line of a document that is laid out: `…`, and the statement it is in.
fn place(text: &str, line: usize) -> String {
    let before: Vec<&str> = text.lines().take(line).collect();
    let starts = |line: &&str| *line == STATEMENT_START;
    let Some(start) = before.iter().rposition(starts) else {
        return "…".to_owned();
    };
    let sid = before
        .get(start + 1)
        .and_then(|line| line.strip_prefix(SID_START));
    match sid {
        Some(sid) => format!("… in statement {sid}"),
        None => format!(
            "… in statement {}",
            before.iter().filter(|line| starts(line)).count()
        ),
    }
}

/// Shows a whole document as lines of one side.
pub(super) fn whole(value: &Value, side: Side) -> Vec<Line> {
    Sheet::new(value)
        .text
        .lines()
        .map(|text| Line::exact(side, text))
        .collect()
}

/// Says in a line what a document does, such as `1 statement, allows user/bg-alice of 222233334444 with MFA`.
pub(super) fn summary(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match policy::parse(&text) {
        Ok(document) => document_words(&document),
        Err(error) => format!("no policy that can be read: {}", error.message),
    }
}

/// Names whom the Allow statements of one trust policy name and those of another do not; `None` when there is nobody.
pub(super) fn also_trusted(document: &Value, other: &Value) -> Option<String> {
    let document = policy::parse(&document.to_string()).ok()?;
    let other = policy::parse(&other.to_string()).ok()?;
    let known: Vec<&Principal> = trusted(&other).collect();
    let mut more: Vec<Principal> = Vec::new();
    for principal in trusted(&document) {
        if !known.contains(&principal) && !more.contains(principal) {
            more.push(principal.clone());
        }
    }
    (!more.is_empty()).then(|| principal_words(&more))
}

fn trusted(document: &Document) -> impl Iterator<Item = &Principal> {
    let statements = document.statements.iter();
    let allows = statements.filter(|statement| statement.effect == Effect::Allow);
    allows.flat_map(|statement| match &statement.principals {
        Some(Selection::Only(principals)) => principals.as_slice(),
        Some(Selection::Except(_)) | None => &[],
    })
}

fn document_words(document: &Document) -> String {
    const SHOWN: usize = 3;
    let statements = &document.statements;
    let mut words: Vec<String> = statements
        .iter()
        .take(SHOWN)
        .map(|statement| statement_words(document, statement))
        .collect();
    if statements.len() > SHOWN {
        words.push("…".to_owned());
    }
    format!(
        "{}, {}",
        count(statements.len(), "statement"),
        words.join("; ")
    )
}

fn statement_words(document: &Document, statement: &Statement) -> String {
    let mut words = vec![match statement.effect {
        Effect::Allow => "allows".to_owned(),
        Effect::Deny => "denies".to_owned(),
    }];
    let assumes = statement.actions == Selection::Only(vec!["sts:AssumeRole".to_owned()]);
    if let Some(principals) = &statement.principals {
        words.push(selection_words(
            principals,
            &principal_words(principals.list()),
            "everyone",
        ));
    }
    if statement.principals.is_none() || !assumes {
        let actions = few(statement.actions.list(), 3);
        words.push(selection_words(&statement.actions, &actions, "all actions"));
    }
    if let Some(resources) = &statement.resources {
        let names = few(resources.list(), 2);
        words.push("on".to_owned());
        words.push(selection_words(resources, &names, "all resources"));
    }
    let alone = Document {
        version: document.version,
        id: None,
        statements: vec![statement.clone()],
    };
    let demands_mfa = statement.effect == Effect::Allow && policy::requires_mfa(&alone);
    if demands_mfa {
        words.push("with MFA".to_owned());
    }
    let mut keys: Vec<String> = statement
        .conditions
        .iter()
        .filter(|condition| !(demands_mfa && is_about_mfa(condition)))
        .map(|condition| condition.key.clone())
        .collect();
    keys.dedup();
    if !keys.is_empty() {
        words.push(format!("if {}", few(&keys, 3)));
    }
    words.join(" ")
}

fn selection_words<L>(selection: &Selection<L>, list: &str, all: &str) -> String {
    if selection.is_negated() {
        format!("{all} but {list}")
    } else {
        list.to_owned()
    }
}

fn is_about_mfa(condition: &Condition) -> bool {
    condition
        .key
        .to_ascii_lowercase()
        .starts_with("aws:multifactorauth")
}

/// Names principals; users and roles always with their account, as another account may have the same names.
fn principal_words(principals: &[Principal]) -> String {
    const SHOWN: usize = 4;
    let iam: Option<Vec<(String, String)>> = principals.iter().map(iam_name).collect();
    if let Some(names) = iam
        && let Some((account, _)) = names.first()
        && names.iter().all(|(other, _)| other == account)
    {
        let names_only: Vec<String> = names.iter().map(|(_, name)| name.clone()).collect();
        return format!("{} of {account}", few(&names_only, SHOWN));
    }
    let names: Vec<String> = principals
        .iter()
        .map(|principal| match (iam_name(principal), principal.entry()) {
            (Some((account, name)), _) => format!("{name} of {account}"),
            (None, (_, "*")) => "everyone".to_owned(),
            (None, (_, name)) => name.to_owned(),
        })
        .collect();
    few(&names, SHOWN)
}

/// The account and the short name of a user or role, such as `user/bg-alice`: its path makes no difference to IAM.
fn iam_name(principal: &Principal) -> Option<(String, String)> {
    let Principal::Aws(name) = principal else {
        return None;
    };
    let arn: Arn = name.parse().ok()?;
    let (kind, _) = arn.resource().split_once('/')?;
    let named = arn.service() == "iam" && matches!(kind, "user" | "role");
    named.then(|| (arn.account().to_owned(), format!("{kind}/{}", arn.name())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statement(statement: Value) -> Value {
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    }

    #[test]
    fn a_summary_says_who_what_and_when() {
        let cases = [
            (
                json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*" }),
                "1 statement, allows everyone",
            ),
            (
                json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": [
                    "arn:aws:iam::111111111111:user/a/x", "arn:aws:iam::222222222222:user/x", "333333333333"
                ] } }),
                "1 statement, allows user/x of 111111111111, user/x of 222222222222, 333333333333",
            ),
            (
                json!({ "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
                    "Principal": { "Service": "ec2.amazonaws.com" },
                    "Condition": { "BoolIfExists": { "aws:MultiFactorAuthPresent": "true" } } }),
                "1 statement, allows ec2.amazonaws.com sts:AssumeRole, sts:TagSession if aws:MultiFactorAuthPresent",
            ),
            (
                json!({ "Effect": "Deny", "NotAction": ["iam:Get*"], "NotResource": "arn:aws:s3:::b/*" }),
                "1 statement, denies all actions but iam:Get* on all resources but arn:aws:s3:::b/*",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(summary(&statement(value)), expected);
        }
        assert!(summary(&json!("{")).starts_with("no policy that can be read: "));
    }

    #[test]
    fn a_diff_knows_its_statement_and_leaves_order_and_commas_out() {
        let allow =
            |actions: &[&str]| json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
        let live = json!({ "Statement": [allow(&["b:X", "a:X"]), { "Sid": "Z", "Effect": "Deny", "Action": "c:X", "Resource": "*" }] });
        let spec = json!({ "Statement": [{ "Sid": "Z", "Effect": "Deny", "Action": "c:X", "Resource": "*" }, allow(&["a:X", "b:X", "c:X"])] });
        let lines: Vec<String> = diff(&live, &spec).iter().map(Line::signed).collect();
        assert_eq!(
            lines,
            [
                "    … in statement 1",
                "            \"a:X\"",
                "            \"b:X\"",
                "+           \"c:X\"",
                "          ]",
                "          \"Resource\": [",
            ]
        );
    }

    #[test]
    fn what_is_no_policy_is_shown_as_it_is() {
        let (live, spec) = (json!("not json,"), json!({ "Version": "2012-10-17" }));
        assert_eq!(problems(&live, &spec).len(), 2);
        let lines: Vec<String> = diff(&live, &spec).iter().map(Line::signed).collect();
        assert_eq!(
            lines,
            [
                "-   not json,",
                "+   {",
                "+     \"Version\": \"2012-10-17\"",
                "+   }"
            ]
        );
    }
}
