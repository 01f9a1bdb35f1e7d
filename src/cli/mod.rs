//! The command line: arguments, and one file per command that wires the edge to the core.

mod args;
mod base;
mod clock;
mod commands;
mod complete;
mod connect;
mod error;
mod exit;
mod output;
mod progress;
mod random;

use std::io::Write as _;

use clap::{CommandFactory as _, Parser, Subcommand};

pub use error::CliError;
pub use exit::Exit;

/// Emergency access to AWS, as code, proven before the emergency.
#[derive(Debug, Parser)]
#[command(
    name = "breakglass",
    version,
    about,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: args::GlobalArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented first spec, by questions or by flags.
    Init(commands::init::InitArgs),
    /// Check the spec; no credentials, no network.
    Validate(commands::validate::ValidateArgs),
    /// Read live state and print what apply would do.
    Plan(commands::plan::PlanArgs),
    /// Print a saved plan or report again, in any format.
    Show(commands::show::ShowArgs),
    /// Put the reports of all shards together.
    Merge(commands::merge::MergeArgs),
    /// Carry out a plan; without a file it plans, shows and asks.
    Apply(commands::apply::ApplyArgs),
    /// Compare live state with the spec; never changes anything.
    Drift(commands::drift::DriftArgs),
    /// Prove, per role and account, that it works with MFA, and only then.
    Verify(commands::verify::VerifyArgs),
    /// Tell every use of break-glass in a time span, matched with incidents.
    Usage(commands::usage::UsageArgs),
    /// Set new passwords, sealed to whoever keeps them.
    Credentials(commands::credentials::CredentialsArgs),
    /// Renew what an incident used, and report what is left to do.
    Close(commands::close::CloseArgs),
    /// Write the offline runbook, to print and to put into the safe.
    Kit(commands::kit::KitArgs),
    /// Try the alerts.
    Alerts(commands::alerts::AlertsArgs),
    /// Record the live state that the other commands need.
    Snapshot(commands::snapshot::SnapshotArgs),
    /// Add, list and take out the spec's ignore rules.
    Ignore(commands::ignore::IgnoreArgs),
    /// Write a spec from live state, such that drift on it is clean.
    Import(commands::import::ImportArgs),
    /// Use the policy engines on their own: compare documents, evaluate requests.
    Policy(commands::policy::PolicyArgs),
    /// Print the JSON Schema of a kind of file.
    Schema(commands::schema::SchemaArgs),
    /// Print the completions of a shell.
    Completions(commands::completions::CompletionsArgs),
    /// Print the manual page, or write the pages of all commands.
    Man(commands::man::ManArgs),
}

/// Runs the command line that the process was given, and tells how it ended.
#[must_use]
pub fn run() -> Exit {
    if let Some(exit) = complete::answer() {
        return exit;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for and go to stdout; anything else is wrong usage. When even that can't
            // be printed, the exit code still tells.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            };
        }
    };
    let colored = cli.global.color.colors_stderr();
    progress::start_log(cli.global.verbose);
    cli.run().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "{}", error.render(colored));
        error.exit()
    })
}

impl Cli {
    fn run(self) -> Result<Exit, CliError> {
        let global = &self.global;
        match self.command {
            Command::Init(args) => commands::init::run(&args, global),
            Command::Validate(args) => commands::validate::run(&args, global),
            Command::Plan(args) => commands::plan::run(&args, global),
            Command::Show(args) => commands::show::run(&args, global),
            Command::Merge(args) => commands::merge::run(&args, global),
            Command::Apply(args) => commands::apply::run(&args, global),
            Command::Drift(args) => commands::drift::run(&args, global),
            Command::Verify(args) => commands::verify::run(&args, global),
            Command::Usage(args) => commands::usage::run(&args, global),
            Command::Credentials(args) => commands::credentials::run(&args, global),
            Command::Close(args) => commands::close::run(&args, global),
            Command::Kit(args) => commands::kit::run(&args, global),
            Command::Alerts(args) => commands::alerts::run(&args, global),
            Command::Snapshot(args) => commands::snapshot::run(&args, global),
            Command::Ignore(args) => commands::ignore::run(&args, global),
            Command::Import(args) => commands::import::run(&args, global),
            Command::Policy(args) => commands::policy::run(&args, global),
            Command::Schema(args) => commands::schema::run(&args),
            Command::Completions(args) => commands::completions::run(&args),
            Command::Man(args) => commands::man::run(&args, Self::command()),
        }
    }
}
