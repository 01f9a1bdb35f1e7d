//! Coverage: which accounts the spec exempts from having a proven path.

use std::collections::BTreeSet;

use crate::ids::AccountId;
use crate::org::{Organization, Severity};
use crate::spec::{Problem, Spec, element, entry};

/// Lists exempt accounts, each list with its reason.
pub type Exemptions = Vec<(BTreeSet<AccountId>, String)>;

/// Tells whether finding the exempt accounts needs the accounts' tags.
#[must_use]
pub fn coverage_needs_tags(spec: &Spec) -> bool {
    let exempt = spec.coverage.iter().flat_map(|coverage| &coverage.exempt);
    let mut selections = exempt.map(|exemption| exemption.accounts.selection());
    selections.any(|selection| selection.needs_tags())
}

/// Finds the accounts that each exemption names, with its reason; warnings come with them.
///
/// # Errors
/// Every selector that can't be meant for this organization.
pub fn exemptions(
    spec: &Spec,
    organization: &Organization,
) -> Result<(Exemptions, Vec<Problem>), Vec<Problem>> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let exempt = spec.coverage.iter().flat_map(|coverage| &coverage.exempt);
    let mut found = Vec::new();
    for (index, exemption) in exempt.enumerate() {
        let selection = exemption.accounts.selection();
        let (accounts, problems) = selection.resolve(organization, &spec.emergency_account);
        found.push((accounts, exemption.reason.clone()));
        for problem in problems {
            let list = element(&entry("coverage", "exempt"), index);
            let list = entry(&entry(&list, "accounts"), problem.list);
            let at = element(&list, problem.index);
            match problem.severity {
                Severity::Error => errors.push(Problem::error(at, problem.message)),
                Severity::Warning => warnings.push(Problem::warning(at, problem.message)),
            }
        }
    }
    if errors.is_empty() {
        Ok((found, warnings))
    } else {
        Err(errors)
    }
}
