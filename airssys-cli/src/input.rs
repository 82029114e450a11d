//! What a command reads: a component, and the payload of a message.

// Layer 1: Standard library imports
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use airssys_wasm::core::limits::Limits;
use clap::Args;

// Layer 3: Internal module imports
use crate::exit::Exit;
use crate::failure::Failure;

/// What stands for standard input.
pub(crate) const STDIN: &str = "-";

/// As much of a component as tells what sort of file it is.
pub(crate) const BEGINNING_BYTES: u64 = 4_096;

/// Where the payload comes from. Without any of these it is empty.
#[derive(Args)]
#[group(multiple = false)]
pub(crate) struct PayloadArgs {
    /// Read the payload from standard input
    #[arg(value_name = STDIN, value_parser = [STDIN], hide_possible_values = true)]
    stdin: Option<String>,
    /// The payload as text; without any payload the message is empty
    #[arg(
        long,
        short,
        value_name = "TEXT",
        allow_hyphen_values = true,
        help_heading = "Message"
    )]
    data: Option<OsString>,
    /// The payload from a file; `-` is standard input
    #[arg(long, short, value_name = "FILE", help_heading = "Message")]
    file: Option<PathBuf>,
}

impl PayloadArgs {
    /// Reads the payload, and of one that is too large just so much that it shows.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn read(self, limits: &Limits) -> Result<Vec<u8>, Failure> {
        let is_stdin = self
            .file
            .as_deref()
            .is_some_and(|file| file == Path::new(STDIN));
        match (self.data, self.file) {
            (Some(data), _) => Ok(data.into_encoded_bytes()),
            (None, Some(file)) if !is_stdin => read_file(&file, limits.message_bytes),
            _ if is_stdin || self.stdin.is_some() => {
                read_at_most(io::stdin().lock(), limits.message_bytes)
                    .map_err(|e| unreadable("standard input", &e))
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// A component's file and the bytes in it, which are not checked yet.
#[derive(Debug)]
pub(crate) struct ComponentFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl ComponentFile {
    /// Reads a file, and of one that is too large just so much that it shows.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn read(path: PathBuf, limits: &Limits) -> Result<Self, Failure> {
        let bytes = read_file(&path, limits.component_bytes)?;
        Ok(Self { path, bytes })
    }

    /// As much of a file as tells what sort it is, for words about it.
    pub(crate) fn beginning(path: PathBuf) -> Self {
        let bytes = read_file(&path, BEGINNING_BYTES).unwrap_or_default();
        Self { path, bytes }
    }
}

fn read_file(path: &Path, max_bytes: u64) -> Result<Vec<u8>, Failure> {
    File::open(path)
        .and_then(|file| read_at_most(file, max_bytes))
        .map_err(|e| unreadable(&path.display().to_string(), &e))
}

fn read_at_most(source: impl Read, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What to make of a file that cannot be read.
pub(crate) fn unreadable(what: &str, error: &io::Error) -> Failure {
    let next = match error.kind() {
        ErrorKind::NotFound => "check the path; relative paths start at the current folder",
        ErrorKind::IsADirectory => "name a file in it",
        ErrorKind::PermissionDenied => "give yourself the right to read it",
        _ => "check that it is a file on a disk that works",
    };
    Failure::new(Exit::Io, "io", format!("cannot read {what}"))
        .because(error)
        .next(next)
}
