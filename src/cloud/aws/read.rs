//! Reads an account: everything that concerns this tool in full, the rest by name.
//!
//! `GetAccountAuthorizationDetails` answers nearly all of it. It leaves out the description and the longest session of
//! roles, which `ListRoles` has for those under the managed path and `GetRole` for the few elsewhere; and it leaves out
//! the login profiles and keys of users. `people` reads what else there is of them where it is asked for, `root` of root users.

use std::collections::BTreeMap;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{
    AttachedPermissionsBoundary, AttachedPolicy, EntityType, GroupDetail, ManagedPolicyDetail,
    RoleDetail, UserDetail,
};
use futures_util::future::{try_join, try_join3};
use jiff::Timestamp;

use super::all;
use super::convert::{
    attached, boundary, document, inline, max_session, parse, required, tags, time,
};
use super::error::{Failure, failed};
use super::resource::{Keys, PAGE, get_role, keys, password, unless_missing};
use super::{people, root};
use crate::ids::{AccountId, Arn, IamPath};
use crate::state::{
    Inventory, Person, Policy, ReadScope, ResourceType, Role, RootAccess, RootScope, Tags, User,
};

const CALL: &str = "iam:GetAccountAuthorizationDetails";

/// Where AWS keeps the roles that belong to its services, which nobody else can change.
const SERVICE_LINKED: &str = "/aws-service-role/";

/// How many users or roles of one account are looked at more closely at a time.
const CONCURRENCY: usize = 4;

/// Reads the inventory of an account.
pub(super) async fn inventory(
    client: &Client,
    account: &AccountId,
    scope: &ReadScope,
) -> Result<Inventory, Failure> {
    let (details, settings, root) = try_join3(
        details(client),
        role_settings(client, &scope.managed_path),
        root_access(client, account, scope.root.as_ref()),
    )
    .await?;
    let mut inventory = Inventory {
        root,
        ..Inventory::default()
    };
    for policy in &details.policies {
        add_policy(&mut inventory, scope, policy)?;
    }
    for group in &details.groups {
        let name = required(CALL, "group's name", group.group_name())?;
        note_policies(
            &mut inventory,
            &format!("group/{name}"),
            group.attached_managed_policies(),
            None,
        )?;
    }
    let (users, roles) = sort_out(&mut inventory, scope, &details)?;
    let (users, roles) = try_join(
        complete_users(client, users, scope.people.as_ref() == Some(account)),
        complete_roles(client, roles, &settings),
    )
    .await?;
    let mut persons = BTreeMap::new();
    for CompleteUser {
        name,
        user,
        login_profile,
        person,
    } in users
    {
        if login_profile {
            inventory.login_profiles.insert(name.clone());
        }
        persons.extend(person.map(|person| (name.clone(), person)));
        inventory.users.insert(name, user);
    }
    for (name, role, last_used) in roles {
        let used = last_used.map(|used| (name.clone(), used));
        inventory.roles_last_used.extend(used);
        inventory.roles.insert(name, role);
    }
    if scope.people.as_ref() == Some(account) {
        let people = people::people(client, &scope.managed_path, persons);
        inventory.people = Some(people.await?);
    }
    Ok(inventory)
}

async fn root_access(
    client: &Client,
    account: &AccountId,
    scope: Option<&RootScope>,
) -> Result<Option<RootAccess>, Failure> {
    match scope {
        Some(scope) => Ok(Some(root::read(client, account, scope).await?)),
        None => Ok(None),
    }
}

/// Holds what `GetAccountAuthorizationDetails` answers.
#[derive(Debug, Default)]
struct Details {
    users: Vec<UserDetail>,
    roles: Vec<RoleDetail>,
    groups: Vec<GroupDetail>,
    policies: Vec<ManagedPolicyDetail>,
}

async fn details(client: &Client) -> Result<Details, Failure> {
    let mut pages = client
        .get_account_authorization_details()
        .filter(EntityType::User)
        .filter(EntityType::Role)
        .filter(EntityType::Group)
        .filter(EntityType::LocalManagedPolicy)
        .into_paginator()
        .page_size(PAGE)
        .send();
    let mut details = Details::default();
    while let Some(page) = pages.try_next().await.map_err(failed(CALL))? {
        details
            .users
            .extend(page.user_detail_list.unwrap_or_default());
        details
            .roles
            .extend(page.role_detail_list.unwrap_or_default());
        details
            .groups
            .extend(page.group_detail_list.unwrap_or_default());
        details.policies.extend(page.policies.unwrap_or_default());
    }
    Ok(details)
}

/// Holds what the account's details leave out about a role.
#[derive(Debug, Clone)]
struct RoleSettings {
    description: String,
    max_session: u32,
}

async fn role_settings(
    client: &Client,
    path: &IamPath,
) -> Result<BTreeMap<String, RoleSettings>, Failure> {
    let call = "iam:ListRoles";
    let pages = client.list_roles().path_prefix(path.as_str());
    let pages = pages.into_paginator().page_size(PAGE);
    let roles = pages.items().send().try_collect().await;
    roles
        .map_err(failed(call))?
        .into_iter()
        .map(|role| {
            let settings = RoleSettings {
                max_session: max_session(call, role.max_session_duration)?,
                description: role.description.unwrap_or_default(),
            };
            Ok((role.role_name, settings))
        })
        .collect()
}

