//! What can be wrong with the audit log.

// Layer 1: Standard library imports
use std::io;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use serde::Serialize;
use thiserror::Error;

/// Why an audit log cannot be written, read or believed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The folder, or a file in it, cannot be made, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is no audit log in the folder.
    #[error("{} has no audit log", path.display())]
    NoLog {
        /// The folder.
        path: PathBuf,
    },
    /// Another process writes to the folder.
    #[error("{} is written to by another process", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It was edited or cut.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// What the log is to be compared with was so long ago that the entry is not kept.
    #[error("entry {seq} is not kept any more; the first that is kept is {first}")]
    NotKept {
        /// The entry.
        seq: u64,
        /// The first one that is kept.
        first: u64,
    },
    /// The disk does not take what is written. The log goes on in memory, and tries again.
    #[error("the audit log is kept in memory since its disk fails: {0}")]
    Failing(String),
    /// Nothing is written down any more.
    #[error("the audit log is closed")]
    Closed,
}

/// Where an audit log was edited or cut.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("{file}, line {line}: {what}")]
pub struct Broken {
    /// The name of the file.
    pub file: String,
    /// The line, counted from 1; 0 is the file as a whole.
    pub line: u64,
    /// What is wrong there.
    pub what: String,
}

impl Broken {
    pub(crate) fn new(file: &str, line: u64, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl AuditError {
    /// The system refused something about a file.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source,
        }
    }
}
