//! Data to stdout and to files, words to stderr.

use std::io::{ErrorKind, Write as _};

use super::args::{GlobalArgs, OutputArgs};
use super::error::CliError;
use super::exit::Exit;
use crate::files::write_whole;
use crate::report::{Format, Style};

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

/// Renders a result once per format that is asked for, to stdout and to files.
pub(super) fn deliver(
    output: &OutputArgs,
    global: &GlobalArgs,
    render: impl Fn(Format, Style) -> String,
) -> Result<(), CliError> {
    print(&render(output.format, style(global)))?;
    for (format, path) in &output.report {
        let style = Style {
            color: false,
            width: 100,
            verbose: global.verbose > 0,
        };
        write_whole(path, render(*format, style).as_bytes())
            .map_err(|error| CliError::io("write", path, &error))?;
    }
    Ok(())
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
