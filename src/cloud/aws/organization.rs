//! Reads the organization: its accounts, the units above them, and tags.

use std::collections::BTreeMap;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types;
use futures_util::future::try_join3;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::all;
use super::convert::{parse, required};
use super::error::{Failure, failed};
use super::session::Caller;
use crate::cloud::{CloudError, ErrorKind, Finding, Found};
use crate::ids::AccountId;
use crate::org::{Account, AccountState, Organization, Unit};

const DESCRIPTION: &str = "organizations:DescribeOrganization";
const LISTING: &str = "organizations:ListAccounts";

/// Says which organization the caller belongs to.
#[derive(Debug)]
pub(super) struct Identity {
    id: String,
    management_account: AccountId,
}

/// Asks which organization the caller belongs to.
pub(super) async fn describe(client: &Client) -> Result<Identity, Failure> {
    let answer = client.describe_organization().send().await;
    let answer = answer.map_err(failed(DESCRIPTION))?;
    let organization = required(DESCRIPTION, "organization", answer.organization())?;
    let id = required(DESCRIPTION, "organization's id", organization.id())?;
    let management_account = organization.master_account_id();
    Ok(Identity {
        id: id.to_owned(),
        management_account: parse(DESCRIPTION, "management account", management_account)?,
    })
}

/// Reads an organization with at most so many calls at a time.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) client: &'a Client,
    /// What [`describe`] answered.
    pub(super) identity: &'a Result<Identity, Failure>,
    pub(super) concurrency: usize,
}

