//! The engine's file.

// Layer 1: Standard library imports
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

// Layer 2: Third-party crate imports
use redb::StorageBackend;

// Layer 3: Internal module imports
use crate::storage::disk::disk::DiskFile;
use crate::storage::tables::error::TablesError;
use crate::storage::tables::failure::Failure;

/// Lets the engine use a file, and notes what fails.
///
/// Nobody else may open the file: the engine's own locks are not there, since whoever opens
/// the data folder has locked it.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) failure: Arc<Failure>,
}

impl Backend {
    fn note<T>(&self, result: io::Result<T>, what: impl fmt::Display) -> io::Result<T> {
        if let Err(error) = &result {
            let said = match error.kind() {
                ErrorKind::UnexpectedEof => {
                    TablesError::Damaged(format!("it ends too early for {what}"))
                }
                _ => TablesError::Failed(format!("{what}: {error}")),
            };
            let told = self.failure.set(said);
            tracing::error!(error = %told, "the tables failed");
        }
        result
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.note(self.file.len_bytes(), "asking for its length")
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = out.len();
        let read = self.file.read_at(offset, out);
        self.note(
            read,
            format_args!("reading {bytes} bytes at offset {offset}"),
        )
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.note(
            self.file.set_len(len),
            format_args!("making it {len} bytes long"),
        )
    }

    fn sync_data(&self) -> io::Result<()> {
        self.note(self.file.sync(), "syncing")
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.note(
            self.file.write_at(offset, data),
            format_args!("writing {} bytes at offset {offset}", data.len()),
        )
    }
}
