//! Examples: actions and resources that stand for all others, one of each kind that some documents tell apart.
//!
//! What holds of every example holds of everything, so that a proof over all actions or resources needs no catalogue of
//! them.

use super::canonical;
use super::cells::{Budget, Matching, Universe, partition};
use super::document::{Document, Statement, Version};
use super::evaluate::{Request, matches_action, resource_pattern};
use super::pattern::{Pattern, Token};

/// Bounds the work of finding examples.
const MAX_STEPS: usize = 1_000_000;

/// Lists actions that a pattern such as `ec2:*` covers, so that every action it covers is treated like one of them.
///
/// Without a wildcard it is the action itself. `None` when the documents tell apart more than can be followed.
#[must_use]
pub fn action_examples(within: &str, documents: &[&Document]) -> Option<Vec<String>> {
    if !within.contains(['*', '?']) {
        return Some(vec![within.to_owned()]);
    }
    let patterns = documents.iter().flat_map(|document| &document.statements);
    let patterns = patterns.flat_map(|statement| statement.actions.list());
    examples(
        canonical::action(within),
        patterns.map(|text| canonical::action(text)).collect(),
        Universe::Actions,
    )
}

/// Lists resources that a pattern covers, so that statements about an action treat every resource it covers like one
/// of them. The lone `*` of actions that know no resource is among them where the pattern is `*`.
///
/// The request says what stands for policy variables; a variable that it does not know stands for anything, so that the
/// statement may or may not be about such a resource. `None` when the documents tell apart more than can be followed.
#[must_use]
pub fn resource_examples(
    within: &str,
    action: &str,
    documents: &[&Document],
    request: &Request,
) -> Option<Vec<String>> {
    if !within.contains(['*', '?']) {
        return Some(vec![within.to_owned()]);
    }
    let mut patterns = Vec::new();
    for document in documents {
        let version = document.effective_version();
        for statement in document
            .statements
            .iter()
            .filter(|s| covers_action(s, action))
        {
            let resources = statement.resources.iter();
            let texts = resources.flat_map(|resources| resources.list());
            patterns.extend(texts.filter_map(|text| resource_pattern(text, version, request)));
        }
    }
    let within = canonical::resource(within, Version::V2008);
    let lone = within.is_any().then(|| "*".to_owned());
    let mut found = examples(within, patterns, Universe::Texts)?;
    found.splice(0..0, lone);
    Some(found)
}

/// Tells whether a statement is about an action.
#[must_use]
pub fn covers_action(statement: &Statement, action: &str) -> bool {
    let mut actions = statement.actions.list().iter();
    actions.any(|pattern| matches_action(pattern, action)) != statement.actions.is_negated()
}

fn examples(within: Pattern, mut others: Vec<Pattern>, universe: Universe) -> Option<Vec<String>> {
    // What begins otherwise covers nothing of it, and `*` covers all of it: neither tells anything apart.
    others.retain(|other| !other.is_any() && may_meet(&within, other));
    others.sort();
    others.dedup();
    others.retain(|other| *other != within);
    let mut family = vec![(Matching::Plain, &within)];
    family.extend(others.iter().map(|other| (Matching::Plain, other)));
    let cells = partition(&family, universe, &mut Budget::new(MAX_STEPS)).ok()?;
    let inside = cells.into_iter().filter(|(cell, _)| cell.contains(0));
    Some(inside.map(|(_, example)| example).collect())
}

/// Tells whether two patterns may match one text, as far as what they begin with tells.
fn may_meet(one: &Pattern, other: &Pattern) -> bool {
    let literal = |pattern: &Pattern| -> Vec<Token> {
        let tokens = pattern.tokens().iter();
        let literal = tokens.take_while(|token| matches!(token, Token::Literal(_)));
        literal.cloned().collect()
    };
    let (one, other) = (literal(one), literal(other));
    one.starts_with(&other) || other.starts_with(&one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::evaluate::{Context, ContextValue};
    use crate::policy::parse;

    fn document(statements: &str) -> Document {
        parse(&format!(
            r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn actions_are_told_apart_by_the_patterns_inside() {
        let document = document(
            r#"{"Effect":"Allow","Action":["ec2:Run*","s3:*"],"Resource":"*"},
               {"Effect":"Deny","NotAction":["ec2:RunInstances","*"],"Resource":"*"}"#,
        );
        let examples = |within: &str| action_examples(within, &[&document]).unwrap();
        assert_eq!(examples("ec2:StopInstances"), ["ec2:StopInstances"]);
        let found = examples("ec2:*");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.contains(&"ec2:runinstances".to_owned()));
        assert!(found.iter().all(|action| action.starts_with("ec2:")));
        // `ec2:Run*`, one of it, some action of S3, and one that no pattern names.
        assert_eq!(examples("*").len(), 4);
    }

    #[test]
    fn resources_are_told_apart_by_the_statements_about_the_action() {
        let document = document(
            r#"{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]},
               {"Effect":"Deny","Action":"s3:Put*","NotResource":"arn:aws:s3:::*/open/*"},
               {"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/${aws:username}"}"#,
        );
        let mut request = Request {
            principal: "arn:aws:iam::111122223333:user/ann".parse().unwrap(),
            action: String::new(),
            resource: String::new(),
            resource_account: None,
            context: Context::new(),
            management_account: None,
        };
        let documents = [&document];
        let examples =
            |within: &str, action: &str| resource_examples(within, action, &documents, &request);
        let read = examples("*", "s3:GetObject").unwrap();
        assert_eq!(read.len(), 4, "{read:?}");
        assert_eq!(read[0], "*");
        // Both in the logs and open, in one of the two, in neither.
        assert_eq!(examples("*", "s3:PutObject").unwrap().len(), 6);
        assert_eq!(
            examples("arn:aws:s3:::logs/*", "s3:PutObject")
                .unwrap()
                .len(),
            2
        );
        assert_eq!(examples("arn:x", "s3:PutObject").unwrap(), ["arn:x"]);
        assert_eq!(examples("*", "ec2:RunInstances").unwrap().len(), 2);
        // The user of the variable, and any other.
        let own = "arn:aws:iam::*:user/*";
        let found = examples(own, "iam:GetUser").unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|one| one.ends_with(":user/ann")));
        request.context.set("aws:username", ContextValue::ABSENT);
        let nobody = resource_examples(own, "iam:GetUser", &documents, &request).unwrap();
        assert_eq!(nobody.len(), 1, "{nobody:?}");
        request.context.set("aws:username", ContextValue::Unknown);
        let anybody = resource_examples(own, "iam:GetUser", &documents, &request).unwrap();
        assert_eq!(anybody.len(), 1, "{anybody:?}");
    }
}
