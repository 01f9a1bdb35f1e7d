//! Putting a verification together, account by account.

use jiff::Timestamp;

use super::coverage::{CoverageFinding, CoverageRule, Exempt};
use super::result::{RoleResult, Verdict, Verification, VerificationOutcome, VerificationSummary};
use crate::ids::AccountId;
use crate::org::Tree;
use crate::plan::{Scope, Skipped, Unreadable};

/// The format of verifications that this version writes and reads.
const FORMAT_VERSION: &str = "1.0";

/// Holds what a verification says that no account tells.
#[derive(Debug, Clone)]
pub struct VerificationHeader {
    /// The organization it is about.
    pub organization_id: String,
    /// The digest of the spec.
    pub spec_digest: String,
    /// The first file of the spec.
    pub spec_file: Option<String>,
    /// The digest of the plan whose result was looked at.
    pub after_plan: Option<String>,
    /// When live state was read.
    pub created_at: Timestamp,
    /// What part of the organization was looked at.
    pub scope: Scope,
    /// What the reader should know beside the results.
    pub notes: Vec<String>,
    /// The accounts that are not active.
    pub skipped: Vec<Skipped>,
    /// Why the guardrails are not known.
    pub guardrails_unknown: Option<String>,
    /// How many situations were proven.
    pub situations: usize,
    /// The accounts that are looked at, under their units.
    pub tree: Option<Tree>,
}

/// Collects results account by account, in whatever order accounts are read.
#[derive(Debug, Default)]
pub struct VerificationBuilder {
    accounts: usize,
    results: Vec<RoleResult>,
    coverage: Vec<CoverageFinding>,
    exempt: Vec<Exempt>,
    unreadable: Vec<Unreadable>,
}

impl VerificationBuilder {
    /// Adds a selected account with what is proven of its roles.
    pub fn add(
        &mut self,
        account: &AccountId,
        name: &str,
        results: Vec<RoleResult>,
        coverage: &CoverageRule,
    ) {
        self.accounts += 1;
        let (findings, exempt) = coverage.check(account, name, &results);
        self.coverage.extend(findings);
        self.exempt.extend(exempt);
        self.results.extend(results);
    }

    /// Adds an account of which not everything could be read, selected or not: others hang on the emergency account.
    pub fn add_unreadable(&mut self, account: &AccountId, name: &str, error: &str) {
        self.unreadable.push(Unreadable {
            account: account.clone(),
            account_name: name.to_owned(),
            error: error.to_owned(),
        });
    }

    /// Adds the verification of one shard.
    pub fn add_share(&mut self, part: Verification) {
        self.accounts += part.summary.accounts;
        self.results.extend(part.results);
        self.coverage.extend(part.coverage);
        self.exempt.extend(part.exempt);
        self.unreadable.extend(part.unreadable);
    }

    /// Makes the verification: sorted and counted.
    #[must_use]
    pub fn finish(self, header: VerificationHeader) -> Verification {
        let Self {
            accounts,
            mut results,
            mut coverage,
            mut exempt,
            mut unreadable,
        } = self;
        results.sort_by(|a, b| (&a.account, &a.role).cmp(&(&b.account, &b.role)));
        coverage.sort_by(|a, b| (&a.account, &a.role).cmp(&(&b.account, &b.role)));
        exempt.sort_by(|a, b| a.account.cmp(&b.account));
        unreadable.sort_by(|a, b| a.account.cmp(&b.account));
        unreadable.dedup_by(|a, b| a.account == b.account);
        let VerificationHeader {
            organization_id,
            spec_digest,
            spec_file,
            after_plan,
            created_at,
            scope,
            notes,
            skipped,
            guardrails_unknown,
            situations,
            tree,
        } = header;
        let count = |verdict| results.iter().filter(|one| one.verdict == verdict).count();
        let summary = VerificationSummary {
            accounts,
            unreadable: unreadable.len(),
            proven: count(Verdict::Proven),
            blocked: count(Verdict::Blocked),
            open: count(Verdict::Open),
            not_proven: count(Verdict::NotProven),
            missing: count(Verdict::Missing),
            uncovered: coverage.len(),
            situations,
        };
        let outcome = if !unreadable.is_empty() || guardrails_unknown.is_some() {
            VerificationOutcome::Incomplete
        } else if summary.proven == results.len() && coverage.is_empty() {
            VerificationOutcome::Proven
        } else {
            VerificationOutcome::Findings
        };
        Verification {
            format_version: FORMAT_VERSION.to_owned(),
            kind: "verify".to_owned(),
            organization_id,
            outcome,
            spec_digest,
            spec_file,
            after_plan,
            created_at,
            scope,
            summary,
            notes,
            results,
            coverage,
            exempt,
            unreadable,
            guardrails_unknown,
            skipped,
            tree,
        }
    }
}
