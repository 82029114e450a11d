//! Why something was not done with data.

// Layer 1: Standard library imports
use std::io;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use thiserror::Error;

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::delivery::refusal::Refusal;
use crate::core::storage::store::StoreError;
use crate::core::turn::errors::HostError;
use crate::security::audit::error::AuditError;
use crate::storage::data_folder::DataFolderError;
use crate::storage::log::error::{CopyError, OpenError};
use crate::storage::tables::error::TablesError;
use crate::storage::wal::error::WalError;
use crate::system::data::invalid_state::InvalidState;

/// Why something was not done with the data of a system.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// What is in the folder cannot be read, or contradicts itself.
    #[error("{0}")]
    Damaged(String),
    /// The disk failed or is full.
    #[error("{0}")]
    Disk(String),
    /// A file or folder besides the data cannot be made, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// What is done cannot be written into the audit log beside the data.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// There is something where a backup should go.
    #[error("{}: {reason}", path.display())]
    Destination {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system keeps nothing on disk.
    #[error("the system has no data folder, and keeps nothing on disk")]
    NoDataFolder,
    /// There is no such component.
    #[error("there is no component `{0}`")]
    NoComponent(String),
    /// The actor keeps nothing on disk.
    #[error("`{0}` keeps nothing on disk: its component's durability is `none`")]
    NotDurable(ComponentId),
    /// Nothing is known of the actor.
    #[error("nothing is kept of `{0}`")]
    NoState(ComponentId),
    /// The actor runs, or may at any moment.
    #[error("`{0}` is not stopped, and may run at any moment")]
    NotStopped(ComponentId),
    /// What was to be imported is not the state of an actor.
    #[error(transparent)]
    InvalidState(#[from] InvalidState),
    /// The component's actors would keep more than they may together.
    #[error("{0}")]
    OverQuota(HostError),
    /// A commit would be larger than one may be.
    #[error("the change takes {bytes} bytes of the log, and {max_bytes} are the most")]
    TooLarge {
        /// How many it takes.
        bytes: u64,
        /// How many it may take.
        max_bytes: u64,
    },
    /// The system takes nothing at the moment.
    #[error("{0}")]
    Refused(Refusal),
}

impl DataError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source,
        }
    }
}

impl From<StoreError> for DataError {
    fn from(error: StoreError) -> Self {
        Self::Disk(error.to_string())
    }
}

impl From<OpenError> for DataError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Tables(error) => error.into(),
            OpenError::Wal(error) => error.into(),
            OpenError::File { .. } | OpenError::Thread(_) => Self::Disk(error.to_string()),
            error => Self::Damaged(error.to_string()),
        }
    }
}

impl From<TablesError> for DataError {
    fn from(error: TablesError) -> Self {
        match error {
            TablesError::Failed(_) | TablesError::Removed => Self::Disk(error.to_string()),
            error => Self::Damaged(error.to_string()),
        }
    }
}

impl From<WalError> for DataError {
    fn from(error: WalError) -> Self {
        match error {
            WalError::Disk { .. } | WalError::Removed { .. } | WalError::Stopped => {
                Self::Disk(error.to_string())
            }
            error => Self::Damaged(error.to_string()),
        }
    }
}

impl From<CopyError> for DataError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Stopped(error) => error.into(),
            CopyError::Tables(error) => error.into(),
        }
    }
}
