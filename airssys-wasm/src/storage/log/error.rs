//! Why a log was not opened.

// Layer 1: Standard library imports
use std::io;

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::storage::store::StoreError;
use crate::storage::codec::error::CodecError;
use crate::storage::tables::error::TablesError;
use crate::storage::wal::error::WalError;

/// Why a log was not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum OpenError {
    /// The tables' file was not opened or made.
    #[error("cannot open {file} in the data folder: {source}; see to the disk and start again")]
    File {
        file: &'static str,
        source: io::Error,
    },

    /// The tables cannot be read.
    #[error(transparent)]
    Tables(#[from] TablesError),

    /// The write-ahead log cannot be read.
    #[error(transparent)]
    Wal(#[from] WalError),

    /// A row cannot be read.
    #[error(transparent)]
    Codec(#[from] CodecError),

    /// A row is of another kind than its key says.
    #[error("a row of `{actor}` is of another kind than its key; restore a backup")]
    Mismatch { actor: String },

    /// A thread was not started.
    #[error("cannot start a thread of the commit log: {0}")]
    Thread(io::Error),
}

/// Why tables were not copied.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum CopyError {
    /// The log has failed.
    #[error(transparent)]
    Stopped(#[from] StoreError),

    /// Either tables failed.
    #[error(transparent)]
    Tables(#[from] TablesError),
}
