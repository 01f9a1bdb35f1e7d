//! `breakglass ignore`: the ignore rules of the spec, added, listed and taken out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::cli::args::{GlobalArgs, SpecArgs};
use crate::cli::clock::now;
use crate::cli::connect::{Lock, lock};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{print, say};
use crate::files::rewrite;
use crate::plan::{Expiry, IgnoreRule, Outcome, Plan, listed_rules, parse_plan};
use crate::spec::{
    Duration, EditError, Ignore, IgnoreEdit, Loaded, edit_ignore, read_beside, read_files,
};
use crate::state::AddressPattern;
use crate::text::visible;

/// Arguments of `ignore`.
#[derive(Debug, Args)]
pub(in crate::cli) struct IgnoreArgs {
    #[command(subcommand)]
    command: IgnoreCommand,
}

#[derive(Debug, Subcommand)]
enum IgnoreCommand {
    /// Add a rule to the spec, and touch nothing else in it.
    Add(AddArgs),
    /// List the rules with how long each still lasts.
    List(ListArgs),
    /// Take out of the spec the rules that are over, with the comments right above them.
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    /// What to leave alone: ACCOUNT/TYPE/NAME, globs allowed, and :FIELD where it is not all of it.
    #[arg(value_name = "MATCH", value_parser = pattern)]
    r#match: String,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = said)]
    reason: String,
    /// Who answers for it.
    #[arg(long, value_name = "NAME", value_parser = said)]
    owner: Option<String>,
    /// The last day, such as 2027-01-31, or how long from today, such as 30d.
    #[arg(long, value_name = "DAY|DURATION", value_parser = end)]
    expires: End,
    #[command(flatten)]
    spec: SpecArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// How the result is told.
    #[arg(long, value_enum, default_value = "text")]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ListFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
struct PruneArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// Take out those too that left nothing alone in this plan or report of drift, in JSON, of this spec and of everything.
    #[arg(long, value_name = "FILE")]
    unused: Option<PathBuf>,
}

/// When a new rule ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Day(Date),
    After(Duration),
}

fn pattern(text: &str) -> Result<String, String> {
    text.parse::<AddressPattern>().map(|_| text.to_owned())
}

fn said(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        Err("write some words on one line")
    } else {
        Ok(text.to_owned())
    }
}

fn end(text: &str) -> Result<End, String> {
    match (text.parse::<Date>(), text.parse::<Duration>()) {
        (Ok(day), _) if day.to_string() == text => Ok(End::Day(day)),
        (_, Ok(duration)) => Ok(End::After(duration)),
        (_, Err(_)) => {
            Err("write a day, such as 2027-01-31, or a duration, such as 30d".to_owned())
        }
    }
}

pub(in crate::cli) fn run(args: &IgnoreArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    let today = now().to_zoned(TimeZone::UTC).date();
    match &args.command {
        IgnoreCommand::Add(args) => add(args, global, today),
        IgnoreCommand::List(args) => list(args, global, today),
        IgnoreCommand::Prune(args) => prune(args, global, today),
    }
}

