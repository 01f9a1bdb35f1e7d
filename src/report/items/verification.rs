//! The findings of a verification: every role in every account.

use serde_json::json;

use super::super::verification as told;
use super::{Item, Level, Listing, Rule, State, unreadable};
use crate::verify::{RoleResult, Verdict, Verification};

const NOT_COVERED: Rule = Rule::new(
    "verify/not-covered",
    "the account has no proven path by a role that the spec requires",
);
const EXEMPT: Rule = Rule::new(
    "verify/exempt",
    "the spec says that the account needs no proven path",
);

impl Listing {
    /// Lists what a verification found.
    pub(in super::super) fn of_verification(verification: &Verification) -> Self {
        let verdict = told::verdict(verification);
        let mut listing = Self::new("verify", &verification.organization_id, verdict);
        listing.at(verification.spec_file.as_ref());
        let results = verification.results.iter();
        // An account that can't be read is said once, not for each of its roles.
        let results = results.filter(|result| !told::is_unreadable(result));
        let coverage = verification.coverage.iter().map(|finding| {
            let how = finding
                .verdict
                .map_or("not declared there", Verdict::as_words);
            let name = format!("coverage/{}", finding.role);
            let message = format!("no proven path: {how}");
            Item::new(State::Failed, Level::Error, NOT_COVERED, name, message)
                .within(&finding.account, &finding.account_name)
        });
        let exempt = verification.exempt.iter().map(|exempt| {
            let name = "coverage".to_owned();
            let reason = exempt.reason.clone();
            Item::new(State::Ignored, Level::Note, EXEMPT, name, reason)
                .within(&exempt.account, &exempt.account_name)
        });
        let guardrails = verification.guardrails_unknown.iter();
        let guardrails = guardrails.map(|error| Item::unread("guardrails".to_owned(), error));
        let judged = results.map(item).chain(coverage).chain(exempt);
        let unread = unreadable(&verification.unreadable).chain(guardrails);
        listing.items = judged.chain(unread).collect();
        listing.finish()
    }
}

fn item(result: &RoleResult) -> Item {
    let name = super::plan::name(&result.address);
    let item = match rule(result.verdict) {
        None => Item::passed(name),
        Some(rule) => {
            let messages = told::messages(result);
            let level = Level::Error;
            Item {
                properties: [("verdict".to_owned(), json!(result.verdict))]
                    .into_iter()
                    .collect(),
                details: messages.clone(),
                ..Item::new(State::Failed, level, rule, name, messages.join("; "))
            }
        }
    };
    Item {
        source: result.source.clone(),
        ..item.within(&result.account, &result.account_name)
    }
}

fn rule(verdict: Verdict) -> Option<Rule> {
    match verdict {
        Verdict::Proven => None,
        Verdict::NotProven => Some(Rule::new(
            "verify/not-proven",
            "whether the role works as it must is not known",
        )),
        Verdict::Blocked => Some(Rule::new(
            "verify/blocked",
            "something that the role must allow is denied",
        )),
        Verdict::Open => Some(Rule::new(
            "verify/open",
            "something that must be denied is allowed",
        )),
        Verdict::Missing => Some(Rule::new(
            "verify/missing",
            "the role, or a user who is trusted with it, is not there",
        )),
    }
}
