//! Standard output, and how standard error is styled.

// Layer 1: Standard library imports
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::ops::ControlFlow;

// Layer 2: Third-party crate imports
use anstyle::{AnsiColor, Style};
use clap::Args;
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

/// How a command says what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// As one JSON object on one line.
    Json,
}

/// How to print it.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct FormArgs {
    /// Print one JSON object on one line instead; failures too, as `error`
    #[arg(long)]
    json: bool,
}

impl FormArgs {
    /// The form that is asked for.
    pub(crate) fn form(self) -> Form {
        self.json.into()
    }
}

impl From<bool> for Form {
    /// Of a flag `--json`.
    fn from(json: bool) -> Self {
        match json {
            true => Self::Json,
            false => Self::Text,
        }
    }
}

/// Tells how far a command is, on standard error. Where that is closed, there is nobody to
/// tell.
pub(crate) fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{what}");
}

/// Writes to standard output.
///
/// # Errors
///
/// When it cannot be written. That its reader has gone, as `head` does when it has
/// seen enough, is no error.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    // Its reader may have seen enough.
    write_while_read(bytes).map(drop)
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

/// The JSON of what failed.
#[derive(Debug, Serialize)]
struct Failed<'a> {
    error: &'a Failure,
}

/// Tells how a command ended that has printed what it was asked for, or has failed: for
/// people on standard error, or as JSON on standard output.
pub(crate) fn exit_of(form: Form, ended: Result<(), Failure>) -> Exit {
    let Err(failure) = ended else {
        return Exit::Success;
    };
    let told = match form {
        Form::Json => write_json(&Failed { error: &failure }),
        Form::Text => {
            failure.print();
            Ok(())
        }
    };
    told.inspect_err(Failure::print)
        .map_or_else(|e| e.exit, |()| failure.exit)
}

/// Writes a guest's bytes as they are, and on a terminal a line's end behind them.
///
/// # Errors
///
/// As [`write()`].
pub(crate) fn write_reply(reply: &[u8]) -> Result<(), Failure> {
    write(reply)?;
    let is_open = io::stdout().is_terminal() && !reply.is_empty() && !reply.ends_with(b"\n");
    write(if is_open { b"\n" } else { b"" })
}

/// Writes to standard output for as long as somebody reads it.
///
/// # Errors
///
/// As [`write()`].
pub(crate) fn write_while_read(bytes: &[u8]) -> Result<ControlFlow<()>, Failure> {
    let mut stdout = io::stdout().lock();
    flow_of(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Writes text for people as [`write_while_read`] does, with its colours where there is a
/// terminal.
///
/// # Errors
///
/// As [`write()`].
pub(crate) fn write_styled_while_read(text: &str) -> Result<ControlFlow<()>, Failure> {
    let mut stdout = anstream::stdout().lock();
    flow_of(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    )
}

fn flow_of(written: io::Result<()>) -> Result<ControlFlow<()>, Failure> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(not_written(&error)),
        Ok(()) => Ok(ControlFlow::Continue(())),
    }
}

fn not_written(error: &io::Error) -> Failure {
    Failure::new(Exit::Io, "io", "cannot write to standard output")
        .because(error)
        .next("make room where the output goes, or send it elsewhere")
}
