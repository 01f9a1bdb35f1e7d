//! The `breakglass` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    breakglass::cli::run().into()
}
