//! Coverage: the roles that every account must have a proven path by, and the accounts that need none.

use std::collections::{BTreeMap, BTreeSet};

use super::Resolver;
use crate::ids::AccountId;
use crate::org::{Organization, Severity};
use crate::spec::{Exemption, Problem, Spec, element, entry};
use crate::state::Origin;

/// The exemptions of a spec.
pub(super) fn exemptions(spec: &Spec) -> &[Exemption] {
    spec.coverage
        .as_ref()
        .map_or(&[], |coverage| &coverage.exempt)
}

/// Finds the accounts that each exemption names, in the order of the spec.
pub(super) fn accounts(
    spec: &Spec,
    organization: &Organization,
    errors: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Vec<BTreeSet<AccountId>> {
    let mut all = Vec::new();
    for (index, exemption) in exemptions(spec).iter().enumerate() {
        let selection = exemption.accounts.selection();
        let (accounts, problems) = selection.resolve(organization, &spec.emergency_account);
        all.push(accounts);
        let at = entry(&element("coverage.exempt", index), "accounts");
        for problem in problems {
            let at = element(&entry(&at, problem.list), problem.index);
            match problem.severity {
                Severity::Error => errors.push(Problem::error(at, problem.message)),
                Severity::Warning => warnings.push(Problem::warning(at, problem.message)),
            }
        }
    }
    all
}

impl Resolver<'_> {
    /// Lists the accounts that need no proven path, each list with its reason.
    #[must_use]
    pub fn exempt(&self) -> Vec<(BTreeSet<AccountId>, String)> {
        let reasons = exemptions(&self.loaded.spec).iter();
        let reasons = reasons.map(|exemption| exemption.reason.clone());
        self.exempt_accounts.iter().cloned().zip(reasons).collect()
    }

    /// Finds the roles that coverage requires and the spec neither declares in an account nor exempts it from.
    pub(super) fn uncovered(&self, account: &AccountId) -> BTreeMap<String, Origin> {
        let mut lists = self.exempt_accounts.iter();
        let Some(coverage) = &self.loaded.spec.coverage else {
            return BTreeMap::new();
        };
        if lists.any(|exempt| exempt.contains(account)) {
            return BTreeMap::new();
        }
        let roles = self.loaded.spec.roles().iter().zip(&self.role_accounts);
        let declared: BTreeSet<&str> = roles
            .filter(|(_, accounts)| accounts.contains(account))
            .map(|(role, _)| role.name.as_str())
            .collect();
        let required = coverage.required.iter().enumerate();
        required
            .filter(|(_, role)| !declared.contains(role.as_str()))
            .map(|(index, role)| {
                let origin = self.origin(&element("coverage.required", index));
                (role.clone(), origin)
            })
            .collect()
    }
}
