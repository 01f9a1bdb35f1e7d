//! `breakglass import`: a spec from live state.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use crate::cli::args::{CloudArgs, GlobalArgs};
use crate::cli::clock::now;
use crate::cli::connect::{Connection, block_on_reading};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{print, say};
use crate::cli::progress;
use crate::collect::{Difference, Everything, differences, read_everything};
use crate::files::write_new;
use crate::ids::{AccountId, IamPath};
use crate::import::{ImportSettings, import};
use crate::plan::Entry;
use crate::resolve::{ASSUME_POLICY, MFA_POLICY};
use crate::spec::{MemberRole, SourceMap, Spec, load_texts};
use crate::state::ResourceType;
use crate::text::visible;

/// Arguments of `import`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    #[command(flatten)]
    cloud: CloudArgs,
    /// The file to write, which must not be there yet; stdout when not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Refuse any organization but this one.
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,
    /// The account where the users live [default: the one with the most users under the path].
    #[arg(long, value_name = "ID")]
    emergency_account: Option<AccountId>,
    /// The role assumed in each member account.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "OrganizationAccountAccessRole"
    )]
    member_role: String,
    /// The IAM path of what is to be managed.
    #[arg(long, value_name = "PATH", default_value = "/break-glass/")]
    path: IamPath,
}

pub(in crate::cli) fn run(args: &ImportArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let member_role = MemberRole::from(args.member_role.clone());
    let entry = Entry {
        member_role: member_role.clone(),
        ..Entry::default()
    };
    let bar = progress::bar(global, "reading accounts");
    let read = block_on_reading(async {
        let connection = Connection::open(&args.cloud, &entry).await?;
        let cloud = connection.cloud();
        let concurrency = usize::from(args.cloud.concurrency);
        let expected = args.organization_id.as_deref();
        read_everything(
            cloud,
            expected,
            &args.path,
            concurrency,
            &progress::shown(&bar),
        )
        .await
        .map_err(|error| CliError::collect(error, &SourceMap::default(), false))
    });
    bar.finish_and_clear();
    let read = read?;
    let mut settings = ImportSettings {
        managed_path: args.path.clone(),
        emergency_account: args.emergency_account.clone(),
        member_role,
        plain_users: BTreeSet::new(),
    };
    let (mut text, mut left) = imported(&read, &settings)?;
    settings.plain_users = left.iter().filter_map(other_policies).collect();
    if !settings.plain_users.is_empty() {
        (text, left) = imported(&read, &settings)?;
    }
    match &args.out {
        Some(path) => {
            write_new(path, text.as_bytes()).map_err(|error| CliError::io("write", path, &error))?
        }
        None => print(&text)?,
    }
    for unreadable in &read.unreadable {
        say(&visible(&format!(
            "unreadable: {} ({}): {}",
            unreadable.account, unreadable.account_name, unreadable.error
        )));
    }
    for Difference { address, fields } in &left {
        let fields = fields.join(", ");
        say(&visible(&format!(
            "not the same in the spec: {address}: {fields}"
        )));
    }
    Ok(if !read.unreadable.is_empty() {
        Exit::Incomplete
    } else if left.is_empty() {
        Exit::Success
    } else {
        Exit::Differences
    })
}

fn written(spec: &Spec) -> Result<String, CliError> {
    let yaml = serde_yaml::to_string(spec).map_err(|error| {
        CliError::new(Exit::Error, format!("failed to write the spec: {error}"))
    })?;
    let written = now().strftime("%Y-%m-%d");
    Ok(format!(
        "# Imported from {} on {written}. Custodians, MFA devices and guardrails are yours to add.\n{yaml}",
        spec.organization.id
    ))
}

/// Writes a spec of what was read, and finds what it says otherwise.
fn imported(
    read: &Everything,
    settings: &ImportSettings,
) -> Result<(String, Vec<Difference>), CliError> {
    let spec = import(&read.organization, &read.accounts, settings).map_err(|error| {
        CliError::new(Exit::Error, error.to_string())
            .hinted("name the account with --emergency-account, or the path with --path")
    })?;
    let text = written(&spec)?;
    let files = vec![("import".to_owned(), text.clone())];
    let none = |_: &str, _: &str| Err("an imported spec names no files".to_owned());
    let loaded = load_texts(files, &none).map_err(|error| {
        CliError::new(
            Exit::Error,
            format!(
                "what is live can't be said in a spec:\n{}",
                error.render(false)
            ),
        )
    })?;
    let left = differences(&loaded, read, now())
        .map_err(|problems| CliError::problems(&problems, &loaded.sources, false))?;
    Ok((text, left))
}

/// Names a user whose inline policies are not those that a spec gives its users.
fn other_policies(difference: &Difference) -> Option<String> {
    let generated = [MFA_POLICY, ASSUME_POLICY].map(|name| format!("inline_policies.{name}"));
    let user = difference.address.resource_type == ResourceType::IamUser
        && difference
            .fields
            .iter()
            .any(|field| generated.contains(field));
    user.then(|| difference.address.name.clone())
}
