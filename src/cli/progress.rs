//! Progress and logs on stderr.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

use super::args::GlobalArgs;

/// Starts a bar on stderr, which stays silent when stderr is no terminal or progress is not wanted.
pub(super) fn bar(global: &GlobalArgs, doing: &'static str) -> ProgressBar {
    if global.no_progress || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(doing);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Shows on a bar how many accounts of how many are done.
pub(super) fn shown(bar: &ProgressBar) -> impl Fn(usize, usize) + Sync {
    |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    }
}

/// Starts the log on stderr: `-vv` shows what is read and written, BREAKGLASS_LOG takes a filter.
///
/// The SDK's own events stay out unless asked for by filter; it never logs credentials.
pub(super) fn start_log(verbose: u8) {
    let default = if verbose > 1 {
        "breakglass=debug"
    } else {
        "off"
    };
    let filter = EnvFilter::try_from_env("BREAKGLASS_LOG").unwrap_or_else(|_| default.into());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .finish();
    // Only a second call in one process could fail, and it would find the log already there.
    let _ = tracing::subscriber::set_global_default(log);
}
