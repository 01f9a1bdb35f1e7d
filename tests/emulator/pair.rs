//! The AWS backend and the model, side by side.

use breakglass::cloud::aws::Aws;
use breakglass::cloud::{Cloud as _, ErrorKind};
use breakglass::state::{Inventory, Operation, ResourceKey, ResourceType};
use futures_util::future::join_all;

use crate::backend::{account, scope};
use crate::harness::PROD_PAY;

/// Carries out operations on both sides and compares them after each.
pub struct Pair<'a> {
    pub aws: &'a Aws,
    pub model: Inventory,
}

impl Pair<'_> {
    /// Carries out an operation; what it has changed is compared in bulk and by name.
    pub async fn run(&mut self, operation: Operation) {
        let done = self.aws.execute(&account(PROD_PAY), &operation).await;
        done.unwrap_or_else(|error| panic!("{operation:?}: {error}"));
        let before = self.model.clone();
        self.model
            .apply(&operation)
            .unwrap_or_else(|error| panic!("model: {operation:?}: {error}"));
        let after = format!("{operation:?}");
        self.compare_bulk(&after).await;
        for key in keys(&before).into_iter().chain(keys(&self.model)) {
            if before.get(&key) != self.model.get(&key) {
                self.compare_one(&key, &after).await;
            }
        }
    }

    /// Runs operations that both sides must refuse with these error codes.
    pub async fn refuse<const N: usize>(&mut self, operations: [(Operation, &str); N]) {
        // Some are tried for seconds before they are given up, so they go side by side.
        let account = account(PROD_PAY);
        let attempts = operations.iter();
        let attempts = attempts.map(|(operation, _)| self.aws.execute(&account, operation));
        let refusals = join_all(attempts).await;
        for ((operation, code), refused) in operations.iter().zip(refusals) {
            let refused = refused.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Service);
            assert_eq!(refused.call, operation.action());
            let code = format!("{code}: ");
            assert!(refused.message.starts_with(&code), "{refused}");
            let modelled = self.model.apply(operation).unwrap_err();
            assert!(modelled.to_string().starts_with(&code), "{modelled}");
        }
    }

    /// Compares everything, in bulk and by name.
    pub async fn compare(&self, after: &str) {
        self.compare_bulk(after).await;
        for key in keys(&self.model) {
            self.compare_one(&key, after).await;
        }
        for kind in ResourceType::ALL {
            let name = if kind.is_alert() {
                "us-east-1:absent"
            } else {
                "absent"
            };
            self.compare_one(&ResourceKey::new(kind, name), after).await;
        }
    }

    async fn compare_bulk(&self, after: &str) {
        let live = self.aws.account(&account(PROD_PAY), &scope()).await;
        assert_eq!(live.as_ref(), Ok(&self.model), "in bulk, after {after}");
    }

    async fn compare_one(&self, key: &ResourceKey, after: &str) {
        let live = self.aws.resource(&account(PROD_PAY), key).await;
        assert_eq!(live, Ok(self.model.get(key)), "{key:?}, after {after}");
    }
}

/// Names everything that an inventory holds in full, and each user's login profile, whether or not it has one.
fn keys(inventory: &Inventory) -> Vec<ResourceKey> {
    let Inventory {
        policies,
        users,
        roles,
        ..
    } = inventory;
    let named = |kind, names: Vec<&String>| {
        let keys = names
            .into_iter()
            .map(move |name| ResourceKey::new(kind, name));
        keys.collect::<Vec<_>>()
    };
    [
        named(ResourceType::IamPolicy, policies.keys().collect()),
        named(ResourceType::IamUser, users.keys().collect()),
        named(ResourceType::Credential, users.keys().collect()),
        named(ResourceType::IamRole, roles.keys().collect()),
    ]
    .concat()
}