fn add(args: &AddArgs, global: &GlobalArgs, today: Date) -> Result<Exit, CliError> {
    let expires = last_day(args.expires, today)?;
    let _locks = lock_files(&args.spec)?;
    let rule = Ignore {
        r#match: args.r#match.clone(),
        reason: args.reason.clone(),
        owner: args.owner.clone(),
        expires,
    };
    let changed = edit(&args.spec, global, IgnoreEdit::Add(&rule))?;
    say(&format!(
        "added to {}: {} until {expires}",
        changed.join(", "),
        visible(&rule.r#match)
    ));
    Ok(Exit::Success)
}

fn last_day(end: End, today: Date) -> Result<Date, CliError> {
    const DAY: u64 = 24 * 60 * 60;
    let day = match end {
        End::Day(day) => Some(day),
        End::After(duration) => i64::try_from(duration.seconds() / DAY)
            .ok()
            .and_then(|days| 0.days().try_days(days).ok())
            .and_then(|span| today.checked_add(span).ok()),
    };
    match day {
        Some(day) if day >= today => Ok(day),
        Some(day) => Err(CliError::new(
            Exit::Usage,
            format!("--expires {day}: a rule that ended before today leaves nothing alone"),
        )),
        None => Err(CliError::new(Exit::Usage, "--expires is too far away")),
    }
}

fn list(args: &ListArgs, global: &GlobalArgs, today: Date) -> Result<Exit, CliError> {
    let rules = listed_rules(&args.spec.load(global)?);
    let states = rules
        .iter()
        .map(|rule| (rule, Expiry::of(rule.expires, today)));
    let states: Vec<(&IgnoreRule, Expiry)> = states.collect();
    let text = match args.format {
        ListFormat::Text => told(&states),
        ListFormat::Json => {
            let rules = states.iter().map(|(rule, state)| {
                json!({
                    "index": rule.index, "match": rule.r#match, "state": state, "reason": rule.reason,
                    "owner": rule.owner, "expires": rule.expires, "source": rule.source,
                })
            });
            let rules: Vec<_> = rules.collect();
            let list = json!({ "format_version": "1.0", "kind": "ignore", "rules": rules });
            format!("{list:#}\n")
        }
    };
    print(&text)?;
    Ok(Exit::Success)
}

fn told(rules: &[(&IgnoreRule, Expiry)]) -> String {
    let mut text = String::new();
    for (rule, state) in rules {
        let state = match state {
            Expiry::Expired => "expired",
            Expiry::NearExpiry => "near expiry",
            Expiry::Active => "active",
        };
        let owner = rule.owner.as_ref();
        let owner = owner.map_or_else(String::new, |owner| format!(" ({owner})"));
        let source = rule.source.as_ref();
        let place = source.map_or_else(String::new, |place| {
            format!(" · {}:{}", place.file, place.line)
        });
        text.push_str(&format!("{}\n", visible(&rule.r#match)));
        text.push_str(&format!(
            "  {state}, until {} · {}{}{}\n",
            rule.expires,
            visible(&rule.reason),
            visible(&owner),
            visible(&place)
        ));
    }
    let of = |wanted: Expiry| rules.iter().filter(|(_, state)| *state == wanted).count();
    text.push_str(&format!(
        "{} active, {} near expiry, {} expired\n",
        of(Expiry::Active),
        of(Expiry::NearExpiry),
        of(Expiry::Expired)
    ));
    text
}

fn prune(args: &PruneArgs, global: &GlobalArgs, today: Date) -> Result<Exit, CliError> {
    let _locks = lock_files(&args.spec)?;
    let loaded = args.spec.load(global)?;
    let rules = listed_rules(&loaded);
    let report = args.unused.as_ref();
    let report = report.map(|path| report_of(path, &loaded)).transpose()?;
    let is_idle = |rule: &IgnoreRule| {
        let report = report.as_ref();
        let mut ignored = report.into_iter().flat_map(|report| &report.ignored);
        report.is_some()
            && !ignored.any(|change| {
                let by = change.ignored_by.as_ref();
                by.is_some_and(|by| by.says_the_same(rule))
            })
    };
    let gone = rules
        .iter()
        .filter(|rule| Expiry::of(rule.expires, today) == Expiry::Expired || is_idle(rule));
    let gone: Vec<&IgnoreRule> = gone.collect();
    if gone.is_empty() {
        say("no rule is to be taken out");
        return Ok(Exit::Success);
    }
    let indices: BTreeSet<usize> = gone.iter().map(|rule| rule.index).collect();
    let changed = edit(&args.spec, global, IgnoreEdit::Remove(&indices))?;
    for rule in &gone {
        let why = match Expiry::of(rule.expires, today) {
            Expiry::Expired => format!("it expired on {}", rule.expires),
            Expiry::NearExpiry | Expiry::Active => "it left nothing alone".to_owned(),
        };
        say(&format!("took out {}: {why}", visible(&rule.r#match)));
    }
    say(&format!("changed {}", changed.join(", ")));
    Ok(Exit::Success)
}

/// Reads a report from which it can be told which rules left nothing alone.
fn report_of(path: &Path, loaded: &Loaded) -> Result<Plan, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io("read", path, &error))?;
    let plan = parse_plan(&text).map_err(|error| CliError::plan(path, &error))?;
    let refused = |exit, why: &str| Err(CliError::new(exit, format!("{}: {why}", path.display())));
    if plan.spec_digest != loaded.digest {
        return refused(Exit::Stale, "it is of another spec than the one given");
    }
    if plan.scope.partial || plan.outcome == Outcome::Incomplete {
        return refused(
            Exit::Error,
            "not everything was looked at, so that it does not show which rules leave nothing alone",
        );
    }
    Ok(plan)
}

/// Keeps the files of the spec to this command: of two that edited one at a time, a rule would be lost.
fn lock_files(spec: &SpecArgs) -> Result<Vec<Lock>, CliError> {
    let paths = spec.paths();
    let locks = paths.iter().map(|path| lock(Some(path)).transpose());
    locks.flatten().collect()
}

/// Edits the spec, and names the files that were changed.
fn edit(
    spec: &SpecArgs,
    global: &GlobalArgs,
    edit: IgnoreEdit<'_>,
) -> Result<Vec<String>, CliError> {
    let color = global.color.colors_stderr();
    let paths = spec.paths();
    let files = read_files(&paths).map_err(|error| CliError::load(&error, color))?;
    let edited = edit_ignore(&files, &read_beside, edit).map_err(|error| match error {
        EditError::Load(error) => CliError::load(&error, color),
        EditError::Layout(_) => CliError::new(Exit::Error, error.to_string()),
    })?;
    let mut changed = Vec::new();
    for (number, text) in edited {
        if let Some(path) = paths.get(number) {
            rewrite(path, text.as_bytes()).map_err(|error| CliError::io("write", path, &error))?;
            changed.push(path.display().to_string());
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_spec_is_edited_by_one_command_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a.yaml", "b.yaml"].map(|name| folder.path().join(name));
        for file in &files {
            std::fs::write(file, "").unwrap();
        }
        let [_, second] = &files;
        let both = SpecArgs {
            files: files.to_vec(),
        };
        let one = SpecArgs {
            files: vec![second.clone()],
        };
        let locks = lock_files(&both).unwrap();
        assert!(lock_files(&one).is_err());
        drop(locks);
        assert!(lock_files(&one).is_ok());
    }
}