impl Reader<'_> {
    /// Reads the organization, and nothing at all of one that is not the expected one; tells of it as it becomes known.
    pub(super) async fn organization(
        &self,
        caller: &Caller,
        expected: Option<&str>,
        with_tags: bool,
        found: &Finding<'_>,
    ) -> Result<Organization, CloudError> {
        let identity = self.identify(caller, expected)?;
        let (tell, heard) = unbounded_channel();
        let (ask, asked) = oneshot::channel();
        let gathering = async {
            let (units, roots) = self.tree().await?;
            let mut gathered = Gathered {
                begin: Some((
                    ask,
                    roots.into_iter().chain(units.keys().cloned()).collect(),
                )),
                ..Gathered::default()
            };
            let mut organization = Organization {
                id: identity.id.clone(),
                partition: caller.partition.clone(),
                management_account: identity.management_account.clone(),
                units,
                accounts: BTreeMap::new(),
            };
            found(Found::Tree(organization.clone()));
            organization.accounts = self.gather(&mut gathered, heard, with_tags, found).await?;
            Ok(organization)
        };
        let listing = self.list_accounts(tell.clone());
        let walking = self.walk(asked, tell);
        let (organization, (), ()) = try_join3(gathering, listing, walking).await?;
        Ok(organization)
    }

    /// Makes sure that the organization is the expected one, if one is, and gives its id and management account.
    pub(super) fn identify(
        &self,
        caller: &Caller,
        expected: Option<&str>,
    ) -> Result<&Identity, CloudError> {
        let identity = self.identity.as_ref().map_err(|failure| {
            if failure.has_code("AWSOrganizationsNotInUseException") {
                let mut message = format!("account {} is in no organization", caller.account);
                if let Some(expected) = expected {
                    message = format!("{message}, the spec is for {expected}");
                }
                CloudError::new(ErrorKind::OtherOrganization, DESCRIPTION, message)
            } else {
                failure.clone().into()
            }
        })?;
        match expected.filter(|expected| *expected != identity.id) {
            Some(expected) => Err(CloudError::other_organization(expected, &identity.id)),
            None => Ok(identity),
        }
    }

    async fn list_accounts(&self, tell: UnboundedSender<Heard>) -> Result<(), Failure> {
        let pages = self.client.list_accounts().into_paginator();
        // An empty page is not the end, and two of them might carry the same token.
        let mut pages = pages.stop_on_duplicate_token(false).send();
        while let Some(page) = pages.try_next().await.map_err(failed(LISTING))? {
            say(&tell, Heard::Accounts(page.accounts.unwrap_or_default()));
        }
        say(&tell, Heard::EveryAccount);
        Ok(())
    }

    /// Asks each parent for its accounts, once that turns out to be needed.
    async fn walk(
        &self,
        asked: oneshot::Receiver<Vec<String>>,
        tell: UnboundedSender<Heard>,
    ) -> Result<(), Failure> {
        let Ok(parents) = asked.await else {
            return Ok(());
        };
        let reads = parents.iter();
        let reads = reads.map(|parent| self.accounts_under(parent, &tell));
        all(self.concurrency, reads.collect()).await.map(drop)
    }

    async fn accounts_under(
        &self,
        parent: &str,
        tell: &UnboundedSender<Heard>,
    ) -> Result<(), Failure> {
        let call = "organizations:ListAccountsForParent";
        let pages = self.client.list_accounts_for_parent().parent_id(parent);
        let pages = pages.into_paginator().stop_on_duplicate_token(false);
        let mut pages = pages.send();
        while let Some(page) = pages.try_next().await.map_err(failed(call))? {
            let accounts = page.accounts.unwrap_or_default().into_iter();
            let accounts = accounts.map(|account| parse(call, "account id", account.id()));
            let accounts = accounts.collect::<Result<_, _>>()?;
            say(tell, Heard::Under(parent.to_owned(), accounts));
        }
        Ok(())
    }

    /// Puts together what is heard, and tells of accounts as soon as their parents and tags are known.
    async fn gather(
        &self,
        gathered: &mut Gathered,
        mut heard: UnboundedReceiver<Heard>,
        with_tags: bool,
        found: &Finding<'_>,
    ) -> Result<BTreeMap<AccountId, Account>, Failure> {
        let mut accounts = BTreeMap::new();
        while let Some(heard) = heard.recv().await {
            let mut placed = gathered.hear(heard)?;
            placed.retain(|id, _| !accounts.contains_key(id));
            if with_tags {
                self.add_tags(&mut placed).await?;
            }
            if !placed.is_empty() {
                found(Found::Accounts(placed.clone()));
                accounts.extend(placed);
            }
        }
        match gathered.waiting.keys().next() {
            Some(id) => {
                let problem =
                    format!("account {id} is under no unit; was it moved just now? Try again");
                Err(Failure::new(
                    "organizations:ListAccountsForParent",
                    &problem,
                ))
            }
            None => Ok(accounts),
        }
    }

    /// Reads every unit, level by level, and the ids of the roots.
    async fn tree(&self) -> Result<(BTreeMap<String, Unit>, Vec<String>), Failure> {
        let roots = roots(self.client).await?.into_iter();
        let roots = roots.map(|root| required("organizations:ListRoots", "root's id", root.id));
        let roots = roots.collect::<Result<Vec<_>, _>>()?;
        let mut units = BTreeMap::new();
        let mut level = roots.clone();
        while !level.is_empty() {
            let reads = level.into_iter().map(|parent| self.units_under(parent));
            let found = all(self.concurrency, reads.collect()).await?;
            level = found.iter().flatten().map(|(id, _)| id.clone()).collect();
            units.extend(found.into_iter().flatten());
        }
        Ok((units, roots))
    }

    async fn units_under(&self, parent: String) -> Result<Vec<(String, Unit)>, Failure> {
        let call = "organizations:ListOrganizationalUnitsForParent";
        let request = self.client.list_organizational_units_for_parent();
        let pages = request.parent_id(&parent).into_paginator();
        let pages = pages.stop_on_duplicate_token(false).send();
        pages
            .try_collect()
            .await
            .map_err(failed(call))?
            .into_iter()
            .flat_map(|page| page.organizational_units.unwrap_or_default())
            .map(|unit| {
                Ok((
                    required(call, "unit's id", unit.id)?,
                    Unit {
                        name: required(call, "unit's name", unit.name)?,
                        parent: parent.clone(),
                    },
                ))
            })
            .collect()
    }

    async fn add_tags(&self, accounts: &mut BTreeMap<AccountId, Account>) -> Result<(), Failure> {
        let active = accounts
            .iter_mut()
            .filter(|(_, account)| account.state == AccountState::Active);
        let reads = active.map(|(id, account)| async {
            account.tags = Some(tags(self.client, id.as_str()).await?);
            Ok(())
        });
        all(self.concurrency, reads.collect()).await.map(drop)
    }
}

/// One answer of the listings that go on side by side.
#[derive(Debug)]
enum Heard {
    /// A page of accounts.
    Accounts(Vec<types::Account>),
    /// There are no more pages of accounts.
    EveryAccount,
    /// Accounts directly under a parent.
    Under(String, Vec<AccountId>),
}

/// Tells the one who gathers, who is gone only when the whole reading has failed.
fn say(tell: &UnboundedSender<Heard>, heard: Heard) {
    let _ = tell.send(heard);
}

/// Brings accounts and their parents together: by the path that the listing holds, or else by listing what each parent
/// holds, which takes as many calls again.
#[derive(Debug, Default)]
struct Gathered {
    /// Begins the listing by parents; none once it has begun, or will never be needed.
    begin: Option<(oneshot::Sender<Vec<String>>, Vec<String>)>,
    /// Accounts whose parents are not known yet.
    waiting: BTreeMap<AccountId, Account>,
    /// Parents of accounts, listed or not: a listing may name one twice.
    parents: BTreeMap<AccountId, String>,
}

