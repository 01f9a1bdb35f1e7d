//! What a shell offers while a command is typed: names from the spec and the snapshot at hand.
//!
//! Nothing is asked of AWS, and what can't be read offers nothing: a shell has no place for an error. The scripts and
//! the way they ask are those of `clap_complete`, which may still change them in a minor version: only this module uses it.

mod names;
mod quote;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter};
use clap_complete::env::Shells;

use self::names::{Named, Names};
use super::exit::Exit;
use crate::policy::library;
use crate::spec::{read_bounded, read_inside};
use crate::text::visible;

/// The environment variable by which the script of a shell asks; it holds the shell's name.
const VARIABLE: &str = "BREAKGLASS_COMPLETE";

/// Writes the script by which a shell asks this command what to offer.
pub(super) fn script(shell: &str) -> std::io::Result<String> {
    let mut script = Vec::new();
    if let Some(completer) = Shells::builtins().completer(shell) {
        completer.write_registration(
            VARIABLE,
            "breakglass",
            "breakglass",
            "breakglass",
            &mut script,
        )?;
    }
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// Answers a shell that asks what to offer; `None` when nobody asks.
///
/// A shell asks by `breakglass -- WORD…`: the variable alone, left behind in an environment, turns nothing else off.
pub(super) fn answer() -> Option<Exit> {
    let shell = std::env::var(VARIABLE).ok()?;
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != "--" {
        return None;
    }
    let words: Vec<OsString> = arguments.collect();
    let folder = std::env::current_dir().ok();
    let answered = CompleteEnv::with_factory(|| command(&words, &shell))
        .var(VARIABLE)
        .try_complete(std::env::args_os(), folder.as_deref());
    Some(match answered {
        Ok(_) => Exit::Success,
        Err(_) => Exit::Error,
    })
}

/// The command line, with what it offers.
fn command(words: &[OsString], shell: &str) -> Command {
    let offer = Arc::new(Offer {
        names: names(words),
        shell: shell.to_owned(),
    });
    equipped(super::Cli::command(), &offer)
}

fn equipped(command: Command, offer: &Arc<Offer>) -> Command {
    command
        .mut_args(|argument| with_offer(argument, offer))
        .mut_subcommands(|command| equipped(command, offer))
}

/// Chooses what is offered for an argument, by what its value is called.
fn with_offer(argument: Arg, offer: &Arc<Offer>) -> Arg {
    let value = argument.get_value_names().and_then(|names| names.first());
    let value = value.map(|name| name.as_str().to_owned());
    let id = argument.get_id().as_str().to_owned();
    let offered = |names: fn(&Names, &str) -> Vec<Named>| {
        let offer = Arc::clone(offer);
        ArgValueCompleter::new(move |current: &OsStr| offer.matching(current, names))
    };
    match (id.as_str(), value.as_deref()) {
        (_, Some("ACCOUNT")) => argument.add(offered(|names, _| names.accounts())),
        (_, Some("OU")) => argument.add(offered(|names, _| names.units())),
        (_, Some("TYPE/NAME")) => argument.add(offered(Names::resources)),
        (_, Some("USER")) => argument.add(offered(|names, _| names.users())),
        ("incident", _) => argument.add(offered(|names, _| names.incidents())),
        ("emergency_account", _) => argument.add(offered(|names, _| names.account_ids())),
        ("name", _) if argument.is_positional() => argument.add(offered(|_, _| policies())),
        ("org" | "after" | "plan" | "file", _) => argument.add(files(&["json"])),
        ("files", Some("FILE")) => argument.add(files(&["yaml", "yml"])),
        _ => argument,
    }
}

fn policies() -> Vec<Named> {
    library::names()
        .chain(library::permission_names())
        .map(|name| (name.to_owned(), String::new()))
        .collect()
}

fn files(extensions: &'static [&'static str]) -> ArgValueCompleter {
    let is_one = |path: &Path| {
        let extension = path.extension().and_then(OsStr::to_str);
        extension.is_some_and(|extension| extensions.contains(&extension))
    };
    ArgValueCompleter::new(PathCompleter::any().filter(move |path| path.is_file() && is_one(path)))
}

/// Holds what is offered, and to which shell.
struct Offer {
    names: Names,
    shell: String,
}

impl Offer {
    /// Those names that go on from what is typed.
    fn matching(
        &self,
        current: &OsStr,
        names: fn(&Names, &str) -> Vec<Named>,
    ) -> Vec<CompletionCandidate> {
        let Some(current) = current.to_str() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, help) in names(&self.names, current) {
            let Some(typed) = quote::typed(&name, &self.shell) else {
                continue;
            };
            if name.starts_with(current) || typed.starts_with(current) {
                let help = (!help.is_empty()).then(|| visible(&help).into_owned().into());
                found.push(CompletionCandidate::new(typed).help(help));
            }
        }
        found
    }
}

/// Reads the names in the files that are typed, or in the default spec.
fn names(words: &[OsString]) -> Names {
    let mut names = Names::default();
    let mut specs = values(words, "--spec");
    if specs.is_empty() {
        specs.push("breakglass.yaml".into());
    }
    for path in specs {
        let Ok(text) = read_bounded(&path) else {
            continue;
        };
        if let Some(record) = names.add_spec(&text)
            && let Ok(text) = read_inside(&path, &record)
        {
            names.add_incidents(&text);
        }
    }
    for path in values(words, "--org") {
        let file = File::open(path).ok();
        if let Some(organization) = file.and_then(names::organization) {
            names.add_organization(&organization);
        }
    }
    names
}

/// The values that an option has so far; Bash makes a word of the `=` between the two.
fn values(words: &[OsString], option: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut words = words.iter().filter(|word| *word != "=").peekable();
    while let Some(word) = words.next() {
        if word == option {
            found.extend(words.peek().map(PathBuf::from));
        } else if let Some(value) = word.to_str().and_then(|word| word.strip_prefix(option)) {
            found.extend(value.strip_prefix('=').map(PathBuf::from));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_however_they_are_written() {
        let words = [
            "breakglass",
            "plan",
            "--org",
            "a.json",
            "--org=b.json",
            "--org",
            "=",
            "c.json",
            "--organization-id",
            "x",
            "--org",
        ];
        let words: Vec<OsString> = words.map(OsString::from).to_vec();
        let expected: Vec<PathBuf> = ["a.json", "b.json", "c.json"].map(PathBuf::from).to_vec();
        assert_eq!(values(&words, "--org"), expected);
    }

    #[test]
    fn every_shell_gets_a_script_that_asks_with_the_variable() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let script = script(shell).unwrap();
            assert!(script.contains(VARIABLE), "{shell}");
            assert!(script.contains("breakglass"), "{shell}");
        }
    }
}