fn add_policy(
    inventory: &mut Inventory,
    scope: &ReadScope,
    policy: &ManagedPolicyDetail,
) -> Result<(), Failure> {
    let arn: Arn = parse(CALL, "policy's ARN", policy.arn())?;
    let name = policy.policy_name().unwrap_or(arn.name());
    let path: IamPath = parse(CALL, "policy's path", policy.path())?;
    if scope.covers(ResourceType::IamPolicy, name, &path, &Tags::new()) {
        let versions = policy.policy_version_list();
        let default = versions.iter().find(|version| version.is_default_version());
        let document = document(CALL, default.and_then(|version| version.document()))?;
        let policy = Policy { path, document };
        inventory.policies.insert(name.to_owned(), policy);
    } else {
        inventory.others.policies.insert(name.to_owned());
    }
    Ok(())
}

/// Notes which customer managed policies someone uses who is not read in full.
fn note_policies(
    inventory: &mut Inventory,
    who: &str,
    policies: &[AttachedPolicy],
    bound: Option<&AttachedPermissionsBoundary>,
) -> Result<(), Failure> {
    let used = attached(CALL, policies)?
        .into_iter()
        .chain(boundary(CALL, bound)?)
        .filter(|arn| arn.account() != "aws");
    for arn in used {
        let users = inventory.others.policy_users.entry(arn).or_default();
        users.insert(who.to_owned());
    }
    Ok(())
}

/// Finds the users and roles that are read in full, and puts the others into the inventory by name.
fn sort_out<'a>(
    inventory: &mut Inventory,
    scope: &ReadScope,
    details: &'a Details,
) -> Result<(Vec<&'a UserDetail>, Vec<&'a RoleDetail>), Failure> {
    let (mut users, mut roles) = (Vec::new(), Vec::new());
    for user in &details.users {
        let name = required(CALL, "user's name", user.user_name())?;
        let path = parse(CALL, "user's path", user.path())?;
        if scope.covers(ResourceType::IamUser, name, &path, &tags(user.tags())) {
            users.push(user);
        } else {
            inventory.others.users.insert(name.to_owned());
            note_policies(
                inventory,
                &format!("user/{name}"),
                user.attached_managed_policies(),
                user.permissions_boundary(),
            )?;
        }
    }
    for role in &details.roles {
        let name = required(CALL, "role's name", role.role_name())?;
        let path: IamPath = parse(CALL, "role's path", role.path())?;
        if path.as_str().starts_with(SERVICE_LINKED) {
            continue;
        }
        if scope.covers(ResourceType::IamRole, name, &path, &tags(role.tags())) {
            roles.push(role);
        } else {
            inventory.others.roles.insert(name.to_owned());
            note_policies(
                inventory,
                &format!("role/{name}"),
                role.attached_managed_policies(),
                role.permissions_boundary(),
            )?;
        }
    }
    Ok((users, roles))
}

/// Holds a user with what the account's details leave out.
struct CompleteUser {
    name: String,
    user: User,
    login_profile: bool,
    /// What else there is of the person, where that is asked for.
    person: Option<Person>,
}

async fn complete_users(
    client: &Client,
    users: Vec<&UserDetail>,
    with_people: bool,
) -> Result<Vec<CompleteUser>, Failure> {
    let reads = users
        .into_iter()
        .map(async |user| unless_missing(complete_user(client, user, with_people).await));
    let completed = all(CONCURRENCY, reads.collect()).await?;
    // A user that went away since the details were read is not there.
    Ok(completed.into_iter().flatten().collect())
}

async fn complete_user(
    client: &Client,
    detail: &UserDetail,
    with_people: bool,
) -> Result<CompleteUser, Failure> {
    let name = required(CALL, "user's name", detail.user_name())?;
    let (password, keys) = try_join(password(client, name), keys(client, name)).await?;
    let Keys {
        access_keys,
        ssh_keys,
        service_credentials,
        signing_certificates,
    } = keys;
    let login_profile = password.is_some();
    let person = if with_people {
        Some(people::person(client, name, password, &access_keys).await?)
    } else {
        None
    };
    let user = User {
        path: parse(CALL, "user's path", detail.path())?,
        tags: tags(detail.tags()),
        permissions_boundary: boundary(CALL, detail.permissions_boundary())?,
        managed_policies: attached(CALL, detail.attached_managed_policies())?,
        inline_policies: inline(CALL, detail.user_policy_list())?,
        groups: detail.group_list().iter().cloned().collect(),
        access_keys,
        ssh_keys,
        service_credentials,
        signing_certificates,
    };
    Ok(CompleteUser {
        name: name.to_owned(),
        user,
        login_profile,
        person,
    })
}

/// A role by its name, with its last use.
type NamedRole = (String, Role, Option<Timestamp>);

