//! Arguments that several commands share.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::str::FromStr as _;

use clap::{Args, ValueEnum};
use globset::GlobMatcher;

use super::error::CliError;
use super::exit::Exit;
use crate::collect::{FailureBound, ScopeFilter};
use crate::glob::compile;
use crate::org::{Selector, Shard};
use crate::report::Format;
use crate::spec::{Loaded, load};
use crate::state::ResourceType;

/// Arguments of every command.
#[derive(Debug, Args)]
pub(super) struct GlobalArgs {
    /// When to use colours; NO_COLOR is honoured.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Show no progress on stderr.
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Show more: whole documents, every account; twice for a log of what is read and written.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    pub(super) fn colors_stdout(self) -> bool {
        self.colors(std::io::stdout().is_terminal())
    }

    pub(super) fn colors_stderr(self) -> bool {
        self.colors(std::io::stderr().is_terminal())
    }

    fn colors(self, terminal: bool) -> bool {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && !refused,
        }
    }
}

/// Which spec is read.
#[derive(Debug, Args)]
pub(super) struct SpecArgs {
    /// A file of the spec; repeat it for a spec in several files [default: breakglass.yaml].
    #[arg(long = "spec", value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

impl SpecArgs {
    /// The files given, or the default one.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        if self.files.is_empty() {
            vec![PathBuf::from("breakglass.yaml")]
        } else {
            self.files.clone()
        }
    }

    /// Reads and checks the spec; warnings go to stderr.
    pub(super) fn load(&self, global: &GlobalArgs) -> Result<Loaded, CliError> {
        let color = global.color.colors_stderr();
        let loaded = load(&self.paths()).map_err(|error| CliError::load(&error, color))?;
        for warning in &loaded.warnings {
            super::output::say(&warning.render(&loaded.sources, color));
        }
        Ok(loaded)
    }
}

/// Where live state is.
#[derive(Debug, Args)]
pub(super) struct CloudArgs {
    /// Work on a snapshot instead of AWS: no credentials, no network.
    #[arg(long, value_name = "FILE")]
    pub org: Option<PathBuf>,
    /// Send every call to this endpoint.
    #[arg(long, value_name = "URL", conflicts_with = "org", value_parser = endpoint)]
    pub endpoint_url: Option<String>,
    /// How many accounts are worked on at once.
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Begin nothing new after more than this many failures, or this share of all (25%).
    #[arg(long, value_name = "N|N%", value_parser = FailureBound::from_str)]
    pub max_failures: Option<FailureBound>,
}

/// Refuses what can't be called, before it turns into a failure deep inside of a call.
fn endpoint(text: &str) -> Result<String, &'static str> {
    let host = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .unwrap_or_default();
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[') {
        Ok(text.to_owned())
    } else {
        Err("write it as http://HOST:PORT or https://HOST")
    }
}

