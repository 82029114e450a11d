//! Copying the data of a system.

// Layer 1: Standard library imports
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

// Layer 2: Third-party crate imports
use serde::Serialize;
use tokio::task::spawn_blocking;

// Layer 3: Internal module imports
use crate::core::security::audit::Operation;
use crate::storage::log::log::CommitLog;
use crate::storage::path_text::write_path;
use crate::system::auditing::Deed;
use crate::system::data::draft::Draft;
use crate::system::data::error::DataError;
use crate::system::handle::System;

/// What the system says that a file takes up is in blocks of so many bytes.
const BLOCK_BYTES: u64 = 512;

/// A copy of a system's data that is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// The data folder that was made.
    #[serde(serialize_with = "write_path")]
    pub folder: PathBuf,
    /// How many bytes it takes up on disk.
    pub bytes: u64,
    /// The number of a commit: the copy has it and all before it.
    pub seq: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl System {
    /// Copies the data of the running system to a new folder, which a system can be started
    /// from. It has everything that was acknowledged before this was called, and is as the
    /// data was at one moment. Messages flow meanwhile.
    ///
    /// The folder must not exist, or be empty. Until the copy is whole it has another name,
    /// and it is removed if anything fails. It takes as long as the disk takes to write
    /// everything; what changes meanwhile needs room twice.
    ///
    /// The audit log is not copied: two systems would continue one and the same.
    ///
    /// # Errors
    ///
    /// When the system has no data folder, something is there already, or a disk fails or
    /// is full.
    pub async fn backup(&self, to: impl Into<PathBuf>) -> Result<Backup, DataError> {
        let to = to.into();
        let deed = Deed::of(Operation::Backup).with(to.display());
        self.node.audited(deed, self.copy_to(to).await)
    }

    async fn copy_to(&self, to: PathBuf) -> Result<Backup, DataError> {
        let log = self
            .node
            .store
            .log()
            .ok_or(DataError::NoDataFolder)?
            .clone();
        log.checkpoint().await?;
        let copied = spawn_blocking(move || copy(&log, &to)).await;
        copied.unwrap_or_else(|panicked| Err(DataError::Disk(panicked.to_string())))
    }
}

/// Copies what is in the tables of a log to a new data folder.
pub(crate) fn copy(log: &CommitLog, to: &Path) -> Result<Backup, DataError> {
    let began = Instant::now();
    let draft = Draft::begin(to)?;
    let seq = draft.fill_tables(|tables| log.snapshot_to(tables))?;
    draft.finish()?;
    Ok(Backup {
        folder: to.into(),
        bytes: bytes_of(to)?,
        seq,
        took_ms: began.elapsed().as_millis() as u64,
    })
}

/// How many bytes the files of a folder take up on disk. Holes in them take up none.
pub(crate) fn bytes_of(folder: &Path) -> Result<u64, DataError> {
    let failed = |error| DataError::io(folder, error);
    let mut bytes = 0;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let found = entry.and_then(|entry| entry.metadata()).map_err(failed)?;
        if found.is_file() {
            bytes += found.blocks() * BLOCK_BYTES;
        }
    }
    Ok(bytes)
}
