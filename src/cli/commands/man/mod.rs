//! `breakglass man`: the manual pages, made from the arguments.

mod facts;

use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use self::facts::{AWS_ENVIRONMENT, ENVIRONMENT, FACTS, FILES};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{print, say};
use crate::files::write_whole;

/// The day that the pages bear: when what they say was last gone through.
const WRITTEN: &str = "2026-11-25";
/// The name of the command above all others.
const TOP: &str = "breakglass";

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ManArgs {
    /// Write a page for each command into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &ManArgs, command: Command) -> Result<Exit, CliError> {
    let pages = pages(command);
    let Some(folder) = &args.out else {
        if let Some((_, text)) = pages.first() {
            print(text)?;
        }
        return Ok(Exit::Success);
    };
    std::fs::create_dir_all(folder).map_err(|error| CliError::io("make", folder, &error))?;
    for (file, text) in &pages {
        let path = folder.join(file);
        write_whole(&path, text.as_bytes())
            .map_err(|error| CliError::io("write", &path, &error))?;
    }
    let folder = folder.display();
    say(&format!("wrote {} pages to {folder}", pages.len()));
    Ok(Exit::Success)
}

/// Makes the pages of a command and of those below it, each with the name of its file.
fn pages(command: Command) -> Vec<(String, String)> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add(&command, &mut pages);
    pages
}

fn add(command: &Command, pages: &mut Vec<(String, String)>) {
    pages.push(page(command));
    for below in command.get_subcommands() {
        add(below, pages);
    }
}

fn page(command: &Command) -> (String, String) {
    let man = Man::new(command.clone())
        .date(WRITTEN)
        .source(concat!("breakglass ", env!("CARGO_PKG_VERSION")))
        .manual("breakglass");
    let file = man.get_filename();
    let mut text = Vec::new();
    // Writing into memory does not fail.
    let _ = man
        .render_title(&mut text)
        .and_then(|()| man.render_name_section(&mut text))
        .and_then(|()| man.render_synopsis_section(&mut text))
        .and_then(|()| man.render_description_section(&mut text))
        .and_then(|()| man.render_options_section(&mut text));
    if command.has_subcommands() {
        let _ = man.render_subcommands_section(&mut text);
    }
    let _ = ending(command).to_writer(&mut text);
    (file, portable(&String::from_utf8_lossy(&text)))
}

/// Writes a page so that every reader of manual pages takes it without a warning.
///
/// A letter outside of ASCII is written by its number; the sections, each made on its own, need one preamble; and a line
/// break beside an empty line is one too many.
fn portable(page: &str) -> String {
    const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
    let page = page.replace(PREAMBLE, "").replace(".br\n\n.br\n", ".sp\n");
    let mut text = PREAMBLE.to_owned();
    for letter in page.chars() {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            text.push_str(&format!("\\[u{:04X}]", u32::from(letter)));
        }
    }
    text
}

/// The sections that no argument tells of.
fn ending(command: &Command) -> Roff {
    let name = command.get_bin_name().unwrap_or_default();
    let facts = FACTS.iter().find(|facts| facts.command == name);
    let takes = |long: &str| {
        let mut arguments = command.get_arguments();
        arguments.any(|argument| argument.get_long() == Some(long))
    };
    let is_top = name == TOP;
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for exit in facts.map_or(&Exit::ALL[..], |facts| facts.exits) {
        entry(&mut roff, &exit.code().to_string(), exit.meaning());
    }
    roff.control("SH", ["ENVIRONMENT"]);
    for (variable, meaning) in ENVIRONMENT {
        entry(&mut roff, variable, meaning);
    }
    if is_top || takes("endpoint-url") {
        for (variable, meaning) in AWS_ENVIRONMENT {
            entry(&mut roff, variable, meaning);
        }
    }
    if is_top || takes("spec") {
        roff.control("SH", ["FILES"]);
        for (file, meaning) in FILES {
            entry(&mut roff, file, meaning);
        }
    }
    if let Some(facts) = facts {
        roff.control("SH", ["EXAMPLES"]);
        for (example, meaning) in facts.examples {
            entry(&mut roff, example, meaning);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    let below = command.get_subcommands().map(page_name);
    let related = facts.map_or(&[][..], |facts| facts.see).iter();
    let related = related.map(|name| format!("{TOP}-{name}"));
    let above = (!is_top).then(|| TOP.to_owned());
    let pages = above.into_iter().chain(below).chain(related);
    let pages: Vec<String> = pages.map(|page| format!("{page}(1)")).collect();
    roff.text([roman(pages.join(", "))]);
    roff
}

fn entry(roff: &mut Roff, term: &str, meaning: &str) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text([roman(meaning)]);
}

fn page_name(command: &Command) -> String {
    let name = command.get_display_name();
    name.unwrap_or_else(|| command.get_name()).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Cli;

    /// The commands that do something themselves, by their whole names.
    fn doing(command: &Command, found: &mut BTreeSet<String>) {
        if !command.has_subcommands() {
            found.insert(command.get_bin_name().unwrap().to_owned());
        }
        command
            .get_subcommands()
            .for_each(|below| doing(below, found));
    }

    #[test]
    fn every_command_has_its_facts_and_every_example_is_understood() {
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        let mut commands = BTreeSet::from([TOP.to_owned()]);
        doing(&command, &mut commands);
        let told: BTreeSet<String> = FACTS.iter().map(|facts| facts.command.to_owned()).collect();
        assert_eq!(told, commands);
        for facts in &FACTS {
            assert!(!facts.examples.is_empty(), "{}", facts.command);
            for (example, _) in facts.examples {
                let words = example.split(" > ").next().unwrap();
                assert!(words.starts_with(facts.command), "{example}");
                let words = words.split_whitespace().map(|word| word.trim_matches('\''));
                assert!(Cli::try_parse_from(words).is_ok(), "{example}");
            }
        }
    }

    #[test]
    fn every_page_has_its_sections_and_names_pages_that_there_are() {
        let pages = pages(Cli::command());
        let files: BTreeSet<&str> = pages.iter().map(|(file, _)| file.as_str()).collect();
        assert_eq!(pages.first().unwrap().0, "breakglass.1");
        assert!(files.contains("breakglass-credentials-issue.1"));
        for (file, text) in &pages {
            assert!(text.is_ascii(), "{file}");
            assert_eq!(text.matches(".ds Aq").count(), 2, "{file}");
            for section in [
                "NAME",
                "SYNOPSIS",
                "OPTIONS",
                "\"EXIT STATUS\"",
                "\"SEE ALSO\"",
            ] {
                assert!(
                    text.contains(&format!(".SH {section}\n")),
                    "{file}: {section}"
                );
            }
            let see = text.rsplit(".SH \"SEE ALSO\"\n").next().unwrap();
            for named in see.trim().replace("\\-", "-").split(", ") {
                let named = named.replace("(1)", ".1");
                assert!(files.contains(named.as_str()), "{file}: {named}");
            }
        }
    }
}