impl Gathered {
    /// Takes in what was heard, and gives the accounts whose parents are known now.
    fn hear(&mut self, heard: Heard) -> Result<BTreeMap<AccountId, Account>, Failure> {
        let mut placed = BTreeMap::new();
        match heard {
            Heard::Accounts(listed) => {
                for listed in listed {
                    let id: AccountId = parse(LISTING, "account id", listed.id())?;
                    let parent = parent_in_path(&listed).map(str::to_owned);
                    let parent = parent.or_else(|| self.parents.get(&id).cloned());
                    let known = parent.is_some();
                    let account = Account {
                        name: listed.name().unwrap_or_default().to_owned(),
                        state: state(&listed),
                        parent: parent.unwrap_or_default(),
                        tags: None,
                    };
                    let accounts = if known {
                        &mut placed
                    } else {
                        &mut self.waiting
                    };
                    accounts.insert(id, account);
                }
                if !self.waiting.is_empty()
                    && let Some((begin, parents)) = self.begin.take()
                {
                    // Who walks is gone only when the whole reading has failed.
                    let _ = begin.send(parents);
                }
            }
            Heard::EveryAccount => self.begin = None,
            Heard::Under(parent, ids) => {
                for id in ids {
                    if let Some(account) = self.waiting.remove(&id) {
                        let parent = parent.clone();
                        placed.insert(id.clone(), Account { parent, ..account });
                    }
                    self.parents.insert(id, parent.clone());
                }
            }
        }
        Ok(placed)
    }
}

/// Lists the roots, of which an organization has one.
pub(super) async fn roots(client: &Client) -> Result<Vec<types::Root>, Failure> {
    let pages = client.list_roots().into_paginator();
    let pages = pages.stop_on_duplicate_token(false).send();
    let pages = pages.try_collect().await;
    Ok(pages
        .map_err(failed("organizations:ListRoots"))?
        .into_iter()
        .flat_map(|page| page.roots.unwrap_or_default())
        .collect())
}

/// Reads the tags of an account, a policy or anything else of an organization.
pub(super) async fn tags(client: &Client, id: &str) -> Result<BTreeMap<String, String>, Failure> {
    let pages = client.list_tags_for_resource().resource_id(id);
    let pages = pages.into_paginator().stop_on_duplicate_token(false);
    let tags = pages.items().send().try_collect().await;
    Ok(tags
        .map_err(failed("organizations:ListTagsForResource"))?
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect())
}

/// The parent in an account's path, which reads `o-…/r-…/ou-…/ou-…/`, in some places with the account's id at its end.
fn parent_in_path(account: &types::Account) -> Option<&str> {
    let path = account.paths().first()?;
    path.split('/')
        .rev()
        .find(|part| part.starts_with("ou-") || part.starts_with("r-"))
}

