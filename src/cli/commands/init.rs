//! `breakglass init`: a commented starter spec.

use std::path::PathBuf;

use clap::Args;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::say;
use crate::files::write_new;
use crate::ids::AccountId;
use crate::spec::load_texts;

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// The file to write; one that is there is never overwritten.
    #[arg(long, value_name = "FILE", default_value = "breakglass.yaml")]
    out: PathBuf,
    /// The organization's id.
    #[arg(long, value_name = "ID", default_value = "o-exampleorg1")]
    organization_id: String,
    /// The account where break-glass users live.
    #[arg(long, value_name = "ID", default_value = "222233334444")]
    emergency_account: AccountId,
}

const STARTER: &str = include_str!("starter.yaml");

pub(in crate::cli) fn run(args: &InitArgs) -> Result<Exit, CliError> {
    let text = STARTER
        .replace("o-exampleorg1", &args.organization_id)
        .replace("222233334444", args.emergency_account.as_str());
    let none = |_: &str, _: &str| Err("the starter spec names no files".to_owned());
    load_texts(vec![("breakglass.yaml".to_owned(), text.clone())], &none)
        .map_err(|error| CliError::load(&error, false))?;
    let failed = |error: std::io::Error| {
        let failed = CliError::io("write", &args.out, &error);
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            failed.hinted("name another file with --out")
        } else {
            failed
        }
    };
    write_new(&args.out, text.as_bytes()).map_err(failed)?;
    let path = args.out.display();
    say(&format!(
        "wrote {path}; edit it, then check it with `breakglass validate --spec {path}`"
    ));
    Ok(Exit::Success)
}
