//! A file in memory, for tests.

// Layer 1: Standard library imports
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

// Layer 3: Internal module imports
use crate::storage::disk::disk::DiskFile;

/// A file in memory. Clones are the same file.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryFile {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// How many writes and syncs succeed from now on; zero is all.
    allowed: Arc<AtomicU64>,
    is_removed: Arc<AtomicBool>,
}

impl MemoryFile {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self {
            bytes: Arc::new(Mutex::new(bytes)),
            ..Self::default()
        }
    }

    /// What is in it, as after a crash that loses nothing.
    pub(crate) fn content(&self) -> Vec<u8> {
        self.with(|bytes| bytes.clone())
    }

    /// Lets writes and syncs fail after some more.
    pub(crate) fn fail_after(&self, operations: u64) {
        self.allowed.store(operations + 1, Ordering::SeqCst);
    }

    pub(crate) fn remove(&self) {
        self.is_removed.store(true, Ordering::SeqCst);
    }

    fn with<T>(&self, run: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        run(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_one(&self) -> io::Result<()> {
        match self.allowed.load(Ordering::SeqCst) {
            0 => Ok(()),
            1 => Err(io::ErrorKind::StorageFull.into()),
            left => {
                self.allowed.store(left - 1, Ordering::SeqCst);
                Ok(())
            }
        }
    }
}

impl DiskFile for MemoryFile {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.with(|bytes| bytes.len()) as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.with(|bytes| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let part = start
                .checked_add(buffer.len())
                .and_then(|end| bytes.get(start..end));
            buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn write_at(&self, offset: u64, new: &[u8]) -> io::Result<()> {
        self.take_one()?;
        self.with(|bytes| {
            let start = offset as usize;
            let end = start + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[start..end].copy_from_slice(new);
        });
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.take_one()?;
        // A damaged file must not make the engine ask for all memory there is.
        if length > 1 << 30 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.with(|bytes| bytes.resize(length as usize, 0));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.take_one()
    }

    fn is_in_place(&self) -> io::Result<bool> {
        Ok(!self.is_removed.load(Ordering::SeqCst))
    }
}
