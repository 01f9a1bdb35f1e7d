//! A plan, applied, leaves nothing to plan, also when the apply was killed on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use breakglass::apply::{ApplyOptions, ApplyOutcome, ApplyReport, apply};
use breakglass::cloud::{Answer, Cloud, CloudError, ErrorKind, Finding, Offline};
use breakglass::ids::{AccountId, Partition};
use breakglass::org::{Account, AccountState, Organization};
use breakglass::plan::{
    AccountContext, AccountDiff, Action, IgnoreRules, Kind, Notes, Plan, PlanBuilder, PlanHeader,
    SafetyRules, Scope, diff_account_under, schedule,
};
use breakglass::spec::load_texts;
use breakglass::state::{
    Address, Desired, GuardrailOperation, GuardrailPolicy, Guardrails, Inventory, Operation,
    PolicyReference, ReadScope, Reading, Resource, ResourceKey, Snapshot,
};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use proptest::prelude::*;
use secrecy::SecretString;

use crate::generate::{MANAGED, account, desired, live};

fn diff(desired: &Desired, live: &Inventory) -> AccountDiff {
    diff_under(desired, live, &IgnoreRules::default())
}

/// Ignore rules, compiled as those of a spec.
fn ignore_rules(patterns: &[&str]) -> IgnoreRules {
    let mut text = "version: 1\norganization: { id: o-exampleorg1 }\nemergency_account: \"222222222222\"\ncoverage: { required: [] }\n".to_owned();
    if !patterns.is_empty() {
        text.push_str("ignore:\n");
    }
    for pattern in patterns {
        text.push_str(&format!(
            "  - {{ match: \"{pattern}\", reason: r, expires: 2099-01-01 }}\n"
        ));
    }
    let none = |_: &str, _: &str| Err("no files".to_owned());
    let loaded = load_texts(vec![("spec.yaml".to_owned(), text)], &none).unwrap();
    IgnoreRules::new(&loaded, jiff::civil::date(1970, 1, 1))
}

fn diff_under(desired: &Desired, live: &Inventory, rules: &IgnoreRules) -> AccountDiff {
    let id = account();
    let context = AccountContext {
        strict: false,
        now: Timestamp::UNIX_EPOCH,
        id: &id,
        name: "test",
        partition: &Partition::commercial(),
        managed_path: &MANAGED.parse().unwrap(),
    };
    diff_account_under(&context, desired, live, rules, &BTreeSet::new())
}

fn plan(diff: AccountDiff) -> Plan {
    let mut builder = PlanBuilder::default();
    builder.add(&account(), diff, false);
    let header = PlanHeader {
        kind: Kind::Plan,
        organization_id: "o-exampleorg1".to_owned(),
        spec_digest: String::new(),
        created_at: Timestamp::UNIX_EPOCH,
        expires_at: None,
        entry: None,
        spec_file: None,
        base: None,
        scope: Scope::default(),
        strict: false,
        notes: Notes::default(),
        skipped: Vec::new(),
        tree: None,
    };
    let rules = SafetyRules {
        max_removals: 100,
        min_users: 0,
        declared_users: None,
        member_roles: BTreeSet::new(),
        callers: BTreeSet::new(),
    };
    builder.finish(header, &rules)
}

fn snapshot(live: &Inventory) -> Snapshot {
    Snapshot {
        format_version: "1.0".to_owned(),
        kind: "snapshot".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        shard: None,
        managed_path: MANAGED.parse().unwrap(),
        organization: Organization {
            id: "o-exampleorg1".to_owned(),
            partition: Partition::commercial(),
            management_account: account(),
            units: BTreeMap::new(),
            accounts: BTreeMap::from([(
                account(),
                Account {
                    name: "test".to_owned(),
                    state: AccountState::Active,
                    parent: "r-root".to_owned(),
                    tags: None,
                },
            )]),
        },
        accounts: BTreeMap::from([(account(), Reading::Complete(live.clone()))]),
        guardrails: None,
    }
}

