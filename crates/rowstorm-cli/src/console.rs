//! Standard output is for data, standard error for talk. Both pass through here; passwords do not.

use std::io::{self, IsTerminal, Write};

use crate::exit::{Exit, Failure, Result};
use crate::secrets::redact;

/// Says a line on standard error.
pub(crate) fn talk(line: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(io::stderr().lock(), "{}", redact(line));
}

/// Writes data to standard output. A reader that went away (`| head`) ends the command quietly.
pub(crate) fn data(text: &str) -> Result<()> {
    data_bytes(text.as_bytes())
}

/// As [`data`], for bytes.
pub(crate) fn data_bytes(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => {
            std::process::exit(i32::from(Exit::Done.code()))
        }
        Err(cause) => Err(Failure::io("cannot write to standard output", &cause)),
    }
}

/// Whether colours are wanted on standard error.
pub(crate) fn colours() -> bool {
    colours_of(io::stderr().is_terminal())
}

/// Whether colours are wanted on a stream: a terminal, and neither `NO_COLOR` nor `TERM=dumb`.
pub(crate) fn colours_of(terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !set("NO_COLOR") && (forced || (terminal && !dumb))
}

/// Columns of the terminal, 80 where there is none.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(columns, _)| usize::from(columns.0)).clamp(40, 200)
}

/// Asks on the terminal; `None` where there is nobody to ask.
pub(crate) fn ask(question: &str) -> Option<bool> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return None;
    }
    let _ = write!(io::stderr().lock(), "{} [y/N] ", redact(question));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim(), "y" | "Y" | "yes"))
}
