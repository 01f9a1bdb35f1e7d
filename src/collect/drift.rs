//! Drift: accounts are read, compared and forgotten while the organization is still being listed.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use futures_util::future::{join, ready};
use futures_util::stream;

use super::compare::{Comparer, Found, covers_guardrails, notes, scope, tree};
use super::discovery::{Accounts, discover};
use super::reader::AccountReader;
use super::side::{Before, Side, ignore_rules};
use super::{CollectError, CompareRequest, Progress};
use crate::cloud::{Cloud, CloudError};
use crate::org::Organization;
use crate::plan::{IgnoreRules, Notes, Plan};
use crate::resolve::{Resolver, needs_tags};
use crate::spec::Loaded;
use crate::state::Guardrails;

/// Reports how live state differs from the spec.
///
/// Whether the spec and the options fit the organization is known at the end of its listing, and nothing is told before.
pub(super) async fn drift(
    cloud: &dyn Cloud,
    loaded: &Loaded,
    request: &CompareRequest,
    progress: &Progress<'_>,
) -> Result<Plan, CollectError> {
    let spec = &loaded.spec;
    let filter = &request.filter;
    let with_tags = needs_tags(spec) || filter.needs_tags();
    let expected = Some(spec.organization.id.as_str());
    let rules = &ignore_rules(loaded, request.now);
    let covers_guardrails = spec.guardrails.is_some() && covers_guardrails(filter);
    let reading_accounts = async |tree: Organization, accounts| {
        // Their account is known to be in scope before it is listed only where every account is.
        let guardrails = async {
            let own = filter.is_own(&tree.management_account);
            if covers_guardrails && own && filter.takes_every_account() {
                Some(cloud.guardrails().await)
            } else {
                None
            }
        };
        let sides = (loaded, rules);
        let accounts = compare_accounts(cloud, sides, request, progress, &tree, accounts);
        join(accounts, guardrails).await
    };
    let (organization, (mut found, guardrails)) =
        discover(cloud, expected, with_tags, reading_accounts).await?;
    let (resolver, warnings) = Resolver::new(loaded, &organization).map_err(CollectError::Spec)?;
    let accounts = filter.accounts(&organization, &spec.emergency_account)?;
    let management = &organization.management_account;
    let in_scope = accounts.contains(management) && filter.is_own(management);
    let wanted = resolver
        .guardrails()
        .filter(|_| covers_guardrails && in_scope);
    if let Some(wanted) = wanted {
        let live: Result<Guardrails, CloudError> = match guardrails {
            Some(live) => live,
            None => cloud.guardrails().await,
        };
        Comparer::new(loaded, &organization, request).guardrails(
            &wanted,
            (rules, &Before::Untold),
            live,
            &mut found,
        );
    }
    let mut told = notes(&[warnings, resolver.alert_warnings()].concat());
    told.extend(rules.notes().iter().cloned());
    let notes = Notes {
        spec: told,
        ignore: rules.in_force(),
        ..Notes::default()
    };
    let tree = tree(&organization, &resolver, &accounts, filter);
    Ok(found.finish(loaded, request, (&organization, tree), notes, cloud))
}

/// Reads and compares the accounts in scope as they are found.
async fn compare_accounts(
    cloud: &dyn Cloud,
    (loaded, rules): (&Loaded, &IgnoreRules),
    request: &CompareRequest,
    progress: &Progress<'_>,
    tree: &Organization,
    accounts: Accounts,
) -> Found {
    let spec = &loaded.spec;
    let scope = scope(spec, tree, &request.filter);
    let reader = AccountReader::new(cloud, scope, request.max_failures);
    let comparer = Comparer::new(loaded, tree, request);
    let all = AtomicUsize::new(0);
    let end = stream::once(ready(None));
    let in_scope = accounts.map(Some).chain(end).filter_map(|next| {
        let taken = match next {
            Some((id, account)) => {
                let emergency = &spec.emergency_account;
                let filter = &request.filter;
                let taken = filter.is_own(&id) && filter.takes(tree, emergency, &id, &account);
                all.fetch_add(usize::from(taken), Ordering::Relaxed);
                taken.then_some((id, account))
            }
            None => {
                reader.count(all.load(Ordering::Relaxed));
                None
            }
        };
        ready(taken)
    });
    let mut readings = in_scope
        .map(async |(id, account)| {
            let live = reader.read(&id).await;
            (id, account, live)
        })
        .buffer_unordered(request.concurrency);
    let mut found = Found::default();
    let mut done = 0;
    while let Some((id, account, live)) = readings.next().await {
        let side = Side {
            loaded,
            resolver: Resolver::of_account(loaded, tree, &id, &account),
            rules,
        };
        let sides = (&side, &Before::Untold);
        comparer.account((&id, &account.name), sides, live, &mut found);
        done += 1;
        progress(done, all.load(Ordering::Relaxed));
    }
    drop(readings);
    found
}
