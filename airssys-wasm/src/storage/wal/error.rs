//! Why the log did not do what was asked.

// Layer 1: Standard library imports
use std::io;

// Layer 2: Third-party crate imports
use thiserror::Error;

/// Why the log did not do what was asked.
#[derive(Debug, Error)]
pub(crate) enum WalError {
    /// The disk failed or is full.
    #[error(
        "cannot {action} {file} of the log: {source}; \
         see to the disk, free space if it is full, and start again"
    )]
    Disk {
        action: &'static str,
        file: String,
        source: io::Error,
    },

    /// What was on disk is not any more.
    #[error(
        "the log is damaged in {file} at byte {offset}: {found}; \
         restore the data folder from a backup"
    )]
    Damaged {
        file: String,
        offset: u64,
        found: Damage,
    },

    /// Frames between two others, or before all others, are not there.
    #[error(
        "the log goes on in {file} after commit {needed}, and what is there before ends with \
         commit {reached}: a file of the log was removed, or the data folder is put together \
         from different times; restore it from a backup"
    )]
    Missing {
        file: String,
        reached: u64,
        needed: u64,
    },

    /// A version of this program that is newer than this one wrote the log.
    #[error(
        "{file} is of version {version} of the log's format, and this program knows versions \
         up to {known}; use the program that wrote it, or a newer one"
    )]
    NewerVersion {
        file: String,
        version: u32,
        known: u32,
    },

    /// A payload is larger than a frame can be.
    #[error("a payload of {bytes} bytes; a frame of the log holds at most {max_bytes}")]
    TooLarge { bytes: usize, max_bytes: usize },

    /// A frame does not come after the one before it.
    #[error("commit {seq} cannot be logged after commit {last}")]
    OutOfOrder { seq: u64, last: u64 },

    /// Somebody removed or replaced the file that the log is written to.
    #[error(
        "{file} was removed or replaced while the log was written to it; put the file back, or \
         restore the data folder from a backup, and start again"
    )]
    Removed { file: String },

    /// The log failed earlier, and nobody knows what is on disk until it is opened again.
    #[error("the log stopped after an earlier failure; see to that one and start again")]
    Stopped,

    /// Whoever opened the log cannot use what is in it.
    #[error("commit {seq} of the log cannot be applied: {reason}")]
    Replay { seq: u64, reason: String },
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Damage {
    #[error("this is no file of the log")]
    NoSegment,
    #[error("its header is not what was written")]
    Header,
    #[error("its name is not that of its header")]
    Name,
    #[error("a frame that was safe is not what was written")]
    Frame,
    #[error("a frame is older than the one before it")]
    Order,
}

impl WalError {
    /// Names what failed of which file, for `map_err`.
    pub(crate) fn disk(action: &'static str, file: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk {
            action,
            file: file.to_owned(),
            source,
        }
    }

    pub(crate) fn damaged(file: &str, offset: u64, found: Damage) -> Self {
        Self::Damaged {
            file: file.to_owned(),
            offset,
            found,
        }
    }
}
