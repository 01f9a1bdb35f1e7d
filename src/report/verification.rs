//! What a verification found, folded and worded for every format.

use std::collections::{BTreeMap, BTreeSet};

use super::group::{Accounts, PLACEHOLDER, generic_text};
use super::words::count;
use crate::ids::AccountId;
use crate::verify::{
    ExceptionProposal, Obligation, Proof, RoleResult, Verdict, Verification, VerificationOutcome,
};

/// Is an account by its name and id.
type Named = (String, AccountId);

/// Is a row of the table: accounts in which every role is the same.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) accounts: Accounts,
    /// The verdict on each role, in the order of [`roles`]; `None` where a role is not declared.
    pub(super) verdicts: Vec<Option<Verdict>>,
}

/// Is something that is not proven, with every role and account that it is the same in.
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) verdict: Verdict,
    pub(super) role: String,
    pub(super) messages: Vec<String>,
    pub(super) accounts: Accounts,
    /// What was to be proven, and what came out, in the first of the accounts.
    pub(super) proofs: Vec<Proof>,
}

/// Lists the roles, sorted.
pub(super) fn roles(verification: &Verification) -> Vec<String> {
    let names = verification.results.iter().map(|result| &result.role);
    let names: BTreeSet<&String> = names.collect();
    names.into_iter().cloned().collect()
}

/// Folds accounts that are alike, the worst first.
pub(super) fn rows(verification: &Verification) -> Vec<Row> {
    let roles = roles(verification);
    let mut accounts: BTreeMap<&AccountId, Vec<&RoleResult>> = BTreeMap::new();
    for result in &verification.results {
        accounts.entry(&result.account).or_default().push(result);
    }
    let mut rows: BTreeMap<Vec<Option<Verdict>>, Vec<Named>> = BTreeMap::new();
    for (account, results) in accounts {
        let verdict = |role: &String| {
            let result = results.iter().find(|result| result.role == *role);
            result.map(|result| result.verdict)
        };
        let verdicts = roles.iter().map(verdict).collect();
        let name = results.first().map(|result| result.account_name.clone());
        rows.entry(verdicts)
            .or_default()
            .push((name.unwrap_or_default(), account.clone()));
    }
    let mut rows: Vec<Row> = rows
        .into_iter()
        .map(|(verdicts, accounts)| Row {
            accounts: Accounts::new(accounts),
            verdicts,
        })
        .collect();
    rows.sort_by(|one, other| {
        let worst = |row: &Row| std::cmp::Reverse(row.verdicts.iter().flatten().max().copied());
        (worst(one), &one.accounts).cmp(&(worst(other), &other.accounts))
    });
    rows
}

/// Folds what is not proven, the worst first.
pub(super) fn details(verification: &Verification) -> Vec<Detail> {
    let mut folded: BTreeMap<(&String, Vec<String>), Vec<&RoleResult>> = BTreeMap::new();
    let unproven = verification.results.iter();
    for result in unproven.filter(|result| result.verdict != Verdict::Proven) {
        if is_unreadable(result) {
            // Said once, where the accounts that can't be read are listed.
            continue;
        }
        let messages = messages(result);
        let messages = messages
            .iter()
            .map(|message| generic_text(message, result.account.as_str()));
        folded
            .entry((&result.role, messages.collect()))
            .or_default()
            .push(result);
    }
    let details = folded.into_iter().filter_map(|((role, generic), members)| {
        let first = *members.first()?;
        let accounts = members
            .iter()
            .map(|result| (result.account_name.clone(), result.account.clone()));
        Some(Detail {
            verdict: first.verdict,
            role: role.clone(),
            messages: if members.len() == 1 {
                messages(first)
            } else {
                generic
            },
            accounts: Accounts::new(accounts),
            proofs: first.proofs.clone(),
        })
    });
    let mut details: Vec<Detail> = details.collect();
    details.sort_by(|one, other| {
        (std::cmp::Reverse(one.verdict), &one.role, &one.accounts).cmp(&(
            std::cmp::Reverse(other.verdict),
            &other.role,
            &other.accounts,
        ))
    });
    details
}

/// Counts what came out of the proofs: by role, what was to be proven, and verdict.
pub(super) fn proofs(
    verification: &Verification,
) -> BTreeMap<&str, BTreeMap<Obligation, BTreeMap<Verdict, usize>>> {
    let mut proofs: BTreeMap<&str, BTreeMap<Obligation, BTreeMap<Verdict, usize>>> =
        BTreeMap::new();
    for result in &verification.results {
        let of_role = proofs.entry(&result.role).or_default();
        for proof in &result.proofs {
            let counts = of_role.entry(proof.obligation).or_default();
            *counts.entry(proof.verdict).or_default() += 1;
        }
    }
    proofs
}

