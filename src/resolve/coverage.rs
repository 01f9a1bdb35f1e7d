//! Coverage: the roles that every account must have a proven path by, and the accounts that need none.

use std::collections::{BTreeMap, BTreeSet};

use super::Resolver;
use crate::ids::AccountId;
use crate::spec::{Exemption, Spec, element};
use crate::state::Origin;

/// The exemptions of a spec.
pub(super) fn exemptions(spec: &Spec) -> &[Exemption] {
    spec.coverage
        .as_ref()
        .map_or(&[], |coverage| &coverage.exempt)
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
