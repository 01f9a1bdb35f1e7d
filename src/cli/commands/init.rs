//! `breakglass init`: a commented first spec, by questions or by flags.

use std::io::{BufRead as _, ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::args::GlobalArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::say;
use crate::cloud::read_snapshot;
use crate::files::write_new;
use crate::ids::AccountId;
use crate::spec::json_schema;
use crate::starter::{Draft, DraftUser, Found, Given, Interview, Preset, SCHEMA_FILE};
use crate::text::visible;

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// The file to write; one that is there is never overwritten.
    #[arg(long, value_name = "FILE", default_value = "breakglass.yaml")]
    out: PathBuf,
    /// The organization's id.
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,
    /// The account where break-glass users live.
    #[arg(long, value_name = "ID")]
    emergency_account: Option<AccountId>,
    /// A break-glass user, at least two; repeatable.
    #[arg(long = "user", value_name = "NAME")]
    users: Vec<String>,
    /// A role to start from; repeatable.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Preset>,
    /// Take the organization and what there is to choose from out of a snapshot.
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    /// Do not ask: what is not given is as in the example.
    #[arg(long, short)]
    yes: bool,
}

pub(in crate::cli) fn run(args: &InitArgs, global: &GlobalArgs) -> Result<Exit, CliError> {
    if args.out.exists() {
        return Err(is_there(&args.out));
    }
    let (draft, found) = draft(args)?;
    let enough = args.organization_id.is_some() && args.emergency_account.is_some();
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let draft = if terminal && !enough && !args.yes {
        let given = Given {
            organization: args.organization_id.is_some(),
            emergency: args.emergency_account.is_some(),
            users: !args.users.is_empty(),
            roles: !args.roles.is_empty(),
        };
        asked(args, Interview::new(draft, given, found))?
    } else if args.org.is_some() && args.emergency_account.is_none() && found.emergency.is_none() {
        let message = "no account of the snapshot, or more than one, is called after emergencies";
        return Err(CliError::new(Exit::Usage, message).hinted("name it with --emergency-account"));
    } else {
        draft
    };
    let loaded = draft.check().map_err(|error| {
        CliError::new(Exit::Spec, format!("no spec can be made of this: {error}"))
    })?;
    write_new(&args.out, draft.text().as_bytes()).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => is_there(&args.out),
        _ => CliError::io("write", &args.out, &error),
    })?;
    for warning in &loaded.warnings {
        say(&warning.render(&loaded.sources, global.color.colors_stderr()));
    }
    let path = args.out.display();
    say(&format!(
        "wrote {path}; edit it, then check it with `breakglass validate --spec {path}`"
    ));
    write_schema(&args.out)?;
    Ok(Exit::Success)
}

/// Puts together what flags and a snapshot say.
fn draft(args: &InitArgs) -> Result<(Draft, Found), CliError> {
    let mut draft = Draft::default();
    let mut found = Found::default();
    if let Some(path) = &args.org {
        let organization = read_snapshot(path)?.organization;
        found = Found::of(&organization);
        draft.organization_id = organization.id;
        draft.partition = organization.partition;
        if let Some(account) = &found.emergency {
            draft.emergency_account.clone_from(account);
        }
    }
    if let Some(id) = &args.organization_id {
        draft.organization_id.clone_from(id);
    }
    if let Some(account) = &args.emergency_account {
        draft.emergency_account = account.to_string();
    }
    if !args.users.is_empty() {
        let users = args.users.iter().enumerate();
        draft.users = users
            .map(|(number, name)| DraftUser::new(number, name))
            .collect();
    }
    if !args.roles.is_empty() {
        draft.roles.clone_from(&args.roles);
        draft.roles.sort();
        draft.roles.dedup();
    }
    Ok((draft, found))
}

/// Asks the person at the terminal until everything is known.
fn asked(args: &InitArgs, mut interview: Interview) -> Result<Draft, CliError> {
    say(
        "An empty answer takes what stands in brackets; Ctrl-C ends this, and nothing is written.\n",
    );
    while let Some(question) = interview.question() {
        say(&visible(&question.why));
        let default = question.default.as_deref();
        let default = default.map_or_else(String::new, |text| format!(" [{text}]"));
        let answer = line(&visible(&format!("{}{default}: ", question.text)))?;
        if let Err(wrong) = interview.answer(&answer) {
            say(&visible(&format!("  {wrong}")));
        }
        say("");
    }
    let path = args.out.display();
    loop {
        let answer = line(&format!("Write {path}? [yes]: "))?;
        match answer.trim() {
            "" | "y" | "yes" => return Ok(interview.into_draft()),
            "n" | "no" => return Err(CliError::new(Exit::Error, "nothing was written")),
            _ => say("  yes or no"),
        }
    }
}

/// Reads a line; its end without one is the end of the interview.
fn line(prompt: &str) -> Result<String, CliError> {
    let failed = |error| CliError::new(Exit::Error, format!("failed to ask: {error}"));
    let mut stderr = std::io::stderr();
    write!(stderr, "{prompt}").map_err(failed)?;
    stderr.flush().map_err(failed)?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match read.map_err(failed)? {
        0 => Err(CliError::new(
            Exit::Error,
            "the answers ended before the questions; nothing was written",
        )),
        _ => Ok(answer),
    }
}

fn is_there(path: &Path) -> CliError {
    let message = format!("{} is there already; nothing was written", path.display());
    CliError::new(Exit::Error, message).hinted("name another file with --out")
}

/// Writes the schema beside the spec, where there is none yet.
fn write_schema(spec: &Path) -> Result<(), CliError> {
    let path = spec.with_file_name(SCHEMA_FILE);
    let text = format!("{:#}\n", json_schema());
    match write_new(&path, text.as_bytes()) {
        Ok(()) => {
            let path = path.display();
            say(&format!("wrote {path}, by which editors complete it"));
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(CliError::io("write", &path, &error)),
    }
}