async fn complete_roles(
    client: &Client,
    roles: Vec<&RoleDetail>,
    settings: &BTreeMap<String, RoleSettings>,
) -> Result<Vec<NamedRole>, Failure> {
    let reads = roles
        .into_iter()
        .map(|role| complete_role(client, role, settings));
    let completed = all(CONCURRENCY, reads.collect()).await?;
    Ok(completed.into_iter().flatten().collect())
}

async fn complete_role(
    client: &Client,
    detail: &RoleDetail,
    settings: &BTreeMap<String, RoleSettings>,
) -> Result<Option<NamedRole>, Failure> {
    let name = required(CALL, "role's name", detail.role_name())?;
    let settings = match settings.get(name) {
        Some(settings) => settings.clone(),
        None => match settings_of(client, name).await? {
            Some(settings) => settings,
            // It went away since the details were read.
            None => return Ok(None),
        },
    };
    let role = Role {
        path: parse(CALL, "role's path", detail.path())?,
        trust_policy: document(CALL, detail.assume_role_policy_document())?,
        description: settings.description,
        max_session: settings.max_session,
        tags: tags(detail.tags()),
        permissions_boundary: boundary(CALL, detail.permissions_boundary())?,
        managed_policies: attached(CALL, detail.attached_managed_policies())?,
        inline_policies: inline(CALL, detail.role_policy_list())?,
    };
    let last_used = detail.role_last_used();
    let last_used = last_used.and_then(|used| used.last_used_date());
    let last_used = last_used.map(|used| time(CALL, used)).transpose()?;
    Ok(Some((name.to_owned(), role, last_used)))
}

async fn settings_of(client: &Client, role: &str) -> Result<Option<RoleSettings>, Failure> {
    let call = "iam:GetRole";
    let Some(answer) = get_role(client, role).await? else {
        return Ok(None);
    };
    let role = required(call, "role", answer.role())?;
    Ok(Some(RoleSettings {
        description: role.description().unwrap_or_default().to_owned(),
        max_session: max_session(call, role.max_session_duration())?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::aws::testing::{FakeAws, refusal, result};

    const DETAILS: &str = "<UserDetailList><member><Path>/break-glass/</Path><UserName>bg-alice</UserName></member></UserDetailList>\
        <RoleDetailList><member><Path>/break-glass/</Path><RoleName>Admin</RoleName><AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument>\
        <RoleLastUsed><LastUsedDate>2026-05-06T07:08:09Z</LastUsedDate><Region>eu-west-1</Region></RoleLastUsed></member></RoleDetailList>";
    const ROLE: &str = "<Roles><member><Path>/break-glass/</Path><RoleName>Admin</RoleName><RoleId>AROA</RoleId>\
        <Arn>arn:aws:iam::222233334444:role/break-glass/Admin</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
        <MaxSessionDuration>3600</MaxSessionDuration></member></Roles>";
    const USER: &str = "<User><Path>/break-glass/</Path><UserName>bg-alice</UserName><UserId>AIDA</UserId>\
        <Arn>arn:aws:iam::222233334444:user/break-glass/bg-alice</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
        <PasswordLastUsed>2026-04-05T06:07:08Z</PasswordLastUsed></User>";
    const KEY: &str = "<AccessKeyMetadata><member><UserName>bg-alice</UserName><AccessKeyId>AKIAEXAMPLE</AccessKeyId>\
        <Status>Active</Status></member></AccessKeyMetadata>";

    /// An account with a role and a user, whose access key goes away while it is looked at.
    fn account() -> FakeAws {
        FakeAws::new(|call| match call.action.as_str() {
            "GetAccountAuthorizationDetails" => result(&call.action, DETAILS),
            "ListRoles" => result(&call.action, ROLE),
            "GetUser" => result(&call.action, USER),
            "ListAccessKeys" => result(&call.action, KEY),
            "GetLoginProfile" | "GetAccountPasswordPolicy" | "GetAccessKeyLastUsed" => {
                refusal(404, "NoSuchEntity", "none")
            }
            _ => result(&call.action, ""),
        })
    }

    #[tokio::test]
    async fn last_uses_are_read_and_a_key_that_went_away_takes_no_user_with_it() {
        let aws = account();
        let emergency: AccountId = "222233334444".parse().unwrap();
        let mut scope = ReadScope {
            managed_path: IamPath::break_glass(),
            names: Default::default(),
            people: Some(emergency.clone()),
            root: None,
            alerts: None,
        };
        let read = inventory(&aws.iam(), &emergency, &scope).await.unwrap();
        let used = read.roles_last_used["Admin"].to_string();
        assert_eq!(used, "2026-05-06T07:08:09Z");
        let person = &read.people.unwrap().users["bg-alice"];
        assert_eq!(
            person.last_used.unwrap().to_string(),
            "2026-04-05T06:07:08Z"
        );
        assert!(person.access_keys.is_empty());

        scope.people = None;
        let aws = account();
        let read = inventory(&aws.iam(), &emergency, &scope).await.unwrap();
        assert_eq!((read.people, read.root), (None, None));
        let actions = aws.actions();
        let asked = |action: &str| actions.iter().any(|asked| asked == action);
        assert!(!asked("ListMFADevices") && !asked("GetUser"), "{actions:?}");
    }
}