/// The state, from the older `Status` where there is no `State`: both write the same words.
fn state(account: &types::Account) -> AccountState {
    let word = account
        .state()
        .map(types::AccountState::as_str)
        .or_else(|| account.status().map(types::AccountStatus::as_str));
    match word {
        Some("PENDING_ACTIVATION") => AccountState::PendingActivation,
        Some("ACTIVE") => AccountState::Active,
        Some("SUSPENDED") => AccountState::Suspended,
        Some("PENDING_CLOSURE") => AccountState::PendingClosure,
        Some("CLOSED") => AccountState::Closed,
        _ => AccountState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::cloud::aws::testing::{Call, FakeAws, Reply};

    /// An organization of two accounts in one unit; each listing begins with an empty page.
    fn answer(call: &Call, with_paths: bool) -> Reply {
        let first = !call.body.contains("NextToken");
        let page = |key: &str, items: &str| {
            let (items, token) = if first {
                ("", r#","NextToken":"t""#)
            } else {
                (items, "")
            };
            format!(r#"{{"{key}":[{items}]{token}}}"#)
        };
        let in_unit = call.body.contains("ou-root-work");
        let body = match call.action.as_str() {
            "DescribeOrganization" => {
                r#"{"Organization":{"Id":"o-exampleorg1","MasterAccountId":"111111111111"}}"#
                    .to_owned()
            }
            "ListRoots" => page("Roots", r#"{"Id":"r-root"}"#),
            "ListOrganizationalUnitsForParent" if in_unit => page("OrganizationalUnits", ""),
            "ListOrganizationalUnitsForParent" => page(
                "OrganizationalUnits",
                r#"{"Id":"ou-root-work","Name":"Work"}"#,
            ),
            "ListAccounts" if with_paths => page(
                "Accounts",
                r#"{"Id":"111111111111","Name":"m","State":"ACTIVE","Paths":["o-exampleorg1/r-root/111111111111/"]},
                   {"Id":"222222222222","Name":"w","State":"CLOSED","Status":"SUSPENDED","Paths":["o-exampleorg1/r-root/ou-root-work/"]}"#,
            ),
            "ListAccounts" => page(
                "Accounts",
                r#"{"Id":"111111111111","Name":"m","Status":"ACTIVE"},{"Id":"222222222222","Name":"w","Status":"SUSPENDED"}"#,
            ),
            "ListAccountsForParent" if in_unit => page("Accounts", r#"{"Id":"222222222222"}"#),
            "ListAccountsForParent" => page("Accounts", r#"{"Id":"111111111111"}"#),
            "ListTagsForResource" => page("Tags", r#"{"Key":"tier","Value":"1"}"#),
            other => panic!("{other}"),
        };
        (200, body)
    }

    async fn read(
        aws: &FakeAws,
        expected: Option<&str>,
        with_tags: bool,
    ) -> Result<Organization, CloudError> {
        let client = Client::new(&aws.config());
        let caller = Caller {
            account: "111111111111".parse().unwrap(),
            partition: "aws-cn".parse().unwrap(),
            principal: None,
        };
        let reader = Reader {
            client: &client,
            identity: &describe(&client).await,
            concurrency: 2,
        };
        let told = Mutex::new(BTreeMap::new());
        let found = |found| {
            if let Found::Accounts(accounts) = found {
                told.lock().unwrap().extend(accounts);
            }
        };
        let organization = reader.organization(&caller, expected, with_tags, &found);
        let organization = organization.await?;
        assert_eq!(organization.accounts, told.into_inner().unwrap());
        Ok(organization)
    }

    #[tokio::test]
    async fn every_page_is_read_and_parents_come_from_paths_or_listings() {
        for with_paths in [true, false] {
            let aws = FakeAws::new(move |call| answer(call, with_paths));
            let organization = read(&aws, Some("o-exampleorg1"), true).await.unwrap();
            assert_eq!(organization.partition.as_str(), "aws-cn");
            assert_eq!(organization.management_account.as_str(), "111111111111");
            let told: Vec<_> = organization
                .accounts
                .values()
                .map(|account| {
                    (
                        account.parent.as_str(),
                        account.state,
                        account.tags.is_some(),
                    )
                })
                .collect();
            let second = if with_paths {
                AccountState::Closed
            } else {
                AccountState::Suspended
            };
            assert_eq!(
                told,
                [
                    ("r-root", AccountState::Active, true),
                    ("ou-root-work", second, false)
                ]
            );
            assert_eq!(organization.units["ou-root-work"].name, "Work");
            let listed = aws.actions().contains(&"ListAccountsForParent".to_owned());
            assert_eq!(listed, !with_paths);
        }
    }

    #[test]
    fn an_account_that_is_listed_again_waits_for_nothing() {
        let listed = || {
            let account = types::Account::builder().id("111111111111").build();
            Heard::Accounts(vec![account])
        };
        let id: AccountId = "111111111111".parse().unwrap();
        let mut gathered = Gathered::default();
        assert!(gathered.hear(listed()).unwrap().is_empty());
        let under = Heard::Under("r-root".to_owned(), vec![id.clone()]);
        assert!(gathered.hear(under).unwrap().contains_key(&id));
        assert_eq!(gathered.hear(listed()).unwrap()[&id].parent, "r-root");
        assert!(gathered.waiting.is_empty());
    }

    #[tokio::test]
    async fn nothing_is_read_of_another_organization() {
        let aws = FakeAws::new(|call| answer(call, true));
        let error = read(&aws, Some("o-other00000"), false).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::OtherOrganization);
        assert_eq!(aws.actions(), ["DescribeOrganization"]);
        assert!(read(&aws, None, false).await.is_ok());
    }

    #[tokio::test]
    async fn an_account_in_no_organization_is_told() {
        let aws = FakeAws::new(|_| {
            let body = r#"{"__type":"AWSOrganizationsNotInUseException","Message":"x"}"#;
            (400, body.to_owned())
        });
        let error = read(&aws, Some("o-exampleorg1"), false).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::OtherOrganization);
        assert_eq!(
            error.message,
            "account 111111111111 is in no organization, the spec is for o-exampleorg1"
        );
    }
}
