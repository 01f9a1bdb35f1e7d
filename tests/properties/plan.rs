//! A plan, applied, leaves nothing to plan.

use breakglass::ids::Partition;
use breakglass::plan::{AccountContext, AccountDiff, Action, Change, diff_account, rank};
use breakglass::policy::CanonicalContext;
use breakglass::state::{Desired, Fingerprint, Inventory, ResourceKey};
use proptest::prelude::*;

use crate::generate::{MANAGED, account, desired, live};

fn diff(desired: &Desired, live: &Inventory) -> AccountDiff {
    let id = account();
    let context = AccountContext {
        id: &id,
        name: "test",
        partition: &Partition::commercial(),
        managed_path: &MANAGED.parse().unwrap(),
    };
    diff_account(&context, desired, live)
}

fn canonical() -> CanonicalContext {
    CanonicalContext {
        partition: Some(Partition::commercial()),
    }
}

fn fingerprint(inventory: &Inventory, change: &Change) -> Fingerprint {
    let key = ResourceKey::new(change.resource_type, &change.name);
    Fingerprint::of(inventory.get(&key).as_ref(), &canonical())
}

/// Carries out a plan in its order, checking every fingerprint on the way.
fn carry_out(live: &Inventory, mut changes: Vec<Change>) -> Result<Inventory, TestCaseError> {
    let mut inventory = live.clone();
    changes.sort_by_key(rank);
    for change in &changes {
        if change.operations.is_empty() {
            continue;
        }
        prop_assert_eq!(&fingerprint(&inventory, change), &change.fingerprint);
        for step in &change.operations {
            let applied = inventory.apply(&step.operation);
            prop_assert!(applied.is_ok(), "{}: {applied:?}", change.address);
            prop_assert_eq!(&fingerprint(&inventory, change), &step.then);
        }
    }
    Ok(inventory)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_applying_a_plan_nothing_is_left_but_what_a_person_must_do(
        desired in desired(),
        live in live(),
    ) {
        let plan = diff(&desired, &live);
        let after = carry_out(&live, plan.changes)?;
        for change in diff(&desired, &after).changes {
            prop_assert!(
                change.action == Action::Manual || change.blocked.is_some(),
                "left: {change:?}"
            );
        }
    }

    #[test]
    fn what_is_not_managed_and_not_wanted_is_never_touched(
        desired in desired(),
        live in live(),
    ) {
        let plan = diff(&desired, &live);
        let after = carry_out(&live, plan.changes)?;
        for (name, role) in &live.roles {
            let managed = role.path.is_under(&MANAGED.parse().unwrap())
                || role.tags.get("breakglass:managed").is_some_and(|value| value == "true");
            let wanted = desired.roles.iter().flatten().any(|(other, _)| other.eq_ignore_ascii_case(name));
            if !managed && !wanted {
                prop_assert_eq!(after.roles.get(name), Some(role));
            }
        }
    }

    #[test]
    fn a_section_that_is_absent_is_neither_read_nor_changed(live in live()) {
        prop_assert!(diff(&Desired::default(), &live).changes.is_empty());
    }

    #[test]
    fn a_plan_is_the_same_every_time(desired in desired(), live in live()) {
        prop_assert_eq!(diff(&desired, &live), diff(&desired, &live));
    }
}
