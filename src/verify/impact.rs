//! What a plan does to proofs: the paths that are proven before it and not after it.

use std::collections::BTreeMap;

use super::prover::{Prover, Setting};
use super::result::{RoleResult, Verdict};
use crate::ids::AccountId;
use crate::plan::LostPaths;
use crate::state::Inventory;

/// Proves roles before and after a plan, account by account, where the plan can make a difference.
pub struct Impact<'a> {
    before: Prover<'a>,
    after: Prover<'a>,
    /// Whether guardrails or users change, so that every account is looked at.
    everywhere: bool,
    /// The accounts that lose a path, with how that is told of each, by role and cause.
    lost: BTreeMap<(String, String), BTreeMap<AccountId, String>>,
}

impl<'a> Impact<'a> {
    /// Begins with what is known of the organization before the plan and after it.
    #[must_use]
    pub fn new(before: Setting<'a>, after: Setting<'a>) -> Self {
        let users = |setting: &Setting<'a>| {
            let live = setting.emergency.as_ref().ok();
            live.map(|live| (&live.users, &live.policies))
        };
        let everywhere = before.guardrails != after.guardrails || users(&before) != users(&after);
        Self {
            before: Prover::new(before),
            after: Prover::new(after),
            everywhere,
            lost: BTreeMap::new(),
        }
    }

    /// Looks at roles of an account, given by their numbers in the spec; `after` is what it holds then, if that changes.
    pub fn add(
        &mut self,
        account: &AccountId,
        live: &Inventory,
        after: Option<&Inventory>,
        roles: &[usize],
    ) {
        if after.is_none() && !self.everywhere {
            return;
        }
        let before = self.before.prove(account, Ok(live), roles);
        let proven: Vec<usize> = roles
            .iter()
            .zip(&before)
            .filter(|(_, result)| result.verdict == Verdict::Proven)
            .map(|(number, _)| *number)
            .collect();
        let after = after.unwrap_or(live);
        for result in self.after.prove(account, Ok(after), &proven) {
            if result.verdict != Verdict::Proven {
                let told = cause(&result);
                let generic = told.replace(account.as_str(), "{account}");
                let accounts = self.lost.entry((result.role, generic)).or_default();
                accounts.insert(account.clone(), told);
            }
        }
    }

    /// Tells what is lost, by role and cause.
    #[must_use]
    pub fn lost(self) -> Vec<LostPaths> {
        let lost = self.lost.into_iter();
        lost.map(|((role, cause), accounts)| LostPaths {
            role,
            cause,
            accounts,
        })
        .collect()
    }
}

/// Says what a role comes to, by the worst of what is found.
fn cause(result: &RoleResult) -> String {
    let verdict = result.verdict.as_words();
    let findings = result.proofs.iter().flat_map(|proof| &proof.findings);
    let mut worst = findings.filter(|finding| finding.verdict == result.verdict);
    match worst.next() {
        Some(finding) => format!("{verdict}: {}", finding.message),
        None => verdict.to_owned(),
    }
}
