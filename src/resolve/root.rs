//! What a spec wants of root users.

use super::Resolver;
use crate::ids::AccountId;
use crate::org::Organization;
use crate::spec::{RootAccess, RootMfa, Spec};
use crate::state::{DesiredRoot, RootFeature, RootScope};

/// Tells what is read of root users for this spec; `None` for nothing.
#[must_use]
pub fn root_scope(spec: &Spec, organization: &Organization) -> Option<RootScope> {
    let RootAccess {
        credentials_management,
        root_sessions,
        mfa,
    } = spec.root_access.as_ref()?;
    Some(RootScope {
        management: organization.management_account.clone(),
        features: credentials_management.is_some() || root_sessions.is_some(),
        users: *credentials_management == Some(true) || mfa.is_some(),
    })
}

impl Resolver<'_> {
    pub(super) fn root(&self, account: &AccountId) -> Option<DesiredRoot> {
        let RootAccess {
            credentials_management,
            root_sessions,
            mfa,
        } = self.loaded.spec.root_access.as_ref()?;
        let management = *account == self.organization.management_account;
        let features = [
            (RootFeature::CredentialsManagement, *credentials_management),
            (RootFeature::RootSessions, *root_sessions),
        ];
        Some(DesiredRoot {
            origin: self.origin("root_access"),
            features: features
                .into_iter()
                .filter_map(|(feature, on)| Some((feature, on.filter(|_| management)?)))
                .collect(),
            management,
            mfa: *mfa == Some(RootMfa::Required),
            no_credentials: *credentials_management == Some(true) && !management,
        })
    }
}
