//! Progress and logs on stderr.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

use super::args::{GlobalArgs, OutputArgs};
use super::output::print;
use crate::report::{Format, ndjson_progress};

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

/// Shows the same on a bar and in the stream on stdout, where that is the format.
pub(super) fn told(bar: &ProgressBar, output: &OutputArgs) -> impl Fn(usize, usize) + Sync {
    let show = shown(bar);
    let streams = output.format == Format::Ndjson;
    move |done, all| {
        show(done, all);
        let percent = |done: usize| done * 100 / all.max(1);
        // A hundred lines tell as much of ten thousand accounts as ten thousand do.
        if streams && (done == 0 || percent(done) > percent(done - 1)) {
            // A reader that is gone is told of when the result is written.
            let _ = print(&ndjson_progress(done, all));
        }
    }
}

/// Starts the log on stderr: `-vv` shows what is read and written, BREAKGLASS_LOG takes a filter.
///
/// The SDK's own events stay out unless asked for by filter; it never logs credentials.
/// What it signs, a new password among it, is never logged.
pub(super) fn start_log(verbose: u8) {
    let default = if verbose > 1 {
        "breakglass=debug"
    } else {
        "off"
    };
    let filter = EnvFilter::try_from_env("BREAKGLASS_LOG").unwrap_or_else(|_| default.into());
    let log = tracing_subscriber::fmt()
        .with_env_filter(without_what_is_signed(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .finish();
    // Only a second call in one process could fail, and it would find the log already there.
    let _ = tracing::subscriber::set_global_default(log);
}

/// Keeps out of the log what the SDK would write when somebody sets its LOG_SIGNABLE_BODY: the bodies of requests.
fn without_what_is_signed(filter: EnvFilter) -> EnvFilter {
    match "aws_sigv4::http_request::sign=off".parse() {
        Ok(never) => filter.add_directive(never),
        Err(_) => filter,
    }
}

#[cfg(test)]
mod tests {
    use tracing::{Level, enabled, subscriber};

    use super::*;

    #[test]
    fn what_the_sdk_signs_is_not_logged_whatever_the_filter() {
        for filter in [
            "trace",
            "aws_sigv4=trace",
            "aws_sigv4::http_request::sign=trace",
        ] {
            let log = tracing_subscriber::fmt()
                .with_env_filter(without_what_is_signed(EnvFilter::new(filter)))
                .with_writer(std::io::sink)
                .finish();
            subscriber::with_default(log, || {
                let signed = enabled!(target: "aws_sigv4::http_request::sign", Level::TRACE);
                assert!(!signed, "{filter}");
            });
        }
    }
}
