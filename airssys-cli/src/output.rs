//! Standard output, and how standard error is styled.

// Layer 1: Standard library imports
use std::io::{self, ErrorKind, Write};

// Layer 2: Third-party crate imports
use anstyle::{AnsiColor, Style};
use serde::Serialize;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;

/// `anstream` takes these out where there is no terminal, and where `NO_COLOR` is set.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const INFO: Style = AnsiColor::Green.on_default();
pub(crate) const LABEL: Style = Style::new().bold();
pub(crate) const QUIET: Style = Style::new().dimmed();

/// Writes to standard output.
///
/// # Errors
///
/// When it cannot be written. That its reader has gone, as `head` does when it has
/// seen enough, is no error.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(
                Failure::new(Exit::Io, "io", "cannot write to standard output")
                    .because(error)
                    .next("make room where the output goes, or send it elsewhere"),
            )
        }
        _ => Ok(()),
    }
}

/// Writes one JSON object on one line to standard output.
///
/// # Errors
///
/// As [`write()`].
pub(crate) fn write_json(object: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(object)
        .map_err(|e| Failure::new(Exit::Internal, "internal", "cannot write JSON").because(e))?;
    line.push(b'\n');
    write(&line)
}