/// Dies after so many operations: every later one fails, and nothing can be read.
struct Mortal<'a> {
    inner: &'a Offline,
    left: AtomicUsize,
}

impl Mortal<'_> {
    fn dead<'a, T: Send + 'a>(&self) -> Answer<'a, T> {
        let error = CloudError::new(ErrorKind::Network, "test", "dead");
        std::future::ready(Err(error)).boxed()
    }
}

impl Cloud for Mortal<'_> {
    fn discover<'a>(
        &'a self,
        expected: Option<&'a str>,
        with_tags: bool,
        found: &'a Finding<'a>,
    ) -> Answer<'a, Organization> {
        self.inner.discover(expected, with_tags, found)
    }

    fn account<'a>(
        &'a self,
        account: &'a AccountId,
        scope: &'a ReadScope,
    ) -> Answer<'a, Inventory> {
        self.inner.account(account, scope)
    }

    fn resource<'a>(
        &'a self,
        account: &'a AccountId,
        key: &'a ResourceKey,
    ) -> Answer<'a, Option<Resource>> {
        if self.left.load(Ordering::Relaxed) == 0 {
            return self.dead();
        }
        self.inner.resource(account, key)
    }

    fn execute<'a>(&'a self, account: &'a AccountId, operation: &'a Operation) -> Answer<'a, ()> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return self.dead();
        }
        self.left.store(left - 1, Ordering::Relaxed);
        self.inner.execute(account, operation)
    }

    fn shortest_password<'a>(&'a self, account: &'a AccountId) -> Answer<'a, u32> {
        self.inner.shortest_password(account)
    }

    fn set_password<'a>(
        &'a self,
        account: &'a AccountId,
        user: &'a str,
        password: &'a SecretString,
    ) -> Answer<'a, ()> {
        self.inner.set_password(account, user, password)
    }

    fn guardrails(&self) -> Answer<'_, Guardrails> {
        self.inner.guardrails()
    }

    fn guardrail<'a>(&'a self, policy: &'a PolicyReference) -> Answer<'a, Option<GuardrailPolicy>> {
        self.inner.guardrail(policy)
    }

    fn change_guardrails<'a>(&'a self, operation: &'a GuardrailOperation) -> Answer<'a, ()> {
        self.inner.change_guardrails(operation)
    }

    fn caller(&self) -> Option<Address> {
        self.inner.caller()
    }

    fn partition<'a>(&'a self, expected: &'a str) -> Answer<'a, Partition> {
        self.inner.partition(expected)
    }
}

