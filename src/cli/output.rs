//! Data to stdout and to files, words to stderr.

use std::io::{BufRead as _, ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;

use super::args::{GlobalArgs, OutputArgs};
use super::error::CliError;
use super::exit::Exit;
use crate::files::{self, write_whole};
use crate::report::{Format, Style, ndjson_opening};

/// Writes data to stdout. A reader that has seen enough (`| head`) is no error.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::new(
            Exit::Error,
            format!("failed to write to stdout: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Says something to the person at the terminal. When stderr is gone there is nobody to tell.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Refuses to go on where there is nobody to ask.
pub(super) fn expect_terminal(hint: &str) -> Result<(), CliError> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    let message = format!("there is no terminal to ask at; {hint}");
    Err(CliError::new(Exit::Usage, message))
}

/// Asks the person at the terminal; only `yes` is one.
pub(super) fn confirmed(question: &str) -> Result<bool, CliError> {
    let failed = |error| CliError::new(Exit::Error, format!("failed to ask: {error}"));
    let mut stderr = std::io::stderr();
    write!(stderr, "{question} Only `yes` does: ").map_err(failed)?;
    stderr.flush().map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(failed)?;
    Ok(answer.trim() == "yes")
}

/// Makes sure that files can be written, and begins the stream on stdout, where that is the format; [`deliver`] goes on
/// with it.
pub(super) fn open(output: &OutputArgs, kind: &str) -> Result<(), CliError> {
    for (_, path) in &output.report {
        expect_writable(path)?;
    }
    match output.format {
        Format::Ndjson => print(&ndjson_opening(kind)),
        _ => Ok(()),
    }
}

/// Refuses to begin on what may take many minutes when there is nowhere to write what comes of it.
pub(super) fn expect_writable(path: &Path) -> Result<(), CliError> {
    files::expect_writable(path).map_err(|error| CliError::io("write", path, &error))
}

/// Renders a result once per format that is asked for, to stdout and to files; one that can't be written takes none of
/// the others with it.
pub(super) fn deliver(
    output: &OutputArgs,
    global: &GlobalArgs,
    render: impl Fn(Format, Style) -> String,
) -> Result<(), CliError> {
    let text = render(output.format, style(global));
    let rest = match output.format {
        // Its first line was written by `open`, before anything was read.
        Format::Ndjson => text.split_once('\n').map_or("", |(_, rest)| rest),
        _ => &text,
    };
    let mut delivered = print(rest);
    for (format, path) in &output.report {
        let style = Style {
            color: false,
            width: 100,
            verbose: global.verbose > 0,
        };
        let written = write_whole(path, render(*format, style).as_bytes())
            .map_err(|error| CliError::io("write", path, &error));
        delivered = delivered.and(written);
    }
    delivered
}

/// Saves a result, too, as the JSON that other commands read.
pub(super) fn save_and_deliver(
    out: Option<&Path>,
    output: &OutputArgs,
    global: &GlobalArgs,
    render: impl Fn(Format, Style) -> String,
) -> Result<(), CliError> {
    let saved = out.map_or(Ok(()), |path| {
        write_whole(path, render(Format::Json, Style::default()).as_bytes())
            .map_err(|error| CliError::io("write", path, &error))
    });
    let delivered = deliver(output, global, render);
    saved.and(delivered)
}

/// How text is written to stdout.
pub(super) fn style(global: &GlobalArgs) -> Style {
    Style {
        color: global.color.colors_stdout(),
        width: width(),
        verbose: global.verbose > 0,
    }
}

/// The width to wrap text at: the terminal's, or 100 where there is none.
fn width() -> usize {
    terminal_size::terminal_size_of(std::io::stdout())
        .map_or(100, |(width, _)| usize::from(width.0))
}
