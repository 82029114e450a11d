//! Why tables do not do what was asked.

// Layer 2: Third-party crate imports
use redb::{
    CommitError, CompactionError, DatabaseError, Error as EngineError, SetDurabilityError,
    StorageError, TableError, TransactionError,
};
use thiserror::Error;

/// Why tables were not opened, read or changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum TablesError {
    /// The file is of another program.
    #[error(
        "the file holds no tables of airssys ({0}); move it away if it does not belong there, \
         or restore a backup if it did"
    )]
    Foreign(String),

    /// The file was written by a newer release.
    #[error(
        "the file has format version {found}, and this release knows versions up to {known}; \
         run the newer release that wrote it, or restore a backup that is older"
    )]
    Newer { found: u32, known: u32 },

    /// The file is a copy that was not finished.
    #[error("the file is a copy that was not finished; remove it, and copy again")]
    Unfinished,

    /// What is in the file contradicts itself.
    #[error("the file is damaged: {0}; restore a backup")]
    Damaged(String),

    /// The disk failed, now or earlier. Nothing is read or written any more.
    #[error(
        "the file can no longer be used: {0}; see to the disk, and restart: what was \
         acknowledged is kept"
    )]
    Failed(String),

    /// The file was removed or replaced while it was open. Nothing is read or written any
    /// more.
    #[error("the file was removed or replaced while it was open; put it back, and restart")]
    Removed,

    /// A batch is older than what was applied.
    #[error("batch {seq} comes after batch {applied}, which is applied already")]
    Order { applied: u64, seq: u64 },

    /// A write to a key that the tables keep for themselves.
    #[error("key `{0}` of table `meta` is reserved")]
    Reserved(String),

    /// Something else reads the tables, and must end first.
    #[error("the tables are being read; let snapshots end, and try again")]
    Busy,

    /// A copy goes only to tables in which there is nothing.
    #[error("a copy goes to a new file, and this one has rows already")]
    NotEmpty,
}

impl From<EngineError> for TablesError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Io(error) => Self::Failed(error.to_string()),
            EngineError::PreviousIo | EngineError::DatabaseClosed => {
                Self::Failed(error.to_string())
            }
            EngineError::UpgradeRequired(version) => Self::Foreign(format!(
                "a database of format {version} of its engine, which this release does not read"
            )),
            EngineError::TableTypeMismatch { .. }
            | EngineError::TypeDefinitionChanged { .. }
            | EngineError::TableIsMultimap(_)
            | EngineError::TableIsNotMultimap(_) => Self::Foreign(error.to_string()),
            EngineError::TransactionInProgress => Self::Busy,
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// The engine has an error type for each sort of operation; one has them all.
macro_rules! from_engine {
    ($($error:ty),*) => {
        $(impl From<$error> for TablesError {
            fn from(error: $error) -> Self {
                EngineError::from(error).into()
            }
        })*
    };
}

from_engine!(
    CommitError,
    CompactionError,
    DatabaseError,
    SetDurabilityError,
    StorageError,
    TableError,
    TransactionError
);