fn carry_out(plan: &Plan, cloud: &dyn Cloud) -> ApplyReport {
    let options = ApplyOptions {
        concurrency: 1,
        max_failures: None,
        resumes: true,
        settle: Duration::ZERO,
        canary: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (partition, stop) = (Partition::commercial(), AtomicBool::new(false));
    let now = || Timestamp::UNIX_EPOCH;
    runtime.block_on(apply(
        plan,
        &partition,
        cloud,
        &options,
        &stop,
        &|_| {},
        now,
    ))
}

fn inventory(cloud: Offline) -> Inventory {
    match cloud.into_snapshot().accounts.remove(&account()) {
        Some(Reading::Complete(inventory)) => inventory,
        other => panic!("{other:?}"),
    }
}

fn applied(live: &Inventory, plan: &Plan) -> Result<Inventory, TestCaseError> {
    let cloud = Offline::new(snapshot(live));
    let report = carry_out(plan, &cloud);
    prop_assert!(
        matches!(report.outcome, ApplyOutcome::Done | ApplyOutcome::Blocked),
        "{report:#?}"
    );
    Ok(inventory(cloud))
}

/// Checks that all that is left is what a person must do.
fn expect_settled(desired: &Desired, after: &Inventory) -> Result<(), TestCaseError> {
    for change in diff(desired, after).changes {
        prop_assert!(
            change.action == Action::Manual || change.blocked.is_some(),
            "left: {change:?}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_applying_a_plan_nothing_is_left_but_what_a_person_must_do(
        desired in desired(),
        live in live(),
    ) {
        let plan = plan(diff(&desired, &live));
        expect_settled(&desired, &applied(&live, &plan)?)?;
    }

    #[test]
    fn an_apply_that_died_anywhere_is_finished_by_the_next(
        desired in desired(),
        live in live(),
        steps in 0..20_usize,
    ) {
        let plan = plan(diff(&desired, &live));
        let cloud = Offline::new(snapshot(&live));
        let mortal = Mortal { inner: &cloud, left: AtomicUsize::new(steps) };
        carry_out(&plan, &mortal);
        // The same plan again, and a new plan, both finish it.
        let between = inventory(cloud);
        let again = applied(&between, &plan)?;
        let anew = applied(&between, &self::plan(diff(&desired, &between)))?;
        expect_settled(&desired, &again)?;
        expect_settled(&desired, &anew)?;
    }

    #[test]
    fn what_is_not_managed_and_not_wanted_is_never_touched(
        desired in desired(),
        live in live(),
    ) {
        let after = applied(&live, &plan(diff(&desired, &live)))?;
        for (name, role) in &live.roles {
            let managed = role.path.is_under(&MANAGED.parse().unwrap())
                || role.tags.get("breakglass:managed").is_some_and(|value| value == "true");
            let wanted = desired
                .roles
                .iter()
                .flatten()
                .any(|(other, _)| other.eq_ignore_ascii_case(name));
            if !managed && !wanted {
                prop_assert_eq!(after.roles.get(name), Some(role));
            }
        }
    }

    #[test]
    fn every_operation_shows_in_the_fingerprint_and_has_its_turn_once(
        desired in desired(),
        live in live(),
    ) {
        for change in diff(&desired, &live).changes {
            let mut before = &change.fingerprint;
            for step in &change.operations {
                prop_assert_ne!(before, &step.then, "{:?}", step.operation);
                before = &step.then;
            }
            let turns: Vec<usize> =
                schedule(&change).into_iter().flat_map(|part| part.steps).collect();
            prop_assert_eq!(turns, (0..change.operations.len()).collect::<Vec<_>>());
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_ignored_stays_as_it_is_and_everything_else_is_put_right(
        desired in desired(),
        live in live(),
        patterns in prop::collection::vec(prop::sample::select(vec![
            "*/iam_role/*:tags.*", "*/iam_role/*:trust_policy", "*/iam_role/*:max_session", "*/iam_role/*:*_policies*",
            "*/iam_user/*:{path,groups,permissions_boundary}", "*/iam_user/*", "*/iam_policy/*", "*/iam_policy/*:document",
            "*/credential/*", "*/iam_role/*[a-m]", "*/*/*[n-z]",
        ]), 0..4),
    ) {
        let rules = ignore_rules(&patterns);
        let found = diff_under(&desired, &live, &rules);
        let ignored = found.ignored.clone();
        let after = applied(&live, &plan(found))?;
        for change in diff_under(&desired, &after, &rules).changes {
            prop_assert!(
                change.action == Action::Manual || change.blocked.is_some(),
                "left: {change:?}"
            );
        }
        let all = diff(&desired, &after).changes;
        for left in ignored {
            prop_assert!(left.ignored_by.is_some() && left.operations.is_empty());
            let now = all.iter().find(|change| change.address == left.address);
            for field in &left.fields {
                let mut fields = now.into_iter().flat_map(|change| &change.fields);
                let same = fields.any(|now| (&now.path, &now.live, &now.spec) == (&field.path, &field.live, &field.spec));
                prop_assert!(same, "{}: {} moved: {now:?}", left.address, field.path);
            }
        }
    }
}