/// Tells whether nothing is known of a role because its account could not be read.
pub(super) fn is_unreadable(result: &RoleResult) -> bool {
    let mut proofs = result.proofs.iter();
    result.verdict == Verdict::NotProven
        && proofs.any(|proof| {
            proof.obligation == Obligation::Present && proof.verdict != Verdict::Proven
        })
}

/// Lists what is found; what is the same of several principals is said once.
pub(super) fn messages(result: &RoleResult) -> Vec<String> {
    /// Stands where the name of a principal was.
    const WHO: &str = "\u{1}";
    let mut folded: Vec<(String, Vec<String>)> = Vec::new();
    for proof in &result.proofs {
        let principal = proof.principal.as_deref();
        let who = principal.and_then(|arn| arn.rsplit('/').next());
        for finding in &proof.findings {
            let message = match who {
                Some(who) => finding.message.replacen(who, WHO, 1),
                None => finding.message.clone(),
            };
            let same = folded.iter_mut().find(|(other, _)| *other == message);
            match (same, who) {
                (Some((_, names)), Some(who)) => names.push(who.to_owned()),
                (Some(_), None) => {}
                (None, who) => folded.push((message, who.map(str::to_owned).into_iter().collect())),
            }
        }
    }
    let worded = folded.into_iter();
    worded
        .map(|(message, names)| message.replacen(WHO, &names.join(", "), 1))
        .collect()
}

/// Joins all exceptions into as few as say the same: accounts first, then roles and users.
pub(super) fn exceptions(verification: &Verification) -> Vec<ExceptionProposal> {
    let proofs = verification
        .results
        .iter()
        .flat_map(|result| &result.proofs);
    let findings = proofs.flat_map(|proof| &proof.findings);
    let mut by_principal: BTreeMap<_, ExceptionProposal> = BTreeMap::new();
    for one in findings.flat_map(|finding| &finding.exceptions) {
        let key = (&one.policy, &one.statements, &one.roles, &one.users);
        let joined = by_principal.entry(key).or_insert_with(|| one.clone());
        joined.accounts.extend(one.accounts.iter().cloned());
    }
    let mut by_accounts: BTreeMap<_, ExceptionProposal> = BTreeMap::new();
    for one in by_principal.into_values() {
        let key = (
            one.policy.clone(),
            one.statements.clone(),
            one.accounts.clone(),
        );
        let joined = by_accounts.entry(key).or_insert_with(|| one.clone());
        joined.roles.extend(one.roles);
        joined.users.extend(one.users);
    }
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let mut joined: Vec<ExceptionProposal> = by_accounts.into_values().collect();
    for one in &mut joined {
        let times = ids.entry(one.id.clone()).or_default();
        *times += 1;
        if *times > 1 {
            one.id = format!("{}-{times}", one.id);
        }
    }
    joined
}

/// Writes exceptions as the spec takes them; the values in capitals are for people to fill in.
pub(super) fn yaml(exceptions: &[ExceptionProposal]) -> Vec<String> {
    let mut lines = vec!["guardrails:".to_owned(), "  exceptions:".to_owned()];
    for exception in exceptions {
        let ExceptionProposal {
            id,
            policy,
            statements,
            roles,
            users,
            accounts,
        } = exception;
        let mut entry = Vec::new();
        let mut add = |line: String| entry.push(line);
        add(format!("id: {}", quoted(id)));
        add(format!("policy: {}", quoted(policy)));
        let list = |items: Vec<&str>| {
            let items: Vec<String> = items.into_iter().map(quoted).collect();
            format!("[{}]", items.join(", "))
        };
        if !statements.is_empty() {
            let sids = statements.iter().map(String::as_str).collect();
            add(format!("statements: {}", list(sids)));
        }
        if !roles.is_empty() {
            add(format!(
                "roles: {}",
                list(roles.iter().map(String::as_str).collect())
            ));
        }
        if !users.is_empty() {
            add(format!(
                "users: {}",
                list(users.iter().map(String::as_str).collect())
            ));
        }
        let ids = accounts.iter().map(AccountId::as_str).collect();
        add(format!("accounts: {{ include: {} }}", list(ids)));
        add("reason: \"WHY IT MUST NOT STOP RECOVERY\"".to_owned());
        add("owner: \"WHO ANSWERS FOR IT\"".to_owned());
        add("ticket: \"WHERE IT WAS AGREED\"".to_owned());
        add("expires: YYYY-MM-DD".to_owned());
        lines.extend(entry.into_iter().enumerate().map(|(number, line)| {
            let bullet = if number == 0 { "-" } else { " " };
            format!("    {bullet} {line}")
        }));
    }
    lines
}

