//! Making data smaller.

// Layer 1: Standard library imports
use std::path::PathBuf;
use std::time::Instant;

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::storage::data_folder::DataFolder;
use crate::storage::disk::disk::Disk;
use crate::storage::log::recovery::TABLES_FILE;
use crate::storage::path_text::write_path;
use crate::storage::tables::tables::{DEFAULT_CACHE_BYTES, Tables};
use crate::storage::wal::clearing::clear;
use crate::storage::wal::wal::Wal;
use crate::system::data::backup::bytes_of;
use crate::system::data::error::DataError;

/// How much smaller data has become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compaction {
    /// The data folder.
    #[serde(serialize_with = "write_path")]
    pub folder: PathBuf,
    /// How many bytes it took up on disk before.
    pub bytes_before: u64,
    /// How many it takes up now.
    pub bytes_after: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Compacts the tables of a folder, and removes its log. Everything that is in the log is in
/// the tables already.
pub(crate) fn compact(folder: &DataFolder) -> Result<(), DataError> {
    let disk = folder.disk()?;
    let failed = |error| DataError::io(folder.path(), error);
    let file = disk.open(TABLES_FILE).map_err(failed)?;
    let mut tables = Tables::open(file, DEFAULT_CACHE_BYTES)?;
    tables.compact()?;
    let applied = tables.applied()?;
    drop(tables);
    // Nothing may be removed that is nowhere else.
    let mut unapplied = 0;
    drop(Wal::open(folder.disk()?, applied, |_, _| {
        unapplied += 1;
        Ok(())
    })?);
    match unapplied {
        0 => Ok(clear(&disk)?),
        _ => Ok(()),
    }
}

/// Measures how much smaller a folder becomes.
pub(crate) fn measured(
    folder: &DataFolder,
    shrink: impl FnOnce() -> Result<(), DataError>,
) -> Result<Compaction, DataError> {
    let began = Instant::now();
    let bytes_before = bytes_of(folder.path())?;
    shrink()?;
    Ok(Compaction {
        folder: folder.path().into(),
        bytes_before,
        bytes_after: bytes_of(folder.path())?,
        took_ms: began.elapsed().as_millis() as u64,
    })
}