/// How new passwords are set and kept.
#[derive(Debug, Args)]
pub(super) struct PasswordArgs {
    /// The folder for the sealed passwords and the records beside them.
    #[arg(long, value_name = "DIR", default_value = "credentials")]
    pub out: PathBuf,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// What a comparison of the spec with live state takes.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten)]
    pub cloud: CloudArgs,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Count differences without effect too: the Sids of statements, the Id of a document.
    #[arg(long)]
    pub strict: bool,
    /// Tell what this change of the spec causes, and gate what it widens: the spec's revision before it, in git.
    #[arg(long, value_name = "REV", value_parser = revision)]
    pub base: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Refuses what git would take for an option.
fn revision(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.starts_with('-') {
        Err("write a branch, tag or commit, such as origin/main")
    } else {
        Ok(text.to_owned())
    }
}

/// What part of the organization is looked at.
#[derive(Debug, Args)]
#[command(next_help_heading = "Scope")]
pub(super) struct ScopeArgs {
    /// Only this account, by id or name (globs allowed); repeatable.
    #[arg(long, value_name = "ACCOUNT")]
    account: Vec<String>,
    /// Only accounts below this OU, by /Path/By/Name or id; repeatable.
    #[arg(long, value_name = "OU")]
    ou: Vec<String>,
    /// Only accounts with this tag; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<String>,
    /// Not this account; repeatable.
    #[arg(long, value_name = "ACCOUNT")]
    exclude_account: Vec<String>,
    /// Not the accounts below this OU; repeatable.
    #[arg(long, value_name = "OU")]
    exclude_ou: Vec<String>,
    /// Not the accounts with this tag; repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    exclude_tag: Vec<String>,
    /// Only this resource, such as iam_role/BreakGlassAdmin (globs allowed in the name); repeatable.
    #[arg(long, value_name = "TYPE/NAME")]
    resource: Vec<String>,
}

/// Which share of the accounts is looked at.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Scope")]
pub(super) struct ShardArgs {
    /// Only this share of the accounts, such as 2/8, by a hash of their ids; `merge` puts the reports together.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
}

impl ShardArgs {
    /// The shard; `None` for one of one, which is everything.
    pub(super) fn shard(self) -> Option<Shard> {
        self.shard.filter(|shard| shard.count() > 1)
    }
}

impl ScopeArgs {
    pub(super) fn filter(&self) -> Result<ScopeFilter, CliError> {
        let mut filter = ScopeFilter::default();
        let accounts = |text: &String| account_selector(text);
        let units = |text: &String| unit_selector(text);
        let tags = |text: &String| format!("tag:{text}");
        type Form<'a> = &'a dyn Fn(&String) -> String;
        let included: [(&str, &Vec<String>, Form<'_>); 3] = [
            ("--account", &self.account, &accounts),
            ("--ou", &self.ou, &units),
            ("--tag", &self.tag, &tags),
        ];
        let excluded: [(&str, &Vec<String>, Form<'_>); 3] = [
            ("--exclude-account", &self.exclude_account, &accounts),
            ("--exclude-ou", &self.exclude_ou, &units),
            ("--exclude-tag", &self.exclude_tag, &tags),
        ];
        for (option, texts, form) in included {
            for text in texts {
                filter.include.push(selector(option, text, form)?);
                filter.given.push(format!("{option} {text}"));
            }
        }
        for (option, texts, form) in excluded {
            for text in texts {
                filter.exclude.push(selector(option, text, form)?);
                filter.given.push(format!("{option} {text}"));
            }
        }
        for text in &self.resource {
            filter.resources.push(resource(text)?);
            filter.given.push(format!("--resource {text}"));
        }
        Ok(filter)
    }
}

/// Chooses the accounts below units.
pub(super) fn unit_filter(option: &str, units: &[String]) -> Result<ScopeFilter, CliError> {
    let mut filter = ScopeFilter::default();
    for text in units {
        let form = |text: &String| unit_selector(text);
        filter.include.push(selector(option, text, &form)?);
        filter.given.push(format!("{option} {text}"));
    }
    Ok(filter)
}

fn selector(
    option: &str,
    text: &String,
    form: &dyn Fn(&String) -> String,
) -> Result<Selector, CliError> {
    form(text)
        .parse()
        .map_err(|error| CliError::new(Exit::Usage, format!("{option} {text}: {error}")))
}

/// An account is named by its id, or by its name, which a selector marks.
fn account_selector(text: &str) -> String {
    let known = crate::ids::is_account_id(text)
        || text.starts_with("account:")
        || ["*", "management", "emergency"].contains(&text);
    if known {
        text.to_owned()
    } else {
        format!("account:{text}")
    }
}

fn unit_selector(text: &str) -> String {
    if text.starts_with("ou:") || text.starts_with("ou-") || text.starts_with("r-") {
        text.to_owned()
    } else {
        format!("ou:{text}")
    }
}

fn resource(text: &str) -> Result<(ResourceType, GlobMatcher), CliError> {
    let wrong = |why: String| CliError::new(Exit::Usage, format!("--resource {text}: {why}"));
    let (resource_type, name) = text.split_once('/').ok_or_else(|| {
        wrong("write it as TYPE/NAME, such as iam_role/BreakGlassAdmin".to_owned())
    })?;
    let resource_type = resource_type.parse().map_err(wrong)?;
    let glob = compile(name, true).map_err(wrong)?;
    Ok((resource_type, glob))
}

/// How the result is told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// The format on stdout.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Write the result to a file too; repeatable: one read, many files.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = report_file)]
    pub report: Vec<(Format, PathBuf)>,
}

fn report_file(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or("write it as FORMAT=PATH, such as markdown=drift.md")?;
    let format = Format::from_str(format, true).map_err(|_| {
        let known: Vec<String> = Format::value_variants()
            .iter()
            .filter_map(|format| format.to_possible_value())
            .map(|value| value.get_name().to_owned())
            .collect();
        format!("{format:?} is no format; known are {}", known.join(", "))
    })?;
    Ok((format, path.into()))
}