/// Quotes a text for YAML, as JSON does, which YAML reads alike.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Stands for a verdict in the table.
pub(super) fn symbol(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Proven) => "✓",
        Some(Verdict::NotProven) => "?",
        Some(Verdict::Blocked) => "✗",
        Some(Verdict::Open) => "!",
        Some(Verdict::Missing) => "–",
        None => "·",
    }
}

/// Heads the exceptions.
pub(super) const EXCEPTIONS_TITLE: &str =
    "Exceptions that would let these through the SCPs and RCPs in their way, for the spec";

/// Heads what is not proven.
pub(super) const DETAILS_TITLE: &str = "Not proven";
/// Heads what coverage lacks.
pub(super) const UNCOVERED_TITLE: &str =
    "Not covered: no proven path by a role that the spec requires";
/// Heads the exempt accounts.
pub(super) const EXEMPT_TITLE: &str = "Exempt from coverage";
/// Heads the accounts that could not be read.
pub(super) const UNREADABLE_TITLE: &str = "Unreadable: nothing is proven of these accounts";

/// Says what the symbols are.
pub(super) const LEGEND: &str =
    "✓ proven · ✗ blocked · ! open to others · ? not proven · – missing · · not declared";

/// Says how it ended, in a line.
pub(super) fn verdict(verification: &Verification) -> String {
    let summary = &verification.summary;
    let paths = verification.results.len();
    let roles = count(summary.accounts, "account");
    match verification.outcome {
        VerificationOutcome::Proven => {
            let are = if paths == 1 {
                "is as it"
            } else {
                "are as they"
            };
            format!(
                "proven: {} in {roles} {are} must be",
                count(paths, "role path")
            )
        }
        VerificationOutcome::Findings => format!(
            "{} of {} in {roles} not proven",
            paths.saturating_sub(summary.proven),
            count(paths, "role path")
        ),
        VerificationOutcome::Incomplete => {
            let mut unread = Vec::new();
            if summary.unreadable > 0 {
                unread.push(count(summary.unreadable, "account"));
            }
            if verification.guardrails_unknown.is_some() {
                unread.push("the SCPs and RCPs".to_owned());
            }
            format!(
                "incomplete: {} could not be read; what is not read is not proven",
                unread.join(" and ")
            )
        }
    }
}

/// Lists the counts.
pub(super) fn counts(verification: &Verification) -> Vec<String> {
    let summary = &verification.summary;
    [
        (summary.proven, "proven"),
        (summary.blocked, "blocked"),
        (summary.open, "open"),
        (summary.not_proven, "not proven"),
        (summary.missing, "missing"),
        (summary.uncovered, "not covered"),
        (verification.exempt.len(), "exempt"),
        (summary.unreadable, "unreadable"),
        (verification.skipped.len(), "inactive"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{number} {what}"))
    .collect()
}

/// Lists what coverage lacks: the role, how it stands, and the accounts.
pub(super) fn uncovered(verification: &Verification) -> Vec<(String, Accounts)> {
    let mut folded: BTreeMap<(&String, Option<Verdict>), Vec<Named>> = BTreeMap::new();
    for finding in &verification.coverage {
        folded
            .entry((&finding.role, finding.verdict))
            .or_default()
            .push((finding.account_name.clone(), finding.account.clone()));
    }
    let worded = folded.into_iter().map(|((role, verdict), accounts)| {
        let how = match verdict {
            Some(verdict) => verdict.as_words(),
            None => "not declared there",
        };
        (format!("iam_role {role}: {how}"), Accounts::new(accounts))
    });
    worded.collect()
}

/// Lists the exempt accounts by reason.
pub(super) fn exempt(verification: &Verification) -> Vec<(String, Accounts)> {
    let mut folded: BTreeMap<&String, Vec<Named>> = BTreeMap::new();
    for exempt in &verification.exempt {
        folded
            .entry(&exempt.reason)
            .or_default()
            .push((exempt.account_name.clone(), exempt.account.clone()));
    }
    let worded = folded.into_iter();
    worded
        .map(|(reason, accounts)| (reason.clone(), Accounts::new(accounts)))
        .collect()
}

/// Says which options left something out, and whether it is about the state after a plan.
pub(super) fn about(verification: &Verification) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(digest) = &verification.after_plan {
        lines.push(format!(
            "this is the state after the plan {digest}, not live state"
        ));
    }
    if verification.scope.partial {
        lines.push(format!(
            "only a part of the organization was looked at: {}",
            verification.scope.options()
        ));
    }
    if let Some(error) = &verification.guardrails_unknown {
        lines.push(format!("SCPs and RCPs: {error}"));
    }
    lines
}

/// Tells whether a detail holds the placeholder of an account's own id.
pub(super) fn has_placeholder(detail: &Detail) -> bool {
    detail
        .messages
        .iter()
        .any(|text| text.contains(PLACEHOLDER))
}
