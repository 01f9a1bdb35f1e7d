//! `breakglass credentials`: passwords of the spec's users.

use std::sync::atomic::Ordering;

use clap::{Args, Subcommand};

use crate::cli::args::{CloudArgs, GlobalArgs, PasswordArgs, SpecArgs};
use crate::cli::clock::now;
use crate::cli::connect::{Connection, block_on, lock, stop_on_interrupt};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{confirmed, expect_terminal, print, say};
use crate::cli::random::random;
use crate::cloud::Cloud;
use crate::credentials::{Custody, Outcome, Store, custody, issue};
use crate::plan::Entry;
use crate::spec::{Loaded, Spec};
use crate::state::{Resource, ResourceKey, ResourceType, is_owned};

/// Arguments of `credentials`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CredentialsArgs {
    #[command(subcommand)]
    command: CredentialsCommand,
}

#[derive(Debug, Subcommand)]
enum CredentialsCommand {
    /// Set a new password of a user and seal it to the custodian's keys.
    Issue(IssueArgs),
}

/// Arguments of `credentials issue`.
#[derive(Debug, Args)]
struct IssueArgs {
    /// The users, by name.
    #[arg(required_unless_present = "all", value_name = "USER")]
    users: Vec<String>,
    /// Every user of the console, whether it has a password already or not.
    #[arg(long, conflicts_with = "users")]
    all: bool,
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    cloud: CloudArgs,
    #[command(flatten)]
    passwords: PasswordArgs,
}

pub(in crate::cli) fn run(args: &CredentialsArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    match &args.command {
        CredentialsCommand::Issue(args) => block_on(issue_all(args, global)),
    }
}

async fn issue_all(args: &IssueArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let loaded = args.spec.load(global)?;
    let custodies = custodies(args, &loaded, global)?;
    if !args.passwords.yes {
        expect_terminal("give --yes")?;
    }
    let account = &loaded.spec.emergency_account;
    let _lock = lock(args.cloud.org.as_deref())?;
    let connection = Connection::open(&args.cloud, &Entry::of(&loaded.spec)).await?;
    let cloud = connection.cloud();
    cloud.partition(&loaded.spec.organization.id).await?;
    for custody in &custodies {
        expect_managed(cloud, &loaded.spec, &custody.user).await?;
    }
    let store = Store::open(&args.passwords.out, args.cloud.org.is_some())?;
    for custody in &custodies {
        let record = store.record(account, &custody.user)?;
        for leftover in store.leftovers(&record)? {
            say(&leftover.message(&custody.user));
        }
    }
    let users: Vec<&str> = custodies.iter().map(|one| one.user.as_str()).collect();
    let question = format!("Set a new password of {}?", users.join(", "));
    if !args.passwords.yes && !confirmed(&question)? {
        return Err(CliError::new(Exit::Error, "nothing was changed"));
    }
    let stop = stop_on_interrupt();
    let (mut issued, mut open) = (0, 0);
    let mut files = String::new();
    for custody in &custodies {
        if stop.load(Ordering::Relaxed) {
            say(&format!("{}: not begun", custody.user));
            continue;
        }
        let outcome = issue(cloud, &store, account, custody, &mut random, now()).await;
        match &outcome {
            Outcome::Issued { file, unmarked } => {
                match unmarked {
                    None => issued += 1,
                    Some(_) => open += 1,
                }
                files.push_str(&format!("{}\n", file.display()));
            }
            Outcome::Unchanged { .. } => {}
            Outcome::Unknown { .. } | Outcome::Unrecorded { .. } => open += 1,
        }
        let before = store.sealed(&custody.user);
        say(&crate::text::visible(
            &outcome.message(&custody.user, &before),
        ));
    }
    connection.close(args.cloud.org.as_deref())?;
    let told = print(&files);
    Ok(if told.is_err() {
        Exit::Partial
    } else if issued == custodies.len() {
        Exit::Success
    } else if issued == 0 && open == 0 {
        Exit::Error
    } else {
        Exit::Partial
    })
}

fn custodies(
    args: &IssueArgs,
    loaded: &Loaded,
    global: &GlobalArgs,
) -> Result<Vec<Custody>, CliError> {
    let users = loaded.spec.users();
    let named = |name: &&String| !users.iter().any(|user| user.name == **name);
    if let Some(unknown) = args.users.iter().find(named) {
        let message = format!("the spec has no user {unknown:?}");
        let known: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let hint = format!("its users are: {}", known.join(", "));
        return Err(CliError::new(Exit::Usage, message).hinted(hint));
    }
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (index, user) in users.iter().enumerate() {
        if args.users.contains(&user.name) || (args.all && user.console) {
            match custody(index, user) {
                Ok(custody) => found.push(custody),
                Err(problem) => problems.push(problem),
            }
        }
    }
    if problems.is_empty() {
        return Ok(found);
    }
    let color = global.color.colors_stderr();
    Err(CliError::lacking(&problems, &loaded.sources, color))
}

/// Refuses a user that is not there, or that belongs to somebody else.
async fn expect_managed(cloud: &dyn Cloud, spec: &Spec, user: &str) -> Result<(), CliError> {
    let account = &spec.emergency_account;
    let key = ResourceKey::new(ResourceType::IamUser, user);
    let problem = match cloud.resource(account, &key).await? {
        Some(Resource::User(live)) if is_owned(&live.path, &live.tags, &spec.defaults.path) => {
            return Ok(());
        }
        Some(_) => format!("user {user} in account {account} is not managed by this spec yet"),
        None => format!("account {account} has no user {user} yet"),
    };
    Err(CliError::new(Exit::Error, problem).hinted("run `breakglass apply` first"))
}
